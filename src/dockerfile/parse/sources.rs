//! `COPY` and `ADD`.

use super::{Fault, Statement, command};
use crate::dockerfile::error::Problem;
use crate::dockerfile::flags::Takes;
use crate::dockerfile::heredoc;
use crate::dockerfile::instruction::{Copy, CopySource, Heredoc, Word};

/// What `COPY` may have before its sources.
pub(super) const COPY: [(&str, Takes); 6] = [
    ("from", Takes::Text),
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("parents", Takes::Switch),
    ("exclude", Takes::Texts),
];

/// What `ADD` may have before its sources.
pub(super) const ADD: [(&str, Takes); 7] = [
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("exclude", Takes::Texts),
    ("checksum", Takes::Text),
    ("keep-git-dir", Takes::Switch),
    ("unpack", Takes::Switch),
];

/// Reads sources and a destination.
pub(super) fn copy(statement: &Statement<'_>, heredocs: Vec<Heredoc>) -> Result<Copy, Fault> {
    let mut words = command::list(statement)?;
    let Some(destination) = words.pop().filter(|_| !words.is_empty()) else {
        return Err(statement.fault(Problem::syntax_with(
            format!("{} needs a source and a destination", statement.name),
            format!("such as: {} sql /flyway/sql/", statement.name),
        )));
    };
    if heredoc::announcement(&destination.text).is_some() {
        return Err(Problem::syntax("a text cannot be the destination").here(destination.position));
    }
    let flag = |name| {
        statement
            .flags
            .text(statement.logical, name)
            .filter(|word| !word.text.is_empty())
    };
    let is_on = |name| statement.flags.switch(name).unwrap_or_default();
    Ok(Copy {
        is_add: statement.name == "ADD",
        sources: sources(words, heredocs)?,
        destination,
        from: flag("from"),
        chown: flag("chown"),
        chmod: flag("chmod"),
        link: is_on("link"),
        parents: is_on("parents"),
        exclude: statement.flags.texts(statement.logical, "exclude"),
        checksum: flag("checksum"),
        keep_git_dir: is_on("keep-git-dir"),
        unpack: statement.flags.switch("unpack"),
    })
}

/// Puts the texts where they are announced.
fn sources(words: Vec<Word>, heredocs: Vec<Heredoc>) -> Result<Vec<CopySource>, Fault> {
    let mut heredocs = heredocs.into_iter().peekable();
    let mut sources = Vec::new();
    for word in words {
        let announced = heredoc::announcement(&word.text);
        let is_next = |text: &Heredoc| announced.as_ref().is_some_and(|announced| announced.name == text.name);
        sources.push(match heredocs.next_if(is_next) {
            Some(text) => CopySource::Heredoc(Heredoc {
                position: word.position,
                ..text
            }),
            None => CopySource::Path(word),
        });
    }
    match heredocs.next() {
        None => Ok(sources),
        Some(text) => Err(Problem::syntax_with(
            format!("the text {:?} is announced in a way that is not understood", text.name),
            "its name, which is the file's name, is one word without blanks: <<EOF",
        )
        .here(text.position)),
    }
}
