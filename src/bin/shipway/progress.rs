//! What the library tells, shown: bars on a terminal, one line for each event elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use shipway::content::Placement;
use shipway::oci::Digest;
use shipway::progress::{Event, Progress};

use crate::printer::Printer;

/// Blobs below this size come and go faster than a bar can be read.
const BAR_FROM: u64 = 256 * 1024;

/// Shows progress.
#[derive(Debug)]
pub(crate) struct Display {
    printer: Printer,
    bars: Mutex<HashMap<(String, Digest), ProgressBar>>,
}

impl Display {
    /// Shows through `printer`.
    pub(crate) fn new(printer: Printer) -> Self {
        Self {
            printer,
            bars: Mutex::default(),
        }
    }

    fn start(&self, place: &str, digest: &Digest, size: u64) {
        let Some(all) = self.printer.bars() else { return };
        if size < BAR_FROM {
            return;
        }
        let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        let bar = ProgressBar::new(size).with_prefix(format!("{} {}", digest.short(12), short(place)));
        if let Ok(style) = style {
            bar.set_style(style);
        }
        let bar = all.add(bar);
        self.lock().insert((place.to_owned(), *digest), bar);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Digest), ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Display {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Notice(text) => self.printer.notice(text),
            Event::Step(text) => self.printer.line(text),
            Event::Login { registry, origin } => self.printer.detail(&format!("login for {registry}: {origin}")),
            Event::Retry { what, cause, wait } => {
                let seconds = wait.as_secs_f64();
                self.printer.line(&format!(
                    "{what} failed for now: {cause}; trying again in {seconds:.1} s"
                ));
            }
            Event::Packed { files, size, digest } => {
                let noun = if *files == 1 { "file" } else { "files" };
                self.printer.line(&format!(
                    "packed {files} {noun} into {} ({})",
                    digest.short(12),
                    bytes(*size)
                ));
            }
            Event::BlobStarted { place, digest, size } => self.start(place, digest, *size),
            Event::BlobAdvanced {
                place,
                digest,
                position,
            } => {
                if self.printer.bars().is_some()
                    && let Some(bar) = self.lock().get(&((*place).to_owned(), **digest))
                {
                    bar.set_position(*position);
                }
            }
            Event::BlobFinished {
                place,
                digest,
                size,
                placement,
            } => {
                if let Some(bar) = self.lock().remove(&((*place).to_owned(), **digest)) {
                    bar.finish_and_clear();
                }
                let text = |verb: &str| format!("{verb} {} ({}) {place}", digest.short(12), bytes(*size));
                match placement {
                    Placement::Present => self.printer.detail(&text("already there:")),
                    Placement::Mounted => self.printer.line(&text("mounted")),
                    Placement::Sent => self.printer.line(&text("sent")),
                    Placement::Noted => {}
                }
            }
            Event::ManifestPut { place, digest, tag } => match tag {
                Some(tag) => self.printer.line(&format!("tagged {place}:{tag} as {digest}")),
                None => self.printer.detail(&format!("put manifest {digest} into {place}")),
            },
            Event::BuildLog(line) => self.printer.line(line),
            Event::Loaded { place, names, id } => self.printer.line(&format!("loaded {names} into {place} as {id}")),
            _ => {}
        }
    }
}

/// The last part of a place's name.
fn short(place: &str) -> &str {
    place.rsplit('/').next().unwrap_or(place)
}

/// A size for people.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, factor) in UNITS {
        if size >= factor {
            let tenths = size * 10 / factor;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{size} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_550), "1.5 kB");
        assert_eq!(bytes(400_000_000), "400.0 MB");
        assert_eq!(bytes(u64::MAX / 10), "1844674407.3 GB");
    }
}
