//! What a refusal of AWS means.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};

use super::clock::Clock;
use crate::content::{ContentError, Kind};

/// Signatures further from AWS's clock than this are refused (AWS Signature Version 4: five minutes); a little less, to
/// name the cause of what is about to fail.
const TOLERATED_SKEW_SECONDS: i64 = 240;

/// A call that failed.
pub(super) type Refusal<E> = SdkError<E, HttpResponse>;

/// How a call is named in messages, and what it takes to be allowed to make it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// A phrase such as `cannot get a login for HOST`.
    pub what: &'a str,
    /// The IAM action, such as `ecr:GetAuthorizationToken`.
    pub action: &'a str,
    /// The resource the action is asked for on.
    pub resource: &'a str,
}

/// The code of a refusal; empty where there was no answer.
pub(super) fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
        .unwrap_or_default()
}

/// Puts a failed call into words.
pub(super) fn of_call<E>(call: Call<'_>, clock: &Clock, error: &Refusal<E>) -> ContentError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let Some(service) = error.as_service_error() else {
        return match error {
            SdkError::TimeoutError(_) => unreachable(call).because(format!("no answer in time: {}", innermost(error))),
            // Settings that make no sense come as a failure to dispatch as well; so does a connection that breaks, which may pass.
            SdkError::DispatchFailure(failure)
                if !failure.is_io() && !failure.is_timeout() && failure.as_other().is_none() =>
            {
                ContentError::new(Kind::Usage, call.what).because(innermost(error))
            }
            SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => unreachable(call).because(innermost(error)),
            _ => ContentError::new(Kind::Other, call.what).because(innermost(error)),
        };
    };
    let code = service.code().unwrap_or_default();
    if code.is_empty() {
        let status = error.raw_response().map(|response| response.status().as_u16());
        // What a service or a load balancer says when it cannot say more may pass.
        let kind = if status.is_some_and(|status| status >= 500) {
            Kind::Temporary
        } else {
            Kind::Other
        };
        return ContentError::new(kind, call.what)
            .because(format!(
                "something else than AWS answered (status {})",
                status.unwrap_or_default()
            ))
            .hint("a proxy (HTTPS_PROXY, NO_PROXY), or an address in AWS_ENDPOINT_URL that is not AWS's?");
    }
    let cause = told(code, service.message());
    let is_theirs = error
        .raw_response()
        .is_some_and(|response| response.status().as_u16() >= 500);
    let kind = match kind(code) {
        Kind::Other if is_theirs => Kind::Temporary,
        kind => kind,
    };
    let failure = ContentError::new(kind, call.what).because(cause);
    match hint(code, call, clock) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A refusal in the service's own words.
fn told(code: &str, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => format!("{message} ({code})"),
        _ => format!("AWS answered {code}"),
    }
}

fn unreachable(call: Call<'_>) -> ContentError {
    ContentError::new(Kind::Temporary, call.what).hint(NETWORK)
}

/// What to look at when AWS cannot be reached.
const NETWORK: &str = "check the network: is there a way to AWS, a proxy (HTTPS_PROXY), or in a closed network VPC endpoints for sts and for what is called (ecr.api; for runs ecs, logs, dynamodb or lambda)? a region that does not exist has no address either";

fn kind(code: &str) -> Kind {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "ExpiredIdentityToken"
        | "IDPRejectedClaim"
        | "InvalidIdentityToken"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "SignatureDoesNotMatch"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "UnauthorizedException"
        | "OptInRequired" => Kind::Denied,
        "RepositoryNotFoundException" | "ImageNotFoundException" | "ScanNotFoundException" => Kind::NotFound,
        "InvalidParameterException"
        | "ValidationError"
        | "ValidationException"
        | "InvalidTagParameterException"
        | "TooManyTagsException" => Kind::Usage,
        "LimitExceededException" => Kind::Refused,
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "InternalFailure"
        | "InternalServerError"
        | "ServerException"
        | "IDPCommunicationError" => Kind::Temporary,
        _ => Kind::Other,
    }
}

fn hint(code: &str, call: Call<'_>, clock: &Clock) -> Option<String> {
    Some(match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => match call.action {
            "sts:AssumeRole" => format!(
                "the trust policy of {} must allow sts:AssumeRole to this identity, and the identity's own policy must allow it on the role",
                call.resource
            ),
            "sts:AssumeRoleWithWebIdentity" => format!(
                "the trust policy of {} must allow sts:AssumeRoleWithWebIdentity to the token's issuer, with conditions that fit the token's aud and sub (for GitLab project_path:GROUP/PROJECT:ref_type:branch:ref:BRANCH; StringLike for patterns)",
                call.resource
            ),
            action => format!("allow {action} on {} to this identity", call.resource),
        },
        "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestExpired" | "RequestTimeTooSkewed" => {
            match clock.skew_seconds() {
                Some(skew) if skew.abs() > TOLERATED_SKEW_SECONDS => clock_hint(skew),
                _ => "the secret key does not belong to the access key, or this machine's clock is wrong".to_owned(),
            }
        }
        "ExpiredToken" | "ExpiredTokenException" | "ExpiredIdentityToken" => {
            "the AWS session is over: log in again (`aws sso login`, or new keys in the environment); a GitLab job gets a new token when it is run again".to_owned()
        }
        "InvalidIdentityToken" | "IDPRejectedClaim" => {
            "the token must come from the issuer the account's OpenID Connect provider names, with the audience it expects: compare `aud` under id_tokens with the provider".to_owned()
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" => {
            "the access key is not known there: it was deleted, or is one of another partition (China, GovCloud)".to_owned()
        }
        _ => return None,
    })
}

