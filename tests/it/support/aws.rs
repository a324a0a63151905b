//! `FakeAws`: the services of AWS that the command asks, in this process, strict, that count what they are asked. A
//! [`FakeRegistry`] is the data plane of Amazon ECR; tasks of ECS are scripts.

mod call;
mod dynamo;
mod ecr;
mod ecs;
mod error;
mod function;
mod identity;
mod logs;
mod metadata;
mod public;
mod repository;
mod run_scene;
mod scan;
mod scene;
mod server;
mod signature;
mod sns;
mod sts;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) use self::call::Call;
use self::dynamo::Tables;
pub(crate) use self::dynamo::{changed, holds};
use self::ecs::Ecs;
pub(crate) use self::ecs::Script;
pub(crate) use self::error::failure;
use self::function::Functions;
pub(crate) use self::function::Said;
use self::identity::Identities;
pub(crate) use self::identity::Key;
use self::logs::Streams;
pub(crate) use self::run_scene::{CLUSTER, EcsScene, FAMILY, FUNCTION, TABLE, container, definition};
pub(crate) use self::scan::Scan;
use self::scan::Scans;
pub(crate) use self::scene::{ACCOUNT, BASE_LAYERS, EcrScene, HOST, PUBLIC_HOST, REGION};
pub(crate) use self::sns::Mail;
use super::registry::{FakeRegistry, Fault, Governed};

/// How long a token is good: what Amazon ECR gives.
const TOKEN_SECONDS: i64 = 12 * 3600;

/// A registry of an account in a region.
struct Registry {
    account: String,
    region: String,
    plane: Governed,
    /// Another account whose tokens open it, by a policy of its repositories.
    trusted: Option<String>,
    /// What `CreateRepository` or a test said of a repository, by name.
    settings: BTreeMap<String, Value>,
    /// Lifecycle policies by repository.
    policies: BTreeMap<String, String>,
}

/// All that the fake knows.
struct State {
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
    /// What single identities may do, by ARN.
    rights: BTreeMap<String, BTreeSet<String>>,
    ecs: Ecs,
    streams: Streams,
    tables: Tables,
    functions: Functions,
    topics: Vec<String>,
    mails: Vec<Mail>,
    /// How many seconds have passed because tasks were looked at.
    passed_seconds: i64,
    identities: Identities,
    registries: Vec<Registry>,
    /// What opens public.ecr.aws.
    public: Option<Governed>,
    scans: Scans,
    account_settings: BTreeMap<String, String>,
    templates: Vec<Value>,
    pull_through: Vec<Value>,
    registry_scan_type: String,
    token_seconds: i64,
    passwords: usize,
    /// How many seconds the clocks of AWS are ahead of ours.
    ahead_seconds: i64,
    calls: Vec<Call>,
    violations: Vec<String>,
    faults: Vec<Arc<Fault>>,
}

