//! The way to a registry: TLS, plain HTTP, client certificates, mirrors, endpoints and proxies.

use crate::support::authority::Authority;
use crate::support::base::Base;
use crate::support::project::TestProject;
use crate::support::proxy::Proxy;
use crate::support::registry::{Action, FakeRegistry, Fault, Options};

/// A registry that speaks HTTPS, with a base in it.
fn secure(authority: &Authority, options: Options) -> FakeRegistry {
    let registry = FakeRegistry::start(Options {
        identity: Some(authority.server()),
        ..options
    });
    registry.seed("orders", "base", &Base::flyway_of(4).image());
    registry
}

/// Catches a CA file that is not used, HTTP/1.1 where HTTP/2 is offered, and a connection per request.
#[test]
fn a_ca_file_makes_a_registry_trusted() {
    let authority = Authority::new();
    let registry = secure(&authority, Options::ecr());
    let project = TestProject::new().logged_in(&registry);
    authority.write(&project.folder().join("ca.pem"));
    let certificate = format!("{}=ca.pem", registry.host());
    let base = registry.reference("orders:base");
    let target = registry.reference("orders:v1");
    project
        .build(&[
            "--base",
            &base,
            "-t",
            &target,
            "--push",
            "--registry-certificate",
            &certificate,
        ])
        .succeeded();
    registry.image("orders", "v1");
    registry.assert_strict();
    let requests = registry.requests();
    assert!(requests.iter().all(|request| request.http2), "{}", registry.story());
    let mut connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
    connections.sort_unstable();
    connections.dedup();
    assert!(connections.len() <= 6, "{} connections", connections.len());
    let from_file = TestProject::new()
        .logged_in(&registry)
        .project_file(&format!(
            "[migrations]\nscripts = \"db\"\n[registry.\"{}\"]\nca_file = \"certificates/ca.pem\"\n",
            registry.host()
        ))
        .file(
            "certificates/ca.pem",
            std::fs::read(project.folder().join("ca.pem")).unwrap(),
        );
    from_file.push(&base, &registry.reference("orders:v2")).succeeded();
}

/// Catches certificates that are not checked, and retries of what cannot succeed.
#[test]
fn an_unknown_authority_is_refused() {
    let registry = secure(&Authority::new(), Options::open());
    let other = Authority::new();
    let project = TestProject::new();
    other.write(&project.folder().join("other.pem"));
    let certificate = format!("{}=other.pem", registry.host());
    let base = registry.reference("orders:base");
    project
        .build(&[
            "--base",
            &base,
            "--output",
            "oci:out",
            "--registry-certificate",
            &certificate,
        ])
        .exited(1)
        .says(&["certificate", &registry.host()])
        .hints();
    assert_eq!(registry.count(), 0);
}

/// Catches a CA file that cannot be read and is left out in silence.
#[test]
fn a_ca_file_that_cannot_be_read_is_refused() {
    let project = TestProject::new().file("empty.pem", "no certificate here\n");
    for file in ["missing.pem", "empty.pem"] {
        let certificate = format!("127.0.0.1:1={file}");
        project
            .build(&[
                "--base",
                "127.0.0.1:1/x:1",
                "--output",
                "oci:out",
                "--registry-certificate",
                &certificate,
            ])
            .exited(2)
            .says(&[file]);
    }
}

/// Catches a client certificate that is not sent.
#[test]
fn a_client_certificate_is_shown() {
    let authority = Authority::new();
    let registry = FakeRegistry::start(Options {
        identity: Some(authority.server_for_known_clients()),
        ..Options::open()
    });
    registry.seed("orders", "base", &Base::flyway().image());
    let project = TestProject::new();
    authority.write(&project.folder().join("ca.pem"));
    authority.write_client(
        &project.folder().join("client.pem"),
        &project.folder().join("client.key"),
    );
    let certificate = format!("{}=ca.pem", registry.host());
    let client = format!("{}=client.pem,client.key", registry.host());
    let base = registry.reference("orders:base");
    let target = registry.reference("orders:v1");
    let arguments = [
        "--base",
        &base,
        "-t",
        &target,
        "--push",
        "--registry-certificate",
        &certificate,
    ];
    project
        .build(&[&arguments[..], &["--registry-client-cert", &client]].concat())
        .succeeded();
    project.build(&arguments).failed().says(&[&registry.host()]);
}

