//! Statements and tokens: the first byte chooses the dialect and the sizes of pieces, the rest is the script.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shipway::sql::{Dialect, Problem, Splitter, tokens};

/// What a statement is known by: start, end, line, column, whether it is blank, and its text.
type Known = (u64, u64, u64, u64, bool, String);

fuzz_target!(|input: &[u8]| {
    let Some((&first, script)) = input.split_first() else { return };
    let dialect = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite, Dialect::Unknown][usize::from(first) % 4];
    let (whole, problems) = split(dialect, script, usize::MAX);
    let mut end = 0;
    for statement in &whole {
        assert_eq!(statement.0, end, "a statement begins where the one before ends");
        assert!(statement.1 > end, "no statement is empty");
        end = statement.1;
        let mut last = 0;
        for token in tokens(&statement.5, dialect) {
            assert!(token.offset >= last && !token.text.is_empty());
            last = token.offset + token.text.len();
            assert_eq!(statement.5.get(token.offset..last), Some(token.text));
        }
    }
    assert_eq!(end, script.len() as u64, "every byte belongs to a statement");
    for size in [1, 1 + usize::from(first) / 4] {
        assert_eq!(split(dialect, script, size), (whole.clone(), problems.clone()), "by {size}");
    }
});

fn split(dialect: Dialect, script: &[u8], size: usize) -> (Vec<Known>, Vec<Problem>) {
    let mut splitter = Splitter::new(dialect);
    let mut found = Vec::new();
    let mut keep = |of: shipway::sql::Statement<'_>| {
        found.push((of.start, of.end, of.line, of.column, of.is_blank, of.text.to_owned()));
    };
    for piece in script.chunks(size) {
        splitter.update(piece, &mut keep);
    }
    let problems = splitter.finish(&mut keep);
    (found, problems)
}
