//! What Flyway reads differently from PostgreSQL (C010).

use super::Scene;
use crate::migrations::check::Finding;
use crate::sql::{Dialect, Statement, Token, TokenKind};

/// What has been told of one script: once each is enough.
#[derive(Debug, Default)]
pub(super) struct Misread {
    text: bool,
    parameter: bool,
}

impl Misread {
    pub(super) fn statement(
        &mut self,
        scene: Scene<'_>,
        statement: &Statement<'_>,
        tokens: &[Token<'_>],
        findings: &mut Vec<Finding>,
    ) {
        if scene.flyway().is_none() || scene.dialect != Dialect::Postgres || (self.text && self.parameter) {
            return;
        }
        for (at, token) in tokens.iter().enumerate() {
            if !self.text && token.kind == TokenKind::Text && token.text.starts_with("e'") && token.text.contains("\\'")
            {
                self.text = true;
                let message = "Flyway takes the quote behind the backslash for the end of the text: it knows E'…' only with a capital";
                findings.push(
                    Finding::new("C010", scene.at(statement, token), message).help("write E'…', or double the quote"),
                );
            }
            let next = tokens
                .get(at + 1)
                .filter(|next| next.kind == TokenKind::Number && next.offset == token.offset + 1);
            if !self.parameter && token.is_sign('$') && next.is_some() {
                self.parameter = true;
                let message = "Flyway takes the dollar of a parameter for the beginning of a text in dollars";
                let help = "give the parameter a name, or write the body between $$ and $$";
                findings.push(Finding::new("C010", scene.at(statement, token), message).help(help));
            }
        }
    }
}
