use super::*;
use crate::migrations::examine::examine;
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::inventory::Listed;
use crate::sql::Dialect;

/// What is found in a set of files, as `CODE path: message`, sorted.
fn found_by(config: FlywayConfig, files: &[(&str, &str)]) -> Vec<String> {
    let listed = files
        .iter()
        .map(|(path, text)| Listed::in_memory(path, text.as_bytes()));
    let inventory = Inventory::of(Tool::Flyway(Box::new(config)), listed);
    let examined = examine(&inventory, Dialect::Unknown).expect("all is in memory");
    let told = |finding: Finding| {
        let help = finding.help.map(|help| format!(" [{help}]")).unwrap_or_default();
        format!(
            "{} {}: {}{help}",
            finding.rule.code, finding.place.path, finding.message
        )
    };
    let mut found: Vec<String> = check(&inventory, &examined).into_iter().map(told).collect();
    found.sort();
    found
}

fn found(paths: &[&str]) -> Vec<String> {
    let files: Vec<(&str, &str)> = paths.iter().map(|&path| (path, "")).collect();
    found_by(FlywayConfig::default(), &files)
}

/// A set with a migration nothing is wrong with, and one more file: what is found.
fn with(path: &str) -> Vec<String> {
    found(&["V999__fine.sql", path])
}

#[test]
fn n001_says_why_and_what_was_meant() {
    for (name, cause, meant) in [
        (
            "v1__x.sql",
            "its prefix is written \"v\" and not \"V\"",
            Some("V1__x.sql"),
        ),
        (
            "r__x.sql",
            "its prefix is written \"r\" and not \"R\"",
            Some("R__x.sql"),
        ),
        (
            "b2__x.sql",
            "its prefix is written \"b\" and not \"B\"",
            Some("B2__x.sql"),
        ),
        (
            "V1_x.sql",
            "\"_\" stands behind the version and not \"__\"",
            Some("V1__x.sql"),
        ),
        (
            "V1.2_add_users.sql",
            "\"_\" stands behind the version and not \"__\"",
            Some("V1.2__add_users.sql"),
        ),
        (
            "V1-x.sql",
            "\"-\" stands behind the version and not \"__\"",
            Some("V1__x.sql"),
        ),
        (
            "V1 x.sql",
            "\" \" stands behind the version and not \"__\"",
            Some("V1__x.sql"),
        ),
        (
            "V1.x.sql",
            "\".\" stands behind the version and not \"__\"",
            Some("V1__x.sql"),
        ),
        ("V1 __x.sql", "a blank stands behind the version", Some("V1__x.sql")),
        (
            "V1__x.SQL.txt",
            "it ends in \".SQL.txt\" and not in \".sql\"",
            Some("V1__x.sql"),
        ),
        (
            "V1__x.sql.txt",
            "it ends in \".sql.txt\" and not in \".sql\"",
            Some("V1__x.sql"),
        ),
        (
            "V1__x.txt",
            "it ends in \".txt\" and not in \".sql\"",
            Some("V1__x.sql"),
        ),
        (
            "V1__x.slq",
            "it ends in \".slq\" and not in \".sql\"",
            Some("V1__x.sql"),
        ),
        ("V1__x.sql ", "a blank stands at an end of the name", Some("V1__x.sql")),
        (
            "R_views.sql",
            "\"_\" stands behind the prefix and not \"__\"",
            Some("R__views.sql"),
        ),
        (
            "R __views.sql",
            "a blank stands behind the prefix",
            Some("R__views.sql"),
        ),
        (
            "R1__views.sql",
            "\"1\" stands behind \"R\", and what repeats has no version",
            None,
        ),
        ("V__x.sql", "no version stands behind \"V\"", None),
        ("V1a__x.sql", "\"1a\" is not a version", None),
        ("1__x.sql", "the prefix \"V\" is missing", Some("V1__x.sql")),
        (
            "20240101_x.sql",
            "the prefix \"V\" is missing, and \"_\" stands behind the version and not \"__\"",
            Some("V20240101__x.sql"),
        ),
        (
            "v1_x.sql",
            "its prefix is written \"v\" and not \"V\", and \"_\" stands behind the version and not \"__\"",
            Some("V1__x.sql"),
        ),
        (
            "beforemigrate.sql",
            "the event is written \"beforemigrate\" and not \"beforeMigrate\"",
            Some("beforeMigrate.sql"),
        ),
        (
            "AfterMigrate__x.sql",
            "the event is written \"AfterMigrate\" and not \"afterMigrate\"",
            Some("afterMigrate__x.sql"),
        ),
    ] {
        let help = meant.map_or(
            "name it like V1__description.sql or R__description.sql".to_owned(),
            |meant| format!("rename it to {meant}"),
        );
        assert_eq!(
            with(name),
            [format!("N001 {name}: Flyway passes over it: {cause} [{help}]")]
        );
    }
}

