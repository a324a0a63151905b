//! `ENV`, `LABEL` and `ARG`: names and values.

use super::words::{self, Quoted};
use super::{Fault, Statement};
use crate::dockerfile::error::Problem;
use crate::dockerfile::instruction::{Argument, Word};

/// `name=value` words, or the old form of one name, blanks, and a value up to the end of the line.
pub(super) fn pairs(statement: &Statement<'_>) -> Result<Vec<(Word, Word)>, Fault> {
    let words = statement.some(words::quoted(statement))?;
    if words.first().is_some_and(|(word, _)| !word.contains('=')) {
        return old_form(statement).map(|pair| vec![pair]);
    }
    words
        .into_iter()
        .map(|(word, offset)| {
            let Some((name, value)) = word.split_once('=') else {
                return Err(statement.logical.fault(
                    offset,
                    Problem::syntax_with(
                        format!("{word} has no ="),
                        format!(
                            "{} takes NAME=VALUE words; blanks in a value are put in quotes",
                            statement.name
                        ),
                    ),
                ));
            };
            let name = self::name(statement, name, offset)?;
            let value = statement.logical.word(value, offset + name.text.len() + 1);
            Ok((name, value))
        })
        .collect()
}

fn old_form(statement: &Statement<'_>) -> Result<(Word, Word), Fault> {
    let rest = statement.rest();
    let Some((name, value)) = rest.split_once(words::is_blank) else {
        return Err(statement.logical.fault(
            statement.start,
            Problem::syntax_with(
                format!("{rest} has no value"),
                format!("the form is: {} {rest}=VALUE", statement.name),
            ),
        ));
    };
    let value = value.trim_start_matches(words::is_blank);
    let offset = statement.end - value.len();
    Ok((
        statement.logical.word(name, statement.start),
        statement.logical.word(value, offset),
    ))
}

/// Names, each with a value or without.
pub(super) fn arguments(statement: &Statement<'_>) -> Result<Vec<Argument>, Fault> {
    let words: Vec<Quoted> = statement.some(words::quoted(statement))?;
    words
        .into_iter()
        .map(|(word, offset)| {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let name = self::name(statement, name, offset)?;
            let default = value.map(|value| statement.logical.word(value, offset + name.text.len() + 1));
            Ok(Argument { name, default })
        })
        .collect()
}

fn name(statement: &Statement<'_>, name: &str, offset: usize) -> Result<Word, Fault> {
    if name.is_empty() {
        return Err(statement
            .logical
            .fault(offset, Problem::syntax("there is no name before the =")));
    }
    Ok(statement.logical.word(name, offset))
}
