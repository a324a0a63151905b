//! Commands as a page shows them.
//!
//! In a `console` block a line with `$ ` is a command; what follows is output of it, where `…` stands for anything.
//! A command that ends with a backslash goes on in the next line. `$ echo $?` shows the status of the command before; elsewhere it is 0.

use std::process::Output;

use crate::page::Block;

/// Pages whose commands need accounts at Amazon: `tests/real/aws/pages.rs` runs them against emulators.
pub(crate) const AT_EMULATORS: [&str; 2] = ["docs/ecr.md", "docs/promotion.md"];

/// Pages whose commands need a Docker engine: `tests/real/docker/pages.rs` runs them.
pub(crate) const AT_AN_ENGINE: [&str; 1] = ["docs/docker.md"];
/// Pages whose commands need a Docker engine: `tests/real/docker/run.rs` runs them.
pub(crate) const AT_ENGINE: [&str; 1] = ["docs/run.md"];

/// A command, with what is shown of it.
pub(crate) struct Shown {
    /// The line after the prompt.
    pub(crate) command: String,
    /// Lines that it prints.
    pub(crate) output: Vec<String>,
    /// How it ends.
    pub(crate) status: i32,
}

impl Shown {
    /// A command that ends well, whatever it prints.
    pub(crate) fn command(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            output: Vec::new(),
            status: 0,
        }
    }

    /// Fails the test unless the command did what is shown.
    pub(crate) fn assert_is(&self, place: &str, output: &Output) {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let told = || format!("{place}: $ {}\n{stdout}{stderr}", self.command);
        assert_eq!(output.status.code(), Some(self.status), "{}", told());
        for line in &self.output {
            let found = stdout.lines().chain(stderr.lines()).any(|actual| is_like(actual, line));
            assert!(found, "not printed: {line}\n{}", told());
        }
    }
}

/// The commands of a block.
pub(crate) fn read(block: &Block) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut lines = block.text.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix("$ ") {
            Some("echo $?") => {
                let status = lines.next().and_then(|line| line.parse().ok());
                all.last_mut().unwrap().status = status.unwrap_or_else(|| panic!("line {}: no status", block.line));
            }
            Some(command) => {
                let mut command = command.to_owned();
                while let Some(begun) = command.strip_suffix('\\') {
                    command = format!("{begun}{}", lines.next().unwrap().trim_start());
                }
                all.push(Shown::command(command));
            }
            None => all.last_mut().unwrap().output.push(line.to_owned()),
        }
    }
    all
}

/// Whether a line is what a pattern says, in which `…` stands for any text.
fn is_like(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn a_pattern_stands_for_the_lines_it_should() {
    assert!(is_like("a b c", "a b c"));
    assert!(is_like("digest sha256:0123 x", "digest sha256:… x"));
    assert!(is_like("sha256:01, sha256:23", "sha256:…, sha256:…"));
    assert!(!is_like("a b c", "a b"));
    assert!(!is_like("a b c", "…b"));
    assert!(!is_like("ac", "a…b…c"));
}
