//! A log, line by line.

use serde_json::Value;

use super::Report;
use super::atlas::Atlas;
use super::dbmate::Dbmate;
use super::document::{Documents, Taken};
use super::flyway::Flyway;
use super::golang_migrate::GolangMigrate;
use super::goose::Goose;
use super::line::plain;
use super::liquibase::Liquibase;

/// Reads a log line by line, and tells what a migration tool says in it.
///
/// Whatever the log holds, the memory it takes is limited, and nothing it cannot read stops it. Where several tools seem to speak, the
/// first one is heard: a script may print what it likes.
#[derive(Debug, Default)]
pub struct Reader {
    documents: Documents,
    flyway: Flyway,
    liquibase: Liquibase,
    dbmate: Dbmate,
    goose: Goose,
    golang_migrate: GolangMigrate,
    atlas: Atlas,
    first: Option<Voice>,
}

#[derive(Debug, Clone, Copy)]
enum Voice {
    Flyway,
    Liquibase,
    Dbmate,
    Goose,
    GolangMigrate,
    Atlas,
}

impl Reader {
    /// Takes a line, or several with their ends, as they came.
    pub fn line(&mut self, text: &str) {
        for line in text.split('\n') {
            match self.documents.line(line) {
                Taken::No => self.text(&plain(line)),
                Taken::Part => {}
                Taken::Whole(document) => self.document(&document),
            }
        }
    }

    /// What the tool says it did; `None` where no tool is known to have spoken.
    #[must_use]
    pub fn finish(self) -> Option<Report> {
        match self.first? {
            Voice::Flyway => self.flyway.finish(),
            Voice::Liquibase => self.liquibase.finish(),
            Voice::Dbmate => self.dbmate.finish(),
            Voice::Goose => self.goose.finish(),
            Voice::GolangMigrate => self.golang_migrate.finish(),
            Voice::Atlas => self.atlas.finish(),
        }
    }

    fn text(&mut self, line: &str) {
        // Each hears every line: which one speaks may be known later than what it said first.
        let heard = [
            (self.flyway.line(line), Voice::Flyway),
            (self.liquibase.line(line), Voice::Liquibase),
            (self.dbmate.line(line), Voice::Dbmate),
            (self.goose.line(line), Voice::Goose),
            (self.golang_migrate.line(line), Voice::GolangMigrate),
            (self.atlas.line(line), Voice::Atlas),
        ];
        let first = heard
            .into_iter()
            .find(|(is_heard, _)| *is_heard)
            .map(|(_, voice)| voice);
        self.first = self.first.or(first);
    }

    fn document(&mut self, document: &Value) {
        if self.flyway.document(document) {
            self.first.get_or_insert(Voice::Flyway);
        } else if self.atlas.document(document) {
            self.first.get_or_insert(Voice::Atlas);
        } else {
            // A log whose every line is an object of its own.
            let keys = ["message", "msg", "log"];
            let message = keys.iter().find_map(|key| document.get(key).and_then(Value::as_str));
            let message = message.map(|message| message.strip_suffix('\n').unwrap_or(message));
            for line in message.into_iter().flat_map(|message| message.split('\n')) {
                self.text(&plain(line));
            }
        }
    }
}
