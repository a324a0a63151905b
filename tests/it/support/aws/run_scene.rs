//! The scene of tests about tasks of ECS: a cluster with the article's family, a table, a log group and a project.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::super::base::Base;
use super::super::outcome::{Outcome, Running};
use super::super::project::TestProject;
use super::super::registry::{FakeRegistry, Options};
use super::{ACCOUNT, FakeAws, HOST, Key, REGION};

/// The cluster of the scene.
pub(crate) const CLUSTER: &str = "migrations";
/// The family of task definitions.
pub(crate) const FAMILY: &str = "flyway";
/// The table of runs.
pub(crate) const TABLE: &str = "migrations-runs";
/// The function, where the scene has one.
pub(crate) const FUNCTION: &str = "MyLambdaToTriggerFlyway";
/// The repository that images are of.
const REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders";
/// The log group.
const GROUP: &str = "/shipway/migrations";

/// What somebody who runs tasks directly may do (facts, mode B), and what the table and the function take.
const RIGHTS: [&str; 12] = [
    "ecs:DescribeTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:DescribeTasks",
    "ecs:StopTask",
    "ecs:ListTasks",
    "logs:GetLogEvents",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:Query",
];

/// ECS with what a run needs, and a project whose environment holds keys.
pub(crate) struct EcsScene {
    // Dropped first: it is to end before the services it asks.
    function: Option<Process>,
    /// The services.
    pub(crate) aws: FakeAws,
    /// Where the command runs.
    pub(crate) project: TestProject,
    /// The image to run.
    pub(crate) image: String,
    /// The digest in it.
    pub(crate) digest: String,
    /// Where the image is, where a test needs that.
    pub(crate) registry: Option<FakeRegistry>,
    /// Whether the command asks the function instead of ECS.
    via: bool,
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl EcsScene {
    /// A scene in which the user `dev` may run tasks.
    pub(crate) fn new() -> Self {
        let scene = Self::furnished();
        let key = scene.aws.user(ACCOUNT, "dev");
        scene.aws.allow_only(&key, &RIGHTS);
        scene.with_keys(&key)
    }

    /// A scene in which the user `ci` may call the function, which is a process of ours, and nothing else.
    pub(crate) fn via_function() -> Self {
        Self::via_function_with(&[])
    }

    /// The same, with more variables in the environment of the function.
    pub(crate) fn via_function_with(variables: &[(&str, &str)]) -> Self {
        let mut scene = Self::furnished();
        scene.aws.function_process(FUNCTION);
        let topic = scene.aws.topic("migrations-alerts");
        let role = scene.aws.session(ACCOUNT, "shipway-runner", FUNCTION);
        scene.aws.allow_only(&role, &RIGHTS);
        scene.aws.allow_only(&role, &["sns:Publish"]);
        let mut all = vec![
            ("ENV_CLUSTER", CLUSTER),
            ("ENV_SUBNET", "subnet-0a,subnet-0b"),
            ("ENV_SECURITY_GROUP", "sg-01"),
            ("SHIPWAY_TABLE", TABLE),
            ("SHIPWAY_TOPIC_ARN", topic.as_str()),
            ("SHIPWAY_FAMILY", FAMILY),
            ("SHIPWAY_REPOSITORY", REPOSITORY),
        ];
        all.extend(variables);
        scene.function = Some(scene.start_function(&role, &all));
        let key = scene.aws.user(ACCOUNT, "ci");
        scene.aws.allow_only(&key, &["lambda:InvokeFunction"]);
        scene.via = true;
        scene.with_keys(&key)
    }

    /// A scene in which the user `ci` may call the function, which answers what the test says.
    pub(crate) fn via_script(answers: &[super::Said]) -> Self {
        let mut scene = Self::furnished();
        scene.aws.function(FUNCTION, answers);
        let key = scene.aws.user(ACCOUNT, "ci");
        scene.aws.allow_only(&key, &["lambda:InvokeFunction"]);
        scene.via = true;
        scene.with_keys(&key)
    }

    fn furnished() -> Self {
        let aws = FakeAws::start();
        aws.cluster(CLUSTER);
        aws.table(TABLE);
        aws.log_group(REGION, GROUP);
        let digest = format!("sha256:{}", "5".repeat(64));
        let scene = Self {
            project: TestProject::new()
                .environment("AWS_ENDPOINT_URL", &aws.url())
                .environment("AWS_REGION", REGION),
            image: format!("{HOST}/orders@{digest}"),
            digest,
            aws,
            registry: None,
            via: false,
            function: None,
        };
        scene.aws.task_definition(&definition());
        scene
    }

    /// With a registry that holds the image, for several platforms, as `orders:v1`.
    pub(crate) fn with_registry(mut self) -> Self {
        let registry = FakeRegistry::start(Options::ecr());
        self.digest = registry.seed("orders", "v1", &Base::flyway_of(1).index());
        self.image = format!("{HOST}/orders@{}", self.digest);
        self.aws.governs(ACCOUNT, REGION, &registry);
        self.aws.allow(&["ecr:GetAuthorizationToken"]);
        self.registry = Some(registry);
        self
    }

    /// The digest of the image for one platform.
    pub(crate) fn child(&self) -> String {
        let index = self
            .registry
            .as_ref()
            .unwrap()
            .manifest("orders", &self.digest)
            .unwrap();
        let index: Value = serde_json::from_str(&index).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// With keys in the environment.
    pub(crate) fn with_keys(self, key: &Key) -> Self {
        let scene = self
            .environment("AWS_ACCESS_KEY_ID", &key.access_key)
            .environment("AWS_SECRET_ACCESS_KEY", &key.secret_key);
        match &key.session_token {
            Some(token) => scene.environment("AWS_SESSION_TOKEN", token),
            None => scene,
        }
    }

    /// With a variable in the environment.
    pub(crate) fn environment(self, name: &str, value: &str) -> Self {
        self.set(|project| project.environment(name, value))
    }

    /// With the project changed.
    pub(crate) fn set(mut self, change: impl FnOnce(TestProject) -> TestProject) -> Self {
        self.project = change(self.project);
        self
    }

    /// The command's arguments that say where it all is.
    pub(crate) fn arguments<'a>(&self, command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut all = vec![command];
        match self.via {
            true => all.extend(["--via-lambda", FUNCTION]),
            false => all.extend(["--cluster", CLUSTER, "--family", FAMILY, "--lock", TABLE]),
        }
        if command == "run" {
            all.extend(["--poll", "0.02"]);
            if !self.via {
                all.extend(["--subnet", "subnet-0a,subnet-0b", "--security-group", "sg-01"]);
            }
        }
        all.extend(more);
        all
    }

    /// `run` of the image under the name `run-1`, with more arguments.
    pub(crate) fn run(&self, more: &[&str]) -> Outcome {
        self.start(more).wait()
    }

    /// Starts `run` of the image under the name `run-1` and does not wait.
    pub(crate) fn start(&self, more: &[&str]) -> Running {
        let mut arguments = vec!["--image", self.image.as_str()];
        if !more.contains(&"--run-id") {
            arguments.extend(["--run-id", "run-1"]);
        }
        arguments.extend(more);
        let mut arguments = self.arguments("run", &arguments);
        let endpoint = self
            .registry
            .as_ref()
            .map(|registry| format!("{HOST}=http://{}", registry.host()));
        if let Some(endpoint) = &endpoint {
            // Before arguments for the image's program.
            arguments.splice(1..1, ["--registry-endpoint", endpoint.as_str()]);
        }
        Running::start(&mut self.project.command(&arguments), "")
    }

    /// Whether the function is a process of ours.
    pub(crate) fn has_function(&self) -> bool {
        self.function.is_some()
    }

    /// The function is called as anybody can: with this event.
    pub(crate) fn event(&self, event: &Value) -> Result<Value, Value> {
        self.aws.send_event(FUNCTION, event)
    }

    /// Another command about runs: `status`, `logs`, `stop`, `history`.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Outcome {
        self.project.run(&self.arguments(command, more))
    }

