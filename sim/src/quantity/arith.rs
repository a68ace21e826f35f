//! Values, sums and comparison, apimachinery 0.36.2: `pkg/api/resource/quantity.go` and `amount.go`.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use super::dec::Dec;
use super::{Amount, Format, MILLI, Quantity, int64};

impl Quantity {
    /// `Value`: units, rounded up; overflows as upstream does (to 0, or to the low bits).
    #[must_use]
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// `MilliValue`: thousandths, rounded up; overflows as upstream does.
    #[must_use]
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(MILLI)
    }

    /// `ScaledValue`: units of 10^`scale`, rounded up; overflows as upstream does.
    #[must_use]
    pub fn scaled_value(&self, scale: i32) -> i64 {
        match &self.amount {
            Amount::Small { value, scale: own } if *own < scale => {
                int64::negative_scale(*value, scale - own).0
            }
            Amount::Small { value, scale: own } => int64::positive_scale(*value, own - scale).0,
            Amount::Big(dec) => dec.scaled_value(-scale),
        }
    }

    /// `AsInt64`: the value where it is a whole number held in 64 bits; upstream does not look further.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.amount {
            Amount::Small { value, scale: 0 } => Some(value),
            Amount::Small { value, scale } if scale > 0 => int64::checked_scale(value, scale),
            _ => None,
        }
    }

    /// Whether it is held as a decimal of any size. Go's copies of such a quantity share their digits, so that adding to
    /// one changes them all.
    #[must_use]
    pub fn is_big_decimal(&self) -> bool {
        matches!(self.amount, Amount::Big(_))
    }

    /// `AsApproximateFloat64`: about the value; infinite where a float does not reach.
    #[must_use]
    pub fn approx(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            Amount::Small { value, scale } => (*value as f64, *scale),
            // The decimal text is the one way to a float that rounds to nearest at any size.
            Amount::Big(dec) => (dec.unscaled.to_string().parse().expect("digits are a float"), -dec.scale),
        };
        if exponent == 0 { base } else { base * int64::pow10(exponent) }
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn sign(&self) -> i32 {
        match &self.amount {
            Amount::Small { value, .. } => value.signum() as i32,
            Amount::Big(dec) => dec.signum(),
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.sign() == 0
    }

    /// Takes over a sum that stayed small, or adds `other` in full.
    fn become_sum(&mut self, format: Format, small: Option<Amount>, other: impl FnOnce() -> Dec) {
        self.text = None;
        if self.is_zero() {
            self.format = format;
        }
        self.amount = small.unwrap_or_else(|| Amount::Big(Box::new(self.to_dec().add(&other()))));
    }

    pub(super) fn to_dec(&self) -> Dec {
        match &self.amount {
            Amount::Small { value, scale } => Dec::new(*value, -scale),
            Amount::Big(dec) => (**dec).clone(),
        }
    }
}

impl AddAssign<&Quantity> for Quantity {
    /// `Add`: the left format stays, unless the left side is zero.
    fn add_assign(&mut self, other: &Quantity) {
        let small = small_sum(&self.amount, &other.amount);
        self.become_sum(other.format, small, || other.to_dec());
    }
}

impl SubAssign<&Quantity> for Quantity {
    /// `Sub`: the left format stays, unless the left side is zero.
    fn sub_assign(&mut self, other: &Quantity) {
        let small = small_sum(&self.amount, &other.amount.negated());
        self.become_sum(other.format, small, || other.to_dec().neg());
    }
}

impl Neg for Quantity {
    type Output = Quantity;

    /// `Neg`.
    fn neg(self) -> Quantity {
        Quantity { amount: self.amount.negated(), format: self.format, text: None }
    }
}

impl Add<&Quantity> for Quantity {
    type Output = Quantity;

    fn add(mut self, other: &Quantity) -> Quantity {
        self += other;
        self
    }
}

impl Sub<&Quantity> for Quantity {
    type Output = Quantity;

    fn sub(mut self, other: &Quantity) -> Quantity {
        self -= other;
        self
    }
}

impl<'a> std::iter::Sum<&'a Quantity> for Quantity {
    fn sum<I: Iterator<Item = &'a Quantity>>(quantities: I) -> Quantity {
        quantities.fold(Quantity::zero(), |sum, quantity| sum + quantity)
    }
}

impl Amount {
    /// The most negative 64-bit number stays what it is, as upstream.
    fn negated(&self) -> Amount {
        match self {
            Amount::Small { value, scale } => Amount::Small { value: value.wrapping_neg(), scale: *scale },
            Amount::Big(dec) => Amount::Big(Box::new(dec.neg())),
        }
    }
}

/// `int64Amount.Add`; `None` where the sum, or the finer scale, overflows.
fn small_sum(left: &Amount, right: &Amount) -> Option<Amount> {
    let (&Amount::Small { value: a, scale: s }, &Amount::Small { value: b, scale: t }) = (left, right) else {
        return None;
    };
    if b == 0 {
        return Some(left.clone());
    }
    if a == 0 {
        return Some(right.clone());
    }
    let scale = s.min(t);
    let value = int64::checked_scale(a, s - scale)?.checked_add(int64::checked_scale(b, t - scale)?)?;
    Some(Amount::Small { value, scale })
}

impl Ord for Quantity {
    /// `Cmp`: exact, whatever the formats.
    fn cmp(&self, other: &Quantity) -> Ordering {
        match (&self.amount, &other.amount) {
            (Amount::Small { value: a, scale: s }, Amount::Small { value: b, scale: t }) => {
                small_cmp((*a, *s), (*b, *t))
            }
            _ => self.to_dec().cmp(&other.to_dec()),
        }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

/// Compares value × 10^scale.
fn small_cmp(left: (i64, i32), right: (i64, i32)) -> Ordering {
    let (coarse, fine) = if left.1 >= right.1 { (left, right) } else { (right, left) };
    let places = coarse.1.abs_diff(fine.1);
    let order = if places > 18 && coarse.0 != 0 {
        // One of the coarse units already exceeds every fine 64-bit number.
        coarse.0.cmp(&0)
    } else {
        (i128::from(coarse.0) * 10_i128.pow(places.min(18))).cmp(&i128::from(fine.0))
    };
    if left.1 >= right.1 { order } else { order.reverse() }
}

const _: () = assert!(size_of::<Quantity>() <= 32 && size_of::<Format>() == 1);
