//! What the article has in its account of AWS, at ministack: a cluster, a task definition with the database's secret, a table of runs,
//! a topic, and the function.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::database::{Database, PASSWORD};
use super::until;
use crate::aws::account::{REGION, SECRET, ministack};
use crate::aws::api::call;
use crate::package::function_package;
use crate::parts::{output, program, setting};

const ACCOUNT: &str = "000000000000";

/// One account's part that belongs to one test.
pub(super) struct Cloud {
    /// What everything in it is called.
    pub(super) name: &'static str,
    queue: String,
    folder: TempDir,
}

/// A process of ours that has ended.
pub(super) struct Done {
    pub(super) status: Option<i32>,
    pub(super) printed: String,
    pub(super) said: String,
}

impl Done {
    /// The one JSON object of standard output.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.printed).unwrap_or_else(|error| panic!("{error}: {}{}", self.printed, self.said))
    }
}

impl Cloud {
    /// All there is before the first run. No image but the base is there yet.
    pub(super) fn new(name: &'static str, database: &impl Database) -> Self {
        let ecs = |operation, question| ask("ecs", "AmazonEC2ContainerServiceV20141113", operation, question);
        let group = format!("/shipway/{name}");
        ecs("CreateCluster", json!({ "clusterName": name }));
        ask(
            "logs",
            "Logs_20140328",
            "CreateLogGroup",
            json!({ "logGroupName": group }),
        );
        ask(
            "ecr",
            "AmazonEC2ContainerRegistry_V20150921",
            "CreateRepository",
            json!({ "repositoryName": name }),
        );
        let secret = json!({ "username": database.user(), "password": PASSWORD }).to_string();
        let secret = ask(
            "secretsmanager",
            "secretsmanager",
            "CreateSecret",
            json!({ "Name": format!("{name}-database"), "SecretString": secret }),
        );
        let secret = secret["ARN"].as_str().expect("a secret has an ARN");
        let from_secret =
            |variable: &str, key: &str| json!({ "name": variable, "valueFrom": format!("{secret}:{key}::") });
        ecs(
            "RegisterTaskDefinition",
            json!({
                "family": name, "networkMode": "host", "requiresCompatibilities": ["EC2"], "cpu": "256", "memory": "512",
                "containerDefinitions": [{
                    "name": "flyway", "image": setting("SHIPWAY_TEST_FLYWAY_IMAGE"), "essential": true, "command": ["migrate"],
                    "environment": [{ "name": "FLYWAY_URL", "value": database.url() }],
                    "secrets": [from_secret("FLYWAY_USER", "username"), from_secret("FLYWAY_PASSWORD", "password")],
                    "logConfiguration": { "logDriver": "awslogs", "options": {
                        "awslogs-group": group, "awslogs-region": REGION, "awslogs-stream-prefix": "flyway",
                    }},
                }],
            }),
        );
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let text = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        ask(
            "dynamodb",
            "DynamoDB_20120810",
            "CreateTable",
            json!({
                "TableName": name, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [text("pk"), text("sk")], "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            }),
        );
        let queue = ask("sqs", "AmazonSQS", "CreateQueue", json!({ "QueueName": name }));
        let cloud = Self {
            name,
            queue: queue["QueueUrl"].as_str().expect("a queue has an address").to_owned(),
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
        };
        cloud.aws(&["sns", "create-topic", "--name", name]);
        let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let subscription = [
            "--topic-arn",
            &cloud.topic(),
            "--protocol",
            "sqs",
            "--notification-endpoint",
            &queue,
        ];
        cloud.aws(&[&["sns", "subscribe"], &subscription[..]].concat());
        cloud.make_function();
        cloud
    }

    fn make_function(&self) {
        let package = fs::read(function_package()).expect("the package can be read");
        let variables = json!({
            "AWS_ENDPOINT_URL": ministack(), "ENV_CLUSTER": self.name, "SHIPWAY_FAMILY": self.name, "SHIPWAY_TABLE": self.name,
            "SHIPWAY_TOPIC_ARN": self.topic(), "SHIPWAY_REPOSITORY": self.repository(),
            "SHIPWAY_ALLOWED_COMMANDS": "migrate,info,validate,repair",
        });
        let function = json!({
            "FunctionName": self.name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 60, "MemorySize": 128,
            "Role": format!("arn:aws:iam::{ACCOUNT}:role/{}", self.name), "Code": { "ZipFile": BASE64.encode(package) },
            "Environment": { "Variables": variables },
        });
        let file = self.path("function.json");
        fs::write(&file, function.to_string()).expect("a file can be written");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--header"])
            .arg(format!("Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, Signature=0"))
            .arg("--data-binary").arg(format!("@{}", file.display()))
            .arg(format!("{}/2015-03-31/functions", ministack()));
        output(&mut curl);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn topic(&self) -> String {
        format!("arn:aws:sns:{REGION}:{ACCOUNT}:{}", self.name)
    }

    /// The repository of its image: at ministack's own address, from where an engine can pull.
    pub(super) fn repository(&self) -> String {
        format!("{}/{}", ministack().trim_start_matches("http://"), self.name)
    }

    /// What a process needs to speak to the account.
    pub(super) fn environment() -> [(String, String); 5] {
        [
            ("AWS_ENDPOINT_URL", ministack()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    /// Asks the account something with the command line of AWS.
    pub(super) fn aws(&self, words: &[&str]) -> Value {
        let mut aws = Command::new(setting("SHIPWAY_TEST_AWS_COMMAND"));
        aws.env_clear()
            .env("PATH", setting("PATH"))
            .env("HOME", self.folder.path());
        aws.envs(Self::environment())
            .args(["--region", REGION, "--output", "json"])
            .args(words);
        let answer = output(&mut aws);
        assert!(!answer.contains(PASSWORD), "{words:?} tells the password: {answer}");
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    /// The program, with the account's keys and nothing else of the machine.
    pub(super) fn shipway(&self, words: &[&str]) -> Command {
        let mut shipway = Command::new(program());
        shipway
            .env_clear()
            .env("PATH", setting("PATH"))
            .env("HOME", self.folder.path());
        shipway
            .envs(Self::environment())
            .current_dir(self.folder.path())
            .args(words);
        shipway
    }

    /// Runs it to its end.
    pub(super) fn end_of(&self, command: &mut Command) -> Done {
        let done = command.output().expect("shipway starts");
        let text = |bytes| String::from_utf8(bytes).expect("shipway writes UTF-8");
        let done = Done {
            status: done.status.code(),
            printed: text(done.stdout),
            said: text(done.stderr),
        };
        for secret in [PASSWORD, SECRET] {
            assert!(
                !format!("{}{}", done.printed, done.said).contains(secret),
                "{secret} in {}",
                done.said
            );
        }
        done
    }

    /// Builds an image of these scripts on the real Flyway, and pushes it; returns its name with the digest.
    pub(super) fn image_of(&self, tag: &str, scripts: &[(&str, &str)]) -> String {
        let folder = self.path(tag);
        fs::create_dir_all(&folder).expect("a folder can be made");
        for (name, text) in scripts {
            fs::write(folder.join(name), text).expect("a script can be written");
        }
        let target = format!("{}:{tag}", self.repository());
        let mut build = self.shipway(&["build", "--push", "--profile", "flyway", "-t", &target, "--base"]);
        let done = self.end_of(
            build
                .arg(setting("SHIPWAY_TEST_FLYWAY_IMAGE"))
                .arg("--scripts")
                .arg(&folder),
        );
        assert_eq!(done.status, Some(0), "{}", done.said);
        done.printed.trim().to_owned()
    }

    /// The tasks there are and were, as ECS describes them.
    pub(super) fn tasks(&self) -> Vec<Value> {
        let mut arns = Vec::new();
        for desired in ["RUNNING", "STOPPED"] {
            let listed = self.aws(&["ecs", "list-tasks", "--cluster", self.name, "--desired-status", desired]);
            arns.extend(listed["taskArns"].as_array().expect("a list").clone());
        }
        if arns.is_empty() {
            return Vec::new();
        }
        let mut words = vec!["ecs", "describe-tasks", "--cluster", self.name, "--tasks"];
        words.extend(arns.iter().filter_map(Value::as_str));
        self.aws(&words)["tasks"].as_array().expect("a list").clone()
    }

    /// The revisions of the task definition.
    pub(super) fn revisions(&self) -> usize {
        let listed = self.aws(&["ecs", "list-task-definitions", "--family-prefix", self.name]);
        listed["taskDefinitionArns"].as_array().expect("a list").len()
    }

    /// Waits until a task has stopped, and has EventBridge's event about it reach the function. ministack emits none itself.
    pub(super) fn hand_over_the_end_of(&self, task: &str) {
        let described =
            || self.aws(&["ecs", "describe-tasks", "--cluster", self.name, "--tasks", task])["tasks"][0].clone();
        until("the task stops", || described()["lastStatus"] == "STOPPED");
        let event = json!({
            "version": "0", "id": "6f0a2c1e", "account": ACCOUNT, "region": REGION, "time": "2026-11-23T09:00:00Z",
            "source": "aws.ecs", "detail-type": "ECS Task State Change", "resources": [task], "detail": described(),
        });
        let file = self.path("event.json");
        fs::write(&file, event.to_string()).expect("a file can be written");
        let payload = format!("file://{}", file.display());
        let answer = self.path("answer.json");
        let words = ["--function-name", self.name, "--payload", &payload];
        let invoked = self.aws(&[&["lambda", "invoke"], &words[..], &[&answer.to_string_lossy()]].concat());
        let answer = fs::read_to_string(&answer).expect("the answer can be read");
        assert!(invoked.get("FunctionError").is_none(), "{invoked}: {answer}");
        assert!(!answer.contains(PASSWORD), "{answer}");
    }

    /// The mails that were sent since the last call.
    pub(super) fn mails(&self) -> Vec<Value> {
        let question = json!({ "QueueUrl": self.queue, "MaxNumberOfMessages": 10 });
        let received = ask("sqs", "AmazonSQS", "ReceiveMessage", question);
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        let mails = messages.iter().map(|message| {
            let receipt = json!({ "QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"] });
            ask("sqs", "AmazonSQS", "DeleteMessage", receipt);
            let body = message["Body"].as_str().expect("a message has a body");
            assert!(!body.contains(PASSWORD), "{body}");
            serde_json::from_str(body).expect("a notification is JSON")
        });
        mails.collect()
    }
}

fn ask(service: &str, target: &str, operation: &str, question: Value) -> Value {
    let target = format!("{target}.{operation}");
    call(&ministack(), REGION, service, &target, &[], &question).unwrap_or_else(|error| panic!("{target}: {error}"))
}
