//! What time it is here, and by how much AWS disagrees.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Means that no answer has told the time yet.
const UNKNOWN: i64 = i64::MIN;

/// The local wall clock, read once by the caller, and what answers of AWS said the time was.
#[derive(Debug)]
pub struct Clock {
    /// What the local clock showed when `read_at` was.
    seconds: AtomicI64,
    read_at: Instant,
    skew: AtomicI64,
}

impl Clock {
    /// A clock that showed `seconds` since the epoch just now.
    #[must_use]
    pub fn new(seconds: i64) -> Self {
        Self {
            seconds: AtomicI64::new(seconds),
            read_at: Instant::now(),
            skew: AtomicI64::new(UNKNOWN),
        }
    }

    /// Now, by the local clock, in seconds since the epoch.
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.seconds.load(Ordering::Relaxed).saturating_add(self.passed())
    }

    /// Puts the clock right, by the wall clock: while a process is frozen, as Lambda freezes it between two events, the monotonic one may stand
    /// still.
    pub fn set(&self, seconds: i64) {
        self.seconds.store(seconds - self.passed(), Ordering::Relaxed);
    }

    /// The seconds since it was made.
    fn passed(&self) -> i64 {
        i64::try_from(self.read_at.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    /// Takes note of the `Date` of an answer.
    pub(super) fn observe(&self, date: &str) {
        let Ok(date) = httpdate::parse_http_date(date) else {
            return;
        };
        let Ok(since) = date.duration_since(std::time::UNIX_EPOCH) else {
            return;
        };
        let there = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        self.skew.store(self.now_seconds() - there, Ordering::Relaxed);
    }

    /// By how many seconds the local clock is ahead of AWS's, behind it if negative; `None` before the first answer.
    #[must_use]
    pub fn skew_seconds(&self) -> Option<i64> {
        Some(self.skew.load(Ordering::Relaxed)).filter(|skew| *skew != UNKNOWN)
    }

    /// Now, by AWS's clock where it is known, in seconds since the epoch.
    #[must_use]
    pub fn there_seconds(&self) -> i64 {
        self.now_seconds() - self.skew_seconds().unwrap_or_default()
    }

    /// How long until `seconds` since the epoch, by AWS's clock where it is known; `None` if that is past.
    pub(super) fn until(&self, seconds: i64) -> Option<Duration> {
        let left = u64::try_from(seconds - self.there_seconds()).ok()?;
        Some(Duration::from_secs(left)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_does_not_shorten_what_is_left() {
        // An hour ahead of the answer, which was given at 784111777.
        let clock = Clock::new(784_111_777 + 3600);
        assert_eq!(clock.skew_seconds(), None);
        clock.observe("Sun, 06 Nov 1994 08:49:37 GMT");
        let skew = clock.skew_seconds().expect("an answer was seen");
        assert!((3600..3605).contains(&skew), "{skew}");
        let left = clock.until(784_111_777 + 600).expect("it is not past");
        assert!(
            left <= Duration::from_secs(600) && left > Duration::from_secs(590),
            "{left:?}"
        );
        assert_eq!(clock.until(784_111_700), None);
        clock.observe("yesterday");
        assert!(clock.skew_seconds().is_some());
        clock.set(784_111_777);
        assert!((784_111_777..784_111_782).contains(&clock.now_seconds()));
    }
}
