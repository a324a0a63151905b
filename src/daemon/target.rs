//! The daemon's store as a place an image is written to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Daemon, DaemonError};
use crate::content::saved;
use crate::content::verify::collect;
use crate::content::{Blob, CONFIG_LIMIT, ContentError, Kind, Placement, Result, Target};
use crate::oci::{Body, Digest, ImageConfig, ImageManifest, Manifest, Tag};
use crate::progress::{Event, Progress};

/// The store of a daemon, which gets one image: of an index, the one for its platform.
///
/// The image is loaded without a name, and gets its names when all else is done. The store keeps no manifest, so nobody
/// can ask it for the image's digest.
#[derive(Debug)]
pub struct DaemonTarget {
    daemon: Daemon,
    names: Vec<String>,
    progress: Arc<dyn Progress>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    blobs: BTreeMap<Digest, Blob>,
    images: BTreeMap<Digest, ImageManifest>,
    root: Option<Manifest>,
    loaded: Option<Loaded>,
}

/// What became of the image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What the daemon calls it.
    pub id: String,
    /// Whether it was there before under all its names, and nothing was written.
    pub is_unchanged: bool,
}

/// An image whose config was read.
struct Chosen {
    manifest: ImageManifest,
    blobs: BTreeMap<Digest, Blob>,
    config: ImageConfig,
}

impl DaemonTarget {
    /// The store of `daemon`, where the image gets these full names (`repository:tag`).
    #[must_use]
    pub fn new(daemon: Daemon, names: Vec<String>, progress: Arc<dyn Progress>) -> Self {
        Self {
            daemon,
            names,
            progress,
            state: Mutex::default(),
        }
    }

    /// What became of the image, once it is there.
    #[must_use]
    pub fn loaded(&self) -> Option<Loaded> {
        self.state().loaded.clone()
    }

    /// The names the image gets.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The image the daemon can run.
    fn choose(&self, state: &State) -> Result<Option<ImageManifest>> {
        let what = || format!("cannot load the image into {}", self.place());
        let Some(root) = &state.root else { return Ok(None) };
        let digest = match &root.body {
            Body::Image(_) => root.digest(),
            Body::Index(index) => {
                let platform = self.daemon.platform();
                let Some(child) = index.image_for(platform) else {
                    let offered: Vec<_> = index.images().map(|(_, platform)| platform.to_string()).collect();
                    return Err(ContentError::new(Kind::Usage, what())
                        .because(format!("it is not there for {platform}, which the daemon runs"))
                        .hint(format!(
                            "choose one of its platforms with --platform: {}",
                            offered.join(", ")
                        )));
                };
                child.digest
            }
        };
        let image = state
            .images
            .get(&digest)
            .ok_or_else(|| ContentError::new(Kind::Other, what()).because(format!("manifest {digest} was not put")))?;
        saved::check(image, &digest, "what a daemon loads", &self.place())
            .map_err(|error| error.hint("build on a base whose layers are compressed with gzip"))?;
        Ok(Some(image.clone()))
    }

    async fn read_config(&self, manifest: ImageManifest, blobs: BTreeMap<Digest, Blob>) -> Result<Chosen> {
        let what = || format!("cannot read config {} for {}", manifest.config.digest, self.place());
        let blob = blobs.get(&manifest.config.digest);
        let blob = blob.ok_or_else(|| ContentError::new(Kind::Other, what()).because("it was not put"))?;
        if blob.descriptor.size > CONFIG_LIMIT {
            return Err(ContentError::new(Kind::Invalid, what()).because("it is larger than any config"));
        }
        let bytes = collect(blob.open().await?, blob.descriptor.size).await?;
        let config = ImageConfig::parse(&bytes);
        let config = config.map_err(|error| ContentError::new(Kind::Invalid, what()).because(error))?;
        Ok(Chosen {
            config,
            manifest,
            blobs,
        })
    }