/// What to say about a clock that is too far off for signatures.
pub(super) fn clock_hint(skew_seconds: i64) -> String {
    let direction = if skew_seconds > 0 { "ahead of" } else { "behind" };
    format!(
        "this machine's clock is {} seconds {direction} AWS's: set it right (NTP)",
        skew_seconds.abs()
    )
}

/// Puts a place that should have held an identity, and failed, into words.
pub(super) fn of_provider(place: &str, clock: &Clock, error: &CredentialsError) -> ContentError {
    let what = format!("cannot become somebody at AWS: {place} failed");
    let texts: Vec<String> = chain(error).collect();
    let says = |word: &str| texts.iter().any(|text| text.contains(word));
    if says("external process") {
        // What a program prints may be anything, also what nobody must see.
        return ContentError::new(Kind::Denied, what)
            .because("its credential_process gave no keys")
            .hint("run the command yourself that ~/.aws/config names as credential_process: it says why");
    }
    if let Some((code, message)) = refusal(error) {
        let call = Call {
            what: &what,
            action: "sts:AssumeRole",
            resource: "the role it names",
        };
        let failure = ContentError::new(kind(&code), &what).because(told(&code, message.as_deref()));
        return match hint(&code, call, clock) {
            Some(hint) => failure.hint(hint),
            None => failure,
        };
    }
    let cause = innermost(error);
    if is_out_of_reach(error) || matches!(error, CredentialsError::ProviderTimedOut(_)) {
        return ContentError::new(Kind::Temporary, what).because(cause).hint(NETWORK);
    }
    if says("credentials-login") {
        return ContentError::new(Kind::Usage, what)
            .because("sessions of `aws login` are not known here")
            .hint("make it a profile of its own with credential_process = aws configure export-credentials --profile NAME");
    }
    let is_configuration = matches!(error, CredentialsError::InvalidConfiguration(_));
    let failure = ContentError::new(if is_configuration { Kind::Usage } else { Kind::Denied }, what).because(cause);
    if says("SSO") || says("sso token") {
        failure.hint("log in again: `aws sso login`, with --profile NAME for a profile")
    } else if is_configuration {
        failure.hint("check ~/.aws/config and ~/.aws/credentials, or the files AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name")
    } else {
        failure
    }
}

/// Code and message of a service's refusal, somewhere among the causes.
fn refusal(error: &(dyn StdError + 'static)) -> Option<(String, Option<String>)> {
    let mut current = Some(error);
    while let Some(error) = current {
        let by_role = error.downcast_ref::<AssumeRoleError>().map(ProvideErrorMetadata::meta);
        let by_token = error
            .downcast_ref::<AssumeRoleWithWebIdentityError>()
            .map(ProvideErrorMetadata::meta);
        let meta = by_role.or(by_token).or_else(|| error.downcast_ref::<ErrorMetadata>());
        if let Some(meta) = meta
            && let Some(code) = meta.code()
        {
            return Some((code.to_owned(), meta.message().map(str::to_owned)));
        }
        current = error.source();
    }
    None
}

/// Whether no connection could be made, or no answer came.
fn is_out_of_reach(error: &(dyn StdError + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        let is_lost = |connection: &ConnectorError| connection.is_io() || connection.is_timeout();
        if error.downcast_ref::<ConnectorError>().is_some_and(is_lost)
            || is_late::<AssumeRoleError>(error)
            || is_late::<AssumeRoleWithWebIdentityError>(error)
        {
            return true;
        }
        current = error.source();
    }
    false
}

/// Whether a call of this kind got no answer in time.
fn is_late<E: StdError + 'static>(error: &(dyn StdError + 'static)) -> bool {
    matches!(error.downcast_ref::<Refusal<E>>(), Some(SdkError::TimeoutError(_)))
}

/// An error and its causes, in words.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> impl Iterator<Item = String> {
    let mut texts = vec![error.to_string()];
    let mut current = error;
    while let Some(cause) = current.source() {
        texts.push(cause.to_string());
        current = cause;
    }
    texts.into_iter()
}

/// The last of a chain of causes: those before it say what the caller knows better.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_what_kind_of_failure_it_is() {
        assert_eq!(kind("ThrottlingException"), Kind::Temporary);
        assert_eq!(kind("ExpiredTokenException"), Kind::Denied);
        assert_eq!(kind("RepositoryNotFoundException"), Kind::NotFound);
        assert_eq!(kind("SomethingNew"), Kind::Other);
    }

    #[test]
    fn a_refused_signature_is_blamed_on_the_clock_only_if_it_is_wrong() {
        let call = Call {
            what: "cannot",
            action: "ecr:GetAuthorizationToken",
            resource: "*",
        };
        let clock = Clock::new(784_111_777 + 900);
        let vague = hint("InvalidSignatureException", call, &clock).expect("a hint");
        assert!(vague.contains("secret key"), "{vague}");
        clock.observe("Sun, 06 Nov 1994 08:49:37 GMT");
        let exact = hint("InvalidSignatureException", call, &clock).expect("a hint");
        assert!(
            exact.contains("90") && exact.contains("seconds ahead of AWS's"),
            "{exact}"
        );
    }
}
