//! What the image's history says of each step.

use std::collections::BTreeMap;

use super::layer::Layer;
use crate::oci::History;
use crate::recipe::{Change, ImagePath};

/// The program's name in the history. Without its version: another version that packs the same is the same image.
pub const COMMENT: &str = "shipway";

/// Tells what was done.
#[derive(Debug)]
pub(super) struct Told<'a> {
    layers: &'a [Layer],
    created: &'a str,
}

impl<'a> Told<'a> {
    pub(super) fn new(layers: &'a [Layer], created: &'a str) -> Self {
        Self { layers, created }
    }

    /// The layers of files no instruction names.
    pub(super) fn files(&self) -> Vec<History> {
        let of_files = self.layers.iter().filter(|layer| !layer.of_instruction);
        of_files
            .map(|layer| self.entry(describe(&layer.files), false))
            .collect()
    }

    /// A change of the config.
    pub(super) fn change(&self, change: &Change) -> Option<History> {
        Some(self.entry(instruction(change)?, true))
    }

    /// An instruction of a Dockerfile, with or without a layer.
    pub(super) fn instruction(&self, text: &str, is_empty: bool) -> History {
        self.entry(text.to_owned(), is_empty)
    }

    fn entry(&self, created_by: String, empty_layer: bool) -> History {
        History {
            created: Some(self.created.to_owned()),
            created_by: Some(created_by),
            comment: Some(COMMENT.to_owned()),
            empty_layer,
        }
    }
}

/// `COPY 12 files to /flyway/sql`.
fn describe(files: &[ImagePath]) -> String {
    if let [only] = files {
        return format!("COPY {only}");
    }
    let mut folders: BTreeMap<ImagePath, usize> = BTreeMap::new();
    for file in files {
        *folders.entry(file.parent().unwrap_or_default()).or_default() += 1;
    }
    let parts: Vec<String> = folders
        .iter()
        .map(|(folder, count)| format!("{count} {} to {folder}", if *count == 1 { "file" } else { "files" }))
        .collect();
    match parts.len() {
        0 => "WORKDIR".to_owned(),
        // A history of hundreds of folders helps nobody.
        1..=8 => format!("COPY {}", parts.join(", ")),
        more => format!("COPY {} files to {more} folders", files.len()),
    }
}

/// The Dockerfile instruction that would do the same.
fn instruction(change: &Change) -> Option<String> {
    let list = |arguments: &[String]| serde_json::to_string(arguments).unwrap_or_default();
    Some(match change {
        Change::Environment { name, value, .. } => format!("ENV {name}={value}"),
        Change::WorkingDirectory(path) => format!("WORKDIR {path}"),
        Change::User(user) => format!("USER {user}"),
        Change::Entrypoint { arguments, .. } => format!("ENTRYPOINT {}", list(arguments)),
        Change::Command(arguments) => format!("CMD {}", list(arguments)),
        // Labels speak for themselves, in the config; the rest comes from Dockerfiles only, and is told as written.
        Change::Label { .. }
        | Change::Expose(_)
        | Change::Volumes(_)
        | Change::Healthcheck(_)
        | Change::Shell(_)
        | Change::StopSignal(_)
        | Change::OnBuild(_)
        | Change::NoOnBuild
        | Change::Author(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_say_what_they_hold() {
        let path = |text: &str| text.parse::<ImagePath>().expect(text);
        assert_eq!(describe(&[path("/a/b")]), "COPY /a/b");
        assert_eq!(
            describe(&[path("/a/b"), path("/a/c"), path("/d/e")]),
            "COPY 2 files to /a, 1 file to /d"
        );
        let many: Vec<ImagePath> = (0..20).map(|number| path(&format!("/{number}/x"))).collect();
        assert_eq!(describe(&many), "COPY 20 files to 20 folders");
    }
}
