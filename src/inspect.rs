//! What an image holds, read from any place.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::Value;
use tokio_util::io::{StreamReader, SyncIoBridge};

mod files;
mod shipped;

pub use files::migrations_of;
pub use shipped::Shipped;

use crate::build::HISTORY_COMMENT;
use crate::content::{self, CONFIG_LIMIT, ContentError, Kind, Selector, Source};
use crate::oci::{Body, Descriptor, Digest, ImageConfig, ImageManifest, Manifest, Platform};

/// Most bytes a layer of ours is unpacked to while its files are listed, for each byte it has: text compresses to a
/// twentieth, a gzip bomb to a thousandth.
const MOST_EXPANSION: u64 = 200;
/// What is allowed besides.
const FREE_EXPANSION: u64 = 64 * 1024 * 1024;

/// An image, for one platform or several.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inspection {
    /// Digest of the manifest or index.
    pub digest: Digest,
    /// Its type.
    pub media_type: String,
    /// Its annotations.
    pub annotations: Value,
    /// The platforms.
    pub platforms: Vec<PlatformInspection>,
}

/// The image for one platform.
#[derive(Debug, Serialize)]
pub struct PlatformInspection {
    /// The platform, as `os/architecture[/variant]`.
    pub platform: String,
    /// Digest of the manifest.
    pub digest: Digest,
    /// The layers, the base's first.
    pub layers: Vec<LayerInspection>,
    /// The whole image config.
    pub config: Value,
    /// The labels.
    pub labels: BTreeMap<String, String>,
}

/// A layer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerInspection {
    /// Digest of the layer.
    pub digest: Digest,
    /// Number of compressed bytes.
    pub size: u64,
    /// Its type.
    pub media_type: String,
    /// What made it.
    pub created_by: Option<String>,
    /// Whether shipway made it.
    pub new: bool,
    /// Its files, for layers shipway made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileInspection>>,
}

/// A file of a layer.
#[derive(Debug, Serialize)]
pub struct FileInspection {
    /// Its path.
    pub path: String,
    /// Its permissions, in octal digits.
    pub mode: String,
    /// Its length in bytes.
    pub size: u64,
    /// What a link points to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Reads what there is to know about an image; of its layers only those shipway made.
///
/// # Errors
/// When the image, or the platform, is not there, or something cannot be read.
pub async fn inspect(
    source: &Arc<dyn Source>,
    selector: &Selector,
    wanted: Option<&Platform>,
) -> content::Result<Inspection> {
    let root = source.resolve(selector).await?;
    let (annotations, images) = match &root.body {
        Body::Image(image) => (&image.annotations, vec![(None, root.digest(), image.clone())]),
        Body::Index(index) => {
            let children = index
                .manifests
                .iter()
                .filter(|child| !child.is_attestation())
                .filter(|child| match (wanted, &child.platform) {
                    (Some(wanted), Some(offered)) => wanted.accepts(offered),
                    _ => true,
                })
                .map(|child| read_child(source, child));
            (
                &index.annotations,
                try_join_all(children).await?.into_iter().flatten().collect(),
            )
        }
    };
    let offered = match &root.body {
        Body::Index(index) => index
            .manifests
            .iter()
            .filter_map(|child| child.platform.clone())
            .collect(),
        Body::Image(_) => Vec::new(),
    };
    let platforms = images
        .iter()
        .map(|(platform, digest, image)| platform_of(source, platform.as_ref(), *digest, image));
    let mut platforms = try_join_all(platforms).await?;
    if let Some(wanted) = wanted {
        platforms.retain(|found| {
            found
                .platform
                .parse()
                .is_ok_and(|offered: Platform| wanted.accepts(&offered))
        });
        if platforms.is_empty() {
            return Err(not_there(source, wanted, offered));
        }
    }
    Ok(Inspection {
        digest: root.digest(),
        media_type: root.descriptor.media_type.clone(),
        annotations: Value::Object(annotations.clone()),
        platforms,
    })
}

fn not_there(source: &Arc<dyn Source>, wanted: &Platform, offered: Vec<Platform>) -> ContentError {
    let error = ContentError::new(
        Kind::Usage,
        format!("the image in {} is not there for {wanted}", source.place()),
    );
    let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
    if offered.is_empty() {
        error
    } else {
        error.hint(format!("there is: {}", offered.join(", ")))
    }
}

type Child = (Option<Platform>, Digest, ImageManifest);

async fn read_child(source: &Arc<dyn Source>, child: &Descriptor) -> content::Result<Option<Child>> {
    let manifest: Manifest = source.resolve(&Selector::Digest(child.digest)).await?;
    Ok(match manifest.body {
        Body::Image(image) => Some((child.platform.clone(), child.digest, image)),
        Body::Index(_) => None,
    })
}

async fn platform_of(
    source: &Arc<dyn Source>,
    platform: Option<&Platform>,
    digest: Digest,
    image: &ImageManifest,
) -> content::Result<PlatformInspection> {
    let bytes = content::read(source, &image.config, CONFIG_LIMIT).await?;
    let wrong = |error| {
        ContentError::new(
            Kind::Invalid,
            format!("the config of {digest} in {} cannot be used", source.place()),
        )
        .because(error)
    };
    let config = ImageConfig::parse(&bytes).map_err(wrong)?;
    let history: Vec<_> = config
        .history()
        .map_err(wrong)?
        .into_iter()
        .filter(|entry| !entry.empty_layer)
        .collect();
    let mut layers = Vec::new();
    for (number, layer) in image.layers.iter().enumerate() {
        let entry = history.get(number);
        let is_new = entry.is_some_and(|entry| entry.comment.as_deref() == Some(HISTORY_COMMENT));
        layers.push(LayerInspection {
            digest: layer.digest,
            size: layer.size,
            media_type: layer.media_type.clone(),
            created_by: entry.and_then(|entry| entry.created_by.clone()),
            new: is_new,
            files: if is_new {
                Some(files(source, layer).await?)
            } else {
                None
            },
        });
    }
    Ok(PlatformInspection {
        platform: match platform {
            Some(platform) => platform.to_string(),
            None => config.platform().map_err(wrong)?.to_string(),
        },
        digest,
        layers,
        config: serde_json::from_slice(&bytes).map_err(|error| wrong(error.into()))?,
        labels: config.labels().map_err(wrong)?,
    })
}

async fn files(source: &Arc<dyn Source>, layer: &Descriptor) -> content::Result<Vec<FileInspection>> {
    let stream = source.fetch(layer).await?.map_err(std::io::Error::other);
    let bridge = SyncIoBridge::new(StreamReader::new(Box::pin(stream)));
    let limit = layer.size.saturating_mul(MOST_EXPANSION).saturating_add(FREE_EXPANSION);
    let wrong = || {
        ContentError::new(
            Kind::Invalid,
            format!("cannot list layer {} of {}", layer.digest, source.place()),
        )
    };
    tokio::task::spawn_blocking(move || list(flate2::read::GzDecoder::new(bridge).take(limit)))
        .await
        .map_err(|error| wrong().because(error))?
        .map_err(|error| wrong().because(error))
}

fn list(reader: impl Read) -> std::io::Result<Vec<FileInspection>> {
    let mut archive = tar::Archive::new(reader);
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_dir() {
            continue;
        }
        files.push(FileInspection {
            path: format!("/{}", String::from_utf8_lossy(&entry.path_bytes())),
            mode: format!("{:04o}", entry.header().mode()?),
            size: entry.size(),
            link: entry
                .link_name_bytes()
                .map(|link| String::from_utf8_lossy(&link).into_owned()),
        });
    }
    Ok(files)
}
