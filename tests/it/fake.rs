//! The fake registry itself: a test double that is wrong would make every other test lie.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::base::{Base, Bundle, OCI_MANIFEST};
use crate::support::image::{DockerArchive, Root};
use crate::support::registry::{Action, FakeRegistry, Fault, Host, Options, PASSWORD, USER, basic, digest_of};

/// Sends one request over a connection of its own and gives the whole answer.
fn ask(registry: &FakeRegistry, method: &str, target: &str, headers: &[&str], body: &str) -> String {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    let mut request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
        registry.host()
    );
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    if method == "PUT" || method == "POST" {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1);
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let mut lines = answer.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_default()
}

#[test]
fn an_ecr_like_registry_asks_for_basic_and_redirects_blobs() {
    let registry = FakeRegistry::ecr();
    let base = Base::flyway();
    let digest = registry.seed("runner", "13", &base.image());
    let refused = ask(&registry, "GET", "/v2/runner/manifests/13", &[], "");
    assert_eq!(status(&refused), 401);
    assert!(header(&refused, "www-authenticate").starts_with("Basic "));
    assert!(refused.ends_with("Not Authorized\n"));
    let login = format!("Authorization: {}", basic(USER, PASSWORD));
    let accept = format!("Accept: {OCI_MANIFEST}");
    let manifest = ask(&registry, "HEAD", "/v2/runner/manifests/13", &[&login, &accept], "");
    assert_eq!(header(&manifest, "docker-content-digest"), digest);
    let layer = &base.layer_digests()[0];
    let blob = ask(&registry, "GET", &format!("/v2/runner/blobs/{layer}"), &[&login], "");
    assert_eq!(status(&blob), 307);
    assert!(header(&blob, "location").contains("/storage/"));
    let missing = ask(&registry, "HEAD", "/v2/other/manifests/13", &[&login, &accept], "");
    assert_eq!(status(&missing), 404);
    registry.assert_strict();
    assert_eq!(registry.count(), 4);
}

#[test]
fn a_blob_goes_up_with_post_and_put_and_a_manifest_needs_its_blobs() {
    let registry = FakeRegistry::open();
    let opened = ask(&registry, "POST", "/v2/orders/blobs/uploads/", &[], "");
    assert_eq!(status(&opened), 202);
    let digest = digest_of(b"{}");
    let session = format!("{}&digest={digest}", header(&opened, "location"));
    assert_eq!(status(&ask(&registry, "PUT", &session, &[], "{}")), 201);
    assert_eq!(registry.blobs("orders"), [digest]);
    registry.assert_strict();
    let kind = format!("Content-Type: {OCI_MANIFEST}");
    let manifest = Bundle::schema_1().manifests[0].1.clone();
    let manifest = String::from_utf8_lossy(&manifest).replace(
        "\"schemaVersion\"",
        "\"config\":{\"digest\":\"sha256:00\",\"size\":2},\"schemaVersion\"",
    );
    let refused = ask(&registry, "PUT", "/v2/orders/manifests/1", &[&kind], &manifest);
    assert_eq!(status(&refused), 400);
    assert!(refused.contains("MANIFEST_BLOB_UNKNOWN"));
    assert_eq!(registry.tags("orders"), []);
}

#[test]
fn faults_strike_when_they_are_told_to() {
    let registry = FakeRegistry::open();
    registry.seed("runner", "13", &Base::flyway().image());
    let accept = format!("Accept: {OCI_MANIFEST}");
    let get = || ask(&registry, "GET", "/v2/runner/manifests/13", &[&accept], "");
    let busy = registry.fault(
        Fault::on("GET", "/manifests/")
            .after(1)
            .respond(503, "UNAVAILABLE", "later"),
    );
    assert_eq!(status(&get()), 200);
    assert!(!busy.struck());
    assert_eq!(status(&get()), 503);
    assert!(busy.struck());
    assert_eq!(status(&get()), 200);
    registry.heal();
    registry.fault(Fault::on("GET", "/manifests/"));
    assert_eq!(get(), "", "the connection is dropped without an answer");
    registry.heal();
    registry.fault(Fault::on("GET", "/manifests/").with(Action::CutAfter(10)));
    let cut = get();
    assert_eq!(status(&cut), 200);
    assert!(cut.ends_with("\r\n\r\n{\"schemaVe"), "{cut:?}");
}

