//! R001 and R002: what is dropped, and does not come back.

use super::alter::Change;
use super::words::{Span, Words};
use super::{Name, Risks, Scene, name};

/// What follows `ALTER TABLE … DROP` where it is no column.
const NO_COLUMN: [&str; 11] = [
    "constraint",
    "index",
    "key",
    "primary",
    "foreign",
    "check",
    "partition",
    "period",
    "system",
    "default",
    "unique",
];

impl Risks {
    pub(super) fn drop(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        let is_temporary = words.accept_any(&["temporary", "temp"]);
        if words.accept(&["index"]) {
            return self.drop_index(scene, words);
        }
        let is_table = words.is_any(&["table", "tables"]);
        let kind = words.peek();
        if is_temporary || !words.accept_any(&["table", "tables", "schema", "database"]) {
            return;
        }
        let span = words.since(0);
        words.accept(&["if", "exists"]);
        while let Some(name) = words.name() {
            self.dropped(scene, span, &name, is_table, kind.map_or("", |kind| kind.text));
            if !words.accept_sign(',') {
                break;
            }
        }
    }

    fn dropped(&mut self, scene: &Scene<'_>, span: Span, dropped: &Name, is_table: bool, kind: &str) {
        if !is_table {
            if !name::is_created(&self.schemas, &dropped.key) {
                let message = format!(
                    "{} {dropped} is dropped, with all that is in it",
                    kind.to_ascii_lowercase()
                );
                let finding = self.found(scene, "R001", span, message);
                self.findings.push(finding);
            }
            return;
        }
        let message = format!("table {dropped} is dropped, with its rows");
        let finding = self.found(scene, "R001", span, message).help(
            "drop it in a later release, once no running program reads it and a copy is kept; say so in a comment: -- shipway:allow R001 reason",
        );
        self.tell(dropped, finding);
        // What comes under its name from here on in this script is not the table that was shipped.
        self.temporary.remove(&dropped.key);
    }

    /// `ALTER TABLE … DROP`, after this word.
    pub(super) fn drop_in_table(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        let table = &change.table;
        if self.is_mysql() && words.accept(&["partition"]) {
            let Some(partition) = words.name() else { return };
            let message = format!("partition {partition} of {table} is dropped, with its rows");
            let finding = self.found(change.scene, "R001", words.since(0), message);
            return self.tell(table, finding);
        }
        if words.is("constraint") {
            // The check that made NOT NULL cheap goes once it has served.
            self.unchecked.insert(table.key.clone());
        }
        let is_said = words.accept(&["column"]);
        let span = words.since(0);
        if !is_said && words.is_any(&NO_COLUMN) {
            return;
        }
        words.accept(&["if", "exists"]);
        // SQL Server and Oracle name several in parentheses.
        let mut inner = words.parentheses().unwrap_or(words);
        let Some(column) = inner.name() else { return };
        let message = format!("column {column} of {table} is dropped, with what is in it");
        let finding = self
            .found(change.scene, "R002", span, message)
            .help("ship a release of the program that no longer names the column first, then drop it");
        self.tell(table, finding);
    }
}
