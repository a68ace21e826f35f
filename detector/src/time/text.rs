//! A time's text: RFC 3339 in UTC, `2022-10-03T11:16:07.000000001Z`.

use std::fmt;
use std::str::FromStr;

use super::calendar::{civil_from_days, days_from_civil, days_in_month};
use super::{NANOS_PER_SEC, Time};

const SECS_PER_DAY: u64 = 86_400;

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.as_secs() / SECS_PER_DAY);
        let second = self.as_secs() % SECS_PER_DAY;
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}", second % 60)?;
        fmt_fraction(f, self.0 % NANOS_PER_SEC)?;
        f.write_str("Z")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `.` and the digits of a fraction without its trailing zeros; nothing for 0.
fn fmt_fraction(f: &mut fmt::Formatter<'_>, nanos: u64) -> fmt::Result {
    if nanos == 0 {
        return Ok(());
    }
    let (mut fraction, mut width) = (nanos, 9);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    write!(f, ".{fraction:0width$}")
}

impl FromStr for Time {
    type Err = ParseTimeError;

    /// Reads `2022-10-03T11:11:07Z` or `2022-10-03T11:16:07.000000001Z`: capital
    /// `T` and `Z`, no other offset, at most nine fractional digits.
    fn from_str(text: &str) -> Result<Time, ParseTimeError> {
        let fields = Fields::read(text)?;
        let days = fields.days()?;
        let secs = days * SECS_PER_DAY + fields.second_of_day()?;
        secs.checked_mul(NANOS_PER_SEC)
            .and_then(|nanos| nanos.checked_add(fields.nanos))
            .map(Time)
            .ok_or(ParseTimeError::OutOfRange)
    }
}

#[cfg(feature = "serde")]
mod as_string {
    use super::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    impl Serialize for Time {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Time {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
            struct Text;
            impl de::Visitor<'_> for Text {
                type Value = Time;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a time such as 2022-10-03T11:11:07Z")
                }

                fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                    text.parse().map_err(E::custom)
                }
            }
            deserializer.deserialize_str(Text)
        }
    }
}

/// Why a text is not a [`Time`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseTimeError {
    /// The text has not the shape of a time.
    Shape {
        /// Where it departs from the shape, in bytes from 0.
        at: usize,
    },
    /// The time has an offset such as `+02:00`, and only `Z` is read.
    Offset,
    /// There are more than nine digits after the point.
    FractionTooLong,
    /// A field is beyond its limits, such as the 30th of February.
    Field {
        /// The field: `month`, `day`, `hour`, `minute` or `second`.
        name: &'static str,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// A date that exists, but before 1970 or after [`Time::MAX`].
    OutOfRange,
}

impl fmt::Display for ParseTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { at } => write!(
                f,
                "expected a time such as 2022-10-03T11:11:07Z or 2022-10-03T11:11:07.5Z; \
                 it departs from that at character {}",
                at + 1
            ),
            Self::Offset => {
                f.write_str("expected a time in UTC that ends in Z; convert it, other offsets are not read")
            }
            Self::FractionTooLong => {
                f.write_str("expected at most nine digits after the point (nanoseconds)")
            }
            Self::Field { name, min, max } => {
                let article = if *name == "hour" { "an" } else { "a" };
                write!(f, "expected {article} {name} from {min:02} to {max:02}")
            }
            Self::OutOfRange => {
                write!(f, "expected a time from {} to {}", Time::ZERO, Time::MAX)
            }
        }
    }
}

impl std::error::Error for ParseTimeError {}

/// The numbers in a time's text, before their limits are checked.
struct Fields {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    nanos: u64,
}

/// The fixed part of the shape; `0` stands for any digit.
const SHAPE: &[u8] = b"0000-00-00T00:00:00";

impl Fields {
    fn read(text: &str) -> Result<Fields, ParseTimeError> {
        let bytes = text.as_bytes();
        for (at, &expected) in SHAPE.iter().enumerate() {
            let fits = |b: &u8| if expected == b'0' { b.is_ascii_digit() } else { *b == expected };
            if !bytes.get(at).is_some_and(fits) {
                return Err(ParseTimeError::Shape { at });
            }
        }
        let nanos = read_fraction(&bytes[SHAPE.len()..])?;
        let number = |from: usize, to: usize| decimal(&bytes[from..to]);
        Ok(Fields {
            year: number(0, 4),
            month: number(5, 7),
            day: number(8, 10),
            hour: number(11, 13),
            minute: number(14, 16),
            second: number(17, 19),
            nanos,
        })
    }

    fn second_of_day(&self) -> Result<u64, ParseTimeError> {
        check("hour", self.hour, 0, 23)?;
        check("minute", self.minute, 0, 59)?;
        check("second", self.second, 0, 59)?;
        Ok(self.hour * 3600 + self.minute * 60 + self.second)
    }

