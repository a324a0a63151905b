//! Contexts: the named addresses the Docker command keeps.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::DaemonError;
use super::host::{Host, TlsFiles};
use crate::oci::Digest;

/// The context that means none.
const DEFAULT: &str = "default";
/// Name of the endpoint of a context that is Docker's.
const ENDPOINT: &str = "docker";

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext", default)]
    current_context: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Deserialize, Default)]
struct Endpoints {
    #[serde(default)]
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    #[serde(default)]
    host: String,
    #[serde(rename = "SkipTLSVerify", default)]
    skip_tls_verify: bool,
}

/// The context that `config.json` makes the current one. Blocks.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn current(config_folder: &Path) -> Result<Option<String>, DaemonError> {
    let file = config_folder.join("config.json");
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(DaemonError::Read { file, source }),
    };
    let config: ConfigFile = parse(&file, &text)?;
    Ok(config.current_context)
}

/// The address a context names; `None` where it means what would be used without one. Blocks.
///
/// # Errors
/// When there is no such context, or it cannot be used.
pub(super) fn host(name: &str, origin: &str, config_folder: &Path) -> Result<Option<Host>, DaemonError> {
    if name.is_empty() || name == DEFAULT {
        return Ok(None);
    }
    // The folder of a context is called after the digest of its name.
    let folder = Digest::of(name.as_bytes()).hex();
    let contexts = config_folder.join("contexts");
    let file = contexts.join("meta").join(&folder).join("meta.json");
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(DaemonError::NoContext {
                name: name.to_owned(),
                origin: origin.to_owned(),
                file,
            });
        }
        Err(source) => return Err(DaemonError::Read { file, source }),
    };
    let meta: Meta = parse(&file, &text)?;
    let Some(endpoint) = meta.endpoints.docker.filter(|endpoint| !endpoint.host.is_empty()) else {
        return Err(DaemonError::NoEndpoint {
            name: name.to_owned(),
            file,
        });
    };
    let tls = contexts.join("tls").join(&folder).join(ENDPOINT);
    let tls = tls_files(&tls);
    if endpoint.skip_tls_verify && tls.is_some() {
        return Err(DaemonError::Unverified { name: name.to_owned() });
    }
    Host::parse(&endpoint.host, &format!("context {name}"), tls).map(Some)
}

fn tls_files(folder: &Path) -> Option<TlsFiles> {
    folder.is_dir().then(|| TlsFiles::of_folder(folder))
}

fn parse<T: for<'de> Deserialize<'de>>(file: &Path, text: &[u8]) -> Result<T, DaemonError> {
    serde_json::from_slice(text).map_err(|source| DaemonError::Malformed {
        file: file.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a context as `docker context create` makes it.
    fn with_context(name: &str, meta: &str, has_tls: bool) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = Digest::of(name.as_bytes()).hex();
        let meta_folder = folder.path().join("contexts/meta").join(&identity);
        fs::create_dir_all(&meta_folder).expect("meta");
        fs::write(meta_folder.join("meta.json"), meta).expect("meta.json");
        if has_tls {
            fs::create_dir_all(folder.path().join("contexts/tls").join(&identity).join("docker")).expect("tls");
        }
        folder
    }

    #[test]
    fn the_folder_of_a_context_is_where_docker_puts_it() {
        // `printf desktop-linux | sha256sum`
        let identity = "fe9c6bd7a66301f49ca9b6a70b217107cd1284598bfc254700c989b916da791e";
        assert_eq!(Digest::of(b"desktop-linux").hex(), identity);
        let meta = r#"{"Name":"desktop-linux","Metadata":{"Description":"x"},"Endpoints":{"docker":{"Host":"unix:///h/.docker/desktop/docker.sock","SkipTLSVerify":false}}}"#;
        let folder = with_context("desktop-linux", meta, false);
        let found = host("desktop-linux", "DOCKER_CONTEXT", folder.path()).expect("context");
        assert_eq!(found, Some(Host::Unix("/h/.docker/desktop/docker.sock".into())));
    }

    #[test]
    fn a_context_with_certificates_is_behind_tls() {
        let meta = r#"{"Name":"far","Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":false}}}"#;
        let folder = with_context("far", meta, true);
        let Some(Host::Tls(address, files)) = host("far", "DOCKER_CONTEXT", folder.path()).expect("context") else {
            panic!("no TLS");
        };
        assert_eq!(address, "far:2376");
        assert!(files.authority.ends_with("docker/ca.pem"), "{files:?}");
        let unverified = meta.replace("false", "true");
        let folder = with_context("far", &unverified, true);
        let error = host("far", "DOCKER_CONTEXT", folder.path()).expect_err("not verified");
        assert!(matches!(error, DaemonError::Unverified { .. }));
    }

    #[test]
    fn default_is_no_context_and_others_must_exist() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(host("default", "DOCKER_CONTEXT", folder.path()).expect("default"), None);
        let error = host("gone", "DOCKER_CONTEXT", folder.path()).expect_err("no such context");
        assert!(matches!(error, DaemonError::NoContext { .. }));
        let folder = with_context("k8s", r#"{"Name":"k8s","Endpoints":{}}"#, false);
        let error = host("k8s", "DOCKER_CONTEXT", folder.path()).expect_err("no endpoint");
        assert!(matches!(error, DaemonError::NoEndpoint { .. }));
    }

    #[test]
    fn the_current_context_is_read_from_the_config() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(current(folder.path()).expect("no file"), None);
        fs::write(
            folder.path().join("config.json"),
            r#"{"auths":{},"currentContext":"colima"}"#,
        )
        .expect("file");
        assert_eq!(current(folder.path()).expect("file"), Some("colima".to_owned()));
        fs::write(folder.path().join("config.json"), "{").expect("file");
        assert!(matches!(current(folder.path()), Err(DaemonError::Malformed { .. })));
    }
}
