//! Flags of instructions: `--name=value`, before everything else.

use super::error::Problem;
use super::instruction::Word;
use super::lines::{Fault, Logical};

/// How alike a word and a known one must be for the known one to be offered (Jaro-Winkler, 0 to 1); below this, what is
/// offered has as a rule nothing to do with what was meant.
const LIKENESS: f64 = 0.75;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A value, once.
    Text,
    /// A value, each time it is given.
    Texts,
    /// `true`, `false`, or nothing, which is `true`.
    Switch,
}

/// A flag as written, quotes taken off.
#[derive(Debug)]
struct Flag {
    name: String,
    value: Option<String>,
    /// Where it begins in the text.
    offset: usize,
}

/// The flags of one instruction.
#[derive(Debug, Default)]
pub(super) struct Flags(Vec<Flag>);

impl Flags {
    /// Reads flags from a byte of the text on; returns where the rest begins.
    ///
    /// Quotes and backslashes are taken off here already, whatever the escape character is: so does BuildKit.
    pub(super) fn read(logical: &Logical, from: usize) -> (Self, usize) {
        let mut flags = Vec::new();
        let mut at = from;
        loop {
            let rest = &logical.text[at..];
            let text = rest.trim_start();
            at += rest.len() - text.len();
            if !text.starts_with("--") {
                return (Self(flags), at);
            }
            let (word, length) = word(text);
            if word == "--" {
                return (Self(flags), at + length);
            }
            let (name, value) = match word[2..].split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word[2..].to_owned(), None),
            };
            flags.push(Flag {
                name,
                value,
                offset: at,
            });
            at += length;
        }
    }

    /// Refuses what an instruction does not know, and values that do not fit.
    pub(super) fn check(
        &self,
        logical: &Logical,
        instruction: &'static str,
        known: &[(&'static str, Takes)],
    ) -> Result<(), Fault> {
        for (at, flag) in self.0.iter().enumerate() {
            let name = &flag.name;
            let fault = |message: String| Err(logical.fault(flag.offset, Problem::syntax(message)));
            let Some((_, takes)) = known.iter().find(|(known, _)| known == name) else {
                let problem = Problem::UnknownFlag {
                    instruction,
                    flag: name.clone(),
                    nearest: nearest(name, known.iter().map(|(known, _)| *known)),
                };
                return Err(logical.fault(flag.offset, problem));
            };
            if *takes != Takes::Texts && self.0[..at].iter().any(|other| other.name == *name) {
                return fault(format!("--{name} stands here twice"));
            }
            match (takes, &flag.value) {
                (Takes::Switch, Some(value)) if switch(value).is_none() => {
                    return fault(format!("--{name}={value}: neither true nor false"));
                }
                (Takes::Text | Takes::Texts, None) => return fault(format!("--{name} has no value: --{name}=VALUE")),
                _ => {}
            }
        }
        Ok(())
    }

    /// The value of a flag.
    pub(super) fn text(&self, logical: &Logical, name: &str) -> Option<Word> {
        self.texts(logical, name).pop()
    }

    /// The values of a flag that may stand more than once.
    pub(super) fn texts(&self, logical: &Logical, name: &str) -> Vec<Word> {
        let named = self.0.iter().filter(|flag| flag.name == name);
        named
            .filter_map(|flag| Some((flag, flag.value.clone()?)))
            .map(|(flag, value)| logical.word(value, flag.offset + "--=".len() + name.len()))
            .collect()
    }

    /// What a switch says, if it is there.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        let flag = self.0.iter().find(|flag| flag.name == name)?;
        flag.value.as_deref().map_or(Some(true), switch)
    }
}

fn switch(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The first word without its quotes, and how many bytes it takes.
fn word(text: &str) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', _) => word.extend(characters.next().map(|(_, escaped)| escaped)),
            (_, Some(open)) if open == character => quote = None,
            (_, Some(_)) => word.push(character),
            ('\'' | '"', None) => quote = Some(character),
            (_, None) if character.is_whitespace() => return (word, at),
            (_, None) => word.push(character),
        }
    }
    (word, text.len())
}

