//! Where a built image is written besides registries.

use std::path::{Path, PathBuf};

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
        let (Output::Layout(path) | Output::OciArchive(path) | Output::DockerArchive(path)) = &output;
        let path = real(path);
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
    match text.split_once(':') {
        Some(("oci", path)) if !path.is_empty() => Ok(Output::Layout(path.into())),
        Some(("oci-archive", path)) if !path.is_empty() => Ok(Output::OciArchive(path.into())),
        Some(("docker-archive", path)) if !path.is_empty() => Ok(Output::DockerArchive(path.into())),
        _ => Err(
            CommandError::usage(format!("--output {text}: not a place an image can be written to"))
                .hint("the places are: oci:DIR, oci-archive:FILE, docker-archive:FILE")
                .into(),
        ),
    }
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
