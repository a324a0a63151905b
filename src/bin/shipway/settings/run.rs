//! What `shipway run` is to do.

use std::net::IpAddr;
use std::time::Duration;

use shipway::daemon::{DatabaseRequest, Mount, Pull, RunRequest};
use shipway::execute::{Address, Engine};
use shipway::oci::{Digest, Reference};
use shipway::project::Project;

use super::given::{memory, variables};
use super::texts::words;
use crate::args::{PullWhen, RunArguments};
use crate::environment::Environment;
use crate::failure::CommandError;

/// How long a server is waited for that the image needs, where nobody says.
const WAIT_SECONDS: f64 = 60.0;
/// How long a program may take to end.
const STOP_SECONDS: f64 = 10.0;
/// How long a database may take until it answers.
const DATABASE_SECONDS: f64 = 120.0;

/// What is to run, and what is worth knowing about it beforehand.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) request: RunRequest,
    pub(crate) notices: Vec<String>,
}

impl RunSettings {
    /// Settles everything about one run.
    pub(crate) fn resolve(
        arguments: &RunArguments,
        environment: &Environment,
        project: &Project,
    ) -> anyhow::Result<Self> {
        let mut notices = Vec::new();
        let request = RunRequest {
            image: image(arguments, environment)?,
            pull: match arguments.pull.unwrap_or(PullWhen::Missing) {
                PullWhen::Missing => Pull::Missing,
                PullWhen::Always => Pull::Always,
                PullWhen::Never => Pull::Never,
            },
            arguments: arguments.arguments.clone(),
            entrypoint: match &arguments.entrypoint {
                Some(text) => Some(words("--entrypoint", text)?),
                None => None,
            },
            variables: variables(arguments, environment, &mut notices)?,
            network: arguments.network.clone(),
            mounts: arguments
                .volume
                .iter()
                .map(|text| mount(text))
                .collect::<Result<_, _>>()?,
            user: arguments.user.clone(),
            workdir: arguments.workdir.clone(),
            memory: match &arguments.memory {
                Some(text) => Some(memory(text)?),
                None => None,
            },
            wait_for: wait_for(arguments)?,
            wait_timeout: Duration::from_secs_f64(arguments.wait_timeout.unwrap_or(WAIT_SECONDS)),
            stop_timeout: Duration::from_secs_f64(arguments.stop_timeout.unwrap_or(STOP_SECONDS)),
            database: database(arguments, project)?,
        };
        Ok(Self { request, notices })
    }

    /// The registries that may be asked for the image.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let reference = self.request.image.parse::<Reference>().ok();
        let host = reference.map(|reference| reference.repository.registry().to_owned());
        host.into_iter().collect()
    }
}

fn image(arguments: &RunArguments, environment: &Environment) -> anyhow::Result<String> {
    let Some(said) = &arguments.docker else {
        let error = CommandError::usage("it is not said where the image is to run");
        #[cfg(feature = "aws")]
        let error = error.hint("on Amazon ECS: --cluster NAME, ENV_CLUSTER, or cluster under [run] in shipway.toml");
        #[cfg(feature = "aws")]
        let error = error.hint("through the function that stands before it: --via-lambda NAME");
        return Err(error
            .hint("on the local Docker daemon: shipway run --docker IMAGE")
            .into());
    };
    if let Some(image) = said.as_ref().filter(|image| !image.is_empty()) {
        return Ok(image.clone());
    }
    let Some(image) = environment.get("SHIPWAY_IMAGE") else {
        return Err(
            CommandError::usage("--docker names no image, and SHIPWAY_IMAGE is not set")
                .hint("name one: --docker IMAGE; or let the build say it: shipway build --push --dotenv FILE")
                .into(),
        );
    };
    if image.parse::<Digest>().is_ok() {
        return Err(CommandError::usage(format!(
            "SHIPWAY_IMAGE is {image}: an image that was not pushed, which no daemon can pull"
        ))
        .hint("push it: shipway build --push --dotenv FILE; or name one that the daemon has: --docker IMAGE")
        .into());
    }
    Ok(image.to_owned())
}

