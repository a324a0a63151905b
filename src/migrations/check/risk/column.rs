//! R013, R014, R015, R022: columns that come, and columns that change.

use super::alter::Change;
use super::words::{Span, Words};
use super::{Level, Name, Risks};
use crate::sql::Dialect;

/// Types of PostgreSQL that bring a sequence.
const SERIAL: [&str; 6] = ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"];

/// Functions of PostgreSQL of which every row gets another value.
const VOLATILE: [&str; 14] = [
    "random",
    "gen_random_uuid",
    "gen_random_bytes",
    "gen_salt",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "txid_current",
    "pg_current_xact_id",
];

/// Those of MySQL and MariaDB.
const VOLATILE_MYSQL: [&str; 4] = ["uuid", "uuid_short", "rand", "random_bytes"];

/// Types to which a shorter one of their family is widened without a rewrite.
const WIDENED: [&str; 5] = ["text", "varchar", "character", "enum", "set"];

impl Risks {
    /// `ALTER TABLE … ADD [COLUMN]`, after these words.
    pub(super) fn add_column(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        let span = words.since(0);
        words.accept(&["if", "not", "exists"]);
        let Some(mut several) = words.parentheses() else {
            return self.new_column(change, span, words);
        };
        while let Some(column) = several.item() {
            self.new_column(change, span, column);
        }
    }

    fn new_column(&mut self, change: &Change<'_>, span: Span, mut words: Words<'_>) {
        let Some(column) = words.name() else { return };
        let table = &change.table;
        let is_serial = self.is_postgres() && words.is_any(&SERIAL);
        let is_identity = words.has(&["as", "identity"]);
        let is_generated = words.has(&["generated"]) || follows(words, "as", '(');
        let takes_numbers = self.is_mysql() && words.has(&["auto_increment"]);
        let counts = words.has(&["auto_increment"]) || words.has(&["identity"]) || words.has(&["autoincrement"]);
        let is_filled = is_serial || is_identity || is_generated || counts || has_default(words);
        if words.has(&["not", "null"]) && !is_filled {
            let message = match self.dialect {
                Dialect::MySql => {
                    format!("column {column} of {table} must not be null: the rows there are get 0 or ''")
                }
                _ => {
                    format!("column {column} of {table} must not be null, and the rows there are have no value for it")
                }
            };
            let finding = self.found(change.scene, "R013", span, message);
            let help =
                "give it a DEFAULT; or add it without NOT NULL, fill it, and make it NOT NULL in a later release";
            self.tell(table, finding.help(help));
        }
        self.computed(
            change,
            span,
            &column,
            words,
            is_serial || is_identity && self.is_postgres() || takes_numbers,
        );
        if !self.is_postgres() {
            return;
        }
        for (words_of, what) in [(&["references"][..], "a foreign key"), (&["check"], "a check")] {
            let mut at = words;
            if at.find(words_of) {
                let message = format!(
                    "{what} of column {column} is added to {table}, and all rows are checked while everybody waits"
                );
                let finding = self.found(change.scene, "R011", at.next_span(words_of.len()), message);
                let help = "add the column alone, then the constraint NOT VALID, and validate it in a later script";
                self.tell(table, finding.help(help));
            }
        }
        for (words_of, what) in [(&["unique"][..], "UNIQUE"), (&["primary", "key"], "PRIMARY KEY")] {
            let mut at = words;
            if at.find(words_of) {
                let message = format!(
                    "{what} ({}) is built on {table} while everybody who uses it waits",
                    column.written
                );
                let finding = self.found(change.scene, "R012", at.next_span(words_of.len()), message);
                let help = format!(
                    "add the column alone, then CREATE UNIQUE INDEX CONCURRENTLY … ON {} ({}); and ADD CONSTRAINT … {what} USING INDEX …",
                    table.written, column.written
                );
                self.tell(table, finding.help(help));
            }
        }
    }

    /// R022: a value that is worked out for each row, for which all of them are written anew.
    fn computed(&mut self, change: &Change<'_>, span: Span, column: &Name, words: Words<'_>, counts: bool) {
        let is_stored = words.has(&["stored"]) || words.has(&["persistent"]);
        let mut default = words;
        let functions = if self.is_mysql() {
            &VOLATILE_MYSQL[..]
        } else {
            &VOLATILE
        };
        let function = default
            .find(&["default"])
            .then(|| volatile(default, functions))
            .flatten();
        let rewrites = match self.dialect {
            Dialect::Postgres => counts || is_stored || function.is_some(),
            Dialect::MySql => !change.is_online && (counts || is_stored || function.is_some()),
            Dialect::Sqlite | Dialect::Unknown => false,
        };
        if !rewrites {
            return;
        }
        let table = &change.table;
        let how = match function {
            Some(function) => format!("by {function}()"),
            None if is_stored => "from other columns".to_owned(),
            None => "by a sequence".to_owned(),
        };
        let message =
            format!("column {column} is filled {how}, for which {table} is written anew while everybody waits");
        let help = if is_stored {
            "add a plain column, fill it in batches, and keep it up to date by a trigger or the program"
        } else {
            "add the column without a default, set the default after, and fill the rows there are in batches"
        };
        let finding = self.found(change.scene, "R022", span, message);
        self.tell(table, finding.help(help));
    }

