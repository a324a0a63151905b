//! Patterns of names, as `COPY` and `.dockerignore` write them.
//!
//! Both languages become the same small machine, all of whose states are followed at once: however many stars a
//! pattern has, a path is read once.

/// A pattern that paths are compared with.
///
/// In both languages `*` stands for any characters but `/`, `?` for one such, `[a-z]` for one of a class, `[^a-z]` for
/// one outside it, and `\` takes the meaning of what follows away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    steps: Vec<Step>,
}

/// A text is no pattern: a class is empty, broken or not closed, or nothing follows the last `\`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a pattern: a '[' is not closed, or a '\\' takes the meaning of nothing away")]
pub struct PatternError;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// One character of a set.
    One(Set),
    /// Any number of characters of a set.
    Many(Set),
    /// What follows may be left out, up to this step.
    Optional(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Set {
    Exactly(char),
    NoSlash,
    Any,
    Class {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Set {
    fn holds(&self, character: char) -> bool {
        match self {
            Self::Exactly(expected) => character == *expected,
            Self::NoSlash => character != '/',
            Self::Any => true,
            Self::Class { is_negated, ranges } => {
                let is_within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&character));
                is_within != *is_negated
            }
        }
    }
}

impl Pattern {
    /// A pattern as sources of `COPY` have it, Go's `filepath.Match`: no star stands for a `/`.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_source(text: &str) -> Result<Self, PatternError> {
        let mut steps = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            steps.push(match character {
                '*' => Step::Many(Set::NoSlash),
                other => Step::One(single(other, &mut rest)?),
            });
        }
        Ok(Self { steps })
    }

    /// A pattern as `.dockerignore` and `--exclude` have it: in addition `**` stands for any number of directories.
    ///
    /// At the end it stands for everything, and before plain text for everything before that text: `**.md` is every
    /// path that ends in `.md`.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_rule(text: &str) -> Result<Self, PatternError> {
        let is_plain_behind = text.strip_prefix("**").is_some_and(|rest| {
            !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['*', '?', '[', '\\', ']'])
        });
        let mut steps = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '*' {
                steps.push(Step::One(single(character, &mut rest)?));
                continue;
            }
            if !rest.as_str().starts_with('*') {
                steps.push(Step::Many(Set::NoSlash));
                continue;
            }
            rest.next();
            if is_plain_behind && steps.is_empty() {
                steps.push(Step::Many(Set::Any));
                continue;
            }
            if rest.as_str().starts_with('/') {
                rest.next();
            }
            if rest.as_str().is_empty() {
                steps.push(Step::Many(Set::Any));
            } else {
                steps.push(Step::Optional(steps.len() + 3));
                steps.push(Step::Many(Set::Any));
                steps.push(Step::One(Set::Exactly('/')));
            }
        }
        Ok(Self { steps })
    }

    /// Whether a whole path is one the pattern stands for.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut state = State::of(self);
        state.read(path);
        state.is_end()
    }

    /// Whether a path below a directory can be one the pattern stands for.
    #[must_use]
    pub fn may_match_below(&self, directory: &str) -> bool {
        let mut state = State::of(self);
        state.read(directory);
        state.read("/");
        state.may_go_on()
    }
}

/// Whether a text holds anything that stands for something else than itself.
#[must_use]
pub fn has_wildcards(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

fn single(character: char, rest: &mut std::str::Chars<'_>) -> Result<Set, PatternError> {
    match character {
        '?' => Ok(Set::NoSlash),
        '[' => class(rest),
        '\\' => rest.next().map(Set::Exactly).ok_or(PatternError),
        other => Ok(Set::Exactly(other)),
    }
}

/// What follows a `[`.
fn class(rest: &mut std::str::Chars<'_>) -> Result<Set, PatternError> {
    let is_negated = rest.as_str().starts_with('^');
    if is_negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            return Ok(Set::Class { is_negated, ranges });
        }
        let low = of_class(rest)?;
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            high = of_class(rest)?;
        }
        ranges.push((low, high));
    }
}

fn of_class(rest: &mut std::str::Chars<'_>) -> Result<char, PatternError> {
    match rest.next() {
        None | Some('-' | ']') => Err(PatternError),
        Some('\\') => rest.next().ok_or(PatternError),
        Some(other) => Ok(other),
    }
}

/// All the steps of a pattern that may come next. There are as many at most as the pattern has, each once.
struct State<'a> {
    pattern: &'a Pattern,
    next: Vec<usize>,
    /// When each step, and the end, was last found to be next.
    found: Vec<usize>,
    /// Counts the characters.
    now: usize,
    #[cfg(test)]
    work: usize,
}

impl<'a> State<'a> {
    fn of(pattern: &'a Pattern) -> Self {
        let mut state = Self {
            pattern,
            next: Vec::new(),
            found: vec![0; pattern.steps.len() + 1],
            now: 1,
            #[cfg(test)]
            work: 0,
        };
        state.add(0);
        state
    }

