//! All printing: data on standard output, everything else on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use indicatif::MultiProgress;

use crate::args::{Format, GlobalArguments};
use crate::environment::Environment;

/// Prints.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    quiet: bool,
    verbose: bool,
    colour: bool,
    bars: Option<MultiProgress>,
}

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(crate) struct OutputError(#[source] pub(crate) std::io::Error);

impl Printer {
    /// Prints as the flags and the environment want it.
    pub(crate) fn new(arguments: &GlobalArguments, environment: &Environment) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bars = is_terminal && !arguments.quiet && !arguments.no_progress && environment.get("CI").is_none();
        Self {
            format: arguments.format,
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            colour: is_terminal && environment.get("NO_COLOR").is_none(),
            bars: bars.then(MultiProgress::new),
        }
    }

    /// How results are printed.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether what goes beside the result may have colours.
    pub(crate) fn has_colours(&self) -> bool {
        self.colour
    }

    /// Where bars are drawn, if they are.
    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    /// Prints data.
    pub(crate) fn data(&self, text: &str) -> Result<(), OutputError> {
        let mut output = std::io::stdout().lock();
        output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush())
            .map_err(OutputError)
    }

    /// Prints what happens, unless told to be quiet.
    pub(crate) fn line(&self, text: &str) {
        if !self.quiet {
            self.write(text);
        }
    }

    /// Prints what only some want to see.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.write(text);
        }
    }

    /// Prints what went wrong.
    pub(crate) fn error(&self, text: &str) {
        self.write(&format!("{} {text}", self.paint("31;1", "error:")));
    }

    /// Prints why.
    pub(crate) fn cause(&self, text: &str) {
        self.write(&format!("  caused by: {text}"));
    }

    /// Prints what to do about it.
    pub(crate) fn hint(&self, text: &str) {
        self.write(&format!("{} {text}", self.paint("36;1", "hint:")));
    }

    /// Prints something worth knowing.
    pub(crate) fn notice(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint("33;1", "note:")));
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn write(&self, text: &str) {
        let print = || {
            // Nobody is left to tell that standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// Prints what the command line parser has to say: help and version are data, the rest is not.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A reader that went away is no failure.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}
