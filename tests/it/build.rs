//! What `build` puts into an image: files, config, history, labels; and what its flags do.

use tar::EntryType;

use crate::support::base::Base;
use crate::support::image::{Image, Root};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;

/// Builds the project on a Flyway base into a layout and reads it back.
fn built_on(base: &Base, project: &TestProject, more: &[&str]) -> Root {
    base.image().write_layout(&project.root().join("base"), "13");
    let mut arguments = vec!["--base", "oci:../base:13", "--output", "oci:out", "-t", "v1"];
    arguments.extend(more);
    project.build(&arguments).succeeded();
    Root::layout(&project.folder().join("out"), Some("v1"))
}

fn words(image: &Image, key: &str) -> Vec<String> {
    let list = image.config["config"][key].as_array().cloned().unwrap_or_default();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Catches files at another place, with another mode, owner or time than promised.
#[test]
fn the_flyway_profile_puts_scripts_and_config_where_flyway_reads_them() {
    let project = TestProject::new()
        .script("nested/R__view.sql", "CREATE VIEW v AS SELECT 1;\n")
        .file("flyway.toml", "[flyway]\nmixed = true\n");
    let base = Base::flyway();
    let root = built_on(&base, &project, &["--config", "flyway.toml"]);
    let image = root.only();
    assert_eq!(
        image.text("flyway/sql/V2__add_total.sql"),
        "ALTER TABLE orders ADD total INT;\n"
    );
    assert_eq!(
        image.text("flyway/sql/nested/R__view.sql"),
        "CREATE VIEW v AS SELECT 1;\n"
    );
    assert_eq!(image.text("flyway/conf/flyway.toml"), "[flyway]\nmixed = true\n");
    let added = image.above(base.depth());
    assert_eq!(added.len(), 1, "one layer for all that is small");
    for entry in &added[0].entries {
        assert_eq!((entry.uid, entry.gid, entry.mtime), (0, 0, 1), "{entry:?}");
        assert_eq!(entry.names, "", "{entry:?}");
        let mode = if entry.kind == EntryType::Directory {
            0o755
        } else {
            0o644
        };
        assert_eq!(entry.mode, mode, "{entry:?}");
    }
    assert_eq!(words(image, "Entrypoint"), ["flyway"]);
    assert_eq!(words(image, "Cmd"), ["migrate"]);
    assert_eq!(image.config["config"]["WorkingDir"], "/flyway");
    assert_eq!(image.environment("FLYWAY_LOCATIONS"), Some("filesystem:/flyway/sql"));
    assert_eq!(image.environment("FLYWAY_FAIL_ON_MISSING_LOCATIONS"), Some("true"));
    assert_eq!(image.environment("FLYWAY_CONFIG_FILES"), None);
    assert_eq!(image.environment("PATH"), Some("/flyway:/usr/bin:/bin"));
}

/// Catches a layer whose entries depend on the order of the file system, or lack their parents.
#[test]
fn entries_are_sorted_and_follow_their_parents() {
    let project = TestProject::new()
        .script("b/V5__b.sql", "SELECT 5;\n")
        .script("a/V4__a.sql", "SELECT 4;\n")
        .script("a/V10__a.sql", "SELECT 10;\n");
    let root = built_on(&Base::flyway(), &project, &[]);
    let entries = &root.only().above(1)[0].entries;
    let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(paths, sorted);
    for folder in ["flyway/sql", "flyway/sql/a", "flyway/sql/b"] {
        let entry = entries.iter().find(|entry| entry.path == folder);
        assert_eq!(entry.map(|entry| entry.kind), Some(EntryType::Directory), "{folder}");
    }
}

/// Catches a config file that Flyway would never look at.
#[test]
fn a_config_of_another_name_is_named_in_the_environment() {
    let project = TestProject::new().file("production.toml", "[flyway]\nmixed = true\n");
    let root = built_on(&Base::flyway(), &project, &["--config", "production.toml"]);
    let image = root.only();
    assert_eq!(image.text("flyway/conf/production.toml"), "[flyway]\nmixed = true\n");
    assert_eq!(
        image.environment("FLYWAY_CONFIG_FILES"),
        Some("/flyway/conf/production.toml")
    );
}

/// Catches an environment that overrides the locations the user chose.
#[test]
fn locations_of_the_config_or_the_base_are_left_alone() {
    let project = TestProject::new().file("flyway.toml", "[flyway]\nlocations = [\"filesystem:/flyway/sql\"]\n");
    let root = built_on(&Base::flyway(), &project, &["--config", "flyway.toml"]);
    assert_eq!(root.only().environment("FLYWAY_LOCATIONS"), None);
    let base = Base::flyway().environment("FLYWAY_LOCATIONS=filesystem:/flyway/sql,classpath:x");
    let root = built_on(&base, &TestProject::new(), &[]);
    assert_eq!(
        root.only().environment("FLYWAY_LOCATIONS"),
        Some("filesystem:/flyway/sql,classpath:x")
    );
}

/// Catches an image that cannot run because nobody named the program.
#[test]
fn the_entrypoint_is_set_only_where_the_base_has_none() {
    let root = built_on(&Base::flyway().without_entrypoint(), &TestProject::new(), &[]);
    assert_eq!(words(root.only(), "Entrypoint"), ["flyway"]);
}

/// Catches a large script that is packed again with every small change.
#[test]
fn a_large_file_is_a_layer_of_its_own_below_the_small_ones() {
    let large = "-- padding\n".repeat(9 * 1024 * 1024 / 11);
    let project = TestProject::new().script("V9__large.sql", &large);
    let first = built_on(&Base::flyway(), &project, &[]);
    let layers = first.only().above(1);
    assert_eq!(layers.len(), 2);
    assert!(
        layers[0]
            .entries
            .iter()
            .any(|entry| entry.path == "flyway/sql/V9__large.sql")
    );
    assert!(
        layers[1]
            .entries
            .iter()
            .any(|entry| entry.path == "flyway/sql/V1__create_orders.sql")
    );
    project.write("db/V3__x.sql", "SELECT 3;\n");
    std::fs::remove_dir_all(project.folder().join("out")).unwrap();
    let second = built_on(&Base::flyway(), &project, &[]);
    assert_eq!(second.only().above(1)[0].descriptor.digest, layers[0].descriptor.digest);
    assert_ne!(second.only().above(1)[1].descriptor.digest, layers[1].descriptor.digest);
}

/// Catches history that says nothing of what made a layer, and layers without history.
#[test]
fn history_says_what_was_done() {
    let project = TestProject::new();
    let base = Base::flyway();
    let root = built_on(&base, &project, &[]);
    let history = root.only().config["history"].as_array().unwrap().clone();
    assert!(history.len() > 2);
    let instructions = history
        .iter()
        .map(|entry| entry["created_by"].as_str().unwrap_or_default());
    let instructions: Vec<_> = instructions.collect();
    assert!(
        !instructions.iter().any(|text| text.starts_with("ENTRYPOINT")),
        "the base's stays: {instructions:?}"
    );
    assert!(instructions.contains(&"WORKDIR /flyway"), "{instructions:?}");
    for entry in &history[2..] {
        assert_ne!(entry["created_by"].as_str().unwrap_or_default(), "", "{entry}");
        assert!(entry["created"].is_string(), "{entry}");
    }
}

/// Catches labels and annotations that are lost, mixed up, or split at a comma.
#[test]
fn labels_and_annotations_are_taken_as_they_are() {
    let project = TestProject::new();
    let root = built_on(
        &Base::flyway(),
        &project,
        &["--label", "team=a,b=c", "--label", "empty=", "--annotation", "note=x=y"],
    );
    let image = root.only();
    assert_eq!(image.label("team"), Some("a,b=c"));
    assert_eq!(image.label("empty"), Some(""));
    assert_eq!(image.label("maintainer"), Some("base"));
    assert_eq!(image.annotation("note"), Some("x=y"));
}

/// Catches annotations in a manifest of Docker's type, which has none.
#[test]
fn a_docker_image_has_labels_but_no_annotations() {
    let project = TestProject::new();
    let root = built_on(&Base::flyway().docker(), &project, &["--label", "team=a"]);
    let image = root.only();
    assert!(root.media_type.starts_with("application/vnd.docker."));
    assert_eq!(image.label("team"), Some("a"));
    assert!(image.manifest.get("annotations").is_none());
}

/// Catches a format flag that leaves the families mixed.
#[test]
fn the_image_format_can_be_chosen() {
    let root = built_on(
        &Base::flyway().docker(),
        &TestProject::new(),
        &["--image-format", "oci"],
    );
    assert_eq!(root.media_type, crate::support::base::OCI_MANIFEST);
    let root = built_on(&Base::flyway(), &TestProject::new(), &["--image-format", "docker"]);
    assert_eq!(root.media_type, crate::support::base::DOCKER_MANIFEST);
}

/// Catches the custom profile's flags being forgotten one by one.
#[test]
fn the_custom_profile_does_what_it_is_told() {
    let project = TestProject::empty()
        .file("sql/one.sql", "SELECT 1;\n")
        .file("run.sh", "#!/bin/sh\n");
    let script = project.folder().join("run.sh");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(script, mode).unwrap();
    project
        .run(&[
            "build",
            "--profile",
            "custom",
            "--base",
            "scratch",
            "--add",
            "sql:/app/sql",
            "--add",
            "run.sh:/app/run.sh",
            "--workdir",
            "/app",
            "--env",
            "MODE=fast=yes",
            "--user",
            "1000:1000",
            "--entrypoint",
            "[\"/app/run.sh\", \"-x\"]",
            "--cmd",
            "go",
            "--output",
            "oci:out",
            "-t",
            "v1",
        ])
        .succeeded();
    let root = Root::layout(&project.folder().join("out"), Some("v1"));
    let image = root.only();
    assert_eq!(image.platform, "linux/amd64");
    assert_eq!(image.text("app/sql/one.sql"), "SELECT 1;\n");
    assert_eq!(image.entry("app/run.sh").unwrap().mode, 0o755);
    assert_eq!(image.entry("app").unwrap().kind, EntryType::Directory);
    assert_eq!(image.config["config"]["WorkingDir"], "/app");
    assert_eq!(image.config["config"]["User"], "1000:1000");
    assert_eq!(image.environment("MODE"), Some("fast=yes"));
    assert_eq!(words(image, "Entrypoint"), ["/app/run.sh", "-x"]);
    assert_eq!(words(image, "Cmd"), ["go"]);
}

/// Catches keys of the project file that are read and then forgotten, and flags that do not win.
#[test]
fn the_project_file_says_it_all_and_flags_win() {
    let registry = FakeRegistry::open();
    let project = TestProject::new().project_file(&format!(
        "[project]\nname = \"orders\"\n[migrations]\nscripts = \"db\"\n[runner]\nprofile = \"flyway\"\nbase = \"scratch\"\n\
         env = {{ FLYWAY_MIXED = \"true\" }}\n[image]\nrepository = \"{}\"\ntags = [\"{{project}}-x\"]\n\
         labels = {{ team = \"a\" }}\nannotations = {{ note = \"b\" }}\nversion = \"2.5\"\n",
        registry.reference("orders")
    ));
    project.run(&["build", "--push"]).succeeded();
    let root = registry.image("orders", "orders-x");
    let image = root.only();
    assert_eq!(image.label("team"), Some("a"));
    assert_eq!(image.annotation("note"), Some("b"));
    assert_eq!(image.environment("FLYWAY_MIXED"), Some("true"));
    assert_eq!(image.label("org.opencontainers.image.version"), Some("2.5"));
    project
        .run(&["build", "--push", "-t", "other", "--label", "team=z"])
        .succeeded();
    assert_eq!(registry.image("orders", "other").only().label("team"), Some("z"));
    let from_environment = project.environment("SHIPWAY_TAGS", "third,fourth");
    from_environment.run(&["build", "--push"]).succeeded();
    assert_eq!(registry.tags("orders").len(), 4);
}

/// Catches a misspelt key that is silently ignored.
#[test]
fn an_unknown_key_is_refused_and_the_nearest_named() {
    let project = TestProject::new().project_file("[image]\nrepositry = \"x\"\n");
    project
        .run(&["build", "--base", "scratch", "--output", "oci:out"])
        .exited(2)
        .says(&["shipway.toml", "repositry", "repository"]);
    assert_eq!(
        project.files(),
        ["db/V1__create_orders.sql", "db/V2__add_total.sql", "shipway.toml"]
    );
}