/// Catches credentials sent in the clear to a host that is not this machine.
#[test]
fn plain_http_must_be_asked_for() {
    let registry = FakeRegistry::open();
    registry.seed("runner", "13", &Base::flyway().image());
    let proxy = format!("http://{}", registry.host());
    let project = TestProject::new()
        .environment("HTTP_PROXY", &proxy)
        .environment("HTTPS_PROXY", &proxy);
    let arguments = [
        "--retry",
        "0",
        "build",
        "--scripts",
        "db",
        "--base",
        "registry.test/runner:13",
        "--output",
        "oci:out",
    ];
    project.run(&arguments).failed();
    let requests = registry.requests();
    let clear = requests.iter().filter(|request| request.method != "CONNECT");
    assert_eq!(clear.count(), 0, "nothing in the clear:{}", registry.story());
    registry.forget_requests();
    project
        .run(&[&arguments[..], &["--plain-http", "registry.test"]].concat())
        .succeeded();
    let requests = registry.requests();
    assert!(
        requests.iter().all(|request| request.authority == "registry.test"),
        "{}",
        registry.story()
    );
}

/// Catches `plain_http = false` that is not looked at for a loopback host.
#[test]
fn loopback_can_be_made_to_need_tls() {
    let registry = FakeRegistry::open();
    registry.seed("runner", "13", &Base::flyway().image());
    let project = TestProject::new().project_file(&format!(
        "[migrations]\nscripts = \"db\"\n[registry.\"{}\"]\nplain_http = false\n",
        registry.host()
    ));
    let base = registry.reference("runner:13");
    project
        .run(&["--retry", "0", "build", "--base", &base, "--output", "oci:out"])
        .failed();
    assert_eq!(registry.count(), 0);
}

/// Catches a proxy that is passed by, and a name that is resolved here instead of there.
#[test]
fn an_https_proxy_is_used() {
    let authority = Authority::new();
    let registry = secure(&authority, Options::open());
    let proxy = Proxy::to(registry.address());
    let project = TestProject::new().environment("HTTPS_PROXY", &proxy.url());
    authority.write(&project.folder().join("ca.pem"));
    project
        .build(&[
            "--base",
            "registry.test/orders:base",
            "-t",
            "registry.test/orders:v1",
            "--push",
            "--registry-certificate",
            "registry.test=ca.pem",
        ])
        .succeeded();
    assert_eq!(proxy.asked().first().map(String::as_str), Some("registry.test:443"));
    registry.image("orders", "v1");
}

/// Catches `NO_PROXY` that is not looked at.
#[test]
fn no_proxy_is_respected() {
    let registry = FakeRegistry::open();
    registry.seed("orders", "base", &Base::flyway().image());
    let project = TestProject::new()
        .environment("HTTP_PROXY", "http://127.0.0.1:1")
        .environment("NO_PROXY", "127.0.0.1");
    project
        .push(&registry.reference("orders:base"), &registry.reference("orders:v1"))
        .succeeded();
}

/// Catches a mirror that is not asked first, that is pushed to, or whose name gets into the image.
#[test]
fn a_mirror_is_asked_first_and_the_registry_if_it_fails() {
    let registry = FakeRegistry::open();
    let digest = registry.seed("runner", "13", &Base::flyway().image());
    let mirror = FakeRegistry::open();
    mirror.seed("proxy/runner", "13", &Base::flyway().image());
    let project = TestProject::new();
    let flag = format!("{}={}/proxy", registry.host(), mirror.host());
    let base = registry.reference("runner:13");
    let target = registry.reference("orders:v1");
    let arguments = ["--base", &base, "-t", &target, "--push", "--registry-mirror", &flag];
    project.build(&arguments).succeeded();
    assert!(mirror.count() > 0);
    assert_eq!(mirror.writes(), 0);
    let requests = registry.requests();
    assert!(
        !requests
            .iter()
            .any(|request| request.path.contains("/runner/manifests/")),
        "{}",
        registry.story()
    );
    let root = registry.image("orders", "v1");
    assert_eq!(
        root.only().label("org.opencontainers.image.base.name"),
        Some(base.as_str())
    );
    assert_eq!(
        root.only().label("org.opencontainers.image.base.digest"),
        Some(digest.as_str())
    );
    let empty = FakeRegistry::open();
    let flag = format!("{}={}/proxy", registry.host(), empty.host());
    let target = registry.reference("orders:v2");
    let fallback = TestProject::new();
    fallback
        .build(&["--base", &base, "-t", &target, "--push", "--registry-mirror", &flag])
        .succeeded();
    assert!(empty.count() > 0);
}

