//! R003: all rows of a table at once.

use super::words::{Span, Words};
use super::{Name, Risks, Scene};

/// Words between `UPDATE` or `DELETE` and the table.
const BEFORE_TABLE: [&str; 6] = ["low_priority", "quick", "ignore", "history", "from", "only"];

/// What says which rows are meant, or how many: a join does, in MySQL.
const CONDITIONS: [&str; 3] = ["where", "limit", "join"];

impl Risks {
    /// `TRUNCATE`, `DELETE` and `UPDATE`, and `WITH` before the last two.
    pub(super) fn rows(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        // What would be a condition may be in the part that was not kept.
        let size = scene.statement.end - scene.statement.start;
        if size > scene.statement.text.len() as u64 {
            return;
        }
        if words.is("truncate") {
            return self.truncate(scene, words);
        }
        if words.accept(&["with"]) {
            words.accept(&["recursive"]);
            while let Some(token) = words.peek() {
                if token.is("select") || token.is("insert") || token.is("values") {
                    return;
                }
                if token.is("delete") || token.is("update") {
                    break;
                }
                if let Some(inside) = words.parentheses() {
                    self.all_rows(scene, inside);
                } else {
                    words.take();
                }
            }
        }
        self.all_rows(scene, words.rest());
    }

    /// `DELETE` or `UPDATE` without a condition; anything else says nothing.
    fn all_rows(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        let deletes = words.is("delete");
        if !words.accept_any(&["delete", "update"]) {
            return;
        }
        let span = words.since(0);
        while words.accept_any(&BEFORE_TABLE) {}
        let Some(table) = words.name() else { return };
        if CONDITIONS.iter().any(|word| words.has(&[word])) {
            return;
        }
        if table.key.starts_with("sqlite_") || !deletes && !words.has(&["set"]) {
            return;
        }
        let message = if deletes {
            format!("all rows of {table} are deleted")
        } else {
            format!("all rows of {table} are changed at once")
        };
        let help = if deletes {
            "add a WHERE; if all of them are meant, say so in a comment: -- shipway:allow R003 reason"
        } else {
            "add a WHERE, and on a large table change the rows in batches, each in its own transaction"
        };
        let finding = self.found(scene, "R003", span, message);
        self.tell(&table, finding.help(help));
    }

    fn truncate(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        words.accept(&["table"]);
        let span = words.since(0);
        loop {
            words.accept(&["only"]);
            let Some(table) = words.name() else { return };
            self.emptied(scene, span, &table, format!("table {table} is emptied"));
            words.accept_sign('*');
            if !words.accept_sign(',') {
                return;
            }
        }
    }

    /// Tells that rows are gone without anybody saying which.
    pub(super) fn emptied(&mut self, scene: &Scene<'_>, span: Span, table: &Name, message: String) {
        let finding = self.found(scene, "R003", span, message);
        let help = "if that is meant, say so in a comment: -- shipway:allow R003 reason";
        self.tell(table, finding.help(help));
    }
}
