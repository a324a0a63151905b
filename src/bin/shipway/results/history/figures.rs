//! What is to be said of many runs together.

use std::time::Duration;

use shipway::execute::report::Executed;
use shipway::execute::{Record, Status};

/// How many of the slowest migrations are named.
const SLOWEST: usize = 3;
/// Faster migrations are no news, in milliseconds.
const SLOW: u64 = 1000;

/// What is to be said of runs together.
#[derive(Debug)]
pub(super) struct Figures<'a> {
    /// How many there are.
    pub(super) runs: usize,
    /// How many ended how, the most frequent first.
    pub(super) statuses: Vec<(Status, usize)>,
    /// How long those took that succeeded; others ended early.
    pub(super) times: Option<Times>,
    /// The migrations that took longest.
    pub(super) slowest: Vec<Slow<'a>>,
}

/// How long runs took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// The newest.
    pub(super) last: Duration,
    /// Half of them were faster.
    pub(super) median: Duration,
    /// The slowest.
    pub(super) longest: Duration,
}

/// A migration that took its time.
#[derive(Debug)]
pub(super) struct Slow<'a> {
    /// The migration.
    pub(super) migration: &'a Executed,
    /// How long it took.
    pub(super) time: Duration,
    /// The run it was part of.
    pub(super) run: &'a Record,
}

impl<'a> Figures<'a> {
    /// Of runs, the newest first.
    pub(super) fn of(records: &'a [Record]) -> Self {
        let mut statuses: Vec<(Status, usize)> = Vec::new();
        for record in records {
            match statuses.iter_mut().find(|(status, _)| *status == record.status) {
                Some((_, count)) => *count += 1,
                None => statuses.push((record.status, 1)),
            }
        }
        statuses.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let times = records
            .iter()
            .filter(|record| record.status == Status::Succeeded)
            .filter_map(time)
            .collect();
        Self {
            runs: records.len(),
            statuses,
            times: Times::of(times),
            slowest: slowest(records),
        }
    }
}

impl Times {
    /// Of times, the newest first.
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        let last = *times.first()?;
        times.sort();
        let longest = *times.last()?;
        let middle = times.len() / 2;
        let median = match times.len() % 2 {
            1 => times[middle],
            _ => (times[middle - 1] + times[middle]) / 2,
        };
        Some(Self { last, median, longest })
    }
}

fn slowest(records: &[Record]) -> Vec<Slow<'_>> {
    let mut slow: Vec<Slow<'_>> = Vec::new();
    for run in records {
        let executed = run.report.iter().flat_map(|report| &report.executed);
        slow.extend(executed.filter_map(|migration| {
            let milliseconds = migration.milliseconds.filter(|milliseconds| *milliseconds >= SLOW)?;
            let time = Duration::from_millis(milliseconds);
            Some(Slow { migration, time, run })
        }));
    }
    slow.sort_by_key(|slow| std::cmp::Reverse(slow.time));
    slow.truncate(SLOWEST);
    slow
}

/// How long the program of a run ran; where nobody knows that, how long it took altogether.
pub(super) fn time(record: &Record) -> Option<Duration> {
    run_time(record).or_else(|| total_time(record))
}

/// How long the program of a run ran.
pub(super) fn run_time(record: &Record) -> Option<Duration> {
    record.run_milliseconds.map(Duration::from_millis)
}

/// From when it was asked for until it had ended.
pub(super) fn total_time(record: &Record) -> Option<Duration> {
    let passed = record.ended_at?.checked_sub(record.started_at)?;
    u64::try_from(passed).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        let times = |milliseconds: &[u64]| Times::of(milliseconds.iter().copied().map(Duration::from_millis).collect());
        let all = |last, median, longest| {
            let [last, median, longest] = [last, median, longest].map(Duration::from_millis);
            Some(Times { last, median, longest })
        };
        assert_eq!(times(&[]), None);
        assert_eq!(times(&[5]), all(5, 5, 5));
        assert_eq!(times(&[9, 1]), all(9, 5, 9));
        assert_eq!(times(&[3, 100, 1]), all(3, 3, 100));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_time() {
        let record = Record {
            started_at: 10,
            ended_at: Some(5),
            ..Record::default()
        };
        assert_eq!(time(&record), None);
    }
}
