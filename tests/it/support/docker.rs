//! `FakeDocker`: the parts of Docker's API that `shipway run` uses, over a socket, with what is to happen written down.
//!
//! It is as strict as the engine about the order of things: what was not made cannot be started, and what was not started
//! writes nothing.

mod routes;
mod wire;

use std::collections::BTreeMap;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

/// What goes wrong, at a request whose name is the last word of its path.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// The engine says no.
    Refuse(u16, &'static str),
    /// The connection is closed in the place of an answer.
    Cut,
    /// What is asked for is done, and the connection is closed in the place of an answer.
    Mute,
    /// The same as `Cut`, and the engine is gone from then on.
    Vanish,
}

/// A piece of output.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// 1 for standard output, 2 for standard error.
    pub(crate) stream: u8,
    pub(crate) bytes: Vec<u8>,
    /// How long after the piece before it.
    pub(crate) after: Duration,
}

/// A request, as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the version.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A container that was made.
#[derive(Debug, Clone, Default)]
struct Container {
    is_started: bool,
    exit_code: Option<i64>,
    /// Whether it ends when it is told to, and not before.
    lives: bool,
}

/// What is to happen, and what has.
#[derive(Default)]
struct State {
    images: Vec<String>,
    pullable: Vec<String>,
    troubles: Vec<(String, Trouble)>,
    output: Vec<Written>,
    exit_code: i64,
    is_out_of_memory: bool,
    lives: bool,
    ignores_stop: bool,
    /// After how many pieces the connection to the output breaks.
    cut_output_after: Option<usize>,
    /// What commands in containers answer: a part of the command, status, output.
    answers: Vec<(String, i64, String)>,
    containers: BTreeMap<String, Container>,
    networks: Vec<String>,
    commands: Vec<(i64, String)>,
    requests: Vec<Request>,
    is_gone: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something holds, for a time that only a test that hangs needs.
    fn until(&self, holds: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let guard = self.state();
        let waited = self
            .changed
            .wait_timeout_while(guard, Duration::from_secs(120), |state| !holds(state) && !state.is_gone);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// An engine that does what it is told.
pub(crate) struct FakeDocker {
    shared: Arc<Shared>,
    folder: TempDir,
}

impl FakeDocker {
    /// An engine that has these images, whose programs write nothing and end with 0.
    pub(crate) fn with_images(images: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State {
            images: images.iter().map(|image| (*image).to_owned()).collect(),
            ..State::default()
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A connection that breaks is what some tests are about.
                std::thread::spawn(move || wire::serve(&shared, stream).ok());
            }
        });
        Self { shared, folder }
    }

    /// With an image in the registries the engine can reach.
    pub(crate) fn pullable(self, image: &str) -> Self {
        self.shared.state().pullable.push(image.to_owned());
        self
    }

    /// Whose program ends with this status.
    pub(crate) fn exits(self, code: i64) -> Self {
        self.shared.state().exit_code = code;
        self
    }

    /// Whose program is killed because it used too much memory.
    pub(crate) fn out_of_memory(self) -> Self {
        self.shared.state().is_out_of_memory = true;
        self.exits(137)
    }

    /// Whose program writes this.
    pub(crate) fn writes(self, stream: u8, bytes: &[u8]) -> Self {
        self.writes_after(Duration::ZERO, stream, bytes)
    }

    /// Whose program writes this, and the engine hands it on later than it could.
    pub(crate) fn writes_after(self, after: Duration, stream: u8, bytes: &[u8]) -> Self {
        self.shared.state().output.push(Written {
            stream,
            bytes: bytes.to_owned(),
            after,
        });
        self
    }

    /// Whose program goes on until it is stopped.
    pub(crate) fn lives(self) -> Self {
        self.shared.state().lives = true;
        self
    }

    /// Whose program ends only when it is killed.
    pub(crate) fn ignores_stop(self) -> Self {
        self.shared.state().ignores_stop = true;
        self.lives()
    }

    /// The connection to the output breaks after some pieces.
    pub(crate) fn cuts_output_after(self, pieces: usize) -> Self {
        self.shared.state().cut_output_after = Some(pieces);
        self
    }

    /// Something goes wrong at the next request whose path ends with this word (a removal is `delete`).
    pub(crate) fn trouble(self, at: &str, trouble: Trouble) -> Self {
        self.shared.state().troubles.push((at.to_owned(), trouble));
        self
    }

    /// What a command answers that is run in a container, for the next command that holds `part`; the last one stays.
    pub(crate) fn answers(self, part: &str, code: i64, output: &str) -> Self {
        let answer = (part.to_owned(), code, output.to_owned());
        self.shared.state().answers.push(answer);
        self
    }

    /// Its address, for `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// Waits until a request has come whose path ends with this word.
    pub(crate) fn until_asked(&self, word: &str) {
        drop(self.shared.until(|state| {
            let mut requests = state.requests.iter();
            requests.any(|request| request.path.ends_with(word))
        }));
    }

    /// Ends all containers that run, as if their programs had ended.
    pub(crate) fn end_all(&self, code: i64) {
        for container in self.shared.state().containers.values_mut() {
            container.exit_code.get_or_insert(code);
        }
        self.shared.changed.notify_all();
    }

    /// The requests whose path ends with this word.
    pub(crate) fn requests(&self, word: &str) -> Vec<Request> {
        let state = self.shared.state();
        let found = state.requests.iter().filter(|request| request.path.ends_with(word));
        found.cloned().collect()
    }

    /// All requests, in words such as `POST /containers/NAME/start`, names of runs replaced.
    pub(crate) fn transcript(&self) -> Vec<String> {
        let state = self.shared.state();
        let words = state.requests.iter().map(|request| {
            let path: Vec<&str> = request
                .path
                .split('/')
                .map(|word| match word.strip_prefix("shipway-") {
                    Some(rest) if rest.ends_with("-database") => "DATABASE",
                    Some(_) => "NAME",
                    None => word,
                })
                .collect();
            format!("{} {}", request.method, path.join("/"))
        });
        words.collect()
    }

    /// Fails the test unless everything that was made is gone.
    pub(crate) fn assert_nothing_is_left(&self) {
        let state = self.shared.state();
        let names: Vec<&String> = state.containers.keys().collect();
        assert!(names.is_empty(), "containers are left: {names:?}");
        assert!(state.networks.is_empty(), "networks are left: {:?}", state.networks);
    }

    /// The names of the containers that are there.
    pub(crate) fn containers(&self) -> Vec<String> {
        self.shared.state().containers.keys().cloned().collect()
    }
}
