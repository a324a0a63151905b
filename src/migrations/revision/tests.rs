use super::*;

/// What a tool makes of a name, as short text.
fn told(tool: &Tool, path: &str) -> String {
    match classify(tool, path) {
        Kind::Revision {
            version,
            description,
            direction,
        } => format!("{direction:?} {version} {description:?}"),
        Kind::Ignored { reason } => format!("- {reason}"),
        Kind::Other => "other".to_owned(),
        kind => format!("{kind:?}"),
    }
}

fn table(tool: &Tool, rows: &[(&str, &str)]) {
    for (name, expected) in rows {
        let told = told(tool, name);
        let fits = match expected.strip_prefix("- ") {
            Some(why) => told.starts_with("- ") && told.contains(why),
            None => told == *expected,
        };
        assert!(fits, "{}: {name}: {told} and not {expected}", tool.name());
    }
}

#[test]
fn a_version_of_dbmate_is_its_digits() {
    let rows = [
        ("20260131120000_create_users.sql", "Up 20260131120000 \"create users\""),
        ("001_a.sql", "Up 001 \"a\""),
        ("1_a.sql", "Up 1 \"a\""),
        ("1.sql", "Up 1 \"\""),
        ("1a b.sql", "Up 1 \"a b\""),
        ("1_a.up.sql", "Up 1 \"a.up\""),
        ("99999999999999999999999_a.sql", "Up 99999999999999999999999 \"a\""),
        ("1_a.SQL", "- does not end in .sql"),
        ("1_a.sql.bak", "- does not end in .sql"),
        ("V1__a.sql", "- begin with a digit"),
        (" 1_a.sql", "- begin with a digit"),
        ("\u{661}_a.sql", "- begin with a digit"),
        ("README.md", "- does not end in .sql"),
        (".sql", "- begin with a digit"),
        ("a/1_a.sql", "- below the one"),
    ];
    table(&Tool::Dbmate, &rows);
}

#[test]
fn golang_migrate_reads_numbers_and_directions() {
    let rows = [
        ("1_a.up.sql", "Up 1 \"a\""),
        ("000001_add_users.down.sql", "Down 1 \"add users\""),
        ("0_a.up.sql", "Up 0 \"a\""),
        ("1_.up.sql", "Up 1 \"\""),
        ("1_a.up.down.sql", "Down 1 \"a.up\""),
        ("1_a.down.x.up.cql", "Up 1 \"a.down.x\""),
        ("1_a.up.", "Up 1 \"a\""),
        ("18446744073709551615_a.up.sql", "Up 18446744073709551615 \"a\""),
        ("18446744073709551616_a.up.sql", "- does not fit"),
        ("1_a.sql", "- neither .up. nor .down."),
        ("1_a.UP.sql", "- neither .up. nor .down."),
        ("1_a.up", "- neither .up. nor .down."),
        ("1a.up.sql", "- no underscore"),
        ("1.up.sql", "- no underscore"),
        ("+1_a.up.sql", "- begin with a digit"),
        ("V1__a.up.sql", "- begin with a digit"),
        ("a/1_a.up.sql", "- below the one"),
    ];
    table(&Tool::GolangMigrate, &rows);
}

#[test]
fn goose_reads_what_stands_before_the_first_underscore() {
    let rows = [
        ("00001_create_users.sql", "Up 1 \"create users\""),
        ("1_.sql", "Up 1 \"\""),
        ("+2_a.sql", "Up 2 \"a\""),
        ("3_a.go", "Up 3 \"a\""),
        ("3_a_test.go", "- it is a test"),
        ("9223372036854775807_a.sql", "Up 9223372036854775807 \"a\""),
        ("9223372036854775808_a.sql", "- does not fit"),
        ("0_a.sql", "- counts from one"),
        ("-1_a.sql", "- not a number"),
        ("_a.sql", "- not a number"),
        ("1a_b.sql", "- not a number"),
        ("1-a.sql", "- no underscore"),
        ("1.sql", "- no underscore"),
        ("1_a.SQL", "- neither in .sql nor in .go"),
        ("a/1_a.sql", "- below the one"),
    ];
    table(&Tool::Goose, &rows);
}

#[test]
fn atlas_takes_every_sql_file() {
    let rows = [
        ("20260131120000_create_users.sql", "Up 20260131120000 \"create users\""),
        ("1.sql", "Up 1 \"\""),
        ("README.sql", "Up README \"\""),
        ("1.2_a.sql", "Up 1.2 \"a\""),
        ("_a.sql", "Up  \"a\""),
        ("atlas.sum", "other"),
        ("1_a.SQL", "- does not end in .sql"),
        ("a/1_a.sql", "- below the one"),
    ];
    table(&Tool::Atlas, &rows);
}

#[test]
fn files_of_an_image_are_called_by_their_path_below_the_folder() {
    let listed = Listed {
        image_path: "/db/migrations/1_a.sql".to_owned(),
        ..Listed::in_memory("db/migrations/1_a.sql", b"")
    };
    assert_eq!(path_below(&Tool::Dbmate, &listed), "1_a.sql");
    assert_eq!(path_below(&Tool::Goose, &listed), "db/migrations/1_a.sql");
}
