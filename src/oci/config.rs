//! The image config, edited without losing what is not understood.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::json::JsonObject;
use super::platform::Platform;

/// One entry of the image's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The program that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the instruction changed the config only and made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// An image config: what the runtime needs to start the image, over the JSON it was read from.
#[derive(Debug, Clone)]
pub struct ImageConfig {
    root: JsonObject,
    execution: JsonObject,
    rootfs: JsonObject,
}

/// Why bytes are not an image config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The bytes are not JSON, or a member has another type than the specification says.
    #[error("it is not a valid image config")]
    Json(#[from] serde_json::Error),
    /// The config lists another number of layers than the manifest.
    #[error("it lists {listed} layers, the manifest {named}")]
    Layers {
        /// Number of diff ids.
        listed: usize,
        /// Number of layers in the manifest.
        named: usize,
    },
}

impl ImageConfig {
    /// The config of an image without layers, to start from where there is no base.
    ///
    /// # Errors
    /// Never in practice.
    pub fn scratch(platform: &Platform) -> Result<Self, ConfigError> {
        let mut root = JsonObject::default();
        root.set("architecture", &platform.architecture)?;
        if !platform.variant.is_empty() {
            root.set("variant", &platform.variant)?;
        }
        root.set("os", &platform.os)?;
        root.set("config", &JsonObject::default())?;
        let mut rootfs = JsonObject::default();
        rootfs.set("type", "layers")?;
        rootfs.set::<[Digest]>("diff_ids", &[])?;
        root.set("rootfs", &rootfs)?;
        root.set::<[History]>("history", &[])?;
        Self::parse(&root.to_bytes()?)
    }

