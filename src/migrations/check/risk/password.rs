//! R021: passwords. What they are is never said.

use super::words::{Span, Words};
use super::{Risks, Scene};
use crate::sql::{Dialect, Token, TokenKind};

/// What `CREATE` and `ALTER` may be followed by where a password is given.
const KEEPERS: [&str; 7] = ["user", "role", "group", "login", "server", "subscription", "database"];

/// Words between those two.
const BETWEEN: [&str; 4] = ["or", "replace", "foreign", "public"];

/// Words a password comes after.
const KEYS: [&str; 3] = ["password", "master_password", "source_password"];

/// Marks around a name that something else puts a value for.
const REFERENCES: [(&str, &str); 8] = [
    ("${", "}"),
    ("{{", "}}"),
    ("$(", ")"),
    ("<", ">"),
    ("@", "@"),
    ("%", "%"),
    ("__", "__"),
    ("#{", "}"),
];

impl Risks {
    /// Finds a password where a statement gives one.
    pub(super) fn passwords(&mut self, scene: &Scene<'_>, words: Words<'_>) {
        let tokens = words.all();
        if !gives_password(words) {
            return;
        }
        for at in 0..tokens.len() {
            let Some(length) = self.key_length(&tokens[at..]) else {
                continue;
            };
            let value = tokens[at + length..].iter().find(|token| !is_between(token));
            if value.is_some_and(|value| self.is_password(value)) {
                let span = Words::new(&tokens[at..]).next_span(length);
                self.password(scene, span, "a password is written out");
                return;
            }
        }
        // CREATE SUBSCRIPTION … CONNECTION 'host=… password=…'
        let connection = tokens.windows(2).find(|pair| pair[0].is("connection"));
        if let Some([word, text]) = connection
            && text.kind == TokenKind::Text
            && let Some((_, value)) = text.text.to_ascii_lowercase().split_once("password=")
            && !is_reference(value.split([' ', '\'']).next().unwrap_or_default())
        {
            let span = Span {
                start: word.offset,
                end: word.offset + word.text.len(),
            };
            self.password(scene, span, "a password is written out in an address");
        }
    }

    fn password(&mut self, scene: &Scene<'_>, span: Span, message: &str) {
        let help = "give it by a placeholder whose value comes from the environment, '${app_password}', or set it outside of migrations; the one that is here has to be changed";
        let finding = self.found(scene, "R021", span, message.to_owned());
        self.findings.push(finding.help(help));
    }

    /// How many words say that a password follows, if the first ones do.
    fn key_length(&self, tokens: &[Token<'_>]) -> Option<usize> {
        let words = Words::new(tokens);
        if words.are(&["identified", "by", "password"]) {
            return Some(3);
        }
        if words.are(&["identified", "by"]) {
            return Some(2);
        }
        let is_plugin = words.are(&["identified", "with"]) || words.are(&["identified", "via"]);
        if is_plugin
            && words
                .peek_at(3)
                .is_some_and(|token| ["by", "as", "using"].iter().any(|word| token.is(word)))
        {
            let is_hashed = words.peek_at(4).is_some_and(|token| token.is("password"));
            return Some(if is_hashed { 5 } else { 4 });
        }
        // SET PASSWORD FOR 'user'@'host' = 'password'
        if words.are(&["set", "password", "for"]) {
            let sign = tokens.iter().position(|token| token.is_sign('='))?;
            let hashes = tokens.get(sign + 1).is_some_and(|token| token.is("password"));
            return Some(if hashes { sign + 2 } else { sign + 1 });
        }
        words.is_any(&KEYS).then_some(1)
    }

    fn is_password(&self, token: &Token<'_>) -> bool {
        match token.kind {
            TokenKind::Text => !is_reference(inside(token.text)),
            // Oracle's are names.
            TokenKind::Name => !is_reference(inside(token.text)) && self.dialect == Dialect::Unknown,
            _ => false,
        }
    }
}

/// Whether a statement is one of those in which passwords are given.
fn gives_password(mut words: Words<'_>) -> bool {
    if words.are(&["set", "password"]) || words.is("grant") {
        return true;
    }
    if words.is("change") {
        return words.are(&["change", "master"]) || words.are(&["change", "replication"]);
    }
    if !words.accept_any(&["create", "alter"]) {
        return false;
    }
    while words.accept_any(&BETWEEN) {}
    words.is_any(&KEEPERS)
}

/// Whether a token may stand between the key and the password.
fn is_between(token: &Token<'_>) -> bool {
    token.is_sign('=') || token.is_sign('(')
}

/// A text without its quotes and what stands before them.
fn inside(text: &str) -> &str {
    let text = text.trim_start_matches(|first: char| first.is_ascii_alphabetic() || first == '&');
    text.trim_matches(['\'', '"', '`'])
}

/// Whether a value only stands for a password: nothing but references, or nothing.
fn is_reference(value: &str) -> bool {
    let mut rest = value.trim();
    while let Some(after) = REFERENCES.iter().find_map(|marks| after_reference(rest, *marks)) {
        rest = after;
    }
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    rest.chars().all(|character| character == '*') || rest.strip_prefix([':', '$']).is_some_and(is_name)
}

/// What follows a reference, if one is next.
fn after_reference<'v>(value: &'v str, (open, end): (&str, &str)) -> Option<&'v str> {
    let (_, after) = value.strip_prefix(open)?.split_once(end)?;
    Some(after)
}
