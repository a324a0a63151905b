//! Images that go into the Docker daemon: what became of them is known only when they are there.

use shipway::content::Delivered;

#[cfg(feature = "daemon")]
use std::sync::Arc;

#[cfg(feature = "daemon")]
use shipway::content::Status;
#[cfg(feature = "daemon")]
use shipway::daemon::DaemonTarget;

#[cfg(feature = "daemon")]
use crate::places::Places;

/// The targets that are stores of a daemon, with the number of their delivery.
#[derive(Debug, Default)]
pub(super) struct Loads {
    #[cfg(feature = "daemon")]
    targets: Vec<(usize, Arc<DaemonTarget>)>,
}

#[cfg(feature = "daemon")]
impl Loads {
    /// The daemon's store for the delivery with this number.
    pub(super) async fn target(
        &mut self,
        index: usize,
        places: &Places,
        names: Vec<String>,
    ) -> anyhow::Result<Arc<DaemonTarget>> {
        let daemon = places.daemon().await?.clone();
        let target = Arc::new(DaemonTarget::new(daemon, names, Arc::clone(&places.progress)));
        self.targets.push((index, Arc::clone(&target)));
        Ok(target)
    }

    /// Says of deliveries that they changed nothing, where that turned out.
    pub(super) fn correct(&self, delivered: &mut [Delivered]) {
        for (index, target) in &self.targets {
            let is_unchanged = target.loaded().is_some_and(|loaded| loaded.is_unchanged);
            if let Some(delivered) = delivered.get_mut(*index).filter(|_| is_unchanged) {
                delivered.status = Status::Unchanged;
            }
        }
    }

    /// Adds to the JSON form what the daemon calls the images.
    pub(super) fn tell(&self, told: &mut serde_json::Value) {
        let images = self.targets.iter().filter_map(|(_, target)| {
            let loaded = target.loaded()?;
            Some(serde_json::json!({"id": loaded.id, "names": target.names()}))
        });
        let images: Vec<_> = images.collect();
        if !images.is_empty() {
            told["loaded"] = images.into();
        }
    }
}

#[cfg(not(feature = "daemon"))]
impl Loads {
    /// Changes nothing.
    pub(super) fn correct(&self, _delivered: &mut [Delivered]) {}

    /// Adds nothing.
    pub(super) fn tell(&self, _told: &mut serde_json::Value) {}
}
