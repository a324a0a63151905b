//! How registries are reached, and who we are there.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use shipway::credentials::{AuthFile, Explicit, Secret, Store};
use shipway::oci::Repository;
use shipway::oci::reference::DOCKER_HUB;
use shipway::project::Project;
use shipway::registry::RegistrySettings;

use crate::args::GlobalArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// Longest password read from standard input; tokens with many claims have some kilobytes.
const PASSWORD_LIMIT: u64 = 64 * 1024;

/// Settles how each registry is reached: the project file first, flags over it.
pub(crate) fn registries(
    arguments: &GlobalArguments,
    environment: &Environment,
    project: &Project,
) -> anyhow::Result<BTreeMap<String, RegistrySettings>> {
    let mut registries: BTreeMap<String, RegistrySettings> = BTreeMap::new();
    for (host, section) in &project.registry {
        let settings = registries.entry(canonical(host)?).or_default();
        let in_folder = |path: &String| project.folder.join(path);
        settings.plain_http = section.plain_http;
        settings.endpoint.clone_from(&section.endpoint);
        if cfg!(not(feature = "aws")) && (section.profile.is_some() || section.role_arn.is_some()) {
            return Err(CommandError::usage(format!(
                "profile and role_arn of {host} need AWS, and this shipway was built without it"
            ))
            .into());
        }
        settings.mirrors = section.mirrors.clone().unwrap_or_default();
        if let Some(path) = &section.ca_file {
            settings.ca = Some(certificates(&in_folder(path), &format!("ca_file of {host}"))?);
        }
        settings.client_identity = match (&section.client_cert, &section.client_key) {
            (Some(certificate), Some(key)) => Some(identity(host, &in_folder(certificate), &in_folder(key))?),
            (None, None) => None,
            _ => {
                return Err(CommandError::usage(format!("client_cert and client_key of {host} go together")).into());
            }
        };
    }
    for host in &arguments.plain_http {
        registries.entry(canonical(host)?).or_default().plain_http = Some(true);
    }
    for (host, file) in assignments("--registry-certificate", &arguments.registry_certificate)? {
        let bytes = certificates(Path::new(&file), "--registry-certificate")?;
        registries.entry(host).or_default().ca = Some(bytes);
    }
    for (host, files) in assignments("--registry-client-cert", &arguments.registry_client_cert)? {
        let Some((certificate, key)) = files.split_once(',') else {
            return Err(
                CommandError::usage(format!("--registry-client-cert {host}={files}: not HOST=CERT,KEY")).into(),
            );
        };
        let identity = identity(&host, Path::new(certificate), Path::new(key))?;
        registries.entry(host).or_default().client_identity = Some(identity);
    }
    // kaniko's form names no host: it means Docker Hub.
    let hub = |text: &String| match text.contains('=') {
        true => text.clone(),
        false => format!("{DOCKER_HUB}={text}"),
    };
    let mirrors: Vec<String> = arguments.registry_mirror.iter().map(hub).collect();
    for (host, mirror) in assignments("--registry-mirror", &mirrors)? {
        registries.entry(host).or_default().mirrors.push(mirror);
    }
    let endpoints = environment.list("SHIPWAY_REGISTRY_ENDPOINT").unwrap_or_default();
    for (host, endpoint) in assignments("SHIPWAY_REGISTRY_ENDPOINT", &endpoints)? {
        registries.entry(host).or_default().endpoint = Some(endpoint);
    }
    for (host, endpoint) in assignments("--registry-endpoint", &arguments.registry_endpoint)? {
        registries.entry(host).or_default().endpoint = Some(endpoint);
    }
    Ok(registries)
}

