//! Mode and owner of a file in a layer.

/// Mode and owner of a file or directory in a layer (image specification, "Layer Filesystem Changeset", file attributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The permission bits, those for set-id and sticky included.
    pub mode: u32,
    /// Number of the owner.
    pub uid: u64,
    /// Number of the group.
    pub gid: u64,
}

impl Attributes {
    /// What an unpacker gives a directory that no layer has an entry for, and what new ones get.
    pub const PLAIN: Self = Self::of_root(0o755);

    /// A mode, and root as the owner.
    #[must_use]
    pub const fn of_root(mode: u32) -> Self {
        Self { mode, uid: 0, gid: 0 }
    }

    /// The mode of a file as git knows it: one for programs, one for all else.
    #[must_use]
    pub const fn of_file(executable: bool) -> Self {
        Self::of_root(if executable { 0o755 } else { 0o644 })
    }
}
