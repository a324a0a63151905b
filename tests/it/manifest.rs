//! The list of migrations in an image: where it lies, what it says, and what it costs to read it.

use serde_json::Value;

use crate::support::base::{Base, Bundle};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;
use crate::support::scene::{BASE_LAYERS, Scene};
use crate::support::tarball::Tarball;

const PATH: &str = ".shipway/manifest.json";

fn manifest(image: &crate::support::image::Image) -> Value {
    serde_json::from_str(&image.text(PATH)).unwrap()
}

/// Catches a manifest that does not come first, or that nothing in the image points to.
#[test]
fn it_is_the_first_file_of_the_last_layer_and_named_by_the_image() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let root = scene.registry.image("orders", "v1");
    let image = root.only();
    let last = image.layers.last().unwrap();
    assert_eq!(last.entries[0].path, ".shipway");
    assert_eq!((last.entries[1].path.as_str(), last.entries[1].mode), (PATH, 0o644));
    let described = &image.manifest["layers"].as_array().unwrap().last().unwrap()["annotations"];
    assert_eq!(described["io.shipway.layer"], "manifest");
    let digest = crate::support::registry::digest_of(image.text(PATH).as_bytes());
    for key in [
        "io.shipway.manifest.digest",
        "io.shipway.project",
        "io.shipway.runner",
        "io.shipway.max-version",
    ] {
        assert_eq!(image.label(key), image.annotation(key), "{key}");
    }
    assert_eq!(image.label("io.shipway.manifest.digest"), Some(digest.as_str()));
    assert_eq!(image.label("io.shipway.max-version"), Some("2"));
    let manifest = manifest(image);
    assert_eq!(manifest["schema"], "io.shipway.manifest/v1");
    assert_eq!(manifest["runner"]["profile"], "flyway");
    assert_eq!(manifest["migrations"][0]["version"], "1");
    assert_eq!(manifest["migrations"][1]["script"], "V2__add_total.sql");
    assert_eq!(
        manifest["setDigest"].as_str().unwrap().strip_prefix("sha256:"),
        image.label("io.shipway.migrations.digest")
    );
}

/// Catches anything in the manifest that does not follow from scripts, configuration and profile.
#[test]
fn equal_inputs_have_equal_manifests_whatever_the_base_the_time_and_the_release_before() {
    let registry = FakeRegistry::ecr();
    registry.seed("runner", "1", &Base::flyway_of(2).image());
    registry.seed("runner", "2", &Base::flyway_of(3).platform("linux/arm64").image());
    registry.create("orders");
    let texts: Vec<String> = [("1", "a", "1"), ("2", "b", "1700000000")]
        .into_iter()
        .map(|(base, tag, epoch)| {
            let project = TestProject::new()
                .logged_in(&registry)
                .environment("SHIPWAY_PROJECT", "orders")
                .environment("SOURCE_DATE_EPOCH", epoch);
            let (base, target) = (
                registry.reference(&format!("runner:{base}")),
                registry.reference(&format!("orders:{tag}")),
            );
            let against = registry.reference("orders:a");
            let platform = if tag == "a" { "linux/amd64" } else { "linux/arm64" };
            project
                .build(&[
                    "--base",
                    &base,
                    "-t",
                    &target,
                    "--push",
                    "--against",
                    &against,
                    "--platform",
                    platform,
                ])
                .succeeded();
            registry.image("orders", tag).only().text(PATH)
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
}

/// Catches a base of which more is said than is true of the new image.
#[test]
fn what_a_base_says_of_its_own_migrations_is_replaced() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let base = scene.target("v1");
    let project = TestProject::empty()
        .script("V7__other.sql", "SELECT 7;\n")
        .logged_in(&scene.registry)
        .environment("SHIPWAY_PROJECT", "other");
    let target = scene.target("other");
    project.build(&["--base", &base, "-t", &target, "--push"]).succeeded();
    let root = scene.registry.image("orders", "other");
    assert_eq!(root.only().label("io.shipway.max-version"), Some("7"));
    assert_eq!(root.only().label("io.shipway.project"), Some("other"));
    assert_eq!(manifest(root.only())["migrations"].as_array().unwrap().len(), 1);
}

/// Catches a manifest that would replace a file of the user.
#[test]
fn a_file_in_its_place_is_refused() {
    let project = TestProject::new().file("mine.json", "{}");
    let outcome = project
        .build(&[
            "--base",
            "scratch",
            "--output",
            "oci:out",
            "--add",
            "mine.json:/.shipway/manifest.json",
        ])
        .exited(2);
    assert!(outcome.stderr.contains("/.shipway/manifest.json"), "{}", outcome.stderr);
    assert!(!project.folder().join("out").exists());
}

/// Catches a config that is read, a layer that is read twice, or read at all where it is not the last.
#[test]
fn reading_it_takes_three_requests_and_four_through_an_index() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let check = |against: &str| {
        scene.registry.forget_requests();
        let outcome = scene
            .project
            .run(&["check", "--scripts", "db", "--no-cache", "--against", against]);
        outcome.succeeded();
    };
    check(&scene.target("v1"));
    scene.registry.assert_at_most(3);
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64")];
    scene.registry.seed("runner", "several", &Bundle::index(&bases));
    let (base, target) = (scene.registry.reference("runner:several"), scene.target("several"));
    scene
        .project
        .build(&["--base", &base, "-t", &target, "--push", "--platform", "all"])
        .succeeded();
    check(&target);
    scene.registry.assert_at_most(4);
    scene.registry.assert_strict();
}

