//! Places by name: registries with their settings and logins, layouts, archives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shipway::content::archive::ArchiveSource;
use shipway::content::layout::LayoutSource;
use shipway::content::{Cache, CachedSource, ContentError, Kind, KnownLayers, Location, Selector, Source};
use shipway::credentials::{Credentials, Found, Store};
use shipway::error::Error;
use shipway::oci::{Digest, Repository};
use shipway::progress::{Event, Progress};
use shipway::project::Project;
use shipway::registry::{
    Assistance, FoundLogin, Login, Mirrored, Patience, Registry, RegistrySettings, RepositorySource, RepositoryTarget,
};

use crate::args::GlobalArguments;
use crate::environment::Environment;
#[cfg(feature = "aws")]
use crate::failure::CommandError;
use crate::settings::{self, Laxity};

#[cfg(feature = "aws")]
mod aws;
mod lax;
mod origin;
#[cfg(feature = "daemon")]
mod pull;

/// What is going to be done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    /// Only reading, which a public place lets anybody do.
    Read,
    /// Writing.
    Write,
}

/// Where the login for a registry comes from. One registry with two of them is two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// It was given, stored, or there is none.
    Stored(Found),
    /// It is got from AWS.
    #[cfg(feature = "aws")]
    Aws,
}

/// Opens places.
#[derive(Debug)]
pub(crate) struct Places {
    settings: BTreeMap<String, RegistrySettings>,
    store: Arc<Store>,
    pub(crate) cache: Cache,
    pub(crate) patience: Patience,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) temp_folder: PathBuf,
    #[cfg(feature = "aws")]
    pub(crate) aws: aws::Sessions,
    /// With what missing repositories are made, if they are to be.
    #[cfg(feature = "aws")]
    creation: Option<Arc<shipway::aws::RepositorySettings>>,
    /// Whether nothing is to be written: targets find out then what a write would have told.
    is_rehearsal: bool,
    /// The Docker daemon, once something is wanted from it.
    #[cfg(feature = "daemon")]
    daemon: tokio::sync::OnceCell<shipway::daemon::Daemon>,
    #[cfg(feature = "daemon")]
    surroundings: shipway::daemon::Surroundings,
    laxity: Laxity,
    /// Hosts that are pushed to.
    pushed_to: Vec<String>,
    /// One for each host and login, so that connections and tokens are shared. An auth file may hold several logins for
    /// the paths of one host.
    registries: Mutex<Vec<(String, Identity, Arc<Registry>)>>,
}

impl Places {
    /// Opens places as the flags and the environment say.
    pub(crate) fn new(
        arguments: &GlobalArguments,
        environment: &Environment,
        project: &Project,
        store: Store,
        progress: Arc<dyn Progress>,
    ) -> anyhow::Result<Self> {
        let cache = match environment.cache_folder() {
            Some(folder) if !arguments.no_cache => Cache::at(&folder),
            _ => Cache::none(),
        };
        let patience = Patience {
            retries: arguments.retry,
            first_wait: Duration::from_secs_f64(arguments.retry_delay),
            stall: arguments.stall(),
        };
        Ok(Self {
            settings: settings::registries(arguments, environment, project)?,
            store: Arc::new(store),
            cache,
            patience,
            #[cfg(feature = "aws")]
            aws: aws::Sessions::new(
                settings::Identities::resolve(arguments, environment, project)?,
                patience,
                environment.now_seconds(),
            ),
            progress,
            temp_folder: arguments.temp_dir.clone().unwrap_or_else(|| environment.temp_folder()),
            #[cfg(feature = "aws")]
            creation: None,
            is_rehearsal: false,
            #[cfg(feature = "daemon")]
            daemon: tokio::sync::OnceCell::new(),
            #[cfg(feature = "daemon")]
            surroundings: settings::surroundings(arguments, environment),
            laxity: Laxity::default(),
            pushed_to: Vec::new(),
            registries: Mutex::default(),
        })
    }

    /// Lets targets make their repositories where they are missing.
    #[cfg(feature = "aws")]
    pub(crate) fn create_repositories(&mut self, project: &Project, repositories: &[Repository]) -> anyhow::Result<()> {
        let is_ecr = |repository: &Repository| shipway::ecr::EcrHost::parse(repository.registry()).is_some();
        if !repositories.iter().any(is_ecr) {
            return Err(CommandError::usage(
                "--create-repository is for Amazon ECR, and the image goes to none of its registries",
            )
            .hint("other registries create repositories on push, or have a place for it of their own")
            .into());
        }
        self.creation = Some(Arc::new(settings::repository(project)?));
        Ok(())
    }

