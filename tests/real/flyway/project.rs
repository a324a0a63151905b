//! A folder like `/flyway` of Flyway's image, what Flyway makes of it, and what we make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use shipway::migrations::examine::{Examined, examine};
use shipway::migrations::flyway::config::{ConfigFile, FlywayConfig};
use shipway::migrations::flyway::name::Kind;
use shipway::migrations::inventory::{Inventory, Listed};
use shipway::migrations::manifest::Manifest;
use shipway::migrations::{Content, Tool};
use shipway::sql::Dialect;
use tempfile::TempDir;

use crate::parts::{output, setting};

/// One migration as both tell it: category, version, description, type and path.
pub(crate) type Told = [String; 5];

pub(crate) struct Project {
    folder: TempDir,
    files: Vec<(String, Vec<u8>)>,
    configs: Vec<(String, String)>,
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
}

impl Project {
    /// Files by their path below `/flyway`; those that end in `.toml` and `.conf` and lie outside of `sql` are configuration.
    pub(crate) fn new(files: impl IntoIterator<Item = (impl Into<String>, impl Into<Vec<u8>>)>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let jars = folder.path().join("lib/flyway");
        fs::create_dir_all(&jars).expect("a folder can be made");
        fs::create_dir_all(folder.path().join("sql")).expect("a folder can be made");
        // Flyway looks for its configuration beside the folder its jars lie in, and Java follows links that are not hard.
        for jar in fs::read_dir(setting("SHIPWAY_TEST_FLYWAY")).expect("the jars are there") {
            let jar = jar.expect("it has a name").path();
            let here = jars.join(jar.file_name().expect("it has a name"));
            if fs::hard_link(&jar, &here).is_err() {
                fs::copy(&jar, &here).expect("a jar can be copied");
            }
        }
        let mut project = Self {
            folder,
            files: Vec::new(),
            configs: Vec::new(),
            variables: BTreeMap::new(),
            arguments: vec!["-locations=filesystem:sql".to_owned()],
        };
        for (path, bytes) in files {
            project.write(&path.into(), bytes.into());
        }
        project
    }

