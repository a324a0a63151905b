//! Bases: where they come from, which platforms they have, and that what no step changes stays as it is.

use crate::support::base::{Base, Bundle};
use crate::support::image::Root;
use crate::support::project::TestProject;
use crate::support::registry::{FakeRegistry, Options};
use crate::support::scene::{BASE_LAYERS, Scene};
use crate::support::tarball::Tarball;

/// Catches a kind of base that gives another image than the same base elsewhere.
#[test]
fn the_same_base_gives_the_same_layers_wherever_it_lies() {
    let base = Base::flyway();
    let registry = FakeRegistry::open();
    let digest = registry.seed("runner", "13", &base.image());
    let project = TestProject::new();
    let folder = project.folder();
    base.image().write_layout(&folder.join("layout"), "13");
    base.write_docker_archive(&folder.join("saved.tar"), "runner:13");
    let packed = std::process::Command::new("tar")
        .args(["-C", "layout", "-cf", "layout.tar", "."])
        .current_dir(folder)
        .status();
    assert!(packed.unwrap().success());
    let references = [
        registry.reference("runner:13"),
        registry.reference(&format!("runner@{digest}")),
        registry.reference(&format!("runner:13@{digest}")),
        "oci:layout".to_owned(),
        "oci:layout:13".to_owned(),
        "oci-archive:layout.tar".to_owned(),
        "docker-archive:saved.tar".to_owned(),
    ];
    let mut layers = Vec::new();
    for (index, reference) in references.iter().enumerate() {
        let output = format!("oci:out-{index}");
        project
            .build(&["--base", reference, "--output", &output, "-t", "v1"])
            .succeeded();
        let root = Root::layout(&folder.join(format!("out-{index}")), Some("v1"));
        let image = root.only();
        assert_eq!(image.layers.len(), 2, "{reference}");
        assert_eq!(image.text("flyway/flyway"), "#!/bin/sh\nexit 0\n", "{reference}");
        layers.push(image.layers[1].descriptor.digest.clone());
    }
    layers.dedup();
    assert_eq!(layers.len(), 1, "the new layer does not depend on where the base lies");
}

/// Catches the path of a folder of the build machine in an image that is published.
#[test]
fn a_local_base_has_no_name_elsewhere() {
    let project = TestProject::new();
    let digest = {
        let image = Base::flyway().image();
        image.write_layout(&project.folder().join("secret-place"), "13");
        image.digest()
    };
    project
        .build(&["--base", "oci:secret-place:13", "--output", "oci:out", "-t", "v1"])
        .succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    let image = root.only();
    assert_eq!(image.label("org.opencontainers.image.base.name"), None);
    assert_eq!(image.annotation("org.opencontainers.image.base.name"), None);
    assert_eq!(
        image.label("org.opencontainers.image.base.digest"),
        Some(digest.as_str())
    );
    assert_eq!(
        image.annotation("org.opencontainers.image.base.digest"),
        Some(digest.as_str())
    );
    assert!(!image.config_text.contains("secret-place"));
}

/// Catches a scratch base that is treated as something to be fetched.
#[test]
fn scratch_needs_no_registry() {
    let project = TestProject::new();
    project
        .build(&["--base", "scratch", "--output", "oci:out", "-t", "v1"])
        .succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    let image = root.only();
    assert_eq!(image.platform, "linux/amd64");
    assert_eq!(image.layers.len(), 1);
    assert!(
        image.entry("flyway").is_some(),
        "parents are written where no base has them"
    );
    assert!(root.media_type.starts_with("application/vnd.oci."));
}

/// Catches a platform chosen in silence.
#[test]
fn an_index_gives_linux_amd64_and_says_so() {
    let registry = FakeRegistry::open();
    let bases = [Base::flyway().platform("linux/arm64"), Base::flyway()];
    registry.seed("runner", "13", &Bundle::index(&bases));
    let project = TestProject::new();
    let target = registry.reference("orders:v1");
    project
        .push(&registry.reference("runner:13"), &target)
        .succeeded()
        .says(&["linux/amd64"]);
    let root = registry.image("orders", "v1");
    assert!(root.index.is_none(), "one platform is one manifest, as Lambda wants it");
    assert_eq!(root.only().platform, "linux/amd64");
}

