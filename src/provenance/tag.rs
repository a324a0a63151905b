//! Which of several tags of one commit to show.

use std::cmp::Ordering;

use crate::migrations::version::Version;

/// The highest tag: versions before other names, later versions before earlier ones, a release before what leads to it
/// (`1.0` before `1.0-rc1`), and numbers in what follows by value.
pub(super) fn highest(tags: Vec<String>) -> Option<String> {
    tags.into_iter().max_by(|a, b| compare(a, b))
}

fn compare(a: &str, b: &str) -> Ordering {
    let by_version = match (version(a), version(b)) {
        (Some((first, a_rest)), Some((second, b_rest))) => first
            .cmp(&second)
            .then_with(|| a_rest.is_empty().cmp(&b_rest.is_empty()))
            .then_with(|| natural(a_rest, b_rest)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    by_version.then_with(|| natural(a, b)).then_with(|| a.cmp(b))
}

/// Splits a tag that begins with a version, after an optional `v`, into that and the rest.
fn version(tag: &str) -> Option<(Version, &str)> {
    let text = tag.strip_prefix(['v', 'V']).unwrap_or(tag);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    // Build metadata (`1.0+7`) makes no version earlier.
    Some((
        number.parse().ok()?,
        rest.split_once('+').map_or(rest, |(before, _)| before),
    ))
}

/// Compares texts with the numbers in them taken by value.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() && !b.is_empty() {
        let (first, a_rest) = run(a);
        let (second, b_rest) = run(b);
        let numbers = first.as_bytes()[0].is_ascii_digit() && second.as_bytes()[0].is_ascii_digit();
        let order = if numbers {
            let (first, second) = (first.trim_start_matches('0'), second.trim_start_matches('0'));
            first.len().cmp(&second.len()).then_with(|| first.cmp(second))
        } else {
            first.cmp(second)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_rest, b_rest);
    }
    a.len().cmp(&b.len())
}

/// Splits off the digits, or the characters up to the next digit, at the beginning of a text that is not empty.
fn run(text: &str) -> (&str, &str) {
    let digits = text.as_bytes()[0].is_ascii_digit();
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_a_reader_would() {
        let ordered = [
            "alpha", "latest", "sha-2", "sha-10", "v0.9", "1.0-rc2", "1.0-rc10", "v1.0", "v1.2.3", "1.10", "v2",
            "v2.0.1+5",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }

    #[test]
    fn is_the_same_whatever_the_order() {
        for tags in [["v1", "1"], ["1", "v1"]] {
            assert_eq!(highest(tags.map(str::to_owned).to_vec()), Some("v1".to_owned()));
        }
        assert_eq!(highest(Vec::new()), None);
    }
}
