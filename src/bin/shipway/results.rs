//! What a build leaves for scripts: lines or JSON on standard output, and files, written only after success.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use shipway::build::{Built, Status};
use shipway::oci::{Descriptor, Reference};

use crate::args::BuildArguments;

/// What is told of a build.
#[derive(Debug)]
pub(crate) struct BuildResult<'a> {
    pub(crate) built: &'a Built,
    /// Repositories with the digest that is there now, in the order of the command line.
    pub(crate) images: Vec<Reference>,
    /// The names with their tags.
    pub(crate) tags: Vec<String>,
    /// What was written besides.
    pub(crate) outputs: Vec<String>,
    pub(crate) base_name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) scripts: usize,
}

impl BuildResult<'_> {
    /// The lines of the text form.
    pub(crate) fn text(&self) -> String {
        if self.images.is_empty() {
            return format!("{}\n", self.built.root.digest());
        }
        self.images.iter().map(|image| format!("{image}\n")).collect()
    }

    /// One word for what happened.
    fn status(&self) -> &'static str {
        let all = |status| self.built.delivered.iter().all(|delivered| delivered.status == status);
        if all(Status::DryRun) {
            "dry-run"
        } else if all(Status::Unchanged) {
            "unchanged"
        } else if self.images.is_empty() {
            "written"
        } else {
            "pushed"
        }
    }

    /// The object of the JSON form.
    pub(crate) fn json(&self) -> Value {
        let root = &self.built.root.descriptor;
        json!({
            "digest": root.digest,
            "mediaType": root.media_type,
            "size": root.size,
            "images": self.images.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "tags": self.tags,
            "status": self.status(),
            "outputs": self.outputs,
            "platforms": self.built.platforms.iter().map(|image| json!({
                "platform": image.platform.to_string(),
                "digest": image.manifest,
                "config": image.config,
            })).collect::<Vec<_>>(),
            "base": self.base_name.as_ref().map(|name| json!({"name": name, "digest": self.built.base_digest})),
            "layers": self.built.layers.iter().map(|layer| json!({
                "digest": layer.descriptor.digest,
                "diffId": layer.diff_id,
                "size": layer.descriptor.size,
                "mediaType": layer.descriptor.media_type,
                "files": layer.files.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "migrations": {
                "version": self.version,
                "digest": self.built.set_digest,
                "scripts": self.scripts,
            },
        })
    }

    /// Writes the files that were asked for.
    pub(crate) fn write_files(&self, arguments: &BuildArguments) -> anyhow::Result<()> {
        let digest = self.built.root.digest();
        if let Some(path) = &arguments.digest_file {
            write(path, &format!("{digest}\n"))?;
        }
        if let Some(path) = &arguments.image_refs {
            write(
                path,
                &self.images.iter().map(|image| format!("{image}\n")).collect::<String>(),
            )?;
        }
        if let Some(path) = &arguments.dotenv {
            write(path, &self.dotenv())?;
        }
        if let Some(path) = &arguments.metadata_file {
            let text = serde_json::to_string_pretty(&self.metadata()).context("cannot write the metadata")?;
            write(path, &format!("{text}\n"))?;
        }
        Ok(())
    }

    /// No quotes and no spaces around `=`: GitLab reads the file, not a shell.
    fn dotenv(&self) -> String {
        let digest = self
            .images
            .first()
            .and_then(|image| image.digest)
            .unwrap_or(self.built.root.digest());
        let image = self
            .images
            .first()
            .map_or_else(|| digest.to_string(), ToString::to_string);
        let tags: Vec<&str> = self.tags.iter().filter_map(|name| name.rsplit(':').next()).collect();
        format!(
            "SHIPWAY_IMAGE={image}\nSHIPWAY_DIGEST={digest}\nSHIPWAY_TAGS={}\n",
            tags.join(" ")
        )
    }

    /// The keys of buildx's metadata file.
    fn metadata(&self) -> Value {
        let root: &Descriptor = &self.built.root.descriptor;
        let mut metadata = json!({
            "containerimage.descriptor": {"mediaType": root.media_type, "digest": root.digest, "size": root.size},
            "containerimage.digest": root.digest,
        });
        if let ([only], Some(metadata)) = (self.built.platforms.as_slice(), metadata.as_object_mut()) {
            metadata.insert("containerimage.config.digest".to_owned(), json!(only.config));
        }
        if let (false, Some(metadata)) = (self.tags.is_empty(), metadata.as_object_mut()) {
            metadata.insert("image.name".to_owned(), json!(self.tags.join(",")));
        }
        metadata
    }
}

/// Writes a file that appears complete or not at all.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let what = || format!("cannot write {}", path.display());
    // A device or a pipe cannot be replaced.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(path, text).with_context(what);
    }
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As if the file had been created directly; the umask still applies.
        file.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = file.tempfile_in(folder).with_context(what)?;
    file.write_all(text.as_bytes()).with_context(what)?;
    file.persist(path).with_context(what)?;
    Ok(())
}