    /// Adds a step, and those behind it if it may stand for nothing.
    fn add(&mut self, step: usize) {
        let mut at = self.next.len();
        self.push(step);
        while let Some(step) = self.next.get(at).copied() {
            match self.pattern.steps.get(step) {
                Some(Step::Many(_)) => self.push(step + 1),
                Some(Step::Optional(behind)) => {
                    self.push(step + 1);
                    self.push(*behind);
                }
                Some(Step::One(_)) | None => {}
            }
            at += 1;
        }
    }

    fn push(&mut self, step: usize) {
        if std::mem::replace(&mut self.found[step], self.now) != self.now {
            self.next.push(step);
        }
    }

    fn read(&mut self, text: &str) {
        let mut before = Vec::new();
        for character in text.chars() {
            self.now += 1;
            std::mem::swap(&mut before, &mut self.next);
            for step in before.drain(..) {
                #[cfg(test)]
                {
                    self.work += 1;
                }
                match self.pattern.steps.get(step) {
                    Some(Step::One(set)) if set.holds(character) => self.add(step + 1),
                    Some(Step::Many(set)) if set.holds(character) => self.add(step),
                    _ => {}
                }
            }
            if self.next.is_empty() {
                return;
            }
        }
    }

    fn is_end(&self) -> bool {
        self.next.contains(&self.pattern.steps.len())
    }

    /// Whether more text may follow.
    fn may_go_on(&self) -> bool {
        self.next.iter().any(|step| *step < self.pattern.steps.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_matched_as_go_does() {
        for (pattern, path, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            // A class is not told that a slash is special.
            ("a[^x]b", "a/b", true),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "-", true),
            ("[\\-x]", "z", false),
            ("*x", "xxx", true),
            ("**", "a/b", false),
            ("", "", true),
            ("", "a", false),
        ] {
            let parsed = Pattern::of_source(pattern).expect(pattern);
            assert_eq!(parsed.matches(path), expected, "{pattern} and {path}");
        }
        for bad in [
            "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "\\", "a\\", "[\\",
        ] {
            assert_eq!(Pattern::of_source(bad), Err(PatternError), "{bad}");
            assert_eq!(Pattern::of_rule(bad), Err(PatternError), "{bad}");
        }
    }

    #[test]
    fn two_stars_cross_directories() {
        for (pattern, path, expected) in [
            ("**", "a/b", true),
            ("**", "a", true),
            ("**/", "a", true),
            ("a/**", "a/b/c", true),
            ("a/**", "a", false),
            ("a/**", "ab", false),
            ("a**", "abc/d", true),
            ("a**", "a", true),
            ("**/a", "a", true),
            ("**/a", "x/y/a", true),
            ("**/a", "xa", false),
            ("**a", "xa", true),
            ("**a", "x/ya", true),
            ("**a", "ab", false),
            ("**/*.md", "x.md", true),
            ("**/*.md", "a/b/x.md", true),
            ("**a*", "xa", false),
            ("**a*", "x/ab", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a/**/b", "ab", false),
            ("a**b", "ab", true),
            ("a**b", "ax/b", true),
            ("a**b", "axb", false),
            ("**/a/**", "x/a/y", true),
            ("**/a/**", "a", false),
            ("*/a", "x/a", true),
            ("*/a", "x/y/a", false),
            ("a.b", "axb", false),
            ("a+(b)|{c}$", "a+(b)|{c}$", true),
            ("***", "a/b", true),
        ] {
            let parsed = Pattern::of_rule(pattern).expect(pattern);
            assert_eq!(parsed.matches(path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn a_directory_is_entered_only_if_something_in_it_can_match() {
        for (pattern, directory, expected) in [
            ("a/b", "a", true),
            ("a/b", "b", false),
            ("a", "a", false),
            ("*/b", "x", true),
            ("*/b", "x/y", false),
            ("*.md", "x", false),
            ("**/b", "x/y", true),
            ("a/**", "a", true),
            ("a/**", "b", false),
            ("a*", "ab", false),
            ("a**", "ab", true),
        ] {
            let parsed = Pattern::of_rule(pattern).expect(pattern);
            assert_eq!(parsed.may_match_below(directory), expected, "{pattern} and {directory}");
        }
    }

    #[test]
    fn work_grows_with_the_product_of_both_lengths_only() {
        for pattern in ["*a".repeat(200) + "b", "**/a/".repeat(100) + "b", "[^b]*?".repeat(100)] {
            let parsed = Pattern::of_rule(&pattern).expect("pattern");
            let path = "a/".repeat(1000);
            let mut state = State::of(&parsed);
            state.read(&path);
            assert!(state.work <= (parsed.steps.len() + 1) * path.len(), "{}", state.work);
        }
    }
}
