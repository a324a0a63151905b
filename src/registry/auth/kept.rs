//! The login that is in use, until it runs out or is refused.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::super::assistance::{FoundLogin, Login};
use crate::content::ContentError;
use crate::credentials::Credentials;

/// Finds the login when it is needed, and keeps it.
pub(super) struct KeptLogin {
    login: Login,
    /// Held while somebody looks, so that it is looked for once.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: Option<FoundLogin>,
    /// Whether another login was asked for after a refusal.
    has_renewed: bool,
    /// Why there is no other one.
    failure: Option<Arc<ContentError>>,
}

impl KeptLogin {
    /// Nothing was looked for yet.
    pub(super) fn new(login: Login) -> Self {
        Self {
            login,
            state: Mutex::default(),
        }
    }

    /// The credentials, found on first use and again before they expire.
    ///
    /// # Errors
    /// When a place that should hold credentials cannot be read.
    pub(super) async fn credentials(&self) -> Result<Credentials, ContentError> {
        let mut state = self.state.lock().await;
        if let Some(found) = state.found.as_ref().filter(|found| found.is_good()) {
            return Ok(found.credentials.clone());
        }
        match ((self.login)(state.has_renewed).await, &mut state.found) {
            (Ok(found), known) => Ok(known.insert(found.settled()).credentials.clone()),
            // There is some time left until it expires, and if it is refused then, the reason is asked for again.
            (Err(_), Some(known)) => {
                known.until = None;
                Ok(known.credentials.clone())
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Looks for another login than the one that was refused, once; tells whether there is one.
    ///
    /// # Errors
    /// When it cannot be told; everybody who was refused is told the same.
    pub(super) async fn replace(&self, refused: &Credentials) -> Result<bool, Arc<ContentError>> {
        let mut state = self.state.lock().await;
        if state.found.as_ref().is_some_and(|known| known.credentials != *refused) {
            // Somebody else was faster.
            return Ok(true);
        }
        if let Some(failure) = &state.failure {
            return Err(Arc::clone(failure));
        }
        if std::mem::replace(&mut state.has_renewed, true) {
            return Ok(false);
        }
        match (self.login)(true).await {
            Ok(found) if found.credentials != *refused => {
                state.found = Some(found.settled());
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => Err(Arc::clone(state.failure.insert(Arc::new(error)))),
        }
    }
}
