//! What each profile puts into an image, and how the image is started.

use std::fs;

use crate::support::base::Base;
use crate::support::image::{Image, Root};
use crate::support::project::TestProject;
use crate::support::registry::FakeRegistry;
use crate::support::tarball::Tarball;

/// A base that looks like the image of a tool: with some folders, and an entrypoint if it is said.
fn base(folders: &[&str]) -> Base {
    let tarball = folders
        .iter()
        .fold(Tarball::new(), |tarball, folder| tarball.directory(folder, 0o755));
    Base::plain().layer(tarball)
}

/// Builds on a base in a registry, twice: the second time from a copy of the project, which must give the same image.
fn built(base: &Base, project: &TestProject, arguments: &[&str]) -> Root {
    let registry = FakeRegistry::open();
    registry.seed("tools/base", "1", &base.image());
    let reference = registry.reference("tools/base:1");
    let mut words = vec!["--base", reference.as_str(), "-t", "v1"];
    words.extend(arguments);
    let digest = project
        .build(&[&words[..], &["--dry-run"]].concat())
        .succeeded()
        .digest();
    words.extend(["--output", "oci:out"]);
    assert_eq!(project.build(&words).succeeded().digest(), digest);
    Root::layout(&project.folder().join("out"), Some("v1"))
}

