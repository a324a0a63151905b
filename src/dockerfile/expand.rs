//! Variables in words of a Dockerfile, filled in as BuildKit's shell lexer does it.
//!
//! `$v`, `${v}`, `${v-x}`, `${v+x}`, `${v?x}` (with `:` an empty value counts as none), `${v#p}`, `${v##p}`, `${v%p}`,
//! `${v%%p}`, `${v/p/r}` and `${v//p/r}`; what stands for `x`, `p` and `r` may hold variables and quotes again.

use std::str::Chars;

use super::error::Problem;

mod glob;
mod substitution;

/// How much longer than what was written a text may become: no program can be started with a longer variable on Linux
/// (128 KiB), and variables that double each other would fill the memory.
const GROWTH: usize = 1024 * 1024;

/// Characters that may be written or compared for one text, those that are thrown away included: patterns with many
/// stars take time with the square of their value.
const WORK: usize = 4 * 1024 * 1024;

/// Gives the value of a variable, if it is set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Fills in the variables of a word and takes its quotes off.
///
/// # Errors
/// A quote or a brace without its partner, a modifier that does not exist, a variable that must be set and is not, and
/// a text that grows beyond every use.
pub fn expand(word: &str, escape: char, lookup: Lookup<'_>) -> Result<String, Problem> {
    Lexer::new(word, escape, lookup).run().map(|(text, _)| text)
}

/// Fills in the variables of a text, takes its quotes off, and splits it at blanks that are not quoted.
///
/// Blanks in the value of a variable split as well, as long as it is not between quotes.
///
/// # Errors
/// As [`expand`].
pub fn expand_words(text: &str, escape: char, lookup: Lookup<'_>) -> Result<Vec<String>, Problem> {
    Lexer::new(text, escape, lookup).run().map(|(_, words)| words)
}

/// Fills in the variables of a text in which quotes mean nothing: what stands in the Dockerfile as a file.
///
/// The escape character is always the backslash.
///
/// # Errors
/// As [`expand`], but for quotes.
pub fn expand_raw(text: &str, lookup: Lookup<'_>) -> Result<String, Problem> {
    let mut lexer = Lexer::new(text, '\\', lookup);
    lexer.quotes = Quotes::Plain;
    lexer.run().map(|(text, _)| text)
}

/// The words of a command as a shell would see them, with quotes, escapes and variables as written.
pub(super) fn shell_words(text: &str) -> Result<Vec<String>, Problem> {
    let mut lexer = Lexer::new(text, '\\', &|_| None);
    lexer.quotes = Quotes::Kept;
    lexer.keeps_escapes = true;
    lexer.keeps_unset = true;
    lexer.run().map(|(_, words)| words)
}

/// A word with its quotes off, variables as written; `None` if it is not one word.
pub(super) fn unquote(text: &str) -> Option<String> {
    let mut lexer = Lexer::new(text, '\\', &|_| None);
    lexer.keeps_unset = true;
    let (_, mut words) = lexer.run().ok()?;
    if words.len() == 1 { words.pop() } else { None }
}

/// What quotes mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// They hold words together, and are taken off.
    Removed,
    /// They hold words together, and stay.
    Kept,
    /// Nothing.
    Plain,
}

struct Lexer<'a> {
    rest: Chars<'a>,
    escape: char,
    lookup: Lookup<'a>,
    quotes: Quotes,
    keeps_escapes: bool,
    /// Whether variables without a value stay as they are written.
    keeps_unset: bool,
    depth: usize,
    work: usize,
    longest: usize,
}

/// The words a text falls into.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    current: String,
}

