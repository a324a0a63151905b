//! What Flyway's history table says.

use serde_json::Value;

/// The name of the table, unless somebody chose another.
pub(super) const TABLE: &str = "flyway_schema_history";

/// A history table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The schema it is in; MySQL and MariaDB call that a database.
    pub schema: String,
    /// Its rows, by rank.
    pub rows: Vec<Row>,
}

/// A migration that was applied, or tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its place in the order in which they were applied.
    pub rank: i64,
    /// Its version; a repeatable migration has none.
    pub version: Option<String>,
    /// What its file's name says of it.
    pub description: String,
    /// `SQL`, `BASELINE` and so on.
    pub kind: String,
    /// Its file.
    pub script: String,
    /// The checksum of that file.
    pub checksum: Option<i64>,
    /// When it was applied, in the words of the database.
    pub installed_on: String,
    /// How long it took.
    pub milliseconds: i64,
    /// Whether it was applied.
    pub is_success: bool,
}

impl Row {
    /// Reads a row from the line of JSON that [`super::Engine::rows`] makes the database write.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        let number = |key: &str| value.get(key)?.as_i64();
        Some(Self {
            rank: number("rank")?,
            version: text("version"),
            description: text("description").unwrap_or_default(),
            kind: text("type").unwrap_or_default(),
            script: text("script").unwrap_or_default(),
            checksum: number("checksum"),
            installed_on: text("installed_on").unwrap_or_default(),
            milliseconds: number("time").unwrap_or_default(),
            // PostgreSQL has booleans; MySQL and MariaDB have numbers in their place.
            is_success: match value.get("success")? {
                Value::Bool(value) => *value,
                Value::Number(number) => number.as_i64() != Some(0),
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_in_the_words_of_each_database() {
        let of_mariadb = r#"{"rank": 1, "version": "1", "description": "create \"t\"\nand u", "type": "SQL", "script": "V1__a.sql", "checksum": -5, "installed_on": "2026-01-02 03:04:05", "time": 12, "success": 1}"#;
        let row = Row::parse(of_mariadb).expect("a row");
        assert_eq!(
            (row.rank, row.version.as_deref(), row.checksum),
            (1, Some("1"), Some(-5))
        );
        assert_eq!(row.description, "create \"t\"\nand u");
        assert!(row.is_success);

        let of_postgres = r#"{"rank":2,"version":null,"description":"views","type":"SQL","script":"R__views.sql","checksum":null,"installed_on":"2026-01-02T03:04:05.123","time":3,"success":false}"#;
        let row = Row::parse(of_postgres).expect("a row");
        assert_eq!((row.rank, row.version, row.checksum), (2, None, None));
        assert!(!row.is_success);
    }

    #[test]
    fn what_is_no_row_is_not_taken_for_one() {
        for line in [
            "",
            "NULL",
            "1\t2",
            "{}",
            r#"{"rank": 1}"#,
            r#"{"rank": 1, "success": "t"}"#,
        ] {
            assert_eq!(Row::parse(line), None, "{line}");
        }
    }
}
