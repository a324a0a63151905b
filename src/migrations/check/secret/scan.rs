//! Secrets in scripts, which may be large: one pass in constant memory, over pieces of any length.
//!
//! Nearly every byte is passed over by a look into three small tables, one for each of three bytes in a row, with a bit for each thing
//! that is looked for. Only where a bit is left in all three is anything compared.

use super::token::{PATTERNS, Pattern};
use super::value::has_password;
use crate::migrations::check::{Finding, Place};

/// How much is searched at once: it stays in the processor's cache.
const CHUNK_BYTES: usize = 32 * 1024;
/// How far behind its beginning something is looked at: longer tokens in JSON than this are rare.
const BEHIND_BYTES: usize = 4096;
/// How far before a password the rest of its address begins.
const BEFORE_BYTES: usize = 256;
/// How many findings of one file are kept: more tell nothing new.
const MOST_FINDINGS: usize = 20;
/// Endings of hosts that are examples by definition (RFC 2606).
const EXAMPLE_HOSTS: [&str; 6] = [
    "example.com",
    "example.org",
    "example.net",
    ".example",
    ".invalid",
    ".test",
];

/// What stands in an address, or in words like `host=… password=…`.
const ADDRESSES: [&str; 4] = ["://", ":thin:", "@tcp(", "password="];
const ADDRESSES_COUNT: usize = ADDRESSES.len();
/// What is looked for, in the order of the bits: parts of addresses, then the beginnings of tokens.
const STARTS: [&[u8]; ADDRESSES_COUNT + PATTERNS.len()] = starts();
/// For each of the first three bytes of what is looked for: which of them have that byte there.
static TABLES: [[u32; 256]; 3] = tables();

const fn starts() -> [&'static [u8]; ADDRESSES_COUNT + PATTERNS.len()] {
    let mut starts: [&[u8]; ADDRESSES_COUNT + PATTERNS.len()] = [b""; ADDRESSES_COUNT + PATTERNS.len()];
    let mut at = 0;
    while at < starts.len() {
        starts[at] = if at < ADDRESSES_COUNT {
            ADDRESSES[at].as_bytes()
        } else {
            PATTERNS[at - ADDRESSES_COUNT].start.as_bytes()
        };
        at += 1;
    }
    starts
}

const fn tables() -> [[u32; 256]; 3] {
    let mut tables = [[0; 256]; 3];
    let mut at = 0;
    while at < STARTS.len() {
        let mut place = 0;
        while place < 3 {
            tables[place][STARTS[at][place] as usize] |= 1 << at;
            place += 1;
        }
        at += 1;
    }
    tables
}

/// Looks for secrets in a text that comes in pieces.
#[derive(Default)]
pub struct Scanner {
    /// What may still be looked at, with what came right before.
    buffer: Vec<u8>,
    /// Where in the buffer the search goes on.
    next: usize,
    /// Up to where the buffer was looked at for addresses; without it, one long address would be read again at each of its parts.
    addressed: usize,
    /// How many lines ended before the buffer.
    lines: u64,
    /// How many characters of the buffer's first line came before it.
    characters: u64,
    found: Vec<Hit>,
}

/// Something that was found. It does not hold what it is about.
struct Hit {
    code: &'static str,
    what: &'static str,
    line: u64,
    column: u64,
}

impl Scanner {
    /// Starts a text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes. Pieces may end anywhere.
    pub fn update(&mut self, piece: &[u8]) {
        for chunk in piece.chunks(CHUNK_BYTES) {
            if self.found.len() >= MOST_FINDINGS {
                self.buffer = Vec::new();
                return;
            }
            self.buffer.extend_from_slice(chunk);
            self.search(self.buffer.len().saturating_sub(BEHIND_BYTES));
            let done = self.next.saturating_sub(BEFORE_BYTES);
            // Small pieces are gathered first.
            if done >= CHUNK_BYTES / 2 {
                (self.lines, self.characters) = self.place(done);
                self.buffer.drain(..done);
                self.next -= done;
                self.addressed = self.addressed.saturating_sub(done);
            }
        }
    }

    /// Ends the text; `path` is what its user calls it.
    #[must_use]
    pub fn finish(mut self, path: &str) -> Vec<Finding> {
        if self.found.len() < MOST_FINDINGS {
            self.search(self.buffer.len());
        }
        let finding = |hit: Hit| {
            let place = Place {
                line: hit.line,
                column: hit.column,
                ..Place::file(path)
            };
            let finding = match hit.code {
                "S002" => Finding::new(hit.code, place, hit.what)
                    .help("take the password out; a placeholder gets its value when the script runs"),
                _ => Finding::new(hit.code, place, format!("what looks like {}", hit.what)),
            };
            finding.key(hit.code)
        };
        self.found.into_iter().map(finding).collect()
    }