/// `SOURCE:PATH[:ro]`, read from its end: the source may hold a drive's colon.
fn mount(text: &str) -> anyhow::Result<Mount> {
    let wrong = || {
        CommandError::usage(format!("--volume {text}: not SOURCE:PATH[:ro]"))
            .hint("such as ./drivers:/flyway/drivers:ro, with an absolute path in the container")
    };
    let (rest, is_read_only) = match text.rsplit_once(':') {
        Some((rest, "ro")) => (rest, true),
        Some((rest, "rw")) => (rest, false),
        _ => (text, false),
    };
    let (source, target) = rest.rsplit_once(':').ok_or_else(wrong)?;
    if source.is_empty() || !target.starts_with('/') {
        return Err(wrong().into());
    }
    let is_path = source.contains(['/', '\\']) || matches!(source, "." | "..");
    let source = match is_path {
        true => {
            let absolute = std::path::absolute(source).map_err(|error| wrong().because(error))?;
            absolute
                .into_os_string()
                .into_string()
                .map_err(|_| wrong().because("the path is not UTF-8"))?
        }
        false => source.to_owned(),
    };
    Ok(Mount {
        source,
        target: target.to_owned(),
        is_read_only,
    })
}

/// The servers, where they can be looked for from here.
fn wait_for(arguments: &RunArguments) -> anyhow::Result<Vec<Address>> {
    let network = arguments.network.as_deref();
    let mut addresses = Vec::new();
    for text in &arguments.wait_for {
        let address = address(text)?;
        if network == Some("none") {
            return Err(
                CommandError::usage(format!("--wait-for {text}: nothing can be reached with --network none")).into(),
            );
        }
        if network != Some("host") && is_loopback(&address.host) {
            return Err(CommandError::usage(format!(
                "--wait-for {text}: in the container that is the container itself"
            ))
            .hint("to reach a server of this machine: --network host")
            .into());
        }
        addresses.push(address);
    }
    Ok(addresses)
}

