//! Databases for Flyway to migrate, each a test's own, with a password that no log may say.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::until;
use crate::parts::{docker, output, setting};

/// What Flyway logs in with; it may be in no log, no answer and no file.
pub(super) const PASSWORD: &str = "canary-b41f77";

/// How long a client waits for its server to come up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Flyway migrates.
pub(super) trait Database {
    /// Where it is, for Flyway.
    fn url(&self) -> String;
    /// Who may change it.
    fn user(&self) -> &str;
    /// The rows that a statement yields, one in a line, with tabs between the columns.
    fn rows(&self, statement: &str) -> String;

    /// What Flyway has written about its migrations: version, description, and whether it went well.
    fn history(&self) -> Vec<String> {
        let rows = self.rows(
            "SELECT COALESCE(version, '-'), description, CASE WHEN success THEN 'fine' ELSE 'failed' END FROM flyway_schema_history ORDER BY installed_rank",
        );
        rows.lines().map(|row| row.replace('\t', " ")).collect()
    }
}

/// A database of the MariaDB that `ci/real.sh` has started.
pub(super) struct MariaDb {
    name: &'static str,
    address: String,
}

impl MariaDb {
    pub(super) fn new(name: &'static str) -> Self {
        let database = Self {
            name,
            address: setting("SHIPWAY_TEST_FLYWAY_MARIADB"),
        };
        let make = format!(
            "CREATE DATABASE {name}; CREATE USER {name}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {name}.* TO {name}@'127.0.0.1'"
        );
        output(database.client("flyway", "flyway").args(["--execute", &make]));
        database
    }

    fn client(&self, user: &str, password: &str) -> Command {
        let (host, port) = self.address.split_once(':').expect("an address has a port");
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--protocol=tcp", "--batch", "--skip-column-names"]);
        client.args([&format!("--host={host}"), &format!("--port={port}")]);
        client.arg(format!("--user={user}")).env("MYSQL_PWD", password);
        client
    }

    /// Keeps a migration that runs [`Gate::STATEMENT`] waiting.
    pub(super) fn close_gate(&self) -> Gate<'_> {
        let mut client = self.client("flyway", "flyway");
        let client = client
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("mariadb starts");
        let statement = format!("SELECT GET_LOCK('{}', 0);\n", self.name);
        let mut input = client.stdin.as_ref().expect("it reads");
        input.write_all(statement.as_bytes()).expect("it reads");
        until("the gate is closed", || {
            self.rows(&format!("SELECT IS_USED_LOCK('{}') IS NOT NULL", self.name)) == "1\n"
        });
        Gate { database: self, client }
    }
}

impl Database for MariaDb {
    fn url(&self) -> String {
        format!("jdbc:mariadb://{}/{}", self.address, self.name)
    }

    fn user(&self) -> &str {
        self.name
    }

    fn rows(&self, statement: &str) -> String {
        output(
            self.client(self.name, PASSWORD)
                .args([self.name, "--execute", statement]),
        )
    }
}

/// A lock that somebody else holds.
pub(super) struct Gate<'a> {
    database: &'a MariaDb,
    client: Child,
}

impl Gate<'_> {
    /// Waits for the gate: a statement of a migration.
    pub(super) const STATEMENT: &'static str = "DO GET_LOCK(DATABASE(), 300);\n";

    /// Waits until a migration stands before it.
    pub(super) fn await_somebody(&self) {
        let waiting = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '{}' AND state = 'User lock'",
            self.database.name
        );
        until("a migration waits", || self.database.rows(&waiting) == "1\n");
    }

    pub(super) fn open(mut self) {
        drop(self.client.stdin.take());
        self.client.wait().expect("mariadb ends");
    }
}

/// A PostgreSQL in a container.
pub(super) struct Postgres {
    configuration: TempDir,
    container: String,
    port: u16,
}

impl Postgres {
    pub(super) fn start() -> Self {
        let configuration = tempfile::tempdir().expect("a temporary folder can be made");
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        drop(listener);
        let mut run = docker(configuration.path());
        run.args(["run", "--detach", "--network", "host"]);
        run.args([
            "--env",
            &format!("POSTGRES_PASSWORD={PASSWORD}"),
            "--env",
            "POSTGRES_DB=orders",
        ]);
        run.args([
            "shipway-test/postgres:1",
            "-c",
            &format!("port={port}"),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        let container = output(&mut run).trim().to_owned();
        let database = Self {
            configuration,
            container,
            port,
        };
        super::until_within(PATIENCE, "PostgreSQL answers", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        database
    }

    fn docker(&self) -> Command {
        docker(self.configuration.path())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.docker().args(["rm", "--force", &self.container]).output();
    }
}

impl Database for Postgres {
    fn url(&self) -> String {
        format!("jdbc:postgresql://127.0.0.1:{}/orders", self.port)
    }

    fn user(&self) -> &'static str {
        "postgres"
    }

    fn rows(&self, statement: &str) -> String {
        let mut client = self.docker();
        client.args([
            "exec",
            &self.container,
            "psql",
            "-h",
            "/tmp",
            "-p",
            &self.port.to_string(),
        ]);
        client.args(["-U", "postgres", "-At", "-F", "\t", "-c", statement, "orders"]);
        output(&mut client)
    }
}
