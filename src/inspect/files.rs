//! The migrations of an image that does not list them, found by where its tool would look for them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::shipped::environment;
use crate::content::tree::Tree;
use crate::content::{self, Cache, ContentError, Kind, Source};
use crate::migrations::flyway::config::{ConfigFile, FlywayConfig};
use crate::migrations::inventory::{InventoryError, Listed};
use crate::migrations::liquibase::config::{LiquibaseConfig, properties};
use crate::migrations::{Content, MigrationSet, Tool};
use crate::oci::{Descriptor, ImageConfig};
use crate::recipe::{Change, Entry, FileContent, ImagePath, Recipe, Step};
use crate::sql::Dialect;

/// Label that names the project.
const PROJECT_LABEL: &str = "io.shipway.project";
/// Label that names the profile.
const RUNNER_LABEL: &str = "io.shipway.runner";
/// Largest configuration file that is read: real ones have some kilobytes.
const CONFIG_FILE_LIMIT: u64 = 1024 * 1024;

/// What an image starts, as its config says.
struct Start {
    profile: String,
    environment: BTreeMap<String, String>,
    /// Entrypoint and command.
    arguments: Vec<String>,
    /// The working directory.
    home: String,
}

impl Start {
    /// What the config of an image says; `None` if its tool is not one that is known.
    fn of(config: &ImageConfig, changes: &mut dyn Iterator<Item = &Change>) -> Option<Self> {
        let mut environment = environment(config);
        let mut home = config.working_directory().unwrap_or_default();
        let mut entrypoint = config.entrypoint().unwrap_or_default();
        let mut command = config.command().unwrap_or_default();
        let mut profile = config.labels().unwrap_or_default().remove(RUNNER_LABEL);
        for change in changes {
            match change {
                Change::Environment { name, value, .. } => {
                    environment.insert(name.clone(), value.clone());
                }
                Change::WorkingDirectory(path) => home = path.to_string(),
                Change::Entrypoint { arguments, .. } => {
                    arguments.clone_into(&mut entrypoint);
                    profile = None;
                }
                Change::Command(arguments) => arguments.clone_into(&mut command),
                _ => {}
            }
        }
        entrypoint.extend(command);
        Some(Self {
            profile: profile.or_else(|| self::profile(&entrypoint))?,
            environment,
            arguments: entrypoint,
            home,
        })
    }
}

/// Reads the migrations of an image from its layers. `None` if its tool is not one that is known.
pub(super) async fn set(
    source: &Arc<dyn Source>,
    layers: &[Descriptor],
    config: &ImageConfig,
    cache: &Cache,
    temporary: &Path,
) -> content::Result<Option<MigrationSet>> {
    let Some(start) = Start::of(config, &mut std::iter::empty()) else {
        return Ok(None);
    };
    let roots = roots(&start);
    let tree = Tree::new(Arc::clone(source), layers.to_vec(), Some(cache.clone()));
    let mut files = tree.capture(&roots, temporary).await?;
    let place = source.place();
    let wrong = |error| ContentError::new(Kind::Other, format!("cannot read the migrations of {place}")).because(error);
    let mut tool = tool(&start, &files).map_err(wrong)?;
    if let Tool::Flyway(flyway) = &tool {
        // Its own configuration may name other folders.
        let folders = flyway.locations.iter().chain(&flyway.callback_locations);
        let more: BTreeSet<ImagePath> = folders
            .filter_map(|location| folder(location, &start.home))
            .filter(|folder| !roots.iter().any(|root| folder.is_within(root)))
            .collect();
        if !more.is_empty() {
            files.extend(tree.capture(&more, temporary).await?);
            tool = self::tool(&start, &files).map_err(wrong)?;
        }
    }
    let scripts = files.iter().filter_map(|file| listed(file, Path::new(""))).collect();
    let project = config
        .labels()
        .unwrap_or_default()
        .remove(PROJECT_LABEL)
        .unwrap_or_default();
    let reading = tokio::task::spawn_blocking(move || MigrationSet::read(&project, tool, scripts, Vec::new(), None));
    let read = reading.await.map_err(|error| {
        ContentError::new(Kind::Other, format!("cannot read the migrations of {place}")).because(error)
    })?;
    read.map(Some).map_err(|error| {
        ContentError::new(Kind::Other, format!("cannot read the migrations of {place}")).because(error)
    })
}

/// The migrations a recipe adds to a base, if the image starts a tool that is known. Files are called by their path below `root`, the
/// folder they come from. Blocks.
///
/// # Errors
/// A file cannot be read.
pub fn migrations_of(
    recipe: &Recipe,
    base: &ImageConfig,
    project: &str,
    root: &Path,
    database: Option<Dialect>,
    placeholders: &[String],
) -> Result<Option<MigrationSet>, InventoryError> {
    let Some(start) = Start::of(base, &mut recipe.changes()) else {
        return Ok(None);
    };
    let entries = recipe.steps.iter().flat_map(|step| match step {
        Step::Instruction { entries, .. } => entries.as_slice(),
        Step::Files(_) | Step::Change(_) => &[],
    });
    // Of what is added twice at one path, the last counts.
    let files: BTreeMap<&ImagePath, &Entry> = entries.map(|entry| (&entry.path, entry)).collect();
    let files: Vec<Entry> = files.into_values().cloned().collect();
    let read = |source| InventoryError::Read {
        path: "the configuration".to_owned(),
        source,
    };
    let mut tool = tool(&start, &files).map_err(read)?;
    tool.promise_placeholders(placeholders);
    let scripts = files.iter().filter_map(|file| listed(file, root)).collect();
    MigrationSet::read(project, tool, scripts, Vec::new(), database).map(Some)
}

