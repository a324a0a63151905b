//! Paths of the base: an entry goes where a link points, and a directory of the base keeps what it is.

use tar::EntryType;

use crate::support::base::Base;
use crate::support::image::{Image, Root};
use crate::support::outcome::Outcome;
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;
use crate::support::tarball::{Entry, Tarball};

/// Builds with `--add sql:DESTINATION` on a base of these layers.
fn run(project: &TestProject, base: &Base, destination: &str) -> Outcome {
    run_with(project, base, &format!("sql:{destination}"))
}

fn run_with(project: &TestProject, base: &Base, add: &str) -> Outcome {
    base.image().write_layout(&project.folder().join("base"), "1");
    project.run(&[
        "build",
        "--profile",
        "custom",
        "--base",
        "oci:base",
        "--add",
        add,
        "--output",
        "oci:out",
        "-t",
        "v1",
    ])
}

/// The entries of the new layer, which must leave directories and links of the base as they are.
fn added(layers: Vec<Tarball>, destination: &str) -> Vec<Entry> {
    let project = TestProject::empty().file("sql/one.sql", "SELECT 1;\n");
    let base = layers.into_iter().fold(Base::plain(), Base::layer);
    run(&project, &base, destination).succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    let image = root.only();
    let depth = base.depth();
    let entries: Vec<_> = image
        .above(depth)
        .iter()
        .flat_map(|layer| layer.entries.clone())
        .collect();
    for entry in &entries {
        if let Some(old) = of_base(image, depth, &entry.path) {
            assert_ne!(old.kind, EntryType::Symlink, "{} is a link of the base", entry.path);
            let attributes = |entry: &Entry| (entry.mode, entry.uid, entry.gid);
            assert_eq!(attributes(entry), attributes(old), "{}", entry.path);
        }
    }
    entries
}

/// What the base has at a path; whiteouts are the tests' own business.
fn of_base<'a>(image: &'a Image, depth: usize, path: &str) -> Option<&'a Entry> {
    if image.layers[..depth].iter().any(|layer| {
        let hidden = |entry: &Entry| entry.path.contains(".wh.");
        layer.entries.iter().any(hidden)
    }) {
        return None;
    }
    let layers = image.layers[..depth].iter().rev();
    let mut entries = layers.flat_map(|layer| layer.entries.iter());
    entries.find(|entry| entry.path == path)
}

fn kind(entries: &[Entry], path: &str) -> Option<EntryType> {
    let found = entries.iter().find(|entry| entry.path == path);
    found.map(|entry| entry.kind)
}

/// Catches `/opt` written as a directory over the base's link.
#[test]
fn a_link_is_followed() {
    let base = Tarball::new()
        .directory("usr", 0o755)
        .directory("usr/opt", 0o755)
        .symlink("opt", "usr/opt");
    let entries = added(vec![base], "/opt/sql");
    assert_eq!(kind(&entries, "usr/opt/sql/one.sql"), Some(EntryType::Regular));
    assert_eq!(kind(&entries, "opt"), None);
}

/// Catches absolute targets taken as paths of the machine, and `..` that leaves the root.
#[test]
fn absolute_and_upward_links_stay_in_the_image() {
    let base = Tarball::new()
        .directory("srv", 0o755)
        .directory("srv/data", 0o755)
        .symlink("opt", "/srv/data")
        .symlink("up", "../../srv/data");
    assert_eq!(
        kind(&added(vec![base], "/opt/sql"), "srv/data/sql/one.sql"),
        Some(EntryType::Regular)
    );
    let base = Tarball::new()
        .directory("srv", 0o755)
        .directory("srv/data", 0o755)
        .symlink("up", "../../srv/data");
    assert_eq!(
        kind(&added(vec![base], "/up/sql"), "srv/data/sql/one.sql"),
        Some(EntryType::Regular)
    );
}

/// Catches a merged-usr base whose shell vanishes behind a new `/bin`.
#[test]
fn a_merged_usr_link_is_followed() {
    let below = Tarball::new()
        .directory("usr", 0o755)
        .directory("usr/bin", 0o755)
        .file("usr/bin/sh", b"shell")
        .symlink("bin", "usr/bin");
    let above = Tarball::new().directory("etc", 0o755);
    let entries = added(vec![below, above], "/bin/migrations");
    assert_eq!(kind(&entries, "usr/bin/migrations/one.sql"), Some(EntryType::Regular));
    assert_eq!(kind(&entries, "bin"), None);
}

/// Catches a `/tmp` that is no longer sticky and world-writable.
#[test]
fn a_sticky_directory_stays_sticky() {
    let entries = added(vec![Tarball::new().directory("tmp", 0o1777)], "/tmp/sql");
    assert_eq!(kind(&entries, "tmp/sql/one.sql"), Some(EntryType::Regular));
    // Docker makes up a parent that a layer leaves out, and shows that in the place of the base's.
    assert_eq!(kind(&entries, "tmp"), Some(EntryType::Directory));
}

/// Catches a directory of another user that becomes root's.
#[test]
fn a_directory_keeps_its_owner_and_mode() {
    let entries = added(vec![Tarball::new().directory_of("opt", 0o750, 7)], "/opt/sql");
    assert_eq!(kind(&entries, "opt/sql"), Some(EntryType::Directory));
    assert_eq!(kind(&entries, "opt"), Some(EntryType::Directory));
}

