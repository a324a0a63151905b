//! What BuildKit tells of its steps: messages of its control API (`StatusResponse`), read as far as a log needs them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The steps told of so far.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: HashMap<Vec<u8>, Step>,
}

#[derive(Debug, Default)]
struct Step {
    number: usize,
    is_begun: bool,
    is_cached: bool,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

/// A field of a message: its number, and its bytes; a number has none.
type Field<'a> = (u64, u64, &'a [u8]);

impl Trace {
    /// Takes a message; returns what is new, in lines. What makes no sense is left out: it is only a log.
    pub(super) fn take(&mut self, text: &str) -> Vec<String> {
        let Ok(message) = STANDARD.decode(text) else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        for (number, _, bytes) in fields(&message) {
            match number {
                1 => self.step(bytes, &mut lines),
                3 => self.log(bytes, &mut lines),
                _ => {}
            }
        }
        lines
    }

    fn of(&mut self, digest: &[u8]) -> &mut Step {
        let next = self.steps.len() + 1;
        self.steps.entry(digest.to_owned()).or_insert_with(|| Step {
            number: next,
            ..Step::default()
        })
    }

    /// A `Vertex`: 1 digest, 3 name, 4 cached, 5 started, 7 error.
    fn step(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        let (mut digest, mut name, mut is_cached, mut is_begun) = (&[][..], String::new(), false, false);
        for (number, value, bytes) in fields(bytes) {
            match number {
                1 => digest = bytes,
                3 => name = clean(bytes),
                4 => is_cached = value != 0,
                5 => is_begun = true,
                _ => {}
            }
        }
        let step = self.of(digest);
        if is_begun && !step.is_begun {
            step.is_begun = true;
            lines.push(format!("#{} {name}", step.number));
        }
        if is_cached && !step.is_cached {
            step.is_cached = true;
            lines.push(format!("#{} cached", step.number));
        }
    }

    /// A `VertexLog`: 1 vertex, 4 message.
    fn log(&mut self, bytes: &[u8], lines: &mut Vec<String>) {
        let (mut digest, mut text) = (&[][..], &[][..]);
        for (number, _, bytes) in fields(bytes) {
            match number {
                1 => digest = bytes,
                4 => text = bytes,
                _ => {}
            }
        }
        let step = self.of(digest);
        step.line.extend_from_slice(text);
        while let Some(end) = step.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = step.line.drain(..=end).collect();
            lines.push(format!("#{} {}", step.number, clean(&line)));
        }
    }
}

/// A line as a terminal shows it in the end: after the last return to its beginning, without what moves the cursor.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    let last = text.rsplit('\r').next().unwrap_or_default();
    last.chars()
        .filter(|letter| *letter == '\t' || !letter.is_control())
        .collect()
}

/// The fields of a message in protobuf's encoding, as long as they make sense.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let key = number(&mut bytes)?;
        let (value, content) = match key & 7 {
            0 => (number(&mut bytes)?, &[][..]),
            1 => (0, take(&mut bytes, 8)?),
            2 => {
                let length = number(&mut bytes)?;
                (0, take(&mut bytes, usize::try_from(length).ok()?)?)
            }
            5 => (0, take(&mut bytes, 4)?),
            _ => return None,
        };
        Some((key >> 3, value, content))
    })
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// A number, seven bits to a byte, the lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field with bytes, shorter than 128.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).expect("short");
        [&[number << 3 | 2, length], bytes].concat()
    }

    fn told(trace: &mut Trace, message: &[u8]) -> Vec<String> {
        trace.take(&STANDARD.encode(message))
    }

    #[test]
    fn reads_what_docker_20_10_sent() {
        // Recorded: the announcement of a step, and the same with its start.
        let announced = "Cm8KR3NoYTI1NjpjYjU0MzQyNmVmY2Q3NzUzMmQyZjVhNGYyYjY1M2Q4M2NiNTQ2OGFlYjVlMDIxMjI1NDg3NTk1YzcwZDZkY2E3GiRbaW50ZXJuYWxdIGxvYWQgcmVtb3RlIGJ1aWxkIGNvbnRleHQ=";
        let started = "Cn0KR3NoYTI1NjpjYjU0MzQyNmVmY2Q3NzUzMmQyZjVhNGYyYjY1M2Q4M2NiNTQ2OGFlYjVlMDIxMjI1NDg3NTk1YzcwZDZkY2E3GiRbaW50ZXJuYWxdIGxvYWQgcmVtb3RlIGJ1aWxkIGNvbnRleHQqDAimuY3YBhDJxLCqAQ==";
        let mut trace = Trace::default();
        assert_eq!(trace.take(announced), Vec::<String>::new());
        assert_eq!(trace.take(started), ["#1 [internal] load remote build context"]);
        assert_eq!(trace.take(started), Vec::<String>::new(), "said once");
    }

    #[test]
    fn lines_come_whole_and_harmless() {
        let log = |text: &[u8]| field(3, &[field(1, b"d"), field(4, text)].concat());
        let mut trace = Trace::default();
        assert_eq!(told(&mut trace, &log(b"one\ntw")), ["#1 one"]);
        assert_eq!(told(&mut trace, &log(b"o\r\n10%\r100%\n")), ["#1 two", "#1 100%"]);
        assert_eq!(told(&mut trace, &log(b"\x1b[2Jx\n")), ["#1 [2Jx"]);
        let cached = field(1, &[field(1, b"e"), field(3, b"RUN x"), vec![4 << 3, 1]].concat());
        assert_eq!(told(&mut trace, &cached), ["#2 cached"]);
    }

    #[test]
    fn nonsense_is_no_line_and_no_panic() {
        let mut trace = Trace::default();
        for bytes in [
            &b"\xff"[..],
            b"\x0a\xff",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x0b\x00",
            b"\x1a\x7f",
        ] {
            assert_eq!(told(&mut trace, bytes), Vec::<String>::new());
        }
        assert_eq!(trace.take("?"), Vec::<String>::new());
    }
}
