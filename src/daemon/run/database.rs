//! A database for a rehearsal: started, waited for, asked what was done to it.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt as _;
use std::collections::HashMap;

use super::container::with_name;
use super::tidy::Made;
use super::{DatabaseRequest, Halt, LABEL, Run, failure};
use crate::credentials::Secret;
use crate::daemon::DaemonError;
use crate::execute::{Address, Engine, Failure, History, Outcome, Row, Status, Table, Variables};
use crate::progress::Event;

/// How long it waits before it asks the database again whether it answers.
const PAUSE: Duration = Duration::from_millis(300);

/// The longest one question may take. The answer to each is small.
const QUESTION: Duration = Duration::from_secs(30);

/// How many of the database's last lines are shown when it does not come up.
const LAST_LINES: &str = "20";

/// A database that answers.
pub(super) struct Server {
    engine: Engine,
    /// Its container.
    container: String,
    /// The network the image has to be in.
    pub(super) network: String,
    /// Where it is in that network.
    address: Address,
    password: Secret,
}

impl Run<'_> {
    /// Starts the database and waits until it answers.
    pub(super) async fn serve(
        &self,
        database: &DatabaseRequest,
        made: &mut Made,
        outcome: &mut Outcome,
    ) -> Result<Server, Halt> {
        let container = format!("{}-database", self.name);
        let engine = database.engine;
        let (network, address) = self.place(engine, &container, made).await?;
        let server = Server {
            engine,
            container,
            network,
            address,
            password: password()?,
        };
        let begun = Instant::now();
        self.start_server(database, &server, made).await?;
        if let Some(rehearsal) = &mut outcome.rehearsal {
            rehearsal.container = Some(server.container.clone());
        }
        self.unless_stopped(self.until_it_answers(database, &server)).await?;
        let ready = begun.elapsed();
        self.step(&format!(
            "{} answers after {:.1} s",
            database.image,
            ready.as_secs_f64()
        ));
        if let Some(rehearsal) = &mut outcome.rehearsal {
            rehearsal.ready = Some(ready);
        }
        Ok(server)
    }

    /// Sets the variables that name the database, over whatever names another one: a rehearsal must not reach that.
    pub(super) fn tell(&self, engine: Engine, server: &Server, variables: &mut Variables) {
        for (name, value) in engine.variables(&server.address, &server.password) {
            if variables.set(name, value) {
                let text = format!("{name} names the database of the rehearsal; the value that was given is not used");
                self.watch.progress.on(&Event::Notice(&text));
            }
        }
    }

    /// Settles the network, and where the database will be in it.
    async fn place(&self, engine: Engine, container: &str, made: &mut Made) -> Result<(String, Address), Halt> {
        let inside = Address {
            host: container.to_owned(),
            port: engine.usual_port(),
        };
        match self.request.network.as_deref() {
            Some("host") => on_loopback(),
            Some(network) => Ok((network.to_owned(), inside)),
            None => {
                made.networks.push(self.name.clone());
                let wanted = NetworkCreateRequest {
                    name: self.name.clone(),
                    labels: Some(HashMap::from([(LABEL.to_owned(), self.name.clone())])),
                    ..NetworkCreateRequest::default()
                };
                let created = self.daemon.docker().create_network(wanted).await;
                let Err(error) = created else {
                    return Ok((self.name.clone(), inside));
                };
                let error = self.daemon.failure("cannot make a network", error);
                if !matches!(error, DaemonError::Refused { .. }) {
                    return Err(error.into());
                }
                // Engines without a bridge, or without the right to set one up, are common in CI.
                let text = format!("{error}; the database listens on 127.0.0.1 of the daemon's machine instead");
                self.watch.progress.on(&Event::Notice(&text));
                on_loopback()
            }
        }
    }

    async fn start_server(&self, database: &DatabaseRequest, server: &Server, made: &mut Made) -> Result<(), Halt> {
        let image = &database.image;
        let is_on_host = server.network == "host";
        let variables = server.engine.server_variables(&server.password);
        let environment = variables
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()));
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            env: Some(environment.collect()),
            cmd: is_on_host.then(|| server.engine.loopback_arguments(server.address.port)),
            host_config: Some(HostConfig {
                network_mode: Some(server.network.clone()),
                ..HostConfig::default()
            }),
            ..self.attached()
        };
        self.create_container(made, &server.container, body)
            .await
            .map_err(|halt| match halt {
                Halt::Failed(status, failure) => Halt::Failed(
                    status,
                    with_name(failure, &format!("cannot start the database {image}")),
                ),
                Halt::Stopped => Halt::Stopped,
            })?;
        let started = self.daemon.docker().start_container(&server.container, None).await;
        started.map_err(|error| self.daemon.failure(format!("cannot start the database {image}"), error))?;
        self.step(&format!(
            "started {image} as {}, waiting until it answers",
            server.container
        ));
        Ok(())
    }

    /// Asks it until it answers over TCP: the server that the official images start to make the database does not.
    async fn until_it_answers(&self, database: &DatabaseRequest, server: &Server) -> Result<(), Halt> {
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < database.timeout {
            match self.ask(server, "SELECT 1").await {
                Ok(answer) if answer.trim() == "1" => return Ok(()),
                Ok(answer) => last = format!("it answered {answer:?} to SELECT 1"),
                Err(why) => last = why,
            }
            let state = self.daemon.docker().inspect_container(&server.container, None).await;
            let state = state
                .map_err(|error| self.daemon.failure("cannot look after the database", error))?
                .state
                .unwrap_or_default();
            if state.running == Some(false) {
                let code = state.exit_code.unwrap_or_default();
                let failure = Failure::new(format!(
                    "the database {} ended with {code} before it answered",
                    database.image
                ));
                return Err(Halt::not_started(self.with_last_lines(server, failure).await));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let seconds = database.timeout.as_secs_f64();
        let failure = Failure::new(format!(
            "the database {} does not answer within {seconds} s",
            database.image
        ));
        let failure = self.with_last_lines(server, failure.because(last)).await;
        Err(Halt::not_started(
            failure.hint("give it more time: --database-timeout SECONDS"),
        ))
    }

    /// Shows the last lines of the database, the last one as the cause where there is no other.
    async fn with_last_lines(&self, server: &Server, failure: Failure) -> Failure {
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail(LAST_LINES)
            .build();
        let docker = self.daemon.docker();
        let mut logs = docker.logs(&server.container, Some(options));
        let mut bytes = Vec::new();
        while let Some(Ok(log)) = logs.next().await {
            bytes.extend_from_slice(&log.into_bytes());
        }
        let text = String::from_utf8_lossy(&bytes).replace(server.password.expose(), "***");
        let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
        let mut last = None;
        for line in lines {
            self.step(&format!("{}: {line}", server.container));
            last = Some(line);
        }
        match (&failure.cause, last) {
            (None, Some(line)) => failure.because(line),
            _ => failure,
        }
    }

    /// What the database says was done to it.
    pub(super) async fn history(&self, server: &Server) -> History {
        let engine = server.engine;
        let schemas = match self.ask(server, &engine.schemas()).await {
            Ok(schemas) => schemas,
            Err(why) => return History::Unreadable(why),
        };
        let mut tables = Vec::new();
        for schema in schemas.lines().filter(|line| !line.is_empty()) {
            let answer = match self.ask(server, &engine.rows(schema)).await {
                Ok(answer) => answer,
                Err(why) => return History::Unreadable(why),
            };
            let lines = answer.lines().filter(|line| !line.is_empty());
            let Some(rows) = lines.map(Row::parse).collect::<Option<Vec<_>>>() else {
                return History::Unreadable(format!("a row of {schema} makes no sense"));
            };
            tables.push(Table {
                schema: schema.to_owned(),
                rows,
            });
        }
        match tables.is_empty() {
            true => History::Missing,
            false => History::Tables(tables),
        }
    }

    /// Asks the database something, with its own client, beside it.
    async fn ask(&self, server: &Server, query: &str) -> Result<String, String> {
        let port = server.engine.usual_port();
        let port = if server.network == "host" {
            server.address.port
        } else {
            port
        };
        let command = server.engine.client(port, query);
        let (name, password) = server.engine.client_variables(&server.password);
        let asking = self.execute(&server.container, command, (name, &password));
        let done = match tokio::time::timeout(QUESTION, asking).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => return Err(failure(&error).to_string()),
            Err(_) => return Err("it does not answer".to_owned()),
        };
        if done.exit_code == 0 {
            return Ok(done.output);
        }
        // What cannot be started is told on the other stream.
        let said = [done.error, done.output].join("\n");
        let line = said.lines().map(str::trim).find(|line| !line.is_empty());
        Err(line.unwrap_or("its client failed without a word").to_owned())
    }
}

/// A port of the loopback interface that is free now.
fn on_loopback() -> Result<(String, Address), Halt> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    match listener {
        Ok(address) => Ok((
            "host".to_owned(),
            Address {
                host: Ipv4Addr::LOCALHOST.to_string(),
                port: address.port(),
            },
        )),
        Err(error) => Err(Halt::not_started(
            Failure::new("there is no free port for the database").because(error.to_string()),
        )),
    }
}

/// A password nobody can guess: 128 bits, as hexadecimal digits, which need no quoting anywhere.
fn password() -> Result<Secret, Halt> {
    let mut bytes = [0; 16];
    let source = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    if source.fill(&mut bytes).is_err() {
        let failure = Failure::new("the system gives no random numbers for the password of the database");
        return Err(Halt::Failed(Status::StartFailed, failure));
    }
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
}
