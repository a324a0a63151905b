//! Places by name: registries with their settings and logins, layouts, archives.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shipway::content::archive::ArchiveSource;
use shipway::content::layout::LayoutSource;
use shipway::content::{Cache, CachedSource, ContentError, Kind, Location, Selector, Source};
use shipway::credentials::{Credentials, Store};
use shipway::error::Error;
use shipway::oci::Repository;
use shipway::progress::{Event, Progress};
use shipway::registry::{
    Assistance, Login, Mirrored, Patience, Registry, RegistrySettings, RepositorySource, RepositoryTarget,
};

use crate::args::GlobalArguments;
use crate::environment::Environment;

/// Opens places.
#[derive(Debug)]
pub(crate) struct Places {
    settings: BTreeMap<String, RegistrySettings>,
    store: Arc<Store>,
    pub(crate) cache: Cache,
    patience: Patience,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) temp_folder: PathBuf,
    /// One for each host and login, so that connections and tokens are shared. An auth file may hold several logins for
    /// the paths of one host.
    registries: Mutex<Vec<(String, Credentials, Arc<Registry>)>>,
}

impl Places {
    /// Opens places as the flags and the environment say.
    pub(crate) fn new(
        arguments: &GlobalArguments,
        environment: &Environment,
        settings: BTreeMap<String, RegistrySettings>,
        store: Store,
        progress: Arc<dyn Progress>,
    ) -> Self {
        let cache = match environment.cache_folder() {
            Some(folder) if !arguments.no_cache => Cache::at(&folder),
            _ => Cache::none(),
        };
        Self {
            settings,
            store: Arc::new(store),
            cache,
            patience: Patience {
                retries: arguments.retry,
                first_wait: Duration::from_secs_f64(arguments.retry_delay),
                stall: Duration::from_secs_f64(arguments.timeout),
            },
            progress,
            temp_folder: arguments.temp_dir.clone().unwrap_or_else(|| environment.temp_folder()),
            registries: Mutex::default(),
        }
    }

    /// A place to read from, and what is meant there.
    pub(crate) async fn source(&self, location: &Location) -> Result<(Arc<dyn Source>, Selector), Error> {
        Ok(match location {
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
        let registry = self.registry(repository.registry(), repository.path()).await?;
        let origin: Arc<dyn Source> = Arc::new(RepositorySource::new(registry, repository.clone()));
        let mirrors = self
            .settings
            .get(repository.registry())
            .map(|settings| settings.mirrors.as_slice());
        let mut sources: Vec<Arc<dyn Source>> = Vec::new();
        for mirror in mirrors.unwrap_or_default() {
            let name = format!("{}/{}", mirror.trim_end_matches('/'), repository.path());
            let mirror: Repository = name.parse()?;
            let registry = self.registry(mirror.registry(), mirror.path()).await?;
            sources.push(Arc::new(RepositorySource::mirror(
                registry,
                repository.clone(),
                mirror.path(),
            )));
        }
        let source = if sources.is_empty() {
            origin
        } else {
            Arc::new(Mirrored::new(sources, origin, Arc::clone(&self.progress)))
        };
        Ok(Arc::new(CachedSource::new(
            source,
            repository.clone(),
            self.cache.clone(),
        )))
    }

    /// A repository to write to.
    pub(crate) async fn target(&self, repository: &Repository) -> Result<Arc<RepositoryTarget>, Error> {
        let registry = self.registry(repository.registry(), repository.path()).await?;
        Ok(Arc::new(RepositoryTarget::new(registry, repository.clone())))
    }

    async fn registry(&self, host: &str, path: &str) -> Result<Arc<Registry>, Error> {
        let found = self.store.find(host, path).await?;
        let mut registries = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(name, login, _): &&(String, Credentials, _)| name == host && *login == found.credentials;
        if let Some((_, _, registry)) = registries.iter().find(known) {
            return Ok(Arc::clone(registry));
        }
        let origin = match &found.credentials {
            Credentials::Anonymous => format!("none, looked in {}", self.store.places().join(", ")),
            _ => found.origin.clone(),
        };
        self.progress.on(&Event::Login {
            registry: host,
            origin: &origin,
        });
        let login = login(&self.store, &found.credentials, host, path);
        let default = RegistrySettings::default();
        let registry = Registry::new(
            host,
            self.settings.get(host).unwrap_or(&default),
            Assistance::new(login),
            self.cache.clone(),
            self.patience,
            Arc::clone(&self.progress),
        )?;
        registries.push((host.to_owned(), found.credentials, Arc::clone(&registry)));
        Ok(registry)
    }
}

/// The login that was found; once it is refused, whatever files and helpers say by then.
fn login(store: &Arc<Store>, found: &Credentials, host: &str, path: &str) -> Login {
    let (store, found) = (Arc::clone(store), found.clone());
    let (host, path) = (host.to_owned(), path.to_owned());
    Arc::new(move |again| {
        let (store, found) = (Arc::clone(&store), found.clone());
        let (host, path) = (host.clone(), path.clone());
        Box::pin(async move {
            if !again {
                return Ok(found.into());
            }
            let found = store.afresh().find(&host, &path).await.map_err(|error| {
                ContentError::new(Kind::Denied, format!("cannot find other credentials for {host}")).because(error)
            })?;
            Ok(found.credentials.into())
        })
    })
}
