//! Lengths of time.

use std::str::FromStr;
use std::time::Duration;

/// A day: waiting longer is never meant, and a `Duration` has its own limit far above.
const MOST: Duration = Duration::from_secs(86_400);

/// A length of time: a number of seconds, or with units, such as `90s`, `30m` or `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl Span {
    /// So many seconds.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text
            .parse::<f64>()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let span = seconds.or_else(|| {
            let span: jiff::SignedDuration = text.parse().ok()?;
            Duration::try_from(span).ok()
        });
        match span {
            Some(span) if span <= MOST => Ok(Self(span)),
            _ => Err("a length of time up to a day: seconds, or with units, such as 90s, 30m or 1h30m".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_need_no_unit() {
        let millis = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(millis("90"), Ok(90_000));
        assert_eq!(millis("0.05"), Ok(50));
        assert_eq!(millis("90s"), Ok(90_000));
        assert_eq!(millis("1h30m"), Ok(5_400_000));
        for wrong in ["", "x", "-1", "-1m", "25h", "1e300", "NaN", "5 parsecs"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }
}