    /// What is found in a text as a whole.
    pub(super) fn of_text(text: &str) -> Vec<Finding> {
        let mut scanner = Self::new();
        scanner.update(text.as_bytes());
        scanner.finish("")
    }

    fn search(&mut self, until: usize) {
        let mut at = self.next;
        while at < until && self.found.len() < MOST_FINDINGS {
            match start_in(&self.buffer[at..], until - at) {
                Some((offset, bits)) => {
                    at += offset;
                    at = self.look(at, bits).unwrap_or(at + 1);
                }
                None => at = until,
            }
        }
        self.next = self.next.max(at.min(self.buffer.len()));
    }

    /// Looks at a place, where what the bits stand for may begin; returns where what was found there ends.
    fn look(&mut self, at: usize, mut bits: u32) -> Option<usize> {
        let rest = &self.buffer[at..];
        let which = loop {
            let which = bits.trailing_zeros() as usize;
            if rest.starts_with(STARTS.get(which)?) {
                break which;
            }
            bits &= bits - 1;
        };
        let (code, what, end) = match which.checked_sub(ADDRESSES_COUNT) {
            None if at < self.addressed => return None,
            None => {
                let (end, has_password) = address(&self.buffer, at, ADDRESSES[which]);
                self.addressed = end;
                ("S002", "an address with a password", has_password.then_some(end)?)
            }
            Some(which) => {
                let pattern: &Pattern = &PATTERNS[which];
                ("S003", pattern.what, pattern.end(&self.buffer, at)?)
            }
        };
        let (lines, characters) = self.place(at);
        self.found.push(Hit {
            code,
            what,
            line: lines + 1,
            column: characters + 1,
        });
        Some(end)
    }

    /// The lines before a place of the buffer, and the characters before it in its line.
    fn place(&self, at: usize) -> (u64, u64) {
        let before = &self.buffer[..at];
        let characters = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
        match before.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                let ended = before[..=last].iter().filter(|byte| **byte == b'\n').count() as u64;
                (self.lines + ended, characters(&before[last + 1..]))
            }
            None => (self.lines, self.characters + characters(before)),
        }
    }
}

/// Where within the first `limit` bytes of a text something that is looked for may begin, and the bits of what.
fn start_in(text: &[u8], limit: usize) -> Option<(usize, u32)> {
    let [first, second, third] = &TABLES;
    let bits = |window: &[u8; 3]| {
        first[usize::from(window[0])] & second[usize::from(window[1])] & third[usize::from(window[2])]
    };
    let bits_at = |at: usize| {
        text.get(at..at + 3)
            .and_then(|window| window.try_into().ok())
            .map_or(0, bits)
    };
    let mut at = 0;
    // Eight places with one branch.
    while let Some(block) = text
        .get(at..at + 10)
        .and_then(|block| <&[u8; 10]>::try_from(block).ok())
    {
        if at >= limit {
            return None;
        }
        let mut any = 0;
        for offset in 0..8 {
            any |= bits(&[block[offset], block[offset + 1], block[offset + 2]]);
        }
        if any != 0 {
            let offset = (at..at + 8).find(|at| bits_at(*at) != 0)?;
            return Some((offset, bits_at(offset))).filter(|(offset, _)| *offset < limit);
        }
        at += 8;
    }
    let offset = (at..limit.min(text.len())).find(|at| bits_at(*at) != 0)?;
    Some((offset, bits_at(offset)))
}

/// The end of an address around a place, and whether there is a password in it.
fn address(text: &[u8], at: usize, part: &str) -> (usize, bool) {
    let in_words = part == "password=";
    let ends = |byte: &u8| match byte {
        b'\'' | b'"' | b'`' | b'\n' | b'\r' | b'\\' => true,
        b'<' | b'>' | b')' | b',' | b' ' | b'\t' => !in_words && part != "@tcp(",
        _ => false,
    };
    let before = &text[at.saturating_sub(BEFORE_BYTES)..at];
    let start = at - before.iter().rev().take_while(|byte| !ends(byte)).count();
    let behind = &text[at..text.len().min(at + BEHIND_BYTES)];
    let end = at + behind.iter().position(ends).unwrap_or(behind.len());
    // Most addresses in scripts have neither a user nor parameters.
    if !text[start..end].iter().any(|byte| matches!(byte, b'@' | b'=')) {
        return (end, false);
    }
    let address = String::from_utf8_lossy(&text[start..end]);
    (end, has_password(&address) && !is_example(&address))
}

/// Whether an address is of a host that cannot be.
fn is_example(address: &str) -> bool {
    let host = address.rsplit_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    EXAMPLE_HOSTS.iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests;
