//! Media types of manifests, configs and layers, in the OCI and the Docker family.

/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image config.
pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// OCI layer, a tar file that is not compressed.
pub const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// OCI layer, a tar file compressed with gzip.
pub const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// OCI layer, a tar file compressed with zstd.
pub const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// Docker manifest list, the older form of an index.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker image config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Docker layer, a tar file that is not compressed.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
/// Docker layer, a tar file compressed with gzip.
pub const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// Docker image manifest, schema 1: obsolete, recognised only to be refused by name.
pub const DOCKER_SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1";

/// The manifests shipway reads, as one `Accept` value.
pub const ACCEPT_MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// The same, and those of schema 1: a registry that is not asked for them says the image is not there.
pub const ACCEPT_ALL_MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1, \
    application/vnd.docker.distribution.manifest.v1+json;q=0.1";

/// The two families a manifest's media types come from.
///
/// Strict readers refuse a manifest that mixes them, so a derived image stays in the family of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Types of the OCI image specification.
    Oci,
    /// Types of Docker's schema 2.
    Docker,
}

impl Family {
    /// The family of a manifest's or an index's media type.
    #[must_use]
    pub fn of(media_type: &str) -> Self {
        if media_type.starts_with("application/vnd.docker.") {
            Self::Docker
        } else {
            Self::Oci
        }
    }

    /// The type of an index.
    #[must_use]
    pub fn index(self) -> &'static str {
        match self {
            Self::Oci => OCI_INDEX,
            Self::Docker => DOCKER_INDEX,
        }
    }

    /// The type of an image manifest.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Oci => OCI_MANIFEST,
            Self::Docker => DOCKER_MANIFEST,
        }
    }

    /// The type of an image config.
    #[must_use]
    pub fn config(self) -> &'static str {
        match self {
            Self::Oci => OCI_CONFIG,
            Self::Docker => DOCKER_CONFIG,
        }
    }

    /// The type of a layer compressed with gzip.
    #[must_use]
    pub fn layer_gzip(self) -> &'static str {
        match self {
            Self::Oci => OCI_LAYER_GZIP,
            Self::Docker => DOCKER_LAYER_GZIP,
        }
    }

    /// The name of the same layer bytes in this family; `None` where the family has no word for them (zstd in
    /// Docker's). Types of neither family are returned as they are.
    #[must_use]
    pub fn layer(self, media_type: &str) -> Option<&str> {
        match (self, media_type) {
            (Self::Oci, DOCKER_LAYER) => Some(OCI_LAYER),
            (Self::Oci, DOCKER_LAYER_GZIP) => Some(OCI_LAYER_GZIP),
            (Self::Docker, OCI_LAYER) => Some(DOCKER_LAYER),
            (Self::Docker, OCI_LAYER_GZIP) => Some(DOCKER_LAYER_GZIP),
            (Self::Docker, OCI_LAYER_ZSTD) => None,
            (_, other) => Some(other),
        }
    }
}

/// Whether the type is that of an index, in either family.
#[must_use]
pub fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_INDEX)
}

/// Whether the type is that of an image manifest, in either family.
#[must_use]
pub fn is_image(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// Whether it is a type of manifest that is known here.
#[must_use]
pub fn is_manifest(media_type: &str) -> bool {
    is_image(media_type) || is_index(media_type)
}

/// Whether the type is that of a layer that may not be passed on.
#[must_use]
pub fn is_foreign(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
        || media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
}

/// Whether the type is that of an image config, in either family.
#[must_use]
pub fn is_config(media_type: &str) -> bool {
    matches!(media_type, OCI_CONFIG | DOCKER_CONFIG)
}

/// How the bytes of a layer are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
    /// With zstd.
    Zstd,
}

impl Compression {
    /// Tells it from the first bytes, which never lie, where media types sometimes do.
    #[must_use]
    pub fn detect(first_bytes: &[u8]) -> Self {
        match first_bytes {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_keeps_its_bytes_and_changes_its_name() {
        assert_eq!(Family::Docker.layer(OCI_LAYER_GZIP), Some(DOCKER_LAYER_GZIP));
        assert_eq!(Family::Oci.layer(DOCKER_LAYER), Some(OCI_LAYER));
        assert_eq!(Family::Oci.layer(OCI_LAYER_ZSTD), Some(OCI_LAYER_ZSTD));
        assert_eq!(Family::Docker.layer(OCI_LAYER_ZSTD), None);
    }

    #[test]
    fn the_family_follows_the_manifest() {
        assert_eq!(Family::of(DOCKER_INDEX), Family::Docker);
        assert_eq!(Family::of(OCI_MANIFEST), Family::Oci);
    }
}
