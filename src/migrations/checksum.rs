//! Flyway's checksum of a script, to the bit.

use crc32fast::Hasher;

use super::encoding::{Decoder, Encoding};

/// The byte order mark Flyway drops from the start of a script.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Computes Flyway's checksum of a whole script in UTF-8.
///
/// # Errors
/// The bytes are not UTF-8.
pub fn checksum(bytes: &[u8]) -> Result<i32, ChecksumError> {
    let mut decoder = Decoder::new(Encoding::Utf8);
    let mut checksum = Checksum::new();
    checksum.update(decoder.decode(bytes));
    decoder.finish();
    match decoder.malformed() {
        Some(offset) => Err(ChecksumError::Malformed { offset }),
        None => Ok(checksum.finish()),
    }
}

/// Computes Flyway's checksum of the text of a script piece by piece, in constant memory.
///
/// It is the CRC-32 of the script's lines, in UTF-8 and without their ends, so that line ends and blank lines do not count; one byte
/// order mark at the very start does not count either. Flyway decodes strictly, so a script that is not in its encoding has none.
#[derive(Debug, Clone, Default)]
pub struct Checksum {
    crc: Hasher,
    /// Whether there was any text.
    begun: bool,
    /// The lines of a piece side by side: one long text is summed faster than many short ones.
    lines: Vec<u8>,
}

/// Why a script has no checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// The bytes are not UTF-8.
    #[error("the script is not UTF-8 at byte {offset}")]
    Malformed {
        /// Where the first character that is none begins, counted from zero.
        offset: u64,
    },
}

impl ChecksumError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        vec!["save the script as UTF-8".to_owned()]
    }
}

impl Checksum {
    /// Starts with no text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text; pieces may end within a line.
    pub fn update(&mut self, text: &str) {
        let mut rest = text;
        if !self.begun && !text.is_empty() {
            self.begun = true;
            rest = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        self.lines.clear();
        for line in rest.as_bytes().split(|byte| matches!(byte, b'\n' | b'\r')) {
            self.lines.extend_from_slice(line);
        }
        self.crc.update(&self.lines);
    }

    /// Returns the checksum of all text added, as the signed number Flyway stores.
    #[must_use]
    pub fn finish(self) -> i32 {
        self.crc.finalize().cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values Flyway's own calculator gives.
    const GOLDEN: &[(&[u8], i32)] = &[
        (b"", 0),
        (b"\xef\xbb\xbf", 0),
        (b"SELECT 1;", 78_787_420),
        (b"SELECT 1;\n", 78_787_420),
        (b"SELECT 1;\r\n", 78_787_420),
        (b"\xef\xbb\xbfSELECT 1;", 78_787_420),
        (b"\xef\xbb\xbfSELECT 1;\n", 78_787_420),
        (b"\xef\xbb\xbf\nSELECT 1;", 78_787_420),
        (b"\xef\xbb\xbf\xef\xbb\xbfSELECT 1;", -1_606_921_097),
        (b"CREATE TABLE t (id INT);\nINSERT INTO t VALUES (1);\n", 194_980_085),
        (
            b"CREATE TABLE t (id INT);\r\nINSERT INTO t VALUES (1);\r\n",
            194_980_085,
        ),
        (b"CREATE TABLE t (id INT);\rINSERT INTO t VALUES (1);\r", 194_980_085),
        (
            b"\n\nCREATE TABLE t (id INT);\n\n\nINSERT INTO t VALUES (1);\n\n",
            194_980_085,
        ),
        (b"CREATE TABLE t (id INT);INSERT INTO t VALUES (1);", 194_980_085),
        (
            b"CREATE TABLE t (id INT); \nINSERT INTO t VALUES (1);\n",
            -1_665_544_372,
        ),
        ("\u{e9}\n".as_bytes(), 235_179_326),
        ("\u{1f600}\n".as_bytes(), 88_978_756),
        ("a\u{2028}b".as_bytes(), 978_390_342),
        (b"a\x0cb", -1_185_073_283),
        ("a\u{85}b".as_bytes(), -709_009_106),
        (b"a\0b", 367_556_721),
        (
            b"CREATE TABLE MyTable (\n    MyColumn VARCHAR(100) NOT NULL\n);\n",
            -1_527_846_543,
        ),
        (
            b"alter table location_history add column valid_until timestamp with time zone;",
            -1_039_259_818,
        ),
    ];

    #[test]
    fn agrees_with_flyway() {
        for (bytes, expected) in GOLDEN {
            assert_eq!(checksum(bytes), Ok(*expected), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn pieces_give_the_checksum_of_the_whole() {
        for (bytes, expected) in GOLDEN {
            for size in 1..8 {
                let mut decoder = Decoder::new(Encoding::Utf8);
                let mut checksum = Checksum::new();
                for piece in bytes.chunks(size) {
                    checksum.update(decoder.decode(piece));
                }
                assert_eq!(
                    checksum.finish(),
                    *expected,
                    "{:?} by {size}",
                    String::from_utf8_lossy(bytes)
                );
            }
        }
    }

    #[test]
    fn a_mark_counts_anywhere_but_at_the_start() {
        let marked = checksum(b"\n\xef\xbb\xbfSELECT 1;");
        assert_ne!(marked, Ok(78_787_420));
        assert_eq!(marked, checksum(b"\xef\xbb\xbf\xef\xbb\xbfSELECT 1;"));
    }

    #[test]
    fn refuses_what_is_not_utf8_and_says_where() {
        for (bytes, offset) in [
            (&b"a\xffb"[..], 1),
            (b"a\xc3", 1),
            (b"\xc0\x80", 0),
            (b"\xed\xa0\x80", 0),
            (b"\xef\xbb", 0),
            (b"ab\xe2\x80x", 2),
        ] {
            assert_eq!(checksum(bytes), Err(ChecksumError::Malformed { offset }), "{bytes:?}");
        }
    }
}