fn words(image: &Image, key: &str) -> Vec<String> {
    let list = image.config["config"][key].as_array().cloned().unwrap_or_default();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn dbmate() -> TestProject {
    TestProject::empty().script(
        "20260131120000_create_orders.sql",
        "-- migrate:up\nCREATE TABLE orders (id INT);\n-- migrate:down\nDROP TABLE orders;\n",
    )
}

/// Catches scripts where dbmate does not look, and a container that fails because the database needs a moment.
#[test]
fn dbmate_migrates_from_its_folder() {
    let root = built(&base(&["db"]), &dbmate(), &["--profile", "dbmate"]);
    let image = root.only();
    assert!(
        image
            .text("db/migrations/20260131120000_create_orders.sql")
            .contains("migrate:up")
    );
    assert_eq!(words(image, "Entrypoint"), ["dbmate"]);
    assert_eq!(words(image, "Cmd"), ["migrate"]);
    assert_eq!(image.environment("DBMATE_MIGRATIONS_DIR"), Some("/db/migrations"));
    assert_eq!(image.environment("DBMATE_WAIT"), Some("true"));
    assert_eq!(image.environment("DBMATE_NO_DUMP_SCHEMA"), Some("true"));
    assert_eq!(image.label("io.shipway.runner"), Some("dbmate"));
    assert_eq!(image.label("io.shipway.max-version"), Some("20260131120000"));
    assert_eq!(image.environment("DATABASE_URL"), None);
}

/// Catches settings of the user that a profile overrides.
#[test]
fn what_the_user_says_wins() {
    let arguments = [
        "--profile",
        "dbmate",
        "--env",
        "DBMATE_WAIT=false",
        "--cmd",
        "status",
        "--entrypoint",
        "[\"/dbmate\",\"--strict\"]",
        "--user",
        "1000",
    ];
    let root = built(&base(&[]), &dbmate(), &arguments);
    let image = root.only();
    assert_eq!(image.environment("DBMATE_WAIT"), Some("false"));
    assert_eq!(words(image, "Cmd"), ["status"]);
    assert_eq!(words(image, "Entrypoint"), ["/dbmate", "--strict"]);
    assert_eq!(image.config["config"]["User"], "1000");
}

/// Catches an image of golang-migrate that cannot be told where the database is, or holds its address.
#[test]
fn golang_migrate_gets_the_address_when_it_runs() {
    let project = TestProject::empty()
        .script("000001_create_orders.up.sql", "CREATE TABLE orders (id INT);\n")
        .script("000001_create_orders.down.sql", "DROP TABLE orders;\n");
    let root = built(&base(&[]), &project, &["--profile", "golang-migrate"]);
    let image = root.only();
    assert_eq!(
        image.text("migrations/000001_create_orders.down.sql"),
        "DROP TABLE orders;\n"
    );
    let entrypoint = words(image, "Entrypoint");
    assert_eq!(entrypoint[..2], ["/bin/sh", "-c"]);
    assert_eq!(words(image, "Cmd"), ["up"]);
    // The words do what they say: a shell runs them with a program called migrate.
    let program = project.folder().join("bin");
    fs::create_dir(&program).unwrap();
    fs::write(program.join("migrate"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
    fs::set_permissions(
        program.join("migrate"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let run = |url: Option<&str>| {
        let mut command = std::process::Command::new(&entrypoint[0]);
        command
            .args(&entrypoint[1..])
            .args(["force", "3 4"])
            .env("PATH", &program)
            .env_remove("DATABASE_URL");
        command.envs(url.map(|url| ("DATABASE_URL", url)));
        command.output().unwrap()
    };
    let output = run(Some("postgres://a:b c$d@h/e?x=\"1\""));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "-path=/migrations\n-database=postgres://a:b c$d@h/e?x=\"1\"\nforce\n3 4\n"
    );
    let output = run(None);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("DATABASE_URL is not set"));
}

/// Catches a base of goose's makers that does not exist, and a folder goose does not know of.
#[test]
fn goose_runs_in_an_image_of_the_users() {
    let project = TestProject::empty().script(
        "00001_create_orders.sql",
        "-- +goose Up\nCREATE TABLE orders (id INT);\n",
    );
    project
        .build(&["--profile", "goose", "--dry-run"])
        .exited(2)
        .says(&["there is no image to build on", "goose has no image of its makers"]);
    let root = built(&base(&[]), &project, &["--profile", "goose"]);
    let image = root.only();
    assert_eq!(words(image, "Entrypoint"), ["goose"]);
    assert_eq!(words(image, "Cmd"), ["up"]);
    assert_eq!(image.environment("GOOSE_MIGRATION_DIR"), Some("/migrations"));
    assert!(image.text("migrations/00001_create_orders.sql").contains("+goose Up"));
}

fn atlas() -> TestProject {
    TestProject::empty().script("1_create_orders.sql", "CREATE TABLE orders (id INT);\n").script(
        "atlas.sum",
        "h1:oj5bexmVfkKgLcG2c6lXc23FmNDMbTgDYGtl8Gk6z/E=\n1_create_orders.sql h1:kGsVhFfl/yvQJvLhZi7EM33XXC8EVUb8pbRWj3/MRJE=\n",
    )
}

/// Catches an Atlas that is not told its folder, and a configuration of the project that is not used.
#[test]
fn atlas_reads_a_configuration() {
    let project = atlas();
    let root = built(&base(&[]), &project, &["--profile", "atlas", "--no-check"]);
    let image = root.only();
    assert_eq!(words(image, "Entrypoint"), ["/atlas"]);
    let command = ["migrate", "apply", "--config", "file:///atlas.hcl", "--env"];
    assert_eq!(words(image, "Cmd"), [&command[..], &["shipway"]].concat());
    let written = image.text("atlas.hcl");
    assert!(
        written.contains("getenv(\"DATABASE_URL\")") && written.contains("file:///migrations"),
        "{written}"
    );
    assert!(image.text("migrations/atlas.sum").starts_with("h1:"));

    let project = atlas().file("my.hcl", "env \"prod\" {\n  url = getenv(\"URL\")\n}\n");
    let arguments = ["--profile", "atlas", "--no-check", "--config", "my.hcl"];
    let root = built(&base(&[]), &project, &arguments);
    assert_eq!(words(root.only(), "Cmd"), [&command[..], &["prod"]].concat());
    assert!(root.only().text("atlas.hcl").contains("prod"));

    project.write("my.hcl", "env \"a\" {\n}\nenv \"b\" {\n}\n");
    project
        .build(&[&arguments[..], &["--base", "scratch", "--dry-run"]].concat())
        .failed()
        .says(&["my.hcl", "exactly one env block"]);
}

fn liquibase() -> TestProject {
    TestProject::empty()
        .script(
            "changelog.xml",
            "<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\"><includeAll path=\"orders\"/></databaseChangeLog>",
        )
        .script(
            "orders/create.sql",
            "--liquibase formatted sql\n--changeset orders:1\nCREATE TABLE orders (id INT);\n",
        )
        .file("drivers/db.jar", "a jar")
}

/// Catches a Liquibase that does not find its changelog, its configuration or its driver.
#[test]
fn liquibase_gets_changelog_configuration_and_drivers() {
    let project = liquibase().file("my.properties", "liquibase.command.logFile = x\n");
    let arguments = [
        "--profile",
        "liquibase",
        "--driver",
        "drivers/db.jar",
        "--config",
        "my.properties",
    ];
    let root = built(
        &base(&["liquibase", "liquibase/lib", "liquibase/changelog"]),
        &project,
        &arguments,
    );
    let image = root.only();
    assert_eq!(image.text("liquibase/lib/db.jar"), "a jar");
    assert!(image.text("liquibase/changelog/orders/create.sql").contains("orders:1"));
    assert_eq!(
        image.text("liquibase/liquibase.properties"),
        "liquibase.command.logFile = x\n"
    );
    assert_eq!(words(image, "Entrypoint"), ["/liquibase/docker-entrypoint.sh"]);
    assert_eq!(
        words(image, "Cmd"),
        ["--defaults-file=/liquibase/liquibase.properties", "update"]
    );
    assert_eq!(
        image.environment("LIQUIBASE_COMMAND_CHANGELOG_FILE"),
        Some("changelog.xml")
    );
    assert_eq!(image.environment("LIQUIBASE_SEARCH_PATH"), Some("/liquibase/changelog"));
    assert_eq!(image.environment("LIQUIBASE_HEADLESS"), Some("true"));
    // Everybody may read them: it runs as user 1001.
    for entry in &image.above(1)[0].entries {
        assert_eq!(entry.mode & 0o444, 0o444, "{entry:?}");
    }
    let manifest: serde_json::Value = serde_json::from_str(&image.text(".shipway/manifest.json")).unwrap();
    assert_eq!(manifest["migrations"][0]["kind"], "changeset");
    assert_eq!(manifest["migrations"][0]["key"], "orders/create.sql::1::orders");
}

/// Catches a configuration that names a changelog, and is overridden by a guess.
#[test]
fn liquibase_starts_from_the_changelog_that_is_named() {
    let project = liquibase().file("liquibase.properties", "changeLogFile: orders/create.sql\n");
    // The other one is a finding then.
    let arguments = [
        "--profile",
        "liquibase",
        "--config",
        "liquibase.properties",
        "--no-check",
    ];
    let root = built(&base(&[]), &project, &arguments);
    assert_eq!(root.only().environment("LIQUIBASE_COMMAND_CHANGELOG_FILE"), None);
    project.write("db/second.xml", "<databaseChangeLog/>");
    fs::rename(
        project.folder().join("db/changelog.xml"),
        project.folder().join("db/first.xml"),
    )
    .unwrap();
    project
        .build(&["--profile", "liquibase", "--base", "scratch", "--dry-run"])
        .failed()
        .says(&[
            "which changelog Liquibase starts from",
            "LIQUIBASE_COMMAND_CHANGELOG_FILE",
        ]);
}

/// Catches an image that fails at night because Liquibase 5 has no drivers.
#[test]
fn liquibase_5_without_drivers_is_refused() {
    let project = liquibase();
    let registry = FakeRegistry::open();
    let image = base(&["liquibase"]).image();
    for tag in ["5.0.1", "4.33"] {
        registry.seed("hub/liquibase/liquibase", tag, &image);
    }
    registry.seed("our/migrations", "5", &image);
    let build = |base: &str, more: &[&str]| {
        let base = registry.reference(base);
        project.build(&[&["--profile", "liquibase", "--base", &base, "--dry-run"], more].concat())
    };
    build("hub/liquibase/liquibase:5.0.1", &[])
        .exited(2)
        .says(&["has no drivers of databases", "--driver", "4.33"]);
    build("hub/liquibase/liquibase:5.0.1", &["--driver", "drivers/db.jar"]).succeeded();
    let add = "drivers/db.jar:/liquibase/lib/db.jar";
    build("hub/liquibase/liquibase:5.0.1", &["--add", add]).succeeded();
    build("hub/liquibase/liquibase:4.33", &[]).succeeded();
    build("our/migrations:5", &[])
        .succeeded()
        .says(&["no drivers of its own since version 5"]);
}

/// Catches drivers of the project file that are looked for in the wrong folder, and profiles that lose them.
#[test]
fn drivers_of_the_project_file_are_relative_to_it() {
    let file = |profile: &str| {
        format!(
            "[project]\nname = \"orders\"\n[migrations]\nscripts = \"db\"\n[runner]\nprofile = \"{profile}\"\nbase = \"scratch\"\ndrivers = \"drivers/db.jar\"\n"
        )
    };
    let project = liquibase().project_file(&file("liquibase"));
    let path = project.folder().join("shipway.toml").display().to_string();
    let build = ["--project-file", &path, "build", "--output", "oci:out", "-t", "v1"];
    project.run_in(project.root(), &build).succeeded();
    let root = Root::layout(&project.root().join("out"), Some("v1"));
    assert_eq!(root.only().text("liquibase/lib/db.jar"), "a jar");
    let flyway = TestProject::new()
        .file("drivers/db.jar", "a jar")
        .project_file(&file("flyway"));
    flyway.build(&["--output", "oci:out", "-t", "v1"]).succeeded();
    let root = Root::layout(&flyway.folder().join("out"), Some("v1"));
    assert_eq!(root.only().text("flyway/drivers/db.jar"), "a jar");
    dbmate()
        .file("drivers/db.jar", "a jar")
        .project_file(&file("dbmate"))
        .build(&["--dry-run"])
        .failed()
        .says(&["the dbmate profile has no place for drivers"]);
}

/// Catches configuration that is lost without a word.
#[test]
fn configuration_without_a_place_is_refused() {
    let project = dbmate().file("a.conf", "x").file("b.conf", "x");
    for profile in ["dbmate", "golang-migrate", "goose"] {
        project
            .build(&[
                "--profile",
                profile,
                "--base",
                "scratch",
                "--config",
                "a.conf",
                "--dry-run",
            ])
            .failed()
            .says(&["a.conf", "--env NAME=VALUE"]);
    }
    for profile in ["liquibase", "atlas"] {
        let configs = ["--config", "a.conf", "--config", "b.conf"];
        let words = ["--profile", profile, "--base", "scratch", "--dry-run"];
        project
            .build(&[&words[..], &configs[..]].concat())
            .failed()
            .says(&["b.conf", "it takes one file"]);
    }
    project
        .build(&["--profile", "flywy", "--base", "scratch", "--dry-run"])
        .failed()
        .says(&["the profiles are: flyway, liquibase, dbmate, golang-migrate, goose, atlas, custom"]);
}