/// Catches a link that an upper layer removed being followed all the same.
#[test]
fn a_whiteout_removes_what_is_below() {
    let below = Tarball::new()
        .directory("usr", 0o755)
        .directory("usr/opt", 0o755)
        .symlink("opt", "usr/opt");
    let above = Tarball::new().whiteout("opt");
    let entries = added(vec![below, above], "/opt/sql");
    assert_eq!(kind(&entries, "opt/sql/one.sql"), Some(EntryType::Regular));
    assert_eq!(
        kind(&entries, "opt"),
        Some(EntryType::Directory),
        "a missing parent is written"
    );
}

/// Catches what an opaque directory hides being seen.
#[test]
fn an_opaque_directory_hides_what_is_below() {
    let below = Tarball::new()
        .directory("srv", 0o755)
        .directory("opt", 0o755)
        .symlink("opt/data", "/srv");
    let above = Tarball::new().directory("opt", 0o755).opaque("opt");
    let entries = added(vec![below, above], "/opt/data/sql");
    assert_eq!(kind(&entries, "opt/data/sql/one.sql"), Some(EntryType::Regular));
    assert_eq!(kind(&entries, "opt/data"), Some(EntryType::Directory));
}

/// Catches a directory written over a file of the base, which then is gone.
#[test]
fn a_file_in_the_way_is_an_error() {
    let project = TestProject::empty().file("sql/one.sql", "SELECT 1;\n");
    let base = Base::plain().layer(Tarball::new().file("opt", b"a file"));
    run(&project, &base, "/opt/sql").failed().says(&["/opt"]).hints();
    assert!(!project.folder().join("out").exists());
}

/// Catches a directory of the base, with all there is in it, replaced by a file, and a link that becomes one.
#[test]
fn a_file_does_not_replace_a_directory_or_a_link() {
    let base = || {
        Base::plain().layer(
            Tarball::new()
                .directory("etc", 0o755)
                .file("etc/passwd", b"root")
                .directory("usr", 0o755)
                .file("usr/real", b"x")
                .symlink("usr/link", "real"),
        )
    };
    let project = TestProject::empty().file("x.txt", "1").file("sql/etc", "1");
    for add in ["x.txt:/etc", "sql:/"] {
        let outcome = run_with(&project, &base(), add).exited(2).hints();
        outcome.says(&["/etc", "directory"]);
    }
    run_with(&project, &base(), "x.txt:/usr/link")
        .exited(2)
        .says(&["/usr/link", "real"])
        .hints();
    assert!(!project.folder().join("out").exists());
    for (add, path) in [
        ("x.txt:/etc/", "etc/x.txt"),
        ("x.txt:/", "x.txt"),
        ("x.txt:/etc/passwd", "etc/passwd"),
    ] {
        run_with(&project, &base(), add).succeeded();
        let root = Root::layout(&project.folder().join("out"), Some("v1"));
        assert_eq!(root.only().text(path), "1", "{add}");
    }
}

/// Catches links that lead in a circle, for ever.
#[test]
fn a_circle_of_links_is_an_error() {
    let project = TestProject::empty().file("sql/one.sql", "SELECT 1;\n");
    let base = Base::plain().layer(Tarball::new().symlink("opt", "var").symlink("var", "opt"));
    run(&project, &base, "/opt/sql").failed().says(&["/opt"]);
}

/// Catches a parent that is missing, and that Lambda refuses or Docker makes unreadable.
#[test]
fn missing_parents_are_written() {
    let entries = added(vec![Tarball::new().directory("etc", 0o755)], "/a/b/sql");
    for folder in ["a", "a/b", "a/b/sql"] {
        let entry = entries.iter().find(|entry| entry.path == folder);
        let entry = entry.unwrap_or_else(|| panic!("no {folder} in {entries:?}"));
        assert_eq!((entry.mode, entry.uid, entry.gid), (0o755, 0, 0), "{folder}");
    }
}

/// Catches base layers read although the profile knows what lies in a Flyway image.
#[test]
fn a_flyway_base_is_not_read() {
    let registry = FakeRegistry::open();
    registry.seed("orders", "base", &Base::flyway_of(4).image());
    let target = registry.reference("orders:v1");
    TestProject::new()
        .push(&registry.reference("orders:base"), &target)
        .succeeded();
    let requests = registry.requests();
    let reads = requests.iter().filter(|request| request.is("GET", "/blobs/"));
    assert_eq!(reads.count(), 1, "the config alone:{}", registry.story());
}

/// Catches layers listed again in every run although the cache has their listings.
#[test]
fn a_layer_is_listed_once() {
    let registry = FakeRegistry::open();
    let base = Base::plain().layer(Tarball::new().directory("opt", 0o755));
    registry.seed("runner", "1", &base.image());
    let project = TestProject::empty().file("sql/one.sql", "SELECT 1;\n");
    let reference = registry.reference("runner:1");
    let build = |rest: &[&str]| {
        let arguments = [
            "build",
            "--profile",
            "custom",
            "--base",
            &reference,
            "--add",
            "sql:/opt/sql",
        ];
        project.run(&[&arguments[..], rest].concat()).succeeded()
    };
    let first = build(&["--output", "oci:out"]);
    registry.forget_requests();
    let second = build(&["--dry-run"]);
    assert_eq!(first.digest(), second.digest());
    let layer = &base.layer_digests()[0];
    let requests = registry.requests();
    let reads = requests.iter().filter(|request| request.is("GET", layer));
    assert_eq!(reads.count(), 0, "{}", registry.story());
}
