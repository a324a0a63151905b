//! What `shipway run` is to do on ECS, and where runs are looked for.

use std::collections::BTreeMap;
use std::time::Duration;

use shipway::credentials::Secret;
use shipway::execute::{Git, Order, Parting, Place, Waiting, given};
use shipway::oci::Reference;
use shipway::project::Project;

use super::given::{memory, variables};
use super::origin::{Setting, first};
use super::texts::pairs;
use crate::args::{AtInterrupt, AtLimit, ReachOptions, RunArguments, ShowLogs, Span};
use crate::environment::Environment;
use crate::failure::CommandError;

mod image;
mod name;
mod place;

pub(crate) use image::WantedImage;
pub(crate) use name::pipeline_run_id;

/// How long is waited for the end of a run where nobody says so.
const LIMIT: Span = Span::seconds(30 * 60);
/// How long a task may take to be running: large images are pulled within minutes.
const START_LIMIT: Span = Span::seconds(5 * 60);
/// How often ECS is asked.
const POLL: Span = Span::seconds(5);

/// Where runs are.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) via: Via,
    /// The region, if somebody said it.
    pub(crate) region: Option<String>,
    pub(crate) family: Option<String>,
    pub(crate) container: Option<String>,
}

/// Who is asked for runs.
#[derive(Debug, Clone)]
pub(crate) enum Via {
    /// The function of this name.
    Function(String),
    /// ECS itself.
    Cluster(Place, Lock),
}

/// What lets one run at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lock {
    /// A table of this name.
    Table(String),
    /// A look at the tasks of the family: nobody named a table.
    Unsaid,
    /// Nothing: it was said so.
    None,
}

/// A run on ECS.
#[derive(Debug)]
pub(crate) struct TaskSettings {
    pub(crate) reach: Reach,
    /// The image, where one was named.
    pub(crate) image: Option<WantedImage>,
    /// What is asked for; its image is filled in once its digest is known.
    pub(crate) order: Order,
    pub(crate) waiting: Waiting,
    pub(crate) masked: Vec<Secret>,
    pub(crate) notices: Vec<String>,
}

impl Reach {
    /// Settles where runs are; `None` where nobody said so.
    pub(crate) fn resolve(
        options: &ReachOptions,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Option<Self>> {
        let run = &project.run;
        let cluster = first(&[
            Setting::flag("--cluster", options.cluster.clone()),
            Setting::variable(environment, "ENV_CLUSTER"),
            Setting::file("run.cluster", run.cluster.clone()),
        ]);
        let function = match (&options.via_lambda, &options.cluster) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(_)) => None,
            (None, None) => run.via_lambda.clone(),
        };
        let via = match (function, cluster) {
            (Some(name), _) => Via::Function(name),
            (None, Some(cluster)) => {
                let lock = first(&[
                    Setting::flag("--lock", options.lock.clone()),
                    Setting::variable(environment, "SHIPWAY_TABLE"),
                    Setting::file("run.lock", run.lock.clone()),
                ]);
                let lock = match lock.map(|lock| lock.value) {
                    Some(name) if name == "none" => Lock::None,
                    Some(name) => Lock::Table(name),
                    None => Lock::Unsaid,
                };
                let list = |name, said: &Option<Vec<String>>| environment.list(name).or_else(|| said.clone());
                let place = Place {
                    cluster: cluster.value,
                    subnets: list("ENV_SUBNET", &run.subnets).unwrap_or_default(),
                    security_groups: list("ENV_SECURITY_GROUP", &run.security_groups).unwrap_or_default(),
                    assign_public_ip: run.assign_public_ip.unwrap_or_default(),
                    capacity_provider: run.capacity_provider.clone(),
                };
                Via::Cluster(place, lock)
            }
            (None, None) => return Ok(None),
        };
        let arn = match &via {
            Via::Function(name) => name,
            Via::Cluster(place, _) => &place.cluster,
        };
        let region = options
            .region
            .clone()
            .or_else(|| region_of_arn(arn))
            .or_else(|| run.region.clone())
            .or_else(|| environment.get("AWS_REGION").map(str::to_owned))
            .or_else(|| environment.get("AWS_DEFAULT_REGION").map(str::to_owned));
        Ok(Some(Self {
            region,
            family: options.family.clone().or_else(|| run.family.clone()),
            container: options.container.clone().or_else(|| run.container.clone()),
            via,
        }))
    }

    /// Settles where runs are.
    pub(crate) fn required(
        options: &ReachOptions,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        Self::resolve(options, environment, project)?.ok_or_else(|| {
            CommandError::usage("it is not said where the run is")
                .hint("--cluster NAME, ENV_CLUSTER or cluster under [run] in shipway.toml; or --via-lambda NAME")
                .into()
        })
    }
}

