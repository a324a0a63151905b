//! Which database a script is for, by what only one of them has.

use super::{Dialect, Token, TokenKind, Tokens};

/// How much a word counts that only one database knows.
const SURE: u32 = 4;
/// How much one counts that others may have as well.
const LIKELY: u32 = 1;

/// Words of PostgreSQL.
const POSTGRES: [&str; 18] = [
    "serial",
    "bigserial",
    "smallserial",
    "timestamptz",
    "jsonb",
    "bytea",
    "plpgsql",
    "ilike",
    "unlogged",
    "concurrently",
    "tsvector",
    "inet",
    "gen_random_uuid",
    "uuid_generate_v4",
    "nextval",
    "setval",
    "pg_catalog",
    "regclass",
];
/// Words of MySQL and MariaDB.
const MYSQL: [&str; 12] = [
    "auto_increment",
    "unsigned",
    "mediumtext",
    "longtext",
    "mediumint",
    "tinytext",
    "longblob",
    "mediumblob",
    "utf8mb4",
    "innodb",
    "delimiter",
    "zerofill",
];
/// Words of SQLite.
const SQLITE: [&str; 4] = ["autoincrement", "rowid", "sqlite_sequence", "sqlite_master"];

/// Guesses the database that scripts are for from the beginnings of some; none where nothing tells, or where they contradict each other.
#[must_use]
pub fn guess<'a>(samples: impl IntoIterator<Item = &'a str>) -> Option<Dialect> {
    let mut scores = [(Dialect::Postgres, 0_u32), (Dialect::MySql, 0), (Dialect::Sqlite, 0)];
    for sample in samples {
        let mut before: Option<Token<'_>> = None;
        for token in Tokens::new(sample, Dialect::Unknown) {
            if let Some((dialect, weight)) = evidence(before, token) {
                for (other, score) in &mut scores {
                    if *other == dialect {
                        *score = score.saturating_add(weight);
                    }
                }
            }
            before = Some(token);
        }
    }
    scores.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    let [(dialect, best), (_, second), _] = scores;
    (best > 0 && best / 2 >= second).then_some(dialect)
}

fn evidence(before: Option<Token<'_>>, token: Token<'_>) -> Option<(Dialect, u32)> {
    let is_before = |word: &str| before.is_some_and(|before| before.is(word));
    match token.kind {
        TokenKind::Word => {
            let among = |words: &[&str]| words.iter().any(|word| token.is(word));
            if among(&POSTGRES)
                || (token.is("extension") && is_before("create"))
                || (token.is("to") && is_before("owner"))
            {
                Some((Dialect::Postgres, SURE))
            } else if among(&MYSQL) {
                Some((Dialect::MySql, SURE))
            } else if among(&SQLITE) || (token.is("pragma") && before.is_none_or(|before| before.is_sign(';'))) {
                Some((Dialect::Sqlite, SURE))
            } else if token.is("datetime") || token.is("tinyint") {
                Some((Dialect::MySql, LIKELY))
            } else {
                None
            }
        }
        TokenKind::Sign if token.is_sign('=') && is_before("engine") => Some((Dialect::MySql, SURE)),
        TokenKind::Sign if token.is_sign(':') && before.is_some_and(|before| before.is_sign(':')) => {
            Some((Dialect::Postgres, SURE))
        }
        TokenKind::Text if token.text.starts_with('$') => Some((Dialect::Postgres, SURE)),
        TokenKind::Data => Some((Dialect::Postgres, SURE)),
        // SQLite takes them too.
        TokenKind::Name if token.text.starts_with('`') => Some((Dialect::MySql, LIKELY)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_of_one_database_or_of_none_that_is_known() {
        for (script, expected) in [
            ("", None),
            (
                "CREATE TABLE a (id INT PRIMARY KEY, b VARCHAR(10)); -- serial, auto_increment",
                None,
            ),
            ("CREATE TABLE a (id BIGSERIAL);", Some(Dialect::Postgres)),
            ("DO $$ BEGIN NULL; END $$;", Some(Dialect::Postgres)),
            ("SELECT '1'::int;", Some(Dialect::Postgres)),
            ("COPY a FROM stdin;\n1\n\\.\n", Some(Dialect::Postgres)),
            ("CREATE TABLE `a` (id INT);", Some(Dialect::MySql)),
            ("CREATE TABLE a (id INT) ENGINE = x;", Some(Dialect::MySql)),
            ("CREATE TABLE a (id INT AUTO_INCREMENT);", Some(Dialect::MySql)),
            ("DELIMITER //\nCREATE PROCEDURE p() BEGIN END//", Some(Dialect::MySql)),
            (
                "CREATE TABLE `a` (id INTEGER PRIMARY KEY AUTOINCREMENT);",
                Some(Dialect::Sqlite),
            ),
            ("PRAGMA foreign_keys = ON;", Some(Dialect::Sqlite)),
            ("INSERT INTO a VALUES ('serial', 'auto_increment', '::');", None),
            (
                "CREATE TABLE a (id SERIAL); CREATE TABLE b (id INT AUTO_INCREMENT);",
                None,
            ),
        ] {
            assert_eq!(guess([script]), expected, "{script}");
        }
        assert_eq!(guess(["SELECT 1;", "SELECT 1::int;"]), Some(Dialect::Postgres));
    }
}