/// Catches children that differ, attestations of the base that are taken along, and wrong platform entries.
#[test]
fn several_platforms_give_an_index_whose_children_carry_the_same_layer() {
    for chosen in [
        &["--platform", "linux/amd64", "--platform", "linux/arm64/v8"][..],
        &["--platform", "all"],
    ] {
        let registry = FakeRegistry::start(Options::ecr());
        let bases = [Base::flyway(), Base::flyway().platform("linux/arm64/v8")];
        registry.seed("runner", "13", &Bundle::index(&bases));
        registry.create("orders");
        let project = TestProject::new().logged_in(&registry);
        let base = registry.reference("runner:13");
        let target = registry.reference("orders:v1");
        let mut arguments = vec!["--base", &base, "-t", &target, "--push"];
        arguments.extend(chosen);
        let outcome = project.build(&arguments).succeeded();
        let root = registry.image("orders", "v1");
        assert_eq!(outcome.digest(), root.digest);
        assert!(root.index.is_some());
        let platforms: Vec<_> = root.images.iter().map(|image| image.platform.as_str()).collect();
        assert_eq!(
            platforms,
            ["linux/amd64", "linux/arm64/v8"],
            "no attestation, both platforms"
        );
        let layers = root.images.iter().map(|image| &image.above(1)[0].descriptor.digest);
        let layers: std::collections::BTreeSet<_> = layers.collect();
        assert_eq!(layers.len(), 1, "the same new layer");
        registry.assert_strict();
    }
}

/// Catches an index that lists one image twice because its platform has two names.
#[test]
fn a_platform_chosen_twice_is_one_child() {
    let project = TestProject::new();
    let bases = [Base::flyway(), Base::flyway().platform("linux/arm64/v8")];
    Bundle::index(&bases).write_layout(&project.folder().join("base"), "13");
    for (base, platforms, children) in [
        ("oci:base", "linux/arm64,linux/amd64,linux/arm64/v8", 2),
        ("oci:base", "linux/arm64,linux/arm64/v8", 1),
        ("scratch", "linux/arm64,linux/arm64/v8", 1),
    ] {
        let output = format!("oci:{children}-{}", base.trim_start_matches("oci:"));
        let arguments = ["--base", base, "--platform", platforms, "--output", &output, "-t", "v1"];
        project.build(&arguments).succeeded();
        let root = Root::layout(&project.folder().join(&output[4..]), Some("v1"));
        assert_eq!(root.images.len(), children, "{platforms}");
        assert_eq!(root.index.is_some(), children > 1, "{platforms}");
    }
}

/// Catches one platform of many being pushed as an index, which Lambda refuses.
#[test]
fn one_platform_of_an_index_is_a_manifest() {
    let scene = Scene::ecr();
    scene.push("v1", &["--platform", "linux/amd64"]).succeeded();
    assert!(scene.registry.image("orders", "v1").index.is_none());
}

/// Catches a wrong platform that is found out only when the image does not start.
#[test]
fn a_platform_the_base_lacks_is_refused_with_those_it_has() {
    let scene = Scene::ecr();
    scene
        .push("v1", &["--platform", "linux/s390x"])
        .exited(2)
        .says(&["linux/s390x", "linux/amd64"])
        .hints();
    assert_eq!(scene.registry.tags("orders"), []);
    let single = FakeRegistry::open();
    single.seed("runner", "13", &Base::flyway().image());
    let target = single.reference("orders:v1");
    let base = single.reference("runner:13");
    scene
        .project
        .build(&["--base", &base, "-t", &target, "--push", "--platform", "linux/arm64"])
        .exited(2)
        .says(&["linux/arm64", "linux/amd64"]);
    assert_eq!(single.tags("orders"), []);
}