impl Words {
    fn split(&mut self, text: &str) {
        for character in text.chars() {
            if !character.is_whitespace() {
                self.current.push(character);
            } else if !self.current.is_empty() {
                self.done.push(std::mem::take(&mut self.current));
            }
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.done.push(self.current);
        }
        self.done
    }
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, escape: char, lookup: Lookup<'a>) -> Self {
        Self {
            rest: text.chars(),
            escape,
            lookup,
            quotes: Quotes::Removed,
            keeps_escapes: false,
            keeps_unset: false,
            depth: 0,
            work: 0,
            longest: text.len().saturating_add(GROWTH),
        }
    }

    fn run(mut self) -> Result<(String, Vec<String>), Problem> {
        let keeps_escapes = self.keeps_escapes;
        self.until(None, keeps_escapes)
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Counts what is done, so that it ends.
    fn spend(&mut self, steps: usize) -> Result<(), Problem> {
        self.work = self.work.saturating_add(steps);
        if self.work > WORK {
            return Err(Problem::syntax("filling in the variables takes too much work"));
        }
        Ok(())
    }

    fn value(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let value = (self.lookup)(name);
        self.spend(value.as_ref().map_or(0, String::len))?;
        Ok(value)
    }

    fn append(&mut self, to: &mut String, text: &str) -> Result<(), Problem> {
        self.spend(text.len())?;
        if to.len() + text.len() > self.longest {
            return Err(Problem::syntax(format!(
                "the text grows by more than {} KiB when its variables are filled in",
                GROWTH / 1024
            )));
        }
        to.push_str(text);
        Ok(())
    }

    /// Reads up to a character, or to the end.
    fn until(&mut self, stop: Option<char>, keeps_escapes: bool) -> Result<(String, Vec<String>), Problem> {
        let outer = std::mem::replace(&mut self.keeps_escapes, keeps_escapes);
        let mut result = String::new();
        let mut words = Words::default();
        while let Some(character) = self.peek() {
            if stop == Some(character) {
                self.rest.next();
                self.keeps_escapes = outer;
                return Ok((result, words.finish()));
            }
            match character {
                '$' => {
                    let value = self.dollar()?;
                    self.append(&mut result, &value)?;
                    words.split(&value);
                }
                '\'' | '"' if self.quotes != Quotes::Plain => {
                    let quoted = if character == '"' {
                        self.double_quoted()?
                    } else {
                        self.single_quoted()?
                    };
                    self.append(&mut result, &quoted)?;
                    words.current.push_str(&quoted);
                }
                _ if character == self.escape => {
                    self.rest.next();
                    let mut escaped = String::new();
                    if self.keeps_escapes {
                        escaped.push(character);
                    }
                    // At the end there is nothing to escape.
                    escaped.extend(self.rest.next());
                    self.append(&mut result, &escaped)?;
                    words.current.push_str(&escaped);
                }
                _ => {
                    self.rest.next();
                    let mut buffer = [0; 4];
                    let text = character.encode_utf8(&mut buffer);
                    self.append(&mut result, text)?;
                    words.split(text);
                }
            }
        }
        match stop {
            None => Ok((result, words.finish())),
            Some('}') => Err(Problem::syntax("a ${ has no }")),
            Some(_) => Err(Problem::syntax_with(
                "a ${…/ has no second /",
                "the form is ${name/pattern/replacement}",
            )),
        }
    }

    /// Everything up to the next quote, which cannot be escaped.
    fn single_quoted(&mut self) -> Result<String, Problem> {
        self.rest.next();
        let text = self.rest.as_str();
        let Some((inside, rest)) = text.split_once('\'') else {
            return Err(Problem::syntax_with(
                "a ' has no partner",
                "an apostrophe is written between double quotes, or with the escape character before it",
            ));
        };
        self.rest = rest.chars();
        Ok(if self.quotes == Quotes::Kept {
            format!("'{inside}'")
        } else {
            inside.to_owned()
        })
    }

    fn double_quoted(&mut self) -> Result<String, Problem> {
        self.rest.next();
        let is_kept = self.quotes == Quotes::Kept;
        let mut result = String::from(if is_kept { "\"" } else { "" });
        loop {
            match self.peek() {
                None => return Err(Problem::syntax("a \" has no partner")),
                Some('"') => {
                    self.rest.next();
                    if is_kept {
                        result.push('"');
                    }
                    return Ok(result);
                }
                Some('$') => {
                    let value = self.dollar()?;
                    self.append(&mut result, &value)?;
                }
                Some(character) => {
                    self.spend(1)?;
                    self.rest.next();
                    if character != self.escape {
                        result.push(character);
                        continue;
                    }
                    if self.keeps_escapes {
                        result.push(character);
                    }
                    match self.peek() {
                        Some(next) if next == '"' || next == '$' || next == self.escape => {
                            self.rest.next();
                            result.push(next);
                        }
                        // Before anything else it stands for itself, at the end for nothing.
                        Some(_) => result.push(character),
                        None => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
