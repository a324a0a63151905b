//! AWS Lambda: functions that answer what a test says, or that are processes of ours behind the Runtime API.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::registry::Reply;
use super::call::{Asked, function_of};
use super::error::refusal;
use super::{FakeAws, State};

/// How long a function may take: the deadline it is told, in milliseconds.
const LIMIT_MILLISECONDS: i64 = 60_000;

/// An answer, or one that is still to come.
pub(super) enum Answer {
    Now(Reply),
    Later(oneshot::Receiver<Reply>),
}

/// What a function answers.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// What it returns.
    Returned(Value),
    /// The error it ends with: its type and message.
    Failed(&'static str, &'static str),
}

/// A function.
enum Function {
    /// Answers these in turn, the last one again and again.
    Scripted(VecDeque<Said>),
    /// A process asks for events.
    Process,
}

/// An event that a process is to answer.
struct Event {
    id: String,
    text: String,
    function: String,
    answer: oneshot::Sender<Reply>,
}

/// All functions.
#[derive(Default)]
pub(super) struct Functions {
    all: BTreeMap<String, Function>,
    events: VecDeque<Event>,
    /// A process that waits for an event.
    waiting: VecDeque<oneshot::Sender<Reply>>,
    /// Events that a process has, by id.
    running: BTreeMap<String, oneshot::Sender<Reply>>,
    count: usize,
}

impl FakeAws {
    /// Makes a function that answers these in turn, the last one again and again.
    pub(crate) fn function(&self, name: &str, answers: &[Said]) {
        let function = Function::Scripted(answers.iter().cloned().collect());
        self.state().functions.all.insert(name.to_owned(), function);
    }

    /// Makes a function whose events a process asks for at the Runtime API, which is this fake.
    pub(crate) fn function_process(&self, name: &str) {
        self.state().functions.all.insert(name.to_owned(), Function::Process);
        self.allow(&["runtime:Next", "runtime:Response", "runtime:Error"]);
    }

    /// Sends an event to the function that is a process, as EventBridge does; gives what it answers, or its error.
    pub(crate) fn send_event(&self, function: &str, event: &Value) -> Result<Value, Value> {
        let (answer, answered) = oneshot::channel();
        self.state().functions.push(function, event.to_string(), answer);
        let reply = answered.blocking_recv().expect("the function answers");
        let value = reply
            .content
            .bytes()
            .map(|bytes| serde_json::from_slice(bytes).unwrap_or_default());
        let value = value.unwrap_or_default();
        match reply.headers.iter().any(|(name, _)| name == "x-amz-function-error") {
            true => Err(value),
            false => Ok(value),
        }
    }
}

impl Functions {
    fn push(&mut self, function: &str, text: String, answer: oneshot::Sender<Reply>) {
        self.count += 1;
        self.events.push_back(Event {
            id: format!("8476a536-e9f4-11e8-9739-{:012x}", self.count),
            text,
            function: function.to_owned(),
            answer,
        });
        self.hand_out();
    }

    /// Gives events to processes that wait.
    fn hand_out(&mut self) {
        self.waiting.retain(|waiting| !waiting.is_closed());
        while !self.events.is_empty()
            && let Some(waiting) = self.waiting.pop_front()
        {
            let Some(event) = self.events.pop_front() else { return };
            let limit = LIMIT_MILLISECONDS;
            let deadline = jiff::Timestamp::now().as_millisecond() + limit;
            let arn = format!(
                "arn:aws:lambda:{}:{}:function:{}",
                super::REGION,
                super::ACCOUNT,
                event.function
            );
            let reply = Reply::text(200, &event.text)
                .header("lambda-runtime-aws-request-id", &event.id)
                .header("lambda-runtime-deadline-ms", &deadline.to_string())
                .header("lambda-runtime-invoked-function-arn", &arn)
                .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700");
            if waiting.send(reply).is_ok() {
                self.running.insert(event.id, event.answer);
            }
        }
    }
}

impl State {
    /// Answers a call of a function.
    pub(super) fn invoke(&mut self, asked: &Asked) -> Answer {
        let name = function_of(&asked.path).unwrap_or_default();
        let name = name.rsplit(":function:").next().unwrap_or_default().to_owned();
        let kind = asked
            .header("x-amz-invocation-type")
            .unwrap_or_else(|| "RequestResponse".to_owned());
        if kind != "RequestResponse" || !(asked.body.is_empty() || serde_json::from_slice::<Value>(&asked.body).is_ok())
        {
            self.violations.push(format!("lambda:InvokeFunction: {kind}"));
        }
        match self.functions.all.get_mut(&name) {
            None => {
                let message = format!(
                    "Function not found: arn:aws:lambda:{}:{}:function:{name}",
                    super::REGION,
                    super::ACCOUNT
                );
                Answer::Now(refusal(&asked.operation, 404, "ResourceNotFoundException", &message))
            }
            Some(Function::Scripted(answers)) => {
                let said = match answers.len() {
                    0 | 1 => answers.front().cloned(),
                    _ => answers.pop_front(),
                };
                Answer::Now(match said {
                    Some(Said::Returned(value)) => returned(&value.to_string()),
                    Some(Said::Failed(kind, message)) => {
                        failed(&json!({"errorType": kind, "errorMessage": message, "trace": []}).to_string())
                    }
                    None => returned("null"),
                })
            }
            Some(Function::Process) => {
                let (answer, answered) = oneshot::channel();
                let text = String::from_utf8_lossy(&asked.body).into_owned();
                self.functions.push(&name, text, answer);
                Answer::Later(answered)
            }
        }
    }

    /// Answers a process at the Runtime API.
    pub(super) fn runtime(&mut self, asked: &Asked) -> Answer {
        if asked.operation == "runtime:Next" {
            let (event, waiting) = oneshot::channel();
            self.functions.waiting.push_back(event);
            self.functions.hand_out();
            return Answer::Later(waiting);
        }
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        let id = asked.path.split('/').nth_back(1).unwrap_or_default().to_owned();
        let Some(answer) = self.functions.running.remove(&id) else {
            self.violations
                .push(format!("{} {}: {text}", asked.operation, asked.path));
            return Answer::Now(Reply::json(400, &json!({"errorType": "InvalidRequestID"})));
        };
        let reply = match asked.operation.as_str() {
            "runtime:Response" => returned(&text),
            _ => failed(&text),
        };
        let _ = answer.send(reply);
        Answer::Now(Reply::json(202, &json!({"status": "OK"})))
    }
}

fn returned(text: &str) -> Reply {
    Reply::text(200, text).header("x-amz-executed-version", "$LATEST")
}

fn failed(text: &str) -> Reply {
    returned(text).header("x-amz-function-error", "Unhandled")
}