impl TaskSettings {
    /// Settles everything about one run; `None` where nobody said that it is to be on ECS.
    pub(crate) fn resolve(
        arguments: &RunArguments,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Option<Self>> {
        let options = &arguments.task;
        let Some(mut reach) = Reach::resolve(&options.reach, environment, project)? else {
            return Ok(None);
        };
        refuse_flags_of_docker(arguments)?;
        reach.place(&options.place)?;
        let mut notices = Vec::new();
        if let Via::Cluster(place, _) = &reach.via
            && place.capacity_provider.as_deref() == Some("FARGATE_SPOT")
        {
            notices.push("FARGATE_SPOT may take the machine away in the middle of a migration".to_owned());
        }
        let image = image::wanted(arguments, environment, options.revision.is_some())?;
        if reach.region.is_none() {
            reach.region = image.as_ref().and_then(|image| image.region());
        }
        let variables = variables(arguments, environment, &mut notices)?;
        let mut passed = BTreeMap::new();
        let mut masked = Vec::new();
        for (name, value) in variables.iter() {
            passed.insert(name.to_owned(), value.expose().to_owned());
            masked.push(value.clone());
        }
        let in_command = given::secrets(&arguments.arguments);
        masked.extend(in_command.map(|value| Secret::new(value.to_owned())));
        let order = Order {
            run_id: name::run_id(arguments, environment, image.as_ref(), &passed)?,
            family: reach.family.clone(),
            container: reach.container.clone(),
            revision: options.revision,
            no_register: options.no_register,
            command: (!arguments.arguments.is_empty()).then(|| arguments.arguments.clone()),
            environment: passed,
            cpu: options.cpu.clone(),
            memory: match &arguments.memory {
                Some(text) => Some(mebibytes(text)?),
                None => None,
            },
            tags: tags(&options.tag)?,
            rerun: options.rerun,
            requested_by: requested_by(environment),
            git: Git {
                sha: environment.get("CI_COMMIT_SHA").map(str::to_owned),
                reference: environment.get("CI_COMMIT_REF_NAME").map(str::to_owned),
            },
            ..Order::default()
        };
        Ok(Some(Self {
            waiting: waiting(arguments, project)?,
            reach,
            image,
            order,
            masked,
            notices,
        }))
    }
}

fn waiting(arguments: &RunArguments, project: &Project) -> anyhow::Result<Waiting> {
    let options = &arguments.task;
    let span = |flag: Option<Span>, key: &str, said: &Option<String>, default: Span| -> anyhow::Result<Duration> {
        let said = match (flag, said) {
            (Some(span), _) => Some(span),
            (None, Some(text)) => Some(text.parse::<Span>().map_err(|error| {
                CommandError::usage(format!("run.{key} in the project file: {text:?} cannot be used")).because(error)
            })?),
            (None, None) => None,
        };
        Ok(said.unwrap_or(default).0)
    };
    let run = &project.run;
    // As often as a service bears it; 0 would be as often as it answers.
    let poll = options.poll.unwrap_or(POLL).0.max(Duration::from_millis(10));
    Ok(Waiting {
        limit: span(options.limit, "timeout", &run.timeout, LIMIT)?,
        start_limit: span(options.start_timeout, "start_timeout", &run.start_timeout, START_LIMIT)?,
        lock_limit: span(
            options.wait_for_lock,
            "wait_for_lock",
            &run.wait_for_lock,
            Span::seconds(0),
        )?,
        poll,
        at_limit: match options.on_timeout {
            AtLimit::Leave => Parting::Leave,
            AtLimit::Stop => Parting::Stop,
        },
        at_interrupt: match options.on_interrupt {
            AtInterrupt::Detach => Parting::Leave,
            AtInterrupt::Stop => Parting::Stop,
        },
        wants_logs: options.logs != ShowLogs::None,
        tail: options.tail,
        whereabouts: options.reach.whereabouts(),
    })
}

fn requested_by(environment: &Environment) -> Option<String> {
    let project = environment.get("CI_PROJECT_PATH");
    match (
        project,
        environment.get("CI_JOB_ID"),
        environment.get("GITLAB_USER_LOGIN"),
    ) {
        (Some(project), Some(job), Some(user)) => Some(format!("gitlab:{project}#{job} ({user})")),
        (Some(project), Some(job), None) => Some(format!("gitlab:{project}#{job}")),
        _ => environment.get("USER").map(str::to_owned),
    }
}

fn tags(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs("--tag", given)? {
        if key.starts_with("shipway:") {
            return Err(CommandError::usage(format!("--tag {key}: tags that begin with shipway: are our own")).into());
        }
        tags.insert(key, value);
    }
    Ok(tags)
}

/// Memory in MiB, as a task definition says it.
fn mebibytes(text: &str) -> anyhow::Result<String> {
    let bytes = memory(text)?;
    // Whoever names a bare number copies it from a task definition.
    let is_bare = text.chars().all(|c| c.is_ascii_digit());
    let mebibytes = if is_bare { bytes } else { bytes >> 20 };
    match mebibytes {
        0 => Err(CommandError::usage(format!("--memory {text}: less than one MiB")).into()),
        mebibytes => Ok(mebibytes.to_string()),
    }
}

fn refuse_flags_of_docker(arguments: &RunArguments) -> anyhow::Result<()> {
    let given = [
        ("--entrypoint", arguments.entrypoint.is_some()),
        ("--network", arguments.network.is_some()),
        ("--volume", !arguments.volume.is_empty()),
        ("--user", arguments.user.is_some()),
        ("--workdir", arguments.workdir.is_some()),
        ("--wait-for", !arguments.wait_for.is_empty()),
        ("--database", arguments.database.is_some()),
        ("--pull", arguments.pull.is_some()),
        ("--stop-timeout", arguments.stop_timeout.is_some()),
        ("--wait-timeout", arguments.wait_timeout.is_some()),
        ("--database-timeout", arguments.database_timeout.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(CommandError::usage(format!(
            "{flag} is for --docker: a task of ECS has it in its task definition"
        ))
        .hint("change the task definition, or run on the local Docker daemon: --docker IMAGE")
        .into()),
        None => Ok(()),
    }
}

/// The region in an ARN.
fn region_of_arn(text: &str) -> Option<String> {
    let mut parts = text.split(':');
    (parts.next() == Some("arn"))
        .then(|| parts.nth(2).map(str::to_owned))
        .flatten()
        .filter(|region| !region.is_empty())
}

/// The region of a registry of Amazon ECR.
fn region_of_registry(reference: &Reference) -> Option<String> {
    let host = shipway::ecr::EcrHost::parse(reference.repository.registry())?;
    Some(host.private()?.region.clone())
}