/// Catches a config that was read into a model and written again: lost fields, other order, other numbers.
#[test]
fn what_no_step_changes_stays_byte_for_byte() {
    let registry = FakeRegistry::open();
    let base = Base::flyway();
    registry.seed("runner", "13", &base.image());
    let target = registry.reference("orders:v1");
    TestProject::new()
        .push(&registry.reference("runner:13"), &target)
        .succeeded();
    let root = registry.image("orders", "v1");
    let text = &root.only().config_text;
    for kept in [
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"true\"],\"Interval\":30000000000}",
        "\"OnBuild\":[\"RUN true\"]",
        "\"Shell\":[\"/bin/bash\",\"-c\"],\"StopSignal\":\"SIGTERM\"",
        "\"moby.odd\":{\"ratio\":1.50,\"b\":1,\"a\":2}",
        "\"docker_version\":\"20.10.24\"",
        "\"maintainer\":\"base\"",
    ] {
        assert!(text.contains(kept), "{kept} is gone from {text}");
    }
    let parsed: serde_json::Value = serde_json::from_str(&base.config()).unwrap();
    let order: Vec<_> = parsed.as_object().unwrap().keys().cloned().collect();
    let new: Vec<_> = root.only().config.as_object().unwrap().keys().cloned().collect();
    let kept: Vec<_> = new.iter().filter(|key| order.contains(key)).cloned().collect();
    assert_eq!(kept, order, "the order of keys");
    let history = root.only().config["history"].as_array().unwrap();
    let old = parsed["history"].as_array().unwrap();
    assert_eq!(&history[..old.len()], &old[..], "the base's history");
}

/// Catches annotations of the base that would name another image, and labels of the base that win.
#[test]
fn annotations_of_the_base_are_dropped_and_its_labels_overridden() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let root = scene.registry.image("orders", "v1");
    let image = root.only();
    let title = image.annotation("org.opencontainers.image.title");
    assert_ne!(title, Some("the base's own title"));
    assert_ne!(image.label("org.opencontainers.image.version"), Some("13.12.0"));
    assert_ne!(
        image.label("org.opencontainers.image.source"),
        Some("https://example.com/base")
    );
    assert_eq!(
        image.label("org.opencontainers.image.base.digest"),
        Some(scene.base_digest.as_str())
    );
    assert_eq!(
        image.label("org.opencontainers.image.base.name"),
        Some(scene.base.as_str())
    );
    assert_eq!(
        image.annotation("org.opencontainers.image.base.digest"),
        Some(scene.base_digest.as_str()),
        "what the name resolved to, not the platform's child"
    );
}

/// Catches base layers that are packed anew.
#[test]
fn base_layers_keep_their_digests() {
    let scene = Scene::ecr();
    scene.push("v1", &[]).succeeded();
    let root = scene.registry.image("orders", "v1");
    let layers = root.only().layers[..BASE_LAYERS].iter();
    let digests: Vec<_> = layers.map(|layer| layer.descriptor.digest.clone()).collect();
    assert_eq!(digests, Base::flyway_of(BASE_LAYERS).layer_digests());
}

/// Catches media types of two families in one image.
#[test]
fn media_types_follow_the_base() {
    let registry = FakeRegistry::open();
    registry.seed("runner", "docker", &Base::flyway().docker().index());
    let target = registry.reference("orders:v1");
    TestProject::new()
        .push(&registry.reference("runner:docker"), &target)
        .succeeded();
    let root = registry.image("orders", "v1");
    assert!(root.media_type.starts_with("application/vnd.docker."));
}

/// Catches a base on another registry whose layers are expected to be at the target.
#[test]
fn a_base_on_another_registry_is_copied_once() {
    let source = FakeRegistry::open();
    source.seed("runner", "13", &Base::flyway_of(3).image());
    let scene = Scene::ecr();
    let target = scene.target("v1");
    scene.project.push(&source.reference("runner:13"), &target).succeeded();
    let root = scene.registry.image("orders", "v1");
    assert_eq!(root.only().layers.len(), 4);
    let requests = source.requests();
    let reads = requests.iter().filter(|request| request.is("GET", "/blobs/"));
    assert_eq!(reads.count(), 4, "three layers and a config, once:{}", source.story());
    assert!(source.requests().iter().all(|request| request.authorization.is_none()));
    source.assert_strict();
    scene.registry.assert_strict();
}

/// Catches a layer that is written to the target although an earlier one of the same digest is on its way.
#[test]
fn a_layer_that_the_base_has_twice_is_sent_once() {
    let empty = || Tarball::new().directory("flyway", 0o755);
    let source = FakeRegistry::open();
    let base = Base::flyway().layer(empty()).layer(empty());
    source.seed("runner", "13", &base.image());
    let target_registry = FakeRegistry::open();
    let target = target_registry.reference("orders:v1");
    TestProject::new()
        .push(&source.reference("runner:13"), &target)
        .succeeded();
    assert_eq!(target_registry.redundant_uploads(), 0, "{}", target_registry.story());
    assert_eq!(target_registry.image("orders", "v1").only().layers.len(), 4);
}
