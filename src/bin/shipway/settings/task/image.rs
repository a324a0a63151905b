//! Which image is run.

use std::fs;
use std::path::Path;

use serde_json::Value;
use shipway::error::Error;
use shipway::oci::{Digest, Reference};

use super::region_of_registry;
use crate::args::RunArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Largest file an image is looked for in: those of a build are a few kilobytes.
const FILE_LIMIT: u64 = 1 << 20;

/// An image that was named.
#[derive(Debug, Clone)]
pub(crate) struct WantedImage {
    /// Its name.
    pub(crate) reference: Reference,
}

impl WantedImage {
    /// The digest, where the name holds it.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.reference.digest
    }

    /// The region of its registry, if it is one of Amazon ECR.
    pub(super) fn region(&self) -> Option<String> {
        region_of_registry(&self.reference)
    }
}

/// The image that was named, somewhere.
pub(super) fn wanted(
    arguments: &RunArguments,
    environment: &Environment,
    has_revision: bool,
) -> anyhow::Result<Option<WantedImage>> {
    let options = &arguments.task;
    let (origin, text) = if let Some(image) = &options.image {
        ("--image".to_owned(), image.clone())
    } else if let Some(file) = &options.image_from {
        (format!("--image-from {}", file.display()), read(file)?)
    } else if options.no_register {
        return Ok(None);
    } else if let Some(image) = environment.get("SHIPWAY_IMAGE") {
        ("SHIPWAY_IMAGE".to_owned(), image.to_owned())
    } else if has_revision {
        return Ok(None);
    } else {
        return Err(CommandError::usage("it is not said which image is to run")
            .hint("--image REPOSITORY:TAG, SHIPWAY_IMAGE, or --image-from FILE with what shipway build --dotenv FILE wrote")
            .hint("to run the image the task definition names: --no-register")
            .into());
    };
    let reference = text.parse::<Reference>().map_err(|error| {
        CommandError::usage(format!("{origin}: {text:?} names no image of a registry")).because(Error::from(error))
    })?;
    Ok(Some(WantedImage { reference }))
}

/// The image a file names: variables, the JSON of buildx, or lines with names.
fn read(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let failed =
        |error: std::io::Error| CommandError::usage(format!("--image-from: cannot read {shown}")).because(error);
    if fs::metadata(file).map_err(failed)?.len() > FILE_LIMIT {
        return Err(CommandError::usage(format!("--image-from: {shown} is larger than {FILE_LIMIT} bytes")).into());
    }
    let text = fs::read_to_string(file).map_err(failed)?;
    found(&text).ok_or_else(|| {
        CommandError::usage(format!("--image-from: {shown} names no image"))
            .hint("let the build write it: shipway build --push --dotenv FILE")
            .into()
    })
}

fn found(text: &str) -> Option<String> {
    if let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) {
        let digest = object
            .get("containerimage.digest")
            .or_else(|| object.get("digest"))?
            .as_str()?;
        let name = object.get("image.name").or_else(|| object.get("reference"));
        let name = name
            .and_then(Value::as_str)
            .or_else(|| object.get("images")?.get(0)?.as_str())?;
        let name = name.split(',').next()?;
        return match name.contains('@') {
            true => Some(name.to_owned()),
            false => Some(format!("{name}@{digest}")),
        };
    }
    let variable = text.lines().find_map(|line| line.trim().strip_prefix("SHIPWAY_IMAGE="));
    if let Some(image) = variable {
        return Some(image.trim_matches(['"', '\'']).to_owned()).filter(|image| !image.is_empty());
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    (!line.contains(['=', ' '])).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_build_names_its_image() {
        let image = "a.b/c@sha256:1";
        for text in [
            "SHIPWAY_IMAGE=a.b/c@sha256:1\nSHIPWAY_DIGEST=sha256:1\n",
            "a.b/c@sha256:1\n",
            "{\"containerimage.digest\": \"sha256:1\", \"image.name\": \"a.b/c\"}",
            "{\"images\": [\"a.b/c@sha256:1\"], \"digest\": \"sha256:1\"}",
        ] {
            assert_eq!(found(text).as_deref(), Some(image), "{text}");
        }
        for text in ["", "OTHER=1\n", "{}", "SHIPWAY_IMAGE=\n"] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
