//! Text to quantity, apimachinery 0.36.2: `ParseQuantity` in `pkg/api/resource/quantity.go` and `suffix.go`.

use std::str::FromStr;

use arcstr::ArcStr;
use num_bigint::BigInt;

use super::dec::Dec;
use super::{Amount, Format, MAX_DIGITS, NANO, Quantity, QuantityError};

/// The most decimal digits that always fit an i64.
const MAX_INT64_FACTORS: i32 = 18;

const DECIMAL: [(&str, i32); 10] =
    [("", 0), ("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

impl Quantity {
    /// Reads a quantity as the API server does.
    ///
    /// # Errors
    /// Upstream's, and [`QuantityError::TooLarge`].
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::FormatWrong);
        }
        if text == "0" {
            return Ok(Quantity::from_value(0));
        }
        let scanned = scan(text)?;
        let (exponent, format) = interpret(scanned.suffix).ok_or(QuantityError::Suffix)?;
        match fast_path(text, &scanned, exponent, format) {
            Some(quantity) => quantity.bounded(),
            None => slow_path(&scanned, exponent, format),
        }
    }

    /// Upstream computes with any exponent; what no computer could write out is refused here.
    fn bounded(self) -> Result<Quantity, QuantityError> {
        match self.amount {
            Amount::Small { scale, .. } if scale > MAX_EXPONENT => Err(QuantityError::TooLarge),
            _ => Ok(self),
        }
    }
}

/// [`MAX_DIGITS`] as a scale.
const MAX_EXPONENT: i32 = MAX_DIGITS as i32;

impl FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Quantity, QuantityError> {
        Quantity::parse(text)
    }
}

/// The parts of a quantity's text.
struct Scanned<'a> {
    negative: bool,
    /// Sign, digits and point as written; what the slow path reads.
    value: &'a str,
    /// Digits before the point without leading zeros, `0` where none are left.
    num: &'a str,
    /// Digits after the point.
    denom: &'a str,
    suffix: &'a str,
}

/// `parseQuantityString`.
fn scan(text: &str) -> Result<Scanned<'_>, QuantityError> {
    let bytes = text.as_bytes();
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let zeros_end = skip(bytes, start, |byte| byte == b'0');
    if zeros_end == bytes.len() {
        return Ok(Scanned { negative, value: "0", num: "0", denom: "", suffix: "" });
    }
    let num_end = skip(bytes, zeros_end, |byte| byte.is_ascii_digit());
    let num = if num_end == zeros_end { "0" } else { &text[zeros_end..num_end] };
    let (denom, value_end) = if bytes.get(num_end) == Some(&b'.') {
        let end = skip(bytes, num_end + 1, |byte| byte.is_ascii_digit());
        (&text[num_end + 1..end], end)
    } else {
        ("", num_end)
    };
    let mut end = skip(bytes, value_end, |byte| b"eEinumkKMGTP".contains(&byte));
    end += usize::from(matches!(bytes.get(end), Some(b'-' | b'+')));
    if skip(bytes, end, |byte| byte.is_ascii_digit()) < bytes.len() {
        return Err(QuantityError::FormatWrong);
    }
    Ok(Scanned { negative, value: &text[..value_end], num, denom, suffix: &text[value_end..] })
}

fn skip(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    from + bytes[from..].iter().take_while(|&&byte| wanted(byte)).count()
}

/// The exponent a suffix stands for, of two in [`Format::BinarySI`] and of ten otherwise.
fn interpret(suffix: &str) -> Option<(i32, Format)> {
    let find = |table: &[(&str, i32)]| {
        table.iter().find(|(known, _)| *known == suffix).map(|(_, exponent)| *exponent)
    };
    if let Some(exponent) = find(&DECIMAL) {
        return Some((exponent, Format::DecimalSI));
    }
    if let Some(exponent) = find(&BINARY) {
        return Some((exponent, Format::BinarySI));
    }
    let number: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Upstream cuts the exponent to 32 bits: 1e4294967296 is 1.
    Some((number as i32, Format::DecimalExponent))
}

/// The suffix of an exponent, empty where upstream has none: 10^21 in decimal SI loses its factor there.
pub(super) fn construct(exponent: i32, format: Format) -> String {
    let find = |table: &[(&'static str, i32)]| {
        table.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| *suffix).to_owned()
    };
    match format {
        Format::DecimalSI => find(&DECIMAL),
        Format::BinarySI => find(&BINARY),
        Format::DecimalExponent | Format::Unset if exponent == 0 => String::new(),
        Format::DecimalExponent | Format::Unset => format!("e{exponent}"),
    }
}

/// Numbers that surely fit an i64 and need no rounding; `None` sends the text down the slow path.
fn fast_path(text: &str, scanned: &Scanned<'_>, exponent: i32, format: Format) -> Option<Quantity> {
    let digits = i32::try_from(scanned.num.len() + scanned.denom.len()).ok()?;
    let (precision, scale, factor) = match format {
        Format::BinarySI if scanned.denom.is_empty() => {
            (15 - digits - exponent * 3 / 10 - 1, 0, 1_i64 << exponent)
        }
        Format::BinarySI => return None,
        _ => (MAX_INT64_FACTORS - digits, exponent, 1),
    };
    let scale = scale.wrapping_sub(i32::try_from(scanned.denom.len()).ok()?);
    if precision < 0 || scale < NANO {
        return None;
    }
    let shifted = [scanned.num, scanned.denom].concat();
    let value: i64 = shifted.parse().expect("at most 18 digits");
    let product = value.checked_mul(factor)?;
    let mut quantity = Quantity::small(if scanned.negative { -product } else { product }, scale, format);
    let keeps_text = match format {
        Format::BinarySI => value & 7 != 0,
        _ => scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0'),
    };
    // Most texts are canonical: those need not be remembered.
    if keeps_text && quantity.canonical() != text {
        quantity.text = Some(ArcStr::from(text));
    }
    Some(quantity)
}

fn slow_path(scanned: &Scanned<'_>, exponent: i32, mut format: Format) -> Result<Quantity, QuantityError> {
    let mut dec = decimal(scanned)?;
    if format == Format::BinarySI {
        dec.unscaled <<= exponent;
    } else {
        dec.scale = dec.scale.wrapping_sub(exponent);
    }
    let fits = dec.scale >= -MAX_EXPONENT && (dec.signum() != 0 || dec.scale <= MAX_EXPONENT);
    if !fits {
        return Err(QuantityError::TooLarge);
    }
    // You get some resources if you ask for some: never down to zero.
    if dec.signum() != 0 {
        dec = dec.round_up(-NANO);
    }
    if format == Format::BinarySI && dec.cmp(&Dec::new(i64::MAX, 0)).is_gt() {
        dec = Dec::new(i64::MAX, 0);
    }
    if format == Format::BinarySI && dec.signum() > 0 && dec.cmp(&Dec::new(1, 0)).is_lt() {
        format = Format::DecimalSI;
    }
    Ok(Quantity::big(if scanned.negative { dec.neg() } else { dec }, format))
}

/// The magnitude of the number as written.
fn decimal(scanned: &Scanned<'_>) -> Result<Dec, QuantityError> {
    let digits: String = scanned.value.chars().filter(char::is_ascii_digit).collect();
    if digits.len() > MAX_DIGITS {
        return Err(QuantityError::TooLarge);
    }
    let unscaled: BigInt = digits.parse().map_err(|_| QuantityError::Numeric)?;
    let scale = i32::try_from(scanned.denom.len()).expect("at most MAX_DIGITS places");
    Ok(Dec { unscaled, scale })
}
