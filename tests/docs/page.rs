//! The pages of the documentation, and the blocks of code in them.

use std::fs;
use std::path::{Path, PathBuf};

/// A page in Markdown.
pub(crate) struct Page {
    /// Its path from the root of the project.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// The word after the fence.
    pub(crate) language: String,
    /// The line of the fence, counted from one.
    pub(crate) line: usize,
    /// What stands between the fences.
    pub(crate) text: String,
}

/// The root of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything that is written for users: the README, the change log and the pages in `docs/`.
pub(crate) fn pages() -> Vec<Page> {
    let in_docs = fs::read_dir(root().join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = in_docs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .collect();
    paths.extend(["README.md", "CHANGELOG.md"].map(PathBuf::from));
    paths.sort();
    let page = |path: PathBuf| Page {
        text: read(&path),
        path,
    };
    paths.into_iter().map(page).collect()
}

impl Page {
    /// One page.
    pub(crate) fn named(path: &str) -> Self {
        Self {
            path: path.into(),
            text: read(path),
        }
    }

    /// Its blocks of code, in order.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (number, line) in self.text.lines().enumerate() {
            if let Some(language) = line.strip_prefix("```") {
                if !open {
                    blocks.push(Block {
                        language: language.to_owned(),
                        line: number + 1,
                        text: String::new(),
                    });
                }
                open = !open;
            } else if open {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
        assert!(!open, "{}: a block of code has no end", self.path.display());
        blocks
    }

    /// The rows of the tables below a heading, up to the next heading, without their first two lines.
    pub(crate) fn tables(&self, heading: &str) -> Vec<Vec<Vec<String>>> {
        let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
        let below = self.text.lines().skip_while(|line| *line != heading).skip(1);
        let mut in_table = false;
        for line in below.take_while(|line| !line.starts_with('#')) {
            if line.starts_with('|') {
                if !in_table {
                    tables.push(Vec::new());
                }
                let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
                tables.last_mut().unwrap().push(cells.collect());
            }
            in_table = line.starts_with('|');
        }
        for table in &mut tables {
            table.drain(..2);
        }
        assert!(!tables.is_empty(), "{}: no table below {heading}", self.path.display());
        tables
    }

    /// The name of a place in it, for the message of a failing assertion.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}