/// What the connections share.
struct Shared(Mutex<State>);

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// A running fake; it stops when dropped, and fails the test if anything was asked that is not allowed.
pub(crate) struct FakeAws {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeAws {
    /// Starts the services on a free loopback port; nothing is allowed yet.
    pub(crate) fn start() -> Self {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = super::registry::listen().await;
                let address = listener.local_addr().unwrap();
                let shared = Arc::new(Shared(Mutex::new(State::new())));
                tokio::spawn(server::accept(listener, Arc::clone(&shared)));
                super::registry::answers(address).await;
                ready.send((shared, address)).unwrap();
                let _ = stopped.await;
            });
            runtime.shutdown_timeout(Duration::from_millis(100));
        });
        let (shared, address) = started.recv().unwrap();
        Self {
            shared,
            address,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    /// Its address, as `AWS_ENDPOINT_URL` wants it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The socket address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Allows operations, each named as IAM does: `ecr:CreateRepository`.
    pub(crate) fn allow(&self, operations: &[&str]) {
        let names = operations.iter().map(|name| (*name).to_owned());
        self.state().allowed.extend(names);
    }

    /// Allows operations to one identity alone.
    pub(crate) fn allow_only(&self, key: &Key, operations: &[&str]) {
        let names = operations.iter().map(|name| (*name).to_owned());
        self.state().rights.entry(key.arn.clone()).or_default().extend(names);
    }

    /// Has an operation answered with `AccessDeniedException`; asking for it is allowed.
    pub(crate) fn deny(&self, operation: &str) {
        self.state().denied.insert(operation.to_owned());
        self.allow(&[operation]);
    }

    /// Makes `registry` the data plane of an account's registry in a region.
    pub(crate) fn governs(&self, account: &str, region: &str, registry: &FakeRegistry) {
        self.state().registries.push(Registry {
            account: account.to_owned(),
            region: region.to_owned(),
            plane: registry.governed(),
            trusted: None,
            settings: BTreeMap::new(),
            policies: BTreeMap::new(),
        });
    }

    /// Has the registries of an account opened by tokens of another one too, as a policy of its repositories can.
    pub(crate) fn trusts(&self, account: &str, other: &str) {
        for registry in &mut self.state().registries {
            if registry.account == account {
                registry.trusted = Some(other.to_owned());
            }
        }
    }

    /// Makes `registry` the data plane of public.ecr.aws.
    pub(crate) fn governs_public(&self, registry: &FakeRegistry) {
        self.state().public = Some(registry.governed());
    }

    /// Sets fields of what `DescribeRepositories` tells of a repository.
    pub(crate) fn describe(&self, repository: &str, settings: &Value) {
        for registry in &mut self.state().registries {
            registry.settings.insert(repository.to_owned(), settings.clone());
        }
    }

    /// The lifecycle policy that was put on a repository.
    pub(crate) fn policy(&self, repository: &str) -> Option<String> {
        let state = self.state();
        let mut policies = state
            .registries
            .iter()
            .map(|registry| registry.policies.get(repository));
        policies.find_map(|policy| policy.cloned())
    }

    /// Sets an account setting: `BLOB_MOUNTING`.
    pub(crate) fn account_setting(&self, name: &str, value: &str) {
        self.state().account_settings.insert(name.to_owned(), value.to_owned());
    }

    /// Adds a repository creation template for a prefix, applied when something is pushed.
    pub(crate) fn template(&self, prefix: &str) {
        self.state().templates.push(serde_json::json!({
            "prefix": prefix, "appliedFor": ["CREATE_ON_PUSH"], "imageTagMutability": "MUTABLE",
            "createdAt": 1_767_322_800.0, "updatedAt": 1_767_322_800.0,
        }));
    }

    /// Adds a pull-through-cache rule for a prefix.
    pub(crate) fn pull_through(&self, prefix: &str) {
        self.state().pull_through.push(serde_json::json!({
            "ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": "registry-1.docker.io", "registryId": ACCOUNT,
        }));
    }

    /// Sets what the registry as a whole is scanned with: `BASIC` or `ENHANCED`.
    pub(crate) fn scan_type(&self, name: &str) {
        self.state().registry_scan_type = name.to_owned();
    }

    /// Scripts the scans of images: the first image asked for gets the first sequence, and so on; the last sequence
    /// is for all others, and the last state of a sequence lasts.
    pub(crate) fn scans(&self, sequences: Vec<Vec<Scan>>) {
        self.state().scans = Scans::new(sequences);
    }

    /// Sets how many seconds a token is good.
    pub(crate) fn token_seconds(&self, seconds: i64) {
        self.state().token_seconds = seconds;
    }

    /// Sets how many seconds the clocks of AWS are ahead of ours.
    pub(crate) fn ahead_seconds(&self, seconds: i64) {
        self.state().ahead_seconds = seconds;
    }

    /// Scripts a fault, made with [`Fault::on_operation`] and [`failure`]; the handle tells whether it struck.
    pub(crate) fn fault(&self, fault: Fault) -> Arc<Fault> {
        let fault = Arc::new(fault);
        self.state().faults.push(Arc::clone(&fault));
        fault
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls of one operation.
    pub(crate) fn calls_of(&self, operation: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.operation == operation);
        calls
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls_of(operation).len()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget_calls(&self) {
        self.state().calls.clear();
    }

    /// The calls, one per line.
    pub(crate) fn recorded(&self) -> String {
        let lines: Vec<_> = self.calls().iter().map(Call::line).collect();
        lines.join("\n")
    }

    /// Fails the test if anything was asked at all.
    pub(crate) fn assert_silent(&self) {
        assert_eq!(self.recorded(), "", "nothing is to be asked of AWS");
    }
}

impl State {
    fn new() -> Self {
        Self {
            allowed: BTreeSet::new(),
            denied: BTreeSet::new(),
            rights: BTreeMap::new(),
            ecs: Ecs::default(),
            streams: Streams::default(),
            tables: Tables::default(),
            functions: Functions::default(),
            topics: Vec::new(),
            mails: Vec::new(),
            passed_seconds: 0,
            identities: Identities::default(),
            registries: Vec::new(),
            public: None,
            scans: Scans::default(),
            account_settings: BTreeMap::new(),
            templates: Vec::new(),
            pull_through: Vec::new(),
            registry_scan_type: "BASIC".to_owned(),
            token_seconds: TOKEN_SECONDS,
            passwords: 0,
            ahead_seconds: 0,
            calls: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// What time AWS thinks it is.
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now() + jiff::SignedDuration::from_secs(self.ahead_seconds + self.passed_seconds)
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if !std::thread::panicking() {
            let violations = self.state().violations.clone();
            assert!(
                violations.is_empty(),
                "violations: {violations:#?}\n{}",
                self.recorded()
            );
        }
    }
}
