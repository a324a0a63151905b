//! What lies at a path of an image, learned from as few bytes as possible.
//!
//! The layers are read from the top down, headers only, and no further than the questions demand. What was read is
//! remembered by the layer's digest, so that a base is read once, not once for each image built on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Cache, ContentError, Kind, Result, Source};
use crate::oci::{Attributes, Descriptor, Digest};
use listing::{LISTING_LIMIT, Listing};
use question::Questions;

mod capture;
pub(crate) mod headers;
mod layer;
mod listing;
mod question;
pub(crate) mod unpack;
mod view;

pub use view::{View, Way, WayError, clamped};

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Nothing, or something only behind a symbolic link at one of the path's parents.
    Missing,
    /// A directory, be it only because something lies in it.
    Directory(Attributes),
    /// A file, or another name of one, a device or a pipe.
    File,
    /// A symbolic link, with its target as written.
    Link(String),
}

/// The file tree of an image, by its layers.
#[derive(Debug)]
pub struct Tree {
    source: Arc<dyn Source>,
    layers: Vec<Descriptor>,
    cache: Option<Cache>,
    listings: Mutex<Listings>,
}

/// What this tree has read itself, so that a second question about a layer costs nothing without a cache either.
#[derive(Debug, Default)]
struct Listings {
    by_layer: HashMap<Digest, Arc<Listing>>,
    size: usize,
}

impl Tree {
    /// The tree of an image whose layers lie at `source`, the lowest first.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, layers: Vec<Descriptor>, cache: Option<Cache>) -> Self {
        Self {
            source,
            layers,
            cache,
            listings: Mutex::default(),
        }
    }

    /// Tells what lies at each path. Paths have no leading slash (`opt/sql`).
    ///
    /// Symbolic links are not followed: below one everything is [`Node::Missing`], and the caller asks again with the
    /// link's target. A call that failed with [`Kind::Temporary`] may be made again; layers read to their end are not
    /// read anew.
    ///
    /// # Errors
    /// When a layer cannot be fetched, or is no tar file, or unpacks to absurdly much.
    pub async fn look_up(&self, paths: &BTreeSet<String>) -> Result<BTreeMap<String, Node>> {
        let mut questions = Questions::new(paths);
        for layer in self.layers.iter().rev() {
            if questions.all_answered() {
                break;
            }
            questions = self.ask(layer, questions).await?;
            questions.end_layer();
        }
        Ok(questions.into_answers(paths))
    }

    async fn ask(&self, layer: &Descriptor, questions: Questions) -> Result<Questions> {
        if let Some(listing) = self.remembered(layer).await? {
            let mut told = questions.clone();
            listing.visit(|path, fact| told.apply(path, fact));
            // An incomplete listing says what is there, never what is not.
            if listing.is_complete() || told.all_answered() {
                return Ok(told);
            }
        }
        let (questions, listing) = layer::read(&self.source, layer, questions).await?;
        if let Some(listing) = listing {
            self.remember(layer, listing).await?;
        }
        Ok(questions)
    }

    async fn remembered(&self, layer: &Descriptor) -> Result<Option<Arc<Listing>>> {
        let own = self
            .listings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_layer
            .get(&layer.digest)
            .cloned();
        let (None, Some(cache)) = (&own, self.cache.clone()) else {
            return Ok(own);
        };
        let digest = layer.digest;
        let bytes = blocking(move || cache.listing(&digest)).await?;
        let listing = bytes.and_then(|bytes| Listing::parse(&bytes)).map(Arc::new);
        Ok(listing.filter(|listing| listing.is_complete() || listing.place == self.source.place()))
    }

    async fn remember(&self, layer: &Descriptor, listing: Listing) -> Result<()> {
        let bytes = listing.to_bytes();
        {
            let mut own = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
            if own.size + bytes.len() <= LISTING_LIMIT {
                own.size += bytes.len();
                own.by_layer.insert(layer.digest, Arc::new(listing));
            }
        }
        let Some(cache) = self.cache.clone() else {
            return Ok(());
        };
        let digest = layer.digest;
        blocking(move || cache.keep_listing(&digest, &bytes)).await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ContentError::new(Kind::Other, "cannot use the cache").because(error))
}

#[cfg(test)]
mod tests;
