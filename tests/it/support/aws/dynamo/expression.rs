//! Conditions: read and evaluated in one go, for one item.

use std::cmp::Ordering;

use serde_json::Value;

use super::Item;
use super::path::{Part, Words, find, size};

/// A word of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword, `#name` or `:value`.
    Word(String),
    Number(usize),
    Sign(&'static str),
}

const SIGNS: [&str; 13] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]", "+"];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    if rest.is_empty() {
        return Err("The expression can not be empty;".to_owned());
    }
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = match first {
            '#' | ':' => 1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => 0,
        };
        if length == 0 {
            let sign = SIGNS.iter().copied().chain(["-"]).find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("Syntax error; token: {first:?}"))?;
            tokens.push(Token::Sign(sign));
            rest = rest[sign.len()..].trim_start();
            continue;
        }
        let word = &rest[..length];
        tokens.push(match word.parse() {
            Ok(number) => Token::Number(number),
            Err(_) => Token::Word(word.to_owned()),
        });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Reads an expression for an item.
pub(super) struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    words: &'a Words,
    item: &'a Item,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &str, words: &'a Words, item: &'a Item) -> Result<Self, String> {
        Ok(Self {
            tokens: tokens(text)?,
            at: 0,
            words,
            item,
        })
    }

    /// The whole expression as a condition.
    pub(super) fn condition(mut self) -> Result<bool, String> {
        let holds = self.any()?;
        match self.peek() {
            None => Ok(holds),
            Some(token) => Err(format!("Syntax error; token: {token:?}")),
        }
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// Goes past a keyword, if it is next.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes past a sign, if it is next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), String> {
        match self.takes(sign) {
            true => Ok(()),
            false => Err(format!("Syntax error; expected {sign:?}, token: {:?}", self.peek())),
        }
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut holds = self.all()?;
        while self.takes_word("OR") {
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut holds = self.not()?;
        while self.takes_word("AND") {
            holds &= self.not()?;
        }
        Ok(holds)
    }

    fn not(&mut self) -> Result<bool, String> {
        match self.takes_word("NOT") {
            true => Ok(!self.not()?),
            false => self.one(),
        }
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.takes("(") {
            let holds = self.any()?;
            self.expect(")")?;
            return Ok(holds);
        }
        if let Some(holds) = self.function()? {
            return Ok(holds);
        }
        let left = self.operand()?;
        if self.takes_word("BETWEEN") {
            let low = self.operand()?;
            if !self.takes_word("AND") {
                return Err("Syntax error; BETWEEN without AND".to_owned());
            }
            let high = self.operand()?;
            let is_in = |other: &Option<Value>, wanted: Ordering| {
                order(&left, other).is_some_and(|order| order == wanted || order == Ordering::Equal)
            };
            return Ok(is_in(&low, Ordering::Greater) && is_in(&high, Ordering::Less));
        }
        if self.takes_word("IN") {
            self.expect("(")?;
            let mut is_in = false;
            loop {
                is_in |= is_equal(&left, &self.operand()?);
                if !self.takes(",") {
                    break;
                }
            }
            self.expect(")")?;
            return Ok(is_in);
        }
        let signs = ["<>", "<=", ">=", "=", "<", ">"];
        let sign = signs.into_iter().find(|sign| self.takes(sign));
        let sign = sign.ok_or_else(|| format!("Syntax error; token: {:?}", self.peek()))?;
        let right = self.operand()?;
        let order = order(&left, &right);
        Ok(match sign {
            "=" => is_equal(&left, &right),
            "<>" => !is_equal(&left, &right),
            "<" => order == Some(Ordering::Less),
            ">" => order == Some(Ordering::Greater),
            "<=" => order.is_some_and(Ordering::is_le),
            _ => order.is_some_and(Ordering::is_ge),
        })
    }

    /// A function that is true or false, if one is next.
    fn function(&mut self) -> Result<Option<bool>, String> {
        let names = [
            "attribute_exists",
            "attribute_not_exists",
            "attribute_type",
            "begins_with",
            "contains",
        ];
        let is_call = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("(")));
        let Some(Token::Word(name)) = self.peek().filter(|_| is_call).cloned() else {
            return Ok(None);
        };
        let Some(name) = names.into_iter().find(|known| **known == name) else {
            return Ok(None);
        };
        self.at += 2;
        let path = self.path()?;
        let found = find(self.item, &path);
        let holds = match name {
            "attribute_exists" => found.is_some(),
            "attribute_not_exists" => found.is_none(),
            _ => {
                self.expect(",")?;
                let given = self.operand()?;
                let given = given.as_ref().and_then(|given| given["S"].as_str()).unwrap_or_default();
                let found = found.unwrap_or_default();
                match name {
                    "attribute_type" => found.get(given).is_some(),
                    "begins_with" => found["S"].as_str().is_some_and(|text| text.starts_with(given)),
                    _ => found["S"].as_str().is_some_and(|text| text.contains(given)),
                }
            }
        };
        self.expect(")")?;
        Ok(Some(holds))
    }

    /// A value, or what lies at a path.
    pub(super) fn operand(&mut self) -> Result<Option<Value>, String> {
        let is_call = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("(")));
        match self.peek().cloned() {
            Some(Token::Word(word)) if word.starts_with(':') => {
                self.at += 1;
                self.words.value(&word).map(Some)
            }
            Some(Token::Word(word)) if word == "size" && is_call => {
                self.at += 2;
                let path = self.path()?;
                self.expect(")")?;
                Ok(find(self.item, &path).as_ref().and_then(size))
            }
            Some(Token::Word(_)) => {
                let path = self.path()?;
                Ok(find(self.item, &path))
            }
            token => Err(format!("Syntax error; token: {token:?}")),
        }
    }

    /// A path: `a.b[0]`.
    pub(super) fn path(&mut self) -> Result<Vec<Part>, String> {
        let mut path = vec![self.name()?];
        loop {
            if self.takes(".") {
                path.push(self.name()?);
            } else if self.takes("[") {
                let Some(Token::Number(index)) = self.peek().cloned() else {
                    return Err(format!("Syntax error; token: {:?}", self.peek()));
                };
                self.at += 1;
                self.expect("]")?;
                path.push(Part::Index(index));
            } else {
                return Ok(path);
            }
        }
    }

    fn name(&mut self) -> Result<Part, String> {
        match self.peek().cloned() {
            Some(Token::Word(word)) if !word.starts_with(':') => {
                self.at += 1;
                self.words.name(&word).map(Part::Name)
            }
            token => Err(format!("Syntax error; token: {token:?}")),
        }
    }
}

/// Whether two values are the same; a number is what it is worth.
fn is_equal(left: &Option<Value>, right: &Option<Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => {
            left == right || order(&Some(left.clone()), &Some(right.clone())) == Some(Ordering::Equal)
        }
        _ => false,
    }
}

/// The order of two values of the same type that has one.
fn order(left: &Option<Value>, right: &Option<Value>) -> Option<Ordering> {
    let (left, right) = (left.as_ref()?, right.as_ref()?);
    if let (Some(left), Some(right)) = (left["S"].as_str(), right["S"].as_str()) {
        return Some(left.as_bytes().cmp(right.as_bytes()));
    }
    let number = |value: &Value| value["N"].as_str()?.parse::<f64>().ok();
    number(left)?.partial_cmp(&number(right)?)
}
