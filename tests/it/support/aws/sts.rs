//! STS, which speaks forms and XML.

use super::super::registry::Reply;
use super::State;
use super::call::Asked;
use super::error::{access_denied, refusal};
use super::identity::{Key, ROLE_SECONDS};
use super::signature::Signer;

impl State {
    /// Answers a signed call.
    pub(super) fn sts(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        match asked.operation.as_str() {
            "sts:GetCallerIdentity" => result(
                "GetCallerIdentity",
                &format!(
                    "<Arn>{}</Arn><UserId>AIDASHIPWAYTEST</UserId><Account>{}</Account>",
                    signer.arn, signer.account
                ),
            ),
            "sts:AssumeRole" => {
                let role = asked.text("RoleArn");
                if !self.identities.roles.contains(role) {
                    return access_denied("sts:AssumeRole", &signer.arn, role);
                }
                let key = self.identities.issue_for_role(role, asked.text("RoleSessionName"));
                self.assumed("AssumeRole", &key)
            }
            _ => refusal(&asked.operation, 400, "InvalidAction", "no such action"),
        }
    }

    /// Exchanges the token of an identity provider: nobody signs this.
    pub(super) fn assume_with_web_identity(&mut self, asked: &Asked) -> Reply {
        if asked.header("authorization").is_some() {
            self.violations.push("AssumeRoleWithWebIdentity was signed".to_owned());
        }
        let refuse = |status, code, message| refusal(&asked.operation, status, code, message);
        let Some(role) = self.identities.web_tokens.get(asked.text("WebIdentityToken")).cloned() else {
            let message = "No OpenIDConnect provider found in your account for https://gitlab.example.com";
            return refuse(400, "InvalidIdentityToken", message);
        };
        if role != asked.text("RoleArn") {
            let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
            return refuse(403, "AccessDenied", message);
        }
        let session = asked.text("RoleSessionName").to_owned();
        let is_valid = |c: char| c.is_ascii_alphanumeric() || "_=,.@-".contains(c);
        if !(2..=64).contains(&session.len()) || !session.chars().all(is_valid) {
            let message = "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint";
            return refuse(400, "ValidationError", message);
        }
        let key = self.identities.issue_for_role(&role, &session);
        self.assumed("AssumeRoleWithWebIdentity", &key)
    }

    fn assumed(&self, operation: &str, key: &Key) -> Reply {
        let expiration = self.now() + jiff::SignedDuration::from_secs(ROLE_SECONDS);
        let text = format!(
            "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}\
             </SessionToken><Expiration>{}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>\
             AROASHIPWAYTEST:session</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>",
            key.access_key,
            key.secret_key,
            key.session_token.as_deref().unwrap_or_default(),
            expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
            key.arn
        );
        result(operation, &text)
    }
}

fn result(operation: &str, text: &str) -> Reply {
    let text = format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{text}\
         </{operation}Result><ResponseMetadata><RequestId>c6af9ac6</RequestId></ResponseMetadata>\
         </{operation}Response>"
    );
    Reply::text(200, &text)
}
