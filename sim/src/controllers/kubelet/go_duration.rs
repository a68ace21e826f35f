//! Durations as Go prints them (`time.Duration.String`).

use std::fmt;
use std::time::Duration;

/// A duration that prints as Go does: `1m20s`, `1.05s`, `250ms`.
pub(super) struct GoDuration(pub(super) Duration);

impl GoDuration {
    /// Cut to milliseconds, as kubelet shows the time of a pull.
    pub(super) fn millis(duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(Duration::from_millis(millis))
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < 1_000_000_000 {
            let (unit, name) = match nanos {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return write!(f, "{}{name}", Decimal(nanos, unit));
        }
        let seconds = self.0.as_secs();
        if seconds >= 3600 {
            write!(f, "{}h", seconds / 3600)?;
        }
        if seconds >= 60 {
            write!(f, "{}m", seconds / 60 % 60)?;
        }
        write!(f, "{}s", Decimal(nanos % 60_000_000_000, 1_000_000_000))
    }
}

/// A number of units, without trailing zeros.
struct Decimal(u128, u128);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(amount, unit) = *self;
        write!(f, "{}", amount / unit)?;
        let mut rest = amount % unit;
        if rest > 0 {
            f.write_str(".")?;
        }
        let mut digit = unit / 10;
        while rest > 0 {
            write!(f, "{}", rest / digit)?;
            rest %= digit;
            digit /= 10;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::GoDuration;
    use std::time::Duration;

    #[test]
    fn durations_print_as_in_go() {
        let print = |nanos| GoDuration(Duration::from_nanos(nanos)).to_string();
        assert_eq!(print(0), "0s");
        assert_eq!(print(1_500), "1.5µs");
        assert_eq!(print(250_000_000), "250ms");
        assert_eq!(print(1_050_000_000), "1.05s");
        assert_eq!(print(80_000_000_000), "1m20s");
        assert_eq!(print(300_000_000_000), "5m0s");
        assert_eq!(print(3_605_000_000_000), "1h0m5s");
    }
}
