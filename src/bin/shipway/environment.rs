//! Every environment variable shipway reads, named and explained once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// The variables, with what they mean. `docs/shipway-toml.md` shows this list.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("SHIPWAY_PROJECT", "name of the project"),
    ("SHIPWAY_SCRIPTS", "folder with the migration scripts"),
    ("SHIPWAY_CONFIG", "configuration files, separated by commas"),
    ("SHIPWAY_PROFILE", "migration tool"),
    ("SHIPWAY_BASE", "image to build on"),
    ("SHIPWAY_DOCKERFILE", "Dockerfile to build"),
    ("SHIPWAY_CONTEXT", "what the Dockerfile copies from"),
    ("SHIPWAY_TARGET", "stage of the Dockerfile to build"),
    ("SHIPWAY_REPOSITORY", "repository of the image"),
    ("SHIPWAY_TAGS", "tags, separated by commas"),
    ("SHIPWAY_PLATFORMS", "platforms, separated by commas"),
    ("SHIPWAY_IMAGE_FORMAT", "auto, oci or docker"),
    ("SHIPWAY_IMAGE_VERSION", "version the image states"),
    ("SHIPWAY_AGAINST", "what migrations are compared with"),
    (
        "SHIPWAY_IMAGE",
        "image that is run where none is named; build --dotenv writes it",
    ),
    ("ENV_CLUSTER", "cluster of ECS that run uses"),
    ("ENV_SUBNET", "subnets of its tasks, separated by commas"),
    (
        "ENV_SECURITY_GROUP",
        "security groups of its tasks, separated by commas",
    ),
    (
        "SHIPWAY_TABLE",
        "table of DynamoDB that keeps runs and lets one at a time",
    ),
    ("SHIPWAY_FAMILY", "family of task definitions (lambda)"),
    ("SHIPWAY_CONTAINER", "container whose end is the run's (lambda)"),
    (
        "SHIPWAY_ALLOWED_COMMANDS",
        "words that may be among a command's, separated by commas (lambda)",
    ),
    (
        "SHIPWAY_TOPIC_ARN",
        "topic of Amazon SNS for mails about failures (lambda)",
    ),
    (
        "SHIPWAY_STRICT",
        "1: a run without success is an error of the function (lambda)",
    ),
    (
        "SHIPWAY_NAME",
        "name in metrics and mails, instead of the function's (lambda)",
    ),
    ("AWS_LAMBDA_RUNTIME_API", "set by AWS Lambda"),
    ("AWS_LAMBDA_FUNCTION_NAME", "set by AWS Lambda"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "set by AWS Lambda"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "set by AWS Lambda"),
    ("SHIPWAY_USERNAME", "user at the registries that are pushed to"),
    ("SHIPWAY_PASSWORD", "that user's password"),
    ("SHIPWAY_CACHE_DIR", "folder of the cache"),
    (
        "SHIPWAY_REGISTRY_ENDPOINT",
        "other addresses of registries, HOST=URL, separated by commas",
    ),
    (
        "SHIPWAY_ID_TOKEN",
        "token that is traded for an AWS role (GitLab: id_tokens)",
    ),
    ("AWS_ID_TOKEN", "the same, where SHIPWAY_ID_TOKEN is not set"),
    ("AWS_ROLE_ARN", "role such a token is traded for"),
    ("AWS_ROLE_SESSION_NAME", "name of a role's session in CloudTrail"),
    (
        "AWS_REGION",
        "region of runs, and in which doctor looks for what is missing elsewhere",
    ),
    ("AWS_DEFAULT_REGION", "the same, where AWS_REGION is not set"),
    ("CI_PROJECT_ID", "part of the names of sessions and runs in GitLab jobs"),
    (
        "CI_PIPELINE_ID",
        "part of the names of sessions and runs in GitLab jobs",
    ),
    ("CI_PROJECT_PATH", "who wanted a run, for the record (GitLab)"),
    ("CI_JOB_ID", "who wanted a run, for the record (GitLab)"),
    ("GITLAB_USER_LOGIN", "who wanted a run, for the record (GitLab)"),
    ("CI_COMMIT_SHA", "commit of a run, for the record (GitLab)"),
    ("USER", "who wanted a run, for the record"),
    (
        "SOURCE_DATE_EPOCH",
        "time of the image and of its new files, in seconds since 1970",
    ),
    ("DOCKER_CONFIG", "folder of Docker's config.json"),
    ("DOCKER_HOST", "address of the Docker daemon"),
    ("DOCKER_CONTEXT", "Docker's context, where DOCKER_HOST is not set"),
    (
        "DOCKER_CERT_PATH",
        "folder with ca.pem, cert.pem and key.pem for a daemon behind TLS",
    ),
    ("DOCKER_TLS_VERIFY", "set: the daemon is behind TLS"),
    (
        "DOCKER_API_VERSION",
        "version of the daemon's API, instead of the newest both know",
    ),
    (
        "COLIMA_HOME",
        "folder of Colima, whose daemon is one of those looked for",
    ),
    ("REGISTRY_AUTH_FILE", "Podman's file of registry logins"),
    (
        "XDG_RUNTIME_DIR",
        "folder that holds containers/auth.json, Podman's default, and sockets of daemons without root",
    ),
    ("XDG_CACHE_HOME", "folder that holds the cache"),
    ("HOME", "folder that holds .docker and .cache"),
    ("TMPDIR", "folder for temporary files"),
    ("CI_COMMIT_BRANCH", "branch, where git has only a commit (GitLab)"),
    (
        "CI_COMMIT_REF_NAME",
        "branch, in the pipeline of a merge request (GitLab)",
    ),
    ("CI_COMMIT_TAG", "tag, where git has only a commit (GitLab)"),
    ("KANIKO_NO_PUSH", "true: as --no-push"),
    ("KANIKO_REGISTRY_MAP", "as --registry-map"),
    ("KANIKO_REGISTRY_MIRROR", "mirrors of Docker Hub, separated by commas"),
    ("CI", "set by CI services: no bars"),
    ("NO_COLOR", "set: no colours"),
];

