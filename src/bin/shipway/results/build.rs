//! What is told of a build.

use serde_json::{Value, json};
use shipway::build::Built;
use shipway::oci::Reference;

use super::{Summary, status};

/// What is told of a build.
#[derive(Debug)]
pub(crate) struct BuildResult<'a> {
    built: &'a Built,
    pub(crate) summary: Summary,
    pub(crate) base_name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) scripts: usize,
}

impl<'a> BuildResult<'a> {
    /// Tells of a build with these names; what it was made from is not known yet.
    pub(crate) fn of(built: &'a Built, images: Vec<Reference>, tags: Vec<String>, outputs: Vec<String>) -> Self {
        let config = match built.platforms.as_slice() {
            [only] if is_present(built) => Some(only.config),
            _ => None,
        };
        Self {
            summary: Summary {
                root: built.present().clone(),
                status: status(&built.delivered, !images.is_empty()),
                images,
                tags,
                outputs,
                config,
            },
            built,
            base_name: None,
            version: None,
            scripts: 0,
        }
    }

    /// What a registry scans: the images, not an index over them.
    #[cfg(feature = "aws")]
    pub(crate) fn scannable(&self) -> Vec<shipway::oci::Digest> {
        match is_present(self.built) {
            true => self.built.platforms.iter().map(|image| image.manifest).collect(),
            false => vec![self.summary.root.digest],
        }
    }

    /// The object of the JSON form.
    pub(crate) fn json(&self) -> Value {
        // What is known of the image that was built says nothing of another one that stays.
        let (platforms, layers) = if is_present(self.built) {
            (self.built.platforms.as_slice(), self.built.layers.as_slice())
        } else {
            Default::default()
        };
        let mut object = self.summary.json();
        let platforms = platforms.iter().map(|image| {
            json!({
                "platform": image.platform.to_string(),
                "digest": image.manifest,
                "config": image.config,
            })
        });
        let layers = layers.iter().map(|layer| {
            json!({
                "digest": layer.descriptor.digest,
                "diffId": layer.diff_id,
                "size": layer.descriptor.size,
                "mediaType": layer.descriptor.media_type,
                "files": layer.files.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        let base = self.base_name.as_ref();
        let base = base.map(|name| json!({"name": name, "digest": self.built.base_digest}));
        let migrations = json!({
            "version": self.version,
            "digest": self.built.set_digest,
            "scripts": self.scripts,
        });
        object.extend([
            ("platforms".to_owned(), platforms.collect()),
            ("base".to_owned(), json!(base)),
            ("layers".to_owned(), layers.collect()),
            ("migrations".to_owned(), migrations),
        ]);
        Value::Object(object)
    }
}

/// Whether what is there is the image that was built.
fn is_present(built: &Built) -> bool {
    built.present().digest == built.root.digest()
}
