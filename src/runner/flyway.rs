//! Flyway: scripts below `/flyway/sql`, configuration below `/flyway/conf`, and a run that cannot succeed by finding
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Inputs, Prepared, RunnerError, below};
use crate::migrations::Tool;
use crate::migrations::flyway::config::{ConfigFile, FlywayConfig, LOCATIONS_VARIABLE, says_locations};
use crate::migrations::flyway::location::Locations;
use crate::recipe::{self, Change, FileContent, ImagePath, KnownBase, PathError, Recipe, ScanError, Step};

/// Where Flyway is in its own image.
const HOME: &str = "/flyway";
/// Where the scripts go.
const SCRIPTS: &str = "/flyway/sql";
/// Where Flyway looks for configuration files.
const CONFIG: &str = "/flyway/conf";
/// Where it looks for drivers.
const DRIVERS: &str = "/flyway/drivers";
/// The names it looks for there.
const FOUND_BY_NAME: [&str; 3] = ["flyway.toml", "flyway.user.toml", "flyway.conf"];
/// The program of the image's entrypoint.
const PROGRAM: &str = "flyway";

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    let folder = inputs.scripts.as_ref().ok_or(RunnerError::NoScripts("flyway"))?;
    let scripts_path: ImagePath = SCRIPTS.parse()?;
    let mut files = recipe::scan(folder, &scripts_path)?;
    let mut scripts = below(&files, &scripts_path)?;
    let config_path: ImagePath = CONFIG.parse()?;
    let mut named = Vec::new();
    let mut has_locations = false;
    let mut config_files = Vec::new();
    for config in &inputs.config {
        let name = config
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| RunnerError::ConfigName(config.clone()))?;
        let path = config_path.join(name)?;
        files.push(recipe::single(config, path.clone())?);
        let read = read_config(config, path.to_string())?;
        has_locations |= says_locations(name, &read.text);
        config_files.push(read);
        if !FOUND_BY_NAME.contains(&name) {
            named.push(path.to_string());
        }
    }
    files.extend(inputs.driver_files(DRIVERS)?);
    let added = inputs.added()?;
    for file in &added {
        if let (true, FileContent::Local { path, .. }) = (is_config(&file.path.to_string()), &file.content) {
            config_files.push(read_config(path, file.path.to_string())?);
        }
    }
    let has_additions = !added.is_empty();
    files.extend(added);
    let mut variables = Vec::new();
    if !named.is_empty() {
        variables.push(("FLYWAY_CONFIG_FILES", named.join(","), false));
    }
    if !has_locations && !inputs.environment.contains_key(LOCATIONS_VARIABLE) {
        // Flyway looks at its old default folder only as long as nothing else says where scripts are.
        variables.push((LOCATIONS_VARIABLE, format!("filesystem:{SCRIPTS}"), true));
    }
    if !inputs.environment.contains_key("FLYWAY_FAIL_ON_MISSING_LOCATIONS") {
        // By default a wrong path is "no migrations found", and success.
        variables.push(("FLYWAY_FAIL_ON_MISSING_LOCATIONS", "true".to_owned(), false));
    }
    let config = effective(inputs, &config_files, &variables);
    if has_additions {
        // Whatever else goes where Flyway looks is a script as well.
        let locations = [&config.locations, &config.callback_locations];
        let [migrations, callbacks] = locations.map(|texts| Locations::of(texts, &config.working_directory));
        let is_found = |path: &str| migrations.find(path).or_else(|| callbacks.find(path)).is_some();
        let known: BTreeSet<String> = scripts.iter().map(|script| script.image_path.clone()).collect();
        let others = below(&files, &ImagePath::default())?.into_iter();
        scripts.extend(others.filter(|other| is_found(&other.image_path) && !known.contains(&other.image_path)));
    }
    let mut steps = vec![
        Step::Files(files),
        Step::Change(Change::WorkingDirectory(HOME.parse()?)),
    ];
    steps.extend(variables.into_iter().map(|(name, value, unless_set)| {
        Step::Change(Change::Environment {
            name: name.to_owned(),
            value,
            unless_set,
        })
    }));
    steps.push(Step::Change(Change::Entrypoint {
        arguments: vec![PROGRAM.to_owned()],
        unless_set: true,
    }));
    if inputs.command.is_none() {
        steps.push(Step::Change(Change::Command(vec!["migrate".to_owned()])));
    }
    Ok(Prepared {
        recipe: Recipe {
            steps,
            known_base: Some(known_base()?),
        },
        scripts,
        tool: Tool::Flyway(Box::new(config)),
    })
}

/// What Flyway will go by: the files, the variables of the image, and the words it is started with.
///
/// What the base sets by itself is not known here, since the base may not have been asked yet; Flyway's own image sets nothing of it.
fn effective(inputs: &Inputs, files: &[ConfigFile], variables: &[(&str, String, bool)]) -> FlywayConfig {
    let own = variables
        .iter()
        .map(|(name, value, _)| ((*name).to_owned(), value.clone()));
    let mut environment: BTreeMap<String, String> = own.collect();
    environment.extend(inputs.environment.clone());
    let words = [&inputs.entrypoint, &inputs.command];
    let arguments: Vec<String> = words.into_iter().flatten().flatten().cloned().collect();
    let directory = inputs
        .working_directory
        .as_ref()
        .map_or(HOME.to_owned(), ToString::to_string);
    FlywayConfig::effective_in(&directory, files, &environment, &arguments)
}

