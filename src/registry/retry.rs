//! When a failed request is made again, and when it counts as failed.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use super::error::Failure;
use super::transport::Transport;
use crate::progress::Event;

/// Longest wait between two tries, and the most a registry's own `Retry-After` is followed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Most time spent waiting between tries; what the tries themselves take does not count, since a large blob may be most
/// of an hour on its way.
const LONGEST_WAITING: Duration = Duration::from_secs(300);
/// Tries at a host that never answered: a wrong name or port should be told soon.
const TRIES_UNREACHABLE: u32 = 3;
/// Times a refused login is renewed for one piece of work: a token that has just run out, and the way of logging in
/// that had to be learnt first.
const MOST_LOGINS: u32 = 3;
/// How many times longer than between bytes a registry may take to answer once it has everything: it moves and hashes
/// what it got, which takes minutes for gigabytes.
const ANSWER_PATIENCE: u32 = 10;

/// When and how often a failed request is made again, and when it counts as failed.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the second try; doubles from there.
    pub first_wait: Duration,
    /// A request during which neither side moved a byte for this long has failed.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            retries: 6,
            first_wait: Duration::from_millis(500),
            stall: Duration::from_secs(60),
        }
    }
}

/// Counts the tries of one piece of work.
#[derive(Debug)]
pub(super) struct Retry {
    tries: u32,
    logins: u32,
    waited: Duration,
}

impl Retry {
    /// Starts counting.
    pub(super) fn new() -> Self {
        Self {
            tries: 0,
            logins: 0,
            waited: Duration::ZERO,
        }
    }

    /// Starts anew: the work has moved on since the last failure.
    pub(super) fn progressed(&mut self) {
        *self = Self::new();
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// The failure itself when there is to be no next try.
    pub(super) async fn wait(&mut self, transport: &Transport, what: &str, failure: Failure) -> Result<(), Failure> {
        self.decide(transport, what, failure).await.map_err(|failure| Failure {
            // Whoever called for this work must not start counting anew.
            is_temporary: false,
            is_login_renewed: false,
            ..failure
        })
    }

    async fn decide(&mut self, transport: &Transport, what: &str, failure: Failure) -> Result<(), Failure> {
        if failure.is_login_renewed && self.logins < MOST_LOGINS {
            self.logins += 1;
            return Ok(());
        }
        if !failure.is_temporary {
            return Err(failure);
        }
        let patience = &transport.patience;
        let never_answered = failure.is_unreachable && !transport.answered.load(Ordering::Relaxed);
        let most = if never_answered {
            patience.retries.min(TRIES_UNREACHABLE - 1)
        } else {
            patience.retries
        };
        if self.tries >= most {
            return Err(failure);
        }
        let backoff = patience
            .first_wait
            .saturating_mul(1 << self.tries.min(16))
            .min(LONGEST_WAIT)
            .mul_f64(0.5 + fastrand::f64() / 2.0);
        let wait = match failure.retry_after {
            Some(asked) if asked > LONGEST_WAIT => return Err(failure),
            Some(asked) => asked.max(backoff),
            None => backoff,
        };
        if self.waited + wait > LONGEST_WAITING {
            return Err(failure);
        }
        self.tries += 1;
        self.waited += wait;
        let cause = failure.error.to_string();
        transport.progress.on(&Event::Retry {
            what,
            cause: &cause,
            wait,
        });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Whether a try has failed before.
    #[must_use]
    pub(super) fn has_failed(&self) -> bool {
        self.tries > 0 || self.logins > 0
    }
}

/// What the sender of a blob is waiting for, told by whoever moves the bytes.
#[derive(Debug, Default)]
pub(super) struct Activity {
    moved: AtomicU64,
    waits_for: AtomicU8,
}

/// The connection takes bytes.
const CONNECTION: u8 = 0;
/// The source has to give bytes. It has a time limit of its own.
const SOURCE: u8 = 1;
/// Everything is sent.
const ANSWER: u8 = 2;

impl Activity {
    /// Notes that the source was asked for bytes. HTTP/2 asks once more after the last of them: that means nothing.
    pub(super) fn asks_source(&self) {
        let unless_all_is_sent = |waits_for| (waits_for != ANSWER).then_some(SOURCE);
        let _ = self
            .waits_for
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, unless_all_is_sent);
    }

    /// Notes that bytes were handed to the connection.
    pub(super) fn moved(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
        self.waits_for.store(CONNECTION, Ordering::Relaxed);
    }

    /// Notes that everything was handed to the connection.
    pub(super) fn finished(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
        self.waits_for.store(ANSWER, Ordering::Relaxed);
    }

    /// Returns when the registry has done nothing for too long.
    pub(super) async fn stalled(&self, limit: Duration) {
        let mut last = self.moved.load(Ordering::Relaxed);
        let mut quiet = 0;
        loop {
            tokio::time::sleep(limit).await;
            let now = self.moved.load(Ordering::Relaxed);
            let waits_for = self.waits_for.load(Ordering::Relaxed);
            quiet = if now == last && waits_for != SOURCE {
                quiet + 1
            } else {
                0
            };
            last = now;
            if quiet >= if waits_for == ANSWER { ANSWER_PATIENCE } else { 1 } {
                return;
            }
        }
    }
}