fn address(text: &str) -> anyhow::Result<Address> {
    let wrong = || CommandError::usage(format!("--wait-for {text}: not HOST:PORT")).hint("such as database:5432");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(host) => host,
        None if host.contains(':') => {
            return Err(wrong().hint("an IPv6 address stands in brackets: [::1]:5432").into());
        }
        None => host,
    };
    match port.parse() {
        Ok(port) if port > 0 && !host.is_empty() && !host.contains(['/', '@']) => Ok(Address {
            host: host.to_owned(),
            port,
        }),
        _ => Err(wrong().into()),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn database(arguments: &RunArguments, project: &Project) -> anyhow::Result<Option<DatabaseRequest>> {
    let Some(name) = &arguments.database else {
        return Ok(None);
    };
    let engine: Engine = name
        .parse()
        .map_err(|error| CommandError::usage("--database cannot be used").because(error))?;
    if let Some(network @ ("none" | "bridge" | "default")) = arguments.network.as_deref() {
        return Err(CommandError::usage(format!(
            "--network {network}: the image cannot find the database by its name there"
        ))
        .hint("leave --network out, so that the two get a network of their own; or use --network host")
        .into());
    }
    let databases = &project.run.databases;
    let of_file = match engine {
        Engine::MySql => &databases.mysql,
        Engine::MariaDb => &databases.mariadb,
        Engine::Postgres => &databases.postgres,
    };
    let image = arguments.database_image.as_ref().or(of_file.as_ref());
    Ok(Some(DatabaseRequest {
        engine,
        image: image.map_or_else(|| engine.default_image().to_owned(), Clone::clone),
        timeout: Duration::from_secs_f64(arguments.database_timeout.unwrap_or(DATABASE_SECONDS)),
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::args::{Arguments, Command};

    fn settle(flags: &[&str], variables: &[(&str, &str)], file: &str) -> anyhow::Result<RunSettings> {
        let words = ["shipway", "run"].iter().chain(flags);
        let arguments = Arguments::try_parse_from(words).expect("arguments");
        let Command::Run(run) = arguments.command else {
            panic!("run")
        };
        let project = Project::parse(file, Path::new("shipway.toml")).expect("project");
        RunSettings::resolve(&run, &Environment::of(variables), &project)
    }

    fn error(flags: &[&str]) -> String {
        let error = settle(flags, &[], "").expect_err("it makes no sense");
        format!("{error:#}")
    }

    #[test]
    fn the_image_is_said_or_comes_from_the_build() {
        let image = |flags: &[&str], variables: &[(&str, &str)]| settle(flags, variables, "").map(|s| s.request.image);
        let built = [("SHIPWAY_IMAGE", "a.b/c@sha256:1")];
        assert_eq!(image(&["--docker", "x"], &built).expect("flag"), "x");
        assert_eq!(image(&["--docker"], &built).expect("variable"), "a.b/c@sha256:1");
        assert_eq!(
            settle(&["--docker", "--", "info"], &built, "")
                .expect("both")
                .request
                .arguments,
            ["info"]
        );
        let digest = format!("sha256:{}", "0".repeat(64));
        for (flags, variables) in [
            (&["--docker"][..], &[][..]),
            (&[], &built[..]),
            (&["--docker"], &[("SHIPWAY_IMAGE", digest.as_str())]),
        ] {
            image(flags, variables).expect_err("no image");
        }
    }

    #[test]
    fn flags_win_over_files_of_variables() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("env");
        fs::write(&file, "A=file\nB=file\nGONE\n").expect("a file");
        let file = file.to_str().expect("a name");
        let settings = settle(
            &[
                "--docker",
                "x",
                "--env",
                "A=flag",
                "--env-file",
                file,
                "--env",
                "HERE",
                "--env",
                "AWAY",
                "--env",
                "NO=",
            ],
            &[("HERE", "")],
            "",
        )
        .expect("settings");
        let variables = settings.request.variables;
        let shown: Vec<String> = variables
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect();
        assert_eq!(shown, ["A=flag", "B=file", "HERE=", "NO="]);
        assert_eq!(settings.notices.len(), 2, "{:?}", settings.notices);
        assert!(settings.notices[0].contains("line 3"), "{:?}", settings.notices);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_not_repeated() {
        assert!(!error(&["--docker", "x", "--env", "=canary"]).contains("canary"));
        assert!(!error(&["--docker", "x", "--env", "can ary"]).contains("can ary"));
    }

    #[test]
    fn volumes_are_paths_or_names() {
        let mounts = |text: &str| mount(text).map(|mount| (mount.source, mount.target, mount.is_read_only));
        let owned = |source: &str, target: &str, ro| (source.to_owned(), target.to_owned(), ro);
        assert_eq!(mounts("/a:/b").expect("path"), owned("/a", "/b", false));
        assert_eq!(mounts("/a:/b:ro").expect("path"), owned("/a", "/b", true));
        assert_eq!(mounts("data:/b:rw").expect("volume"), owned("data", "/b", false));
        let here = std::path::absolute("x").expect("a path");
        assert_eq!(mounts("./x:/b").expect("relative").0, here.to_str().expect("a name"));
        for text in ["", "a", "/a", ":/b", "/a:b", "/a:/b:rx", "/a::ro"] {
            mounts(text).expect_err(text);
        }
    }

    #[test]
    fn sizes_and_addresses_are_read() {
        assert_eq!(memory("64m").expect("size"), 64 << 20);
        assert_eq!(memory("1G").expect("size"), 1 << 30);
        assert_eq!(memory("4096").expect("size"), 4096);
        for text in ["", "m", "0", "-1m", "1.5g", "1t", "99999999999999g", "1ü"] {
            memory(text).expect_err(text);
        }
        let shown = |text: &str| address(text).map(|address| (address.host, address.port));
        assert_eq!(shown("db:5432").expect("name"), ("db".to_owned(), 5432));
        assert_eq!(shown("[::1]:1").expect("address"), ("::1".to_owned(), 1));
        for text in ["db", "db:", "db:0", "db:70000", ":1", "::1:5", "tcp://db:1"] {
            shown(text).expect_err(text);
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let run = |flags: &[&str]| settle(&[&["--docker", "x"], flags].concat(), &[], "");
        run(&["--wait-for", "127.0.0.1:1"]).expect_err("the container itself");
        run(&["--wait-for", "localhost:1", "--network", "mine"]).expect_err("the container itself");
        run(&["--wait-for", "db:1", "--network", "none"]).expect_err("nothing");
        assert_eq!(
            run(&["--wait-for", "127.0.0.1:1", "--network", "host"])
                .expect("host")
                .request
                .wait_for
                .len(),
            1
        );
        run(&["--database", "mysql", "--network", "none"]).expect_err("nothing");
        run(&["--database", "oracle"]).expect_err("not known");
    }

    #[test]
    fn the_image_of_the_database_can_be_chosen() {
        let file = "[run.databases]\nmysql = 'a.b/mysql:1'\n";
        let image = |flags: &[&str]| {
            let settings = settle(&[&["--docker", "x", "--database"], flags].concat(), &[], file).expect("settings");
            settings.request.database.expect("a database").image
        };
        assert_eq!(image(&["mysql"]), "a.b/mysql:1");
        assert_eq!(image(&["mysql", "--database-image", "y"]), "y");
        assert_eq!(image(&["postgres"]), "docker.io/library/postgres:17");
    }
}
