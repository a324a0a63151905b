//! Profiles: where scripts and configuration go in the image of a migration tool, and how it is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::migrations::inventory::Listed;
use crate::migrations::set::Other;
use crate::migrations::{Content, Tool};
use crate::recipe::{self, Change, File, FileContent, ImagePath, PathError, Recipe, ScanError, Step};

mod atlas;
mod custom;
mod dbmate;
mod flyway;
mod golang_migrate;
mod goose;
mod liquibase;
mod numbered;

mod drivers;

pub use drivers::Drivers;
pub use flyway::known_base as known_flyway_base;

/// A migration tool, or none in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Flyway.
    Flyway,
    /// Liquibase.
    Liquibase,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// Atlas.
    Atlas,
    /// Whatever the user says.
    Custom,
}

/// What a profile makes a recipe from.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The folder with the scripts.
    pub scripts: Option<PathBuf>,
    /// Configuration files.
    pub config: Vec<PathBuf>,
    /// Files of drivers.
    pub drivers: Vec<PathBuf>,
    /// More files and folders, each with its path in the image.
    pub additions: Vec<(PathBuf, ImagePath)>,
    /// Environment variables of the image.
    pub environment: BTreeMap<String, String>,
    /// Working directory, in the place of the profile's.
    pub working_directory: Option<ImagePath>,
    /// User, in the place of the base's.
    pub user: Option<String>,
    /// Entrypoint, in the place of the base's.
    pub entrypoint: Option<Vec<String>>,
    /// Command, in the place of the profile's.
    pub command: Option<Vec<String>>,
}

/// What a profile makes.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The recipe.
    pub recipe: Recipe,
    /// The files that may be scripts.
    pub scripts: Vec<Listed>,
    /// What runs them.
    pub tool: Tool,
}