#[test]
fn n001_other_sql_is_only_a_warning_and_other_files_are_nothing() {
    for name in [
        "Views.sql",
        "seed.sql",
        "README.sql",
        "Backup.sql",
        "beforeMigrateX.sql",
    ] {
        let found = with(name);
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("N001 {name}: Flyway passes over it")),
            "{found:?}"
        );
    }
    for name in [
        "README.md",
        ".gitkeep",
        ".editorconfig",
        ".gitignore",
        "notes.txt",
        "flyway.conf",
        "Makefile",
        "docs/V1.md",
        "CHANGELOG",
        "VERSION",
        "V1__x.sql.bak",
        "V1__x.sql~",
        "V1__x.sql.disabled",
        "diagram.png",
        "v1.txt.zip",
        "LICENSE",
        "Views",
        "data.csv",
    ] {
        assert_eq!(with(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn n001_what_lies_elsewhere() {
    let config = FlywayConfig {
        locations: vec!["filesystem:sql/prod".to_owned()],
        ..FlywayConfig::default()
    };
    let files = [("prod/V1__a.sql", ""), ("test/V2__b.sql", ""), ("test/notes.sql", "")];
    assert_eq!(
        found_by(config, &files),
        [
            "N001 test/V2__b.sql: it lies in none of the locations filesystem:sql/prod [move it, or name its folder in locations]"
        ]
    );
    let config = FlywayConfig {
        locations: vec!["sql".to_owned()],
        ..FlywayConfig::default()
    };
    assert_eq!(
        found_by(config, &[("V1__a.sql", "")]),
        [
            "N001 V1__a.sql: it lies in none of the locations sql [for a folder write filesystem:sql]",
            "N014 sql: there is no migration where Flyway looks [only a location with \"filesystem:\" before it is a folder]",
        ]
    );
}

#[test]
fn n002_to_n004_what_is_there_twice() {
    assert_eq!(
        found(&["V1__a.sql", "V1_0__b.sql", "V01__c.sh", "B1__d.sql", "V2__a.sql"]).len(),
        2
    );
    assert_eq!(
        found(&["x/V1__a.sql", "y/V1__a.sql"]),
        ["N002 y/V1__a.sql: version 1 is that of x/V1__a.sql, too"]
    );
    assert_eq!(
        found(&["B1__a.sql", "B1__b.sql"]),
        ["N002 B1__b.sql: version 1 is that of B1__a.sql, too"]
    );
    assert_eq!(found(&["V1__a.sql", "B1__b.sql"]), Vec::<String>::new());
    assert_eq!(
        found(&["R__a_b.sql", "x/R__a b.sql"]),
        ["N003 x/R__a b.sql: the description \"a b\" is that of R__a_b.sql, too"]
    );
    assert_eq!(
        found(&["R__a.sql", "R__A.sql"]),
        ["N012 R__a.sql: its name differs from R__A.sql by case only"]
    );
    assert_eq!(
        found(&[
            "V1__a.sql",
            "afterMigrate__x.sql",
            "sub/afterMigrate__x.sql",
            "afterMigrate__y.sql",
            "afterMigrate__x.sh"
        ]),
        ["N004 sub/afterMigrate__x.sql: the callback afterMigrate__x is there as afterMigrate__x.sql, too"]
    );
}

#[test]
fn n005_to_n007_versions_and_descriptions() {
    for name in [
        "V+1__x.sql",
        "V-1__x.sql",
        "V\u{661}__x.sql",
        "Vlatest__x.sql",
        "Vcurrent__x.sql",
        "V9223372036854775807__x.sql",
    ] {
        let found = with(name);
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("N005 {name}: ")),
            "{found:?}"
        );
    }
    for name in ["V1_2.3__x.sql", "V007__x.sql", "B2024.01__x.sql"] {
        assert_eq!(with(name), Vec::<String>::new());
    }
    let long = |count: usize| "1".repeat(count);
    assert_eq!(with(&format!("V{}__x.sql", long(50))), Vec::<String>::new());
    assert!(with(&format!("V{}__x.sql", long(51)))[0].starts_with("N006"));
    assert_eq!(with(&format!("R__{}.sql", long(200))), Vec::<String>::new());
    assert!(with(&format!("R__{}.sql", long(201)))[0].starts_with("N006"));
    assert_eq!(with(&format!("{}/R__x.sql", long(200).repeat(4))), Vec::<String>::new());
    assert!(with(&format!("{}/R__x.sql", long(200).repeat(5)))[0].starts_with("N006"));
    for name in ["V1.sql", "V1__.sql", "R__.sql", "B3.sql", "V1___.sql"] {
        assert_eq!(with(name), [format!("N007 {name}: its name does not say what it does")]);
    }
    assert_eq!(with("beforeMigrate.sql"), Vec::<String>::new());
}

#[test]
fn n008_spellings() {
    let manifest = |paths: &[&str]| {
        let listed = paths.iter().map(|path| Listed::in_memory(path, b""));
        let inventory = Inventory::of(Tool::flyway(), listed);
        let examined = examine(&inventory, Dialect::Unknown).expect("all is in memory");
        Manifest::of("p", &inventory, &examined, Vec::new())
    };
    let before = manifest(&["V1__a.sql", "V2_0__b.sql", "V3__c.sql", "B1__d.sql"]);
    let after = manifest(&["V01__a.sql", "V2.0__b.sql", "V3__c.sql", "B1__d.sql", "V4__e.sql"]);
    let found = spelled_differently(&before, &after);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["version 01 was shipped as 1"]);
    assert_eq!(found[0].place.path, "V01__a.sql");
}

