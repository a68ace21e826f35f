//! Quantities: what is read, how it is rounded and capped, how it is written, and how sums overflow.

use crate::Group;

const QUANTITIES: &[(&str, &str)] = &[("vectors", "quantities"), ("quantity_rules", "")];

const FAST: &str = "(MAX_INT64_FACTORS - digits, exponent, 1)";
const KEEPS: &str = "scale % 3 == 0 && !shifted.ends_with(\"000\") && !shifted.starts_with('0')";
const POSITIVE: &str = "match checked_scale(base, scale) {\n            Some(product) => (product, true),\n            None => (0, false),\n        }";
const WRAPS: &str = "base.wrapping_mul(factor)";

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "quantity/parse.rs",
        noticed_by: QUANTITIES,
        rows: &[
            ("an empty text is none", "text.is_empty()", "false"),
            ("leading zeros do not count", "skip(bytes, start, |byte| byte == b'0')", "start"),
            ("a sign", "bytes.first() == Some(&b'-')", "false"),
            (
                "a sign may be a plus",
                "matches!(bytes.first(), Some(b'-' | b'+'))",
                "bytes.first() == Some(&b'-')",
            ),
            ("an exponent may have a sign", "matches!(bytes.get(end), Some(b'-' | b'+'))", "false"),
            ("nothing may follow", "skip(bytes, end, |byte| byte.is_ascii_digit()) < bytes.len()", "false"),
            ("an exponent is cut to 32 bits", "number as i32", "number.clamp(-400, 400) as i32"),
            ("up to 18 digits are held in 64 bits", FAST, "(-1, exponent, 1)"),
            ("which is 18 and not 19", FAST, "(MAX_INT64_FACTORS + 1 - digits, exponent, 1)"),
            (
                "binary suffixes have less room in 64 bits",
                "(15 - digits - exponent * 3 / 10 - 1, 0, 1_i64 << exponent)",
                "(MAX_INT64_FACTORS - digits, 0, 1_i64 << exponent)",
            ),
            (
                "the point moves the scale",
                "scale.wrapping_sub(i32::try_from(scanned.denom.len()).ok()?)",
                "scale",
            ),
            (
                "finer than a billionth is not held in 64 bits",
                "precision < 0 || scale < NANO",
                "precision < 0",
            ),
            (
                "a text that is no multiple of 1000 is kept",
                KEEPS,
                "!shifted.ends_with(\"000\") && !shifted.starts_with('0')",
            ),
            ("a text that ends in three zeros is not", KEEPS, "scale % 3 == 0 && !shifted.starts_with('0')"),
            ("a text that begins with zero is not", KEEPS, "scale % 3 == 0 && !shifted.ends_with(\"000\")"),
            ("a binary text divisible by eight is not", "value & 7 != 0", "true"),
            ("never below a billionth", "dec.round_up(-NANO)", "dec"),
            ("binary quantities are capped", "dec.cmp(&Dec::new(i64::MAX, 0)).is_gt()", "false"),
            (
                "a binary quantity below one is decimal",
                "format == Format::BinarySI && dec.signum() > 0 && dec.cmp(&Dec::new(1, 0)).is_lt()",
                "false",
            ),
            ("the slow path has a sign too", "if scanned.negative { dec.neg() } else { dec }", "dec"),
            (
                "digits are needed",
                "digits.parse().map_err(|_| QuantityError::Numeric)?",
                "digits.parse().unwrap_or_default()",
            ),
        ],
    },
    Group {
        file: "quantity/format.rs",
        noticed_by: QUANTITIES,
        rows: &[
            ("binary below 1024 is written as decimal", "*self < bound && *self > -bound", "false"),
            (
                "binary with a fraction is written as decimal",
                "exact.then(|| small_binary(whole))",
                "Some(small_binary(whole))",
            ),
            (
                "of any size",
                "whole.cmp(dec).is_eq().then(|| big_binary(&whole.unscaled))",
                "Some(big_binary(&whole.unscaled))",
            ),
            ("the exponent is a multiple of three", "int64::checked_scale(rest, places)", "Some(rest)"),
            ("the text is given back as it was", "f.pad(text)", "f.pad(&self.canonical())"),
        ],
    },
    Group {
        file: "quantity/int64.rs",
        noticed_by: QUANTITIES,
        rows: &[
            ("what is scaled down is rounded away from zero", "quotient + remainder.signum()", "quotient"),
            ("scaled up by 1, 2, 3, 6 or 9 places it wraps", WRAPS, "base.checked_mul(factor).unwrap_or(0)"),
            (
                "by others it is 0",
                POSITIVE,
                "multiply_scale(base, 10_i64.wrapping_pow(scale.unsigned_abs()))",
            ),
        ],
    },
    Group {
        file: "quantity/arith.rs",
        noticed_by: QUANTITIES,
        rows: &[
            ("a sum takes the format of the right if the left is zero", "self.format = format", "()"),
            (
                "a sum that leaves 64 bits is of any size",
                "int64::checked_scale(a, s - scale)?.checked_add(int64::checked_scale(b, t - scale)?)?",
                "int64::checked_scale(a, s - scale)?.wrapping_add(int64::checked_scale(b, t - scale)?)",
            ),
            (
                "a difference is no sum",
                "small_sum(&self.amount, &other.amount.negated())",
                "small_sum(&self.amount, &other.amount)",
            ),
            (
                "quantities of different scales are compared exactly",
                "places > 18 && coarse.0 != 0",
                "coarse.0 != 0",
            ),
            ("MilliValue", "self.scaled_value(MILLI)", "self.value()"),
        ],
    },
    Group {
        file: "quantity/dec.rs",
        noticed_by: QUANTITIES,
        rows: &[
            (
                "a decimal is rounded away from zero",
                "if inexact { quotient + self.signum() } else { quotient }",
                "quotient",
            ),
            ("its value is rounded up", "i64::from(unscaled % divisor != 0)", "0"),
            (
                "of any size",
                "low_bits(&floor).wrapping_add(i64::from(remainder.sign() != Sign::NoSign))",
                "low_bits(&floor)",
            ),
            (
                "its value is cut to 64 bits",
                "value.iter_u64_digits().next().unwrap_or(0).cast_signed()",
                "i64::try_from(value).unwrap_or(0)",
            ),
            (
                "one that is scaled up wraps",
                "low_bits(&self.unscaled).wrapping_mul(to_int64(pow10(-places)))",
                "low_bits(&self.unscaled).saturating_mul(to_int64(pow10(-places)))",
            ),
        ],
    },
];
