//! `ALTER`: which change of which thing it is.

use super::words::Words;
use super::{Name, Risks, Scene, index, name};

/// What follows `ALTER TABLE … ADD` where it is no column.
const NO_COLUMN: [&str; 13] = [
    "constraint",
    "primary",
    "unique",
    "foreign",
    "check",
    "exclude",
    "index",
    "key",
    "fulltext",
    "spatial",
    "partition",
    "period",
    "system",
];

/// An `ALTER TABLE` that is being looked at.
pub(super) struct Change<'s> {
    pub(super) scene: &'s Scene<'s>,
    pub(super) table: Name,
    /// MySQL was told to refuse what it cannot do while others write.
    pub(super) is_online: bool,
}

impl Risks {
    pub(super) fn alter(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        if words.accept(&["default", "privileges"]) {
            if words.find(&["grant"]) {
                self.grant(scene, words.rest());
            }
            return;
        }
        if words.accept(&["type"]) {
            if let Some(name) = words.name() {
                self.alter_type(&name, words);
            }
            return;
        }
        if words.accept(&["domain"]) {
            return self.alter_domain(scene, words);
        }
        while words.accept_any(&["online", "offline", "ignore"]) {}
        if !words.accept(&["table"]) || words.are(&["all", "in"]) {
            return;
        }
        words.accept(&["if", "exists"]);
        words.accept(&["only"]);
        let Some(table) = words.name() else { return };
        words.accept_sign('*');
        let change = Change {
            scene,
            table,
            is_online: self.is_mysql() && index::is_online(words),
        };
        while let Some(action) = words.item() {
            self.action(&change, action);
        }
    }

    /// One of the actions between commas.
    fn action(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        if words.accept(&["add"]) {
            if words.is_any(&NO_COLUMN) {
                return self.add_constraint(change, words);
            }
            words.accept(&["column"]);
            self.add_column(change, words);
        } else if words.accept(&["drop"]) {
            self.drop_in_table(change, words);
        } else if words.accept(&["rename"]) {
            self.rename_in_table(change, words);
        } else if words.accept(&["alter"]) {
            words.accept(&["column"]);
            self.alter_column(change, words);
        } else if words.is_any(&["modify", "change"]) {
            self.define_anew(change, words);
        } else if words.accept(&["validate", "constraint"]) {
            self.validate(change, words);
        } else if self.is_mysql() && words.accept(&["truncate", "partition"]) {
            let span = words.since(0);
            let Some(partition) = words.name() else { return };
            let message = format!("partition {partition} of {} is emptied", change.table);
            self.emptied(change.scene, span, &change.table, message);
        }
    }

    /// `ALTER DOMAIN … ADD … CHECK` reads all tables that use it.
    fn alter_domain(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        let Some(domain) = words.name() else { return };
        let adds = words.mark();
        if !self.is_postgres() || !words.accept(&["add"]) {
            return;
        }
        let is_old = !name::is_created(&self.types, &domain.key);
        if is_old && words.has(&["check"]) && !words.has(&["not", "valid"]) {
            let message = format!("all tables with a column of domain {domain} are read while writers wait");
            let finding = self.found(scene, "R011", words.since(adds), message);
            let help = "add it NOT VALID, and say ALTER DOMAIN … VALIDATE CONSTRAINT in a later script";
            self.findings.push(finding.help(help));
        }
    }
}
