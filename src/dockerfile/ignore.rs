//! What is left out: the rules of `.dockerignore`, and those of `--exclude`.

use std::fmt;

use super::pattern::{Pattern, PatternError};

/// Longest pattern. No path Linux opens is longer, so a longer one matches nothing.
const LONGEST: usize = 4096;
/// Largest ignore file that is read: ten thousand lines and more.
pub const FILE_LIMIT: u64 = 1024 * 1024;
/// The ignore file of a context.
pub const FILE_NAME: &str = ".dockerignore";

/// Rules in their order: the last one that fits a path, or a directory above it, decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    /// Whether it takes in again what an earlier one left out.
    is_exception: bool,
}

/// A rule that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{text:?} is not a pattern of files")]
pub struct RuleError {
    /// Where it stands.
    pub origin: Origin,
    /// The rule.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub reason: RuleReason,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In an ignore file.
    File {
        /// The file's name.
        name: String,
        /// The line, from one.
        line: usize,
    },
    /// In a flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "{name}:{line}: "),
            Self::Flag(name) => write!(f, "{name}: "),
        }
    }
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleReason {
    /// It is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Nothing follows its `!`.
    #[error("nothing follows the '!'")]
    Empty,
    /// It is too long.
    #[error("it has more than {LONGEST} characters, and no path is that long")]
    Long,
}

impl RuleError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self.reason {
            RuleReason::Pattern(_) => "write \\[ for a bracket and \\\\ for a backslash that are meant as such",
            RuleReason::Empty => "name the files that are not to be left out: !docs/*.md",
            RuleReason::Long => "is the file an ignore file?",
        };
        vec![hint.to_owned()]
    }
}

impl Rules {
    /// The rules of an ignore file called `name`.
    ///
    /// # Errors
    /// When a line is no pattern.
    pub fn of_file(name: &str, bytes: &[u8]) -> Result<Self, RuleError> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |reason| RuleError {
                origin: Origin::File {
                    name: name.to_owned(),
                    line: index + 1,
                },
                text: line.chars().take(LONGEST).collect(),
                reason,
            };
            // A comment begins in the first column: behind a blank, `#` is the first character of a name.
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let line = line.trim();
            let (is_exception, line) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let cleaned = if line.is_empty() { String::new() } else { cleaned(line) };
            // In an ignore file the root is the context's.
            let rooted = cleaned.strip_prefix('/').filter(|rest| !rest.is_empty());
            let pattern = rooted.unwrap_or(&cleaned);
            rules.push(rule(is_exception, pattern).map_err(wrong)?);
        }
        Ok(Self {
            name: name.to_owned(),
            rules,
        })
    }

    /// The rules that are the values of a flag.
    ///
    /// # Errors
    /// When one is no pattern.
    pub fn of_flag<'a>(flag: &str, values: impl IntoIterator<Item = &'a str>) -> Result<Self, RuleError> {
        let mut rules = Vec::new();
        for value in values {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            let value = cleaned(value);
            let (is_exception, pattern) = match value.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, value.as_str()),
            };
            rules.push(rule(is_exception, pattern).map_err(|reason| RuleError {
                origin: Origin::Flag(flag.to_owned()),
                text: value.clone(),
                reason,
            })?);
        }
        Ok(Self {
            name: flag.to_owned(),
            rules,
        })
    }

    /// Where the rules stand.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the rules fit a path, which is relative to the root they are about; they never fit the root itself.
    #[must_use]
    pub fn fit(&self, path: &str) -> bool {
        self.fitting(path).is_fitting()
    }

    /// What the rules say about a path, on which what they say about paths below it builds.
    #[must_use]
    pub fn fitting(&self, path: &str) -> Fitting {
        let mut fitting = Fitting::default();
        for (end, _) in path.match_indices('/') {
            fitting = self.fitting_below(&fitting, &path[..end]);
        }
        if path.is_empty() {
            return fitting;
        }
        self.fitting_below(&fitting, path)
    }

    /// What the rules say about a path when it is known what they say about its directory.
    ///
    /// A rule that fits the directory fits what is in it. (`BuildKit` does not ask a rule about a directory where it
    /// would change nothing, so that with `a/b` and then `!a` it leaves out `a/b`. Docker's own builder and kaniko let
    /// the last rule decide, as the reference has it, and so does this.)
    #[must_use]
    pub fn fitting_below(&self, directory: &Fitting, path: &str) -> Fitting {
        let mut fitting = Fitting {
            by_rule: Vec::with_capacity(self.rules.len()),
            is_fitting: false,
        };
        for (index, rule) in self.rules.iter().enumerate() {
            let fits = directory.by_rule.get(index).copied().unwrap_or_default() || rule.pattern.matches(path);
            if fits {
                fitting.is_fitting = !rule.is_exception;
            }
            fitting.by_rule.push(fits);
        }
        fitting
    }

    /// Whether something below a directory that the rules fit may be one they do not fit.
    #[must_use]
    pub fn may_spare_below(&self, directory: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.is_exception && rule.pattern.may_match_below(directory))
    }
}

/// What rules say about a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fitting {
    by_rule: Vec<bool>,
    is_fitting: bool,
}

impl Fitting {
    /// Whether the rules fit it.
    #[must_use]
    pub fn is_fitting(&self) -> bool {
        self.is_fitting
    }
}

fn rule(is_exception: bool, pattern: &str) -> Result<Rule, RuleReason> {
    if pattern.is_empty() {
        return Err(RuleReason::Empty);
    }
    if pattern.len() > LONGEST {
        return Err(RuleReason::Long);
    }
    Ok(Rule {
        pattern: Pattern::of_rule(pattern)?,
        is_exception,
    })
}

/// A path in its shortest form, as Go's `filepath.Clean` makes it: text only, nothing is looked up.
#[must_use]
pub fn cleaned(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(last) if *last != ".." => {
                    parts.pop();
                }
                _ if is_rooted => {}
                _ => parts.push(".."),
            },
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests;
