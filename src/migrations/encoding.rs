//! Text encodings of scripts, read strictly and piece by piece.
//!
//! Names and strictness are Java's, since Flyway is: what Java's decoder of that name refuses is refused here.

use encoding_rs::{DecoderResult, Encoding as Standard};

/// Names of ISO 8859-1, which the encodings of the web do not know: there the name means windows-1252.
const LATIN_1: [&str; 9] = [
    "iso-8859-1",
    "iso8859-1",
    "iso8859_1",
    "iso_8859-1",
    "iso_8859_1",
    "8859_1",
    "latin1",
    "l1",
    "cp819",
];
/// Names of ISO 8859-9.
const LATIN_5: [&str; 5] = ["iso-8859-9", "iso8859-9", "iso8859_9", "latin5", "l5"];
/// Where that differs from ISO 8859-1.
const TURKISH: [(u8, char); 6] = [
    (0xd0, 'Ğ'),
    (0xdd, 'İ'),
    (0xde, 'Ş'),
    (0xf0, 'ğ'),
    (0xfd, 'ı'),
    (0xfe, 'ş'),
];
/// Names of US-ASCII.
const ASCII: [&str; 5] = ["us-ascii", "ascii", "ascii7", "iso646-us", "646"];
/// What windows-1252 leaves free, and Java's decoder refuses.
const NOT_IN_WINDOWS_1252: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// An encoding of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, without a meaning of its own for a byte order mark.
    Utf8,
    /// UTF-16 in the order its mark says; without one, the higher byte is first.
    Utf16,
    /// UTF-16 with the higher byte first.
    Utf16Big,
    /// UTF-16 with the lower byte first.
    Utf16Little,
    /// ISO 8859-1: every byte is the character of its number.
    Latin1,
    /// ISO 8859-9: the same but for six letters of Turkish. The web means windows-1254 by this name, too.
    Latin5,
    /// US-ASCII.
    Ascii,
    /// One of the encodings of the web.
    Other(&'static Standard),
}

impl Encoding {
    /// The encoding a name of Java's stands for, whatever its case; none if it is not known here.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Some(match name.as_str() {
            "utf-8" | "utf8" | "unicode-1-1-utf-8" => Self::Utf8,
            "utf-16" | "utf16" | "utf_16" | "unicode" | "unicodebig" => Self::Utf16,
            "utf-16be" | "utf_16be" | "unicodebigunmarked" | "x-utf-16be" => Self::Utf16Big,
            "utf-16le" | "utf_16le" | "unicodelittleunmarked" | "x-utf-16le" => Self::Utf16Little,
            name if LATIN_1.contains(&name) => Self::Latin1,
            name if LATIN_5.contains(&name) => Self::Latin5,
            name if ASCII.contains(&name) => Self::Ascii,
            name => {
                // Java writes Cp1252 for windows-1252.
                let name = name
                    .strip_prefix("cp125")
                    .map_or(name.to_owned(), |rest| format!("windows-125{rest}"));
                Self::Other(Standard::for_label(name.as_bytes())?)
            }
        })
    }

    /// Whether it is a form of UTF-16.
    #[must_use]
    pub fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16 | Self::Utf16Big | Self::Utf16Little)
    }
}

/// Turns bytes of an encoding into text, piece by piece and in constant memory.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    foreign: Option<encoding_rs::Decoder>,
    /// The beginning of a character whose end is in the next piece.
    unfinished: Vec<u8>,
    text: String,
    /// How many bytes have been taken.
    taken: u64,
    malformed: Option<u64>,
}

