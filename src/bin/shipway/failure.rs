//! From an error to words and an exit status.

use std::process::ExitCode;

use shipway::error::{Category, Error};

use crate::printer::Printer;

/// How the process ends. An interface: scripts rely on the numbers (`docs/exit-status.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done,
    /// It failed, and will fail again.
    Failed,
    /// It was asked for in a way that makes no sense.
    Usage,
    /// Something was found that must not be there.
    Findings,
    /// A rule forbids it.
    Refused,
    /// It ran, and did not succeed.
    #[cfg(any(feature = "aws", feature = "daemon"))]
    Unsuccessful,
    /// It never started.
    #[cfg(any(feature = "aws", feature = "daemon"))]
    NotStarted,
    /// It is not known how it ended.
    #[cfg(any(feature = "aws", feature = "daemon"))]
    Unknown,
    /// The network or a service failed for now.
    Temporary,
    /// The user interrupted it.
    Interrupted,
    /// The system ended it.
    Terminated,
}

impl Exit {
    /// The exit status.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Findings => 3,
            Self::Refused => 4,
            #[cfg(any(feature = "aws", feature = "daemon"))]
            Self::Unsuccessful => 5,
            #[cfg(any(feature = "aws", feature = "daemon"))]
            Self::NotStarted => 6,
            #[cfg(any(feature = "aws", feature = "daemon"))]
            Self::Unknown => 7,
            Self::Temporary => 8,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        })
    }
}

/// Something was found that would fail; what it is has been printed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("something is not as a push needs it")]
pub(crate) struct Doubt;

/// Who ended the process.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("interrupted")]
pub(crate) enum Interrupted {
    /// Ctrl-C.
    ByUser,
    /// SIGTERM.
    ByTermination,
}

/// What the command itself has to say, besides the errors of the library.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CommandError {
    exit: Exit,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl CommandError {
    /// Something was done, and ended in a way that is not success.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hints: Vec::new(),
            source: None,
        }
    }

    /// Something is wrong with how the command was called.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Adds the cause.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the way out.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the ways out of an error that knows them.
    pub(crate) fn hints(mut self, hints: Vec<String>) -> Self {
        self.hints.extend(hints);
        self
    }
}

/// What to do about an error.
pub(crate) fn hints(error: &anyhow::Error) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for cause in error.chain() {
        if let Some(own) = cause.downcast_ref::<CommandError>() {
            hints.extend(own.hints.iter().cloned());
        }
        if let Some(known) = cause.downcast_ref::<Error>() {
            hints.extend(known.hints());
        }
    }
    hints
}

/// Prints an error, its causes and what to do about it; returns how the process ends.
pub(crate) fn report(error: &anyhow::Error, printer: &Printer) -> Exit {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        printer.error("interrupted; the same command may be run again");
        return match interrupted {
            Interrupted::ByUser => Exit::Interrupted,
            Interrupted::ByTermination => Exit::Terminated,
        };
    }
    if is_broken_pipe(error) {
        return Exit::Done;
    }
    if error.is::<Doubt>() {
        return Exit::Failed;
    }
    let mut texts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // A transparent wrapper says what its cause says.
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    printer.error(&texts[0]);
    for cause in &texts[1..] {
        printer.cause(cause);
    }
    let mut hints = hints(error);
    let exit = exit_of(error);
    if exit == Exit::Temporary {
        hints.push("nothing was lost: run the same command again when it is back".to_owned());
    }
    let mut told: Vec<&String> = Vec::new();
    for hint in &hints {
        if !told.contains(&hint) {
            printer.hint(hint);
            told.push(hint);
        }
    }
    exit
}

/// How the process ends with an error.
pub(crate) fn exit_of(error: &anyhow::Error) -> Exit {
    let mut exit = Exit::Failed;
    for cause in error.chain() {
        if let Some(own) = cause.downcast_ref::<CommandError>() {
            exit = own.exit;
        }
        if let Some(known) = cause.downcast_ref::<Error>() {
            exit = match known.category() {
                Category::Failed => Exit::Failed,
                Category::Usage => Exit::Usage,
                Category::Refused => Exit::Refused,
                Category::Temporary => Exit::Temporary,
            };
        }
    }
    exit
}

/// Whoever read the result has enough of it.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<crate::printer::OutputError>()
            .is_some_and(|output| output.0.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
