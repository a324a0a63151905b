//! What makes one registry of moto and Debian's: it stands before both and asks the API about every repository.
//!
//! As at Amazon, a repository that nobody made is not there, the API knows the images that were pushed, tags of an immutable
//! repository stay, and a push starts a scan where the repository says so.

use std::process::Command;
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::account::{Account, DEVELOPMENT, REGION, moto};
use super::api::{ask, create_repository};
use super::server::{Body, Server, client, json_answer};
use crate::layout::write_image;
use crate::parts::base_layout;

/// A registry of an account, as one that the API rules.
pub(crate) struct Gateway {
    server: Server,
    shared: Arc<Shared>,
}

/// What its connections share.
struct Shared {
    client: reqwest::Client,
    moto: String,
    registry: String,
    account: Account,
    region: String,
    /// What names of repositories begin with in the registry, and nowhere else.
    folder: String,
    /// Method and path of what was asked of it.
    asked: Mutex<Vec<String>>,
}

impl Gateway {
    /// Starts one before the registry of an account.
    pub(crate) fn before(account: Account) -> Self {
        Self::in_region(account, REGION, "")
    }

    /// Starts one for a region, whose repositories lie in a folder of the account's registry.
    pub(crate) fn in_region(account: Account, region: &str, folder: &str) -> Self {
        let shared = Arc::new(Shared {
            client: client(),
            moto: moto(),
            registry: format!("http://{}", account.address()),
            account,
            region: region.to_owned(),
            folder: folder.to_owned(),
            asked: Mutex::default(),
        });
        let of_server = Arc::clone(&shared);
        let server = Server::start(move |request| {
            let shared = Arc::clone(&of_server);
            async move { shared.answer(request).await }
        });
        Self { server, shared }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// What `--registry-endpoint` says of it.
    pub(crate) fn endpoint(&self) -> String {
        format!(
            "{}=http://{}",
            self.shared.account.host_in(&self.shared.region),
            self.server.address
        )
    }

    /// Method and path of what was asked of it since this was asked last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.asked.lock().expect("nobody panics with the lock"))
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let asked = format!("{} {path}", request.method());
        self.asked.lock().expect("nobody panics with the lock").push(asked);
        let parts = path.strip_prefix("/v2/").and_then(|rest| {
            rest.split_once("/blobs/")
                .map(|(name, _)| (name, None))
                .or_else(|| rest.rsplit_once("/manifests/").map(|(name, tag)| (name, Some(tag))))
        });
        // Who has no password is told so by the registry.
        let (Some((name, reference)), true) = (parts, request.headers().contains_key(AUTHORIZATION)) else {
            return self.forward(request.map(stream)).await;
        };
        let found = self
            .ask("DescribeRepositories", &json!({ "repositoryNames": [name] }))
            .await;
        let repository = match found {
            Ok(answer) => answer["repositories"][0].clone(),
            Err((kind, message)) => {
                assert_eq!(kind, "RepositoryNotFoundException", "{message}");
                return refuse(StatusCode::NOT_FOUND, "NAME_UNKNOWN", &message);
            }
        };
        match reference {
            Some(reference) if request.method() == Method::PUT => {
                let (head, body) = request.into_parts();
                let manifest = body
                    .collect()
                    .await
                    .expect("a client sends what it promised")
                    .to_bytes();
                let media_type = head.headers[CONTENT_TYPE].to_str().expect("a media type").to_owned();
                if let Err(message) = self.register(&repository, reference, &media_type, &manifest).await {
                    return refuse(StatusCode::BAD_REQUEST, "TAG_INVALID", &message);
                }
                self.forward(Request::from_parts(head, manifest.into())).await
            }
            _ => self.forward(request.map(stream)).await,
        }
    }

    /// Tells the API of a manifest. It would compute a digest of its own, of something else.
    async fn register(
        &self,
        repository: &Value,
        reference: &str,
        media_type: &str,
        manifest: &[u8],
    ) -> Result<(), String> {
        let name = &repository["repositoryName"];
        let digest = Sha256::digest(manifest)
            .iter()
            .fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let mut image = json!({
            "repositoryName": name,
            "imageManifest": String::from_utf8_lossy(manifest),
            "imageManifestMediaType": media_type,
            "imageDigest": digest,
        });
        let tag = (!reference.contains(':')).then_some(reference);
        if let Some(tag) = tag {
            image["imageTag"] = tag.into();
            let here = json!({ "repositoryName": name, "imageIds": [{ "imageTag": tag }] });
            if let Ok(found) = self.ask("DescribeImages", &here).await
                && found["imageDetails"][0]["imageDigest"] == digest.as_str()
            {
                return Ok(());
            }
        }
        if let Err((kind, message)) = self.ask("PutImage", &image).await {
            assert_eq!(kind, "ImageAlreadyExistsException", "{message}");
            return Err(format!(
                "The image tag '{reference}' already exists in the {name} repository and cannot be overwritten because the tag is \
                 immutable."
            ));
        }
        if repository["imageScanningConfiguration"]["scanOnPush"] == true {
            let scan = json!({ "repositoryName": name, "imageId": { "imageDigest": digest } });
            // An image that was scanned today stays as it was found.
            let _ = self.ask("StartImageScan", &scan).await;
        }
        Ok(())
    }