/// The tool that is started, by its program's name.
fn profile(words: &[String]) -> Option<String> {
    let program = words.iter().find(|word| !word.starts_with('-'))?;
    let name = program.rsplit('/').next()?;
    let profile = match name {
        "flyway" | "liquibase" | "dbmate" | "goose" | "atlas" => name,
        "migrate" => "golang-migrate",
        "docker-entrypoint.sh" if program.contains("liquibase") => "liquibase",
        _ => return None,
    };
    Some(profile.to_owned())
}

/// Where a tool keeps scripts and configuration, as far as that does not depend on its configuration.
fn roots(start: &Start) -> BTreeSet<ImagePath> {
    let (home, environment) = (start.home.as_str(), &start.environment);
    let mut paths: Vec<String> = match start.profile.as_str() {
        "flyway" => {
            let files = ["flyway.toml", "flyway.user.toml", "flyway.conf"];
            let named = environment
                .get("FLYWAY_CONFIG_FILES")
                .into_iter()
                .flat_map(|list| list.split(','));
            ["/flyway/conf", "/flyway/sql", "/flyway/migrations"]
                .into_iter()
                .map(str::to_owned)
                .chain(files.iter().map(|name| format!("{home}/{name}")))
                .chain([format!("{home}/sql"), format!("{home}/conf")])
                .chain(named.map(|name| absolute(name, home)))
                .collect()
        }
        "liquibase" => vec![
            "/liquibase/changelog".to_owned(),
            "/liquibase/liquibase.properties".to_owned(),
        ],
        "dbmate" => vec!["/db/migrations".to_owned()],
        _ => vec!["/migrations".to_owned()],
    };
    for name in ["FLYWAY_LOCATIONS", "GOOSE_MIGRATION_DIR", "DBMATE_MIGRATIONS_DIR"] {
        let list = environment.get(name).into_iter().flat_map(|list| list.split(','));
        paths.extend(list.filter_map(|location| Some(folder(location, home)?.to_string())));
    }
    paths.iter().filter_map(|path| path.parse().ok()).collect()
}

/// The folder a location of Flyway is in; wildcards are left to whoever reads names.
fn folder(location: &str, home: &str) -> Option<ImagePath> {
    let path = location.trim().strip_prefix("filesystem:").unwrap_or(location.trim());
    // Other places than files have a scheme.
    if path.is_empty() || path.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let fixed: Vec<&str> = path.split('/').take_while(|part| !part.contains(['*', '?'])).collect();
    let path: ImagePath = absolute(&fixed.join("/"), home).parse().ok()?;
    (!path.relative().is_empty()).then_some(path)
}

fn absolute(path: &str, home: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{}/{path}", home.trim_end_matches('/'))
    }
}

fn tool(start: &Start, files: &[Entry]) -> io::Result<Tool> {
    Ok(match start.profile.as_str() {
        "flyway" => {
            let is_config =
                |path: &str| path.ends_with(".toml") || path.ends_with(".conf") && !path.ends_with(".sql.conf");
            let mut configs = Vec::new();
            for file in files {
                let path = file.path.to_string();
                if let (true, Some(content)) = (is_config(&path), content(file)) {
                    let (bytes, _) = content.read(CONFIG_FILE_LIMIT)?;
                    configs.push(ConfigFile {
                        shown: path.clone(),
                        image_path: path,
                        text: String::from_utf8_lossy(&bytes).into_owned(),
                    });
                }
            }
            Tool::Flyway(Box::new(FlywayConfig::effective(
                &configs,
                &start.environment,
                &start.arguments,
            )))
        }
        "liquibase" => {
            let mut settings = BTreeMap::new();
            for file in files {
                let is_config = file.path.to_string() == "/liquibase/liquibase.properties";
                if let (true, Some(content)) = (is_config, content(file)) {
                    let (bytes, _) = content.read(CONFIG_FILE_LIMIT)?;
                    settings = properties(&String::from_utf8_lossy(&bytes));
                }
            }
            let config = LiquibaseConfig::effective(&settings, &start.environment, &start.arguments);
            Tool::Liquibase(Box::new(config))
        }
        "dbmate" => Tool::Dbmate,
        "golang-migrate" => Tool::GolangMigrate,
        "goose" => Tool::Goose,
        "atlas" => Tool::Atlas,
        _ => Tool::Unknown,
    })
}

fn listed(file: &Entry, root: &Path) -> Option<Listed> {
    let image_path = file.path.to_string();
    Some(Listed {
        path: image_path.trim_start_matches('/').to_owned(),
        shown: match &file.content {
            FileContent::Local { path, .. } => path.strip_prefix(root).unwrap_or(path).display().to_string(),
            _ => image_path.clone(),
        },
        image_path,
        content: content(file)?,
    })
}

fn content(file: &Entry) -> Option<Content> {
    match &file.content {
        FileContent::Local { path, .. } => Some(Content::File(path.clone())),
        FileContent::Stored(stored) => {
            let stored = stored.clone();
            Some(Content::Other(Arc::new(move || Ok(Box::new(stored.reader())))))
        }
        _ => None,
    }
}