    fn write(&mut self, path: &str, bytes: Vec<u8>) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().expect("it lies in a folder")).expect("a folder can be made");
        fs::write(&place, &bytes).expect("a file can be written");
        let is_config = !path.starts_with("sql/") && (path.ends_with(".toml") || path.ends_with(".conf"));
        if is_config {
            self.configs.push((
                path.to_owned(),
                String::from_utf8(bytes).expect("configuration is text"),
            ));
        } else {
            self.files.push((path.to_owned(), bytes));
        }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Arguments in the place of `-locations=filesystem:sql`.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(|&word| word.to_owned()).collect();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The address of the project's own database of SQLite.
    pub(crate) fn sqlite(&self) -> String {
        format!("jdbc:sqlite:{}", self.path("test.db").display())
    }

    // What we make of it.

    pub(crate) fn config(&self) -> FlywayConfig {
        let files: Vec<ConfigFile> = self
            .configs
            .iter()
            .map(|(path, text)| ConfigFile {
                image_path: format!("/flyway/{path}"),
                shown: path.clone(),
                text: text.clone(),
            })
            .collect();
        FlywayConfig::effective(&files, &self.variables, &self.arguments)
    }

    pub(crate) fn inventory(&self) -> Inventory {
        let listed = self.files.iter().map(|(path, bytes)| Listed {
            path: path.strip_prefix("sql/").unwrap_or(path).to_owned(),
            image_path: format!("/flyway/{path}"),
            shown: path.clone(),
            content: Content::Bytes(bytes.as_slice().into()),
        });
        Inventory::of(Tool::Flyway(Box::new(self.config())), listed)
    }

    pub(crate) fn examined(&self) -> Vec<Examined> {
        examine(&self.inventory(), Dialect::Sqlite).expect("all is in memory")
    }

    pub(crate) fn manifest(&self) -> Manifest {
        Manifest::of("test", &self.inventory(), &self.examined(), Vec::new())
    }

    /// The migrations of our inventory.
    pub(crate) fn expected(&self) -> BTreeSet<Told> {
        let inventory = self.inventory();
        let told = inventory.entries().iter().filter_map(|entry| {
            let (category, version, description, kind) = match &entry.kind {
                Kind::Versioned { version, description } => ("Versioned", version.to_string(), description, "SQL"),
                Kind::Baseline { version, description } => {
                    ("Baseline", version.to_string(), description, "SQL_BASELINE")
                }
                Kind::Repeatable { description } => ("Repeatable", String::new(), description, "SQL"),
                _ => return None,
            };
            let kind = if entry.program && kind == "SQL" { "SCRIPT" } else { kind };
            Some([
                category.to_owned(),
                version,
                description.clone(),
                kind.to_owned(),
                entry.image_path.trim_start_matches("/flyway/").to_owned(),
            ])
        });
        told.collect()
    }

    // What Flyway makes of it.

    /// Starts Flyway with our arguments and these words. Paths in `/flyway` become those of the folder.
    pub(crate) fn run(&self, database: &str, words: &[&str]) -> Output {
        let here = |text: &str| text.replace("/flyway/", &format!("{}/", self.folder.path().display()));
        let mut java = Command::new("java");
        // Starts in half the time.
        java.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
            .arg(self.path("lib/flyway/*"))
            .arg("org.flywaydb.commandline.Main")
            .args(self.arguments.iter().map(|word| here(word)))
            .args([&format!("-url={database}"), "-skipCheckForUpdate"])
            .args(words)
            .env_clear()
            // Names that are not ASCII are names to Java only so. The official image sets the like.
            .env("LC_ALL", "C.UTF-8")
            .env("PATH", setting("PATH"))
            .env("HOME", self.path("home"))
            .env("REDGATE_DISABLE_TELEMETRY", "true")
            .envs(self.variables.iter().map(|(name, value)| (name, here(value))))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        java.output().expect("java can be started")
    }

    /// What Flyway prints as JSON.
    pub(crate) fn json(&self, database: &str, words: &[&str]) -> Value {
        let done = self.run(database, &[words, &["-outputType=json"]].concat());
        let text = String::from_utf8_lossy(&done.stdout);
        let start = text.find('{').unwrap_or_else(|| {
            panic!(
                "Flyway prints no JSON:\n{text}{}",
                String::from_utf8_lossy(&done.stderr)
            )
        });
        let json: Value = serde_json::from_str(&text[start..]).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        assert!(json.get("error").is_none(), "Flyway fails:\n{text}");
        json
    }

    /// The migrations Flyway finds.
    pub(crate) fn info(&self) -> BTreeSet<Told> {
        let json = self.json(&self.sqlite(), &["info"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let root = format!("{}/", self.folder.path().canonicalize().expect("a folder").display());
        let given = format!("{}/", self.folder.path().display());
        let told = json["migrations"].as_array().expect("a list").iter().map(|migration| {
            let path = text(&migration["filepath"]);
            let below = path
                .strip_prefix(&root)
                .or_else(|| path.strip_prefix(&given))
                .unwrap_or(&path);
            let below = below.strip_prefix("./").unwrap_or(below);
            [
                text(&migration["category"]),
                text(&migration["version"]),
                text(&migration["description"]),
                text(&migration["type"]),
                below.to_owned(),
            ]
        });
        told.collect()
    }

    /// The migrations Flyway finds, without their paths, and the name of its history table.
    pub(crate) fn info_as_text(&self) -> (BTreeSet<[String; 4]>, String) {
        let done = self.run(&self.sqlite(), &["info"]);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(done.status.success(), "Flyway fails:\n{text}");
        let row = |line: &str| -> Option<[String; 4]> {
            let mut columns = line
                .strip_prefix('|')?
                .split('|')
                .map(|column| column.trim().to_owned());
            let row = [columns.next()?, columns.next()?, columns.next()?, columns.next()?];
            (row[0] != "Category").then_some(row)
        };
        let (_, behind) = text
            .split_once("Schema history table \"main\".\"")
            .unwrap_or_else(|| panic!("no table:\n{text}"));
        (
            text.lines().filter_map(row).collect(),
            behind.split('"').next().unwrap_or_default().to_owned(),
        )
    }

    /// Runs all migrations, and returns what Flyway says.
    pub(crate) fn migrate(&self, database: &str) -> String {
        let done = self.run(database, &["migrate"]);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(done.status.success(), "Flyway fails:\n{text}");
        text
    }
}

/// Rows of the history table: version, description, type, script and checksum.
pub(crate) fn history_of_sqlite(file: &Path) -> BTreeSet<[String; 5]> {
    const READ: &str = "import sqlite3, sys, json\n\
        rows = sqlite3.connect(sys.argv[1]).execute('select version, description, type, script, checksum from flyway_schema_history')\n\
        print(json.dumps([['' if v is None else str(v) for v in row] for row in rows]))";
    let text = output(Command::new("python3").args(["-c", READ]).arg(file));
    serde_json::from_str(&text).expect("it prints JSON")
}
