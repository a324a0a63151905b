//! The instructions of a stage with their variables filled in: what each changes in the config, and what it does to the
//! files.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::Problem;
use super::ignore::Rules;
use super::instruction::{Command, Copy, CopySource, Healthcheck, Instruction, Kind, Position};
use super::mode::Mode;
use super::variables::{Global, Variables};
use crate::content::tree::clamped;
use crate::oci::config::ConfigError;
use crate::oci::{Digest, ImageConfig};
use crate::recipe::{Change, ImagePath};

mod words;

use words::{ports, signal};

/// The program that runs commands in shell form, unless `SHELL` says otherwise.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Ports a stage may name: every one there is, for one protocol.
const MOST_PORTS: usize = 65_536;

/// An instruction that can be carried out.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// Where it stands.
    pub position: Position,
    /// What the history tells.
    pub text: String,
    /// What it changes in the config.
    pub changes: Vec<Change>,
    /// What it does to the files.
    pub action: Option<Action>,
}

/// What an instruction does to the files.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// Sees to it that a directory is there, made by a user.
    Directory {
        /// Which.
        path: ImagePath,
        /// Whose it is if it has to be made; empty for root.
        user: String,
    },
    /// Copies files.
    Copy(Box<PlannedCopy>),
}

/// `COPY` or `ADD`.
#[derive(Debug, Clone)]
pub(super) struct PlannedCopy {
    pub is_add: bool,
    pub sources: Vec<PlannedSource>,
    pub destination: ImagePath,
    /// Whether the destination was written as a directory.
    pub into_directory: bool,
    pub from: Option<String>,
    pub owner: Option<String>,
    pub mode: Option<Mode>,
    pub parents: bool,
    pub exclude: Rules,
    pub checksum: Option<Digest>,
    pub unpack: Option<bool>,
}

/// What is copied.
#[derive(Debug, Clone)]
pub(super) enum PlannedSource {
    /// A path or a pattern.
    Path(String),
    /// An address.
    Remote(String),
    /// A text, and the name of the file it becomes.
    Text { name: String, content: String },
}

/// What an image's config says that instructions depend on.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    environment: Vec<(String, String)>,
    arguments: BTreeMap<String, String>,
    directory: ImagePath,
    user: String,
    shell: Vec<String>,
    /// Whether the stage itself said what is run by default.
    has_command: bool,
    /// How many ports the stage has named.
    ports: usize,
    /// The instructions for images built on it.
    pub triggers: Vec<String>,
}

impl Settings {
    /// Begins a stage on what another one made: its command is one of the base's now.
    pub(super) fn begin_stage(&mut self) {
        self.has_command = false;
        self.ports = 0;
    }

    /// The settings of a base.
    pub(super) fn of(config: &ImageConfig) -> Result<Self, ConfigError> {
        let environment = config.env()?;
        let pair = |entry: &String| {
            let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
            (name.to_owned(), value.to_owned())
        };
        let directory = config.working_directory()?;
        Ok(Self {
            environment: environment.iter().map(pair).collect(),
            arguments: BTreeMap::new(),
            directory: clamped(&ImagePath::default(), &directory).unwrap_or_default(),
            user: config.user()?,
            shell: config.shell()?,
            has_command: false,
            ports: 0,
            triggers: config.triggers()?,
        })
    }
}

