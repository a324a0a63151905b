//! What the content of a script amounts to, and its text on the way.

use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use super::checksum::{BYTE_ORDER_MARK, Checksum};
use super::content::Content;
use super::encoding::{Decoder, Encoding};
use super::flyway::placeholder::Replacing;
use super::reading::{Encoded, Reading};

/// How much of a file is read at once to guess its encoding.
const BUFFER_BYTES: usize = 64 * 1024;

/// What the content of one file amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// The SHA-256 digest of the bytes.
    pub sha256: [u8; 32],
    /// Flyway's checksum of the text as it is in the file; none for a file that is not in its encoding.
    pub checksum: Option<i32>,
    /// Flyway's checksum of the text with all placeholders replaced, which is what its history keeps of a repeatable script; none where
    /// nothing is replaced, or the image does not know every value.
    pub replaced_checksum: Option<i32>,
    /// The number of bytes.
    pub size_bytes: u64,
    /// The encoding it was read in; none if its name is not known here.
    pub encoding: Option<Encoding>,
    /// Where the first bytes that are not in the encoding begin, counted from zero.
    pub malformed: Option<u64>,
}

/// Measures content piece by piece and gives its text, for a caller that reads the file anyway.
#[derive(Debug)]
pub struct Measuring {
    sha256: Sha256,
    /// None for what has no text that is known here.
    decoder: Option<Decoder>,
    encoding: Option<Encoding>,
    text: Text,
    size_bytes: u64,
}

/// What is made of the text.
#[derive(Debug, Default)]
struct Text {
    checksum: Checksum,
    replacing: Option<Replacing>,
    replaced: Checksum,
    /// Whether there was any text.
    begun: bool,
}

impl Measuring {
    /// Starts with no bytes. Where Flyway guesses the encoding, the content is read once before.
    ///
    /// # Errors
    /// The content cannot be read.
    pub fn new(reading: &Reading, content: &Content) -> io::Result<Self> {
        let encoding = match reading.encoding {
            Encoded::Known(encoding) => Some(encoding),
            Encoded::Guessed => Some(guess(content)?),
            Encoded::Unknown => None,
        };
        Ok(Self {
            sha256: Sha256::new(),
            decoder: encoding.map(Decoder::new),
            encoding,
            text: Text {
                replacing: reading.replacement.clone().map(Replacing::new),
                ..Text::default()
            },
            size_bytes: 0,
        })
    }

    /// Adds bytes and gives the text they hold: without a byte order mark at the very start, and none at all behind bytes that are not
    /// in the encoding. A character that does not end in this piece comes with the next one.
    pub fn update<'a>(&'a mut self, bytes: &'a [u8]) -> &'a str {
        self.sha256.update(bytes);
        self.size_bytes += bytes.len() as u64;
        let Some(decoder) = &mut self.decoder else { return "" };
        self.text.update(decoder.decode(bytes))
    }

    /// Ends the text, before [`Self::finish`]; gives what is left of it, which is nothing in almost every encoding.
    pub fn end(&mut self) -> &str {
        let Some(decoder) = &mut self.decoder else { return "" };
        self.text.update(decoder.finish())
    }

    /// Returns what all bytes added amount to.
    #[must_use]
    pub fn finish(mut self) -> Measurement {
        self.end();
        let malformed = self.decoder.as_ref().and_then(Decoder::malformed);
        let is_text = self.decoder.is_some() && malformed.is_none();
        let is_replaced = self.text.replacing.as_mut().is_some_and(|replacing| {
            let (rest, is_known) = replacing.finish();
            self.text.replaced.update(rest);
            is_known
        });
        Measurement {
            sha256: self.sha256.finalize().into(),
            checksum: is_text.then(|| self.text.checksum.finish()),
            replaced_checksum: (is_text && is_replaced).then(|| self.text.replaced.finish()),
            size_bytes: self.size_bytes,
            encoding: self.encoding,
            malformed,
        }
    }
}

impl Text {
    fn update<'a>(&mut self, text: &'a str) -> &'a str {
        self.checksum.update(text);
        if let Some(replacing) = &mut self.replacing {
            self.replaced.update(replacing.update(text));
        }
        if self.begun || text.is_empty() {
            return text;
        }
        self.begun = true;
        text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
    }
}

