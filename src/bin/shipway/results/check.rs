//! What is told of a check: lines for people, JSON, and the reports that CI services read.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shipway::migrations::check::{Excerpts, Finding, Level, Report};

use super::one_line;

mod codequality;
mod explain;
mod json;
mod junit;
mod sarif;
mod text;

pub(crate) use explain::{explain, explain_all};

/// What is told of a check.
#[derive(Debug)]
pub(crate) struct CheckResult<'a> {
    pub(crate) report: &'a Report,
    /// The lines that findings point at.
    pub(crate) excerpts: &'a Excerpts,
    /// The least level that fails.
    pub(crate) fail_on: Level,
    /// Where paths lead, for reports that are read elsewhere.
    pub(crate) folders: &'a Folders,
}

/// A report that is written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// SARIF.
    Sarif,
    /// GitLab's, of code quality.
    CodeQuality,
    /// JUnit's.
    JUnit,
}

/// From paths as the user knows them to paths as the repository has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folders {
    /// The working directory.
    pub(crate) here: PathBuf,
    /// The folder that `.git` lies in, if there is one.
    pub(crate) repository: Option<PathBuf>,
}

impl CheckResult<'_> {
    /// The lines for people, with colours or without.
    pub(crate) fn text(&self, has_colours: bool) -> String {
        text::text(self, has_colours)
    }

    /// The object of the JSON form.
    pub(crate) fn json(&self) -> Value {
        json::json(self)
    }

    /// What belongs in a file.
    pub(crate) fn file(&self, kind: ReportKind) -> String {
        match kind {
            ReportKind::Sarif => format!("{:#}\n", sarif::sarif(self)),
            ReportKind::CodeQuality => format!("{:#}\n", codequality::code_quality(self)),
            ReportKind::JUnit => junit::junit(self),
        }
    }

    /// Whether a finding makes the check fail.
    fn fails(&self, finding: &Finding) -> bool {
        self.fail_on != Level::Off && finding.level >= self.fail_on
    }

    /// What stays the same about a finding when lines move: its rule, its file, and the text it points at. A finding in a text that
    /// occurs several times is told from the others by its place among them.
    fn fingerprints<'f>(&self, findings: &'f [Finding]) -> Vec<(&'f Finding, String)> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for finding in findings {
            let excerpt = self.excerpts.at(&finding.place).map(|excerpt| {
                let words: Vec<&str> = excerpt.text.split_whitespace().collect();
                words.join(" ")
            });
            let about = finding
                .key
                .clone()
                .or(excerpt)
                .unwrap_or_else(|| finding.message.clone());
            let identity = format!(
                "{}\0{}\0{about}",
                finding.rule.code,
                self.folders.path(&finding.place.path)
            );
            let before = seen.entry(identity.clone()).or_default();
            let digest = Sha256::digest(format!("{identity}\0{before}"));
            *before += 1;
            let digits: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            all.push((finding, digits));
        }
        all
    }
}

impl Folders {
    /// A path below the repository, with `/` between names; as it is, where it lies elsewhere.
    fn path(&self, shown: &str) -> String {
        let whole = normal(&self.here.join(shown));
        let root = self.repository.as_deref().unwrap_or(&self.here);
        let path = whole.strip_prefix(normal(root)).unwrap_or(Path::new(shown));
        let names: Vec<_> = path
            .components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        names.join("/").replace("//", "/")
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// Whether a path is that of a file, and not a word for what is in no file.
fn is_file(path: &str) -> bool {
    !matches!(path, "" | "ENV" | "LABEL")
}

#[cfg(test)]
mod tests;
