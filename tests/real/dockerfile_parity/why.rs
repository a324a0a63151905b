//! Why builders differ. The page on Dockerfiles tells each of these to the user.

/// A difference between builders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Docker 20.10's own engine does not survive it.
    EngineEnds,
}

impl Why {
    /// The words of the page.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::EngineEnds => "the engine of Docker 20.10 ends at a Dockerfile without FROM",
        }
    }
}
