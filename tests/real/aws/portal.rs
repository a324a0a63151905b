//! Where identities come from that nobody types: the portal of IAM Identity Center (SSO), and the endpoint inside a container.
//!
//! moto has neither. The roles they give are moto's all the same, so that it knows who comes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use super::account::{DEVELOPMENT, moto};
use super::server::{Body, Server, client, json_answer};
use crate::parts::output;

/// What `aws sso login` leaves behind.
const LOGIN: &str = "token-of-ada-who-logged-in";
/// What the container's environment holds.
const CONTAINER: &str = "token-of-the-container";

/// A server that gives identities to those who show the right token.
pub(crate) struct Portal(Server);

impl Portal {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let shared = Arc::new((client(), moto()));
        Self(Server::start(move |request| {
            let shared = Arc::clone(&shared);
            async move { answer(&shared.0, &shared.1, &request).await }
        }))
    }

    /// Points a command at the portal. Whether it may come in depends on a login.
    pub(crate) fn lead_to_sso(&self, command: &mut Command) {
        command.env("AWS_ENDPOINT_URL_SSO", format!("http://{}", self.0.address));
    }

    /// Makes a command believe that it runs in a container of ECS.
    pub(crate) fn pretend_container(&self, command: &mut Command) {
        command
            .env(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                format!("http://{}/container", self.0.address),
            )
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER);
    }

    /// Writes what `aws sso login` would for a session of `~/.aws/config`.
    pub(crate) fn log_in(home: &Path, session: &str) {
        let folder = home.join(".aws/sso/cache");
        fs::create_dir_all(&folder).expect("a folder can be made");
        let name = output(Command::new("sh").args(["-c", "printf %s \"$1\" | sha1sum | cut -d' ' -f1", "sh", session]));
        let token = json!({
            "startUrl": "https://example.awsapps.com/start",
            "region": "eu-west-1",
            "accessToken": LOGIN,
            "expiresAt": "2100-01-01T00:00:00Z",
        });
        fs::write(folder.join(format!("{}.json", name.trim_end())), token.to_string()).expect("a file can be written");
    }
}

async fn answer(client: &reqwest::Client, moto: &str, request: &Request<Incoming>) -> Response<Body> {
    let shows = |header: &str, token: &str| request.headers().get(header).is_some_and(|shown| shown == token);
    let query = |name: &str| {
        let query = request.uri().query().unwrap_or_default();
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    match request.uri().path() {
        "/federation/credentials" if shows("x-amz-sso_bearer_token", LOGIN) => {
            let role = format!("arn:aws:iam::{}:role/{}", query("account_id"), query("role_name"));
            let (key, secret, token) = assume(client, moto, &role, "ada").await;
            let credentials = json!({
                "accessKeyId": key,
                "secretAccessKey": secret,
                "sessionToken": token,
                "expiration": 4_102_444_800_000_u64,
            });
            json_answer(StatusCode::OK, &json!({ "roleCredentials": credentials }))
        }
        "/container" if shows("authorization", CONTAINER) => {
            let role = format!("arn:aws:iam::{}:role/runner", DEVELOPMENT.id);
            let (key, secret, token) = assume(client, moto, &role, "task").await;
            let credentials = json!({
                "AccessKeyId": key,
                "SecretAccessKey": secret,
                "Token": token,
                "Expiration": "2100-01-01T00:00:00Z",
            });
            json_answer(StatusCode::OK, &credentials)
        }
        _ => {
            let told = json!({ "__type": "UnauthorizedException", "message": "Session token not found or invalid" });
            json_answer(StatusCode::UNAUTHORIZED, &told)
        }
    }
}

/// Takes on a role at moto: key, secret and token.
async fn assume(client: &reqwest::Client, moto: &str, role: &str, session: &str) -> (String, String, String) {
    let question = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName={session}");
    let answer = client
        .post(moto)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=portal/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(question)
        .send()
        .await
        .expect("moto answers");
    let text = answer.text().await.expect("moto answers in full");
    let element = |name: &str| {
        let (_, rest) = text
            .split_once(&format!("<{name}>"))
            .unwrap_or_else(|| panic!("no {name}: {text}"));
        rest.split('<').next().unwrap_or_default().to_owned()
    };
    (
        element("AccessKeyId"),
        element("SecretAccessKey"),
        element("SessionToken"),
    )
}

/// The sessions that a config file speaks of.
pub(crate) fn sessions(config: &str) -> Vec<String> {
    let lines = config
        .lines()
        .filter_map(|line| line.trim().strip_prefix("sso_session"));
    let names = lines.filter_map(|rest| rest.trim_start().strip_prefix('='));
    names.map(|name| name.trim().to_owned()).collect()
}
