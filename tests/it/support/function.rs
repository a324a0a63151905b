//! The real program as a function of Lambda: started as `bootstrap`, behind a Runtime API in this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::http::{Request, Response, listen};

/// No event takes so long unless the function hangs.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it still runs.
const GLANCE: Duration = Duration::from_millis(200);
/// How long an event has where a test does not say.
const USUAL_TIME: Duration = Duration::from_secs(300);

/// What the function answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// An answer.
    Given(Value),
    /// An error: its type, and what it says.
    Refused(String, String),
}

impl Answer {
    /// The answer; fails the test if it is an error.
    pub(crate) fn given(self) -> Value {
        match self {
            Self::Given(value) => value,
            Self::Refused(kind, message) => panic!("{kind}: {message}"),
        }
    }

    /// Type and text of the error; fails the test if it is none.
    pub(crate) fn refused(self) -> (String, String) {
        match self {
            Self::Refused(kind, message) => (kind, message),
            Self::Given(value) => panic!("no error: {value:#}"),
        }
    }
}

/// An event that waits for the function: its id, its text, and when it has to be answered.
type Event = (String, String, i64);

/// A function that runs.
pub(crate) struct RunningFunction {
    child: Child,
    events: Sender<Event>,
    answers: Receiver<(String, Answer)>,
    written: Arc<Mutex<String>>,
    /// Whether it has asked for an event.
    is_ready: Arc<AtomicBool>,
    count: usize,
    _folder: TempDir,
}

