//! What is read of a base, and of images that files are copied from.

use serde_json::json;

use super::{build, built, project};
use crate::support::base::{Base, Bundle};
use crate::support::registry::FakeRegistry;
use crate::support::tarball::Tarball;

/// A base of two layers: a large one that is no archive, and above it a small one that answers every question.
fn large() -> Base {
    let answers = Tarball::new()
        .directory("opt", 0o755)
        .directory("opt/conf", 0o755)
        .file("opt/conf/old.txt", b"old");
    Base::plain().without_triggers().noise_layer(7, 50 << 20).layer(answers)
}

fn read(registry: &FakeRegistry, digest: &str) -> (usize, u64) {
    let requests = registry.requests();
    let reads = requests.iter().filter(|request| request.is("GET", digest));
    reads.fold((0, 0), |(count, bytes), request| (count + 1, bytes + request.sent()))
}

/// Catches layers that are read although those above have answered, and layers that are read again in the next run.
#[test]
fn of_an_unknown_base_only_what_is_needed_is_read_and_once() {
    let registry = FakeRegistry::open();
    let base = large();
    registry.seed("runner", "1", &base.image());
    let from = registry.reference("runner:1");
    let project = project(&format!("FROM {from}\nWORKDIR /opt\nCOPY old.txt conf\n")).file("old.txt", "a\n");
    let first = build(&project, &["--dry-run"]).succeeded();
    let [noise, answers] = &base.layer_digests()[..] else {
        panic!("two layers");
    };
    assert_eq!(read(&registry, noise), (0, 0), "{}", registry.story());
    let (count, bytes) = read(&registry, answers);
    assert_eq!(count, 1, "{}", registry.story());
    assert!(bytes < 2000, "{bytes} bytes");
    registry.forget_requests();
    project.write("old.txt", "b\n");
    let second = build(&project, &["--dry-run"]).succeeded();
    assert_ne!(first.digest(), second.digest());
    assert_eq!(read(&registry, answers).0, 0, "{}", registry.story());
    assert_eq!(project.temporary_files(), Vec::<String>::new());
}

/// Catches a base that is read although nothing in the Dockerfile asks what is in it.
#[test]
fn settings_ask_nothing_of_the_base() {
    let registry = FakeRegistry::open();
    let base = Base::plain().without_triggers().noise_layer(7, 1 << 20);
    registry.seed("runner", "1", &base.image());
    let from = registry.reference("runner:1");
    let project = project(&format!("FROM {from}\nENV A=1\nLABEL b=2\nUSER app\nCMD [\"x\"]\n"));
    build(&project, &["--dry-run"]).succeeded();
    assert_eq!(
        read(&registry, &base.layer_digests()[0]),
        (0, 0),
        "{}",
        registry.story()
    );
}

/// Catches a destination that is decided without the base: a link that is not followed, or a file in the place of a directory.
#[test]
fn the_base_decides_where_files_go() {
    let tarball = Tarball::new()
        .directory("usr", 0o755)
        .directory("usr/lib", 0o755)
        .symlink("lib", "usr/lib")
        .directory("etc", 0o755)
        .file("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\n")
        .file("etc/group", b"root:x:0:\nstaff:x:50:\n");
    let registry = FakeRegistry::open();
    registry.seed("runner", "1", &Base::plain().without_triggers().layer(tarball).image());
    let from = registry.reference("runner:1");
    let text = format!("FROM {from}\nCOPY a.txt /lib/x.so\nCOPY a.txt /etc\nCOPY --chown=app:staff a.txt /mine\n");
    let project = project(&text).file("a.txt", "a\n");
    let root = built(&project, &[]);
    let image = root.only();
    assert_eq!(image.text("usr/lib/x.so"), "a\n");
    assert!(image.entry("lib/x.so").is_none());
    assert_eq!(image.text("etc/a.txt"), "a\n");
    let mine = image.entry("mine").unwrap();
    assert_eq!((mine.uid, mine.gid), (1000, 50));
    assert_eq!(image.layers.len(), 4, "a layer for each COPY");
}

/// Catches layers of another image that are read whole although the files lie in one of them.
#[test]
fn of_an_image_that_is_copied_from_only_what_holds_the_files_is_read() {
    let registry = FakeRegistry::open();
    let base = large();
    registry.seed("tools", "1", &base.image());
    let from = registry.reference("tools:1");
    let project = project(&format!("FROM scratch\nCOPY --from={from} /opt/conf/old.txt /x\n"));
    let root = built(&project, &[]);
    assert_eq!(root.only().text("x"), "old");
    assert_eq!(
        read(&registry, &base.layer_digests()[0]),
        (0, 0),
        "{}",
        registry.story()
    );
}

/// Catches a platform whose base, variables or layers are another's.
#[test]
fn each_platform_has_its_own_base_and_variables() {
    let registry = FakeRegistry::open();
    let bases = [
        Base::flyway().without_triggers(),
        Base::flyway().without_triggers().platform("linux/arm64/v8"),
    ];
    registry.seed("runner", "13", &Bundle::index(&bases));
    let from = registry.reference("runner:13");
    let text = format!(
        "FROM {from}\nARG TARGETPLATFORM\nARG TARGETARCH\nENV P=$TARGETPLATFORM\nCOPY $TARGETARCH.txt all.txt /flyway/\n"
    );
    let project = project(&text)
        .file("amd64.txt", "amd\n")
        .file("arm64.txt", "arm\n")
        .file("all.txt", "all\n");
    let root = built(&project, &["--platform", "all"]);
    let platforms: Vec<&str> = root.images.iter().map(|image| image.platform.as_str()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64/v8"]);
    for (image, name, platform) in [
        (&root.images[0], "amd64", "linux/amd64"),
        (&root.images[1], "arm64", "linux/arm64/v8"),
    ] {
        assert!(image.entry(&format!("flyway/{name}.txt")).is_some(), "{platform}");
        assert_eq!(image.environment("P"), Some(platform));
        assert_eq!(image.config["config"]["Entrypoint"], json!(["flyway"]));
    }
}
