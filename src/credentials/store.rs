//! Where credentials are looked for, in order.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::file::Content;
use super::{Credentials, CredentialsError, Found, Secret, helper, host};

/// A user and a password the user of this program gave for one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explicit {
    /// The registry's host, with its port if it has one.
    pub host: String,
    /// The user.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// Where they were given, for people: `--username`.
    pub origin: String,
}

/// A file to look in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthFile {
    /// What the file is, for people.
    what: &'static str,
    /// Where it is; it need not exist.
    path: PathBuf,
}

impl AuthFile {
    /// The `config.json` of Docker's configuration folder.
    #[must_use]
    pub fn docker(path: PathBuf) -> Self {
        Self {
            what: "Docker config",
            path,
        }
    }

    /// The `auth.json` of Podman, or a file in its form.
    #[must_use]
    pub fn podman(path: PathBuf) -> Self {
        Self {
            what: "auth file",
            path,
        }
    }
}

impl fmt::Display for AuthFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.path.display())
    }
}

/// What a helper program answered about a server; its cell lets many ask and one run.
type Answer = Arc<OnceCell<Option<Credentials>>>;

/// All places credentials may be in. Each file is read once, and each helper is asked once about each registry, however
/// many ask at the same time; a failure is not remembered.
#[derive(Debug)]
pub struct Store {
    explicit: Vec<Explicit>,
    files: Vec<(AuthFile, OnceCell<Option<Content>>)>,
    answers: Mutex<HashMap<(String, String), Answer>>,
    /// Where helper programs are; on the search path if not set.
    helper_folder: Option<PathBuf>,
}

impl Store {
    /// Looks among `explicit` first, then in `files` in their order.
    #[must_use]
    pub fn new(explicit: Vec<Explicit>, files: Vec<AuthFile>) -> Self {
        Self {
            explicit,
            files: files.into_iter().map(|file| (file, OnceCell::new())).collect(),
            answers: Mutex::default(),
            helper_folder: None,
        }
    }

    /// The same places, nothing read from them yet: for a login that has changed or run out since.
    #[must_use]
    pub fn afresh(&self) -> Self {
        let files = self.files.iter().map(|(file, _)| file.clone()).collect();
        Self {
            helper_folder: self.helper_folder.clone(),
            ..Self::new(self.explicit.clone(), files)
        }
    }

    /// The places, for a message that has to say where nothing was found.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        self.files.iter().map(|(file, _)| file.to_string()).collect()
    }

    /// Looks for credentials for a repository: `registry_host` with its port, and the path on it without a leading `/`.
    ///
    /// Where none are found they are [`Credentials::Anonymous`].
    ///
    /// # Errors
    /// A file is unreadable or malformed, or a helper program fails; a file that does not exist is no error.
    pub async fn find(&self, registry_host: &str, repository_path: &str) -> Result<Found, CredentialsError> {
        let host = host::canonical(registry_host);
        for explicit in &self.explicit {
            if host::canonical(&explicit.host) == host {
                return Ok(Found {
                    credentials: Credentials::Basic {
                        username: explicit.username.clone(),
                        password: explicit.password.clone(),
                    },
                    origin: explicit.origin.clone(),
                    is_explicit: true,
                });
            }
        }
        for (file, content) in &self.files {
            let Some(content) = content.get_or_try_init(|| Content::read(&file.path)).await? else {
                continue;
            };
            if let Some(name) = content.helper(&host) {
                let program = helper::program(name)?;
                for server in content.servers(&host) {
                    if let Some(credentials) = self.ask(&program, &server).await? {
                        return Ok(Found {
                            credentials,
                            origin: format!("helper {program}"),
                            is_explicit: false,
                        });
                    }
                }
            }
            if let Some(credentials) = content.login(&file.path, &host, repository_path)? {
                return Ok(Found {
                    credentials,
                    origin: file.to_string(),
                    is_explicit: false,
                });
            }
        }
        Ok(Found {
            credentials: Credentials::Anonymous,
            origin: format!("no credentials for {registry_host} were found"),
            is_explicit: false,
        })
    }

    async fn ask(&self, program: &str, server: &str) -> Result<Option<Credentials>, CredentialsError> {
        let cell = {
            let key = (program.to_owned(), server.to_owned());
            // A map of cells is whole even if a holder of the lock panicked.
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(key).or_default())
        };
        let folder = self.helper_folder.as_deref();
        let answer = cell.get_or_try_init(|| helper::ask(program, folder, server)).await?;
        Ok(answer.clone())
    }

    /// The same store, whose helper programs lie in `folder`.
    #[cfg(test)]
    pub(super) fn with_helpers_in(mut self, folder: PathBuf) -> Self {
        self.helper_folder = Some(folder);
        self
    }
}
