//! R010: indexes that keep writers waiting.

use super::words::{Words, line};
use super::{Name, Risks, Scene, name};
use crate::sql::Dialect;

/// A longer statement is not said again in a help.
const LONGEST_EXAMPLE: usize = 160;

impl Risks {
    /// `CREATE [UNIQUE] INDEX`, from the word after `CREATE`.
    pub(super) fn create_index(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        // CREATE stands before.
        let create = words.mark() - 1;
        let copies = words.is_any(&["fulltext", "spatial"]);
        words.accept_any(&["unique", "fulltext", "spatial"]);
        if !words.accept(&["index"]) {
            return;
        }
        let after = words.mark();
        let span = words.since(create);
        let is_concurrent = words.accept(&["concurrently"]);
        words.accept(&["if", "not", "exists"]);
        let name = if words.is("on") { None } else { words.name() };
        // MySQL says the kind of index before the table too.
        words.find(&["on"]);
        words.take();
        let is_only = words.accept(&["only"]);
        let Some(table) = words.name() else { return };
        if self.is_new(&table) {
            self.indexes.extend(name.map(|name| name.key));
            return;
        }
        let blocks = match self.dialect {
            // On a partitioned table alone it is no work; the partitions follow one by one.
            Dialect::Postgres => !is_concurrent && !is_only && !copies,
            Dialect::MySql => !is_online(words) && (copies || is_blocking(words)),
            Dialect::Sqlite | Dialect::Unknown => false,
        };
        if !blocks {
            return;
        }
        let what = name.map_or_else(|| "an index".to_owned(), |name| format!("index {}", name.last()));
        let message = format!("{what} is made on {table} while everybody who writes to it waits");
        let finding = self.found(scene, "R010", span, message);
        let finding = match self.dialect {
            Dialect::Postgres => finding.help(concurrently(words.all(), create, after)),
            _ if copies => finding.help("make it when nobody writes: MySQL has no other way for this kind of index"),
            _ => finding.help("say ALGORITHM=INPLACE, LOCK=NONE, which MySQL refuses where it would have to block"),
        };
        self.tell(&table, finding);
    }

    /// `DROP INDEX`, after these words.
    pub(super) fn drop_index(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        let after = words.mark();
        let span = words.since(0);
        let is_concurrent = words.accept(&["concurrently"]);
        words.accept(&["if", "exists"]);
        let mut names: Vec<Name> = Vec::new();
        while let Some(name) = words.name() {
            names.push(name);
            if !words.accept_sign(',') {
                break;
            }
        }
        names.retain(|index| !name::is_created(&self.indexes, &index.key));
        let Some(first) = names.first() else { return };
        if self.is_postgres() && !is_concurrent {
            let message = format!("index {first} is dropped while everybody who uses its table waits");
            let finding = self.found(scene, "R010", span, message);
            self.findings.push(finding.help(concurrently(words.all(), 0, after)));
        } else if self.is_mysql() && is_blocking(words) && words.accept(&["on"]) {
            let Some(table) = words.name() else { return };
            let message = format!("index {first} is dropped while everybody who writes to {table} waits");
            let finding = self.found(scene, "R010", span, message);
            let help = "say ALGORITHM=INPLACE, LOCK=NONE, which MySQL refuses where it would have to block";
            self.tell(&table, finding.help(help));
        }
    }

    /// `REINDEX`, which builds indexes anew.
    pub(super) fn reindex(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        let options = words.parentheses();
        let is_table = words.is("table");
        if !self.is_postgres() || !words.accept_any(&["index", "table", "schema", "database", "system"]) {
            return;
        }
        let after = words.mark();
        let span = words.since(0);
        if words.is("concurrently") || options.is_some_and(|options| options.mentions(&["concurrently"])) {
            return;
        }
        let Some(name) = words.name() else { return };
        let message = format!("the indexes of {name} are built anew while everybody who writes to it waits");
        let finding = self.found(scene, "R010", span, message);
        let finding = finding.help(concurrently(words.all(), 0, after));
        if is_table {
            self.tell(&name, finding);
        } else if !name::is_created(&self.indexes, &name.key) {
            self.findings.push(finding);
        }
    }
}

/// The statement with CONCURRENTLY in it.
fn concurrently(all: &[crate::sql::Token<'_>], from: usize, after: usize) -> String {
    let head = line(&all[from..after]);
    let tail = line(&all[after..]);
    let statement = format!("{head} CONCURRENTLY {tail}");
    let statement = if statement.chars().count() > LONGEST_EXAMPLE {
        format!("{head} CONCURRENTLY …")
    } else {
        statement
    };
    format!("{statement}; in a script of its own that runs outside a transaction")
}

/// Whether a statement tells MySQL to refuse what it cannot do while others write.
pub(super) fn is_online(words: Words<'_>) -> bool {
    says(words, "algorithm", &["inplace", "instant", "nocopy"]) || says(words, "lock", &["none"])
}

/// Whether a statement tells MySQL to keep others waiting.
pub(super) fn is_blocking(words: Words<'_>) -> bool {
    says(words, "algorithm", &["copy"]) || says(words, "lock", &["shared", "exclusive"])
}

fn says(words: Words<'_>, key: &str, values: &[&str]) -> bool {
    let mut ahead = words;
    while ahead.find(&[key]) {
        ahead.take();
        ahead.accept_sign('=');
        if ahead.is_any(values) {
            return true;
        }
    }
    false
}
