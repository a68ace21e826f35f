//! Durations as Prometheus writes them: `5m`, `1h30m`, `1d`, `0`.

use super::samples::Millis;

/// The units from large to small, in milliseconds (Prometheus, `model/time.go`: a year has 365 days).
const UNITS: [(&str, Millis); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// What a duration looks like, for those whose text does not.
pub const EXPECTED: &str = "a duration of Prometheus such as 5m, 1h30m, 1d or 0s";

/// Reads a duration: whole numbers with units from large to small, each at most once; `0` needs no unit.
///
/// ```
/// use stuckvm_scenarios::prometheus::duration::parse;
///
/// assert_eq!(parse("1h30m"), Some(5_400_000));
/// assert_eq!(parse("1.5h"), None);
/// ```
pub fn parse(text: &str) -> Option<Millis> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut units, mut total) = (text, &UNITS[..], 0_i64);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let place = units.iter().position(|(known, _)| *known == unit)?;
        total = total.checked_add(digits.parse::<Millis>().ok()?.checked_mul(units[place].1)?)?;
        (rest, units) = (after, &units[place + 1..]);
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let table = [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("1s500ms", Some(1_500)),
            ("1w", Some(7 * 86_400_000)),
            ("1y1d", Some(366 * 86_400_000)),
            ("", None),
            ("5", None),
            ("m", None),
            ("5min", None),
            ("30m1h", None),
            ("1h1h", None),
            ("1.5h", None),
            ("-5m", None),
            ("99999999999y", None),
        ];
        for (text, millis) in table {
            assert_eq!(parse(text), millis, "{text:?}");
        }
    }
}
