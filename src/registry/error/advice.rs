//! What to do about a refusal: by status and code, and for Amazon ECR by what was asked of it.

use reqwest::StatusCode;

use super::reason::Reason;
use crate::ecr::{Access, EcrHost, Operation};

/// What both wordings of an expired login say, in lower case: Amazon ECR has no code for it.
const EXPIRED: &str = "token has expired";

/// What a request was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Purpose {
    /// To read.
    Read,
    /// To write, or to find out what has to be written.
    Write,
    /// To put a manifest.
    PutManifest,
}

/// Whom something was asked of.
#[derive(Debug)]
pub(in crate::registry) struct Asked<'a> {
    /// The host's name.
    pub host: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// The registry that sent us there, where the host is another.
    pub sent_by: Option<&'a str>,
    /// What the host and the request are to Amazon ECR, where it is one of its registries.
    pub ecr: Option<(&'a EcrHost, Access)>,
}

impl<'a> Asked<'a> {
    /// A host nothing is known of.
    #[must_use]
    pub(in crate::registry) fn of(host: &'a str) -> Self {
        Self {
            host,
            purpose: Purpose::Read,
            sent_by: None,
            ecr: None,
        }
    }

    /// What to do about a refusal.
    #[must_use]
    pub(super) fn hints(&self, status: StatusCode, reason: &Reason) -> Vec<String> {
        if let Some(registry) = self.sent_by {
            return vec![way_elsewhere(registry, self.host, self.purpose)];
        }
        let at_ecr = self
            .ecr
            .as_ref()
            .and_then(|(ecr, access)| of_ecr(self.host, ecr, access, status, reason));
        at_ecr.unwrap_or_else(|| general(self.host, self.purpose, status, reason))
    }
}

/// What to know of a host that a registry sends its users to.
#[must_use]
pub(in crate::registry) fn way_elsewhere(registry: &str, host: &str, purpose: Purpose) -> String {
    let what = match purpose {
        Purpose::Read => "sends its blobs from",
        Purpose::Write | Purpose::PutManifest => "takes uploads at",
    };
    let mut hint = format!("{registry} {what} {host}: that host must be reachable from here as well");
    if EcrHost::parse(registry).is_some() {
        hint.push_str(
            "; in a closed network Amazon ECR needs a gateway endpoint for Amazon S3, whose policy allows it",
        );
    }
    hint
}

/// The command that logs in to a registry.
#[must_use]
pub(in crate::registry) fn login_command(host: &str) -> String {
    match EcrHost::parse(host) {
        Some(ecr) => ecr.login_command(host),
        None => format!("docker login {host}"),
    }
}

/// Whether words say that a login was good once.
pub(super) fn is_expired(message: &str) -> bool {
    message.to_ascii_lowercase().contains(EXPIRED)
}

