//! Which tags must not move.

use wildmatch::WildMatch;

use crate::oci::Tag;

/// The rule by which a tag that names something stays where it is.
#[derive(Debug, Clone, Default)]
pub struct TagRule {
    /// Patterns (`*`, `?`) of the tags that must not move; `None`: those that look like a release.
    pub immutable: Option<Vec<String>>,
    /// Whether every tag may move, this once.
    pub move_all: bool,
}

impl TagRule {
    /// Whether `tag` must stay.
    #[must_use]
    pub fn is_fixed(&self, tag: &Tag) -> bool {
        if self.move_all {
            return false;
        }
        match &self.immutable {
            Some(patterns) => patterns
                .iter()
                .any(|pattern| WildMatch::new(pattern).matches(tag.as_str())),
            None => is_version(tag.as_str()) || is_commit(tag.as_str()) || ends_in_digest(tag.as_str()),
        }
    }
}

/// `v?N.N[.N…][-suffix]` or `vN`.
fn is_version(tag: &str) -> bool {
    let (has_v, rest) = match tag.strip_prefix('v') {
        Some(rest) => (true, rest),
        None => (false, tag),
    };
    let (numbers, suffix) = match rest.split_once('-') {
        Some((numbers, suffix)) => (numbers, Some(suffix)),
        None => (rest, None),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let are_numbers = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    are_numbers
        && if parts.len() == 1 {
            has_v && suffix.is_none()
        } else {
            suffix != Some("")
        }
}

/// `[sha-]` and 7 to 64 hexadecimal digits.
fn is_commit(tag: &str) -> bool {
    let digits = tag.strip_prefix("sha-").unwrap_or(tag);
    (7..=64).contains(&digits.len()) && is_hex(digits)
}

/// Ends in `-` and at least 12 hexadecimal digits.
fn ends_in_digest(tag: &str) -> bool {
    tag.rsplit_once('-')
        .is_some_and(|(_, digits)| digits.len() >= 12 && is_hex(digits))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(rule: &TagRule, tag: &str) -> bool {
        rule.is_fixed(&tag.parse().expect(tag))
    }

    #[test]
    fn releases_commits_and_digests_stay() {
        let rule = TagRule::default();
        for tag in [
            "1.2",
            "v1.2.3",
            "1.2.3-rc.1",
            "v7",
            "1.2.3.4",
            "0123abc",
            "sha-0123abcd",
            "orders-0123456789ab",
        ] {
            assert!(fixed(&rule, tag), "{tag}");
        }
        let commit = "0123456789012345678901234567890123456789";
        assert!(fixed(&rule, commit));
    }

    #[test]
    fn names_move() {
        let rule = TagRule::default();
        for tag in [
            "latest",
            "main",
            "123-add-users",
            "7",
            "v",
            "1.2-",
            "1.x",
            "012345",
            "facade-x",
            "v1x",
            "1..2",
            "x-0123456789a",
        ] {
            assert!(!fixed(&rule, tag), "{tag}");
        }
    }

    #[test]
    fn patterns_replace_the_rule_and_moving_overrides_both() {
        let rule = TagRule {
            immutable: Some(vec!["release-*".to_owned()]),
            move_all: false,
        };
        assert!(fixed(&rule, "release-1"));
        assert!(!fixed(&rule, "1.2.3"));
        let all = TagRule { move_all: true, ..rule };
        assert!(!fixed(&all, "release-1"));
    }
}
