//! Logins for registries.

use std::time::{Duration, Instant};

use base64::Engine as _;

use super::failure::{self, Call};
use super::session::Session;
use crate::content::{ContentError, Kind, Result};
use crate::credentials::{Credentials, Secret};
use crate::ecr::EcrHost;

/// A login is renewed this long before it ends: an upload that starts with it may take that long. Logins last twelve
/// hours (GetAuthorizationToken), so hardly a run sees it.
const MARGIN: Duration = Duration::from_secs(15 * 60);

/// A login for a registry.
#[derive(Debug, Clone)]
pub struct EcrLogin {
    /// User and password, as the registry wants them.
    pub credentials: Credentials,
    /// Until when it should be used; `None` where that is not known.
    pub until: Option<Instant>,
}

impl EcrLogin {
    fn is_good(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Session {
    /// Gets a login for the registry, once as long as it is good; another one if `again` says that it was refused.
    ///
    /// # Errors
    /// When there is no identity, or it may not log in.
    pub async fn login(&self, again: bool) -> Result<EcrLogin> {
        let mut known = self.login.lock().await;
        match &*known {
            Some(login) if !again && login.is_good() => Ok(login.clone()),
            _ => Ok(known.insert(self.ask_login().await?).clone()),
        }
    }

    async fn ask_login(&self) -> Result<EcrLogin> {
        let (token, expires) = match &self.host {
            EcrHost::Private(_) => self.private_token().await?,
            EcrHost::Public => self.public_token().await?,
        };
        let credentials = read(&token).ok_or_else(|| {
            ContentError::new(
                Kind::Invalid,
                format!("the login AWS gives for {} makes no sense", self.name),
            )
        })?;
        let left = expires.and_then(|seconds| self.clock.until(seconds));
        Ok(EcrLogin {
            credentials,
            until: left.map(|left| Instant::now() + left.saturating_sub(MARGIN.min(left / 4))),
        })
    }

    async fn private_token(&self) -> Result<(String, Option<i64>)> {
        let answer = self.ecr().await?.get_authorization_token().send().await;
        let answer = answer.map_err(|error| {
            failure::of_call(self.token_call("ecr:GetAuthorizationToken").call(), &self.clock, &error)
        })?;
        let data = answer.authorization_data.unwrap_or_default().into_iter().next();
        let data = data.ok_or_else(|| self.no_token())?;
        let token = data.authorization_token.ok_or_else(|| self.no_token())?;
        Ok((token, data.expires_at.map(|time| time.secs())))
    }

    async fn public_token(&self) -> Result<(String, Option<i64>)> {
        let config = aws_sdk_ecrpublic::config::Builder::from(self.config().await?).interceptor(self.observer());
        let client = aws_sdk_ecrpublic::Client::from_conf(config.build());
        let answer = client.get_authorization_token().send().await.map_err(|error| {
            failure::of_call(
                self.token_call("ecr-public:GetAuthorizationToken").call(),
                &self.clock,
                &error,
            )
            .hint("sts:GetServiceBearerToken must be allowed as well")
        })?;
        let data = answer.authorization_data.ok_or_else(|| self.no_token())?;
        let token = data.authorization_token.ok_or_else(|| self.no_token())?;
        Ok((token, data.expires_at.map(|time| time.secs())))
    }

    fn token_call(&self, action: &'static str) -> TokenCall {
        TokenCall {
            what: format!("cannot log in to {}", self.name),
            action,
        }
    }

    fn no_token(&self) -> ContentError {
        ContentError::new(Kind::Invalid, format!("AWS gives no login for {}", self.name))
    }

    /// A client of Amazon ECR in the registry's region.
    pub(super) async fn ecr(&self) -> Result<aws_sdk_ecr::Client> {
        let config = aws_sdk_ecr::config::Builder::from(self.config().await?).interceptor(self.observer());
        Ok(aws_sdk_ecr::Client::from_conf(config.build()))
    }
}

struct TokenCall {
    what: String,
    action: &'static str,
}

impl TokenCall {
    fn call(&self) -> Call<'_> {
        Call {
            what: &self.what,
            action: self.action,
            resource: "*",
        }
    }
}

/// Reads `USER:PASSWORD` out of its base64.
fn read(token: &str) -> Option<Credentials> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(token.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credentials::Basic {
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_user_and_a_password() {
        let token = base64::engine::general_purpose::STANDARD.encode("AWS:eyJ:x");
        assert_eq!(
            read(&token),
            Some(Credentials::Basic {
                username: "AWS".to_owned(),
                password: Secret::new("eyJ:x".to_owned()),
            })
        );
        assert_eq!(read("AWS:eyJ"), None);
        assert_eq!(read(&base64::engine::general_purpose::STANDARD.encode("AWS")), None);
    }
}
