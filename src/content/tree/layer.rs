//! Reading the headers of one layer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::headers::Headers;
use super::listing::{Fact, Listing, Recorder};
use super::question::Questions;
use super::unpack::{limit, unpack};
use crate::content::{ContentError, Kind, Result, Source};
use crate::oci::Descriptor;

/// A failure of the stream, set aside: decompressors wrap what their reader reports beyond recognition.
type Failure = Arc<Mutex<Option<ContentError>>>;

/// Reads the layer's headers until every question is answered or the layer ends; returns the questions with what it
/// said, and its listing unless that is too long.
pub(super) async fn read(
    source: &Arc<dyn Source>,
    layer: &Descriptor,
    questions: Questions,
) -> Result<(Questions, Option<Listing>)> {
    let place = source.place();
    let limit = limit(layer.size);
    unpacked(source, layer, move |reader| walk(reader, limit, questions, place)).await
}

/// What a layer's bytes are read from, in a thread that may block.
pub(super) type LayerReader<'a> = &'a mut (dyn io::Read + Send);

/// Hands a layer's bytes to `read`, in a thread that may block.
pub(super) async fn unpacked<T: Send + 'static>(
    source: &Arc<dyn Source>,
    layer: &Descriptor,
    read: impl FnOnce(LayerReader<'_>) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let what = || format!("cannot look into layer {} of {}", layer.digest, source.place());
    let stream = source.fetch(layer).await.map_err(|error| {
        let is_foreign = is_foreign(layer) && error.kind() == Kind::NotFound;
        let error = error.within(what());
        if is_foreign {
            error.hint("it is a foreign layer, which registries need not hold; use a base without one")
        } else {
            error
        }
    })?;
    // Dropped with this future, which ends the stream and with it the thread that reads it.
    let (_guard, dropped) = tokio::sync::oneshot::channel::<()>();
    let failure = Failure::default();
    let aside = Arc::clone(&failure);
    let stream = stream.take_until(dropped).map(move |piece| {
        piece.map_err(|error| {
            *aside.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            io::Error::other("the layer cannot be read")
        })
    });
    let mut reader = SyncIoBridge::new(StreamReader::new(stream));
    let done = tokio::task::spawn_blocking(move || read(&mut reader)).await;
    done.map_err(|error| ContentError::new(Kind::Other, what()).because(error))?
        .map_err(
            |error| match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(failure) => failure.within(what()),
                None => ContentError::new(Kind::Invalid, what()).because(error),
            },
        )
}

fn walk(
    reader: LayerReader<'_>,
    limit: u64,
    mut questions: Questions,
    place: String,
) -> io::Result<(Questions, Option<Listing>)> {
    let mut recorder = Recorder::default();
    let (_, unpacked) = unpack(&mut *reader, limit)?;
    let mut headers = Headers::streaming(unpacked);
    while let Some(entry) = headers.next()? {
        let Some((path, fact)) = Fact::of(entry) else { continue };
        recorder.add(&path, &fact);
        questions.apply(&path, &fact);
        if questions.all_answered() {
            // The rest is not read, so the digest is not verified. That is safe: what was read decides only where new
            // entries go, the same bytes are verified by whoever unpacks the image, and what is remembered of them is
            // bound to this place. (A second entry of another kind for the same path would not be seen either; no
            // writer of layers makes one.)
            return Ok((questions, recorder.finish(place)));
        }
    }
    drop(headers);
    // Behind the end of the tar file there is padding at most, but only the stream's end says that it was verified.
    io::copy(reader, &mut io::sink())?;
    Ok((questions, recorder.finish(String::new())))
}

fn is_foreign(layer: &Descriptor) -> bool {
    let has_urls = layer
        .rest
        .get("urls")
        .and_then(|urls| urls.as_array())
        .is_some_and(|urls| !urls.is_empty());
    has_urls || layer.media_type.contains(".nondistributable.") || layer.media_type.contains(".foreign.")
}
