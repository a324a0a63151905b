//! Loading an image into the daemon.

use std::sync::Arc;

use bollard::models::BuildInfo;
use bollard::query_parameters::{ImportImageOptions, TagImageOptions};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::body::Sending;
use super::{Daemon, DaemonError};
use crate::content::saved::{Member, tar};
use crate::oci::Digest;
use crate::progress::{Event, Progress};

/// Images asked for their layers at a time.
const QUESTIONS_AT_ONCE: usize = 8;
/// Most images asked for their layers. A machine that builds all day has some hundreds.
const QUESTIONS_LIMIT: usize = 500;
/// Size of a tar header.
const HEADER: u64 = 512;

/// An image in the daemon's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredImage {
    /// What the daemon calls it: the digest of its config, or of its manifest where it keeps those.
    pub id: String,
    /// The digests of its layers, not compressed, the lowest first.
    pub layers: Vec<String>,
    /// Its names by digest, `repository@sha256:…`, as registries it was pulled from or pushed to have it.
    pub digests: Vec<String>,
}

impl Daemon {
    /// An image by its name or identity; `None` where there is none.
    ///
    /// # Errors
    /// When the daemon cannot be asked.
    pub async fn image(&self, name: &str) -> Result<Option<StoredImage>, DaemonError> {
        match self.docker().inspect_image(name).await {
            Ok(image) => Ok(image.id.map(|id| StoredImage {
                id,
                layers: image.root_fs.and_then(|root| root.layers).unwrap_or_default(),
                digests: image.repo_digests.unwrap_or_default(),
            })),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            Err(error) => Err(self.failure(format!("cannot look for image {name}"), error)),
        }
    }

    /// How many of these layers, the lowest first, the daemon holds as layers of other images.
    ///
    /// # Errors
    /// When the daemon cannot be asked.
    pub(super) async fn known_layers(&self, layers: &[String]) -> Result<usize, DaemonError> {
        let what = "cannot list its images";
        let images = self
            .docker()
            .list_images(None::<bollard::query_parameters::ListImagesOptions>);
        let images = images.await.map_err(|error| self.failure(what, error))?;
        let common = images.into_iter().take(QUESTIONS_LIMIT).map(|image| async move {
            // One that goes meanwhile holds nothing.
            let image = self.image(&image.id).await?;
            let held = image.map(|image| image.layers).unwrap_or_default();
            let same = layers.iter().zip(&held).take_while(|(ours, theirs)| ours == theirs);
            Ok::<_, DaemonError>(same.count())
        });
        let common: Vec<usize> = stream::iter(common)
            .buffer_unordered(QUESTIONS_AT_ONCE)
            .try_collect()
            .await?;
        Ok(common.into_iter().max().unwrap_or_default())
    }

    /// Loads an archive; returns what the daemon calls the image, where it says so.
    ///
    /// # Errors
    /// When it cannot be read, sent, or is refused.
    pub(super) async fn load(
        &self,
        members: Vec<Member>,
        place: &str,
        progress: &Arc<dyn Progress>,
    ) -> Result<Option<String>, DaemonError> {
        let what = || format!("cannot load the image into {place}");
        let sending = Sending::default();
        let mut passing = Passing::of(&members, place, progress);
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let body = sending.watch(tar(members, place), move |position| {
            let _ = told.send(position);
        });
        let client = self.patient();
        let loading = async {
            let answers = client.import_image_stream(ImportImageOptions::default(), body, None);
            let mut answers = std::pin::pin!(answers);
            let mut loaded = None;
            while let Some(answer) = answers.next().await {
                let answer = answer.map_err(|error| self.failure(what(), error))?;
                loaded = identity(&answer).or(loaded);
            }
            Ok(loaded)
        };
        let watching = async {
            while let Some(position) = heard.recv().await {
                passing.reached(position);
            }
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = loading => result,
            () = sending.stalled(self.timeout) => Err(DaemonError::Silent {
                what: what(),
                place: self.place.clone(),
            }),
            () = watching => Ok(None),
        };
        while let Ok(position) = heard.try_recv() {
            passing.reached(position);
        }
        match (result, sending.failure()) {
            (Err(_), Some(ours)) => Err(ours),
            (result, _) => result,
        }
    }