impl RunningFunction {
    /// Starts the program under test.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_program(Path::new(env!("CARGO_BIN_EXE_shipway")), variables)
    }

    /// Starts a program as Lambda does: under its name, with no argument, and with the variables Lambda sets besides those of the function.
    pub(crate) fn start_program(program: &Path, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bootstrap = folder.path().join("bootstrap");
        std::os::unix::fs::symlink(program, &bootstrap).unwrap();
        let (events, waiting) = channel::<Event>();
        let (sender, answers) = channel();
        let (waiting, sender) = (Mutex::new(waiting), Mutex::new(sender));
        let is_ready = Arc::<AtomicBool>::default();
        let ready = Arc::clone(&is_ready);
        let address = listen(move |request| {
            ready.fetch_or(request.path.ends_with("/next"), Ordering::Relaxed);
            route(request, &waiting, &sender)
        });
        let mut child = Command::new(&bootstrap)
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("AWS_LAMBDA_RUNTIME_API", &address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "MyLambdaToTriggerFlyway")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-west-3")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let written = Arc::<Mutex<String>>::default();
        collect(child.stdout.take().unwrap(), &written);
        collect(child.stderr.take().unwrap(), &written);
        Self {
            child,
            events,
            answers,
            written,
            is_ready,
            count: 0,
            _folder: folder,
        }
    }

    /// Hands an event to the function, and waits for its answer.
    pub(crate) fn invoke(&mut self, event: &Value) -> Answer {
        self.invoke_text(&event.to_string(), USUAL_TIME)
    }

    /// The same with any text, and another time until it has to be answered.
    pub(crate) fn invoke_text(&mut self, event: &str, time: Duration) -> Answer {
        self.count += 1;
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", self.count);
        let time = i64::try_from(time.as_millis()).unwrap();
        let until = jiff::Timestamp::now().as_millisecond() + time;
        self.events.send((id.clone(), event.to_owned(), until)).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok((answered, answer)) = self.answers.recv_timeout(GLANCE) {
                assert_eq!(answered, id);
                return answer;
            }
            let is_alive = self.child.try_wait().unwrap().is_none();
            assert!(is_alive && Instant::now() < deadline, "no answer: {}", self.log());
        }
    }

    /// The processor time it took until it asked for its first event, in milliseconds: what a busy machine takes besides is not its own.
    pub(crate) fn start_up_milliseconds(&self) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_ready.load(Ordering::Relaxed) {
            assert!(Instant::now() < deadline, "it asks for no event: {}", self.log());
            std::thread::sleep(Duration::from_millis(1));
        }
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Behind the name: utime and stime are the 14th and 15th of proc_pid_stat(5), in hundredths of a second.
        let (_, numbers) = stat.rsplit_once(')').unwrap();
        let hundredths = numbers.split_whitespace().skip(11).take(2);
        hundredths.map(|number| number.parse::<u64>().unwrap() * 10).sum()
    }

    /// All it has written so far.
    pub(crate) fn log(&self) -> String {
        self.written.lock().unwrap().clone()
    }

    /// Waits for a line in what it writes.
    pub(crate) fn line_with(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "{words:?} is not in {log}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory it had resident so far, in kilobytes.
    pub(crate) fn peak_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for RunningFunction {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects what a pipe brings, as it comes.
fn collect(mut pipe: impl std::io::Read + Send + 'static, written: &Arc<Mutex<String>>) {
    let written = Arc::clone(written);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            written
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
}

/// The Runtime API (2018-06-01).
fn route(request: &Request, waiting: &Mutex<Receiver<Event>>, answers: &Mutex<Sender<(String, Answer)>>) -> Response {
    let path = request
        .path
        .strip_prefix("/2018-06-01/runtime/invocation/")
        .unwrap_or_default();
    let respond = |status| Response {
        status,
        headers: Vec::new(),
        body: String::new(),
    };
    if (request.method.as_str(), path) == ("GET", "next") {
        let Ok((id, event, deadline)) = waiting.lock().unwrap().recv() else {
            return respond(410);
        };
        return Response {
            status: 200,
            headers: vec![
                ("Lambda-Runtime-Aws-Request-Id", id),
                ("Lambda-Runtime-Deadline-Ms", deadline.to_string()),
                (
                    "Lambda-Runtime-Invoked-Function-Arn",
                    "arn:aws:lambda:eu-west-3:123456789012:function:MyLambdaToTriggerFlyway".to_owned(),
                ),
                ("Content-Type", "application/json".to_owned()),
            ],
            body: event,
        };
    }
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let answer = match path.split_once('/') {
        Some((id, "response")) => (id.to_owned(), Answer::Given(body)),
        Some((id, "error")) => (id.to_owned(), Answer::Refused(text("errorType"), text("errorMessage"))),
        _ => return respond(404),
    };
    // The test may have ended.
    let _ = answers.lock().unwrap().send(answer);
    respond(202)
}

/// Services of AWS that answer what a test says, operation by operation: each answer once, and the last one again and again.
#[derive(Clone)]
pub(crate) struct ScriptedServices {
    pub(crate) endpoint: String,
    answers: Arc<Mutex<BTreeMap<String, Vec<Value>>>>,
    calls: Arc<Mutex<Vec<(String, String)>>>,
}

impl ScriptedServices {
    /// Services with these answers. An answer with `__type` is an error.
    pub(crate) fn start(answers: &[(&str, Value)]) -> Self {
        let mut scripted = BTreeMap::<String, Vec<Value>>::new();
        for (operation, answer) in answers {
            scripted
                .entry((*operation).to_owned())
                .or_default()
                .push(answer.clone());
        }
        let answers = Arc::new(Mutex::new(scripted));
        let calls = Arc::<Mutex<Vec<(String, String)>>>::default();
        let (script, kept) = (Arc::clone(&answers), Arc::clone(&calls));
        let address = listen(move |request| answered(request, &script, &kept));
        Self {
            endpoint: format!("http://{address}"),
            answers,
            calls,
        }
    }

    /// Says from now on something else.
    pub(crate) fn say(&self, operation: &str, answer: Value) {
        self.answers.lock().unwrap().insert(operation.to_owned(), vec![answer]);
    }

    /// What was asked for, in that order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The bodies of all calls of an operation.
    pub(crate) fn calls(&self, operation: &str) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        let of_operation = calls.iter().filter(|(name, _)| name == operation);
        of_operation.map(|(_, body)| body.clone()).collect()
    }
}

fn answered(
    request: &Request,
    script: &Mutex<BTreeMap<String, Vec<Value>>>,
    calls: &Mutex<Vec<(String, String)>>,
) -> Response {
    let target = request
        .headers
        .get("x-amz-target")
        .and_then(|target| target.rsplit('.').next());
    // Amazon SNS speaks the query protocol.
    let action = request.body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let operation = target.or(action).unwrap_or_default().to_owned();
    calls.lock().unwrap().push((operation.clone(), request.body.clone()));
    let mut script = script.lock().unwrap();
    let answer = match script.get_mut(&operation) {
        Some(answers) if answers.len() > 1 => answers.remove(0),
        Some(answers) => answers[0].clone(),
        None => serde_json::json!({"__type": "UnknownOperationException", "message": operation}),
    };
    let status = if answer.get("__type").is_some() { 400 } else { 200 };
    Response {
        status,
        headers: vec![("Content-Type", "application/x-amz-json-1.1".to_owned())],
        body: match action {
            Some(_) => "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>".to_owned(),
            None => answer.to_string(),
        },
    }
}