    /// Loads the image unless it is there, without a name; returns what the daemon calls it.
    async fn store(&self, chosen: &Chosen) -> Result<(String, bool)> {
        let invalid = |error| {
            let what = format!("cannot load the image into {}", self.place());
            ContentError::new(Kind::Invalid, what).because(error)
        };
        let diff_ids = chosen.config.diff_ids().map_err(invalid)?;
        let platform = chosen.config.platform().map_err(invalid)?;
        if !self.daemon.platform().accepts(&platform) {
            self.progress.on(&Event::Notice(&format!(
                "the image is for {platform} and the daemon runs {}: it needs emulation there",
                self.daemon.platform()
            )));
        }
        let by_config = chosen.manifest.config.digest.to_string();
        if self.daemon.image(&by_config).await?.is_some() {
            return Ok((by_config, true));
        }
        let layers: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
        let known = self.daemon.known_layers(&layers).await?;
        let said = match self.send(chosen, known).await {
            // Not every daemon finds layers of other images by itself.
            Err(DaemonError::Refused { .. }) if known > 0 => self.send(chosen, 0).await?,
            result => result?,
        };
        for name in said.into_iter().chain([by_config.clone()]) {
            if let Some(image) = self.daemon.image(&name).await? {
                return Ok((image.id, false));
            }
        }
        Err(ContentError::new(
            Kind::Other,
            format!("{} took the image, and has no {by_config} now", self.place()),
        ))
    }

    async fn send(&self, chosen: &Chosen, known: usize) -> std::result::Result<Option<String>, DaemonError> {
        let place = self.place();
        let members = saved::members(&chosen.manifest, &[], &chosen.blobs, known, &place)?;
        for layer in chosen.manifest.layers.iter().take(known) {
            self.progress.on(&Event::BlobFinished {
                place: &place,
                digest: &layer.digest,
                size: layer.size,
                placement: Placement::Present,
            });
        }
        self.daemon.load(members, &place, &self.progress).await
    }

    /// Gives the image those of its names it does not have; returns whether it had all of them.
    async fn name(&self, id: &str) -> Result<bool> {
        let mut had_all = true;
        for name in &self.names {
            let named = self.daemon.image(name).await?;
            if named.is_some_and(|image| image.id == id) {
                continue;
            }
            had_all = false;
            self.daemon.name(id, name).await?;
            let now = self.daemon.image(name).await?.map(|image| image.id);
            if now.as_deref() != Some(id) {
                let now = now.unwrap_or_else(|| "nothing".to_owned());
                let what = format!("{} calls {name} {now}, and {id} was put there", self.place());
                return Err(ContentError::new(Kind::Other, what).hint("another program may have moved the name"));
            }
        }
        Ok(had_all)
    }
}

#[async_trait]
impl Target for DaemonTarget {
    fn place(&self) -> String {
        self.daemon.place()
    }

    async fn tagged(&self, _tag: &Tag) -> Result<Option<Digest>> {
        Ok(None)
    }

    fn is_replaced(&self) -> bool {
        true
    }

    async fn put(&self, blob: &Blob) -> Result<Placement> {
        self.state().blobs.insert(blob.descriptor.digest, blob.clone());
        // It is sent with all others, which is told then.
        Ok(Placement::Noted)
    }

    async fn put_manifest(&self, manifest: &Manifest, _tag: Option<&Tag>) -> Result<()> {
        let mut state = self.state();
        if let Body::Image(image) = &manifest.body {
            state.images.insert(manifest.digest(), image.clone());
        }
        // The one that names the others comes last.
        state.root = Some(manifest.clone());
        Ok(())
    }

    async fn seal(&self) -> Result<()> {
        let (image, blobs) = {
            let mut state = self.state();
            let image = self.choose(&state)?;
            state.root = None;
            (image, std::mem::take(&mut state.blobs))
        };
        let Some(image) = image else { return Ok(()) };
        let chosen = self.read_config(image, blobs).await?;
        let (id, is_unchanged) = self.store(&chosen).await?;
        self.state().loaded = Some(Loaded { id, is_unchanged });
        Ok(())
    }

    async fn commit(&self) -> Result<()> {
        self.seal().await?;
        let Some(loaded) = self.loaded() else { return Ok(()) };
        let had_all = self.name(&loaded.id).await?;
        let is_unchanged = loaded.is_unchanged && had_all;
        if !is_unchanged {
            let names = self.names.join(", ");
            let what = if names.is_empty() { "it".to_owned() } else { names };
            self.progress.on(&Event::Loaded {
                place: &self.place(),
                names: &what,
                id: &loaded.id,
            });
        }
        self.state().loaded = Some(Loaded { is_unchanged, ..loaded });
        Ok(())
    }
}