    /// Gives an image one more name, `repository:tag`.
    ///
    /// # Errors
    /// When it is refused.
    pub(super) async fn name(&self, id: &str, name: &str) -> Result<(), DaemonError> {
        let (repository, tag) = split(name);
        let options = TagImageOptions {
            repo: Some(repository.to_owned()),
            tag: tag.map(str::to_owned),
        };
        let named = self.docker().tag_image(id, Some(options)).await;
        named.map_err(|error| self.failure(format!("cannot name the image {name}"), error))
    }
}

/// `repository:tag`; a colon before the last slash belongs to a port.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

/// What the daemon says it loaded: `Loaded image ID: sha256:…`, or `Loaded image: name`.
fn identity(answer: &BuildInfo) -> Option<String> {
    let (words, identity) = answer.stream.as_deref()?.trim().rsplit_once(": ")?;
    let is_loaded = words.starts_with("Loaded image");
    let identity = identity.trim();
    // Podman gives the digits alone.
    let is_digits = identity.len() == 64 && format!("sha256:{identity}").parse::<Digest>().is_ok();
    is_loaded.then(|| match is_digits {
        true => format!("sha256:{identity}"),
        false => identity.to_owned(),
    })
}

/// Tells which blob of the archive is on its way.
struct Passing<'a> {
    place: &'a str,
    progress: &'a Arc<dyn Progress>,
    /// Where each blob starts, its digest and its size, the next one last.
    coming: Vec<(u64, Digest, u64)>,
    current: Option<(u64, Digest, u64)>,
}

impl<'a> Passing<'a> {
    fn of(members: &[Member], place: &'a str, progress: &'a Arc<dyn Progress>) -> Self {
        let mut coming = Vec::new();
        let mut position = 0;
        for member in members {
            let descriptor = &member.blob.descriptor;
            position += HEADER;
            coming.push((position, descriptor.digest, descriptor.size));
            position += descriptor.size.next_multiple_of(HEADER);
        }
        // What names the image is no part of it.
        coming.remove(0);
        coming.reverse();
        Self {
            place,
            progress,
            coming,
            current: None,
        }
    }

    fn reached(&mut self, position: u64) {
        loop {
            if let Some((start, digest, size)) = self.current {
                let place = self.place;
                let done = position.saturating_sub(start).min(size);
                self.progress.on(&Event::BlobAdvanced {
                    place,
                    digest: &digest,
                    position: done,
                });
                if done < size {
                    return;
                }
                self.progress.on(&Event::BlobFinished {
                    place,
                    digest: &digest,
                    size,
                    placement: crate::content::Placement::Sent,
                });
                self.current = None;
            }
            match self.coming.last() {
                Some((start, ..)) if *start <= position => {}
                _ => return,
            }
            self.current = self.coming.pop();
            if let Some((_, digest, size)) = &self.current {
                self.progress.on(&Event::BlobStarted {
                    place: self.place,
                    digest,
                    size: *size,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(split("a.b:5000/c"), ("a.b:5000/c", None));
        assert_eq!(split("a.b:5000/c:1"), ("a.b:5000/c", Some("1")));
        assert_eq!(split("c"), ("c", None));
    }

    #[test]
    fn daemons_say_differently_what_they_loaded() {
        let said = |text: &str| {
            identity(&BuildInfo {
                stream: Some(text.to_owned()),
                ..BuildInfo::default()
            })
        };
        let digits = "ab".repeat(32);
        let full = Some(format!("sha256:{digits}"));
        assert_eq!(said(&format!("Loaded image ID: sha256:{digits}\n")), full);
        assert_eq!(said(&format!("Loaded image: {digits}")), full);
        assert_eq!(said("Loaded image: a.b:5/c:1\n"), Some("a.b:5/c:1".to_owned()));
        assert_eq!(said("Loading layer"), None);
    }
}