    /// Days since the epoch.
    fn days(&self) -> Result<u64, ParseTimeError> {
        check("month", self.month, 1, 12)?;
        check("day", self.day, 1, days_in_month(self.year, self.month))?;
        if self.year < 1970 {
            return Err(ParseTimeError::OutOfRange);
        }
        Ok(days_from_civil(self.year, self.month, self.day))
    }
}

fn check(name: &'static str, value: u64, min: u64, max: u64) -> Result<(), ParseTimeError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ParseTimeError::Field { name, min, max }) }
}

fn decimal(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// What follows the seconds: `Z`, or a point, one to nine digits and `Z`.
fn read_fraction(rest: &[u8]) -> Result<u64, ParseTimeError> {
    let digits = match rest {
        [b'.', digits @ ..] => digits.iter().take_while(|b| b.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = if digits == 0 { 0 } else { digits + 1 };
    match &rest[zone..] {
        b"Z" if digits > 9 => Err(ParseTimeError::FractionTooLong),
        b"Z" if digits == 0 => Ok(0),
        b"Z" => Ok(decimal(&rest[1..zone]) * 10_u64.pow(9 - digits as u32)),
        [b'+' | b'-', ..] => Err(ParseTimeError::Offset),
        [b'Z', ..] => Err(ParseTimeError::Shape { at: SHAPE.len() + zone + 1 }),
        _ => Err(ParseTimeError::Shape { at: SHAPE.len() + zone }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_nanoseconds_agree_both_ways() {
        let table: &[(&str, u64)] = &[
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("2022-10-03T11:11:07Z", 1_664_795_467_000_000_000), // default start of scenarios
            ("2000-02-29T23:59:59.5Z", 951_868_799_500_000_000), // leap year by the 400 rule
            ("2100-03-01T00:00:00Z", 4_107_542_400_000_000_000), // no leap year by the 100 rule
            ("2554-07-21T23:34:33.709551615Z", u64::MAX),
        ];
        for &(text, nanos) in table {
            assert_eq!(Time::from_nanos(nanos).to_string(), text);
            assert_eq!(text.parse(), Ok(Time::from_nanos(nanos)));
        }
    }

    #[test]
    fn trailing_zeros_are_read_but_not_printed() {
        let time: Time = "2022-10-03T11:11:07.250000000Z".parse().unwrap();
        assert_eq!(time.to_string(), "2022-10-03T11:11:07.25Z");
        assert_eq!(format!("{time:?}"), "2022-10-03T11:11:07.25Z", "also where an assertion shows it");
        assert_eq!(time.truncate_to_secs().to_string(), "2022-10-03T11:11:07Z");
    }

    #[test]
    fn refusals_say_what_was_expected() {
        let shape = |at| ParseTimeError::Shape { at };
        let field = |name, min, max| ParseTimeError::Field { name, min, max };
        let table = [
            ("", shape(0)),
            ("2022-10-03", shape(10)),            // a date alone
            ("2022-10-03t11:11:07Z", shape(10)),  // RFC 3339 allows it, we do not
            ("2022-10-03 11:11:07Z", shape(10)),  // a blank for the T
            ("2022-10-03T11:11:07", shape(19)),   // no zone
            ("2022-10-03T11:11:07z", shape(19)),  // small z
            ("2022-10-03T11:11:07.Z", shape(19)), // a point and no digit
            ("2022-10-03T11:11:07.5", shape(21)),
            ("2022-10-03T11:11:07Z ", shape(20)), // something behind
            ("2022-10-03T11:11:07.5Z ", shape(22)),
            ("2022-10-03T11:11:07é", shape(19)), // not a character boundary behind
            ("+022-10-03T11:11:07Z", shape(0)),
            ("2022-10-03T11:11:07+00:00", ParseTimeError::Offset),
            ("2022-10-03T11:11:07.0000000001Z", ParseTimeError::FractionTooLong),
            ("2022-13-03T11:11:07Z", field("month", 1, 12)),
            ("2023-02-29T11:11:07Z", field("day", 1, 28)),
            ("2022-10-03T24:00:00Z", field("hour", 0, 23)),
            ("2022-10-03T11:60:00Z", field("minute", 0, 59)),
            ("2016-12-31T23:59:60Z", field("second", 0, 59)), // no leap seconds
            ("1969-12-31T23:59:59Z", ParseTimeError::OutOfRange),
            ("2554-07-21T23:34:33.709551616Z", ParseTimeError::OutOfRange),
            ("9999-12-31T23:59:59Z", ParseTimeError::OutOfRange),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Time>(), Err(error), "{text}");
        }
        assert_eq!(
            shape(10).to_string(),
            "expected a time such as 2022-10-03T11:11:07Z or 2022-10-03T11:11:07.5Z; \
             it departs from that at character 11",
        );
        assert_eq!(field("day", 1, 28).to_string(), "expected a day from 01 to 28",);
        assert_eq!(field("hour", 0, 23).to_string(), "expected an hour from 00 to 23",);
        assert_eq!(
            ParseTimeError::OutOfRange.to_string(),
            "expected a time from 1970-01-01T00:00:00Z to 2554-07-21T23:34:33.709551615Z",
        );
    }
}
