//! What can go wrong while looking for credentials.

use std::io;
use std::path::PathBuf;

use super::helper::TIME_OUT;

/// Why credentials could not be looked up. No variant holds any part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A credentials file is there and cannot be read.
    #[error("cannot read the credentials file {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A credentials file is larger than any real one.
    #[error("the credentials file {} is larger than {limit_bytes} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },
    /// A credentials file is not the JSON it should be. The parser's words are left out: they quote values.
    #[error("the credentials file {} is malformed at line {line}, column {column}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// The column, counted from one.
        column: usize,
    },
    /// The `auth` of an entry is not `user:password` in Base64.
    #[error("the entry {key:?} of the credentials file {} holds an `auth` that is not user:password in Base64", file.display())]
    Entry {
        /// The file.
        file: PathBuf,
        /// The key of the entry.
        key: String,
    },
    /// A file names a helper by something that cannot be the end of a program's name.
    #[error("{name:?} is not the name of a credential helper")]
    HelperName {
        /// The name.
        name: String,
    },
    /// A helper program could not be started.
    #[error("cannot run the credential helper {program}")]
    HelperStart {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A helper program ended with a failure.
    #[error("the credential helper {program} failed for {server}: {message}")]
    HelperFailed {
        /// The program.
        program: String,
        /// The registry it was asked about.
        server: String,
        /// What it said, shortened and without what looks like a secret.
        message: String,
    },
    /// A helper program answered with something else than credentials.
    #[error("the credential helper {program} answered for {server} with something that is not credentials")]
    HelperAnswer {
        /// The program.
        program: String,
        /// The registry it was asked about.
        server: String,
    },
    /// A helper program did not end.
    #[error("the credential helper {program} did not answer for {server} within {} seconds", TIME_OUT.as_secs())]
    HelperTimeOut {
        /// The program.
        program: String,
        /// The registry it was asked about.
        server: String,
    },
}

impl CredentialsError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Malformed { .. } | Self::Entry { .. } => {
                vec!["log in again with `docker login` or `podman login`, which write the file anew".to_owned()]
            }
            Self::HelperStart { program, source } if source.kind() == io::ErrorKind::NotFound => {
                vec![format!(
                    "install {program}, or remove it from credsStore and credHelpers of the Docker config"
                )]
            }
            Self::HelperName { .. } => {
                vec!["credsStore and credHelpers name a program by what follows docker-credential-".to_owned()]
            }
            Self::HelperFailed { program, .. }
            | Self::HelperAnswer { program, .. }
            | Self::HelperTimeOut { program, .. } => {
                // `list` shows registries and users; `get` would show the secret.
                vec![format!("see whether `{program} list` works by hand")]
            }
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::HelperStart { .. } => Vec::new(),
        }
    }
}
