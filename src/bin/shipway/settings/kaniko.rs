//! What kaniko's flags mean for registries, and which of them mean nothing.

use std::collections::BTreeSet;

use shipway::oci::reference::DOCKER_HUB;

use super::registries::canonical;
use crate::args::BuildArguments;
use crate::environment::Environment;
use crate::failure::CommandError;

/// How careless a build may be with registries, and what it reads instead of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Laxity {
    /// Hosts that may have no TLS.
    plain: Hosts,
    /// Hosts whose certificates are not verified.
    unverified: Hosts,
    /// Mirrors, each with the host it is asked before.
    pub(crate) mirrors: Vec<(String, String)>,
    /// Whether a host that has mirrors is never asked itself.
    pub(crate) only_mirrors: bool,
}

/// Some hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hosts {
    pushed_to: bool,
    pulled_from: bool,
    named: BTreeSet<String>,
}

impl Hosts {
    fn has(&self, host: &str, is_pushed_to: bool) -> bool {
        self.named.contains(host) || if is_pushed_to { self.pushed_to } else { self.pulled_from }
    }

    fn told(&self) -> Vec<String> {
        let mut told = Vec::new();
        if self.pushed_to {
            told.push("the registries that are pushed to".to_owned());
        }
        if self.pulled_from {
            told.push("the registries that are pulled from".to_owned());
        }
        told.extend(self.named.iter().cloned());
        told
    }
}

impl Laxity {
    /// Whether a host may have no TLS. One host has one way: that of the registries pushed to, if it is one.
    pub(crate) fn may_be_plain(&self, host: &str, is_pushed_to: bool) -> bool {
        self.plain.has(host, is_pushed_to)
    }

    /// Whether nobody verifies who a host is.
    pub(crate) fn is_unverified(&self, host: &str, is_pushed_to: bool) -> bool {
        self.unverified.has(host, is_pushed_to)
    }

    /// What the user should know about it.
    pub(crate) fn notices(&self) -> Vec<String> {
        let plain = self.plain.told();
        let unverified = self.unverified.told();
        let mut notices = Vec::new();
        if !plain.is_empty() {
            notices.push(format!(
                "plain HTTP is allowed to {}: whoever is on the way may read and change what is sent, logins included",
                plain.join(", ")
            ));
        }
        if !unverified.is_empty() {
            notices.push(format!(
                "nobody verifies who answers for {}: whoever is on the way may read and change what is sent, logins \
                 included; --registry-certificate HOST=FILE trusts one authority instead",
                unverified.join(", ")
            ));
        }
        notices
    }
}

/// Reads what the flags, and kaniko's variables, say of registries.
pub(super) fn laxity(arguments: &BuildArguments, environment: &Environment) -> anyhow::Result<Laxity> {
    let kaniko = &arguments.kaniko;
    let named = |hosts: &[String]| hosts.iter().map(|host| canonical(host)).collect::<anyhow::Result<_>>();
    let mut mirrors = Vec::new();
    let variable = environment.get("KANIKO_REGISTRY_MAP").unwrap_or_default();
    let maps = kaniko.registry_map.iter().map(|map| ("--registry-map", map.as_str()));
    let maps = maps.chain(variable.split(';').map(|map| ("KANIKO_REGISTRY_MAP", map)));
    for (origin, map) in maps.filter(|(_, map)| !map.trim().is_empty()) {
        let Some((host, mirror)) = map.trim().split_once('=').filter(|(_, mirror)| !mirror.is_empty()) else {
            return Err(CommandError::usage(format!("{origin} {map}: not HOST=MIRROR")).into());
        };
        mirrors.push((canonical(host)?, mirror.to_owned()));
    }
    for mirror in environment.list("KANIKO_REGISTRY_MIRROR").unwrap_or_default() {
        mirrors.push((DOCKER_HUB.to_owned(), mirror));
    }
    Ok(Laxity {
        plain: Hosts {
            pushed_to: kaniko.insecure.unwrap_or_default(),
            pulled_from: kaniko.insecure_pull.unwrap_or_default(),
            named: named(&kaniko.insecure_registry)?,
        },
        unverified: Hosts {
            pushed_to: kaniko.skip_tls_verify.unwrap_or_default(),
            pulled_from: kaniko.skip_tls_verify_pull.unwrap_or_default(),
            named: named(&kaniko.skip_tls_verify_registry)?,
        },
        mirrors,
        only_mirrors: kaniko.skip_default_registry_fallback.unwrap_or_default(),
    })
}

/// Whether kaniko's flag or variable forbids to push.
pub(super) fn no_push(arguments: &BuildArguments, environment: &Environment) -> anyhow::Result<bool> {
    if let Some(no_push) = arguments.kaniko.no_push {
        return Ok(no_push);
    }
    match environment.get("KANIKO_NO_PUSH") {
        None => Ok(false),
        Some(text) => crate::args::switch(text)
            .map_err(|_| CommandError::usage(format!("KANIKO_NO_PUSH is {text:?}, neither true nor false")).into()),
    }
}

/// The one notice about flags without a meaning.
pub(super) fn ignored(arguments: &BuildArguments) -> Option<String> {
    let given = &arguments.kaniko.ignored.0;
    if given.is_empty() {
        return None;
    }
    let flags: Vec<String> = given.iter().map(|name| format!("--{name}")).collect();
    Some(format!(
        "{} mean{} nothing to shipway, which scans no file system and keeps no layers",
        flags.join(", "),
        if flags.len() == 1 { "s" } else { "" }
    ))
}
