//! Quantity to text, apimachinery 0.36.2: `CanonicalizeBytes` in `pkg/api/resource/quantity.go` and `amount.go`.

use std::fmt;

use num_bigint::BigInt;

use super::parse::construct;
use super::{Amount, Format, Quantity, dec, int64};

impl fmt::Display for Quantity {
    /// `String()`: the text it was parsed from where upstream keeps it, otherwise the canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => f.pad(text),
            None => f.pad(&self.canonical()),
        }
    }
}

impl Quantity {
    /// `CanonicalizeBytes`: no fraction, the largest suffix that keeps every digit.
    #[must_use]
    pub fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        if self.format == Format::BinarySI
            && let Some((mantissa, exponent)) = self.binary_mantissa()
        {
            return mantissa + &construct(exponent * 10, Format::BinarySI);
        }
        let format = if self.format == Format::BinarySI { Format::DecimalSI } else { self.format };
        let (mantissa, exponent) = self.decimal_mantissa();
        mantissa + &construct(exponent, format)
    }

    /// Mantissa and power of 1024; `None` where decimal SI says it better: below 1024, and with a fraction.
    fn binary_mantissa(&self) -> Option<(String, i32)> {
        let bound = Quantity::whole(1024, Format::DecimalSI);
        if *self < bound && *self > -bound {
            return None;
        }
        match &self.amount {
            Amount::Small { value, scale } if *scale < 0 => {
                let (whole, exact) = int64::negative_scale(*value, -scale);
                exact.then(|| small_binary(whole))
            }
            Amount::Small { value, scale } => match int64::checked_scale(*value, *scale) {
                Some(whole) => Some(small_binary(whole)),
                None => Some(big_binary(&self.to_dec().round_up(0).unscaled)),
            },
            Amount::Big(dec) => {
                let whole = dec.round_up(0);
                whole.cmp(dec).is_eq().then(|| big_binary(&whole.unscaled))
            }
        }
    }

    /// Mantissa and power of ten, a multiple of three.
    fn decimal_mantissa(&self) -> (String, i32) {
        if let Amount::Small { value, scale } = self.amount {
            let (rest, times) = int64::remove_factors(value, 10);
            let exponent = scale + times;
            let places = exponent.rem_euclid(3);
            if let Some(mantissa) = int64::checked_scale(rest, places) {
                return (mantissa.to_string(), exponent - places);
            }
        }
        let dec = self.to_dec();
        let (rest, times) = dec::remove_factors(&dec.unscaled, 10);
        let exponent = times - dec.scale;
        let places = exponent.rem_euclid(3);
        ((rest * 10_i64.pow(places.unsigned_abs())).to_string(), exponent - places)
    }
}

fn small_binary(whole: i64) -> (String, i32) {
    let (rest, times) = int64::remove_factors(whole, 1024);
    (rest.to_string(), times)
}

fn big_binary(whole: &BigInt) -> (String, i32) {
    let (rest, times) = dec::remove_factors(whole, 1024);
    (rest.to_string(), times)
}
