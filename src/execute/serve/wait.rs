//! Waiting for the end of a run, as long as the caller wants and Lambda lets us.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::super::{Look, Runs, Status, View};
use crate::content::{Kind, Result};

/// How often is looked.
const POLL: Duration = Duration::from_secs(2);
/// Most of a log, in bytes, that is collected for one answer: it goes out as soon as there is so much. With the megabyte that may come with the next
/// look (GetLogEvents) it stays below what a function may answer.
const MOST_LOG_BYTES: usize = 2_000_000;

/// Looks until the run is over, the time is up, or there is as much to tell as was asked for. Lines of the log that were read meanwhile
/// are all in what it returns.
pub(super) async fn until_done(runs: &dyn Runs, first: View, mut look: Look, until: Instant) -> Result<View> {
    let (limit, reused) = (look.limit as usize, first.reused);
    let mut view = first;
    loop {
        let events = &view.logs.events;
        let is_full = limit > 0 && events.len() >= limit;
        let bytes: usize = events.iter().map(|event| event.message.len()).sum();
        if view.done || never_began(&view) || is_full || bytes >= MOST_LOG_BYTES {
            return Ok(view);
        }
        let has_more = !events.is_empty() && !view.logs.is_at_end;
        let next = Instant::now() + if has_more { Duration::ZERO } else { POLL };
        if next >= until {
            return Ok(view);
        }
        sleep_until(next).await;
        look.logs_token = view.logs.next_token.clone().or(look.logs_token);
        if limit > 0 {
            look.limit = u32::try_from(limit - events.len()).unwrap_or(u32::MAX);
        }
        let mut seen = match runs.look(&look).await {
            Ok(seen) => seen,
            // It may work again in time; if not, what is known is told.
            Err(error) if error.kind() == Kind::Temporary => continue,
            Err(error) => return Err(error),
        };
        let earlier = std::mem::take(&mut view.logs.events);
        seen.logs.events.splice(0..0, earlier);
        seen.reused |= reused;
        view = seen;
    }
}

/// Whether nothing was started.
fn never_began(view: &View) -> bool {
    matches!(view.status, Status::Busy | Status::NoCapacity | Status::Unreachable)
}
