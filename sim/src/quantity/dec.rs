//! Decimals of any size, gopkg.in/inf.v0 0.9.1: `dec.go`; and what `pkg/api/resource/scale_int.go` of apimachinery
//! 0.36.2 reads out of them.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use super::int64::pow10;

/// unscaled × 10^-scale: the scale counts places after the point, upside down to the rest of the package.
#[derive(Clone, Debug)]
pub(super) struct Dec {
    pub(super) unscaled: BigInt,
    pub(super) scale: i32,
}

impl Dec {
    pub(super) fn new(unscaled: i64, scale: i32) -> Dec {
        Dec { unscaled: BigInt::from(unscaled), scale }
    }

    /// -1, 0 or 1.
    pub(super) fn signum(&self) -> i32 {
        match self.unscaled.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    /// The value at that scale, away from zero where it has to be rounded.
    pub(super) fn round_up(&self, scale: i32) -> Dec {
        let shift = i64::from(scale) - i64::from(self.scale);
        let unscaled = if shift >= 0 {
            &self.unscaled * power_of_ten(shift)
        } else if -shift > digits(&self.unscaled) {
            BigInt::from(self.signum())
        } else {
            let divisor = power_of_ten(-shift);
            let quotient = &self.unscaled / &divisor;
            let inexact = &quotient * &divisor != self.unscaled;
            if inexact { quotient + self.signum() } else { quotient }
        };
        Dec { unscaled, scale }
    }

    pub(super) fn add(&self, other: &Dec) -> Dec {
        let (left, right, scale) = upscale(self, other);
        Dec { unscaled: left + right, scale }
    }

    pub(super) fn neg(&self) -> Dec {
        Dec { unscaled: -&self.unscaled, scale: self.scale }
    }

    pub(super) fn cmp(&self, other: &Dec) -> Ordering {
        let (left, right, _) = upscale(self, other);
        left.cmp(&right)
    }

    /// `scaledValue`: the whole number of units 10^-`scale`, with upstream's overflows.
    pub(super) fn scaled_value(&self, scale: i32) -> i64 {
        let places = self.scale - scale;
        if places == 0 {
            return low_bits(&self.unscaled);
        }
        if places < 0 {
            return low_bits(&self.unscaled).wrapping_mul(to_int64(pow10(-places)));
        }
        if self.unscaled < BigInt::from(i64::MAX) && places < 19 {
            let divisor = 10_i64.pow(places.unsigned_abs());
            let unscaled = low_bits(&self.unscaled);
            return unscaled / divisor + i64::from(unscaled % divisor != 0);
        }
        self.divided_up(places)
    }

    fn divided_up(&self, places: i32) -> i64 {
        let divisor = power_of_ten(i64::from(places));
        let (quotient, remainder) = (&self.unscaled / &divisor, &self.unscaled % &divisor);
        // Go's DivMod is Euclidean: the remainder is never negative.
        let floor = if remainder.sign() == Sign::Minus { quotient - 1 } else { quotient };
        low_bits(&floor).wrapping_add(i64::from(remainder.sign() != Sign::NoSign))
    }
}

/// Takes factors out of `value`: the rest and how many there were; zero has none.
pub(super) fn remove_factors(value: &BigInt, factor: i64) -> (BigInt, i32) {
    let (mut rest, mut times) = (value.clone(), 0);
    while rest.sign() != Sign::NoSign && (&rest % factor).sign() == Sign::NoSign {
        rest /= factor;
        times += 1;
    }
    (rest, times)
}

/// Go's `big.Int.Int64`: the low 64 bits of the magnitude, with the sign.
fn low_bits(value: &BigInt) -> i64 {
    let magnitude = value.iter_u64_digits().next().unwrap_or(0).cast_signed();
    if value.sign() == Sign::Minus { magnitude.wrapping_neg() } else { magnitude }
}

/// amd64's conversion of a float to int64: the most negative number stands for "does not fit".
fn to_int64(value: f64) -> i64 {
    if value < 9_223_372_036_854_775_808.0 { value as i64 } else { i64::MIN }
}

fn upscale(left: &Dec, right: &Dec) -> (BigInt, BigInt, i32) {
    let scale = left.scale.max(right.scale);
    let shifted = |dec: &Dec| &dec.unscaled * power_of_ten(i64::from(scale - dec.scale));
    (shifted(left), shifted(right), scale)
}

fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).expect("parsing bounds the exponents"))
}

/// At least as many as the number has decimal digits.
fn digits(value: &BigInt) -> i64 {
    // A binary digit is less than a third of a decimal one.
    i64::try_from(value.bits() / 3 + 1).expect("a number in memory has fewer than 2^63 bits")
}
