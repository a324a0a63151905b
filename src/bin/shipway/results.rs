//! What a command leaves for scripts: lines or JSON on standard output, and files, written only after success.

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use shipway::content::{Delivered, Status};
use shipway::oci::{Descriptor, Digest, Reference};

mod build;
mod check;
mod copy;
mod diff;
mod files;
#[cfg(feature = "aws")]
mod history;
#[cfg(any(feature = "aws", feature = "daemon"))]
mod migrations;
#[cfg(feature = "daemon")]
mod run;
#[cfg(feature = "aws")]
mod run_files;
#[cfg(feature = "aws")]
mod view;

pub(crate) use build::BuildResult;
pub(crate) use check::{CheckResult, Folders, ReportKind, explain, explain_all};
pub(crate) use copy::CopyResult;
pub(crate) use diff::{DiffResult, DiffSide};
pub(crate) use files::{FileKind, ResultFiles};
#[cfg(feature = "aws")]
pub(crate) use history::{history_json, record_lines};
#[cfg(any(feature = "aws", feature = "daemon"))]
pub(crate) use migrations::migrations_json;
#[cfg(feature = "daemon")]
pub(crate) use run::{history_lines, run_json};
#[cfg(feature = "aws")]
pub(crate) use run_files::{RunFile, run_file};
#[cfg(feature = "aws")]
pub(crate) use view::{followed_json, view_json, view_lines};

/// What is told of every image that went somewhere.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The image.
    pub(crate) root: Descriptor,
    /// Repositories with the digest that is there now, in the order of the command line.
    pub(crate) images: Vec<Reference>,
    /// The names with their tags.
    pub(crate) tags: Vec<String>,
    /// What was written besides.
    pub(crate) outputs: Vec<String>,
    /// One word for what happened.
    pub(crate) status: &'static str,
    /// The config, where it is known and there is one.
    pub(crate) config: Option<Digest>,
}

impl Summary {
    /// The lines of the text form.
    pub(crate) fn text(&self) -> String {
        if self.images.is_empty() {
            return format!("{}\n", self.root.digest);
        }
        self.references()
    }

    /// The members of the JSON form that every command has.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let images: Vec<String> = self.images.iter().map(ToString::to_string).collect();
        Map::from_iter([
            ("digest".to_owned(), json!(self.root.digest)),
            ("mediaType".to_owned(), json!(self.root.media_type)),
            ("size".to_owned(), json!(self.root.size)),
            ("images".to_owned(), json!(images)),
            ("tags".to_owned(), json!(self.tags)),
            ("status".to_owned(), json!(self.status)),
            ("outputs".to_owned(), json!(self.outputs)),
        ])
    }

    /// What belongs in a file.
    fn content(&self, kind: FileKind) -> anyhow::Result<String> {
        Ok(match kind {
            FileKind::Digest => format!("{}\n", self.root.digest),
            FileKind::References => self.references(),
            FileKind::Dotenv => self.dotenv(),
            FileKind::NamedDigests => {
                self.names(|name| name.rsplit_once(':').map_or(name, |(repository, _)| repository))
            }
            FileKind::TaggedDigests => self.names(|name| name),
            FileKind::Metadata => {
                let text = serde_json::to_string_pretty(&self.metadata()).context("cannot write the metadata")?;
                format!("{text}\n")
            }
        })
    }

    fn references(&self) -> String {
        self.images.iter().map(|image| format!("{image}\n")).collect()
    }

    /// A line for each name that is in a repository, with the digest.
    fn names(&self, part: impl Fn(&str) -> &str) -> String {
        let full = self.tags.iter().filter(|name| name.contains(':'));
        full.map(|name| format!("{}@{}\n", part(name), self.root.digest))
            .collect()
    }

    /// No quotes and no spaces around `=`: GitLab reads the file, not a shell.
    fn dotenv(&self) -> String {
        let digest = self.root.digest;
        let image = self.images.first();
        let image = image.map_or_else(|| digest.to_string(), ToString::to_string);
        let tags: Vec<&str> = self.tags.iter().filter_map(|name| name.rsplit(':').next()).collect();
        format!(
            "SHIPWAY_IMAGE={image}\nSHIPWAY_DIGEST={digest}\nSHIPWAY_TAGS={}\n",
            tags.join(" ")
        )
    }

    /// The keys of buildx's metadata file.
    fn metadata(&self) -> Map<String, Value> {
        let root = &self.root;
        let descriptor = json!({"mediaType": root.media_type, "digest": root.digest, "size": root.size});
        let mut metadata = Map::from_iter([
            ("containerimage.descriptor".to_owned(), descriptor),
            ("containerimage.digest".to_owned(), json!(root.digest)),
        ]);
        if let Some(config) = self.config {
            metadata.insert("containerimage.config.digest".to_owned(), json!(config));
        }
        if !self.tags.is_empty() {
            metadata.insert("image.name".to_owned(), json!(self.tags.join(",")));
        }
        metadata
    }
}

/// One word for what became of several deliveries, to registries or only to files.
pub(crate) fn status(delivered: &[Delivered], is_pushed: bool) -> &'static str {
    let all = |status| delivered.iter().all(|delivered| delivered.status == status);
    if all(Status::DryRun) {
        "dry-run"
    } else if all(Status::Unchanged) {
        "unchanged"
    } else if is_pushed {
        "pushed"
    } else {
        "written"
    }
}

/// A text on one line, without what a terminal would obey.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
