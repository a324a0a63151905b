//! `FakeRegistry`: a strict OCI registry in this process, with scripted faults, that counts what it is asked.

mod authentication;
mod complete;
mod content;
mod fault;
#[cfg(feature = "aws")]
mod governed;
mod query;
mod record;
mod referrers;
mod rounds;
mod routes;
mod server;
mod store;
mod upload;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

pub(crate) use self::authentication::{Authentication, EXPIRED_PASSWORD, IDENTITY_TOKEN, PASSWORD, USER, basic};
pub(crate) use self::content::{Content, digest_of};
#[cfg(feature = "aws")]
pub(crate) use self::content::{Mishap, Served};
pub(crate) use self::fault::{Action, Fault};
#[cfg(feature = "aws")]
pub(crate) use self::governed::Governed;
#[cfg(feature = "aws")]
pub(crate) use self::query::Query;
pub(crate) use self::record::Host;
use self::record::Recorded;
pub(crate) use self::referrers::Referrers;
use self::rounds::Rounds;
#[cfg(feature = "aws")]
pub(crate) use self::routes::{Reply, header};
#[cfg(feature = "aws")]
pub(crate) use self::server::{answers, listen};
use self::store::{Manifest, Store};
use super::authority::ServerIdentity;
use super::base::Bundle;
use super::image::{Descriptor, Root};

/// How a fake registry behaves.
#[derive(Clone)]
pub(crate) struct Options {
    /// How it asks who is there.
    pub(crate) authentication: Authentication,
    /// Whether blob reads are redirected to the storage host.
    pub(crate) redirects: bool,
    /// Whether blobs can be mounted from another repository.
    pub(crate) mounts: bool,
    /// Whether a tag that exists cannot be put again.
    pub(crate) immutable: bool,
    /// How many manifests can be put in any second; more are answered 429.
    pub(crate) manifests_per_second: Option<usize>,
    /// Whether a repository comes into being when it is pushed to.
    pub(crate) creates_repositories: bool,
    /// Whether a repository comes into being when an upload to it is opened, as a creation template of ECR's has it.
    pub(crate) creates_on_push: bool,
    /// Whether answers carry `Docker-Content-Digest`.
    pub(crate) names_digests: bool,
    /// Whether an upload's `Location` is a whole URL.
    pub(crate) absolute_locations: bool,
    /// Whether large blobs are hashed and thrown away.
    pub(crate) discards: bool,
    /// What it does with manifests that have a subject.
    pub(crate) referrers: Referrers,
    /// Whether requests are answered in rounds, to measure depth.
    pub(crate) rounds: bool,
    /// The certificate for HTTPS; without one it speaks plain HTTP.
    pub(crate) identity: Option<ServerIdentity>,
}

impl Options {
    /// Like Amazon ECR: Basic, repositories must exist, blobs redirected, no mounting.
    pub(crate) fn ecr() -> Self {
        Self {
            authentication: Authentication::Basic,
            redirects: true,
            creates_repositories: false,
            ..Self::open()
        }
    }

    /// Asks nobody who they are and takes every repository.
    pub(crate) fn open() -> Self {
        Self {
            authentication: Authentication::Anonymous,
            redirects: false,
            mounts: false,
            immutable: false,
            manifests_per_second: None,
            creates_repositories: true,
            creates_on_push: false,
            names_digests: true,
            absolute_locations: false,
            discards: false,
            referrers: Referrers::Listed { page: 1000 },
            rounds: false,
            identity: None,
        }
    }
}

/// What the registry's connections share.
pub(crate) struct Shared {
    options: Options,
    address: SocketAddr,
    storage_address: SocketAddr,
    store: Mutex<Store>,
    tokens: Mutex<authentication::Tokens>,
    log: Mutex<Vec<Recorded>>,
    violations: Mutex<Vec<String>>,
    faults: Mutex<Vec<Arc<Fault>>>,
    redundant: Mutex<usize>,
    /// When the manifests of the last second were put.
    manifests_put: Mutex<Vec<Instant>>,
    rounds: Option<Rounds>,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap()
    }

    fn scheme(&self) -> &'static str {
        match self.options.identity {
            Some(_) => "https",
            None => "http",
        }
    }

    fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    fn storage_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.storage_address)
    }

    fn violation(&self, what: &str) {
        self.violations.lock().unwrap().push(what.to_owned());
    }

    fn strike(&self, method: &str, target: &str) -> Option<Action> {
        let faults = self.faults.lock().unwrap();
        faults.iter().find_map(|fault| fault.strike(method, target))
    }
}

