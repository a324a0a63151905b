//! Whom the fake knows: users with keys, and roles with the ways to take them on.

use std::collections::{BTreeMap, BTreeSet};

use super::FakeAws;

/// How long keys of a role are good, in seconds.
pub(super) const ROLE_SECONDS: i64 = 3600;

/// Keys that somebody signs with. Every secret in them has the word "canary", which is to appear in no output.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// The access key's id, which is no secret.
    pub(crate) access_key: String,
    /// The secret.
    pub(crate) secret_key: String,
    /// The session token of keys that expire.
    pub(crate) session_token: Option<String>,
    /// Whose they are.
    pub(crate) arn: String,
}

impl Key {
    /// The account of the ARN.
    pub(crate) fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }
}

/// All keys, and the ways to get some.
#[derive(Default)]
pub(super) struct Identities {
    keys: BTreeMap<String, Key>,
    expired: BTreeSet<String>,
    /// ARNs of roles that known users may assume.
    pub(super) roles: BTreeSet<String>,
    /// Roles by the token of an identity provider.
    pub(super) web_tokens: BTreeMap<String, String>,
    /// The role of the container endpoint, and the authorization it asks for.
    pub(super) container: Option<(String, Option<String>)>,
    /// The role of the instance.
    pub(super) instance: Option<String>,
    /// By SSO token and role name, the ARN of the role.
    pub(super) sso: BTreeMap<(String, String), String>,
}

impl Identities {
    /// The keys of this id.
    pub(super) fn key(&self, access_key: &str) -> Option<&Key> {
        self.keys.get(access_key)
    }

    /// Whether the keys of this id have expired.
    pub(super) fn is_expired(&self, access_key: &str) -> bool {
        self.expired.contains(access_key)
    }

    /// New keys for an ARN: those of a role expire, so they have a session token.
    pub(super) fn issue(&mut self, arn: &str) -> Key {
        let number = self.keys.len() + 1;
        let is_session = !arn.contains(":user/");
        let prefix = if is_session { "ASIA" } else { "AKIA" };
        let key = Key {
            access_key: format!("{prefix}SHIPWAYTEST{number:05}"),
            secret_key: format!("canary-secret-key-{number}-not-to-be-seen"),
            session_token: is_session.then(|| format!("canary-session-token-{number}-not-to-be-seen")),
            arn: arn.to_owned(),
        };
        self.keys.insert(key.access_key.clone(), key.clone());
        key
    }

    /// New keys for a session of a role.
    pub(super) fn issue_for_role(&mut self, role: &str, session: &str) -> Key {
        let arn = role.replace(":iam::", ":sts::").replace(":role/", ":assumed-role/");
        self.issue(&format!("{arn}/{session}"))
    }
}

impl FakeAws {
    /// Makes a user of an account and gives the keys.
    pub(crate) fn user(&self, account: &str, name: &str) -> Key {
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        self.state().identities.issue(&arn)
    }

    /// Makes a session of a role of an account and gives its keys.
    pub(crate) fn session(&self, account: &str, role: &str, session: &str) -> Key {
        let arn = format!("arn:aws:iam::{account}:role/{role}");
        self.state().identities.issue_for_role(&arn, session)
    }

    /// From now on these keys have expired.
    pub(crate) fn expire(&self, key: &Key) {
        let access_key = key.access_key.clone();
        self.state().identities.expired.insert(access_key);
    }

    /// Makes a role that users may assume, and gives its ARN.
    pub(crate) fn role(&self, account: &str, name: &str) -> String {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        self.state().identities.roles.insert(arn.clone());
        arn
    }

    /// Lets the token of an identity provider be exchanged for a role of an account, whose ARN it gives.
    pub(crate) fn trust(&self, token: &str, account: &str, name: &str) -> String {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        let mut state = self.state();
        state.identities.web_tokens.insert(token.to_owned(), arn.clone());
        arn
    }

    /// Gives a container this role; gives the URL it asks at. It must show `authorization`, if there is one.
    pub(crate) fn container(&self, account: &str, name: &str, authorization: Option<&str>) -> String {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        self.state().identities.container = Some((arn, authorization.map(str::to_owned)));
        format!("{}/container/credentials", self.url())
    }

    /// Gives the instance this role.
    pub(crate) fn instance(&self, account: &str, name: &str) {
        self.state().identities.instance = Some(format!("arn:aws:iam::{account}:role/{name}"));
    }

    /// Lets an SSO token be exchanged for a role of an account.
    pub(crate) fn sso(&self, token: &str, account: &str, name: &str) {
        let arn = format!("arn:aws:iam::{account}:role/{name}");
        let mut state = self.state();
        state.identities.sso.insert((token.to_owned(), name.to_owned()), arn);
    }
}