/// The known word that is most like one.
pub(super) fn nearest(word: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    known
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::*;

    const KNOWN: [(&str, Takes); 3] = [
        ("chown", Takes::Text),
        ("exclude", Takes::Texts),
        ("link", Takes::Switch),
    ];

    fn logical(text: &str) -> Logical {
        Lines::of(text, '\\').next_instruction().expect("instruction")
    }

    #[test]
    fn flags_come_first() {
        for (text, flags, rest) in [
            ("a b", &[][..], "a b"),
            ("--chown=1:2 a", &[("chown", Some("1:2"))], "a"),
            ("--link a --link", &[("link", None)], "a --link"),
            ("--link  --chown= a", &[("link", None), ("chown", Some(""))], "a"),
            ("--chown=\"a b\" c", &[("chown", Some("a b"))], "c"),
            ("--chown='a \"b' c", &[("chown", Some("a \"b"))], "c"),
            ("--chown=a\\ b c", &[("chown", Some("a b"))], "c"),
            ("--chown=a=b c", &[("chown", Some("a=b"))], "c"),
            ("--link -- --x", &[("link", None)], " --x"),
            ("-x a", &[], "-x a"),
            ("--link", &[("link", None)], ""),
            ("--chown=\"a b", &[("chown", Some("a b"))], ""),
            ("--chown=a\\", &[("chown", Some("a"))], ""),
        ] {
            let logical = logical(text);
            let (found, at) = Flags::read(&logical, 0);
            let found: Vec<_> = found
                .0
                .iter()
                .map(|flag| (flag.name.as_str(), flag.value.as_deref()))
                .collect();
            assert_eq!(found, flags, "{text}");
            assert_eq!(&logical.text[at..], rest, "{text}");
        }
    }

    #[test]
    fn flags_are_checked() {
        for (text, column, expected) in [
            ("--chwon=1 a", 1, "COPY has no flag --chwon"),
            ("--chown=1 --chown=2 a", 11, "--chown stands here twice"),
            ("--chown a", 1, "--chown has no value"),
            ("--exclude a", 1, "--exclude has no value"),
            ("--link= a", 1, "neither true nor false"),
            ("--link=yes a", 1, "neither true nor false"),
            ("--=x a", 1, "COPY has no flag --"),
        ] {
            let logical = logical(text);
            let fault = Flags::read(&logical, 0)
                .0
                .check(&logical, "COPY", &KNOWN)
                .expect_err(text);
            assert!(
                fault.problem.to_string().contains(expected),
                "{text}: {}",
                fault.problem
            );
            assert_eq!(fault.position.column, column, "{text}");
        }
        let problem = Problem::UnknownFlag {
            instruction: "COPY",
            flag: "chwon".to_owned(),
            nearest: nearest("chwon", KNOWN.iter().map(|(name, _)| *name)),
        };
        assert_eq!(problem.hints(), ["did you mean --chown?"]);
        assert_eq!(nearest("frob", KNOWN.iter().map(|(name, _)| *name)), None);
    }

    #[test]
    fn values_are_found_with_their_places() {
        let logical = logical("--exclude=a --link=FALSE --exclude=b x");
        let (flags, _) = Flags::read(&logical, 0);
        flags.check(&logical, "COPY", &KNOWN).expect("known");
        let texts: Vec<_> = flags
            .texts(&logical, "exclude")
            .into_iter()
            .map(|word| (word.text, word.position.column))
            .collect();
        assert_eq!(texts, [("a".to_owned(), 11), ("b".to_owned(), 36)]);
        assert_eq!(flags.switch("link"), Some(false));
        assert_eq!(flags.switch("parents"), None);
        assert_eq!(flags.text(&logical, "chown"), None);
    }
}
