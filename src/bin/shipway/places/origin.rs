//! Where an image of the daemon came from.

#[cfg(feature = "daemon")]
use shipway::content::Selector;
use shipway::content::{KnownLayers, Location};
use shipway::error::Error;

use super::Places;

impl Places {
    /// The image in a registry that one of the daemon was pulled as, with the layers it was pulled with; `None` where it
    /// was not, or is not there any more.
    pub(crate) async fn pulled_from(&self, location: &Location) -> Result<Option<KnownLayers>, Error> {
        #[cfg(feature = "daemon")]
        if let Location::DockerDaemon(name) = location {
            let image = self.daemon().await?.image(name).await?;
            let mut digests = image.map(|image| image.digests).unwrap_or_default();
            // One image may have been pulled under several digests: its config says nothing of the form of its manifest.
            // The one that its name has in the registry goes first.
            if digests.len() > 1
                && let Ok(named) = name.parse::<shipway::oci::Reference>()
                && let Ok(source) = self.repository(&named.repository).await
                && let Ok(root) = source.resolve(&Selector::of(&named)).await
            {
                let its_own = root.digest().to_string();
                digests.sort_by_key(|text| !text.ends_with(&its_own));
            }
            for text in digests {
                let Ok(reference) = text.parse::<shipway::oci::Reference>() else {
                    continue;
                };
                // It only saves work: whatever keeps it from being read is no reason not to go on.
                let Ok(source) = self.repository(&reference.repository).await else {
                    continue;
                };
                let selector = Selector::of(&reference);
                if source.resolve(&selector).await.is_ok() {
                    return Ok(Some(KnownLayers::of(source, selector)));
                }
            }
        }
        let _ = location;
        Ok(None)
    }
}
