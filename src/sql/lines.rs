//! Lines and columns.

use super::statement::{Problem, ProblemKind};

/// How many bytes are counted before the sum might not fit a byte any more, which is what a processor counts fastest in.
const COUNTED_AT_ONCE: usize = 192;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// From one.
    pub line: u64,
    /// In characters, from one.
    pub column: u64,
}

impl Lines {
    /// Where a text begins.
    pub const FIRST: Self = Self { line: 1, column: 1 };

    /// Goes on behind these bytes.
    pub fn advance(&mut self, bytes: &[u8]) {
        let breaks = count(bytes, |byte| byte == b'\n');
        let mut tail = bytes;
        if breaks > 0 {
            self.line += breaks;
            self.column = 1;
            let last = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            tail = &bytes[last..];
        }
        // Every byte of a character but the first is 10xxxxxx.
        self.column += count(tail, |byte| byte & 0xc0 != 0x80);
    }

    /// A problem here.
    pub(super) fn problem(self, kind: ProblemKind) -> Problem {
        Problem {
            kind,
            line: self.line,
            column: self.column,
        }
    }
}

fn count(bytes: &[u8], counts: impl Fn(u8) -> bool) -> u64 {
    let of_chunk = |chunk: &[u8]| u64::from(chunk.iter().map(|byte| u8::from(counts(*byte))).sum::<u8>());
    bytes.chunks(COUNTED_AT_ONCE).map(of_chunk).sum()
}
