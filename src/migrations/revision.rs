//! Steps of the tools that number files: dbmate, golang-migrate, goose and Atlas.

use super::flyway::name::{Kind, Reason};
use super::inventory::Listed;
use super::tool::Tool;
use super::{atlas, dbmate, golang_migrate, goose};

/// Where a file leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// To this version.
    Up,
    /// Back from it; only a person who asks for it runs that.
    Down,
}

/// The folder of the image in which a tool looks for scripts, as its profile says.
fn folder(tool: &Tool) -> Option<&'static str> {
    match tool {
        Tool::Dbmate => Some(dbmate::FOLDER),
        Tool::GolangMigrate => Some(golang_migrate::FOLDER),
        Tool::Goose => Some(goose::FOLDER),
        Tool::Atlas => Some(atlas::FOLDER),
        Tool::Liquibase(_) => Some(super::liquibase::FOLDER),
        Tool::Flyway(_) | Tool::Unknown => None,
    }
}

/// The path of a file below the folder in which the tool looks.
///
/// Files that were read from an image have paths below its root.
pub(super) fn path_below<'a>(tool: &Tool, file: &'a Listed) -> &'a str {
    let inside = folder(tool).and_then(|folder| file.image_path.strip_prefix(folder)?.strip_prefix('/'));
    inside.unwrap_or(&file.path)
}

/// What such a tool makes of a file, by its path below the folder of scripts.
#[must_use]
pub fn classify(tool: &Tool, path: &str) -> Kind {
    let of_name = match tool {
        Tool::Dbmate => dbmate::classify,
        Tool::GolangMigrate => golang_migrate::classify,
        Tool::Goose => goose::classify,
        Tool::Atlas => atlas::classify,
        Tool::Flyway(_) | Tool::Liquibase(_) | Tool::Unknown => return Kind::Other,
    };
    // None of them looks into folders.
    match path.contains('/') {
        true => Kind::Ignored { reason: Reason::Below },
        false => of_name(path),
    }
}

/// A step with what its name says, words joined by underscores.
pub(super) fn step(version: impl Into<String>, description: &str, direction: Direction) -> Kind {
    Kind::Revision {
        version: version.into(),
        description: description.replace('_', " ").trim().to_owned(),
        direction,
    }
}

/// A file the tool passes over.
pub(super) fn ignored(why: &'static str) -> Kind {
    Kind::Ignored {
        reason: Reason::Tool(why),
    }
}

/// The digits a name begins with.
pub(super) fn digits(name: &str) -> &str {
    let end = name.find(|character: char| !character.is_ascii_digit());
    &name[..end.unwrap_or(name.len())]
}

/// Digits without zeros before them, as a tool that reads a number shows them.
pub(super) fn canonical(digits: &str) -> &str {
    let shortest = digits.trim_start_matches('0');
    if shortest.is_empty() && !digits.is_empty() {
        "0"
    } else {
        shortest
    }
}

#[cfg(test)]
mod tests;
