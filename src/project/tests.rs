use std::path::Path;

use super::*;

/// Every key there is.
const ALL: &str = r#"
[project]
name = "orders"

[migrations]
scripts = "db-migrations/scripts"
config = ["db-migrations/flyway.toml"]

[runner]
profile = "custom"
base = "alpine:3"
workdir = "/app"
env = { K = "V" }
user = "1000"
entrypoint = ["x"]
command = ["y", "z"]
add = [{ from = "sql", to = "/sql" }]

[image]
repository = "host/orders"
tags = ["{git.sha}", "current"]
platforms = ["linux/amd64"]
labels = { a = "b" }
annotations = { c = "d" }
version = "1"
format = "auto"
immutable_tags = ["v*"]

[run.databases]
mysql = "host/mysql:8.4"
mariadb = "host/mariadb:11"
postgres = "host/postgres:17"

[registry."host:5000"]
plain_http = true
ca_file = "ca.pem"
client_cert = "c.pem"
client_key = "k.pem"
mirrors = ["mirror/prefix"]
endpoint = "https://host"
"#;

fn parse(text: &str) -> Result<Project, ProjectError> {
    Project::parse(text, Path::new("/srv/shipway.toml"))
}

fn list(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn reads_every_key() {
    let project = parse(ALL).unwrap();
    assert_eq!(project.file, Path::new("/srv/shipway.toml"));
    assert_eq!(project.folder, Path::new("/srv"));
    assert_eq!(project.project.name.as_deref(), Some("orders"));
    assert_eq!(project.migrations.config, Some(list(&["db-migrations/flyway.toml"])));
    assert_eq!(project.runner.command, Some(list(&["y", "z"])));
    assert_eq!(project.runner.env["K"], "V");
    assert_eq!(project.runner.add[0].to, "/sql");
    assert_eq!(project.image.tags, Some(list(&["{git.sha}", "current"])));
    assert_eq!(project.image.immutable_tags, Some(list(&["v*"])));
    let registry = &project.registry["host:5000"];
    assert_eq!(registry.plain_http, Some(true));
    assert_eq!(registry.mirrors, Some(list(&["mirror/prefix"])));
}

#[test]
fn an_empty_file_says_nothing() {
    let project = parse("\u{feff}").unwrap();
    assert_eq!(project.image, ImageSection::default());
    assert_eq!(project.image.tags, None);
    assert_eq!(
        Project::parse("", Path::new("shipway.toml")).unwrap().folder,
        Path::new("")
    );
}

#[test]
fn an_empty_list_is_not_no_list() {
    assert_eq!(parse("[image]\ntags = []").unwrap().image.tags, Some(list(&[])));
}

#[test]
fn one_word_is_a_list_of_one() {
    let project = parse("[image]\nplatforms = \"all\"\n[runner]\nentrypoint = \"flyway\"").unwrap();
    assert_eq!(project.image.platforms, Some(list(&["all"])));
    assert_eq!(project.runner.entrypoint, Some(list(&["flyway"])));
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest() {
    for (text, message, hint) in [
        (
            "[image]\nrepositry = \"x\"",
            "/srv/shipway.toml:2:1: unknown key \"repositry\" in [image]",
            "did you mean \"repository\"?",
        ),
        (
            "[imgae]\ntags = []",
            "/srv/shipway.toml:1:2: unknown section \"imgae\"",
            "did you mean [image]?",
        ),
        ("name = \"x\"", "/srv/shipway.toml:1:1: unknown section \"name\"", ""),
        (
            "[runner]\nadd = [{ from = \"a\", to = \"b\" },\n  { form = \"a\", to = \"b\" }]",
            "/srv/shipway.toml:3:5: unknown key \"form\" in [runner.add]",
            "did you mean \"from\"?",
        ),
        (
            "[registry.\"host:5000\"]\n  plain-http = true",
            "/srv/shipway.toml:2:3: unknown key \"plain-http\" in [registry.\"host:5000\"]",
            "did you mean \"plain_http\"?",
        ),
        (
            "image.Tags = []",
            "/srv/shipway.toml:1:7: unknown key \"Tags\" in [image]",
            "did you mean \"tags\"?",
        ),
        (
            "[project]\nxyzzy = 1",
            "/srv/shipway.toml:2:1: unknown key \"xyzzy\" in [project]",
            "",
        ),
        (
            "[runner]\nzz = 1\naa = 1",
            "/srv/shipway.toml:2:1: unknown key \"zz\" in [runner]",
            "",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
        assert_eq!(error.hints().concat(), hint, "{text}");
    }
}

#[test]
fn every_key_is_known_by_its_section() {
    // A misspelling of each key of the full file must be refused, so that no section is left out of the comparison.
    for line in ALL.lines().filter(|line| line.contains(" = ")) {
        let key = line.split(" = ").next().unwrap();
        let text = ALL.replacen(&format!("\n{key} = "), &format!("\n{key}s_ = "), 1);
        let error = parse(&text).unwrap_err();
        assert!(
            matches!(&error, ProjectError::UnknownKey { nearest: Some(nearest), .. } if nearest == key),
            "{key}: {error}"
        );
    }
}

#[test]
fn a_value_of_the_wrong_type_is_placed() {
    for (text, message) in [
        (
            "[project]\nname = 1",
            "/srv/shipway.toml:2:8: invalid type: integer `1`, expected a string",
        ),
        (
            "[image]\ntags = 1",
            "/srv/shipway.toml:2:8: invalid type: integer `1`, expected a string or a list of strings",
        ),
        (
            "[image]\nlabels = { \"ü\" = \"ü\", b = true }",
            "/srv/shipway.toml:2:27: invalid type: boolean `true`, expected a string",
        ),
        (
            "[runner]\nadd = [{ from = \"x\" }]",
            "/srv/shipway.toml:2:8: missing field `to`",
        ),
        (
            "[registry.\"h\"]\nplain_http = \"yes\"",
            "/srv/shipway.toml:2:14: invalid type: string \"yes\", expected a boolean",
        ),
        (
            "image = 1",
            "/srv/shipway.toml:1:9: invalid type: integer `1`, expected a table",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn what_is_not_toml_is_placed() {
    let error = parse("[image]\ntags = [\"a\"\nx").unwrap_err();
    let ProjectError::Syntax { position, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(position.line, 3);
    assert!(!error.to_string().contains('\n'), "{error}");
    let twice = parse("[image]\nversion = \"1\"\nversion = \"2\"").unwrap_err();
    assert!(twice.to_string().contains("duplicate key"), "{twice}");
}
