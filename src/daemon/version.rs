//! What a daemon says of itself, and the version of its API that both sides know.

use bollard::models::SystemVersion;

use super::{Connection, DaemonError};
use crate::oci::Platform;

/// What a daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonVersion {
    /// What it is: `Docker`, `Podman`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the API that is spoken with it.
    pub api_version: String,
    /// The platform of the images it runs.
    pub platform: Platform,
}

/// The newest version of the API that is understood here.
const NEWEST: Version = Version(1, 53);
/// The oldest: Docker 18.09, the first with BuildKit.
const OLDEST: Version = Version(1, 39);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Agrees with a daemon that said this of itself.
pub(super) fn agreed(told: SystemVersion, connection: &Connection, place: &str) -> Result<DaemonVersion, DaemonError> {
    let strange = |why: &str| DaemonError::NoDaemon {
        place: place.to_owned(),
        why: why.to_owned(),
    };
    let newest = told.api_version.as_deref().and_then(Version::parse);
    let newest = newest.ok_or_else(|| strange("its answer names no version of the API"))?;
    let oldest = told.min_api_version.as_deref().and_then(Version::parse);
    let range = (oldest.unwrap_or(Version(0, 0)), newest);
    let api_version = match &connection.api_version {
        Some(text) => Version::parse(text.trim_start_matches('v'))
            .ok_or_else(|| DaemonError::ApiVersion { text: text.clone() })?,
        None => newest.min(NEWEST),
    };
    if api_version < range.0 || api_version > range.1 || api_version < OLDEST {
        return Err(DaemonError::Apart {
            place: place.to_owned(),
            asked: api_version.to_string(),
            oldest: range.0.max(OLDEST).to_string(),
            newest: newest.to_string(),
        });
    }
    let (Some(os), Some(architecture)) = (told.os, told.arch) else {
        return Err(strange("its answer names no platform"));
    };
    let platform = format!("{os}/{}", go_name(&architecture)).parse::<Platform>();
    let platform = platform.map_err(|error| strange(&error.to_string()))?;
    let components = told.components.unwrap_or_default();
    let is_podman = components.iter().any(|component| component.name.contains("Podman"));
    Ok(DaemonVersion {
        name: if is_podman { "Podman" } else { "Docker" }.to_owned(),
        version: told.version.unwrap_or_default(),
        api_version: api_version.to_string(),
        platform,
    })
}

/// The name images have for an architecture, which daemons may call as the kernel does.
fn go_name(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::daemon::Host;

    fn agree(api: Option<&str>, least: &str, asked: Option<&str>) -> Result<DaemonVersion, DaemonError> {
        let told = SystemVersion {
            version: Some("20.10.24".to_owned()),
            api_version: api.map(str::to_owned),
            min_api_version: Some(least.to_owned()),
            os: Some("linux".to_owned()),
            arch: Some("x86_64".to_owned()),
            ..SystemVersion::default()
        };
        let connection = Connection {
            host: Host::Unix("/s".into()),
            api_version: asked.map(str::to_owned),
            timeout: Duration::from_secs(1),
        };
        agreed(told, &connection, "unix:///s")
    }

    #[test]
    fn the_newest_both_know_is_spoken() {
        let spoken = |api, least, asked| agree(api, least, asked).expect("they agree").api_version;
        assert_eq!(spoken(Some("1.41"), "1.12", None), "1.41");
        assert_eq!(spoken(Some("1.99"), "1.44", None), "1.53");
        assert_eq!(spoken(Some("1.52"), "1.44", Some("1.45")), "1.45");
        assert_eq!(
            agree(Some("1.41"), "1.12", None).expect("ok").platform.to_string(),
            "linux/amd64"
        );
    }

    #[test]
    fn daemons_too_old_or_too_new_are_refused() {
        for (api, least, asked) in [
            (Some("1.99"), "1.90", None),
            (Some("1.24"), "1.12", None),
            (Some("1.41"), "1.12", Some("1.44")),
            (Some("1.52"), "1.44", Some("1.41")),
        ] {
            let error = agree(api, least, asked).expect_err("too far apart");
            assert!(matches!(error, DaemonError::Apart { .. }), "{error}");
        }
        let error = agree(Some("1.41"), "1.12", Some("newest")).expect_err("no version");
        assert!(matches!(error, DaemonError::ApiVersion { .. }));
        assert!(matches!(agree(None, "1.12", None), Err(DaemonError::NoDaemon { .. })));
    }
}
