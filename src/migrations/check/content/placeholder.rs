//! Placeholders without a value (C003), and such that make a checksum change (C004).

use std::collections::BTreeSet;

use super::Scene;
use crate::migrations::check::Finding;
use crate::migrations::flyway::config;
use crate::migrations::flyway::name::Kind;
use crate::migrations::flyway::placeholder::{Finding as Search, Part};
use crate::sql::Lines;

/// What Flyway gives a value itself, after `flyway:`.
const OWN: [&str; 8] = [
    "defaultschema",
    "user",
    "database",
    "timestamp",
    "filename",
    "workingdirectory",
    "table",
    "environment",
];

/// The placeholders of one script.
#[derive(Debug)]
pub(super) struct Placeholders<'a> {
    config: &'a config::Placeholders,
    search: Search,
    /// Behind the last part.
    lines: Lines,
    names: BTreeSet<String>,
}

impl<'a> Placeholders<'a> {
    pub(super) fn new(config: &'a config::Placeholders) -> Self {
        Self {
            config,
            search: Search::new(&config.prefix, &config.suffix),
            lines: Lines::FIRST,
            names: BTreeSet::new(),
        }
    }

    pub(super) fn text(&mut self, scene: Scene<'_>, text: &str, findings: &mut Vec<Finding>) {
        let Self {
            config,
            search,
            lines,
            names,
        } = self;
        search.update(text, |part| match part {
            Part::Text(text) => lines.advance(text.as_bytes()),
            Part::Prefix(characters) => lines.column += characters.len() as u64,
            Part::Name(name) => {
                let place = *lines;
                for text in [config.prefix.as_str(), name, config.suffix.as_str()] {
                    lines.advance(text.as_bytes());
                }
                let lower = name.to_lowercase();
                if !names.contains(&lower) {
                    let width = [&config.prefix, name, &config.suffix].map(|text| text.chars().count());
                    let place = scene.place(place, width.iter().sum());
                    findings.extend(look(scene, config, name, &lower).map(|finding| Finding { place, ..finding }));
                    names.insert(lower);
                }
            }
        });
    }

    /// Ends the script; returns the names.
    pub(super) fn finish(self, scene: Scene<'_>, is_text: bool, findings: &mut Vec<Finding>) -> BTreeSet<String> {
        if is_text && self.search.is_open() {
            let width = self.config.prefix.chars().count();
            let message = format!(
                "the placeholder that begins here has no {:?} behind its name",
                self.config.suffix
            );
            findings.push(Finding::new("C003", scene.place(self.lines, width), message));
        }
        self.names
    }
}

fn look(scene: Scene<'_>, config: &config::Placeholders, name: &str, lower: &str) -> Option<Finding> {
    let place = crate::migrations::check::Place::default();
    let written = format!("{}{name}{}", config.prefix, config.suffix);
    let is_repeatable = matches!(scene.entry.kind, Kind::Repeatable { .. });
    if let Some(own) = lower.strip_prefix("flyway:") {
        if own == "timestamp" && is_repeatable {
            let message = format!("{written} differs each time, so that the migration runs each time");
            return Some(
                Finding::new("C004", place, message).help("now() of the database does not change the checksum"),
            );
        }
        if OWN.contains(&own) {
            return None;
        }
    }
    match config.values.get(lower) {
        None => {
            let message = format!("nobody gives the placeholder {written} a value: Flyway will stop here");
            let help = format!(
                "set flyway.placeholders.{name}, promise it with placeholders in [check] of shipway.toml if it comes with the environment of \
                 the task, or switch the replacement off for this script"
            );
            Some(Finding::new("C003", place, message).help(help))
        }
        Some(None) if is_repeatable => {
            let message = format!(
                "the value of {written} comes from outside of the image: the migration runs again when it changes"
            );
            Some(Finding::new("C004", place, message))
        }
        Some(_) => None,
    }
}