/// The logins that were found or given, before it is known which registries need them.
#[derive(Debug)]
pub(crate) struct Logins {
    files: Vec<AuthFile>,
    given: Option<(String, Secret, &'static str)>,
}

impl Logins {
    /// Reads the password, if it is on standard input, and notes where others are.
    pub(crate) fn gather(arguments: &GlobalArguments, environment: &Environment) -> anyhow::Result<Self> {
        let given = match &arguments.username {
            Some(username) => Some((username.clone(), password()?, "--username and --password-stdin")),
            None => match (environment.get("SHIPWAY_USERNAME"), environment.get("SHIPWAY_PASSWORD")) {
                (Some(username), Some(password)) => Some((
                    username.to_owned(),
                    Secret::new(password.to_owned()),
                    "SHIPWAY_USERNAME and SHIPWAY_PASSWORD",
                )),
                (None, None) => None,
                _ => return Err(CommandError::usage("SHIPWAY_USERNAME and SHIPWAY_PASSWORD go together").into()),
            },
        };
        let mut files = Vec::new();
        if let Some(path) = environment.path("REGISTRY_AUTH_FILE") {
            files.push(AuthFile::podman(path));
        }
        let docker = environment
            .path("DOCKER_CONFIG")
            .or_else(|| Some(environment.path("HOME")?.join(".docker")));
        if let Some(folder) = docker {
            files.push(AuthFile::docker(folder.join("config.json")));
        }
        if let Some(folder) = environment.path("XDG_RUNTIME_DIR") {
            files.push(AuthFile::podman(folder.join("containers/auth.json")));
        }
        Ok(Self { files, given })
    }

    /// The logins, with the given one for `hosts`.
    pub(crate) fn store(self, hosts: &[String]) -> Store {
        let mut explicit = Vec::new();
        if let Some((username, password, origin)) = self.given {
            for host in hosts {
                explicit.push(Explicit {
                    host: host.clone(),
                    username: username.clone(),
                    password: password.clone(),
                    origin: origin.to_owned(),
                });
            }
        }
        Store::new(explicit, self.files)
    }
}

fn password() -> anyhow::Result<Secret> {
    let mut text = String::new();
    std::io::stdin()
        .take(PASSWORD_LIMIT)
        .read_to_string(&mut text)
        .map_err(|error| CommandError::usage("cannot read the password from standard input").because(error))?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(CommandError::usage("standard input holds no password")
            .hint("such as: printenv REGISTRY_PASSWORD | shipway build --username USER --password-stdin …")
            .into());
    }
    Ok(Secret::new(password.to_owned()))
}

/// The name a registry has in image names, whichever of its names was used.
pub(super) fn canonical(host: &str) -> anyhow::Result<String> {
    let repository: Repository =
        format!("{host}/x")
            .parse()
            .map_err(|error: shipway::oci::reference::ReferenceError| {
                CommandError::usage(format!("{host:?} is not a registry's host name"))
                    .because(error)
                    .hint("such as registry.example.com:5000, without https://")
            })?;
    if repository.path() != "x" && repository.path() != "library/x" {
        return Err(CommandError::usage(format!("{host:?} is not a registry's host name"))
            .hint("such as registry.example.com:5000")
            .into());
    }
    Ok(repository.registry().to_owned())
}

fn assignments(flag: &str, texts: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((host, value)) if !value.is_empty() => Ok((canonical(host)?, value.to_owned())),
            _ => Err(CommandError::usage(format!("{flag} {text}: not HOST=VALUE")).into()),
        })
        .collect()
}

fn certificates(path: &Path, what: &str) -> anyhow::Result<Vec<u8>> {
    let bytes = read(path, what)?;
    if !String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        return Err(
            CommandError::usage(format!("{what}: {} holds no certificate", path.display()))
                .hint("it must be a PEM file: -----BEGIN CERTIFICATE-----")
                .into(),
        );
    }
    Ok(bytes)
}

fn identity(host: &str, certificate: &Path, key: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = read(certificate, &format!("client certificate of {host}"))?;
    bytes.push(b'\n');
    bytes.extend(read(key, &format!("client key of {host}"))?);
    Ok(bytes)
}

fn read(path: &Path, what: &str) -> anyhow::Result<Vec<u8>> {
    Ok(fs::read(path)
        .map_err(|error| CommandError::usage(format!("{what}: cannot read {}", path.display())).because(error))?)
}
