//! Atlas: scripts below `/migrations`, and a configuration that reads the address of the database from the environment.

use std::collections::BTreeSet;
use std::fs;

use super::numbered::{self, Layout, words};
use super::{Inputs, Prepared, RunnerError};
use crate::migrations::Tool;
use crate::migrations::atlas::FOLDER;
use crate::recipe::{self, File, FileContent, ScanError, Stored};

/// Where the configuration goes: Atlas looks for it in its working directory, which need not be this one.
const CONFIG: &str = "/atlas.hcl";
/// What it is if the project has none.
const USUAL: &str = r#"env "shipway" {
  url = getenv("DATABASE_URL")
  migration {
    dir = "file:///migrations"
  }
}
"#;
/// The environment in it.
const USUAL_NAME: &str = "shipway";

pub(super) fn prepare(inputs: &Inputs) -> Result<Prepared, RunnerError> {
    let (file, name) = match inputs.config.as_slice() {
        [] => {
            let content = FileContent::Stored(Stored::Memory(USUAL.as_bytes().into()));
            let path = CONFIG.parse()?;
            (File { path, content }, Some(USUAL_NAME.to_owned()))
        }
        [config] => {
            let bytes = fs::read(config).map_err(|source| ScanError::Read {
                path: config.clone(),
                source,
            })?;
            let names = environments(&String::from_utf8_lossy(&bytes));
            let name = match names.len() {
                1 => names.into_iter().next(),
                _ => None,
            };
            (recipe::single(config, CONFIG.parse()?)?, name)
        }
        [_, config, ..] => {
            return Err(RunnerError::NoConfig {
                profile: "atlas",
                path: config.clone(),
            });
        }
    };
    let command = match name {
        Some(name) => words(&["migrate", "apply", "--config", "file:///atlas.hcl", "--env", &name]),
        None if inputs.command.is_some() => Vec::new(),
        None => return Err(RunnerError::AtlasEnvironment(inputs.config[0].clone())),
    };
    let layout = Layout {
        tool: Tool::Atlas,
        folder: FOLDER,
        files: vec![file],
        variables: Vec::new(),
        entrypoint: (words(&["/atlas"]), true),
        command,
    };
    numbered::prepare(inputs, layout)
}

/// The names of the environments of a configuration.
fn environments(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let rest = line.trim_start().strip_prefix("env")?.trim_start();
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let (name, rest) = match quoted {
            Some((name, rest)) => (name, rest),
            None => rest.split_once(|next: char| next.is_whitespace() || next == '{')?,
        };
        let opens = rest.trim_start().starts_with('{') || quoted.is_none() && rest.contains('{');
        (opens && !name.is_empty()).then(|| name.to_owned())
    };
    text.lines().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_found_by_their_names() {
        let names = |text: &str| environments(text).into_iter().collect::<Vec<_>>();
        assert_eq!(names(USUAL), ["shipway"]);
        assert_eq!(names("env \"a\" {\n}\n  env \"b\"{\n}\n# env \"c\" {\n"), ["a", "b"]);
        assert_eq!(names("env prod {\n}\n"), ["prod"]);
        // One for every name.
        assert_eq!(names("env {\n  name = atlas.env\n}\n"), Vec::<String>::new());
        assert_eq!(names("environment = \"x\"\nlocals {\n}\n"), Vec::<String>::new());
    }
}