fn general(host: &str, purpose: Purpose, status: StatusCode, reason: &Reason) -> Vec<String> {
    let hint = match (status.as_u16(), reason.code.as_str()) {
        (401, _) => format!(
            "check the credentials for {host}: `{}`, or --username USER --password-stdin",
            login_command(host)
        ),
        (403, _) if is_expired(&reason.message) => format!("the login stored for {host} has expired: log in again"),
        (403, _) if purpose == Purpose::Read => {
            "the user is known but may not do this: ask for the right to read from this repository".to_owned()
        }
        (403, _) => "the user is known but may not do this: ask for the right to push to this repository".to_owned(),
        (404, "MANIFEST_UNKNOWN") => "check the names of repository and tag".to_owned(),
        (404, "NAME_UNKNOWN") if purpose == Purpose::Read => {
            "check the name of the repository: it is what follows the registry's host".to_owned()
        }
        (404, "NAME_UNKNOWN") => {
            "create the repository first; its name is what follows the registry's host".to_owned()
        }
        (413, _) => {
            "the registry, or a proxy before it, takes no upload of this size: raise its limit (nginx: client_max_body_size)"
                .to_owned()
        }
        (400, _) if reason.message.contains("HTTPS server") => format!(
            "{host} speaks TLS: set plain_http = false for it in shipway.toml, or name its authority with --registry-certificate {host}=FILE"
        ),
        (_, code) if super::is_tag_taken(code) => {
            "the repository does not let this tag be written again: use a new tag".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![hint]
}

/// The rows that are Amazon ECR's own; `None` where what holds everywhere is said.
fn of_ecr(name: &str, host: &EcrHost, access: &Access, status: StatusCode, reason: &Reason) -> Option<Vec<String>> {
    match (status.as_u16(), reason.code.as_str()) {
        (403, _) if is_expired(&reason.message) => Some(expired(name)),
        (403, _) => Some(missing_rights(name, host, access)),
        (404, "NAME_UNKNOWN" | "REPOSITORYNOTFOUNDEXCEPTION") => Some(missing_repository(name, host, access)),
        // A HEAD of such a tag, and a GET, are answered with nothing but the status.
        (400, "") if access.operation == Operation::ReadManifest && reason.message.is_empty() => Some(vec![
            "Amazon ECR answers so to a tag with a character it does not take: letters, digits, '_', '.' and '-' are taken"
                .to_owned(),
        ]),
        (429, _) => Some(vec![format!(
            "other clients use up what {name} takes in a second: run fewer at once, or have the quota of requests to Amazon ECR raised"
        )]),
        _ => None,
    }
}

fn expired(name: &str) -> Vec<String> {
    let mut hint = format!(
        "the login stored for {name} has expired: log in again with `{}`",
        login_command(name)
    );
    if cfg!(feature = "aws") {
        hint.push_str(", or remove it, so that your AWS identity is used");
    }
    vec![hint]
}

/// What to allow, and to whom it may have to be said.
fn missing_rights(name: &str, host: &EcrHost, access: &Access) -> Vec<String> {
    let rights = access.rights(host);
    if rights.is_empty() {
        return vec![format!(
            "anybody may read the public gallery; an old login may stand in the way: `docker logout {name}` removes it"
        )];
    }
    let mut hints = vec![format!("allow {}", rights.join(", and "))];
    if let Some(private) = host.private() {
        hints.push(format!(
            "the host says {private}: if they are meant and the identity is of another account, the policy of the repository must allow it too"
        ));
    }
    hints
}

fn missing_repository(name: &str, host: &EcrHost, access: &Access) -> Vec<String> {
    let path = access.repository.as_str();
    let EcrHost::Private(private) = host else {
        return vec![format!("create the repository: {}", host.creation_command(path))];
    };
    if let Some(own) = private.name_within(path) {
        return vec![format!(
            "the name of a repository is what follows the registry's host: {name}/{own}"
        )];
    }
    let place = format!("the host says {private}: check that the repository is there and not elsewhere");
    let command = private.creation_command(path);
    let is_read = matches!(
        access.operation,
        Operation::ReadManifest | Operation::FindBlob | Operation::ReadBlob | Operation::ListReferrers
    );
    let create = match (is_read, cfg!(feature = "aws")) {
        (true, _) => format!("if it has never been pushed to, create it: {command}"),
        (false, true) => format!("pass --create-repository, or: {command}"),
        (false, false) => format!("create it: {command}"),
    };
    if is_read {
        vec![place, create]
    } else {
        vec![create, place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

    fn hints(method: &str, path: &str, from: Option<&str>, status: u16, body: &str) -> Vec<String> {
        let ecr = EcrHost::parse(HOST).expect("host");
        let access = Access::of(method, path, from).expect("access");
        let asked = Asked {
            ecr: Some((&ecr, access)),
            ..Asked::of(HOST)
        };
        let status = StatusCode::from_u16(status).expect("status");
        asked.hints(status, &Reason::parse(body.as_bytes(), &[]))
    }

    fn error(code: &str) -> String {
        format!(r#"{{"errors":[{{"code":"{code}","message":"a sentence nobody knows"}}]}}"#)
    }

    #[test]
    fn a_missing_right_is_named_with_its_repository() {
        for (method, path, right) in [
            ("POST", "blobs/uploads/", "ecr:InitiateLayerUpload"),
            (
                "PUT",
                "blobs/uploads/1",
                "ecr:UploadLayerPart and ecr:CompleteLayerUpload",
            ),
            ("PUT", "manifests/v1", "ecr:PutImage"),
            ("GET", "manifests/v1", "ecr:BatchGetImage"),
            ("GET", "blobs/sha256:0", "ecr:GetDownloadUrlForLayer"),
        ] {
            let hints = hints(method, &format!("/v2/team/orders/{path}"), None, 403, &error("DENIED"));
            assert_eq!(
                hints[0],
                format!("allow {right} on arn:aws:ecr:eu-west-1:123456789012:repository/team/orders")
            );
            assert!(hints[1].contains("account 123456789012 in eu-west-1"), "{hints:?}");
        }
        let mount = hints("POST", "/v2/orders/blobs/uploads/", Some("runner"), 403, "");
        assert!(
            mount[0].contains("repository/orders, and ecr:GetDownloadUrlForLayer on"),
            "{mount:?}"
        );
        assert!(mount[0].ends_with("repository/runner"), "{mount:?}");
    }

    #[test]
    fn an_expired_login_is_told_by_both_wordings() {
        for body in [
            r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#,
            "Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.",
        ] {
            let hints = hints("PUT", "/v2/orders/manifests/v1", None, 403, body);
            assert!(hints[0].contains("has expired"), "{hints:?}");
            assert!(
                hints[0].contains("aws ecr get-login-password --region eu-west-1"),
                "{hints:?}"
            );
        }
    }

    #[test]
    fn a_missing_repository_comes_with_the_command() {
        let hints = |method, path: &str| hints(method, path, None, 404, &error("NAME_UNKNOWN"));
        let written = hints("POST", "/v2/team/orders/blobs/uploads/");
        assert!(
            written[0].ends_with("aws ecr create-repository --region eu-west-1 --repository-name team/orders"),
            "{written:?}"
        );
        assert_eq!(written[0].contains("--create-repository, or"), cfg!(feature = "aws"));
        let read = hints("GET", "/v2/runner/manifests/13");
        assert!(read[0].contains("account 123456789012 in eu-west-1"), "{read:?}");
        assert!(!read[1].contains("--create-repository,"), "{read:?}");
    }

    #[test]
    fn a_uri_given_as_a_name_is_told() {
        for path in [
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders",
            "123456789012/orders",
            "999999999999.dkr.ecr.us-east-1.amazonaws.com/orders",
        ] {
            let hints = hints(
                "POST",
                &format!("/v2/{path}/blobs/uploads/"),
                None,
                404,
                &error("NAME_UNKNOWN"),
            );
            assert_eq!(hints.len(), 1);
            assert!(hints[0].ends_with(&format!("{HOST}/orders")), "{hints:?}");
        }
    }

    #[test]
    fn a_refusal_without_words_is_explained_by_what_was_asked() {
        let tag = hints("GET", "/v2/orders/manifests/v1", None, 400, "");
        assert!(tag[0].contains("letters, digits"), "{tag:?}");
        assert!(hints("PUT", "/v2/orders/manifests/v1", None, 400, "").is_empty());
    }
}
