//! Flyway: scripts below `/flyway/sql`, configuration below `/flyway/conf`, and a run that cannot succeed by finding
//! nothing.

use std::fs;

use super::{Inputs, Prepared, RunnerError, below};
use crate::migrations::Tool;
use crate::migrations::flyway::config::{LOCATIONS_VARIABLE, says_locations};
use crate::recipe::{self, Change, ImagePath, KnownBase, PathError, Recipe, ScanError, Step};

/// Where Flyway is in its own image.
const HOME: &str = "/flyway";
/// Where the scripts go.
const SCRIPTS: &str = "/flyway/sql";
/// Where Flyway looks for configuration files.
const CONFIG: &str = "/flyway/conf";
/// The names it looks for there.
const FOUND_BY_NAME: [&str; 3] = ["flyway.toml", "flyway.user.toml", "flyway.conf"];
/// The program of the image's entrypoint.
const PROGRAM: &str = "flyway";

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    let folder = inputs.scripts.as_ref().ok_or(RunnerError::NoScripts("flyway"))?;
    let scripts_path: ImagePath = SCRIPTS.parse()?;
    let mut files = recipe::scan(folder, &scripts_path)?;
    let scripts = below(&files, &scripts_path)?;
    let config_path: ImagePath = CONFIG.parse()?;
    let mut named = Vec::new();
    let mut has_locations = false;
    for config in &inputs.config {
        let name = config
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| RunnerError::ConfigName(config.clone()))?;
        let path = config_path.join(name)?;
        files.push(recipe::single(config, path.clone())?);
        let text = fs::read(config).map_err(|source| ScanError::Read {
            path: config.clone(),
            source,
        })?;
        has_locations |= says_locations(name, &String::from_utf8_lossy(&text));
        if !FOUND_BY_NAME.contains(&name) {
            named.push(path.to_string());
        }
    }
    files.extend(inputs.added()?);
    let set = |name: &str, value: String, unless_set| {
        Step::Change(Change::Environment {
            name: name.to_owned(),
            value,
            unless_set,
        })
    };
    let mut steps = vec![
        Step::Files(files),
        Step::Change(Change::WorkingDirectory(HOME.parse()?)),
    ];
    if !named.is_empty() {
        steps.push(set("FLYWAY_CONFIG_FILES", named.join(","), false));
    }
    if !has_locations && !inputs.environment.contains_key(LOCATIONS_VARIABLE) {
        // Flyway looks at its old default folder only as long as nothing else says where scripts are.
        steps.push(set(LOCATIONS_VARIABLE, format!("filesystem:{SCRIPTS}"), true));
    }
    if !inputs.environment.contains_key("FLYWAY_FAIL_ON_MISSING_LOCATIONS") {
        // By default a wrong path is "no migrations found", and success.
        steps.push(set("FLYWAY_FAIL_ON_MISSING_LOCATIONS", "true".to_owned(), false));
    }
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
        tool: Tool::flyway(),
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
}
