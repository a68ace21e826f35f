//! Random texts of quantities, most of them valid.

use proptest::prelude::*;

/// The suffixes of both families, and none.
pub(crate) const SUFFIXES: [&str; 16] =
    ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A quantity in parts.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Empty, `+` or `-`.
    pub(crate) sign: &'static str,
    /// Digits before the point.
    pub(crate) whole: String,
    /// The point and what stands behind it, or nothing.
    pub(crate) fraction: String,
    /// A suffix, or an exponent.
    pub(crate) suffix: String,
}

impl Written {
    /// The text.
    pub(crate) fn text(&self) -> String {
        [self.sign, &self.whole, &self.fraction, &self.suffix].concat()
    }
}

/// Quantities that can be read.
pub(crate) fn written() -> impl Strategy<Value = Written> {
    let sign = prop::sample::select(vec!["", "", "", "-", "+"]);
    let whole = prop_oneof![
        "[0-9]{1,4}",
        "[1-9][0-9]{0,2}000",
        "[0-9]{1,22}",
        "0{0,2}[0-9]{1,3}",
        Just("0".to_owned()),
        Just("1024".to_owned())
    ];
    let fraction = prop_oneof![3 => Just(String::new()), 1 => "\\.[0-9]{0,4}", 1 => "\\.[0-9]{5,12}", 1 => "\\.000[1-9]{1,2}"];
    let family = prop::sample::select(SUFFIXES.to_vec()).prop_map(str::to_owned);
    let exponent = prop_oneof!["[eE][0-9]", "[eE]-[0-9]", "[eE]\\+[0-9]", "[eE]1[0-9]", "[eE]-1[0-9]"];
    let suffix = prop_oneof![3 => family, 1 => exponent];
    (sign, whole, fraction, suffix).prop_map(|(sign, whole, fraction, suffix)| Written {
        sign,
        whole,
        fraction,
        suffix,
    })
}

/// Texts, most of which are none.
pub(crate) fn garbled() -> impl Strategy<Value = String> {
    let near = "[-+]?[0-9.]{0,3}[eEinumkKMGTP]{0,3}[-+]?[0-9]{0,2}";
    prop_oneof![3 => near, 1 => "[ -~]{0,6}", 1 => "1[eE]-?[0-9]{5,12}", 1 => "9{900,1100}"]
}