/// A running fake registry; it stops when dropped.
pub(crate) struct FakeRegistry {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeRegistry {
    /// A registry like Amazon ECR.
    pub(crate) fn ecr() -> Self {
        Self::start(Options::ecr())
    }

    /// A registry that asks nobody who they are.
    pub(crate) fn open() -> Self {
        Self::start(Options::open())
    }

    /// Starts a registry on free loopback ports.
    pub(crate) fn start(options: Options) -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = server::listen().await;
                let storage = server::listen().await;
                let tls = options.identity.as_ref().map(ServerIdentity::acceptor);
                let shared = Arc::new(Shared {
                    rounds: options.rounds.then(Rounds::new),
                    options,
                    address: listener.local_addr().unwrap(),
                    storage_address: storage.local_addr().unwrap(),
                    store: Mutex::default(),
                    tokens: Mutex::default(),
                    log: Mutex::default(),
                    violations: Mutex::default(),
                    faults: Mutex::default(),
                    redundant: Mutex::default(),
                    manifests_put: Mutex::default(),
                });
                let conductor = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Some(rounds) = &conductor.rounds {
                        rounds.conduct().await;
                    }
                });
                tokio::spawn(server::accept(storage, Arc::clone(&shared), true, tls.clone()));
                tokio::spawn(server::accept(listener, Arc::clone(&shared), false, tls));
                server::answers(shared.address).await;
                ready.send(shared).unwrap();
                let _ = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_millis(100));
        });
        Self {
            shared: started.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        self.shared.address.to_string()
    }

    /// The socket address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// A reference to `name` here: `127.0.0.1:PORT/name`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.shared.address)
    }

    /// Creates an empty repository.
    pub(crate) fn create(&self, repository: &str) {
        let mut store = self.shared.store();
        store.repositories.entry(repository.to_owned()).or_default();
    }

    /// Puts an image into a repository under a tag, and gives its digest.
    pub(crate) fn seed(&self, repository: &str, tag: &str, bundle: &Bundle) -> String {
        let mut store = self.shared.store();
        for (name, digest) in bundle.names() {
            store.names.insert(digest, name);
        }
        let held = store.repositories.entry(repository.to_owned()).or_default();
        for (digest, content) in &bundle.blobs {
            held.blobs.insert(digest.clone(), content.clone());
        }
        for (media_type, bytes) in &bundle.manifests {
            let manifest = Manifest {
                media_type: media_type.clone(),
                bytes: bytes.clone(),
            };
            held.manifests.insert(manifest.digest(), manifest);
        }
        let digest = bundle.digest();
        held.tags.insert(tag.to_owned(), digest.clone());
        digest
    }

    /// Puts what belongs to a bundle into a repository, without a tag.
    pub(crate) fn seed_untagged(&self, repository: &str, bundle: &Bundle) -> String {
        let tag = "seeded-for-a-moment";
        let digest = self.seed(repository, tag, bundle);
        let mut store = self.shared.store();
        store.repositories.get_mut(repository).unwrap().tags.remove(tag);
        digest
    }

    /// The bytes of a manifest.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<String> {
        let store = self.shared.store();
        let held = store.repositories.get(repository)?;
        let manifest = held.manifests.get(&held.digest(reference)?)?;
        Some(String::from_utf8(manifest.bytes.to_vec()).unwrap())
    }

    /// Takes a manifest away, as a registry that lost it.
    pub(crate) fn lose(&self, repository: &str, digest: &str) {
        let mut store = self.shared.store();
        let held = store.repositories.get_mut(repository).unwrap();
        held.manifests.remove(digest);
        held.blobs.remove(digest);
    }

    /// Scripts a fault; the handle tells whether it struck.
    pub(crate) fn fault(&self, fault: Fault) -> Arc<Fault> {
        let fault = Arc::new(fault);
        self.shared.faults.lock().unwrap().push(Arc::clone(&fault));
        fault
    }

    /// Forgets all scripted faults.
    pub(crate) fn heal(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Every request so far, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many requests there were, those to the storage host and the token endpoint included.
    pub(crate) fn count(&self) -> usize {
        self.shared.log.lock().unwrap().len()
    }

    /// How many requests changed, or tried to change, what the registry holds.
    pub(crate) fn writes(&self) -> usize {
        self.requests().iter().filter(|request| request.writes()).count()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        self.shared.log.lock().unwrap().clear();
    }

    /// How many rounds there have been, if the registry answers in rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.shared.rounds.as_ref().map_or(0, Rounds::count)
    }

    /// How many tokens were given out.
    pub(crate) fn tokens(&self) -> usize {
        self.shared.tokens.lock().unwrap().count()
    }

    /// How many blobs were sent that the repository already had.
    pub(crate) fn redundant_uploads(&self) -> usize {
        *self.shared.redundant.lock().unwrap()
    }

    /// The requests, one per line, digests named, sorted: concurrent requests have no order of their own.
    pub(crate) fn transcript(&self) -> String {
        let store = self.shared.store();
        let name = |digest: &str| store.name(digest);
        let requests = self.requests();
        let mut lines: Vec<_> = requests.iter().map(|request| request.line(&name)).collect();
        lines.sort();
        lines.join("\n")
    }

    /// The requests in the order of arrival, for the message of a failing assertion.
    pub(crate) fn story(&self) -> String {
        let store = self.shared.store();
        let name = |digest: &str| store.name(digest);
        let mut story = String::new();
        for request in self.requests() {
            story.push_str(&format!("\n  [{}] {}", request.round, request.line(&name)));
        }
        story
    }

    /// Fails the test if any request was malformed or against the rules of the house.
    pub(crate) fn assert_strict(&self) {
        let violations = self.shared.violations.lock().unwrap().clone();
        assert!(violations.is_empty(), "violations: {violations:#?}{}", self.story());
    }

    /// Fails the test if more than `limit` requests came.
    pub(crate) fn assert_at_most(&self, limit: usize) {
        let count = self.count();
        assert!(
            count <= limit,
            "{count} requests, at most {limit} allowed:{}",
            self.story()
        );
    }

    /// The tags of a repository and what they name.
    pub(crate) fn tags(&self, repository: &str) -> Vec<(String, String)> {
        let store = self.shared.store();
        let held = store.repositories.get(repository);
        held.into_iter().flat_map(|held| held.tags.clone()).collect()
    }

    /// The digest a tag names.
    pub(crate) fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        let tags = self.tags(repository);
        tags.into_iter().find(|(name, _)| name == tag).map(|(_, digest)| digest)
    }

    /// The digests of the blobs a repository holds.
    pub(crate) fn blobs(&self, repository: &str) -> Vec<String> {
        let store = self.shared.store();
        let held = store.repositories.get(repository);
        held.into_iter().flat_map(|held| held.blobs.keys().cloned()).collect()
    }

    /// Reads and validates the image under a tag or digest.
    pub(crate) fn image(&self, repository: &str, reference: &str) -> Root {
        let store = self.shared.store();
        let held = store.repositories.get(repository);
        let held = held.unwrap_or_else(|| panic!("no repository {repository}"));
        let digest = held.digest(reference);
        let digest = digest.unwrap_or_else(|| panic!("{repository} has no {reference}"));
        let manifest = &held.manifests[&digest];
        let root = Descriptor::new(&manifest.media_type, &digest, manifest.bytes.len() as u64);
        Root::read(&root, &|digest| {
            if let Some(manifest) = held.manifests.get(digest) {
                return Some(Content::Bytes(manifest.bytes.clone()));
            }
            held.blobs.get(digest).cloned()
        })
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
