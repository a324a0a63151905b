//! Words of an instruction.

use super::Statement;
use crate::dockerfile::instruction::Word;

/// The blanks between arguments.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\x0b' | '\x0c' | '\r')
}

/// Words with blanks between them, in which quotes mean nothing yet.
pub(super) fn blank_separated(statement: &Statement<'_>) -> Vec<Word> {
    let rest = statement.rest();
    rest.split(is_blank)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let offset = word.as_ptr() as usize - rest.as_ptr() as usize;
            statement.logical.word(word, statement.start + offset)
        })
        .collect()
}

/// A word in which quotes hold blanks, as written, and where it begins in the text.
pub(super) type Quoted = (String, usize);

/// Words in which quotes and the escape character hold blanks. Both stay: they are taken off with the variables.
pub(super) fn quoted(statement: &Statement<'_>) -> Vec<Quoted> {
    let escape = statement.escape;
    let mut words = Vec::new();
    let mut word: Option<Quoted> = None;
    let mut quote = None;
    let mut characters = statement.rest().char_indices();
    while let Some((at, character)) = characters.next() {
        if character.is_whitespace() && quote.is_none() {
            words.extend(word.take());
            continue;
        }
        let (text, _) = word.get_or_insert_with(|| (String::new(), statement.start + at));
        if character == escape && quote != Some('\'') {
            // At the end it escapes nothing, and is nothing.
            if let Some((_, escaped)) = characters.next() {
                text.push(character);
                text.push(escaped);
            }
            continue;
        }
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ => {}
        }
        text.push(character);
    }
    words.extend(word);
    words.retain(|(text, _)| !text.is_empty());
    words
}
