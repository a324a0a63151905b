//! kaniko's flags, as far as shipway's own are not the same.
//!
//! A switch may have a value, `--no-push=false`, as Go's flags may.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum, parser::ValueSource};

/// The heading in the help.
const HEADING: &str = "kaniko's words";
/// The name kaniko's program has.
const EXECUTOR: &str = "executor";
/// The context kaniko takes where none is named.
const WORKSPACE: &str = "/workspace";

/// How much kaniko tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verbosity {
    /// Everything.
    #[value(alias = "debug")]
    Trace,
    /// What happens.
    Info,
    /// What goes wrong.
    #[value(aliases = ["warning", "error", "fatal", "panic"])]
    Warn,
}

#[derive(Debug, Args)]
pub(crate) struct KanikoArguments {
    /// Do not push; --destination only names the image
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) no_push: Option<bool>,
    /// The same as --output docker-archive:FILE
    #[arg(long, alias = "tarPath", value_name = "FILE", help_heading = HEADING)]
    pub(crate) tar_path: Option<PathBuf>,
    /// The same as --output oci:DIR
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    pub(crate) oci_layout_path: Option<PathBuf>,
    /// The same as --platform
    #[arg(long, alias = "customPlatform", value_name = "OS/ARCH", conflicts_with = "platform", help_heading = HEADING)]
    pub(crate) custom_platform: Option<String>,
    /// Folder of the context that is the context
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    pub(crate) context_sub_path: Option<PathBuf>,
    /// Write repository@digest, one line for each name
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub(crate) image_name_with_digest_file: Option<PathBuf>,
    /// Write repository:tag@digest, one line for each name
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub(crate) image_name_tag_with_digest_file: Option<PathBuf>,
    /// Where the registries pushed to have no TLS, talk plain HTTP to them
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) insecure: Option<bool>,
    /// Where the registries pulled from have no TLS, talk plain HTTP to them
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) insecure_pull: Option<bool>,
    /// Where this registry has no TLS, talk plain HTTP to it; repeatable
    #[arg(long, value_name = "HOST", help_heading = HEADING)]
    pub(crate) insecure_registry: Vec<String>,
    /// Do not verify who the registries pushed to are
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) skip_tls_verify: Option<bool>,
    /// Do not verify who the registries pulled from are
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) skip_tls_verify_pull: Option<bool>,
    /// Do not verify who this registry is; repeatable
    #[arg(long, value_name = "HOST", help_heading = HEADING)]
    pub(crate) skip_tls_verify_registry: Vec<String>,
    /// Read from other registries before this one; several maps are separated by ;
    #[arg(long, value_name = "HOST=MIRROR", value_delimiter = ';', help_heading = HEADING)]
    pub(crate) registry_map: Vec<String>,
    /// Never read from a registry that has mirrors, only from those
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) skip_default_registry_fallback: Option<bool>,
    /// At least so many tries after the first (--retry)
    #[arg(long, value_name = "N", help_heading = HEADING)]
    pub(crate) push_retry: Option<u32>,
    /// At least so many tries after the first (--retry)
    #[arg(long, value_name = "N", help_heading = HEADING)]
    pub(crate) image_download_retry: Option<u32>,
    /// Every image is reproducible; the base's layers stay as they are
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch, value_name = "BOOL", help_heading = HEADING)]
    pub(crate) reproducible: Option<bool>,
    /// trace and debug are --verbose; warn, error, fatal and panic are --quiet
    #[arg(long, value_enum, ignore_case = true, hide_possible_values = true, value_name = "LEVEL", conflicts_with_all = ["quiet", "verbose"], help_heading = HEADING)]
    pub(crate) verbosity: Option<Verbosity>,
    #[command(flatten)]
    pub(crate) ignored: Ignored,
}

/// What a flag without a meaning takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing, or `=BOOL`.
    Switch,
    /// A value.
    Value,
}

