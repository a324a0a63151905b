//! Environment variables for a run, and where they are read from.

use crate::credentials::Secret;

/// Environment variables, each name once, in the order in which they were first said. Their values are never shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, Secret)>);

/// A variable cannot be read. What was said is not repeated: it may be half of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// There is nothing before `=`.
    #[error("no name stands before '='")]
    NoName,
    /// The name holds white space, as in `export NAME=VALUE` or `NAME = VALUE`.
    #[error("the name holds white space; it is NAME=VALUE, without export, and without spaces around '='")]
    Space,
    /// The name or the value holds a character that no variable can hold.
    #[error("it holds a NUL character")]
    Nul,
    /// It is not UTF-8.
    #[error("it is not UTF-8")]
    Encoding,
}

/// A line of a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct LineError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub what: VariableError,
}

impl Variables {
    /// Sets a variable; tells whether it was set before.
    pub fn set(&mut self, name: &str, value: Secret) -> bool {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => {
                *known = value;
                true
            }
            None => {
                self.0.push((name.to_owned(), value));
                false
            }
        }
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Reads `NAME=VALUE`, or `NAME` for the value it has in `here`. Tells whether there was a value.
    ///
    /// # Errors
    /// There is no name, or one that cannot be.
    pub fn add(&mut self, text: &str, here: &dyn Fn(&str) -> Option<String>) -> Result<bool, VariableError> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(VariableError::NoName);
        }
        if name.contains(char::is_whitespace) {
            return Err(VariableError::Space);
        }
        if text.contains('\0') {
            return Err(VariableError::Nul);
        }
        let Some(value) = value.or_else(|| here(name)) else {
            return Ok(false);
        };
        self.set(name, Secret::new(value));
        Ok(true)
    }

    /// Reads a file as Docker's `--env-file` does: a variable in each line, nothing quoted, `#` for lines that say nothing.
    /// Returns the lines, counted from one, that name a variable which has no value in `here`.
    ///
    /// # Errors
    /// A line cannot be read; it is given by its number.
    pub fn add_file(&mut self, content: &[u8], here: &dyn Fn(&str) -> Option<String>) -> Result<Vec<usize>, LineError> {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut without_value = Vec::new();
        for (index, bytes) in content.split(|byte| *byte == b'\n').enumerate() {
            let line = index + 1;
            let error = |what| LineError { line, what };
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes).map_err(|_| error(VariableError::Encoding))?;
            let text = text.trim_start();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if !self.add(text, here).map_err(error)? {
                without_value.push(line);
            }
        }
        Ok(without_value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(name: &str) -> Option<String> {
        match name {
            "HERE" => Some("from here".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn shown(variables: &Variables) -> Vec<String> {
        let all = variables.iter();
        all.map(|(name, value)| format!("{name}={}", value.expose())).collect()
    }

    fn read(file: &[u8]) -> (Vec<String>, Vec<usize>) {
        let mut variables = Variables::default();
        let missing = variables.add_file(file, &here).expect("the file is fine");
        (shown(&variables), missing)
    }

    #[test]
    fn a_file_is_read_as_docker_reads_it() {
        let file = b"\xef\xbb\xbfA=1\r\n# B=2\n   #C=3\n\n  D= 4 # not a comment \nE=\"quoted\"\nF=a=b\nG=\nHERE\nGONE\nEMPTY\nA=5\nH=\xc3\xbc";
        let (variables, missing) = read(file);
        assert_eq!(
            variables,
            [
                "A=5",
                "D= 4 # not a comment ",
                "E=\"quoted\"",
                "F=a=b",
                "G=",
                "HERE=from here",
                "EMPTY=",
                "H=ü"
            ]
        );
        assert_eq!(missing, [10]);
    }

    #[test]
    fn the_last_line_needs_no_end_and_a_value_keeps_its_spaces() {
        assert_eq!(read(b"A=1  ").0, ["A=1  "]);
        assert_eq!(read(b"").0, Vec::<String>::new());
        assert_eq!(read(b"\n\r\n").0, Vec::<String>::new());
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_alone() {
        for (file, message) in [
            (&b"A=1\n=canary"[..], "line 2: no name stands before '='"),
            (
                b"export A=canary",
                "line 1: the name holds white space; it is NAME=VALUE, without export, and without spaces around '='",
            ),
            (b"A=1\n\nB=\xffcanary", "line 3: it is not UTF-8"),
            (b"A=can\0ary", "line 1: it holds a NUL character"),
        ] {
            let error = Variables::default().add_file(file, &here).expect_err("bad");
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn flags_are_pairs_or_names() {
        let mut variables = Variables::default();
        assert_eq!(variables.add("A=1", &here), Ok(true));
        assert_eq!(variables.add("A=x=y", &here), Ok(true));
        assert_eq!(variables.add("HERE", &here), Ok(true));
        assert_eq!(variables.add("GONE", &here), Ok(false));
        assert_eq!(variables.add("=x", &here), Err(VariableError::NoName));
        assert_eq!(variables.add("", &here), Err(VariableError::NoName));
        assert_eq!(variables.add("A B=x", &here), Err(VariableError::Space));
        assert_eq!(shown(&variables), ["A=x=y", "HERE=from here"]);
    }

    #[test]
    fn values_are_not_shown_by_accident() {
        let mut variables = Variables::default();
        variables.set("PASSWORD", Secret::new("canary".to_owned()));
        assert!(!format!("{variables:?}").contains("canary"));
    }
}