#[test]
fn storage_must_not_see_credentials() {
    let registry = FakeRegistry::start(Options::ecr());
    let base = Base::flyway();
    registry.seed("runner", "13", &base.image());
    let login = format!("Authorization: {}", basic(USER, PASSWORD));
    let layer = &base.layer_digests()[0];
    let blob = ask(&registry, "GET", &format!("/v2/runner/blobs/{layer}"), &[&login], "");
    let location = header(&blob, "location").trim_start_matches("http://").to_owned();
    let (host, path) = location.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let requests = registry.requests();
    assert_eq!(requests[1].host, Host::Storage);
    assert!(requests[1].sent() > 0);
    assert_eq!(
        registry.transcript(),
        "GET runner/blobs/<base layer 1> 307\nGET storage/<base layer 1> 200"
    );
}

#[test]
fn what_is_seeded_can_be_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for base in [Base::flyway_of(3), Base::flyway_of(3).docker()] {
        let registry = FakeRegistry::open();
        let digest = registry.seed("runner", "13", &base.image());
        let root = registry.image("runner", "13");
        assert_eq!(root.digest, digest);
        assert_eq!(root.only().text("flyway/flyway"), "#!/bin/sh\nexit 0\n");
        let layout = folder.path().join("layout");
        base.image().write_layout(&layout, "13");
        assert_eq!(Root::layout(&layout, Some("13")).digest, digest);
        std::fs::remove_dir_all(layout).unwrap();
        let saved = folder.path().join("saved.tar");
        base.write_docker_archive(&saved, "runner:13");
        assert_eq!(DockerArchive::read(&saved).layers.len(), 3);
    }
}

#[test]
fn a_registry_that_discards_knows_what_it_was_sent() {
    let registry = FakeRegistry::start(Options {
        discards: true,
        ..Options::open()
    });
    let body = "x".repeat(5 << 20);
    let opened = ask(&registry, "POST", "/v2/orders/blobs/uploads/", &[], "");
    let digest = digest_of(body.as_bytes());
    let session = format!("{}&digest={digest}", header(&opened, "location"));
    assert_eq!(status(&ask(&registry, "PUT", &session, &[], &body)), 201);
    let found = ask(&registry, "HEAD", &format!("/v2/orders/blobs/{digest}"), &[], "");
    assert_eq!(header(&found, "content-length"), body.len().to_string());
    let lied = ask(&registry, "POST", "/v2/orders/blobs/uploads/", &[], "");
    let session = format!("{}&digest={digest}", header(&lied, "location"));
    assert_eq!(status(&ask(&registry, "PUT", &session, &[], "y")), 400);
}

#[test]
fn a_broken_session_must_not_be_used_again() {
    let registry = FakeRegistry::open();
    registry.fault(Fault::on("PUT", "/uploads/").with(Action::ResetAfter(1)));
    let opened = ask(&registry, "POST", "/v2/orders/blobs/uploads/", &[], "");
    let session = format!("{}&digest={}", header(&opened, "location"), digest_of(b"{}"));
    assert_eq!(ask(&registry, "PUT", &session, &[], "{}"), "");
    registry.assert_strict();
    ask(&registry, "PUT", &session, &[], "{}");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| registry.assert_strict()));
    assert!(caught.is_err(), "the second attempt is a violation");
}

#[test]
fn rounds_measure_depth() {
    let registry = FakeRegistry::start(Options {
        rounds: true,
        ..Options::open()
    });
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| ask(&registry, "HEAD", "/v2/x/blobs/sha256:0", &[], ""));
        }
    });
    assert_eq!(registry.rounds(), 1);
    ask(&registry, "HEAD", "/v2/x/blobs/sha256:0", &[], "");
    assert_eq!(registry.rounds(), 2);
}
