//! The migrations of an image that does not list them, found by where its tool would look for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::shipped::environment;
use crate::content::tree::Tree;
use crate::content::{self, Cache, ContentError, Kind, Source};
use crate::migrations::flyway::config::{ConfigFile, FlywayConfig};
use crate::migrations::inventory::Listed;
use crate::migrations::{Content, MigrationSet, Tool};
use crate::oci::{Descriptor, ImageConfig};
use crate::recipe::{Entry, FileContent, ImagePath};

/// Label that names the project.
const PROJECT_LABEL: &str = "io.shipway.project";
/// Label that names the profile.
const RUNNER_LABEL: &str = "io.shipway.runner";
/// Largest configuration file that is read: real ones have some kilobytes.
const CONFIG_FILE_LIMIT: u64 = 1024 * 1024;

/// Reads the migrations of an image from its layers. `None` if its tool is not one that is known.
pub(super) async fn set(
    source: &Arc<dyn Source>,
    layers: &[Descriptor],
    config: &ImageConfig,
    cache: &Cache,
    temporary: &Path,
) -> content::Result<Option<MigrationSet>> {
    let labels = config.labels().unwrap_or_default();
    let Some(profile) = labels.get(RUNNER_LABEL).cloned().or_else(|| profile(config)) else {
        return Ok(None);
    };
    let environment = environment(config);
    let home = config.working_directory().unwrap_or_default();
    let roots = roots(&profile, &home, &environment);
    let tree = Tree::new(Arc::clone(source), layers.to_vec(), Some(cache.clone()));
    let mut files = tree.capture(&roots, temporary).await?;
    let arguments = arguments(config);
    let mut tool = tool(&profile, &files, &environment, &arguments)?;
    if let Tool::Flyway(flyway) = &tool {
        // Its own configuration may name other folders.
        let folders = flyway.locations.iter().chain(&flyway.callback_locations);
        let more: BTreeSet<ImagePath> = folders
            .filter_map(|location| folder(location, &home))
            .filter(|folder| !roots.iter().any(|root| folder.is_within(root)))
            .collect();
        if !more.is_empty() {
            files.extend(tree.capture(&more, temporary).await?);
            tool = self::tool(&profile, &files, &environment, &arguments)?;
        }
    }
    let scripts = files.iter().filter_map(listed).collect();
    let project = labels.get(PROJECT_LABEL).cloned().unwrap_or_default();
    let place = source.place();
    let reading = tokio::task::spawn_blocking(move || MigrationSet::read(&project, tool, scripts, Vec::new(), None));
    let wrong = || ContentError::new(Kind::Other, format!("cannot read the migrations of {place}"));
    let read = reading.await.map_err(|error| wrong().because(error))?;
    read.map(Some).map_err(|error| wrong().because(error))
}

/// The tool an image starts, by its program's name.
fn profile(config: &ImageConfig) -> Option<String> {
    let words = arguments(config);
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

/// What is started: entrypoint and command.
fn arguments(config: &ImageConfig) -> Vec<String> {
    let mut words = config.entrypoint().unwrap_or_default();
    words.extend(config.command().unwrap_or_default());
    words
}

/// Where a tool keeps scripts and configuration, as far as that does not depend on its configuration.
fn roots(profile: &str, home: &str, environment: &BTreeMap<String, String>) -> BTreeSet<ImagePath> {
    let mut paths: Vec<String> = match profile {
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

fn tool(
    profile: &str,
    files: &[Entry],
    environment: &BTreeMap<String, String>,
    arguments: &[String],
) -> content::Result<Tool> {
    Ok(match profile {
        "flyway" => {
            let is_config =
                |path: &str| path.ends_with(".toml") || path.ends_with(".conf") && !path.ends_with(".sql.conf");
            let mut configs = Vec::new();
            for file in files {
                let path = file.path.to_string();
                if let (true, Some(content)) = (is_config(&path), content(file)) {
                    let (bytes, _) = content.read(CONFIG_FILE_LIMIT).map_err(|error| {
                        ContentError::new(Kind::Other, format!("cannot read {path}")).because(error)
                    })?;
                    configs.push(ConfigFile {
                        shown: path.clone(),
                        image_path: path,
                        text: String::from_utf8_lossy(&bytes).into_owned(),
                    });
                }
            }
            Tool::Flyway(Box::new(FlywayConfig::effective(&configs, environment, arguments)))
        }
        "liquibase" => Tool::Liquibase(Box::default()),
        "dbmate" => Tool::Dbmate,
        "golang-migrate" => Tool::GolangMigrate,
        "goose" => Tool::Goose,
        "atlas" => Tool::Atlas,
        _ => Tool::Unknown,
    })
}

fn listed(file: &Entry) -> Option<Listed> {
    let image_path = file.path.to_string();
    Some(Listed {
        path: image_path.trim_start_matches('/').to_owned(),
        shown: image_path.clone(),
        image_path,
        content: content(file)?,
    })
}

fn content(file: &Entry) -> Option<Content> {
    match &file.content {
        FileContent::Stored(stored) => {
            let stored = stored.clone();
            Some(Content::Other(Arc::new(move || Ok(Box::new(stored.reader())))))
        }
        _ => None,
    }
}