/// Flags of kaniko that mean nothing here: there is no file system that is scanned, and no cache of layers.
const IGNORED: [(&str, Takes, &str); 33] = [
    (
        "azure-container-registry-config",
        Takes::Value,
        "azureContainerRegistryConfig",
    ),
    ("cache", Takes::Switch, ""),
    ("cache-copy-layers", Takes::Switch, ""),
    ("cache-dir", Takes::Value, ""),
    ("cache-repo", Takes::Value, ""),
    ("cache-run-layers", Takes::Switch, ""),
    ("cache-ttl", Takes::Value, ""),
    ("cleanup", Takes::Switch, ""),
    ("compressed-caching", Takes::Switch, ""),
    ("compression", Takes::Value, ""),
    ("compression-level", Takes::Value, ""),
    ("credential-helpers", Takes::Value, ""),
    ("force", Takes::Switch, ""),
    ("force-build-metadata", Takes::Switch, ""),
    ("git", Takes::Value, ""),
    ("ignore-path", Takes::Value, ""),
    ("ignore-var-run", Takes::Switch, ""),
    ("image-fs-extract-retry", Takes::Value, ""),
    ("kaniko-dir", Takes::Value, ""),
    ("log-format", Takes::Value, ""),
    ("log-timestamp", Takes::Switch, ""),
    ("materialize", Takes::Switch, ""),
    ("no-push-cache", Takes::Switch, ""),
    ("preserve-context", Takes::Switch, ""),
    ("push-ignore-immutable-tag-errors", Takes::Switch, ""),
    ("sandbox", Takes::Switch, ""),
    ("secret", Takes::Value, ""),
    ("single-snapshot", Takes::Switch, ""),
    ("skip-push-permission-check", Takes::Switch, ""),
    ("skip-unused-stages", Takes::Switch, ""),
    ("snapshot-mode", Takes::Value, "snapshotMode"),
    ("use-new-run", Takes::Switch, ""),
    ("whitelist-var-run", Takes::Switch, ""),
];

/// The flags without a meaning that were given.
#[derive(Debug, Default)]
pub(crate) struct Ignored(pub(crate) Vec<&'static str>);

impl Args for Ignored {
    fn augment_args(command: Command) -> Command {
        IGNORED.iter().fold(command, |command, (name, takes, alias)| {
            let argument = Arg::new(*name)
                .long(*name)
                .help("Accepted, and without a meaning here")
                .hide_short_help(true)
                .help_heading(HEADING)
                .action(ArgAction::Append);
            let argument = match takes {
                Takes::Switch => argument
                    .value_name("BOOL")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .value_parser(switch),
                Takes::Value => argument.value_name("VALUE").allow_hyphen_values(true),
            };
            command.arg(match alias.is_empty() {
                true => argument,
                false => argument.alias(*alias),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Ignored {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
        let given = IGNORED.iter().map(|(name, ..)| *name).filter(|name| is_given(name));
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads what Go reads as a boolean.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// The words of the command line. Under kaniko's name they are those of `shipway build`.
///
/// kaniko's `-v LEVEL` is `--verbosity LEVEL`; under its own name, shipway's `-v` stays `--verbose`.
pub(crate) fn words(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let words: Vec<OsString> = words.collect();
    let name = words.first().map(Path::new).and_then(Path::file_stem);
    if name.is_none_or(|name| name != EXECUTOR) {
        return words;
    }
    let given = &words[1..];
    if given.first().is_some_and(|word| word == "version") {
        return vec!["shipway".into(), "--version".into()];
    }
    let mut build: Vec<OsString> = vec!["shipway".into(), "build".into()];
    let mut names_context = false;
    for word in given {
        let text = word.to_string_lossy();
        names_context |= text.starts_with("--context=") || text == "--context" || text.starts_with("-c");
        build.push(match text.strip_prefix("-v") {
            Some("") => "--verbosity".into(),
            Some(level) => format!("--verbosity={}", level.trim_start_matches('=')).into(),
            None => word.clone(),
        });
    }
    let only_asks = given
        .iter()
        .any(|word| word == "--help" || word == "-h" || word == "--version");
    if !names_context && !only_asks {
        build.push(format!("--context={WORKSPACE}").into());
    }
    build
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Vec<String> {
        let words = self::words(text.split(' ').map(OsString::from));
        words
            .into_iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn under_kanikos_name_it_builds() {
        assert_eq!(run("shipway build -v"), ["shipway", "build", "-v"]);
        assert_eq!(
            run("/kaniko/executor --context . -v info"),
            ["shipway", "build", "--context", ".", "--verbosity", "info"]
        );
        assert_eq!(run("executor -c=. -v=debug")[2..], ["-c=.", "--verbosity=debug"]);
        assert_eq!(run("executor -c. -vdebug")[2..], ["-c.", "--verbosity=debug"]);
        assert_eq!(run("executor --no-push")[2..], ["--no-push", "--context=/workspace"]);
        assert_eq!(run("executor --help")[2..], ["--help"]);
        assert_eq!(run("/kaniko/executor version"), ["shipway", "--version"]);
    }

    #[test]
    fn switches_are_gos() {
        for (text, expected) in [("T", Ok(true)), ("1", Ok(true)), ("False", Ok(false)), ("0", Ok(false))] {
            assert_eq!(switch(text), expected);
        }
        assert!(switch("yes").is_err());
    }
}