    /// Asks the API; the error is the name of an exception, and what it says.
    async fn ask(&self, operation: &str, question: &Value) -> Result<Value, (String, String)> {
        let answer = self
            .client
            .post(&self.moto)
            .header(
                "X-Amz-Target",
                format!("AmazonEC2ContainerRegistry_V20150921.{operation}"),
            )
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("x-moto-account-id", self.account.id)
            .header(
                AUTHORIZATION,
                format!(
                    "AWS4-HMAC-SHA256 Credential=gateway/20260101/{}/ecr/aws4_request, SignedHeaders=host, Signature=0",
                    self.region
                ),
            )
            .body(question.to_string())
            .send()
            .await
            .expect("moto answers");
        let answer = answer.bytes().await.expect("moto answers in full");
        let answer: Value = serde_json::from_slice(&answer).expect("moto answers JSON");
        match answer["__type"].as_str() {
            Some(kind) => {
                let message = answer["message"].as_str().or(answer["Message"].as_str());
                Err((kind.to_owned(), message.unwrap_or_default().to_owned()))
            }
            None => Ok(answer),
        }
    }

    /// Hands a request on. The registry learns the host the client named, and so answers with places at the gateway.
    async fn forward(&self, request: Request<reqwest::Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().expect("a request has a path").as_str();
        let target = match target.strip_prefix("/v2/").filter(|rest| !rest.is_empty()) {
            Some(rest) => format!(
                "/v2/{}{}",
                self.folder,
                rest.replace("from=", &format!("from={}", self.folder))
            ),
            None => target.to_owned(),
        };
        let mut headers = head.headers;
        headers.remove(CONNECTION);
        let answer = self
            .client
            .request(head.method, format!("{}{target}", self.registry))
            .headers(headers)
            .body(body)
            .send()
            .await
            .expect("the registry answers");
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            if name == LOCATION {
                let place = value.to_str().expect("a place is a URL");
                let place = place.replace(&format!("/v2/{}", self.folder), "/v2/");
                response = response.header(name, HeaderValue::from_str(&place).expect("a place is a URL"));
            } else if name != CONNECTION && name != TRANSFER_ENCODING {
                response = response.header(name, value);
            }
        }
        let body = StreamBody::new(answer.bytes_stream().map_ok(Frame::data));
        response
            .body(body.boxed_unsync())
            .expect("the registry's headers are valid")
    }
}

fn stream(body: Incoming) -> reqwest::Body {
    let data = BodyStream::new(body).try_filter_map(|frame| async { Ok(frame.into_data().ok()) });
    reqwest::Body::wrap_stream(data)
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json_answer(status, &json!({ "errors": [{ "code": code, "message": message }] }))
}

/// The gateway's own word, before anything is built on it.
#[test]
#[ignore = "needs moto, docker-registry and skopeo: ci/test.sh"]
fn skopeo_finds_a_registry_like_amazons() {
    let gateway = Gateway::before(DEVELOPMENT);
    let copy = |from: &str| {
        Command::new("skopeo")
            .args([
                "--insecure-policy",
                "copy",
                "--quiet",
                "--preserve-digests",
                "--dest-tls-verify=false",
            ])
            .args(["--dest-creds", "AWS:123456789012-auth-token", from])
            .arg(format!("docker://{}/gateway/base:1", gateway.server.address))
            .output()
            .expect("skopeo starts")
    };
    let refused = copy(&base_layout());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("gateway/base"), "{said}");
    assert!(!refused.status.success(), "{said}");

    create_repository(&moto(), DEVELOPMENT.id, "gateway/base", "IMMUTABLE");
    for _ in 0..2 {
        let done = copy(&base_layout());
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let digest = DEVELOPMENT.digest_of("gateway/base:1");
    let known = ask(
        &moto(),
        DEVELOPMENT.id,
        "DescribeImages",
        &json!({ "repositoryName": "gateway/base" }),
    );
    assert_eq!(
        known.expect("moto knows the repository")["imageDetails"][0]["imageDigest"],
        digest
    );

    let image = tempfile::tempdir().expect("a folder can be made");
    write_image(image.path(), &["amd64"], 1, 1000);
    let refused = copy(&format!("oci:{}:1", image.path().display()));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("immutable"), "{said}");
    assert_eq!(DEVELOPMENT.digest_of("gateway/base:1"), digest);
}