    /// The lock's item, if there is one.
    pub(crate) fn lock(&self) -> Option<Value> {
        self.aws.items_under(TABLE, "lock#").pop()
    }

    /// The records of runs, the oldest first.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.aws.items_under(TABLE, "family#")
    }

    /// Fails the test unless nothing is locked and the one record has this status.
    pub(crate) fn assert_recorded(&self, status: &str) -> Value {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:#?}");
        assert_eq!(records[0]["status"], status, "{records:#?}");
        assert_eq!(self.lock(), None, "the lock is let go");
        records[0].clone()
    }

    /// Waits until something is so; it is a matter of another process.
    pub(crate) fn wait_until(&self, what: &str, mut is_so: impl FnMut(&FakeAws) -> bool) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !is_so(&self.aws) {
            assert!(std::time::Instant::now() < deadline, "{what}:\n{}", self.aws.recorded());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// What the function wrote: its log.
    pub(crate) fn function_log(&self) -> String {
        std::fs::read_to_string(self.function_file()).unwrap_or_default()
    }

    fn function_file(&self) -> PathBuf {
        self.project.root().join("function.log")
    }

    fn start_function(&self, role: &Key, variables: &[(&str, &str)]) -> Process {
        // Lambda calls the program by this name, and tells it nothing else.
        let bootstrap = self.project.root().join("bootstrap");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_shipway"), &bootstrap).unwrap();
        let log = File::create(self.function_file()).unwrap();
        let child = Command::new(bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", self.aws.address().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", FUNCTION)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{FUNCTION}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]0a11ce")
            .env("_HANDLER", "bootstrap")
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", &role.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &role.secret_key)
            .env("AWS_SESSION_TOKEN", role.session_token.clone().unwrap_or_default())
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("HOME", "/nonexistent")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Process(child.unwrap())
    }
}

/// The article's task definition, with every kind of field: also one that is newer than any SDK.
pub(crate) fn definition() -> Value {
    json!({
        "family": FAMILY,
        "taskRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/flyway-task"),
        "executionRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/flyway-execution"),
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "ephemeralStorage": {"sizeInGiB": 21},
        "futureConfiguration": {"depth": [1, {"b": null}]},
        "tags": [{"key": "team", "value": "orders"}],
        "containerDefinitions": [container("flyway")],
    })
}

/// A container of it.
pub(crate) fn container(name: &str) -> Value {
    json!({
        "name": name,
        "image": format!("{HOST}/orders:latest"),
        "cpu": 0,
        "memory": 512,
        "essential": true,
        "command": ["migrate"],
        "portMappings": [],
        "mountPoints": [],
        "volumesFrom": [],
        "environment": [
            {"name": "FLYWAY_URL", "value": "jdbc:mysql://db.internal/orders?password=canary-in-url"},
            {"name": "FLYWAY_PLACEHOLDERS_KEY", "value": "canary-definition-value"},
        ],
        "secrets": [{"name": "FLYWAY_PASSWORD", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password::"}],
        "stopTimeout": 120,
        "versionConsistency": "enabled",
        "futureSetting": {"x": 1},
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "flyway",
        }},
    })
}