impl Decoder {
    /// Starts with no bytes.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        let foreign = match encoding {
            Encoding::Utf16Big => Some(encoding_rs::UTF_16BE.new_decoder_without_bom_handling()),
            Encoding::Utf16Little => Some(encoding_rs::UTF_16LE.new_decoder_without_bom_handling()),
            Encoding::Other(standard) => Some(standard.new_decoder_without_bom_handling()),
            // Which one it is, the first two bytes tell.
            Encoding::Utf16 | Encoding::Utf8 | Encoding::Latin1 | Encoding::Latin5 | Encoding::Ascii => None,
        };
        Self {
            encoding,
            foreign,
            unfinished: Vec::new(),
            text: String::new(),
            taken: 0,
            malformed: None,
        }
    }

    /// Where the first bytes that are not in the encoding begin, counted from zero; the text ends there.
    #[must_use]
    pub fn malformed(&self) -> Option<u64> {
        self.malformed
    }

    /// Decodes the next bytes; they may end within a character. Gives no more text behind bytes that are not in the encoding.
    pub fn decode<'a>(&'a mut self, bytes: &'a [u8]) -> &'a str {
        if self.malformed.is_some() {
            return "";
        }
        match self.encoding {
            Encoding::Utf8 => self.utf8(bytes),
            Encoding::Ascii => {
                let valid = bytes.iter().position(|byte| !byte.is_ascii());
                if let Some(at) = valid {
                    self.malformed = Some(self.taken + at as u64);
                }
                self.taken += bytes.len() as u64;
                str::from_utf8(&bytes[..valid.unwrap_or(bytes.len())]).unwrap_or_default()
            }
            Encoding::Latin1 => {
                self.text.clear();
                self.text.extend(bytes.iter().map(|byte| char::from(*byte)));
                self.taken += bytes.len() as u64;
                &self.text
            }
            Encoding::Latin5 => {
                let turkish = |byte: &u8| TURKISH.iter().find(|(own, _)| own == byte).map(|(_, letter)| *letter);
                self.text.clear();
                self.text
                    .extend(bytes.iter().map(|byte| turkish(byte).unwrap_or(char::from(*byte))));
                self.taken += bytes.len() as u64;
                &self.text
            }
            Encoding::Utf16 if self.foreign.is_none() => self.utf16_start(bytes),
            Encoding::Utf16 | Encoding::Utf16Big | Encoding::Utf16Little | Encoding::Other(_) => {
                self.text.clear();
                self.foreign(bytes, false);
                &self.text
            }
        }
    }

    /// Ends the text: what is left over is a character that does not end. Nothing may be decoded afterwards.
    pub fn finish(&mut self) -> &str {
        self.text.clear();
        if self.malformed.is_some() {
            return "";
        }
        if self.foreign.is_some() {
            self.foreign(&[], true);
            // It must not be asked again.
            self.foreign = None;
        } else if !self.unfinished.is_empty() {
            self.malformed = Some(self.taken - self.unfinished.len() as u64);
        }
        &self.text
    }

    fn utf8<'a>(&'a mut self, bytes: &'a [u8]) -> &'a str {
        let start = self.taken - self.unfinished.len() as u64;
        self.taken += bytes.len() as u64;
        let mut joined = std::mem::take(&mut self.unfinished);
        if joined.is_empty() {
            let valid = self.valid(bytes, start);
            return str::from_utf8(&bytes[..valid]).unwrap_or_default();
        }
        joined.extend_from_slice(bytes);
        let valid = self.valid(&joined, start);
        joined.truncate(valid);
        self.text = String::from_utf8(joined).unwrap_or_default();
        &self.text
    }

    /// How many bytes are whole characters; keeps the beginning of one.
    fn valid(&mut self, bytes: &[u8], start: u64) -> usize {
        let Err(error) = str::from_utf8(bytes) else {
            return bytes.len();
        };
        let valid = error.valid_up_to();
        if error.error_len().is_none() {
            self.unfinished.extend_from_slice(&bytes[valid..]);
        } else {
            self.malformed = Some(start + valid as u64);
        }
        valid
    }

    fn utf16_start(&mut self, bytes: &[u8]) -> &str {
        self.text.clear();
        self.unfinished.extend_from_slice(bytes);
        if self.unfinished.len() < 2 {
            self.taken += bytes.len() as u64;
            return "";
        }
        let all = std::mem::take(&mut self.unfinished);
        let (standard, mark) = match all[..2] {
            [0xff, 0xfe] => (encoding_rs::UTF_16LE, 2),
            [0xfe, 0xff] => (encoding_rs::UTF_16BE, 2),
            _ => (encoding_rs::UTF_16BE, 0),
        };
        self.foreign = Some(standard.new_decoder_without_bom_handling());
        self.taken = mark;
        self.foreign(&all[usize::from(mark > 0) * 2..], false);
        &self.text
    }

    fn foreign(&mut self, bytes: &[u8], last: bool) {
        let Some(decoder) = &mut self.foreign else { return };
        let mut rest = bytes;
        if self.encoding == Encoding::Other(encoding_rs::WINDOWS_1252)
            && let Some(at) = bytes.iter().position(|byte| NOT_IN_WINDOWS_1252.contains(byte))
        {
            self.malformed = Some(self.taken + at as u64);
            rest = &bytes[..at];
        }
        let room = decoder.max_utf8_buffer_length_without_replacement(rest.len());
        self.text.reserve(room.unwrap_or(rest.len() * 4 + 16));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut self.text, last);
        if let DecoderResult::Malformed(length, behind) = result {
            let at = (self.taken + read as u64).saturating_sub(u64::from(length) + u64::from(behind));
            self.malformed = Some(at);
        }
        self.taken += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8], size: usize) -> (String, Option<u64>) {
        let mut decoder = Decoder::new(encoding);
        let mut text = String::new();
        for piece in bytes.chunks(size) {
            text.push_str(decoder.decode(piece));
        }
        text.push_str(decoder.finish());
        (text, decoder.malformed())
    }

    #[test]
    fn text_of_every_encoding_in_pieces_of_every_size() {
        let little: Vec<u8> = "aé\u{1f600}b".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "aé\u{1f600}b".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xff, 0xfe][..], &little].concat();
        for (name, bytes, expected) in [
            ("UTF-8", "aé\u{1f600}b".as_bytes(), "aé\u{1f600}b"),
            ("utf8", b"\xef\xbb\xbfa", "\u{feff}a"),
            ("UTF-16LE", &little, "aé\u{1f600}b"),
            ("UTF-16BE", &big, "aé\u{1f600}b"),
            ("UTF-16", &big, "aé\u{1f600}b"),
            ("UTF-16", &marked, "aé\u{1f600}b"),
            ("UTF-16LE", &marked, "\u{feff}aé\u{1f600}b"),
            ("ISO-8859-1", b"a\xe9\x80", "aé\u{80}"),
            ("ISO-8859-9", b"a\xfd\x80", "aı\u{80}"),
            ("windows-1252", b"a\xe9\x80", "aé€"),
            ("Cp1252", b"\x80", "€"),
            ("US-ASCII", b"abc", "abc"),
            ("Shift_JIS", b"\x83\x65a", "テa"),
            ("windows-1251", b"\xe6", "ж"),
        ] {
            let encoding = Encoding::of_name(name).expect("a known name");
            for size in 1..=bytes.len() {
                assert_eq!(
                    decoded(encoding, bytes, size),
                    (expected.to_owned(), None),
                    "{name} by {size}"
                );
            }
        }
    }

    #[test]
    fn bytes_that_do_not_belong_are_found_and_nothing_behind_them_is_read() {
        for (name, bytes, before, offset) in [
            ("UTF-8", &b"a\xffb"[..], "a", 1),
            ("UTF-8", b"a\xc3", "a", 1),
            ("UTF-8", b"\xed\xa0\x80", "", 0),
            ("US-ASCII", b"ab\xe9c", "ab", 2),
            ("windows-1252", b"a\x81", "a", 1),
            ("UTF-16BE", b"\0ax", "a", 2),
            ("UTF-16LE", b"a\0\0\xd8b\0", "a", 2),
            ("UTF-16", b"x", "", 0),
        ] {
            let encoding = Encoding::of_name(name).expect("a known name");
            for size in 1..=bytes.len() {
                let expected = (before.to_owned(), Some(offset));
                assert_eq!(decoded(encoding, bytes, size), expected, "{name} {bytes:?} by {size}");
            }
        }
        assert_eq!(Encoding::of_name("EBCDIC-of-nobody"), None);
    }
}
