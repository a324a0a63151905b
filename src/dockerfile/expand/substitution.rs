//! What follows a dollar sign.

use super::Lexer;
use super::glob::Pattern;
use crate::dockerfile::error::Problem;

/// How deep substitutions may stand in each other; a person writes two or three.
const DEPTH: usize = 64;

impl Lexer<'_> {
    /// The value of a variable, or of what is made of it.
    pub(super) fn dollar(&mut self) -> Result<String, Problem> {
        self.rest.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.value(&name)? {
                Some(value) => value,
                None if self.keeps_unset => format!("${name}"),
                None => String::new(),
            });
        }
        self.rest.next();
        if self.depth == DEPTH {
            return Err(Problem::syntax(format!(
                "more than {DEPTH} substitutions stand in each other"
            )));
        }
        self.depth += 1;
        let value = self.braces();
        self.depth -= 1;
        value
    }

    /// What follows `${`.
    fn braces(&mut self) -> Result<String, Problem> {
        match self.peek() {
            None => return Err(Problem::syntax("a ${ has no }")),
            Some('{' | '}' | ':') => {
                return Err(Problem::syntax_with(
                    "a ${ names no variable",
                    "to write a dollar sign, put the escape character before it",
                ));
            }
            Some(_) => {}
        }
        let name = self.name();
        let value = self.value(&name)?;
        let Some(mut modifier) = self.rest.next() else {
            return Err(Problem::syntax("a ${ has no }"));
        };
        if modifier == '}' {
            return Ok(match value {
                Some(value) => value,
                None if self.keeps_unset => format!("${{{name}}}"),
                None => String::new(),
            });
        }
        if modifier == '/' {
            return self.replace(&name, value);
        }
        let with_colon = modifier == ':';
        if with_colon {
            modifier = self.rest.next().ok_or_else(|| Problem::syntax("a ${ has no }"))?;
        }
        let written = format!("{}{modifier}", if with_colon { ":" } else { "" });
        if !matches!(modifier, '-' | '+' | '?' | '#' | '%') {
            return Err(Problem::syntax_with(
                format!("{written:?} after ${{{name} is no modifier"),
                "the modifiers are - + ? :- :+ :? # ## % %% / and //",
            ));
        }
        let (word, _) = self.until(Some('}'), matches!(modifier, '#' | '%'))?;
        if value.is_none() && self.keeps_unset {
            return Ok(format!("${{{name}{written}{word}}}"));
        }
        let is_set = value.as_ref().is_some_and(|value| !with_colon || !value.is_empty());
        let value = value.unwrap_or_default();
        match modifier {
            '-' => Ok(if is_set { value } else { word }),
            '+' => Ok(if is_set { word } else { String::new() }),
            '?' if is_set => Ok(value),
            '?' => Err(Problem::Required {
                name,
                message: Some(word).filter(|word| !word.is_empty()),
            }),
            _ => self.trim(&word, modifier, value),
        }
    }

    /// `${name#pattern}` and its kin.
    fn trim(&mut self, word: &str, modifier: char, value: String) -> Result<String, Problem> {
        let (text, is_longest) = match word.strip_prefix(modifier) {
            Some(rest) => (rest, true),
            None => (word, false),
        };
        let mut pattern = Pattern::parse(text)?;
        let mut characters: Vec<char> = value.chars().collect();
        let is_suffix = modifier == '%';
        if is_suffix {
            pattern.reverse();
            characters.reverse();
        }
        let Some(count) = pattern.matches(&characters, is_longest, &mut |steps| self.spend(steps))? else {
            return Ok(value);
        };
        let mut rest = characters.split_off(count);
        if is_suffix {
            rest.reverse();
        }
        Ok(rest.into_iter().collect())
    }

    /// `${name/pattern/replacement}`, behind the first slash.
    fn replace(&mut self, name: &str, value: Option<String>) -> Result<String, Problem> {
        let is_everywhere = self.peek() == Some('/');
        if is_everywhere {
            self.rest.next();
        }
        let (pattern, _) = self.until(Some('/'), true)?;
        let (replacement, _) = self.until(Some('}'), true)?;
        let Some(value) = value else {
            return Ok(if self.keeps_unset {
                format!("${{{name}/{pattern}/{replacement}}}")
            } else {
                String::new()
            });
        };
        let pattern = Pattern::parse(&pattern)?;
        let characters: Vec<char> = value.chars().collect();
        let mut result = String::new();
        let (mut at, mut last_end) = (0, None);
        while at <= characters.len() {
            let found = pattern.matches(&characters[at..], true, &mut |steps| self.spend(steps))?;
            // Nothing is found once more where something was just found.
            let found = found.filter(|count| *count > 0 || last_end != Some(at));
            if let Some(count) = found {
                self.append(&mut result, &replacement)?;
                at += count;
                last_end = Some(at);
                if !is_everywhere {
                    break;
                }
                if count > 0 {
                    continue;
                }
            }
            if let Some(character) = characters.get(at) {
                result.push(*character);
            }
            at += 1;
        }
        result.extend(characters.iter().skip(at));
        Ok(result)
    }

    /// The name of a variable: letters, digits and `_`, or a number, or one of the shell's own.
    fn name(&mut self) -> String {
        let text = self.rest.as_str();
        let first = text.chars().next();
        let length = match first {
            Some(digit) if digit.is_ascii_digit() => text.find(|other: char| !other.is_ascii_digit()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => Some(1),
            _ => text.find(|other: char| !other.is_alphanumeric() && other != '_'),
        };
        let (name, rest) = text.split_at(length.unwrap_or(text.len()));
        self.rest = rest.chars();
        name.to_owned()
    }
}
