//! Registries of Amazon ECR: logins by AWS identity, and what else only AWS can tell.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shipway::aws::{Clock, Creation as Outcome, RepositorySettings, Session};
use shipway::content::{ContentError, Kind};
use shipway::ecr::{EcrHost, is_usual_cache};
use shipway::oci::Repository;
use shipway::progress::{Event, Progress};
use shipway::registry::{Assistance, Creation, FoundLogin, Login, Patience};

use super::Intent;
use crate::settings::Identities;

/// How long it may take to find out who was refused: it only makes an error clearer.
const CALLER_LIMIT: Duration = Duration::from_secs(5);

/// Whether AWS gives logins for a registry. Everybody may read the public gallery.
pub(super) fn gives_logins(host: &str, intent: Intent) -> bool {
    match EcrHost::parse(host) {
        Some(EcrHost::Private(_)) => true,
        Some(EcrHost::Public) => intent == Intent::Write,
        None => false,
    }
}

/// A session for each registry, opened when something is needed from it.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) identities: Identities,
    patience: Patience,
    clock: Arc<Clock>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
}

impl Sessions {
    /// Sessions with these identities, on a machine whose clock shows `now_seconds`.
    pub(super) fn new(identities: Identities, patience: Patience, now_seconds: i64) -> Self {
        Self {
            identities,
            patience,
            clock: Arc::new(Clock::new(now_seconds)),
            sessions: Mutex::default(),
        }
    }

    /// The session for a registry; `None` if it is not one of Amazon ECR.
    pub(crate) fn at(&self, host: &str) -> Result<Option<Arc<Session>>, ContentError> {
        let Some(ecr) = EcrHost::parse(host) else {
            return Ok(None);
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(host) {
            return Ok(Some(Arc::clone(session)));
        }
        let identity = self.identities.at(host)?;
        let patience = shipway::aws::Patience {
            retries: self.patience.retries,
            first_wait: self.patience.first_wait,
            limit: self.patience.stall,
        };
        let session = Session::new(host, ecr, identity, patience, Arc::clone(&self.clock));
        sessions.insert(host.to_owned(), Arc::clone(&session));
        Ok(Some(session))
    }

    /// What a registry may ask for whose login comes from AWS.
    pub(super) fn assistance(&self, host: &str, progress: &Arc<dyn Progress>) -> Result<Assistance, ContentError> {
        let Some(session) = self.at(host)? else {
            return Err(ContentError::new(
                Kind::Usage,
                format!("{host} is no registry of Amazon ECR"),
            ));
        };
        let asking = Arc::clone(&session);
        let progress = Arc::clone(progress);
        let name = host.to_owned();
        let login: Login = Arc::new(move |again| {
            let (session, progress, name) = (Arc::clone(&asking), Arc::clone(&progress), name.clone());
            Box::pin(async move { login(&session, &name, again, progress.as_ref()).await })
        });
        Ok(Self::around(&session, login, true))
    }

    /// The same with a login that was stored: AWS gives another one when it is refused.
    pub(super) fn behind(
        &self,
        host: &str,
        stored: Login,
        progress: &Arc<dyn Progress>,
    ) -> Result<Assistance, ContentError> {
        let Some(session) = self.at(host)? else {
            return Ok(Assistance::new(stored));
        };
        let asking = Arc::clone(&session);
        let progress = Arc::clone(progress);
        let name = host.to_owned();
        let login: Login = Arc::new(move |again| {
            let (stored, session, progress) = (Arc::clone(&stored), Arc::clone(&asking), Arc::clone(&progress));
            let name = name.clone();
            Box::pin(async move {
                let first = stored(false).await?;
                if !again {
                    return Ok(first);
                }
                match stored(true).await {
                    Ok(other) if other.credentials != first.credentials => Ok(other),
                    _ => login(&session, &name, false, progress.as_ref()).await.map_err(|error| {
                        error
                            .within("the stored login was refused, and AWS gives no other one")
                            .hint(format!("log in again: {}", session.host().login_command(&name)))
                    }),
                }
            })
        });
        Ok(Self::around(&session, login, false))
    }

    /// `is_known`: whether the registry sees this identity from the start.
    fn around(session: &Arc<Session>, login: Login, is_known: bool) -> Assistance {
        let (asked, told) = (Arc::clone(session), Arc::clone(session));
        Assistance {
            login,
            pull_through: Some(Arc::new(move |path: String| {
                let session = Arc::clone(&asked);
                Box::pin(async move {
                    let usual = is_usual_cache(&path);
                    if !is_known {
                        return usual;
                    }
                    session.is_pull_through(&path).await.unwrap_or(usual)
                })
            })),
            caller: is_known.then(|| -> shipway::registry::Caller {
                Arc::new(move || {
                    let session = Arc::clone(&told);
                    Box::pin(async move {
                        let caller = tokio::time::timeout(CALLER_LIMIT, session.caller()).await;
                        Some(caller.ok()?.ok()?.arn.clone())
                    })
                })
            }),
        }
    }

    /// Makes a repository when it turns out to be missing.
    pub(crate) fn creation(
        &self,
        repository: &Repository,
        settings: &Arc<RepositorySettings>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Option<Creation>, ContentError> {
        let Some(session) = self.at(repository.registry())? else {
            return Ok(None);
        };
        let (repository, settings, progress) = (repository.clone(), Arc::clone(settings), Arc::clone(progress));
        Ok(Some(Arc::new(move || {
            let (session, repository) = (Arc::clone(&session), repository.clone());
            let (settings, progress) = (Arc::clone(&settings), Arc::clone(&progress));
            Box::pin(async move {
                if session.create_repository(repository.path(), &settings).await? == Outcome::Created {
                    progress.on(&Event::Notice(&format!("created the repository {repository}")));
                    if session.host().private().is_none() && *settings != RepositorySettings::default() {
                        progress.on(&Event::Notice(
                            "[repository] in shipway.toml is for private registries; the gallery's repository is a plain one",
                        ));
                    }
                }
                Ok(())
            })
        })))
    }
}

/// A login from AWS; tells where the identity was found.
async fn login(
    session: &Session,
    host: &str,
    again: bool,
    progress: &dyn Progress,
) -> Result<FoundLogin, ContentError> {
    let origin = session
        .origin()
        .await
        .map_err(|error| error.within(format!("cannot log in to {host}")))?;
    progress.on(&Event::Login {
        registry: host,
        origin: &format!("AWS, {origin}"),
    });
    let login = session.login(again).await?;
    Ok(FoundLogin {
        credentials: login.credentials,
        until: login.until,
    })
}
