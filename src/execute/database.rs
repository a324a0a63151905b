//! Databases for a rehearsal: how each is started, asked, and told to the image that runs against it.

use std::fmt;
use std::str::FromStr;

use super::history::TABLE;
use crate::credentials::Secret;

/// The database that is made in the server.
const DATABASE: &str = "rehearsal";

/// A kind of database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// PostgreSQL.
    Postgres,
}

/// A text names no kind of database server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a database for a rehearsal: they are mysql, mariadb and postgres")]
pub struct UnknownEngine(String);

/// Where a server is, seen from the image that runs against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(text: &str) -> Result<Self, UnknownEngine> {
        [Self::MySql, Self::MariaDb, Self::Postgres]
            .into_iter()
            .find(|engine| engine.name() == text)
            .ok_or_else(|| UnknownEngine(text.to_owned()))
    }
}

impl Engine {
    /// The word of the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Postgres => "postgres",
        }
    }

    /// The image, where nobody names another: the official one.
    #[must_use]
    pub fn default_image(self) -> &'static str {
        match self {
            Self::MySql => "docker.io/library/mysql:8.4",
            Self::MariaDb => "docker.io/library/mariadb:11",
            Self::Postgres => "docker.io/library/postgres:17",
        }
    }

    /// The port it listens on unless it is told another.
    #[must_use]
    pub fn usual_port(self) -> u16 {
        match self {
            Self::MySql | Self::MariaDb => 3306,
            Self::Postgres => 5432,
        }
    }

    /// The user, who may do anything: a rehearsal is about the scripts, and who may run them is the real database's affair.
    #[must_use]
    pub fn user(self) -> &'static str {
        match self {
            Self::MySql | Self::MariaDb => "root",
            Self::Postgres => "postgres",
        }
    }

    /// What the official image wants to know before it makes a server.
    #[must_use]
    pub fn server_variables(self, password: &Secret) -> Vec<(&'static str, Secret)> {
        let database = || Secret::new(DATABASE.to_owned());
        match self {
            Self::MySql => vec![
                ("MYSQL_ROOT_PASSWORD", password.clone()),
                ("MYSQL_DATABASE", database()),
            ],
            Self::MariaDb => vec![
                ("MARIADB_ROOT_PASSWORD", password.clone()),
                ("MARIADB_DATABASE", database()),
            ],
            Self::Postgres => vec![("POSTGRES_PASSWORD", password.clone()), ("POSTGRES_DB", database())],
        }
    }

    /// The arguments that make the server listen on this port of the loopback interface, and nowhere else.
    #[must_use]
    pub fn loopback_arguments(self, port: u16) -> Vec<String> {
        match self {
            // Its second protocol would listen on all addresses.
            Self::MySql => vec![
                "--bind-address=127.0.0.1".to_owned(),
                format!("--port={port}"),
                "--mysqlx=OFF".to_owned(),
            ],
            Self::MariaDb => vec!["--bind-address=127.0.0.1".to_owned(), format!("--port={port}")],
            Self::Postgres => ["-c", "listen_addresses=127.0.0.1", "-c"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("port={port}")])
                .collect(),
        }
    }

    /// The command, run beside the server, that asks it something; the password is in [`Engine::client_variables`].
    ///
    /// It goes over TCP: the server that the official images start first, to make the database, listens on a socket only.
    #[must_use]
    pub fn client(self, port: u16, query: &str) -> Vec<String> {
        let port = port.to_string();
        let words: Vec<&str> = match self {
            Self::MySql | Self::MariaDb => vec![
                "sh",
                "-c",
                "if command -v mariadb >/dev/null 2>&1; then exec mariadb \"$@\"; else exec mysql \"$@\"; fi",
                "sh",
                "--no-defaults",
                "--protocol=tcp",
                "--host=127.0.0.1",
                "--port",
                &port,
                "--user",
                self.user(),
                "--default-character-set=utf8mb4",
                "--batch",
                "--raw",
                "--skip-column-names",
                "--execute",
                query,
                DATABASE,
            ],
            Self::Postgres => vec![
                "psql",
                "--no-psqlrc",
                "--no-password",
                "--host=127.0.0.1",
                "--port",
                &port,
                "--username",
                self.user(),
                "--dbname",
                DATABASE,
                "--no-align",
                "--tuples-only",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command",
                query,
            ],
        };
        words.into_iter().map(str::to_owned).collect()
    }

    /// The environment of [`Engine::client`].
    #[must_use]
    pub fn client_variables(self, password: &Secret) -> (&'static str, Secret) {
        match self {
            Self::MySql | Self::MariaDb => ("MYSQL_PWD", password.clone()),
            Self::Postgres => ("PGPASSWORD", password.clone()),
        }
    }

    /// What is asked to learn which schemas hold a history table: a line for each.
    #[must_use]
    pub fn schemas(self) -> String {
        format!("SELECT table_schema FROM information_schema.tables WHERE table_name = '{TABLE}' ORDER BY table_schema")
    }

    /// What is asked to read the history table of a schema: a line of JSON for each row, which [`super::Row::parse`] reads.
    #[must_use]
    pub fn rows(self, schema: &str) -> String {
        match self {
            Self::MySql | Self::MariaDb => format!(
                "SELECT JSON_OBJECT('rank', installed_rank, 'version', version, 'description', description, 'type', type, \
                 'script', script, 'checksum', checksum, 'installed_on', CAST(installed_on AS CHAR), \
                 'time', execution_time, 'success', success + 0) FROM `{}`.`{TABLE}` ORDER BY installed_rank",
                schema.replace('`', "``")
            ),
            Self::Postgres => format!(
                "SELECT json_build_object('rank', installed_rank, 'version', version, 'description', description, 'type', type, \
                 'script', script, 'checksum', checksum, 'installed_on', installed_on, \
                 'time', execution_time, 'success', success) FROM \"{}\".\"{TABLE}\" ORDER BY installed_rank",
                schema.replace('"', "\"\"")
            ),
        }
    }

    /// How the image that runs against the server is told where it is: in the words of Flyway, of Liquibase, and as the URL
    /// that dbmate and others read.
    #[must_use]
    pub fn variables(self, address: &Address, password: &Secret) -> Vec<(&'static str, Secret)> {
        let user = self.user();
        let plain = |text: String| Secret::new(text);
        let jdbc = match self {
            // Without TLS, MySQL's usual way to log in has the client ask for the server's key first.
            Self::MySql => format!("jdbc:mysql://{address}/{DATABASE}?allowPublicKeyRetrieval=true"),
            Self::MariaDb => format!("jdbc:mariadb://{address}/{DATABASE}"),
            Self::Postgres => format!("jdbc:postgresql://{address}/{DATABASE}"),
        };
        let (scheme, query) = match self {
            Self::MySql | Self::MariaDb => ("mysql", ""),
            Self::Postgres => ("postgres", "?sslmode=disable"),
        };
        let url = format!("{scheme}://{user}:{}@{address}/{DATABASE}{query}", password.expose());
        vec![
            ("FLYWAY_URL", plain(jdbc.clone())),
            ("FLYWAY_USER", plain(user.to_owned())),
            ("FLYWAY_PASSWORD", password.clone()),
            ("LIQUIBASE_COMMAND_URL", plain(jdbc)),
            ("LIQUIBASE_COMMAND_USERNAME", plain(user.to_owned())),
            ("LIQUIBASE_COMMAND_PASSWORD", password.clone()),
            ("DATABASE_URL", plain(url)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(engine: Engine) -> Vec<String> {
        let address = Address {
            host: "db".to_owned(),
            port: 4000,
        };
        let variables = engine.variables(&address, &Secret::new("s3".to_owned()));
        let shown = variables
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()));
        shown.collect()
    }

    #[test]
    fn names_are_read() {
        for engine in [Engine::MySql, Engine::MariaDb, Engine::Postgres] {
            assert_eq!(engine.name().parse(), Ok(engine));
        }
        let error = "oracle".parse::<Engine>().expect_err("not known");
        assert_eq!(
            error.to_string(),
            "\"oracle\" is not a database for a rehearsal: they are mysql, mariadb and postgres"
        );
    }

    #[test]
    fn tools_are_told_where_the_server_is() {
        let mariadb = told(Engine::MariaDb);
        assert!(mariadb.contains(&"FLYWAY_URL=jdbc:mariadb://db:4000/rehearsal".to_owned()));
        assert!(mariadb.contains(&"DATABASE_URL=mysql://root:s3@db:4000/rehearsal".to_owned()));
        let mysql = told(Engine::MySql);
        assert!(mysql.contains(&"FLYWAY_USER=root".to_owned()));
        assert!(
            mysql.contains(
                &"LIQUIBASE_COMMAND_URL=jdbc:mysql://db:4000/rehearsal?allowPublicKeyRetrieval=true".to_owned()
            )
        );
        let postgres = told(Engine::Postgres);
        assert!(postgres.contains(&"FLYWAY_PASSWORD=s3".to_owned()));
        assert!(postgres.contains(&"DATABASE_URL=postgres://postgres:s3@db:4000/rehearsal?sslmode=disable".to_owned()));
    }

    #[test]
    fn the_password_is_in_no_argument() {
        let password = Secret::new("canary".to_owned());
        for engine in [Engine::MySql, Engine::MariaDb, Engine::Postgres] {
            assert!(!engine.client(1, "SELECT 1").join(" ").contains("canary"));
            assert_eq!(engine.client_variables(&password).1.expose(), "canary");
            let server = engine.server_variables(&password);
            assert!(server.iter().any(|(_, value)| value.expose() == "canary"));
        }
    }

    #[test]
    fn names_of_schemas_are_quoted() {
        assert!(
            Engine::MariaDb
                .rows("a`b")
                .contains("FROM `a``b`.`flyway_schema_history`")
        );
        assert!(
            Engine::Postgres
                .rows("a\"b")
                .contains("FROM \"a\"\"b\".\"flyway_schema_history\"")
        );
    }
}
