//! What an unquoted word stands for, go.yaml.in/yaml/v2 2.4.2: `resolve.go`, as `sigs.k8s.io/yaml` 1.6.0 carries it on
//! into JSON.
//!
//! Kubernetes reads YAML 1.1: `yes`, `no`, `on`, `off`, `y` and `n` are booleans, `0644` is octal, `1_000` a number.
//! Dates stay text. This holds for keys too.

use serde_json::{Number, Value};

const TRUE: &[&str] = &["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: &[&str] = &["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const NULL: &[&str] = &["", "~", "null", "Null", "NULL"];
const NOT_JSON: &[&str] =
    &[".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"];

/// The value of a plain scalar; `None` for infinity and "not a number", which JSON does not have.
pub(super) fn resolve(text: &str) -> Option<Value> {
    if NULL.contains(&text) {
        Some(Value::Null)
    } else if TRUE.contains(&text) || FALSE.contains(&text) {
        Some(Value::Bool(TRUE.contains(&text)))
    } else if NOT_JSON.contains(&text) {
        None
    } else {
        Some(number(text).map_or_else(|| Value::from(text), Value::Number))
    }
}

fn number(text: &str) -> Option<Number> {
    match text.as_bytes().first()? {
        b'.' => text.parse().ok().and_then(from_float),
        b'0'..=b'9' | b'+' | b'-' => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| is_float(&plain).then(|| plain.parse().ok().and_then(from_float))?)
        }
        _ => None,
    }
}

/// Go's `strconv.ParseInt` with base 0, then `ParseUint`.
fn integer(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&unsigned[2..], 16),
        [b'0', b'o' | b'O', ..] => (&unsigned[2..], 8),
        [b'0', b'b' | b'B', ..] => (&unsigned[2..], 2),
        [b'0', _, ..] => (&unsigned[1..], 8),
        _ => (unsigned, 10),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match text.as_bytes()[0] {
        b'-' => 0_i64.checked_sub_unsigned(magnitude).map(Number::from),
        b'+' => i64::try_from(magnitude).ok().map(Number::from),
        _ => Some(Number::from(magnitude)),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole) && digits(fraction) && !exponent.is_empty() && digits(exponent)
}

/// The number as it comes out of Go's JSON, where `1.0` and `1e3` are written `1` and `1000`; one too large for a
/// float stays text.
fn from_float(float: f64) -> Option<Number> {
    if float.fract() != 0.0 || float.abs() >= 1e21 {
        return Number::from_f64(float);
    }
    let text = format!("{float}");
    let signed = text.parse::<i64>().map(Number::from);
    signed.or_else(|_| text.parse::<u64>().map(Number::from)).ok().or_else(|| Number::from_f64(float))
}
