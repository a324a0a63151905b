use super::*;
use crate::migrations::check::risk::Risks;
use crate::sql::{Dialect, Splitter, tokens};

/// What is found in a script, and what its comments make of it.
fn check(script: &str) -> (Vec<Finding>, FileAllowances) {
    let mut risks = Risks::new(Dialect::Postgres, "V1__a.sql");
    let mut allowances = Allowances::new("V1__a.sql");
    let mut splitter = Splitter::new(Dialect::Postgres);
    let mut look = |statement: Statement<'_>| {
        let tokens = tokens(statement.text, Dialect::Postgres);
        risks.statement(&statement, &tokens);
        allowances.statement(&statement, &tokens);
    };
    splitter.update(script.as_bytes(), &mut look);
    splitter.finish(&mut look);
    let (mut findings, _) = risks.finish();
    findings.retain(|finding| finding.rule.code != "R017");
    let file = allowances.apply(&mut findings);
    (findings, file)
}

/// Each finding as `R001`, or `R001=reason` where it is allowed.
fn outcome(script: &str) -> String {
    let (findings, _) = check(script);
    let outcome = findings.iter().map(|finding| match &finding.allowed {
        Some(reason) => format!("{}={reason}", finding.rule.code),
        None => finding.rule.code.to_owned(),
    });
    outcome.collect::<Vec<_>>().join(", ")
}

#[test]
fn comments_of_our_own() {
    for (script, expected) in [
        ("-- shipway:allow R001 it is empty\nDROP TABLE a;", "R001=it is empty"),
        ("DROP TABLE a; -- shipway:allow R001 it is empty", "R001=it is empty"),
        (
            "DROP TABLE a; -- shipway:allow R001 it is empty\nDROP TABLE b;",
            "R001=it is empty, R001",
        ),
        (
            "DROP TABLE a;\n-- shipway:allow R001 it is empty\nDROP TABLE b;",
            "R001, R001=it is empty",
        ),
        ("DROP /* shipway:allow R001 it is empty */ TABLE a;", "R001=it is empty"),
        ("DROP TABLE a -- shipway:allow R001 it is empty\n;", "R001=it is empty"),
        (
            "/*\n * Gone since March.\n * shipway:allow R001 it is empty\n */\nDROP TABLE a;",
            "R001=it is empty",
        ),
        ("-- shipway:allow r001: it is empty\nDROP TABLE a;", "R001=it is empty"),
        (
            "-- shipway:allow R001,R002 old\nALTER TABLE a DROP COLUMN b;",
            "R002=old",
        ),
        (
            "-- shipway:allow R001, R002 old\nALTER TABLE a DROP COLUMN b;",
            "R002=old",
        ),
        (
            "-- shipway:allow R001 one\n-- shipway:allow R002 two\nALTER TABLE a DROP COLUMN b;",
            "R002=two",
        ),
        ("-- shipway:allow R002 other\nDROP TABLE a;", "R001"),
        (
            "SELECT 1;\n\n-- shipway:allow R001 x\nDROP TABLE a;\nDROP TABLE b;",
            "R001=x, R001",
        ),
        (
            "-- shipway:allow-file R001 the old schema\nSELECT 1;\nDROP TABLE a;\nDROP TABLE b;",
            "R001=the old schema, R001=the old schema",
        ),
        (
            "-- shipway:allow R021 a test server\nALTER USER a PASSWORD 'b';",
            "R021=a test server",
        ),
        // Not comments.
        ("SELECT '-- shipway:allow R001 x'; DROP TABLE a;", "R001"),
        ("DROP TABLE \"-- shipway:allow R001 x\";", "R001"),
    ] {
        assert_eq!(outcome(script), expected, "{script}");
    }
}