/// Fills in the instructions, one after another, and brings the settings up to date.
pub(super) fn plan(
    instructions: &[Instruction],
    settings: &mut Settings,
    global: &Global,
) -> Result<Vec<Planned>, (Position, Problem)> {
    let variables = Variables::new(global, std::mem::take(&mut settings.environment));
    let mut planner = Planner {
        variables: variables.with_arguments(std::mem::take(&mut settings.arguments)),
        settings,
    };
    let planned = instructions
        .iter()
        .map(|instruction| {
            planner
                .instruction(instruction)
                .map_err(|problem| (instruction.position, problem))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let Planner { variables, settings } = planner;
    (settings.environment, settings.arguments) = variables.into_parts();
    Ok(planned)
}

struct Planner<'a> {
    variables: Variables<'a>,
    settings: &'a mut Settings,
}

impl Planner<'_> {
    fn instruction(&mut self, instruction: &Instruction) -> Result<Planned, Problem> {
        let mut action = None;
        let changes = match &instruction.kind {
            Kind::Run => return Err(Problem::Run),
            Kind::Arg(arguments) => {
                for argument in arguments {
                    self.variables.declare(argument)?;
                }
                Vec::new()
            }
            Kind::Copy(copy) => {
                action = Some(Action::Copy(Box::new(self.copy(copy)?)));
                Vec::new()
            }
            Kind::Env(pairs) => {
                let pairs = self.pairs(pairs)?;
                self.variables.set(&pairs)?;
                let change = |(name, value)| Change::Environment {
                    name,
                    value,
                    unless_set: false,
                };
                pairs.into_iter().map(change).collect()
            }
            Kind::Label(pairs) => {
                let change = |(key, value)| Change::Label {
                    key,
                    value: Some(value),
                };
                self.pairs(pairs)?.into_iter().map(change).collect()
            }
            Kind::Workdir(word) => {
                let path = clamped(&self.settings.directory, &self.variables.fill(word)?)?;
                self.settings.directory = path.clone();
                action = Some(Action::Directory {
                    path: path.clone(),
                    user: self.settings.user.clone(),
                });
                vec![Change::WorkingDirectory(path)]
            }
            Kind::User(word) => {
                self.settings.user = self.variables.fill(word)?;
                vec![Change::User(self.settings.user.clone())]
            }
            Kind::Expose(words) => {
                let mut all = Vec::new();
                for word in words {
                    for text in self.variables.fill_words(word)? {
                        all.extend(ports(&text)?);
                        if self.settings.ports + all.len() > MOST_PORTS {
                            return Err(Problem::syntax(format!("EXPOSE names more than {MOST_PORTS} ports")));
                        }
                    }
                }
                self.settings.ports += all.len();
                vec![Change::Expose(all)]
            }
            Kind::Volume(words) => {
                let words = words.iter().map(|word| self.variables.fill(word));
                let directories = words.collect::<Result<Vec<_>, _>>()?;
                if directories.iter().any(|directory| directory.trim().is_empty()) {
                    return Err(Problem::syntax("VOLUME has an empty path"));
                }
                vec![Change::Volumes(directories)]
            }
            Kind::Entrypoint(command) => {
                let arguments = self.command(command);
                let entrypoint = Change::Entrypoint {
                    arguments,
                    unless_set: false,
                };
                // The base's command are arguments for the base's entrypoint.
                match self.settings.has_command {
                    true => vec![entrypoint],
                    false => vec![entrypoint, Change::Command(Vec::new())],
                }
            }
            Kind::Cmd(command) => {
                self.settings.has_command = true;
                vec![Change::Command(self.command(command))]
            }
            Kind::Shell(words) => {
                self.settings.shell.clone_from(words);
                vec![Change::Shell(words.clone())]
            }
            Kind::StopSignal(word) => vec![Change::StopSignal(signal(self.variables.fill(word)?)?)],
            Kind::Healthcheck(check) => vec![Change::Healthcheck(healthcheck(check))],
            Kind::OnBuild(text) => {
                self.settings.triggers.push(text.clone());
                vec![Change::OnBuild(text.clone())]
            }
            Kind::Maintainer(author) => vec![Change::Author(author.clone())],
        };
        Ok(Planned {
            position: instruction.position,
            text: instruction.text.clone(),
            changes,
            action,
        })
    }

    /// Names and values. All are filled in with what was set before the instruction.
    fn pairs(
        &self,
        pairs: &[(super::instruction::Word, super::instruction::Word)],
    ) -> Result<Vec<(String, String)>, Problem> {
        let fill = |(name, value): &(_, _)| Ok((self.variables.fill(name)?, self.variables.fill(value)?));
        let pairs = pairs.iter().map(fill).collect::<Result<Vec<_>, Problem>>()?;
        match pairs.iter().find(|(name, _)| name.is_empty()) {
            Some((_, value)) => Err(Problem::syntax(format!("a name is empty, before ={value}"))),
            None => Ok(pairs),
        }
    }

    fn command(&self, command: &Command) -> Vec<String> {
        match command {
            Command::Exec(words) => words.clone(),
            Command::Shell(line) => {
                let shell = match self.settings.shell.is_empty() {
                    true => SHELL.map(str::to_owned).to_vec(),
                    false => self.settings.shell.clone(),
                };
                shell.into_iter().chain([line.clone()]).collect()
            }
        }
    }

    fn copy(&self, copy: &Copy) -> Result<PlannedCopy, Problem> {
        let fill = |word: &Option<_>| word.as_ref().map(|word| self.variables.fill(word)).transpose();
        let mut sources = Vec::new();
        for source in &copy.sources {
            sources.push(match source {
                CopySource::Heredoc(heredoc) => PlannedSource::Text {
                    name: heredoc.name.clone(),
                    content: match heredoc.expand {
                        true => self.variables.fill_text(&heredoc.content)?,
                        false => heredoc.content.clone(),
                    },
                },
                CopySource::Path(word) => {
                    let text = self.variables.fill(word)?;
                    match copy.is_add && is_address(&text) {
                        true => PlannedSource::Remote(text),
                        false => PlannedSource::Path(text),
                    }
                }
            });
        }
        let destination = self.variables.fill(&copy.destination)?;
        let name = destination.rsplit('/').next().unwrap_or_default();
        let exclude = copy.exclude.iter().map(|word| self.variables.fill(word));
        let exclude = exclude.collect::<Result<Vec<_>, _>>()?;
        let checksum = match fill(&copy.checksum)? {
            Some(text) => Some(text.parse::<Digest>().map_err(|_| {
                Problem::syntax_with(format!("{text:?} is not a checksum"), "write sha256: and 64 digits")
            })?),
            None => None,
        };
        Ok(PlannedCopy {
            is_add: copy.is_add,
            sources,
            into_directory: matches!(name, "" | "." | ".."),
            destination: clamped(&self.settings.directory, &destination)?,
            from: fill(&copy.from)?,
            owner: fill(&copy.chown)?.filter(|owner| !owner.is_empty()),
            mode: match fill(&copy.chmod)?.filter(|mode| !mode.is_empty()) {
                Some(text) => Some(text.parse::<Mode>()?),
                None => None,
            },
            parents: copy.parents,
            exclude: Rules::of_flag("--exclude", exclude.iter().map(String::as_str))?,
            checksum,
            unpack: copy.unpack,
        })
    }
}