    /// Reads a config.
    ///
    /// # Errors
    /// When the bytes are not a JSON object with the members the specification demands.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let root = JsonObject::parse(bytes)?;
        let config = Self {
            execution: root.get("config")?.unwrap_or_default(),
            rootfs: root.get("rootfs")?.unwrap_or_default(),
            root,
        };
        config.diff_ids()?;
        config.history()?;
        config.env()?;
        Ok(config)
    }

    /// The config as bytes.
    ///
    /// # Errors
    /// Never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ConfigError> {
        Ok(self.root.to_bytes()?)
    }

    /// The platform it states.
    ///
    /// # Errors
    /// When a member is not a string.
    pub fn platform(&self) -> Result<Platform, ConfigError> {
        Ok(Platform {
            architecture: self.root.get("architecture")?.unwrap_or_default(),
            os: self.root.get("os")?.unwrap_or_default(),
            variant: self.root.get("variant")?.unwrap_or_default(),
        })
    }

    /// The digests of the uncompressed layers.
    ///
    /// # Errors
    /// When they are not digests.
    pub fn diff_ids(&self) -> Result<Vec<Digest>, ConfigError> {
        Ok(self.rootfs.get("diff_ids")?.unwrap_or_default())
    }

    /// The history.
    ///
    /// # Errors
    /// When it is not a list of entries.
    pub fn history(&self) -> Result<Vec<History>, ConfigError> {
        Ok(self.root.get("history")?.unwrap_or_default())
    }

    /// The environment, each as `NAME=value`.
    ///
    /// # Errors
    /// When it is not a list of strings.
    pub fn env(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.execution.get("Env")?.unwrap_or_default())
    }

    /// The value of one environment variable.
    ///
    /// # Errors
    /// As [`ImageConfig::env`].
    pub fn env_value(&self, name: &str) -> Result<Option<String>, ConfigError> {
        Ok(self
            .env()?
            .iter()
            .find_map(|entry| entry.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value.to_owned()))
    }

    /// The entrypoint; empty where there is none.
    ///
    /// # Errors
    /// When it is not a list of strings.
    pub fn entrypoint(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.execution.get("Entrypoint")?.unwrap_or_default())
    }

    /// The command; empty where there is none.
    ///
    /// # Errors
    /// When it is not a list of strings.
    pub fn command(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.execution.get("Cmd")?.unwrap_or_default())
    }

    /// The working directory; empty where there is none.
    ///
    /// # Errors
    /// When it is not a string.
    pub fn working_directory(&self) -> Result<String, ConfigError> {
        Ok(self.execution.get("WorkingDir")?.unwrap_or_default())
    }

    /// The user; empty where none is named.
    ///
    /// # Errors
    /// When it is not a string.
    pub fn user(&self) -> Result<String, ConfigError> {
        Ok(self.execution.get("User")?.unwrap_or_default())
    }

    /// The program that runs commands in shell form (Docker's `Shell`); empty where none is named.
    ///
    /// # Errors
    /// When it is not a list of strings.
    pub fn shell(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.execution.get("Shell")?.unwrap_or_default())
    }

    /// The labels.
    ///
    /// # Errors
    /// When they are not an object of strings.
    pub fn labels(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        Ok(self.execution.get("Labels")?.unwrap_or_default())
    }

    /// Sets an environment variable, in its place if the base has it.
    ///
    /// # Errors
    /// As [`ImageConfig::env`].
    pub fn set_env(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let mut env = self.env()?;
        let entry = format!("{name}={value}");
        match env
            .iter_mut()
            .find(|old| old.split_once('=').is_some_and(|(key, _)| key == name))
        {
            Some(old) => *old = entry,
            None => env.push(entry),
        }
        self.set_execution("Env", &env)
    }

    /// Sets environment variables, each in its place if the base has it: thousands as easily as one.
    ///
    /// # Errors
    /// As [`ImageConfig::env`].
    pub fn set_all_env(&mut self, pairs: &[(String, String)]) -> Result<(), ConfigError> {
        let mut env = self.env()?;
        let name = |entry: &str| entry.split_once('=').map_or(entry, |(name, _)| name).to_owned();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (place, entry) in env.iter().enumerate() {
            places.entry(name(entry)).or_insert(place);
        }
        for (name, value) in pairs {
            let entry = format!("{name}={value}");
            match places.get(name) {
                Some(place) => env[*place] = entry,
                None => {
                    places.insert(name.clone(), env.len());
                    env.push(entry);
                }
            }
        }
        self.set_execution("Env", &env)
    }

    /// Sets or, with `None`, removes a label; the other labels keep their order.
    ///
    /// # Errors
    /// When the base's labels are not an object.
    pub fn set_label(&mut self, key: &str, value: Option<&str>) -> Result<(), ConfigError> {
        let mut labels: JsonObject = self.execution.get("Labels")?.unwrap_or_default();
        match value {
            Some(value) => labels.set(key, value)?,
            None if labels.keys().any(|name| name == key) => labels.remove(key),
            None => return Ok(()),
        }
        self.set_execution("Labels", &labels)
    }

    /// Sets a member of the runtime part, such as `WorkingDir`, `User`, `Entrypoint` or `Cmd`.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn set_execution<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), ConfigError> {
        self.execution.set(key, value)?;
        Ok(self.root.set("config", &self.execution)?)
    }

    /// Adds members to an object of the runtime part whose values say nothing, such as `ExposedPorts` and `Volumes`.
    ///
    /// # Errors
    /// When the base's is not an object.
    pub fn add_execution(&mut self, key: &str, names: &[String]) -> Result<(), ConfigError> {
        let mut all: JsonObject = self.execution.get(key)?.unwrap_or_default();
        all.add_empty(names)?;
        self.set_execution(key, &all)
    }

    /// Removes a member of the runtime part.
    ///
    /// # Errors
    /// Never in practice.
    pub fn remove_execution(&mut self, key: &str) -> Result<(), ConfigError> {
        self.execution.remove(key);
        Ok(self.root.set("config", &self.execution)?)
    }

    /// The instructions for images built on this one (Docker's `OnBuild`).
    ///
    /// # Errors
    /// When they are not a list of strings.
    pub fn triggers(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.execution.get("OnBuild")?.unwrap_or_default())
    }

    /// Sets who made the image.
    ///
    /// # Errors
    /// Never in practice.
    pub fn set_author(&mut self, author: &str) -> Result<(), ConfigError> {
        Ok(self.root.set("author", author)?)
    }

    /// Sets the time the image says it was made at, in RFC 3339.
    ///
    /// # Errors
    /// Never in practice.
    pub fn set_created(&mut self, created: &str) -> Result<(), ConfigError> {
        Ok(self.root.set("created", created)?)
    }

    /// Adds layers and history entries after the base's.
    ///
    /// A base whose history says less than it has layers gets nameless entries for the rest: readers that pair layers
    /// with history (AWS Lambda among them) refuse the image otherwise.
    ///
    /// # Errors
    /// When the base's lists cannot be read.
    pub fn append(&mut self, diff_ids: &[Digest], entries: &[History]) -> Result<(), ConfigError> {
        let mut layers = self.diff_ids()?;
        let mut history = self.raw_history()?;
        let told = self.history()?.iter().filter(|entry| !entry.empty_layer).count();
        for _ in told..layers.len() {
            history.push(serde_json::value::to_raw_value(&History {
                created: None,
                created_by: Some("layer of the base image, without history".to_owned()),
                comment: None,
                empty_layer: false,
            })?);
        }
        for entry in entries {
            history.push(serde_json::value::to_raw_value(entry)?);
        }
        layers.extend_from_slice(diff_ids);
        self.rootfs.set("diff_ids", &layers)?;
        self.root.set("rootfs", &self.rootfs)?;
        Ok(self.root.set("history", &history)?)
    }

    fn raw_history(&self) -> Result<Vec<Box<serde_json::value::RawValue>>, ConfigError> {
        Ok(self.root.get("history")?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"{"os":"linux","container_config":{"Cmd":null},"architecture":"arm64","config":{"Shell":["/bin/bash","-c"],"Env":["PATH=/flyway:\u0026","A=1"],"Labels":{"z":"1","a":"2"},"OnBuild":["RUN x"],"Healthcheck":{"Interval":30000000000}},"rootfs":{"diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],"type":"layers"},"x":[1 ,2]}"#;

    fn text(config: &ImageConfig) -> String {
        String::from_utf8(config.to_bytes().expect("bytes")).expect("text")
    }

    #[test]
    fn a_config_nobody_edits_keeps_its_bytes() {
        assert_eq!(text(&ImageConfig::parse(BASE.as_bytes()).expect("config")), BASE);
    }

    #[test]
    fn edits_touch_only_what_they_name() {
        let mut config = ImageConfig::parse(BASE.as_bytes()).expect("config");
        config.set_execution("Cmd", &["migrate"]).expect("cmd");
        config.set_label("a", Some("3")).expect("label");
        config.set_label("none", None).expect("label");
        config.set_env("A", "2").expect("env");
        let expected = BASE
            .replace(r#""a":"2""#, r#""a":"3""#)
            .replace(r#"["PATH=/flyway:\u0026","A=1"]"#, r#"["PATH=/flyway:&","A=2"]"#)
            .replace("30000000000}}", r#"30000000000},"Cmd":["migrate"]}"#);
        assert_eq!(text(&config), expected);
    }

    #[test]
    fn layers_without_history_are_filled_up() {
        let mut config = ImageConfig::parse(BASE.as_bytes()).expect("config");
        let entry = History {
            created: None,
            created_by: Some("mine".to_owned()),
            comment: None,
            empty_layer: false,
        };
        config.append(&[Digest::of(b"x")], &[entry]).expect("append");
        let history = config.history().expect("history");
        assert_eq!(history.len(), 2);
        assert_eq!(history[1].created_by.as_deref(), Some("mine"));
        assert_eq!(config.diff_ids().expect("diff ids").len(), 2);
    }

    #[test]
    fn scratch_has_no_layers() {
        let config = ImageConfig::scratch(&Platform::linux_amd64()).expect("config");
        assert_eq!(config.platform().expect("platform"), Platform::linux_amd64());
        assert!(config.diff_ids().expect("diff ids").is_empty());
        assert_eq!(
            text(&config),
            r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]},"history":[]}"#
        );
    }

    #[test]
    fn what_is_no_config_is_an_error() {
        for wrong in [
            "",
            "[]",
            r#"{"rootfs":{"diff_ids":["x"]}}"#,
            r#"{"config":{"Env":"A=1"}}"#,
        ] {
            assert!(ImageConfig::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
