//! What a registry is told by others when it needs to know: closures, so that it knows none of them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::content::ContentError;
use crate::credentials::Credentials;

/// Finds the login for a registry. Asked with the first request and, with `false`, again when what it gave has run out.
///
/// Asked with `true` once the registry refused what it gave, so that a helper or a service can give something else. After
/// that it is asked with `true` only: what was found first is known not to work.
pub type Login = Arc<dyn Fn(bool) -> BoxFuture<'static, Result<FoundLogin, ContentError>> + Send + Sync>;

/// Tells whether a repository, given by its path, is one that a pull-through cache fills: blobs cannot be mounted from it.
/// Asked once for each repository, and only where its path holds a `/`. `false` where it cannot be told.
pub type PullThrough = Arc<dyn Fn(String) -> BoxFuture<'static, bool> + Send + Sync>;

/// Tells who the registry takes us for, such as the ARN of a role; `None` where it cannot be told. Asked at most once,
/// when something was forbidden.
pub type Caller = Arc<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// Creates the repository that was found to be missing. Asked at most once for each target. Ok also means that it was
/// there already.
pub type Creation = Arc<dyn Fn() -> BoxFuture<'static, Result<(), ContentError>> + Send + Sync>;

/// A login, and how long it is good for.
#[derive(Debug, Clone)]
pub struct FoundLogin {
    /// Who we are.
    pub credentials: Credentials,
    /// When it should be looked for anew, some time before it expires; `None` where it does not expire, or nobody knows.
    pub until: Option<Instant>,
}

impl From<Credentials> for FoundLogin {
    /// A login that is good until it is refused.
    fn from(credentials: Credentials) -> Self {
        Self {
            credentials,
            until: None,
        }
    }
}

impl FoundLogin {
    /// Whether it need not be looked for anew.
    pub(super) fn is_good(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// What has run out on arrival would be asked for without end: it is used until it is refused.
    pub(super) fn settled(self) -> Self {
        let until = self.until.filter(|until| Instant::now() < *until);
        Self { until, ..self }
    }
}

/// A failure that several share, with a wider phrase before it, as [`ContentError::within`] puts it.
pub(super) fn shared(what: impl Into<String>, cause: &Arc<ContentError>) -> ContentError {
    let error = ContentError::new(cause.kind(), what).because(Arc::clone(cause));
    cause.hints().iter().fold(error, |error, hint| error.hint(hint))
}

/// A refused login for which no other was found: the refusal, because of which another was looked for, and why there is
/// none. Either's way out may be the one to take.
pub(super) fn without_other(refusal: ContentError, cause: &Arc<ContentError>) -> ContentError {
    let error = shared(refusal.to_string(), cause);
    refusal.hints().iter().fold(error, |error, hint| error.hint(hint))
}

/// Who the registry takes us for, asked when it matters.
pub(super) struct Identity {
    caller: Option<Caller>,
    known: OnceCell<Option<String>>,
}

impl Identity {
    /// Nobody was asked yet.
    #[must_use]
    pub(super) fn new(caller: Option<Caller>) -> Self {
        Self {
            caller,
            known: OnceCell::new(),
        }
    }

    /// The identity's name.
    pub(super) async fn name(&self) -> Option<&str> {
        let caller = self.caller.as_ref()?;
        self.known.get_or_init(|| caller()).await.as_deref()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

/// Everything a registry may ask others for.
#[derive(Clone)]
pub struct Assistance {
    /// Finds the login.
    pub login: Login,
    /// Tells repositories of a pull-through cache; unset: none is one.
    pub pull_through: Option<PullThrough>,
    /// Tells who we are; unset: it is not told.
    pub caller: Option<Caller>,
}

impl Assistance {
    /// A login, and nothing else.
    #[must_use]
    pub fn new(login: Login) -> Self {
        Self {
            login,
            pull_through: None,
            caller: None,
        }
    }
}

impl fmt::Debug for Assistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assistance").finish_non_exhaustive()
    }
}