/// Why a profile cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// There is no such profile.
    #[error("there is no profile {0:?}")]
    Unknown(String),
    /// The profile needs scripts.
    #[error("the {0} profile needs a folder of scripts")]
    NoScripts(&'static str),
    /// The custom profile has no place for scripts of its own.
    #[error("the custom profile does not know where scripts or configuration files go")]
    NoPlace,
    /// The custom profile was given nothing to add.
    #[error("the custom profile was given nothing to add")]
    Nothing,
    /// The profile has no place for a configuration file, or for one more.
    #[error("the {profile} profile does not know what to do with {path}")]
    NoConfig {
        /// The profile.
        profile: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The profile's tool needs no drivers.
    #[error("the {0} profile has no place for drivers")]
    NoDrivers(&'static str),
    /// Nobody says which changelog Liquibase starts from.
    #[error("it is not said which changelog Liquibase starts from")]
    Changelog,
    /// A configuration of Atlas has several environments, or none.
    #[error("{0} does not have exactly one env block with a name")]
    AtlasEnvironment(PathBuf),
    /// A configuration file has no name that could be kept.
    #[error("{0} is not the name of a configuration file")]
    ConfigName(PathBuf),
    /// Scripts or configuration cannot be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A path in the image makes no sense.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl RunnerError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Unknown(_) => "the profiles are: flyway, liquibase, dbmate, golang-migrate, goose, atlas, custom",
            Self::NoConfig { profile, .. } => match *profile {
                "liquibase" => {
                    "it takes one file, which becomes liquibase.properties; add others with --add FILE:/PATH"
                }
                "atlas" => "it takes one file, which becomes atlas.hcl; add others with --add FILE:/PATH",
                _ => "this tool is configured by its environment: --env NAME=VALUE, or env under [runner]",
            },
            Self::NoDrivers(_) => "leave out --driver: its programs bring the drivers they have",
            Self::Changelog => {
                "name it by its path in the folder of scripts: --env LIQUIBASE_COMMAND_CHANGELOG_FILE=changelog.xml, or env under [runner] in shipway.toml"
            }
            Self::AtlasEnvironment(_) => {
                r#"say which counts: --cmd '["migrate","apply","--config","file:///atlas.hcl","--env","NAME"]'"#
            }
            Self::NoScripts(_) => "name it with --scripts DIR, or scripts under [migrations] in shipway.toml",
            Self::NoPlace | Self::Nothing => {
                "say what goes where: --add SOURCE:/PATH/IN/IMAGE, or add under [runner] in shipway.toml"
            }
            Self::Scan(error) => return error.hints(),
            Self::Path(error) => return error.hints(),
            Self::ConfigName(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl FromStr for Profile {
    type Err = RunnerError;

    fn from_str(text: &str) -> Result<Self, RunnerError> {
        match text {
            "flyway" => Ok(Self::Flyway),
            "liquibase" => Ok(Self::Liquibase),
            "dbmate" => Ok(Self::Dbmate),
            "golang-migrate" => Ok(Self::GolangMigrate),
            "goose" => Ok(Self::Goose),
            "atlas" => Ok(Self::Atlas),
            "custom" => Ok(Self::Custom),
            other => Err(RunnerError::Unknown(other.to_owned())),
        }
    }
}

impl Prepared {
    /// The files that are no scripts: path in the image, and bytes.
    #[must_use]
    pub fn others(&self) -> Vec<Other> {
        let scripts: BTreeSet<&str> = self.scripts.iter().map(|script| script.image_path.as_str()).collect();
        let other = |file: &File| match &file.content {
            FileContent::Local { path, .. } => Some((file.path.to_string(), Content::File(path.clone()))),
            FileContent::Stored(stored) => {
                let stored = stored.clone();
                let open = move || Ok(Box::new(stored.reader()) as Box<dyn std::io::Read + Send>);
                Some((file.path.to_string(), Content::Other(std::sync::Arc::new(open))))
            }
            _ => None,
        };
        let others = self.recipe.files().filter_map(other);
        others.filter(|(path, _)| !scripts.contains(path.as_str())).collect()
    }
}

impl Profile {
    /// An image its makers publish, to build on; `None` where there is none.
    #[must_use]
    pub fn usual_base(self) -> Option<&'static str> {
        match self {
            Self::Flyway => Some("flyway/flyway:13"),
            Self::Liquibase => Some("liquibase/liquibase:4.33"),
            Self::Dbmate => Some("ghcr.io/amacneil/dbmate:2"),
            Self::GolangMigrate => Some("migrate/migrate:v4.19.1"),
            Self::Atlas => Some("arigaio/atlas:latest"),
            Self::Goose | Self::Custom => None,
        }
    }

    /// Makes the recipe. Reads the folders, not the files in them.
    ///
    /// # Errors
    /// When something the profile needs is missing, or cannot be in an image.
    pub fn prepare(self, inputs: &Inputs) -> Result<Prepared, RunnerError> {
        let mut prepared = match self {
            Self::Flyway => flyway::prepare(inputs)?,
            Self::Liquibase => liquibase::prepare(inputs)?,
            Self::Dbmate => dbmate::prepare(inputs)?,
            Self::GolangMigrate => golang_migrate::prepare(inputs)?,
            Self::Goose => goose::prepare(inputs)?,
            Self::Atlas => atlas::prepare(inputs)?,
            Self::Custom => custom::prepare(inputs)?,
        };
        prepared.recipe.steps.extend(inputs.overrides());
        Ok(prepared)
    }
}

impl Inputs {
    /// What the user says overrides what the profile does.
    fn overrides(&self) -> Vec<Step> {
        let environment = self.environment.iter().map(|(name, value)| Change::Environment {
            name: name.clone(),
            value: value.clone(),
            unless_set: false,
        });
        let entrypoint = self.entrypoint.iter().map(|arguments| Change::Entrypoint {
            arguments: arguments.clone(),
            unless_set: false,
        });
        environment
            .chain(self.working_directory.clone().map(Change::WorkingDirectory))
            .chain(self.user.clone().map(Change::User))
            .chain(entrypoint)
            .chain(self.command.clone().map(Change::Command))
            .map(Step::Change)
            .collect()
    }

    /// The drivers, below a folder of the image, by their names.
    fn driver_files(&self, folder: &str) -> Result<Vec<File>, RunnerError> {
        let folder: ImagePath = folder.parse()?;
        let file = |driver: &PathBuf| {
            let name = driver.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| RunnerError::ConfigName(driver.clone()))?;
            Ok(recipe::single(driver, folder.join(name)?)?)
        };
        self.drivers.iter().map(file).collect()
    }

    /// The files and folders to add.
    fn added(&self) -> Result<Vec<File>, ScanError> {
        let mut files = Vec::new();
        for (source, destination) in &self.additions {
            if source.is_dir() {
                files.extend(recipe::scan(source, destination)?);
            } else {
                files.push(recipe::single(source, destination.clone())?);
            }
        }
        Ok(files)
    }
}

/// The files there are below `folder` of the image, by their path below it; also those that are there through a link.
///
/// Whoever opens a link finds what it points to, so that is what counts. A link to a folder is followed once: a link in
/// the folder it leads to counts if it leads to a file.
fn below(files: &[File], folder: &ImagePath) -> Result<Vec<Listed>, ScanError> {
    let relative = |file: &File| {
        let relative = file.path.relative().strip_prefix(folder.relative())?;
        Some(relative.trim_start_matches('/').to_owned())
    };
    let mut found = BTreeMap::new();
    let mut links = Vec::new();
    for file in files {
        let Some(name) = relative(file) else { continue };
        match &file.content {
            FileContent::Local { path, .. } => {
                found.insert(name, path.clone());
            }
            FileContent::Link { path, .. } if path.is_dir() => links.push((name, real(path)?)),
            FileContent::Link { path, .. } => {
                found.insert(name, path.clone());
            }
            FileContent::Directory | FileContent::Stored(_) | FileContent::HardLink(_) | FileContent::Special(_) => {}
        }
    }
    if !links.is_empty() {
        let direct: Vec<(PathBuf, PathBuf)> = found
            .values()
            .map(|path| Ok((real_place(path)?, path.clone())))
            .collect::<Result<_, ScanError>>()?;
        for (name, target) in &links {
            for (place, path) in &direct {
                if let Some(rest) = place.strip_prefix(target).ok().and_then(Path::to_str) {
                    found.insert(format!("{name}/{rest}"), path.clone());
                }
            }
        }
    }
    let listed = |(path, place): (String, PathBuf)| Listed {
        image_path: format!("{}/{path}", folder.to_string().trim_end_matches('/')),
        path,
        shown: place.display().to_string(),
        content: Content::File(place),
    };
    Ok(found.into_iter().map(listed).collect())
}

/// A path with all links followed.
fn real(path: &Path) -> Result<PathBuf, ScanError> {
    path.canonicalize().map_err(|source| ScanError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Where a file is, with the links on the way to it followed, but not the file itself, should it be a link.
fn real_place(path: &Path) -> Result<PathBuf, ScanError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(real(folder)?.join(path.file_name().unwrap_or_default()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_there_through_a_link_counts() {
        let folder = tempfile::tempdir().expect("folder");
        let root = folder.path();
        fs::create_dir_all(root.join("a/deep")).expect("folders");
        fs::write(root.join("a/V1__x.sql"), "1").expect("file");
        fs::write(root.join("a/deep/V2__y.sql"), "2").expect("file");
        symlink("a/V1__x.sql", root.join("V3__link.sql")).expect("link");
        symlink("a", root.join("b")).expect("link");
        symlink("../a", root.join("a/loop")).expect("link");
        let path: ImagePath = "/flyway/sql".parse().expect("path");
        let files = recipe::scan(root, &path).expect("scan");
        let found = below(&files, &path).expect("files");
        let names: Vec<&str> = found.iter().map(|listed| listed.path.as_str()).collect();
        assert_eq!(
            names,
            [
                "V3__link.sql",
                "a/V1__x.sql",
                "a/deep/V2__y.sql",
                "a/loop/V1__x.sql",
                "a/loop/deep/V2__y.sql",
                "b/V1__x.sql",
                "b/deep/V2__y.sql",
            ]
        );
        assert_eq!(found[0].content.read(9).expect("bytes").0, b"1");
        assert_eq!(found[6].content.read(9).expect("bytes").0, b"2");
        assert_eq!(found[6].image_path, "/flyway/sql/b/deep/V2__y.sql");
    }
}