/// The encoding Flyway takes a file for when it is to find out by itself, in constant memory.
fn guess(content: &Content) -> io::Result<Encoding> {
    let mut file = content.open()?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut start = Vec::new();
    let mut utf8 = Decoder::new(Encoding::Utf8);
    let (mut size, mut zeros) = (0_u64, 0_u64);
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..count];
        start.extend_from_slice(&bytes[..bytes.len().min(2_usize.saturating_sub(start.len()))]);
        utf8.decode(bytes);
        let odd = usize::from(size % 2 == 0);
        zeros += bytes.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count() as u64;
        size += count as u64;
    }
    utf8.finish();
    let is_even = size % 2 == 0;
    Ok(match start[..] {
        [0xfe, 0xff] if is_even => Encoding::Utf16Big,
        [0xff, 0xfe] if is_even => Encoding::Utf16Little,
        // Every second byte is mostly zero.
        _ if is_even && zeros * 2 > size / 2 => Encoding::Utf16,
        _ if utf8.malformed().is_none() => Encoding::Utf8,
        // Whatever the bytes are, this one reads them.
        _ => Encoding::Latin1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::flyway::placeholder::Replacement;

    fn measured(reading: &Reading, bytes: &[u8], size: usize) -> (Measurement, String) {
        let content = Content::Bytes(bytes.into());
        let mut measuring = Measuring::new(reading, &content).expect("it is in memory");
        let mut text = String::new();
        for piece in bytes.chunks(size) {
            text.push_str(measuring.update(piece));
        }
        text.push_str(measuring.end());
        (measuring.finish(), text)
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_text_has_one_checksum_in_every_encoding() {
        for (name, bytes) in [
            ("UTF-8", "\u{e9}\n".as_bytes().to_vec()),
            ("UTF-8", "\u{feff}\u{e9}\r\n".as_bytes().to_vec()),
            ("ISO-8859-1", b"\xe9\n".to_vec()),
            ("windows-1252", b"\xe9".to_vec()),
            ("UTF-16LE", utf16("\u{e9}\n")),
            ("UTF-16LE", utf16("\u{feff}\u{e9}")),
            ("UTF-16", utf16("\u{feff}\u{e9}\n")),
            ("UTF-16", b"\x00\xe9".to_vec()),
        ] {
            for size in 1..=bytes.len() {
                let reading = Reading::in_encoding(Encoding::of_name(name).expect("known"));
                let (measurement, text) = measured(&reading, &bytes, size);
                assert_eq!(measurement.checksum, Some(235_179_326), "{name} by {size}");
                assert_eq!(text.trim_end(), "\u{e9}");
            }
        }
    }

    #[test]
    fn what_is_not_in_the_encoding_has_no_checksum() {
        for (name, bytes, offset) in [
            ("UTF-8", &b"a\xe9"[..], 1),
            ("UTF-16LE", b"a\0b", 2),
            ("US-ASCII", b"\xc3\xa9", 0),
        ] {
            let reading = Reading::in_encoding(Encoding::of_name(name).expect("known"));
            let (measurement, _) = measured(&reading, bytes, 1);
            assert_eq!(
                (measurement.checksum, measurement.malformed),
                (None, Some(offset)),
                "{name}"
            );
        }
        let unknown = Reading {
            encoding: Encoded::Unknown,
            ..Reading::default()
        };
        let (measurement, text) = measured(&unknown, b"abc", 2);
        assert_eq!(
            (measurement.checksum, measurement.malformed, text.as_str()),
            (None, None, "")
        );
        assert_eq!(measurement.size_bytes, 3);
    }

    #[test]
    fn encodings_are_guessed_as_flyway_guesses() {
        let guessing = Reading {
            encoding: Encoded::Guessed,
            ..Reading::default()
        };
        for (bytes, expected) in [
            (&b""[..], Encoding::Utf8),
            (b"SELECT 1;", Encoding::Utf8),
            (b"\xef\xbb\xbfa", Encoding::Utf8),
            (b"a\xe9", Encoding::Latin1),
            (&utf16("\u{feff}\u{e9}b"), Encoding::Utf16Little),
            // An odd number of bytes is no UTF-16, mark or not.
            (b"\xff\xfea\0b", Encoding::Latin1),
            (b"\xfe\xff\0a", Encoding::Utf16Big),
            // Without a mark the order is taken for the wrong one, as Flyway does.
            (b"a\0b\0", Encoding::Utf16),
            (b"\0a\0b", Encoding::Utf8),
            (b"a\0bc", Encoding::Utf8),
        ] {
            assert_eq!(measured(&guessing, bytes, 1).0.encoding, Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_replacing_makes_is_summed_besides() {
        let replacement = Replacement::new("${", "}", [("name".to_owned(), "VAL".to_owned())]);
        let reading = Reading {
            replacement: Some(replacement.into()),
            ..Reading::default()
        };
        let plain = |text: &str| measured(&Reading::default(), text.as_bytes(), 9).0.checksum;
        for size in 1..12 {
            let (measurement, text) = measured(&reading, b"a ${NAME} b", size);
            assert_eq!(text, "a ${NAME} b");
            assert_eq!(measurement.checksum, plain("a ${NAME} b"));
            assert_eq!(measurement.replaced_checksum, plain("a VAL b"));
            let (measurement, _) = measured(&reading, b"a ${other} b", size);
            assert_eq!(measurement.replaced_checksum, None);
        }
    }
}
