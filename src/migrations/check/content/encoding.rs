//! Characters that are not what they should be (C001, C002).

use super::Scene;
use crate::migrations::check::Finding;
use crate::migrations::encoding::Encoding;
use crate::migrations::measurement::Measurement;
use crate::sql::Lines;

/// The characters of one script.
#[derive(Debug)]
pub(super) struct Characters {
    lines: Lines,
    /// The first byte order mark inside the text.
    mark: Option<Lines>,
    /// The first NUL.
    nul: Option<Lines>,
}

impl Characters {
    pub(super) fn new() -> Self {
        Self {
            lines: Lines::FIRST,
            mark: None,
            nul: None,
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        let place = |at: Option<usize>| {
            let mut lines = self.lines;
            lines.advance(&text.as_bytes()[..at?]);
            Some(lines)
        };
        if self.mark.is_none() && !text.is_ascii() {
            self.mark = place(text.find('\u{feff}'));
        }
        if self.nul.is_none() {
            self.nul = place(text.find('\0'));
        }
        self.lines.advance(text.as_bytes());
    }

    pub(super) fn finish(self, scene: Scene<'_>, head: &[u8], measurement: &Measurement, findings: &mut Vec<Finding>) {
        let is_utf16 = measurement.encoding.is_some_and(Encoding::is_utf16);
        let looks_like_utf16 = !is_utf16 && (head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff"));
        if measurement.malformed.is_some() {
            let configured = scene.flyway().map_or("UTF-8", |config| {
                let own = scene
                    .reading
                    .script_config
                    .as_ref()
                    .and_then(|own| own.encoding.as_deref());
                own.unwrap_or(&config.encoding)
            });
            let message = format!("these bytes are not {configured}");
            let finding = Finding::new("C001", scene.place(self.lines, 1), message);
            findings.push(match looks_like_utf16 {
                true => finding.help("it begins like UTF-16: save it as UTF-8, or set the encoding to UTF-16"),
                false => finding.help("save it in that encoding, or configure the one it is in"),
            });
            return;
        }
        if let Some(lines) = self.mark {
            let message = "a byte order mark stands inside the script, where it is part of the SQL";
            findings.push(
                Finding::new("C002", scene.place(lines, 1), message).help("delete the character: it is invisible"),
            );
        }
        if let Some(lines) = self.nul.filter(|_| !is_utf16) {
            let message = "the script holds NUL characters, as UTF-16 does that is read as something else";
            let help = "save it as UTF-8, or set the encoding to UTF-16";
            findings.push(Finding::new("C002", scene.place(lines, 1), message).help(help));
        }
    }
}
