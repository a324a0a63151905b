//! Modes as `--chmod` writes them: a number, or what to change.

use std::str::FromStr;

/// The permission bits a change may name.
const ALL: u32 = 0o777;
/// Largest number: four octal digits.
const LARGEST: u32 = 0o7777;

/// A mode, or a change of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// The permission bits, whatever they were.
    Bits(u32),
    /// Changes, made one after another.
    Changes(Vec<Change>),
}

/// A change of permission bits, such as `go-w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Bits of the classes it is about: `0o700` for `u`.
    classes: u32,
    operation: Operation,
    permissions: Permissions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permissions {
    /// Some of `rwxXst`.
    Letters {
        /// Bits of `rwx` for all classes.
        bits: u32,
        /// `X`: `x` for directories and for what anyone may run already.
        execute_if_any: bool,
        set_id: bool,
        sticky: bool,
    },
    /// Those that a class has.
    Of(char),
}

/// A text is no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a mode")]
pub struct ModeError(String);

impl ModeError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        vec!["a mode is up to four octal digits (755, 0644) or what to change (u=rwX,go=rX, a+x, go-w)".to_owned()]
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let wrong = || ModeError(text.to_owned());
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let digits = text.chars().all(|digit| digit.is_digit(8));
            let bits = u32::from_str_radix(text, 8).ok().filter(|bits| *bits <= LARGEST);
            return bits.filter(|_| digits).map(Self::Bits).ok_or_else(wrong);
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            let start = clause.find(['+', '-', '=']).ok_or_else(wrong)?;
            let (who, mut actions) = clause.split_at(start);
            let classes = classes(who).ok_or_else(wrong)?;
            while let Some(sign) = actions.chars().next() {
                let operation = match sign {
                    '+' => Operation::Add,
                    '-' => Operation::Remove,
                    _ => Operation::Set,
                };
                let rest = &actions[1..];
                let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
                let permissions = permissions(&rest[..end]).ok_or_else(wrong)?;
                changes.push(Change {
                    classes,
                    operation,
                    permissions,
                });
                actions = &rest[end..];
            }
        }
        Ok(Self::Changes(changes))
    }
}

/// The bits of classes; no class means all, since no umask is at work in a build.
fn classes(who: &str) -> Option<u32> {
    if who.is_empty() {
        return Some(ALL);
    }
    who.chars().try_fold(0, |bits, class| Some(bits | class_bits(class)?))
}

fn class_bits(class: char) -> Option<u32> {
    match class {
        'u' => Some(0o700),
        'g' => Some(0o070),
        'o' => Some(0o007),
        'a' => Some(ALL),
        _ => None,
    }
}

fn permissions(letters: &str) -> Option<Permissions> {
    if let ("u" | "g" | "o", Some(class)) = (letters, letters.chars().next()) {
        return Some(Permissions::Of(class));
    }
    let (mut bits, mut execute_if_any, mut set_id, mut sticky) = (0, false, false, false);
    for letter in letters.chars() {
        match letter {
            'r' => bits |= 0o444,
            'w' => bits |= 0o222,
            'x' => bits |= 0o111,
            'X' => execute_if_any = true,
            's' => set_id = true,
            't' => sticky = true,
            _ => return None,
        }
    }
    Some(Permissions::Letters {
        bits,
        execute_if_any,
        set_id,
        sticky,
    })
}

impl Mode {
    /// The permission bits of a file or directory that has `current` ones.
    #[must_use]
    pub fn apply(&self, current: u32, is_directory: bool) -> u32 {
        match self {
            Self::Bits(bits) => *bits,
            Self::Changes(changes) => changes
                .iter()
                .fold(current & LARGEST, |mode, change| change.apply(mode, is_directory)),
        }
    }
}

impl Change {
    fn apply(&self, mode: u32, is_directory: bool) -> u32 {
        let mut special = 0;
        let bits = match self.permissions {
            Permissions::Of(class) => {
                let shift = match class {
                    'u' => 6,
                    'g' => 3,
                    _ => 0,
                };
                ((mode >> shift) & 0o7) * 0o111
            }
            Permissions::Letters {
                bits,
                execute_if_any,
                set_id,
                sticky,
            } => {
                if set_id && self.classes & 0o700 != 0 {
                    special |= 0o4000;
                }
                if set_id && self.classes & 0o070 != 0 {
                    special |= 0o2000;
                }
                if sticky {
                    special |= 0o1000;
                }
                let execute = execute_if_any && (is_directory || mode & 0o111 != 0);
                bits | if execute { 0o111 } else { 0 }
            }
        };
        let named = bits & self.classes | special;
        match self.operation {
            Operation::Add => mode | named,
            Operation::Remove => mode & !named,
            Operation::Set => mode & !self.replaced(is_directory) | named,
        }
    }

    /// What `=` takes away before it gives: a directory keeps its set-id bits, as `chmod` leaves them.
    fn replaced(&self, is_directory: bool) -> u32 {
        let mut bits = self.classes;
        if !is_directory {
            if self.classes & 0o700 != 0 {
                bits |= 0o4000;
            }
            if self.classes & 0o070 != 0 {
                bits |= 0o2000;
            }
        }
        if self.classes == ALL {
            bits |= 0o1000;
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_they_say() {
        for (text, bits) in [
            ("755", 0o755),
            ("0644", 0o644),
            ("4755", 0o4755),
            ("1777", 0o1777),
            ("7", 7),
            ("0", 0),
        ] {
            let mode: Mode = text.parse().expect(text);
            assert_eq!(mode.apply(0o123, false), bits, "{text}");
            assert_eq!(mode.apply(0o7777, true), bits, "{text}");
        }
    }

    #[test]
    fn changes_are_made_in_their_order() {
        for (text, current, is_directory, expected) in [
            ("u=rwX,go=rX", 0o640, false, 0o644),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("u=rwX,go=rX", 0o700, true, 0o755),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("a+x", 0o644, false, 0o755),
            ("+x", 0o644, false, 0o755),
            ("go-w", 0o666, false, 0o644),
            ("u+s", 0o755, false, 0o4755),
            ("g+s", 0o755, true, 0o2755),
            ("ug+s", 0o755, false, 0o6755),
            ("o+s", 0o755, false, 0o755),
            ("+t", 0o777, true, 0o1777),
            ("u-s", 0o4755, false, 0o755),
            ("u=rw", 0o4755, false, 0o655),
            ("u=rw", 0o4755, true, 0o4655),
            ("a=", 0o755, false, 0),
            ("a=rX", 0o600, false, 0o444),
            ("g=u", 0o640, false, 0o660),
            ("o=g-w", 0o670, false, 0o675),
            ("u=rw,g=r,o=", 0o777, false, 0o640),
            ("u+rwx-x", 0o000, false, 0o600),
            ("a+X,a-x", 0o644, false, 0o644),
        ] {
            let mode: Mode = text.parse().expect(text);
            assert_eq!(mode.apply(current, is_directory), expected, "{text} on {current:o}");
        }
    }

    #[test]
    fn what_is_no_mode_says_what_is_one() {
        for text in [
            "", "999", "77777", "12345", "+rq", "u", "z+x", "u+x,", ",", "u=ug", "755x", "X", "0x1ff", " 755", "ü+x",
        ] {
            let error = text.parse::<Mode>().expect_err(text);
            assert!(error.hints()[0].contains("octal"), "{text}");
        }
    }
}
