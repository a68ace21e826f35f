//! Instants of the suite's files, relative to the threshold: `T`, `T-1ns`, `2T+1ns`, `T/3`, `50s`.

use std::fmt;
use std::time::Duration;
use stuckvm_sim::duration;

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It does not read, with any threshold.
    Unreadable(String),
    /// It names an instant that does not exist with this threshold: before 0s, or beyond the last.
    NoSuchInstant(String),
}

impl Problem {
    /// The same, said of a part.
    pub(super) fn within(self, part: &str) -> Self {
        match self {
            Self::Unreadable(text) => Self::Unreadable(format!("{part}: {text}")),
            Self::NoSuchInstant(text) => Self::NoSuchInstant(format!("{part}: {text}")),
        }
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self::Unreadable(text)
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Self::Unreadable(text.to_owned())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unreadable(text) | Self::NoSuchInstant(text)) = self;
        formatter.write_str(text)
    }
}

/// What such a text comes to, for a threshold.
///
/// # Errors
///
/// If it is no such text, lies before 0s, or beyond what a duration holds.
pub(super) fn moment(text: &str, threshold: Duration) -> Result<Duration, Problem> {
    let unreadable = || {
        Problem::Unreadable(format!("expected an instant such as 50s, T, T-1ns or 2T+1ns, found `{text}`"))
    };
    let too_late = || Problem::NoSuchInstant(format!("`{text}` lies beyond the last instant"));
    let mut rest = text;
    let (mut after, mut before) = (Duration::ZERO, Duration::ZERO);
    let mut adds = true;
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        let part = term(&rest[..end], threshold).ok_or_else(unreadable)?;
        let sum = if adds { &mut after } else { &mut before };
        *sum = sum.checked_add(part).ok_or_else(too_late)?;
        if end == rest.len() {
            break;
        }
        adds = rest.as_bytes()[end] == b'+';
        rest = &rest[end + 1..];
    }
    after.checked_sub(before).ok_or_else(|| Problem::NoSuchInstant(format!("`{text}` lies before 0s")))
}

/// `T` with a factor or a divisor, or a duration.
fn term(text: &str, threshold: Duration) -> Option<Duration> {
    let Some((factor, divisor)) = text.split_once('T') else { return duration::parse(text).ok() };
    let factor = if factor.is_empty() { 1 } else { factor.parse().ok()? };
    let divisor = if divisor.is_empty() { 1 } else { divisor.strip_prefix('/')?.parse().ok()? };
    threshold.saturating_mul(factor).checked_div(divisor)
}

#[cfg(test)]
mod tests {
    use super::moment;
    use std::time::Duration;

    #[test]
    fn moments_are_sums_of_thresholds_and_durations() {
        let threshold = Duration::from_secs(300);
        let table = [
            ("0s", Some(0)),
            ("T", Some(300_000_000_000)),
            ("T-1ns", Some(299_999_999_999)),
            ("2T+1ns", Some(600_000_000_001)),
            ("T/3", Some(100_000_000_000)),
            ("1h30m", Some(5_400_000_000_000)),
            ("T-2T", None),
            ("", None),
            ("T*2", None),
            ("T/0", None),
            ("+T", None),
        ];
        for (text, nanos) in table {
            assert_eq!(moment(text, threshold).ok(), nanos.map(Duration::from_nanos), "{text}");
        }
    }
}
