//! Where machines and people get keys without having any: containers, instances, SSO. None of these calls is signed.

use serde_json::json;

use super::super::registry::{Content, Reply};
use super::State;
use super::call::Asked;
use super::error::refusal;
use super::identity::{Key, ROLE_SECONDS};

/// What an instance shows to read its metadata.
const METADATA_TOKEN: &str = "canary-metadata-token-not-to-be-seen";

impl State {
    /// Answers the container endpoint and the metadata of an instance.
    pub(super) fn metadata(&mut self, asked: &Asked) -> Reply {
        if asked.service() == "container" {
            let Some((role, expected)) = self.identities.container.clone() else {
                return refusal(&asked.operation, 404, "NotFound", "no role");
            };
            if expected != asked.header("authorization") {
                return refusal(&asked.operation, 403, "AccessDenied", "wrong authorization");
            }
            let key = self.identities.issue_for_role(&role, "task");
            return self.keys(&key);
        }
        if asked.operation == "imds:GetToken" {
            return match asked.header("x-aws-ec2-metadata-token-ttl-seconds") {
                None => Reply::empty(400),
                Some(seconds) => Reply::new(200, Content::Bytes(METADATA_TOKEN.into()))
                    .header("x-aws-ec2-metadata-token-ttl-seconds", &seconds),
            };
        }
        if asked.header("x-aws-ec2-metadata-token").as_deref() != Some(METADATA_TOKEN) {
            return Reply::empty(401);
        }
        let Some(role) = self.identities.instance.clone() else {
            return Reply::empty(404);
        };
        let name = role.rsplit('/').next().unwrap_or_default().to_owned();
        if asked.operation == "imds:GetRole" {
            return Reply::text(200, &name);
        }
        if !asked.path.ends_with(&format!("/{name}")) {
            return Reply::empty(404);
        }
        let key = self.identities.issue_for_role(&role, "i-0123456789abcdef0");
        self.keys(&key)
    }

    /// Exchanges a token of a login by SSO.
    pub(super) fn sso_credentials(&mut self, asked: &Asked) -> Reply {
        let token = asked.header("x-amz-sso_bearer_token").unwrap_or_default();
        let role = asked.query.get("role_name").unwrap_or_default().to_owned();
        let Some(arn) = self.identities.sso.get(&(token, role)).cloned() else {
            let message = "Session token not found or invalid";
            return refusal(&asked.operation, 401, "UnauthorizedException", message);
        };
        let key = self.identities.issue_for_role(&arn, "somebody@example.com");
        if asked.query.get("account_id") != Some(key.account()) {
            return refusal(&asked.operation, 403, "ForbiddenException", "No access");
        }
        let expiration = self.now() + jiff::SignedDuration::from_secs(ROLE_SECONDS);
        Reply::json(
            200,
            &json!({"roleCredentials": {
                "accessKeyId": key.access_key, "secretAccessKey": key.secret_key,
                "sessionToken": key.session_token, "expiration": expiration.as_millisecond(),
            }}),
        )
    }

    fn keys(&self, key: &Key) -> Reply {
        let expiration = self.now() + jiff::SignedDuration::from_secs(ROLE_SECONDS);
        Reply::json(
            200,
            &json!({
                "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key.access_key,
                "SecretAccessKey": key.secret_key, "Token": key.session_token,
                "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "LastUpdated": "2026-01-02T03:04:05Z",
            }),
        )
    }
}