    /// The same places, to which nothing is to be written.
    #[must_use]
    pub(crate) fn rehearsing(self) -> Self {
        Self {
            is_rehearsal: true,
            ..self
        }
    }

    /// The same places, without what earlier runs learnt.
    #[must_use]
    pub(crate) fn without_cache(self) -> Self {
        Self {
            cache: Cache::none(),
            ..self
        }
    }

    /// The Docker daemon.
    #[cfg(feature = "daemon")]
    pub(crate) async fn daemon(&self) -> Result<&shipway::daemon::Daemon, Error> {
        use shipway::daemon::{Connection, Daemon};
        let connect = async || Ok(Daemon::connect(&Connection::find(&self.surroundings)?).await?);
        self.daemon.get_or_try_init(connect).await
    }

    /// A place to read from, and what is meant there.
    pub(crate) async fn source(&self, location: &Location) -> Result<(Arc<dyn Source>, Selector), Error> {
        self.saved(location, None).await
    }

    /// The same; what a daemon saved names the layers that are known as its base names them.
    pub(crate) async fn saved(
        &self,
        location: &Location,
        known: Option<KnownLayers>,
    ) -> Result<(Arc<dyn Source>, Selector), Error> {
        Ok(match location {
            Location::DockerArchive(path, selector) if known.is_some() => {
                let source = ArchiveSource::open_saved(path, &self.temp_folder, None, known).await?;
                (Arc::new(source), selector.clone())
            }
            #[cfg(feature = "daemon")]
            Location::DockerDaemon(name) => {
                let daemon = self.daemon().await?;
                let file = daemon.export(name, &self.temp_folder).await?;
                let place = format!("image {name} of {}", daemon.place());
                // Once it is open it needs no name any more.
                let source = ArchiveSource::open_saved(&file, &self.temp_folder, Some(place), known).await?;
                (Arc::new(source), Selector::Only)
            }
            #[cfg(not(feature = "daemon"))]
            Location::DockerDaemon(name) => {
                let what = format!("docker-daemon:{name}: this shipway was built without the Docker daemon");
                let error = ContentError::new(Kind::Usage, what);
                return Err(error
                    .hint("save it, docker save -o FILE IMAGE, and name docker-archive:FILE")
                    .into());
            }
            Location::Registry(reference) => {
                let source = self.repository(&reference.repository).await?;
                (source, Selector::of(reference))
            }
            Location::Layout(path, selector) => (Arc::new(LayoutSource::open(path).await?), selector.clone()),
            Location::OciArchive(path, selector) | Location::DockerArchive(path, selector) => {
                let source = ArchiveSource::open(path, &self.temp_folder).await?;
                (Arc::new(source), selector.clone())
            }
        })
    }

    /// A repository to read from, behind its mirrors and the cache.
    pub(crate) async fn repository(&self, repository: &Repository) -> Result<Arc<dyn Source>, Error> {
        let registry = self
            .registry(repository.registry(), repository.path(), Intent::Read)
            .await?;
        let origin: Arc<dyn Source> = Arc::new(RepositorySource::new(registry, repository.clone()));
        let mirrors = self
            .settings
            .get(repository.registry())
            .map(|settings| settings.mirrors.as_slice());
        let mut sources: Vec<Arc<dyn Source>> = Vec::new();
        for mirror in mirrors.unwrap_or_default() {
            let name = format!("{}/{}", mirror.trim_end_matches('/'), repository.path());
            let mirror: Repository = name.parse()?;
            let registry = self.registry(mirror.registry(), mirror.path(), Intent::Read).await?;
            sources.push(Arc::new(RepositorySource::mirror(
                registry,
                repository.clone(),
                mirror.path(),
            )));
        }
        let source = if sources.is_empty() {
            origin
        } else if self.laxity.only_mirrors
            && let Some(last) = sources.pop()
        {
            Arc::new(Mirrored::new(sources, last, Arc::clone(&self.progress)))
        } else {
            Arc::new(Mirrored::new(sources, origin, Arc::clone(&self.progress)))
        };
        Ok(Arc::new(CachedSource::new(
            source,
            repository.clone(),
            self.cache.clone(),
        )))
    }

    /// A repository to read from as it is now: not behind its mirrors, which may be late.
    pub(crate) async fn origin(&self, repository: &Repository) -> Result<Arc<dyn Source>, Error> {
        let registry = self
            .registry(repository.registry(), repository.path(), Intent::Read)
            .await?;
        let source = Arc::new(RepositorySource::new(registry, repository.clone()));
        Ok(Arc::new(CachedSource::new(
            source,
            repository.clone(),
            self.cache.clone(),
        )))
    }

