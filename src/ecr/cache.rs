//! Repositories that a pull-through cache fills, as far as their names tell.

/// Prefixes Amazon ECR's console proposes for pull-through caches, for when its rules may not be asked for.
const USUAL_PREFIXES: [&str; 5] = ["docker-hub/", "ecr-public/", "kubernetes/", "quay/", "github/"];

/// Whether the path of a repository begins as those of pull-through caches usually do.
#[must_use]
pub fn is_usual_cache(path: &str) -> bool {
    USUAL_PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}
