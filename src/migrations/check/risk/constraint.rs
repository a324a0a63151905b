//! R011 and R012: constraints that are checked, or built, while others wait. R014 for one of them.

use super::alter::Change;
use super::words::Words;
use super::{Name, Risks};

/// What kind of constraint follows, where no name does.
const KINDS: [&str; 6] = ["foreign", "check", "unique", "primary", "exclude", "not"];

impl Risks {
    /// `ALTER TABLE … ADD`, after this word, where no column follows.
    pub(super) fn add_constraint(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        let mut name = None;
        if words.accept(&["constraint"]) {
            words.accept(&["if", "not", "exists"]);
            if !words.is_any(&KINDS) {
                name = words.name();
            }
        }
        let kind = words.mark();
        if words.accept(&["foreign", "key"]) {
            let span = words.since(kind);
            self.checked(change, words, span, name, "a foreign key");
        } else if words.accept(&["check"]) {
            let span = words.since(kind);
            self.checked(change, words, span, name, "a check");
        } else if words.accept(&["unique"]) || words.accept(&["primary", "key"]) {
            let what = if words.all()[kind].is("unique") {
                "UNIQUE"
            } else {
                "PRIMARY KEY"
            };
            self.built(change, words, kind, name, what);
        } else if words.accept(&["not", "null"]) && self.is_postgres() && !words.has(&["not", "valid"]) {
            let span = words.since(kind);
            if let Some(column) = words.name() {
                self.not_null(change, span, &column);
            }
        } else if self.is_mysql() && words.accept_any(&["fulltext", "spatial"]) && !change.is_online {
            let message = format!(
                "an index is made on {} while everybody who writes to it waits",
                change.table
            );
            let finding = self.found(change.scene, "R010", words.since(kind), message);
            let help = "make it when nobody writes: MySQL has no other way for this kind of index";
            self.tell(&change.table, finding.help(help));
        }
    }

    /// A constraint of which all rows are asked.
    fn checked(
        &mut self,
        change: &Change<'_>,
        words: Words<'_>,
        span: super::words::Span,
        name: Option<Name>,
        what: &str,
    ) {
        let table = &change.table;
        let is_valid_later = words.has(&["not", "valid"]);
        if self.is_postgres() && is_valid_later {
            self.unvalidated.extend(name.map(|name| (table.key.clone(), name.key)));
            return;
        }
        let kind = what.trim_start_matches("a ");
        let shown = name
            .as_ref()
            .map_or_else(|| what.to_owned(), |name| format!("{kind} {name}"));
        if self.is_postgres() {
            if what == "a check" && says_not_null(words) {
                self.validated.insert(table.key.clone());
            }
            let message = format!("{shown} is added to {table}, and all rows are checked while writers wait");
            let constraint = name.map_or_else(|| "…".to_owned(), |name| name.written);
            let help = format!(
                "end it with NOT VALID, and in a later script: ALTER TABLE {} VALIDATE CONSTRAINT {constraint};",
                table.written
            );
            let finding = self.found(change.scene, "R011", span, message);
            self.tell(table, finding.help(help));
        } else if self.is_mysql() && !change.is_online {
            let is_key = what == "a foreign key";
            let is_free = if is_key {
                self.unchecked_keys
            } else {
                words.has(&["not", "enforced"])
            };
            if is_free {
                return;
            }
            let message = format!("{shown} is added to {table}, which copies the table while writers wait");
            let help = if is_key {
                "say SET foreign_key_checks = 0; before and = 1; after, when the rows are known to be right, and ALGORITHM=INPLACE"
            } else {
                "make it when nobody writes: MySQL and MariaDB have no other way"
            };
            let finding = self.found(change.scene, "R011", span, message);
            self.tell(table, finding.help(help));
        }
    }

    /// A constraint with an index of its own.
    fn built(&mut self, change: &Change<'_>, mut words: Words<'_>, kind: usize, name: Option<Name>, what: &str) {
        let table = &change.table;
        let span = words.since(kind);
        let mut index = words;
        let uses_index = index.find(&["using", "index"]) && !index.are(&["using", "index", "tablespace"]);
        if !self.is_postgres() || uses_index {
            return;
        }
        words.accept(&["nulls", "distinct"]);
        words.accept(&["nulls", "not", "distinct"]);
        let columns = words
            .parentheses()
            .map_or_else(|| "…".to_owned(), |columns| columns.line());
        let last = table.last();
        let constraint = name.map_or_else(
            || format!("{last}_{}", if what == "UNIQUE" { "key" } else { "pkey" }),
            |name| name.written,
        );
        let message = format!("{what} ({columns}) is built on {table} while everybody who uses it waits");
        let help = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {last}_index ON {} ({columns}); in a script outside a transaction, then ALTER TABLE {} ADD CONSTRAINT {constraint} {what} USING INDEX {last}_index;",
            table.written, table.written
        );
        let finding = self.found(change.scene, "R012", span, message);
        self.tell(table, finding.help(help));
    }

    /// `VALIDATE CONSTRAINT`, after these words.
    pub(super) fn validate(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        let span = words.since(0);
        let Some(name) = words.name() else { return };
        let table = &change.table;
        self.validated.insert(table.key.clone());
        if self.unvalidated.remove(&(table.key.clone(), name.key.clone())) && !self.is_new(table) {
            let message = format!("{name} is validated in the transaction that adds it to {table}, and writers wait");
            let help = "validate it in a script of its own: the lock taken to add it lasts until the commit";
            let mut finding = self.found(change.scene, "R011", span, message).help(help);
            finding.table = Some(table.key.clone());
            self.of_transaction.push(finding);
        }
    }
}

/// Whether a check says that something is not null.
fn says_not_null(words: Words<'_>) -> bool {
    let Some(mut inside) = words.rest().parentheses() else {
        return false;
    };
    while inside.peek().is_some() {
        if inside.are(&["is", "not", "null"]) {
            return true;
        }
        inside.take();
    }
    false
}
