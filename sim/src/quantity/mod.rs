//! Resource quantities (`100m`, `1.5Gi`, `10e6`), apimachinery 0.36.2: `pkg/api/resource/quantity.go`.
//!
//! All of upstream's arithmetic is here as it is, the overflows of `Value` and `MilliValue` included, because the
//! scheduler's messages and decisions rest on them. Upstream compiles to two's complement arithmetic on amd64; where
//! a float conversion leaves Go's definition, amd64's answer is the one given.

mod arith;
mod dec;
mod format;
mod int64;
mod parse;
mod serde_impl;

use arcstr::ArcStr;

use self::dec::Dec;

/// A fixed-point number with the format it was written in; 32 bytes, and only numbers beyond 18 digits, or texts that
/// are not canonical, own memory on the heap.
///
/// Equality and order are numeric and exact: `1` equals `1000m`, `1Gi` equals `1073741824`.
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    amount: Amount,
    format: Format,
    /// The text it was parsed from, kept where `String()` gives that text back though the canonical form differs.
    text: Option<ArcStr>,
}

/// The two representations of upstream; which one holds a number decides how overflows come out.
#[derive(Clone, Debug)]
enum Amount {
    /// `int64Amount`: value × 10^scale.
    Small { value: i64, scale: i32 },
    /// `infDecAmount`: everything else.
    Big(Box<Dec>),
}

impl Default for Amount {
    fn default() -> Self {
        Amount::Small { value: 0, scale: 0 }
    }
}

/// How a quantity is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// No format yet, as the Go zero value: it takes the format of the first quantity added.
    #[default]
    Unset,
    /// `12e6`.
    DecimalExponent,
    /// `12Mi`.
    BinarySI,
    /// `12M`, `12`, `12m`.
    DecimalSI,
}

impl Format {
    /// Upstream's word for the format; empty for [`Format::Unset`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Unset => "",
            Format::DecimalExponent => "DecimalExponent",
            Format::BinarySI => "BinarySI",
            Format::DecimalSI => "DecimalSI",
        }
    }
}

/// Why a text is not a quantity; the first three carry upstream's texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// `ErrFormatWrong`: a character that has no place there, or nothing at all.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    FormatWrong,
    /// `ErrNumeric`: no digits where the slow path needs them.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
    /// `ErrSuffix`: the letters are none of the known suffixes.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// More digits or a larger exponent than [`MAX_DIGITS`]; upstream computes on, some of them without end.
    #[error("expected a quantity of at most {MAX_DIGITS} digits")]
    TooLarge,
}

/// The most digits a quantity may have, written out; upstream has no such limit and can be kept busy for hours.
pub const MAX_DIGITS: usize = 1000;

/// The scale of thousandths (`resource.Milli`).
pub const MILLI: i32 = -3;

/// The finest scale that parsing keeps (`resource.Nano`).
pub const NANO: i32 = -9;

impl Quantity {
    /// Zero without a format, as the Go zero value and JSON's `null`.
    #[must_use]
    pub fn zero() -> Quantity {
        Quantity::default()
    }

    /// `NewQuantity` in decimal SI: a whole number.
    #[must_use]
    pub fn from_value(value: i64) -> Quantity {
        Quantity::whole(value, Format::DecimalSI)
    }

    /// `NewQuantity`: a whole number in a format.
    #[must_use]
    pub fn whole(value: i64, format: Format) -> Quantity {
        Quantity::small(value, 0, format)
    }

    /// `NewMilliQuantity` in decimal SI: that many thousandths, as CPU is counted.
    #[must_use]
    pub fn from_milli(milli: i64) -> Quantity {
        Quantity::small(milli, MILLI, Format::DecimalSI)
    }

    /// The format it is written in.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    fn small(value: i64, scale: i32, format: Format) -> Quantity {
        Quantity { amount: Amount::Small { value, scale }, format, text: None }
    }

    fn big(dec: Dec, format: Format) -> Quantity {
        Quantity { amount: Amount::Big(Box::new(dec)), format, text: None }
    }
}

#[cfg(test)]
mod tests;