/// Whether `ADD` would have to fetch it.
fn is_address(text: &str) -> bool {
    let scheme = ["http://", "https://", "git://", "ssh://", "git@"];
    scheme.iter().any(|scheme| text.starts_with(scheme))
}

/// The check as the config says it: times in nanoseconds, what is not said left out.
fn healthcheck(check: &Healthcheck) -> Value {
    let Healthcheck::Check {
        command,
        interval,
        timeout,
        start_period,
        start_interval,
        retries,
    } = check
    else {
        return serde_json::json!({"Test": ["NONE"]});
    };
    let test: Vec<&str> = match command {
        Command::Exec(words) => std::iter::once("CMD").chain(words.iter().map(String::as_str)).collect(),
        Command::Shell(line) => vec!["CMD-SHELL", line],
    };
    let mut value = Map::from_iter([("Test".to_owned(), Value::from(test))]);
    for (key, time) in [
        ("Interval", interval),
        ("Timeout", timeout),
        ("StartPeriod", start_period),
        ("StartInterval", start_interval),
    ] {
        if let Some(time) = time.filter(|time| !time.is_zero()) {
            value.insert(
                key.to_owned(),
                Value::from(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            );
        }
    }
    if let Some(retries) = retries.filter(|retries| *retries > 0) {
        value.insert("Retries".to_owned(), Value::from(retries));
    }
    Value::Object(value)
}
