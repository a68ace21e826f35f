//! Durations as people and files write them (`5m`, `299.999s`, `1h30m`), exact to the nanosecond, and as Go prints
//! them in upstream's messages: `time.Duration.String`, Go 1.26.

use std::time::Duration;

/// The units, largest first, with their nanoseconds.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not a duration: {why}; write a number with one of the units h, m, s, ms, us, ns, such as 5m, \
     299.999s, 1h30m, 50ms or 0s"
)]
pub struct DurationError {
    /// The text, at most 40 characters of it.
    found: String,
    /// What is wrong with it.
    why: Why,
}

/// What can be wrong with a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("it is empty")]
    Empty,
    #[error("a number is missing")]
    Number,
    #[error("a unit is missing")]
    UnitMissing,
    #[error("the unit is not known")]
    UnitUnknown,
    #[error("the units must go from large to small, each once")]
    Order,
    #[error("it is finer than a nanosecond")]
    TooFine,
    #[error("it is longer than 584 years")]
    TooLong,
}

/// Reads `5m`, `299.999s`, `1h30m`; units from large to small, each at most once, at most 2^64-1 nanoseconds in all.
///
/// # Errors
/// Everything else; the error names what is wrong and gives examples.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    nanoseconds(text)
        .map(Duration::from_nanos)
        .map_err(|why| DurationError { found: text.chars().take(40).collect(), why })
}

fn nanoseconds(text: &str) -> Result<u64, Why> {
    if text.is_empty() {
        return Err(Why::Empty);
    }
    let (mut rest, mut total, mut units) = (text, 0_u64, &UNITS[..]);
    while !rest.is_empty() {
        let (number, after) = rest.split_at(span(rest, |c| c.is_ascii_digit() || c == '.'));
        let (unit, after) = after.split_at(span(after, |c| !c.is_ascii_digit() && c != '.'));
        if number.is_empty() {
            return Err(Why::Number);
        }
        let place = place_of(unit, units)?;
        total = total.checked_add(scaled(number, units[place].1)?).ok_or(Why::TooLong)?;
        (rest, units) = (after, &units[place + 1..]);
    }
    Ok(total)
}

/// Bytes up to the first character that is not wanted.
fn span(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

/// Where the unit stands among those still allowed.
fn place_of(unit: &str, left: &[(&str, u64)]) -> Result<usize, Why> {
    if unit.is_empty() {
        return Err(Why::UnitMissing);
    }
    let find = |units: &[(&str, u64)]| units.iter().position(|(known, _)| *known == unit);
    find(left).ok_or(if find(&UNITS).is_some() { Why::Order } else { Why::UnitUnknown })
}

/// A decimal number times a unit, exactly.
fn scaled(number: &str, unit: u64) -> Result<u64, Why> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(Why::Number);
    }
    let fraction = fraction.trim_end_matches('0');
    let parse = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<u128>() };
    let whole = parse(whole).map_err(|_| Why::TooLong)?;
    // An hour has 3.6 × 10^12 nanoseconds: with 13 places and more, nothing comes out whole.
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 13).ok_or(Why::TooFine)?;
    let part = parse(fraction).map_err(|_| Why::TooFine)? * u128::from(unit);
    let divisor = 10_u128.pow(places);
    if part % divisor != 0 {
        return Err(Why::TooFine);
    }
    let total = whole.checked_mul(u128::from(unit)).and_then(|whole| whole.checked_add(part / divisor));
    total.and_then(|total| u64::try_from(total).ok()).ok_or(Why::TooLong)
}

/// Writes a duration as scenario files do, so that [`parse`] reads it back: hours, minutes and seconds without parts
/// that are zero (`5m`, `1h30m`, `5m0.25s`), and what is shorter than a second in its largest whole unit (`50ms`, `1ns`).
///
/// # Panics
/// Beyond 2^64-1 nanoseconds, which no virtual time reaches.
#[must_use]
pub fn format(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).expect("virtual time ends after 584 years");
    let [(_, hour), (_, minute), (_, second), ..] = UNITS;
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < second {
        let (unit, size) =
            *UNITS[3..].iter().find(|(_, size)| nanos >= *size).expect("a nanosecond is the least");
        return format!("{}{unit}", decimal(nanos, size));
    }
    let seconds = decimal(nanos % minute, second);
    let parts =
        [((nanos / hour).to_string(), "h"), ((nanos % hour / minute).to_string(), "m"), (seconds, "s")];
    parts.iter().filter(|(number, _)| number != "0").map(|(number, unit)| format!("{number}{unit}")).collect()
}