    /// `ALTER [COLUMN]`, after these words.
    pub(super) fn alter_column(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        if !self.is_postgres() {
            return;
        }
        let Some(column) = words.name() else { return };
        let mark = words.mark();
        if words.accept(&["set", "not", "null"]) {
            return self.not_null(change, words.since(mark), &column);
        }
        words.accept(&["set", "data"]);
        if words.accept(&["type"]) {
            let span = words.since(mark);
            let may_be_wider = words.is_any(&WIDENED) || words.is_any(&["numeric", "decimal"]);
            let is_widened = may_be_wider && !words.has(&["using"]);
            self.retyped(change, span, &column, is_widened);
        }
    }

    /// R014: `NOT NULL` of a column that is there.
    pub(super) fn not_null(&mut self, change: &Change<'_>, span: Span, column: &Name) {
        let table = &change.table;
        if self.validated.contains(&table.key) {
            return;
        }
        let message =
            format!("column {column} of {table} is made NOT NULL, and all rows are read while everybody waits");
        let help = format!(
            "ALTER TABLE {0} ADD CONSTRAINT {1}_not_null CHECK ({2} IS NOT NULL) NOT VALID; and in a later script VALIDATE CONSTRAINT, SET NOT NULL, which then reads nothing (from PostgreSQL 12), and DROP CONSTRAINT",
            table.written,
            column.last(),
            column.written
        );
        let finding = self.found(change.scene, "R014", span, message);
        self.tell(table, finding.help(help));
    }

    /// R015: the type of a column that is there.
    fn retyped(&mut self, change: &Change<'_>, span: Span, column: &Name, is_widened: bool) {
        let table = &change.table;
        let finding = if is_widened {
            let message = format!("the type of {column} in {table} is changed, which is free only if it gets wider");
            self.found(change.scene, "R015", span, message).at(Level::Info)
        } else {
            let message = format!(
                "the type of {column} in {table} is changed, and the table is written anew while everybody waits"
            );
            self.found(change.scene, "R015", span, message)
        };
        let help = if self.is_mysql() {
            "end it with ALGORITHM=INPLACE, LOCK=NONE, which MySQL refuses where it would have to copy the table"
        } else {
            "add a column of the new type, write both, fill it in batches, and drop the old one in a later release"
        };
        self.tell(table, finding.help(help));
    }

    /// `MODIFY` and `CHANGE` (MySQL): the whole definition is said again.
    pub(super) fn define_anew(&mut self, change: &Change<'_>, mut words: Words<'_>) {
        let is_change = words.is("change");
        words.take();
        words.accept(&["column"]);
        if !self.is_mysql() {
            return;
        }
        let span = words.since(0);
        words.accept(&["if", "exists"]);
        let Some(column) = words.name() else { return };
        if is_change {
            let Some(to) = words.name() else { return };
            if to.key != column.key {
                return self.renamed_column(change, span, &column, &to);
            }
        }
        if !change.is_online {
            self.retyped(change, span, &column, words.is_any(&WIDENED));
        }
    }
}

/// Whether there is a default that is a value.
fn has_default(mut words: Words<'_>) -> bool {
    while words.find(&["default"]) {
        let is_action = words.mark() > 0 && words.all()[words.mark() - 1].is("set");
        words.take();
        if !is_action && !words.is("null") {
            return true;
        }
    }
    false
}

/// Whether a word is ahead that a sign follows.
fn follows(mut words: Words<'_>, word: &str, sign: char) -> bool {
    while words.find(&[word]) {
        words.take();
        if words.is_sign(sign) {
            return true;
        }
    }
    false
}

/// The first function ahead, at any depth, that gives every row another value.
fn volatile(mut words: Words<'_>, functions: &[&str]) -> Option<String> {
    while let Some(token) = words.take() {
        if words.is_sign('(') && functions.iter().any(|function| token.is(function)) {
            return Some(token.text.to_ascii_lowercase());
        }
    }
    None
}
