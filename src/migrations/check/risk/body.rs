//! `DO $$ … $$`: what a block does for certain.

use super::words::Words;
use super::{Risks, Scene};
use crate::sql::{Token, TokenKind, tokens};

/// Words after which a statement begins.
const OPENERS: [&str; 4] = ["begin", "then", "else", "loop"];

impl Risks {
    /// Looks into a block. Whether it gets to a statement is not known, so only what cannot be taken back is told, and what the block
    /// creates is taken as created.
    pub(super) fn body(&mut self, scene: &Scene<'_>, words: Words<'_>) {
        let is_body = |token: &&Token<'_>| token.kind == TokenKind::Text && token.text.starts_with('$');
        let Some(body) = words.all().iter().find(is_body) else {
            return;
        };
        let Some(tag) = body.text[1..].find('$').map(|at| at + 2) else {
            return;
        };
        let Some(inside) = body.text.get(tag..body.text.len().saturating_sub(tag)) else {
            return;
        };
        let mut inner = tokens(inside, self.dialect);
        inner.retain(|token| token.kind != TokenKind::Comment);
        for token in &mut inner {
            token.offset += body.offset + tag;
        }
        let mut begins = true;
        for (at, token) in inner.iter().enumerate() {
            if begins {
                let ahead = &inner[at..];
                let end = ahead.iter().position(|token| token.is_sign(';')).unwrap_or(ahead.len());
                self.in_body(scene, Words::new(&ahead[..end]));
            }
            begins = token.is_sign(';') || OPENERS.iter().any(|word| token.is(word));
        }
    }

    fn in_body(&mut self, scene: &Scene<'_>, words: Words<'_>) {
        self.passwords(scene, words);
        if words.is("drop") && !words.are(&["drop", "index"]) {
            self.drop(scene, words);
        } else if words.is("create") && !words.mentions(&["index"]) {
            self.create(scene, words);
        }
    }
}