/// Go's `time.Duration.String`: `0s`, `1.5ms`, `10s`, `1m20s`, `5m0s`, `1h0m0s`.
///
/// # Panics
/// Beyond 2^64-1 nanoseconds, which no virtual time reaches.
#[must_use]
pub fn go_format(duration: Duration) -> String {
    let nanos = u64::try_from(duration.as_nanos()).expect("virtual time ends after 584 years");
    let [(_, hour), (_, minute), (_, second), ..] = UNITS;
    if nanos < second {
        return below_a_second(nanos);
    }
    let seconds = decimal(nanos % minute, second);
    match (nanos / hour, nanos % hour / minute) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn below_a_second(nanos: u64) -> String {
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        _ => format!("{}ms", decimal(nanos, 1_000_000)),
    }
}

/// `amount` / `unit` in full, the unit being a power of ten.
fn decimal(amount: u64, unit: u64) -> String {
    let places = unit.ilog10() as usize;
    let fraction = format!("{:0places$}", amount % unit);
    // A unit without places leaves "0", which is trimmed like the other zeros.
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{}", amount / unit) } else { format!("{}.{fraction}", amount / unit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_exactly() {
        let table = [
            ("0s", 0, "0s"),
            ("1ns", 1, "1ns"),
            ("50ms", 50_000_000, "50ms"),
            ("1.5us", 1_500, "1.5us"),
            ("299.999s", 299_999_000_000, "4m59.999s"),
            ("5m", 300_000_000_000, "5m"),
            ("5m0.25s", 300_250_000_000, "5m0.25s"),
            ("5m250ms", 300_250_000_000, "5m0.25s"),
            ("300000000001ns", 300_000_000_001, "5m0.000000001s"),
            ("999999999ns", 999_999_999, "999.999999ms"),
            ("1h0.5s", 3_600_500_000_000, "1h0.5s"),
            ("1h30m", 5_400_000_000_000, "1h30m"),
            ("90m", 5_400_000_000_000, "1h30m"),
            ("0.0000000000025h", 9, "9ns"),
            (".5s", 500_000_000, "500ms"),
            ("18446744073709551615ns", u64::MAX, "5124095h34m33.709551615s"),
        ];
        for (text, nanos, written) in table {
            let duration = parse(text).expect(text);
            assert_eq!(
                (duration.as_nanos(), format(duration).as_str()),
                (u128::from(nanos), written),
                "{text}"
            );
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(nanos: u64, shift in 0..64_u32) {
            let duration = Duration::from_nanos(nanos >> shift);
            proptest::prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }
    }

    #[test]
    fn go_prints_every_smaller_unit() {
        let table = [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (10_000_000_000, "10s"),
            (1_234_000_000, "1.234s"),
            (80_000_000_000, "1m20s"),
            (300_000_000_000, "5m0s"),
            (3_600_000_000_001, "1h0m0.000000001s"),
        ];
        for (nanos, text) in table {
            assert_eq!(go_format(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_told_with_examples() {
        let table = [
            ("", "it is empty"),
            ("5", "a unit is missing"),
            ("m", "a number is missing"),
            ("5min", "the unit is not known"),
            ("-5m", "a number is missing"),
            ("5m1h", "the units must go from large to small, each once"),
            ("1.2.3s", "a number is missing"),
            ("0.1ns", "it is finer than a nanosecond"),
            ("5124096h", "it is longer than 584 years"),
        ];
        for (text, why) in table {
            let expected = format!(
                "{text:?} is not a duration: {why}; write a number with one of the units h, m, s, ms, us, ns, such as \
                 5m, 299.999s, 1h30m, 50ms or 0s"
            );
            assert_eq!(parse(text).expect_err(text).to_string(), expected);
        }
    }
}
