use shipway::migrations::check::{Drift, Place, RULES};

use super::*;
use crate::args::Format;

const SCRIPT: &str = "-- orders\n\tCREATE INDEX a ON \"注文\" (b);\nDROP TABLE x;\nDROP TABLE x;\n";

fn finding(code: &str, path: &str, (line, column, width): (u64, u64, u64), message: &str) -> Finding {
    let place = Place {
        line,
        column,
        width,
        ..Place::file(path)
    };
    Finding::new(code, place, message)
}

fn report() -> Report {
    let mut allowed = finding("R002", "sql/V1__a.sql", (1, 1, 0), "a column is dropped");
    allowed.allowed = Some("nobody reads it".to_owned());
    Report {
        findings: vec![
            finding("D012", "", (0, 0, 0), "the base has another major version"),
            finding("S004", "ENV", (0, 0, 0), "DB_PASSWORD holds a secret").key("DB_PASSWORD"),
            finding("S001", "flyway.conf", (3, 0, 0), "flyway.password holds a secret").key("flyway.password"),
            finding(
                "R010",
                "sql/V1__a.sql",
                (2, 2, 12),
                "an index is made while writers wait",
            )
            .help("make it CONCURRENTLY"),
            finding("R016", "sql/V1__a.sql", (2, 21, 2), "a \"table\" & <more>"),
            finding("R001", "sql/V1__a.sql", (3, 1, 10), "a table is dropped"),
            finding("R001", "sql/V1__a.sql", (4, 1, 10), "a table is dropped"),
            finding("N001", "sql/v2 b.sql", (0, 0, 0), "it is passed over\u{1b}[2J"),
        ],
        allowed: vec![allowed],
        drift: Drift::Unchecked {
            against: "current".to_owned(),
            reason: "no network".to_owned(),
        },
        migrations: 1,
        highest_version: Some("1".to_owned()),
        set_digest: "sha256:0".to_owned(),
    }
}

fn told<T>(report: &Report, text: &str, tell: impl Fn(&CheckResult<'_>) -> T) -> T {
    let excerpts = Excerpts::of_text("sql/V1__a.sql", text, &report.findings);
    let folders = Folders {
        here: PathBuf::from("/ci/project/db"),
        repository: Some(PathBuf::from("/ci/project")),
    };
    tell(&CheckResult {
        report,
        excerpts: &excerpts,
        fail_on: Level::Error,
        folders: &folders,
    })
}

/// Catches a caret that does not stand below its place, and what a terminal would obey.
#[test]
fn people_see_the_place() {
    let text = told(&report(), SCRIPT, |result| result.text(false));
    let expected = r#"the image: warning D012: the base has another major version

ENV: error S004: DB_PASSWORD holds a secret

flyway.conf:3: error S001: flyway.password holds a secret

sql/V1__a.sql:2:2: warning R010: an index is made while writers wait
     2 |     CREATE INDEX a ON "注文" (b);
       |     ^^^^^^^^^^^^
       = make it CONCURRENTLY
sql/V1__a.sql:2:21: warning R016: a "table" & <more>
     2 |     CREATE INDEX a ON "注文" (b);
       |                        ^^^^
sql/V1__a.sql:3:1: warning R001: a table is dropped
     3 | DROP TABLE x;
       | ^^^^^^^^^^
sql/V1__a.sql:4:1: warning R001: a table is dropped
     4 | DROP TABLE x;
       | ^^^^^^^^^^

sql/v2 b.sql: error N001: it is passed over [2J

1 migration up to version 1: 3 errors, 5 warnings
allowed: R002 at sql/V1__a.sql:1:1: nobody reads it
NOT compared with current: no network
"#;
    assert_eq!(text, expected);
    let coloured = told(&report(), SCRIPT, |result| result.text(true));
    assert!(coloured.contains("\u{1b}[31;1merror\u{1b}[0m S001"));
    let nothing = Report {
        findings: Vec::new(),
        allowed: Vec::new(),
        drift: Drift::Off,
        ..report()
    };
    assert_eq!(
        told(&nothing, SCRIPT, |result| result.text(false)),
        "1 migration up to version 1: nothing found\nnot compared with what was shipped: --against says what that is\n"
    );
}

/// Catches a line that fills the log, or a place that is not in the part that is shown.
#[test]
fn long_lines_are_cut_around_the_place() {
    let long = format!("{}DROP{}\n", "x".repeat(5000), "y".repeat(5000));
    let only = |column: u64, width: u64| Report {
        findings: vec![finding("R001", "sql/V1__a.sql", (1, column, width), "m")],
        allowed: Vec::new(),
        ..report()
    };
    for (column, width) in [(5001, 4), (1, 3), (10_004, 0), (5001, 100_000), (20_000, 1), (0, 0)] {
        let text = told(&only(column, width), &long, |result| result.text(false));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() < 125), "{column}: {text}");
        if column == 5001 {
            let at = lines[1].find("DROP").map(|at| lines[1][..at].chars().count());
            assert_eq!(lines[2].find('^'), at, "{text}");
            assert!(lines[1].starts_with("     1 | …") && lines[1].ends_with('…'));
        }
    }
}

