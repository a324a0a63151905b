//! What a build leaves for scripts: lines or JSON on standard output, and files, written only after success.

use anyhow::Context as _;
use serde_json::{Value, json};
use shipway::build::{Built, Status};
use shipway::oci::Reference;

mod files;

pub(crate) use files::ResultFiles;

use files::FileKind;

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
            return format!("{}\n", self.built.present().digest);
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

    /// Whether what is there is the image that was built.
    fn is_present(&self) -> bool {
        self.built.present().digest == self.built.root.digest()
    }

    /// What a registry scans: the images, not an index over them.
    #[cfg(feature = "aws")]
    pub(crate) fn scannable(&self) -> Vec<shipway::oci::Digest> {
        match self.is_present() {
            true => self.built.platforms.iter().map(|image| image.manifest).collect(),
            false => vec![self.built.present().digest],
        }
    }

    /// The object of the JSON form.
    pub(crate) fn json(&self) -> Value {
        let root = self.built.present();
        // What is known of the image that was built says nothing of another one that stays.
        let (platforms, layers) = if self.is_present() {
            (self.built.platforms.as_slice(), self.built.layers.as_slice())
        } else {
            Default::default()
        };
        json!({
            "digest": root.digest,
            "mediaType": root.media_type,
            "size": root.size,
            "images": self.images.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "tags": self.tags,
            "status": self.status(),
            "outputs": self.outputs,
            "platforms": platforms.iter().map(|image| json!({
                "platform": image.platform.to_string(),
                "digest": image.manifest,
                "config": image.config,
            })).collect::<Vec<_>>(),
            "base": self.base_name.as_ref().map(|name| json!({"name": name, "digest": self.built.base_digest})),
            "layers": layers.iter().map(|layer| json!({
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

    /// What belongs in a file.
    fn content(&self, kind: FileKind) -> anyhow::Result<String> {
        Ok(match kind {
            FileKind::Digest => format!("{}\n", self.built.present().digest),
            FileKind::References => self.images.iter().map(|image| format!("{image}\n")).collect(),
            FileKind::Dotenv => self.dotenv(),
            FileKind::Metadata => {
                let text = serde_json::to_string_pretty(&self.metadata()).context("cannot write the metadata")?;
                format!("{text}\n")
            }
        })
    }

    /// No quotes and no spaces around `=`: GitLab reads the file, not a shell.
    fn dotenv(&self) -> String {
        let digest = self.built.present().digest;
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
        let root = self.built.present();
        let mut metadata = json!({
            "containerimage.descriptor": {"mediaType": root.media_type, "digest": root.digest, "size": root.size},
            "containerimage.digest": root.digest,
        });
        if let ([only], true, Some(metadata)) = (
            self.built.platforms.as_slice(),
            self.is_present(),
            metadata.as_object_mut(),
        ) {
            metadata.insert("containerimage.config.digest".to_owned(), json!(only.config));
        }
        if let (false, Some(metadata)) = (self.tags.is_empty(), metadata.as_object_mut()) {
            metadata.insert("image.name".to_owned(), json!(self.tags.join(",")));
        }
        metadata
    }
}
