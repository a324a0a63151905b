//! R017: strong locks that wait without end.

use super::words::Words;
use super::{Risks, Scene};

impl Risks {
    /// Tells the first statement that asks for a strong lock on each table before a limit was set.
    pub(super) fn waits(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        if !self.is_postgres() || self.limited {
            return;
        }
        let is_truncate = words.is("truncate");
        if words.are(&["alter", "table"]) || words.are(&["drop", "table"]) || words.are(&["lock", "table"]) {
            words.take();
            words.take();
        } else if is_truncate || words.is("cluster") {
            words.take();
            words.accept(&["table"]);
        } else if words.are(&["create", "index"]) || words.are(&["create", "unique", "index"]) {
            if words.mentions(&["concurrently"]) || !words.find(&["on"]) {
                return;
            }
            words.take();
        } else {
            return;
        }
        let span = words.since(0);
        words.accept(&["if", "exists"]);
        words.accept(&["only"]);
        let Some(table) = words.name() else { return };
        // A constraint is validated under a lock that lets others write.
        if words.are(&["validate", "constraint"]) || !self.waited.insert(table.key.clone()) {
            return;
        }
        let message = format!("the lock on {table} is waited for without end, and everybody else waits behind");
        let help = "say SET lock_timeout = '5s'; first, and let the migration run again when it gives up";
        let finding = self.found(scene, "R017", span, message);
        self.tell(&table, finding.help(help));
    }
}
