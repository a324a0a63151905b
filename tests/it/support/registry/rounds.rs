//! Answers in rounds, so that the number of rounds is the depth of dependent round trips.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, watch};

/// A round ends when no request has come for so long. It must exceed what the command computes between an answer
/// and the requests that depend on it, on a loaded machine and without optimisation.
const QUIET: Duration = Duration::from_millis(400);

/// Holds every request until the round it arrived in is released.
pub(crate) struct Rounds {
    released: watch::Sender<usize>,
    arrivals: AtomicUsize,
    waiting: Mutex<usize>,
    arrived: Notify,
}

impl Rounds {
    /// No round has been released yet.
    pub(crate) fn new() -> Self {
        Self {
            released: watch::Sender::new(0),
            arrivals: AtomicUsize::new(0),
            waiting: Mutex::new(0),
            arrived: Notify::new(),
        }
    }

    /// Waits for the end of the current round and gives its number.
    pub(crate) async fn wait(&self) -> usize {
        let round = {
            let mut waiting = self.waiting.lock().await;
            *waiting += 1;
            *self.released.borrow() + 1
        };
        self.arrivals.fetch_add(1, Ordering::SeqCst);
        self.arrived.notify_one();
        let mut released = self.released.subscribe();
        let _ = released.wait_for(|done| *done >= round).await;
        round
    }

    /// Releases round after round, for ever.
    pub(crate) async fn conduct(&self) {
        loop {
            while *self.waiting.lock().await == 0 {
                self.arrived.notified().await;
            }
            loop {
                let before = self.arrivals.load(Ordering::SeqCst);
                tokio::time::sleep(QUIET).await;
                if self.arrivals.load(Ordering::SeqCst) == before {
                    break;
                }
            }
            let mut waiting = self.waiting.lock().await;
            *waiting = 0;
            self.released.send_modify(|done| *done += 1);
        }
    }

    /// How many rounds there have been.
    pub(crate) fn count(&self) -> usize {
        *self.released.borrow()
    }
}
