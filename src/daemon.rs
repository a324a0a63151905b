//! The local Docker daemon, or Podman's in its place.