/// The environment, read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    values: BTreeMap<String, String>,
    temp_folder: PathBuf,
    now_seconds: i64,
}

impl Environment {
    /// Reads the environment and the clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads environment and clock"
    )]
    pub(crate) fn read() -> Self {
        let text = |value: OsString| value.into_string().ok();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self {
            values: std::env::vars_os()
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect(),
            temp_folder: std::env::temp_dir(),
            now_seconds: now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX)),
        }
    }

    /// Starts the program anew without the empty variables of AWS, if there are any: an empty one counts as not set, and
    /// the SDK takes it for a value. Returns only where there are none, or the program cannot be started.
    #[cfg(all(feature = "aws", unix))]
    pub(crate) fn without_empty_of_aws(&self) {
        use std::os::unix::process::CommandExt as _;
        let is_empty = |(name, value): &(&String, &String)| name.starts_with("AWS_") && value.is_empty();
        let empty: Vec<&String> = self.values.iter().filter(is_empty).map(|(name, _)| name).collect();
        if empty.is_empty() {
            return;
        }
        let mut arguments = std::env::args_os();
        let (Some(name), Ok(program)) = (arguments.next(), std::env::current_exe()) else {
            return;
        };
        let mut again = std::process::Command::new(program);
        again.arg0(name).args(arguments);
        for variable in empty {
            again.env_remove(variable);
        }
        // It only returns if it fails; what is empty is then left to the SDK.
        let _ = again.exec();
    }

    /// A variable of the list; one that is empty counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(
            VARIABLES.iter().any(|(known, _)| *known == name),
            "{name} is not in the list"
        );
        self.any(name)
    }

    /// Any variable.
    pub(crate) fn any(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Any variable that is set.
    #[cfg(any(feature = "aws", feature = "daemon"))]
    pub(crate) fn even_empty(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A variable that holds a path.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// A variable that holds a list, separated by commas.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        let items = self
            .get(name)?
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        Some(items.map(str::to_owned).collect())
    }

    /// The folder for temporary files.
    pub(crate) fn temp_folder(&self) -> PathBuf {
        self.temp_folder.clone()
    }

    /// The cache's folder.
    pub(crate) fn cache_folder(&self) -> Option<PathBuf> {
        self.path("SHIPWAY_CACHE_DIR")
            .or_else(|| {
                Some(
                    self.path("XDG_CACHE_HOME")
                        .filter(|path| path.is_absolute())?
                        .join("shipway"),
                )
            })
            .or_else(|| Some(self.path("HOME")?.join(".cache/shipway")))
    }

    /// Now, in seconds since the epoch: for `{date}` and logins, never for an image.
    pub(crate) fn now_seconds(&self) -> i64 {
        self.now_seconds
    }

    /// What the wall clock shows now, in milliseconds since the epoch: for a process that is frozen and thawed.
    #[cfg(feature = "aws")]
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one place that reads the clock"
    )]
    pub(crate) fn now_milliseconds() -> i64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    }

    /// An environment made of these values.
    #[cfg(test)]
    pub(crate) fn of(values: &[(&str, &str)]) -> Self {
        Self {
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            temp_folder: PathBuf::from("/tmp"),
            now_seconds: 0,
        }
    }
}