/// Catches a comment that is passed over in silence.
#[test]
fn comments_that_allow_nothing_are_told() {
    for (script, expected, words) in [
        (
            "-- shipway:allow R999 x\nDROP TABLE a;",
            "R001, C014",
            "there is no rule R999",
        ),
        (
            "-- shipway:allow R0010 x\nDROP TABLE a;",
            "R001, C014",
            "did you mean R001?",
        ),
        ("-- shipway:allow\nDROP TABLE a;", "R001, C014", "names no rule"),
        (
            "-- shipway:allow because I say so\nDROP TABLE a;",
            "R001, C014",
            "no rule because",
        ),
        (
            "-- shipway:allow R001\nDROP TABLE a;",
            "R001",
            "the comment in line 1 does not allow it: it gives no reason",
        ),
        (
            "-- shipway:allow R001,R002\nDROP TABLE a;",
            "R001, C014",
            "allows R002 without a reason",
        ),
        (
            "-- shipway:allow R001, R999 x\nDROP TABLE a;",
            "R001=x, C014",
            "no rule R999",
        ),
        ("-- shipway:allow S001 x\nSELECT 1;", "C014", "S001 cannot be allowed"),
        ("-- shipway:allow D001 x\nSELECT 1;", "C014", "D001 cannot be allowed"),
        (
            "SELECT 1;\n-- shipway:allow-file R001 x\nDROP TABLE a;",
            "R001, C014",
            "behind a statement",
        ),
        ("SELECT 1;\n-- shipway:allow R001 x\n", "C014", "no statement follows"),
    ] {
        assert_eq!(outcome(script), expected, "{script}");
        let said = format!("{:?}", check(script).0);
        assert!(said.contains(words), "{script}: {said}");
    }
    let (findings, _) = check("SELECT 1;\n  -- shipway:allow R999 x\nSELECT 2;");
    let place = &findings[0].place;
    assert_eq!((place.line, place.column, place.width), (2, 3, 23));
}

#[test]
fn comments_for_squawk_and_atlas() {
    for (script, expected) in [
        (
            "-- squawk-ignore ban-drop-table\nDROP TABLE a;",
            "R001=squawk-ignore ban-drop-table",
        ),
        (
            "-- squawk-ignore prefer-text-field, ban-drop-column\nALTER TABLE a DROP b;",
            "R002=squawk-ignore prefer-text-field, ban-drop-column",
        ),
        ("-- squawk-ignore prefer-text-field\nALTER TABLE a DROP b;", "R002"),
        (
            "-- squawk-ignore\nDROP TABLE a;\nDROP TABLE b;",
            "R001=squawk-ignore, R001",
        ),
        (
            "-- squawk-ignore-file ban-drop-table\nSELECT 1;\nDROP TABLE b;",
            "R001=squawk-ignore-file ban-drop-table",
        ),
        ("-- squawk-ignore\nALTER USER a PASSWORD 'b';", "R021"),
        ("-- squawk-ignored\nDROP TABLE a;", "R001"),
        (
            "-- atlas:nolint destructive\nDROP TABLE a;",
            "R001=atlas:nolint destructive",
        ),
        (
            "-- atlas:nolint DS103 MF101\nALTER TABLE a DROP b;",
            "R002=atlas:nolint DS103 MF101",
        ),
        (
            "-- atlas:nolint\nDROP TABLE a;\nDROP TABLE b;",
            "R001=atlas:nolint, R001",
        ),
        (
            "-- atlas:nolint\n\nDROP TABLE a;\nDROP TABLE b;",
            "R001=atlas:nolint, R001=atlas:nolint",
        ),
        ("-- atlas:nolint naming\nDROP TABLE a;", "R001"),
    ] {
        assert_eq!(outcome(script), expected, "{script}");
    }
}

#[test]
fn what_is_allowed_for_the_file_holds_elsewhere() {
    let (_, file) = check("-- shipway:allow-file N007,C012 generated by a tool\nSELECT 1;");
    let mut named = Finding::new("N007", Place::file("V1__.sql"), "no description");
    file.apply(&mut named);
    assert_eq!(named.allowed.as_deref(), Some("generated by a tool"));
    let mut other = Finding::new("N006", Place::file("V1__.sql"), "too long");
    file.apply(&mut other);
    assert_eq!(other.allowed, None);
}
