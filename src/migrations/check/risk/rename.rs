//! R016: new names, which the program that still runs does not know.

use super::alter::Change;
use super::words::{Span, Words};
use super::{Name, Risks, Scene};

impl Risks {
    /// `RENAME TABLE a TO b, c TO d` (MySQL).
    pub(super) fn rename_tables(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        if !self.is_mysql() || !words.accept_any(&["table", "tables"]) {
            return;
        }
        let span = words.since(0);
        while let Some(mut item) = words.item() {
            item.accept(&["if", "exists"]);
            if let Some(from) = item.name()
                && item.accept(&["to"])
                && let Some(to) = item.name()
            {
                self.renamed(scene, span, &from, to);
            }
        }
    }

    /// `ALTER TABLE … RENAME`, after this word.
    pub(super) fn rename_in_table(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        if words.is_any(&["constraint", "index", "key", "partition"]) {
            return;
        }
        if words.accept_any(&["to", "as"]) {
            let span = words.since(0);
            if let Some(to) = words.name() {
                self.renamed(change.scene, span, &change.table, to);
            }
            return;
        }
        words.accept(&["column"]);
        let span = words.since(0);
        words.accept(&["if", "exists"]);
        let Some(from) = words.name() else { return };
        if words.accept(&["to"]) {
            let Some(to) = words.name() else { return };
            self.renamed_column(change, span, &from, &to);
        } else if self.is_mysql() {
            self.renamed(change.scene, span, &change.table, from);
        }
    }

    pub(super) fn renamed_column(&mut self, change: &Change<'_>, span: Span, from: &Name, to: &Name) {
        if from.key == to.key {
            return;
        }
        let message = format!("column {from} of {} is renamed to {to}", change.table);
        let finding = self.found(change.scene, "R016", span, message).help(
            "the program that still runs asks for the old name: add the new column, write both, and drop the old one in a later release",
        );
        self.tell(&change.table, finding);
    }

    fn renamed(&mut self, scene: &Scene<'_>, span: Span, from: &Name, to: Name) {
        if self.is_new(from) {
            let is_dropped = |finding: &&super::Finding| finding.rule.code == "R001";
            let mut dropped = self.findings.iter().filter(is_dropped);
            if dropped.any(|finding| finding.table.as_ref() == Some(&to.key)) {
                // The table was rebuilt: nothing is lost, and its rows are those of before.
                self.replaced.insert(to.key);
            } else {
                self.creates.insert(to.key);
            }
            return;
        }
        let message = format!("table {from} is renamed to {to}");
        let help = format!(
            "the program that still runs asks for the old name: leave a view behind, CREATE VIEW {} AS SELECT * FROM {}",
            from.written, to.written
        );
        let finding = self.found(scene, "R016", span, message).help(help);
        self.tell(from, finding);
    }
}