#[test]
fn n009_and_n010_what_is_never_run_here() {
    assert!(with("U1__a.sql")[0].starts_with("N009 U1__a.sql"));
    for name in [
        "V1__a.bat",
        "V1__a.CMD",
        "V1__a.ps1",
        "R__a.py",
        "beforeMigrate.py",
        "V1__a",
        "V1__a.java",
        "V1__A.class",
    ] {
        let found = with(name);
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("N010 {name}: ")),
            "{name}: {found:?}"
        );
    }
    for name in ["V1__a.sh", "R__a.bash", "Main.java", "tool.py", "run.bat"] {
        assert_eq!(with(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn n011_configurations_of_scripts() {
    let found = |config: &str| {
        found_by(
            FlywayConfig::default(),
            &[("V1__a.sql", ""), ("V1__a.sql.conf", config)],
        )
    };
    for config in [
        "",
        "executeInTransaction=false",
        "encoding=ISO-8859-1",
        "placeholderReplacement=TRUE",
    ] {
        assert_eq!(found(config), Vec::<String>::new());
    }
    for (config, message) in [
        (
            "x=1",
            "Flyway knows no key \"x\" here [it knows executeInTransaction, encoding and placeholderReplacement]",
        ),
        (
            "executeInTransation=true",
            "Flyway knows no key \"executeInTransation\" here [did you mean executeInTransaction?]",
        ),
        (
            "executeInTransaction=yes",
            "executeInTransaction is neither true nor false [write true or false]",
        ),
        (
            "shouldExecute=true",
            "only paid editions of Flyway know shouldExecute [leave it out: the open edition does not run with it]",
        ),
    ] {
        assert_eq!(found(config), [format!("N011 V1__a.sql.conf: {message}")]);
    }
    assert_eq!(
        with("V1__a.sql.conf"),
        ["N011 V1__a.sql.conf: there is no script V1__a.sql that it could configure"]
    );
}

#[test]
fn n012_hidden_files_and_folders() {
    for path in [".x/V1__a.sql", "a/.b/c/R__x.sql", ".V1__a.sql", "a/.R__x.sql"] {
        let found = with(path);
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("N012 {path}: ")),
            "{found:?}"
        );
    }
    for path in [".git/config", ".x/README.md", ".gitkeep", ".hidden.sql.swp"] {
        assert_eq!(with(path), Vec::<String>::new());
    }
}

#[test]
fn n013_and_n014_the_whole_set() {
    let config = |refuses_files| FlywayConfig {
        shadowed: Some(("flyway.toml".to_owned(), "flyway.conf".to_owned())),
        refuses_files,
        ..FlywayConfig::default()
    };
    let files = [("V1__a.sql", "")];
    let found = found_by(config(false), &files);
    assert!(
        found[0].starts_with("N013 flyway.conf: Flyway reads flyway.toml and never flyway.conf"),
        "{found:?}"
    );
    assert!(found_by(config(true), &files)[0].contains("does not start"));
    for files in [&[][..], &["README.md"], &["beforeMigrate.sql"], &["U1__a.sql"]] {
        assert!(
            self::found(files).iter().any(|found| found.starts_with("N014")),
            "{files:?}"
        );
    }
    for files in [&["V1__a.sql"][..], &["R__a.sql"], &["B1__a.sql"], &["V1__a.sh"]] {
        assert_eq!(self::found(files), Vec::<String>::new());
    }
}
