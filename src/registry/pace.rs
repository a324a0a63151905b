//! Not asking a registry more often than it is known to answer.
//!
//! A request takes a place and gives it back one second after it was answered. So, however long requests are on their way,
//! no second at the registry's end sees more of them arrive than there are places.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ecr::Operation;

/// What the limits are counted over.
const WINDOW: Duration = Duration::from_secs(1);

/// The pace of requests to one registry.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Places by the right an operation needs: what needs the same right is counted together.
    places: HashMap<&'static str, Arc<Semaphore>>,
}

/// Leave to make one request, until it is answered.
#[derive(Debug)]
pub(super) struct Turn(Option<OwnedSemaphorePermit>);

impl Pace {
    /// The pace Amazon ECR keeps.
    #[must_use]
    pub(super) fn of_ecr() -> Self {
        let limited = Operation::ALL
            .iter()
            .filter_map(|operation| Some((right(*operation), operation.per_second()?)));
        Self {
            places: limited
                .map(|(right, limit)| (right, Arc::new(Semaphore::new(limit as usize))))
                .collect(),
        }
    }

    /// Waits until `operation` may be asked for. Whoever came first goes first.
    pub(super) async fn turn(&self, operation: Operation) -> Turn {
        let Some(places) = self.places.get(right(operation)) else {
            return Turn(None);
        };
        // It is never closed, and nobody would be kept waiting if it were.
        Turn(Arc::clone(places).acquire_owned().await.ok())
    }
}

fn right(operation: Operation) -> &'static str {
    operation.rights().first().copied().unwrap_or_default()
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let (Some(place), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                tokio::time::sleep(WINDOW).await;
                drop(place);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    /// Makes `count` requests at once, the first few slowly, and returns when each arrived.
    async fn arrivals(pace: &Arc<Pace>, operation: Operation, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let requests = (0..count).map(|index| {
            let pace = Arc::clone(pace);
            tokio::spawn(async move {
                let turn = pace.turn(operation).await;
                tokio::time::sleep(Duration::from_millis(if index < 5 { 700 } else { 20 })).await;
                drop(turn);
                start.elapsed()
            })
        });
        let mut times = Vec::new();
        for request in requests.collect::<Vec<_>>() {
            times.push(request.await.expect("a request"));
        }
        times.sort();
        times
    }

    fn most_in_a_second(times: &[Duration]) -> usize {
        let within = |start: &Duration| {
            times
                .iter()
                .filter(|time| *start <= **time && **time < *start + WINDOW)
                .count()
        };
        times.iter().map(within).max().unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_sees_more_manifests_than_ten() {
        let pace = Arc::new(Pace::of_ecr());
        let times = arrivals(&pace, Operation::PutManifest, 35).await;
        assert!(most_in_a_second(&times) <= 10, "{times:?}");
        assert!(times[34] < Duration::from_secs(5), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn beginning_uploads_and_mounting_are_one_limit() {
        let pace = Arc::new(Pace::of_ecr());
        let (begun, mounted) = tokio::join!(
            arrivals(&pace, Operation::BeginUpload, 80),
            arrivals(&pace, Operation::Mount, 80)
        );
        let mut times = [begun, mounted].concat();
        times.sort();
        assert_eq!(most_in_a_second(&times), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_no_limit_does_not_wait() {
        let start = Instant::now();
        for (pace, operation) in [
            (Pace::of_ecr(), Operation::FindBlob),
            (Pace::default(), Operation::PutManifest),
        ] {
            for _ in 0..200 {
                drop(pace.turn(operation).await);
            }
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
