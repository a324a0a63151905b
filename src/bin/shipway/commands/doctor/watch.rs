//! Which logins were used in the end.

use std::sync::{Mutex, PoisonError};

use shipway::progress::{Event, Progress};

use crate::progress::Display;

/// Shows events, and remembers logins.
#[derive(Debug)]
pub(super) struct Watch {
    display: Display,
    logins: Mutex<Vec<(String, String)>>,
}

impl Watch {
    pub(super) fn new(display: Display) -> Self {
        Self {
            display,
            logins: Mutex::default(),
        }
    }

    /// Where the login came from that took the place of the first one at a registry.
    pub(super) fn replacement(&self, host: &str) -> Option<String> {
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at_host = logins.iter().filter(|(registry, _)| registry == host);
        at_host.next()?;
        at_host.next_back().map(|(_, origin)| origin.clone())
    }
}

impl Progress for Watch {
    fn on(&self, event: &Event<'_>) {
        if let Event::Login { registry, origin } = event {
            let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
            let login = ((*registry).to_owned(), (*origin).to_owned());
            // One registry may be opened twice, to read and to write.
            if !logins.contains(&login) {
                logins.push(login);
            }
        }
        self.display.on(event);
    }
}
