//! Listening to what a container writes: bytes of two streams become lines for the reader of migration tools.

use shipway::execute::report::Reader;
use shipway::execute::{Report, Stream};

/// A line that is longer is read in pieces: a program may never end one.
const LONGEST_LINE_BYTES: usize = 1024 * 1024;

/// Hears every byte, and keeps what a migration tool says.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    reader: Reader,
    output: Vec<u8>,
    error: Vec<u8>,
}

impl Listener {
    /// Hears some bytes of a stream.
    pub(crate) fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        let line = match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(end) => {
                    line.extend_from_slice(end);
                    self.reader.line(&String::from_utf8_lossy(line));
                    line.clear();
                }
                None => line.extend_from_slice(piece),
            }
            if line.len() > LONGEST_LINE_BYTES {
                self.reader.line(&String::from_utf8_lossy(line));
                line.clear();
            }
        }
    }

    /// What a migration tool says it did, if one spoke.
    pub(crate) fn finish(mut self) -> Option<Report> {
        for line in [self.output, self.error] {
            if !line.is_empty() {
                self.reader.line(&String::from_utf8_lossy(&line));
            }
        }
        self.reader.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_whatever_pieces_they_come_in() {
        let output = "Flyway OSS Edition 12.4.0 by Redgate\nCurrent version of schema `ü`: 1\nMigrating schema `ü` to version \"2 - x\"";
        let error = "ERROR: Migration of schema `ü` to version \"2 - x\" failed! Look\nERROR: Failed to execute script V2__x.sql\nSQL State  : 42S02\nLine       : 7";
        let mut listener = Listener::default();
        // Both at a time, byte by byte.
        for at in 0..output.len().max(error.len()) {
            for (stream, text) in [(Stream::Output, output), (Stream::Error, error)] {
                listener.hear(stream, text.as_bytes().get(at..=at).unwrap_or_default());
            }
        }
        let report = listener.finish().expect("Flyway spoke");
        assert_eq!(report.initial.as_deref(), Some("1"));
        assert_eq!(report.executed, []);
        assert_eq!(
            report.error.expect("it failed").message,
            "Failed to execute script V2__x.sql"
        );
    }

    #[test]
    fn a_line_without_end_is_not_kept_whole() {
        let mut listener = Listener::default();
        for _ in 0..20 {
            listener.hear(Stream::Error, &vec![b'x'; LONGEST_LINE_BYTES / 4]);
            assert!(listener.error.len() <= LONGEST_LINE_BYTES);
        }
        assert_eq!(listener.finish(), None);
    }
}
