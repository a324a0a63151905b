//! R018: a new value of an enum, used before it is committed.

use super::words::Words;
use super::{Name, Risks, Scene};
use crate::sql::{Token, TokenKind};

/// A value that was added to an enum.
#[derive(Debug)]
pub(super) struct Added {
    name: String,
    /// With its quotes.
    value: String,
}

impl Risks {
    /// `ALTER TYPE … ADD VALUE`, after `ALTER TYPE name`.
    pub(super) fn alter_type(&mut self, name: &Name, mut words: Words<'_>) {
        if !self.is_postgres() || !words.accept(&["add", "value"]) {
            return;
        }
        words.accept(&["if", "not", "exists"]);
        // PostgreSQL admits the values of a type that is as new as they are.
        let is_new = super::name::is_created(&self.types, &name.key);
        if let Some(value) = words.take()
            && value.kind == TokenKind::Text
            && !is_new
        {
            self.added.push(Added {
                name: name.to_string(),
                value: value.text.to_owned(),
            });
        }
    }

    /// Finds the values added before in a statement. What is in a comment or in the body of a function is not evaluated.
    pub(super) fn added_value_used(&mut self, scene: &Scene<'_>, tokens: &[Token<'_>]) {
        let evaluates = tokens.first().is_some_and(|first| {
            [
                "insert", "update", "delete", "select", "with", "merge", "values", "create", "alter",
            ]
            .iter()
            .any(|word| first.is(word))
        });
        let is_type = Words::new(tokens).are(&["alter", "type"]);
        if self.added.is_empty() || !evaluates || is_type {
            return;
        }
        for token in tokens.iter().filter(|token| token.kind == TokenKind::Text) {
            let Some(added) = self.added.iter().find(|added| added.value == token.text) else {
                continue;
            };
            let span = super::words::Span {
                start: token.offset,
                end: token.offset + token.text.len(),
            };
            let message = format!(
                "{} is used in the transaction that adds it to {}",
                added.value, added.name
            );
            let finding = self.found(scene, "R018", span, message);
            let help = "add the value in a script of its own, which is committed before the next one begins";
            self.of_transaction.push(finding.help(help));
            return;
        }
    }
}
