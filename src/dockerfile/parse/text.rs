//! Bytes become text.

use std::borrow::Cow;

use super::Fault;
use crate::dockerfile::error::Problem;
use crate::dockerfile::instruction::Position;

/// The mark editors on Windows put at the beginning.
const MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Reads UTF-8. Comments may hold anything: whoever wrote a name in Latin-1 there meant nobody's harm.
pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<Cow<'_, str>, Fault> {
    let start = Position { line: 1, column: 1 };
    if bytes.len() > limit {
        return Err(Problem::syntax(format!("it is longer than {} MiB", limit / 1024 / 1024)).here(start));
    }
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(Problem::syntax_with("it is UTF-16 text", "save it as UTF-8").here(start));
    }
    let bytes = bytes.strip_prefix(&MARK).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let Err(error) = std::str::from_utf8(line) else {
            continue;
        };
        if line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        let before = String::from_utf8_lossy(&line[..error.valid_up_to()]);
        let position = Position {
            line: at + 1,
            column: before.chars().count() + 1,
        };
        return Err(Problem::syntax_with("it is not UTF-8 text", "save it as UTF-8").here(position));
    }
    Ok(String::from_utf8_lossy(bytes))
}