/// Whether a file that is added by hand has the name and the place of a configuration.
fn is_config(path: &str) -> bool {
    let name = path.strip_prefix(CONFIG).or_else(|| path.strip_prefix(HOME));
    let name = name.and_then(|name| name.strip_prefix('/'));
    let ends = |name: &str| [".toml", ".conf"].iter().any(|suffix| name.ends_with(suffix));
    name.is_some_and(|name| !name.contains('/') && ends(name))
}

fn read_config(path: &Path, image_path: String) -> Result<ConfigFile, RunnerError> {
    let bytes = fs::read(path).map_err(|source| ScanError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(ConfigFile {
        image_path,
        shown: path.display().to_string(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

/// What is known of the images `flyway/flyway`.
///
/// # Errors
/// Never in practice.
pub fn known_base() -> Result<KnownBase, PathError> {
    let folder = |name: &str| format!("{HOME}/{name}").parse();
    Ok(KnownBase {
        program: PROGRAM.to_owned(),
        directory: HOME.parse()?,
        folders: vec![folder("conf")?, folder("drivers")?, folder("jars")?],
        // Some releases have them, some do not.
        possible: vec![folder("migrations")?, folder("sql")?],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(folder: &std::path::Path) -> Inputs {
        fs::create_dir(folder.join("sql")).expect("folder");
        fs::write(folder.join("sql/V1__a.sql"), "SELECT 1;").expect("script");
        Inputs {
            scripts: Some(folder.join("sql")),
            ..Inputs::default()
        }
    }

    fn environment(prepared: &Prepared) -> Vec<String> {
        let entry = |change: &Change| match change {
            Change::Environment { name, value, .. } => Some(format!("{name}={value}")),
            _ => None,
        };
        prepared.recipe.changes().filter_map(entry).collect()
    }

    #[test]
    fn scripts_and_config_go_where_flyway_looks() {
        let folder = tempfile::tempdir().expect("folder");
        let mut inputs = inputs(folder.path());
        for name in ["flyway.toml", "prod.toml"] {
            fs::write(folder.path().join(name), "[flyway]\n").expect("config");
            inputs.config.push(folder.path().join(name));
        }
        let prepared = prepare(&inputs).expect("recipe");
        let paths: Vec<String> = prepared.recipe.files().map(|file| file.path.to_string()).collect();
        assert_eq!(
            paths,
            [
                "/flyway/sql/V1__a.sql",
                "/flyway/conf/flyway.toml",
                "/flyway/conf/prod.toml"
            ]
        );
        assert_eq!(prepared.scripts.len(), 1);
        assert_eq!(prepared.scripts[0].path, "V1__a.sql");
        assert_eq!(
            environment(&prepared),
            [
                "FLYWAY_CONFIG_FILES=/flyway/conf/prod.toml",
                "FLYWAY_LOCATIONS=filesystem:/flyway/sql",
                "FLYWAY_FAIL_ON_MISSING_LOCATIONS=true"
            ]
        );
    }

    #[test]
    fn locations_in_the_config_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let mut inputs = inputs(folder.path());
        fs::write(folder.path().join("flyway.conf"), "flyway.locations = filesystem:x\n").expect("config");
        inputs.config.push(folder.path().join("flyway.conf"));
        assert_eq!(
            environment(&prepare(&inputs).expect("recipe")),
            ["FLYWAY_FAIL_ON_MISSING_LOCATIONS=true"]
        );
    }

    #[test]
    fn what_flyway_will_go_by_is_known() {
        let folder = tempfile::tempdir().expect("folder");
        let mut inputs = inputs(folder.path());
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("flyway.toml"),
            "[flyway]\ntable = 'file'\nsqlMigrationPrefix = 'mig'\n",
        )
        .expect("config");
        fs::write(path("user.toml"), "[flyway]\nsqlMigrationSeparator = '-'\n").expect("config");
        fs::create_dir(path("more")).expect("folder");
        fs::write(path("more/beforeMigrate.sql"), "SELECT 2;").expect("script");
        inputs.config.push(path("flyway.toml"));
        inputs.additions = vec![
            (
                path("user.toml"),
                "/flyway/conf/flyway.user.toml".parse().expect("path"),
            ),
            (path("more"), "/flyway/more".parse().expect("path")),
        ];
        inputs.environment = BTreeMap::from([("FLYWAY_TABLE".to_owned(), "variable".to_owned())]);
        inputs.command = Some(vec![
            "-callbackLocations=filesystem:more".to_owned(),
            "migrate".to_owned(),
        ]);
        let prepared = prepare(&inputs).expect("recipe");
        let Tool::Flyway(config) = &prepared.tool else {
            panic!("it is Flyway")
        };
        assert_eq!(config.table, "variable");
        assert_eq!(
            (config.prefixes.versioned.as_str(), config.separator.as_str()),
            ("mig", "-")
        );
        assert_eq!(config.locations, ["filesystem:/flyway/sql"]);
        assert_eq!(config.callback_locations, ["filesystem:more"]);
        let found: Vec<&str> = prepared
            .scripts
            .iter()
            .map(|script| script.image_path.as_str())
            .collect();
        assert_eq!(found, ["/flyway/sql/V1__a.sql", "/flyway/more/beforeMigrate.sql"]);
    }
}
