//! What the content of a script amounts to.

use sha2::{Digest as _, Sha256};

use super::checksum::Checksum;

/// What the content of one file amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// The SHA-256 digest of the bytes.
    pub sha256: [u8; 32],
    /// Flyway's checksum; none for a file that is not UTF-8.
    pub checksum: Option<i32>,
    /// The number of bytes.
    pub size_bytes: u64,
}

/// Measures content piece by piece, for a caller that reads the file anyway.
#[derive(Debug, Clone, Default)]
pub struct Measuring {
    sha256: Sha256,
    checksum: Checksum,
    size_bytes: u64,
}

impl Measuring {
    /// Starts with no bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.checksum.update(bytes);
        self.size_bytes += bytes.len() as u64;
    }

    /// Returns what all bytes added amount to.
    #[must_use]
    pub fn finish(self) -> Measurement {
        Measurement {
            sha256: self.sha256.finalize().into(),
            checksum: self.checksum.finish().ok(),
            size_bytes: self.size_bytes,
        }
    }
}
