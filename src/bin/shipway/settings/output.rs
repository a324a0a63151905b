//! Where a built image is written besides registries.

use std::path::{Path, PathBuf};

#[cfg(feature = "daemon")]
use shipway::error::Error;
#[cfg(feature = "daemon")]
use shipway::oci::Reference;

use crate::args::BuildArguments;
use crate::failure::CommandError;

/// A place on this machine.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// An OCI layout.
    Layout(PathBuf),
    /// A layout in one file.
    OciArchive(PathBuf),
    /// What `docker load` reads.
    DockerArchive(PathBuf),
    /// The store of the Docker daemon, and the name the image gets there.
    #[cfg(feature = "daemon")]
    DockerDaemon(Option<Reference>),
}

/// What `docker-daemon` is written without the feature it needs.
#[cfg(not(feature = "daemon"))]
pub(crate) fn no_daemon(text: &str) -> CommandError {
    CommandError::usage(format!("{text}: this shipway was built without the Docker daemon"))
        .hint("write docker-archive:FILE and load it: docker load -i FILE")
        .hint("to build shipway with it: cargo build --release --features daemon")
}

/// The places as text, kaniko's words for them included.
pub(super) fn texts(arguments: &BuildArguments) -> Vec<String> {
    let kaniko = &arguments.kaniko;
    let archive = kaniko.tar_path.as_ref().map(|path| ("docker-archive", path));
    let layout = kaniko.oci_layout_path.as_ref().map(|path| ("oci", path));
    let named = archive.into_iter().chain(layout);
    let named = named.map(|(kind, path)| format!("{kind}:{}", path.display()));
    arguments.output.iter().cloned().chain(named).collect()
}

/// Reads the places, each of which must be another one.
pub(super) fn outputs(texts: &[String]) -> anyhow::Result<Vec<Output>> {
    let mut outputs = Vec::new();
    let mut seen: Vec<(PathBuf, &String)> = Vec::new();
    for text in texts {
        let output = output(text)?;
        let path = match &output {
            Output::Layout(path) | Output::OciArchive(path) | Output::DockerArchive(path) => real(path),
            // No path is called like a name in the daemon.
            #[cfg(feature = "daemon")]
            Output::DockerDaemon(name) => PathBuf::from(format!(
                "docker-daemon:{}",
                name.as_ref().map(Reference::name).unwrap_or_default()
            )),
        };
        if let Some((_, other)) = seen.iter().find(|(known, _)| *known == path) {
            return Err(
                CommandError::usage(format!("--output {other} and --output {text} are the same place"))
                    .hint("give each a path of its own")
                    .into(),
            );
        }
        seen.push((path, text));
        outputs.push(output);
    }
    Ok(outputs)
}

fn output(text: &str) -> anyhow::Result<Output> {
    if text == "docker-daemon" || text.starts_with("docker-daemon:") {
        #[cfg(feature = "daemon")]
        return Ok(Output::DockerDaemon(name_in_daemon(text)?));
        #[cfg(not(feature = "daemon"))]
        return Err(no_daemon(&format!("--output {text}")).into());
    }
    match text.split_once(':') {
        Some(("oci", path)) if !path.is_empty() => Ok(Output::Layout(path.into())),
        Some(("oci-archive", path)) if !path.is_empty() => Ok(Output::OciArchive(path.into())),
        Some(("docker-archive", path)) if !path.is_empty() => Ok(Output::DockerArchive(path.into())),
        _ => Err(
            CommandError::usage(format!("--output {text}: not a place an image can be written to"))
                .hint("the places are: oci:DIR, oci-archive:FILE, docker-archive:FILE, docker-daemon[:NAME]")
                .into(),
        ),
    }
}

/// `docker-daemon`, or `docker-daemon:NAME[:TAG]`.
#[cfg(feature = "daemon")]
pub(super) fn name_in_daemon(text: &str) -> anyhow::Result<Option<Reference>> {
    let Some((_, name)) = text.split_once(':') else {
        return Ok(None);
    };
    let name: Reference = name
        .parse()
        .map_err(|error| CommandError::usage(format!("{text} cannot be used")).because(Error::from(error)))?;
    if name.digest.is_some() {
        return Err(CommandError::usage(format!(
            "{text} names an image by its digest, and a daemon gives it none"
        ))
        .hint("such as docker-daemon:orders:1.4")
        .into());
    }
    Ok(Some(name))
}

/// A path by which two spellings of one place can be told to be one, as far as it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}
