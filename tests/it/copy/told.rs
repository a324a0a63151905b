//! What is said of a copy, and of its failure.

use serde_json::json;

use super::{Pair, index, to_tagged};
use crate::support::base::Base;
use crate::support::image::layout_index;
use crate::support::project::TestProject;
use crate::support::registry::{Action, Authentication, FakeRegistry, Fault, Options, PASSWORD, USER};

/// Catches bytes that are passed on although they are not what they should be.
#[test]
fn a_damaged_blob_gets_no_name() {
    let pair = Pair::new();
    pair.source.fault(Fault::on("GET", "/blobs/").with(Action::Lie));
    pair.copy("promoted", &["--digest-file", "digest"])
        .exited(1)
        .says(&["is not what it should be", &pair.source.host()]);
    assert_eq!(pair.target.tags("promoted"), []);
    assert!(!pair.project.folder().join("digest").exists());
}

/// Catches an error that does not say which side failed.
#[test]
fn an_error_names_the_side() {
    let pair = Pair::new();
    let from = pair.source.reference("orders:nowhere");
    let to = pair.target.reference("promoted");
    pair.project
        .run(&["copy", &from, &to])
        .exited(1)
        .says(&[&format!("cannot read {from}")]);
    let closed = Pair::with(Options {
        authentication: Authentication::Basic,
        ..Options::open()
    });
    closed
        .copy("promoted", &[])
        .exited(1)
        .says(&[&closed.target.reference("promoted")])
        .hints();
    closed.assert_strict();
}

/// Catches the login of one registry that is shown to the other.
#[test]
fn each_registry_gets_its_own_login() {
    let options = || Options {
        authentication: Authentication::Basic,
        ..Options::open()
    };
    let source = FakeRegistry::start(options());
    let target = FakeRegistry::open();
    let digest = source.seed("orders", "1.4", &index());
    let project = TestProject::empty().logged_in(&source);
    let (from, to) = (source.reference("orders:1.4"), target.reference("promoted"));
    project.run(&["copy", &from, &to]).succeeded();
    assert_eq!(target.assert_complete("promoted", "1.4"), digest);
    assert!(target.requests().iter().all(|request| request.authorization.is_none()));
    // The user of the flags is for what is written to.
    let closed = FakeRegistry::start(options());
    let arguments = [
        "copy",
        &to_tagged(&to),
        &closed.reference("promoted"),
        "--username",
        USER,
        "--password-stdin",
    ];
    project.run_with_input(&arguments, PASSWORD).succeeded();
    assert_eq!(closed.assert_complete("promoted", "1.4"), digest);
    assert!(target.requests().iter().all(|request| request.authorization.is_none()));
}

/// Catches result files that differ from what is printed.
#[test]
fn results_are_written_after_success() {
    let pair = Pair::new();
    let files = ["--digest-file", "digest", "--image-refs", "refs", "--dotenv", "env"];
    let outcome = pair.copy("promoted", &files).succeeded();
    let read = |name: &str| std::fs::read_to_string(pair.project.folder().join(name)).unwrap();
    assert_eq!(read("digest"), format!("{}\n", pair.digest));
    assert_eq!(read("refs"), outcome.stdout);
    assert_eq!(
        read("env"),
        format!(
            "SHIPWAY_IMAGE={}@{digest}\nSHIPWAY_DIGEST={digest}\nSHIPWAY_TAGS=1.4\n",
            pair.target.reference("promoted"),
            digest = pair.digest
        )
    );
}

/// Catches a dry run that writes, or that does not say what it would refuse.
#[test]
fn a_dry_run_writes_nothing() {
    let pair = Pair::new();
    let json = pair
        .copy("promoted", &["--dry-run", "--format", "json"])
        .succeeded()
        .json();
    assert_eq!(
        (&json["status"], &json["digest"]),
        (&json!("dry-run"), &json!(pair.digest))
    );
    assert_eq!(pair.target.writes(), 0);
    pair.target.seed("promoted", "1.4", &Base::plain().image());
    pair.copy("promoted", &["--dry-run"]).exited(4);
}

/// Catches targets that make no sense and are found out late.
#[test]
fn targets_that_make_no_sense_are_refused() {
    let pair = Pair::new();
    let by_digest = pair.target.reference(&format!("promoted@{}", pair.digest));
    for (target, more, word) in [
        (by_digest.as_str(), &[][..], "digest"),
        ("oci:out", &["-t", "a.b/c:1"], "a.b/c:1"),
        ("oci:out", &["-t", "a+b"], "a+b"),
        ("oci:out", &["--platform", "amd64"], "--platform"),
        ("https://a.b/c", &[], "URL"),
        ("docker-archive:", &[], "file"),
    ] {
        let from = pair.from();
        let mut arguments = vec!["copy", from.as_str(), target];
        arguments.extend(more);
        pair.project.run(&arguments).exited(2).says(&[word]);
    }
    pair.project
        .run(&["copy", "scratch", "oci:out"])
        .exited(2)
        .says(&["scratch"]);
    assert_eq!(pair.requests(), 0, "{}", pair.story());
    // A layout whose image has no name.
    index().write_layout(&pair.project.folder().join("out"), "v1");
    let mut nameless = layout_index(&pair.project.folder().join("out"));
    nameless["manifests"][0].as_object_mut().unwrap().remove("annotations");
    pair.project.write("out/index.json", nameless.to_string());
    let target = pair.target.reference("promoted");
    pair.project
        .run(&["copy", "oci:out", &target])
        .exited(2)
        .says(&["no tag"])
        .hints();
    pair.project.run(&["copy", "oci:out", &target, "-t", "v7"]).succeeded();
    // One with several.
    let layout = pair.project.folder().join("several");
    Base::plain().image().write_layout(&layout, "one");
    pair.project.run(&["copy", "oci:out", "oci:several:two"]).succeeded();
    pair.project
        .run(&["copy", "oci:several", &target])
        .exited(2)
        .says(&["cannot tell which image", "one", "two"])
        .hints();
}

/// Catches a file of results that replaces the image itself.
#[test]
fn results_do_not_go_where_the_image_is() {
    let pair = Pair::new();
    let (from, to) = (pair.from(), pair.target.reference("promoted"));
    pair.project.run(&["copy", &from, "oci-archive:in.tar"]).succeeded();
    pair.forget();
    let before = std::fs::read(pair.project.folder().join("in.tar")).unwrap();
    for flag in ["--digest-file", "--image-refs", "--dotenv"] {
        pair.project
            .run(&["push", "oci-archive:in.tar", &to, flag, "./in.tar"])
            .exited(2)
            .says(&[flag, "in.tar"])
            .hints();
        pair.project
            .run(&["copy", &from, "oci-archive:out.tar", flag, "out.tar"])
            .exited(2)
            .says(&[flag, "out.tar"]);
    }
    assert_eq!(pair.requests(), 0);
    assert_eq!(std::fs::read(pair.project.folder().join("in.tar")).unwrap(), before);
    assert!(!pair.project.folder().join("out.tar").exists());
}