/// Catches an endpoint that is not used, or that gets into names.
#[test]
fn an_endpoint_stands_for_a_host() {
    let registry = FakeRegistry::open();
    registry.seed("orders", "base", &Base::flyway().image());
    let project = TestProject::new();
    let endpoint = format!("registry.test=http://{}", registry.host());
    let outcome = project
        .build(&[
            "--base",
            "registry.test/orders:base",
            "-t",
            "registry.test/orders:v1",
            "--push",
            "--registry-endpoint",
            &endpoint,
        ])
        .succeeded();
    assert!(
        outcome.stdout.starts_with("registry.test/orders@sha256:"),
        "{outcome:?}"
    );
    registry.image("orders", "v1");
}

/// Catches a registry that cannot tell who asks: its operators need the name and version.
#[test]
fn the_user_agent_says_who_we_are() {
    let scene = crate::support::scene::Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let expected = format!("shipway/{}", env!("CARGO_PKG_VERSION"));
    for request in scene.registry.requests() {
        assert!(request.user_agent.starts_with(&expected), "{request:?}");
        assert!(request.method != "GET" || !request.path.contains("/manifests/") || !request.accept.is_empty());
    }
}

/// Catches a client that needs `Docker-Content-Digest`, or that takes an upload's `Location` for a path only.
#[test]
fn headers_that_registries_may_leave_out_are_not_needed() {
    let scene = crate::support::scene::Scene::new(Options {
        names_digests: false,
        absolute_locations: true,
        ..Options::ecr()
    });
    scene.push("v1", &[]).succeeded();
    scene.registry.image("orders", "v1");
    scene.registry.forget_requests();
    scene.push("v1", &[]).succeeded();
    assert_eq!(scene.registry.writes(), 0);
}

/// Catches a build that fails with the mirror it reads from, in the middle of a layer.
#[test]
fn a_layer_that_breaks_off_at_a_mirror_is_read_on_from_the_registry() {
    let registry = FakeRegistry::open();
    registry.seed("runner", "13", &Base::flyway().image());
    let mirror = FakeRegistry::open();
    mirror.seed("proxy/runner", "13", &Base::flyway().image());
    mirror.fault(Fault::on("GET", "/blobs/").after(1).always().with(Action::CutAfter(40)));
    let flag = format!("{}={}/proxy", registry.host(), mirror.host());
    let base = registry.reference("runner:13");
    let arguments = [
        "--base",
        &base,
        "--output",
        "oci:out",
        "-t",
        "v1",
        "--registry-mirror",
        &flag,
    ];
    let project = TestProject::new();
    project.build(&[&arguments[..], &["--retry", "1"]].concat()).succeeded();
    crate::support::image::Root::layout(&project.folder().join("out"), Some("v1"));
}

/// Catches an upload over HTTP/2 that waits for its answer for ever: there the body is asked once more after its end.
#[test]
fn an_upload_over_http2_that_is_not_answered_is_given_up() {
    let authority = Authority::new();
    let registry = secure(&authority, Options::open());
    let stalled = registry.fault(Fault::on("PUT", "/orders/blobs/uploads/").with(Action::Stall));
    let project = TestProject::new();
    authority.write(&project.folder().join("ca.pem"));
    let certificate = format!("{}=ca.pem", registry.host());
    let outcome = project.build(&[
        "--base",
        &registry.reference("orders:base"),
        "-t",
        &registry.reference("orders:v1"),
        "--push",
        "--registry-certificate",
        &certificate,
        "--timeout",
        "0.5",
        "--retry",
        "6",
    ]);
    outcome.succeeded().says(&["moved no byte"]);
    assert!(stalled.struck());
    assert!(registry.requests().iter().all(|request| request.http2));
    registry.image("orders", "v1");
}
