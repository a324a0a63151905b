//! What a script creates, and what it says to its session: both decide whether a later statement hurts.

use super::words::Words;
use super::{Name, Risks, Scene};
use crate::sql::{Dialect, TokenKind};

/// Words between `CREATE` and the kind of thing.
const BEFORE_KIND: [&str; 8] = [
    "global", "local", "unlogged", "foreign", "virtual", "external", "or", "replace",
];

impl Risks {
    pub(super) fn create(&mut self, scene: &Scene<'_>, mut words: Words<'_>) {
        words.take();
        let mut is_temporary = false;
        while words.is_any(&BEFORE_KIND) || words.is_any(&["temp", "temporary"]) {
            is_temporary |= words.is_any(&["temp", "temporary"]);
            words.take();
        }
        if words.accept(&["table"]) || words.accept(&["materialized", "view"]) {
            words.accept(&["if", "not", "exists"]);
            if let Some(name) = words.name() {
                self.created(name, is_temporary);
            }
        } else if words.accept_any(&["schema", "database"]) {
            words.accept(&["if", "not", "exists"]);
            self.schemas.extend(words.name().map(|name| name.key));
        } else if words.accept_any(&["type", "domain"]) {
            self.types.extend(words.name().map(|name| name.key));
        } else if words.is_any(&["index", "unique", "fulltext", "spatial"]) {
            self.create_index(scene, words);
        }
    }

    /// Notes a table of this script.
    pub(super) fn created(&mut self, name: Name, is_temporary: bool) {
        if is_temporary || name.key.starts_with("temp.") || name.key.starts_with("pg_temp.") {
            self.temporary.insert(name.key);
        } else {
            self.creates.insert(name.key);
        }
    }

    /// `SELECT … INTO table` creates one; `set_config` sets a limit.
    pub(super) fn select(&mut self, mut words: Words<'_>) {
        if self.dialect != Dialect::Postgres {
            return;
        }
        let is_limit = |text: &str| matches!(text.trim_matches('\''), "lock_timeout" | "statement_timeout");
        let mut texts = words.all().iter().filter(|token| token.kind == TokenKind::Text);
        self.limited |= words.mentions(&["set_config"]) && texts.any(|token| is_limit(token.text));
        if words.find(&["into"]) {
            words.take();
            let mut is_temporary = false;
            while words.is_any(&["temp", "temporary", "table", "unlogged"]) {
                is_temporary |= words.is_any(&["temp", "temporary"]);
                words.take();
            }
            if let Some(name) = words.name() {
                self.created(name, is_temporary);
            }
        }
    }

    pub(super) fn set(&mut self, mut words: Words<'_>) {
        words.take();
        if self.is_mysql() {
            let is_setting = |words: &Words<'_>| words.is("foreign_key_checks");
            while words.peek().is_some() && !is_setting(&words) {
                words.take();
            }
            if words.take().is_some() {
                words.accept_sign('=');
                words.accept_sign(':');
                words.accept_sign('=');
                let value = words.peek();
                self.unchecked_keys =
                    value.is_some_and(|value| value.text == "0" || value.is("off") || value.is("false"));
            }
            return;
        }
        words.accept_any(&["local", "session"]);
        self.limited |= words.is_any(&["lock_timeout", "statement_timeout"]);
    }
}