    /// Where logins were looked for.
    pub(crate) fn looked_in(&self) -> String {
        format!("looked in {}", self.store.places().join(", "))
    }

    /// A repository, without mirrors and cache.
    pub(crate) async fn repository_itself(&self, repository: &Repository) -> Result<RepositorySource, Error> {
        let (host, path) = (repository.registry(), repository.path());
        let registry = self.registry(host, path, Intent::Read).await?;
        Ok(RepositorySource::new(registry, repository.clone()))
    }

    /// A repository to write to.
    pub(crate) async fn target(&self, repository: &Repository) -> Result<Arc<RepositoryTarget>, Error> {
        self.target_knowing(repository, &[]).await
    }

    /// The same, of which it is known that blobs are there.
    pub(crate) async fn target_knowing(
        &self,
        repository: &Repository,
        known: &[Digest],
    ) -> Result<Arc<RepositoryTarget>, Error> {
        let registry = self
            .registry(repository.registry(), repository.path(), Intent::Write)
            .await?;
        let mut target = RepositoryTarget::new(registry, repository.clone()).knowing(known.iter().copied());
        if self.is_rehearsal {
            target = target.rehearsing();
        }
        #[cfg(feature = "aws")]
        if let Some(settings) = &self.creation
            && let Some(creation) = self.aws.creation(repository, settings, &self.progress)?
        {
            target = target.created_by(creation);
        }
        Ok(Arc::new(target))
    }

    async fn registry(&self, host: &str, path: &str, intent: Intent) -> Result<Arc<Registry>, Error> {
        let identity = self.identity(host, path, intent).await?;
        let known = |(name, login, _): &&(String, Identity, _)| name == host && *login == identity;
        let is_known = self
            .registries
            .lock()
            .is_ok_and(|list| list.iter().any(|entry| known(&entry)));
        let settings = match is_known {
            true => RegistrySettings::default(),
            false => self.settings_of(host).await,
        };
        let mut registries = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, registry)) = registries.iter().find(known) {
            return Ok(Arc::clone(registry));
        }
        let registry = Registry::new(
            host,
            &settings,
            self.assistance(host, path, &identity)?,
            self.cache.clone(),
            self.patience,
            Arc::clone(&self.progress),
        )?;
        registries.push((host.to_owned(), identity, Arc::clone(&registry)));
        Ok(registry)
    }

    /// Settles where the login for a registry comes from; nothing is asked for yet.
    #[cfg_attr(
        not(feature = "aws"),
        expect(unused_variables, reason = "only AWS makes a difference")
    )]
    pub(crate) async fn identity(&self, host: &str, path: &str, intent: Intent) -> Result<Identity, Error> {
        let found = self.store.find(host, path).await?;
        #[cfg(feature = "aws")]
        if found.credentials == Credentials::Anonymous && aws::gives_logins(host, intent) {
            return Ok(Identity::Aws);
        }
        Ok(Identity::Stored(found))
    }

    /// What a registry may ask others for.
    fn assistance(&self, host: &str, path: &str, identity: &Identity) -> Result<Assistance, Error> {
        match identity {
            Identity::Stored(found) => {
                let origin = match &found.credentials {
                    Credentials::Anonymous => format!("none, {}", self.looked_in()),
                    _ => found.origin.clone(),
                };
                self.progress.on(&Event::Login {
                    registry: host,
                    origin: &origin,
                });
                let login = stored_login(&self.store, &found.credentials, host, path);
                #[cfg(feature = "aws")]
                if !found.is_explicit && found.credentials != Credentials::Anonymous {
                    return Ok(self.aws.behind(host, login, &self.progress)?);
                }
                Ok(Assistance::new(login))
            }
            #[cfg(feature = "aws")]
            Identity::Aws => Ok(self.aws.assistance(host, &self.progress)?),
        }
    }
}

/// The login that was found; once it is refused, whatever files and helpers say by then.
fn stored_login(store: &Arc<Store>, found: &Credentials, host: &str, path: &str) -> Login {
    let (store, found) = (Arc::clone(store), found.clone());
    let (host, path) = (host.to_owned(), path.to_owned());
    Arc::new(move |again| {
        let (store, found) = (Arc::clone(&store), found.clone());
        let (host, path) = (host.clone(), path.clone());
        Box::pin(async move {
            if !again {
                return Ok(FoundLogin::from(found));
            }
            let found = store.afresh().find(&host, &path).await.map_err(|error| {
                ContentError::new(Kind::Denied, format!("cannot find other credentials for {host}")).because(error)
            })?;
            Ok(found.credentials.into())
        })
    })
}
