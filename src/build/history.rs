//! What the image's history says of each step.

use std::collections::BTreeMap;

use super::layer::Layer;
use crate::oci::History;
use crate::recipe::{ImagePath, Step};

/// The program's name in the history. Without its version: another version that packs the same is the same image.
pub const COMMENT: &str = "shipway";

/// Entries for the layers, then one for each step that changed the config only. `applied` are the steps that changed
/// something.
pub(super) fn entries(applied: &[&Step], layers: &[Layer], created: &str) -> Vec<History> {
    let entry = |created_by: String, empty_layer| History {
        created: Some(created.to_owned()),
        created_by: Some(created_by),
        comment: Some(COMMENT.to_owned()),
        empty_layer,
    };
    let of_layers = layers.iter().map(|layer| entry(describe(&layer.files), false));
    let of_steps = applied
        .iter()
        .filter_map(|step| instruction(step))
        .map(|text| entry(text, true));
    of_layers.chain(of_steps).collect()
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
fn instruction(step: &Step) -> Option<String> {
    let list = |arguments: &[String]| serde_json::to_string(arguments).unwrap_or_default();
    Some(match step {
        Step::Environment { name, value, .. } => format!("ENV {name}={value}"),
        Step::WorkingDirectory(path) => format!("WORKDIR {path}"),
        Step::User(user) => format!("USER {user}"),
        Step::Entrypoint { arguments, .. } => format!("ENTRYPOINT {}", list(arguments)),
        Step::Command(arguments) => format!("CMD {}", list(arguments)),
        // Labels speak for themselves, in the config.
        Step::Files(_) | Step::Label { .. } => return None,
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
