//! The names one registry goes by in the files of Docker and Podman.

/// The registry short names stand for, as this project names it.
const DOCKER_HUB: &str = "docker.io";

/// The other hosts Docker Hub has gone by.
const DOCKER_HUB_ALIASES: [&str; 2] = ["index.docker.io", "registry-1.docker.io"];

/// The address under which `docker login` has kept Docker Hub's credentials since the first registry protocol.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The one name of a host: Docker Hub's is `docker.io`, others are what they are in lower case.
pub(super) fn canonical(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if DOCKER_HUB_ALIASES.contains(&host.as_str()) {
        DOCKER_HUB.to_owned()
    } else {
        host
    }
}

/// The address to ask a helper program about.
pub(super) fn server(canonical_host: &str) -> &str {
    if canonical_host == DOCKER_HUB {
        DOCKER_HUB_SERVER
    } else {
        canonical_host
    }
}

/// What a key of a credentials file stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// The canonical host.
    host: String,
    /// Podman's narrowing to the repositories below a path; empty for the whole registry.
    path: String,
    /// Whether the key is a bare name and not an address of an older Docker.
    bare: bool,
}

impl Key {
    pub(super) fn parse(text: &str) -> Self {
        let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let (host, path) = address
            .unwrap_or(text)
            .split_once('/')
            .unwrap_or((address.unwrap_or(text), ""));
        let path = path.trim_matches('/');
        // An address names a registry, and so does what ends in the version of a protocol; any other path is Podman's.
        let whole = address.is_some() || matches!(path, "" | "v1" | "v2");
        Self {
            host: canonical(host),
            path: if whole { String::new() } else { path.to_owned() },
            bare: address.is_none() && (!whole || path.is_empty()),
        }
    }

    /// How closely the key fits a repository, the closest last; none if it does not fit.
    pub(super) fn fit(&self, canonical_host: &str, repository: &str) -> Option<(usize, bool)> {
        let below = repository.strip_prefix(&self.path);
        let within = self.path.is_empty() || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        (self.host == canonical_host && within).then_some((self.path.len(), self.bare))
    }

    /// Whether the key stands for the whole registry `canonical_host`.
    pub(super) fn is_registry(&self, canonical_host: &str) -> bool {
        self.path.is_empty() && self.host == canonical_host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn historic_keys_name_one_registry() {
        for key in [
            "docker.io",
            "index.docker.io",
            "https://index.docker.io/v1/",
            "https://index.docker.io/v2/",
            "registry-1.docker.io",
            "docker.io/",
            "index.docker.io/v1/",
            "http://Docker.io",
        ] {
            assert!(Key::parse(key).is_registry("docker.io"), "{key}");
        }
        for key in [
            "host:5000",
            "https://host:5000",
            "https://host:5000/v2/",
            "HOST:5000/v2",
            "http://host:5000/x/y",
        ] {
            assert!(Key::parse(key).is_registry("host:5000"), "{key}");
        }
        assert!(!Key::parse("host").is_registry("host:5000"));
    }

    #[test]
    fn the_longest_path_fits_best() {
        let fit = |key: &str| Key::parse(key).fit("host", "team/app");
        let ordered = ["https://host/v1/", "host", "host/team", "host/team/app"];
        for pair in ordered.windows(2) {
            assert!(fit(pair[0]).unwrap() < fit(pair[1]).unwrap(), "{pair:?}");
        }
        for key in ["host/te", "host/team/app/x", "host/other", "other"] {
            assert_eq!(fit(key), None, "{key}");
        }
    }
}
