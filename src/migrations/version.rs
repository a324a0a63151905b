//! Versions of migrations, compared as Flyway compares them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// The number that stands for the word `latest` inside of Flyway, which is above all others.
const LATEST: &str = "9223372036854775807";

/// The zeros of the decimal scripts outside ASCII; the nine characters after each are the digits one to nine.
///
/// Flyway reads versions with Java's `BigInteger`, which takes them all (Unicode category `Nd`, basic plane).
const ZEROS: [char; 36] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}', '\u{17e0}', '\u{1810}',
    '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}',
    '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{ff10}',
];

/// The version of a migration: whole numbers of any length, joined by dots.
///
/// `1`, `1.0`, `01` and `1_0` are the same version and compare equal, but each keeps the text it was written with,
/// because that text is what Flyway stores in its history table.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    /// The word Flyway gives a meaning of its own, if it is one.
    word: Option<Word>,
    /// Never empty; no zeros at the end but for a first part that is itself zero.
    parts: Vec<Part>,
}

/// One number of a version, with its sign: Java's `BigInteger` takes one on the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Part {
    negative: bool,
    /// ASCII digits without leading zeros; empty for zero.
    digits: String,
}

/// A word that Flyway takes for a version in a file name too, though it stands for something else everywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Current,
    Next,
    Latest,
}

impl Word {
    fn of(text: &str) -> Option<Self> {
        [
            (Self::Current, "current"),
            (Self::Next, "next"),
            (Self::Latest, "latest"),
            (Self::Latest, LATEST),
        ]
        .into_iter()
        .find_map(|(word, name)| name.eq_ignore_ascii_case(text).then_some(word))
    }

    /// What Flyway shows for it, and the number it stands for inside.
    fn version(self) -> (&'static str, &'static str) {
        match self {
            Self::Current => ("<< Current Version >>", "2"),
            Self::Next => ("<< Next Version >>", "3"),
            Self::Latest => (LATEST, "1"),
        }
    }
}

impl Version {
    /// Whether it is `current`, `next` or `latest`, in letters or as the number Flyway keeps for the last of them.
    #[must_use]
    pub fn is_word(&self) -> bool {
        self.word.is_some()
    }

    /// The spelling all equal versions share: no leading zeros, no zeros at the end.
    #[must_use]
    pub fn canonical(&self) -> String {
        if self.word == Some(Word::Latest) {
            return LATEST.to_owned();
        }
        let mut text = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                text.push('.');
            }
            if part.negative {
                text.push('-');
            }
            text.push_str(if part.digits.is_empty() { "0" } else { &part.digits });
        }
        text
    }
}

/// Why a text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// A part between dots is not a whole number.
    #[error("{text:?} is not a version: {part:?} is not a whole number")]
    Part {
        /// The text that was given.
        text: String,
        /// The part that is wrong; empty where a number is missing.
        part: String,
    },
}

impl VersionError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        vec!["versions are whole numbers joined by dots or underscores, such as 1, 2.1 or 20260131_1200".to_owned()]
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(raw: &str) -> Result<Self, VersionError> {
        if let Some(word) = Word::of(raw) {
            let (text, digits) = word.version();
            let part = Part {
                negative: true,
                digits: digits.to_owned(),
            };
            return Ok(Self {
                text: text.to_owned(),
                word: Some(word),
                parts: vec![part],
            });
        }
        let text = raw.replace('_', ".");
        let mut parts = Vec::new();
        for piece in split(&text) {
            let part = Part::parse(piece).ok_or_else(|| VersionError::Part {
                text: raw.to_owned(),
                part: piece.to_owned(),
            })?;
            parts.push(part);
        }
        while parts.len() > 1 && parts.last().is_some_and(|part| part.digits.is_empty()) {
            parts.pop();
        }
        Ok(Self {
            text,
            word: None,
            parts,
        })
    }
}

/// Splits at every dot that an ASCII digit follows, as Flyway does: `1.` and `1..2` keep a dot in a part, which is
/// then no number.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let bytes = current.as_bytes();
        let dot = (0..bytes.len()).find(|&at| bytes[at] == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
        if let Some(at) = dot {
            rest = Some(&current[at + 1..]);
            Some(&current[..at])
        } else {
            rest = None;
            Some(current)
        }
    })
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if number.is_empty() {
            return None;
        }
        let mut digits = String::with_capacity(number.len());
        for character in number.chars() {
            let digit = decimal(character)?;
            if digit != '0' || !digits.is_empty() {
                digits.push(digit);
            }
        }
        Some(Self {
            negative: negative && !digits.is_empty(),
            digits,
        })
    }
}

fn decimal(character: char) -> Option<char> {
    if character.is_ascii_digit() {
        return Some(character);
    }
    ZEROS.iter().find_map(|&zero| {
        let value = u32::from(character).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        let magnitude = |a: &Self, b: &Self| (a.digits.len(), &a.digits).cmp(&(b.digits.len(), &b.digits));
        match (self.negative, other.negative) {
            (false, false) => magnitude(self, other),
            (true, true) => magnitude(other, self),
            (negative, _) => negative.cmp(&other.negative).reverse(),
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// A missing part counts as zero. Only a first part can be negative and none at the end is zero, so the order of the
// lists is the order of the versions.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let is_latest = |version: &Self| version.word == Some(Word::Latest);
        (is_latest(self), &self.parts).cmp(&(is_latest(other), &other.parts))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Display for Version {
    /// Writes the text Flyway shows and stores: as written, with dots for underscores.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn spellings_of_one_version_are_equal() {
        for text in ["1", "1.0", "01", "1_0", "1.0.00", "+1", "\u{661}"] {
            assert_eq!(version(text), version("1"), "{text}");
            assert_eq!(version(text).canonical(), "1", "{text}");
        }
        assert_eq!(version("0.0"), version("-0"));
        assert_eq!(version("0").canonical(), "0");
        assert_eq!(version("010_0_20").canonical(), "10.0.20");
    }

    #[test]
    fn shows_the_text_flyway_stores() {
        assert_eq!(version("01_0").to_string(), "01.0");
        assert_eq!(version("20260131.1200").to_string(), "20260131.1200");
    }

    #[test]
    fn orders_by_number_and_not_by_text() {
        let ordered = [
            "-10",
            "-2",
            "0",
            "0.1",
            "1",
            "1.0.1",
            "1.2",
            "1.10",
            "2",
            "9",
            "10",
            "20260131",
            "9223372036854775808",
            "100000000000000000000000000000000000000000",
        ];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn refuses_what_flyway_refuses() {
        for text in [
            "", "1.", "1..2", ".1", "1.a", "1_", "a", "1-2", "1.-2", "+", "-", "--1", " 1", "1 ", "1.+2", "²",
        ] {
            assert!(
                matches!(text.parse::<Version>(), Err(VersionError::Part { .. })),
                "{text:?}"
            );
        }
    }

    #[test]
    fn words_are_versions_to_flyway() {
        for (text, shown) in [
            ("latest", "9223372036854775807"),
            ("CURRENT", "<< Current Version >>"),
            ("Next", "<< Next Version >>"),
            ("9223372036854775807", "9223372036854775807"),
        ] {
            let word = version(text);
            assert!(word.is_word(), "{text}");
            assert_eq!(word.to_string(), shown);
            assert_eq!(version(&word.canonical()), word);
        }
        assert!(version("latest") > version("9223372036854775808"));
        assert!(version("current") < version("0"));
        assert!(!version("1").is_word());
    }
}