/// Catches questions about the base's layers, which the previous image names, and a manifest that is read again.
#[test]
fn a_later_release_that_is_compared_costs_at_most_three_requests_more_and_none_for_the_base() {
    for (flags, most) in [(&["--no-cache"][..], 13), (&[], 10)] {
        let scene = Scene::ecr();
        let against = scene.target("v1");
        scene.push("v1", flags).succeeded();
        scene.next_release();
        let more = [flags, &["--against", &against]].concat();
        scene.push("v2", &more).succeeded();
        scene.registry.assert_at_most(most);
        scene.registry.assert_strict();
        let asked = scene.registry.requests();
        let of_base = asked.iter().filter(|request| request.is("HEAD", "orders/blobs/"));
        assert_eq!(of_base.count(), 0, "{}", scene.registry.story());
        scene.registry.image("orders", "v2");
    }
}

/// Catches a count that grows with the number of layers.
#[test]
fn the_number_of_layers_does_not_count() {
    let counts: Vec<usize> = [2, BASE_LAYERS * 2]
        .into_iter()
        .map(|layers| {
            let registry = FakeRegistry::ecr();
            registry.seed("runner", "13", &Base::flyway_of(layers).index());
            registry.create("orders");
            let project = TestProject::new().logged_in(&registry);
            let base = registry.reference("runner:13");
            let (first, second) = (registry.reference("orders:v1"), registry.reference("orders:v2"));
            project
                .build(&["--base", &base, "-t", &first, "--push", "--no-cache"])
                .succeeded();
            project.write("db/V3__x.sql", "SELECT 3;");
            registry.forget_requests();
            project
                .build(&[
                    "--base",
                    &base,
                    "-t",
                    &second,
                    "--push",
                    "--no-cache",
                    "--against",
                    &first,
                ])
                .succeeded();
            registry.count()
        })
        .collect();
    assert_eq!(counts[0], counts[1]);
}

/// An image as kaniko makes one from the Dockerfile of the article: no manifest, one layer for each instruction.
fn as_kaniko_builds(scripts: &[(&str, &str)]) -> Base {
    let mut tarball = Tarball::new().directory("flyway", 0o755).directory("flyway/sql", 0o755);
    for (name, text) in scripts {
        tarball = tarball.file(&format!("flyway/sql/{name}"), text.as_bytes());
    }
    Base::flyway_of(3)
        .layer(Tarball::new().file(
            "flyway/conf/flyway.toml",
            b"[flyway]\nlocations = [\"filesystem:/flyway/sql\"]\n",
        ))
        .layer(tarball)
}

/// Catches an image of another builder that is taken for empty, and a whiteout that is overlooked.
#[test]
fn an_image_without_one_is_read_from_its_layers() {
    let scene = Scene::ecr();
    let scripts = [
        ("V1__create_orders.sql", "CREATE TABLE orders (id INT PRIMARY KEY);\n"),
        ("V2__add_total.sql", "ALTER TABLE orders ADD price INT;\n"),
        ("V9__gone.sql", "SELECT 9;\n"),
    ];
    let base = as_kaniko_builds(&scripts).layer(Tarball::new().whiteout("flyway/sql/V9__gone.sql"));
    scene.registry.seed("orders", "kaniko", &base.image());
    let against = scene.target("kaniko");
    let outcome = scene
        .project
        .run(&["check", "--scripts", "db", "--format", "json", "--against", &against])
        .exited(3);
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let found: Vec<(&str, &str)> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["rule"].as_str().unwrap().starts_with('D'))
        .map(|finding| {
            (
                finding["rule"].as_str().unwrap(),
                finding["path"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(found, [("D014", ""), ("D001", "db/V2__add_total.sql")]);
}

/// Catches a damaged manifest that is believed.
#[test]
fn one_that_is_not_what_the_image_states_is_not_believed() {
    let scene = Scene::ecr();
    let layer = Tarball::new()
        .directory(".shipway", 0o755)
        .file(PATH, br#"{"schema":"io.shipway.manifest/v9","migrations":[]}"#);
    scene
        .registry
        .seed("orders", "newer", &Base::flyway().layer(layer).image());
    let against = scene.target("newer");
    let outcome = scene
        .project
        .run(&["check", "--scripts", "db", "--against", &against])
        .succeeded();
    assert!(outcome.text().contains("io.shipway.manifest/v9"), "{}", outcome.stderr);
}
