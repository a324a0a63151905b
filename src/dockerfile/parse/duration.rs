//! Times as Go writes them: `1h30m`, `1.5s`, `300ms`.

use std::time::Duration;

/// A time, or one below zero, which nothing takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Time {
    Positive(Duration),
    Negative,
}

/// Units, the longer of two that begin alike first, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Digits of a fraction that make a difference; more would not fit.
const FRACTION_DIGITS: usize = 9;

/// Reads a time; `None` if it is none, or longer than Go can hold.
pub(super) fn parse(text: &str) -> Option<Time> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut nanoseconds: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() && rest != "0" {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (unit, size) = UNITS.iter().find(|(unit, _)| {
            after
                .strip_prefix(unit)
                .is_some_and(|next| !next.starts_with(char::is_alphabetic))
        })?;
        rest = &after[unit.len()..];
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        nanoseconds = nanoseconds.checked_add(whole.checked_mul(*size)?)?;
        let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS)];
        if !fraction.is_empty() {
            let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
            let part = u128::from(*size) * fraction.parse::<u128>().ok()? / scale;
            nanoseconds = nanoseconds.checked_add(u64::try_from(part).ok()?)?;
        }
        if rest == "0" {
            return None;
        }
    }
    if i64::try_from(nanoseconds).is_err() {
        return None;
    }
    Some(if is_negative && nanoseconds > 0 {
        Time::Negative
    } else {
        Time::Positive(Duration::from_nanos(nanoseconds))
    })
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|other: char| !other.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("-0", 0),
            ("30s", 30_000),
            ("+5s", 5_000),
            ("1m30s", 90_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1.s", 1_000),
            ("1h", 3_600_000),
            ("300ms", 300),
            ("2000us", 2),
            ("3000µs", 3),
            ("3000μs", 3),
            ("1000000ns", 1),
            ("0.1000000000000000000000s", 100),
        ] {
            assert_eq!(
                parse(text),
                Some(Time::Positive(Duration::from_millis(milliseconds))),
                "{text}"
            );
        }
        assert_eq!(parse("-1s"), Some(Time::Negative));
        for text in [
            "",
            "30",
            "s",
            ".s",
            "1x",
            "1 s",
            "1s ",
            "1d",
            "99999999999h",
            "1sm",
            "-",
            "1s0",
            "1mss",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