/// Catches a member that scripts rely on and that is gone.
#[test]
fn the_json_form_is_stable() {
    let json = told(&report(), SCRIPT, |result| result.json());
    assert_eq!(
        json["findings"][3].to_string(),
        r#"{"rule":"R010","family":"risk","level":"warning","path":"sql/V1__a.sql","line":2,"column":2,"width":12,"message":"an index is made while writers wait","help":"make it CONCURRENTLY","key":null,"allowed":null,"page":"docs/rules/R010.md"}"#
    );
    assert_eq!(json["findings"][0]["path"], Value::Null);
    assert_eq!(json["allowed"][0]["allowed"], "nobody reads it");
    assert_eq!(
        json["drift"].to_string(),
        r#"{"state":"unchecked","against":"current","identity":null,"reason":"no network"}"#
    );
    assert_eq!(
        json["counts"].to_string(),
        r#"{"error":3,"warning":5,"info":0,"allowed":1}"#
    );
    assert_eq!(json["status"], "failed");
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let schema: Value = serde_json::from_str(include_str!("../../../../../docs/check.schema.json")).unwrap();
    let required: Vec<&str> = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(keys, required);
    let of_finding = json["findings"][0].as_object().unwrap().keys();
    let described = schema["$defs"]["finding"]["properties"].as_object().unwrap().keys();
    assert_eq!(of_finding.collect::<Vec<_>>(), described.collect::<Vec<_>>());
}

/// Catches a report whose paths GitLab does not find, or whose fingerprints change when a line is put before.
#[test]
fn fingerprints_stay_when_lines_move() {
    let of = |report: &Report, text: &str| -> Vec<Value> {
        let file = told(report, text, |result| result.file(ReportKind::CodeQuality));
        serde_json::from_str(&file).unwrap()
    };
    let before = of(&report(), SCRIPT);
    let mut moved = report();
    for finding in &mut moved.findings {
        finding.place.line += 2;
    }
    let after = of(&moved, &format!("\n\n{SCRIPT}"));
    let fingerprints =
        |all: &[Value]| -> Vec<String> { all.iter().map(|one| one["fingerprint"].to_string()).collect() };
    assert_eq!(fingerprints(&before), fingerprints(&after));
    let distinct: std::collections::BTreeSet<String> = fingerprints(&before).into_iter().collect();
    assert_eq!(distinct.len(), before.len());
    assert_eq!(
        before[3]["location"].to_string(),
        r#"{"path":"db/sql/V1__a.sql","lines":{"begin":2}}"#
    );
    assert_eq!(before[0]["location"]["path"], "db/shipway.toml");
    let severities: Vec<&str> = before.iter().filter_map(|one| one["severity"].as_str()).collect();
    assert_eq!(severities[..4], ["major", "blocker", "blocker", "major"]);
}

/// Catches what the schema of SARIF refuses, and a place that is counted otherwise.
#[test]
fn sarif_names_rules_places_and_what_is_allowed() {
    let file = told(&report(), SCRIPT, |result| result.file(ReportKind::Sarif));
    let sarif: Value = serde_json::from_str(&file).unwrap();
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 9);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    assert_eq!(
        results[3]["locations"].to_string(),
        r#"[{"physicalLocation":{"artifactLocation":{"uri":"db/sql/V1__a.sql","uriBaseId":"%SRCROOT%"},"region":{"startLine":2,"startColumn":2,"endColumn":14}}}]"#
    );
    assert!(results[1].get("locations").is_none());
    assert_eq!(
        results[7]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "db/sql/v2%20b.sql"
    );
    assert_eq!(results[8]["suppressions"][0]["justification"], "nobody reads it");
}

/// Catches XML that is none, and a warning that makes a pipeline red.
#[test]
fn junit_fails_for_what_fails() {
    let junit = told(&report(), SCRIPT, |result| result.file(ReportKind::JUnit));
    assert!(!junit.contains('\u{1b}'));
    assert!(junit.contains("a &quot;table&quot; &amp; &lt;more&gt;"));
    assert_eq!(junit.matches("<failure ").count(), 3);
    assert!(junit.contains("failures=\"3\""));
    let tests = RULES.iter().filter(|rule| rule.level != Level::Off).count();
    assert_eq!(junit.matches("<testcase ").count(), tests);
    assert!(junit.contains("file=\"db/sql/v2 b.sql\""));
}

/// Catches a rule without a page, and an unknown one without a way on.
#[test]
fn rules_are_explained() {
    for rule in RULES {
        let text = explain(rule.code, Format::Text).unwrap();
        assert!(text.starts_with(&format!("# {}: ", rule.code)), "{text}");
    }
    assert!(explain("r010", Format::Text).is_ok());
    assert!(explain("R999", Format::Text).is_err());
    assert_eq!(explain_all(Format::Text).lines().count(), RULES.len());
    let json: Value = serde_json::from_str(&explain("S001", Format::Json).unwrap()).unwrap();
    assert_eq!(json["level"], "error");
}

/// Catches a path that leaves the repository, or a folder that is named twice.
#[test]
fn paths_are_those_of_the_repository() {
    let folders = Folders {
        here: PathBuf::from("/ci/project/db"),
        repository: Some(PathBuf::from("/ci/project")),
    };
    for (shown, expected) in [
        ("sql/a.sql", "db/sql/a.sql"),
        ("./sql/a.sql", "db/sql/a.sql"),
        ("../other/a.sql", "other/a.sql"),
        ("/ci/project/x/a.sql", "x/a.sql"),
        ("/elsewhere/a.sql", "/elsewhere/a.sql"),
    ] {
        assert_eq!(folders.path(shown), expected);
    }
    assert_eq!(Folders::default().path("sql/a.sql"), "sql/a.sql");
}
