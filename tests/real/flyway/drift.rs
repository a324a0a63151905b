//! Drift: each rule foresees an error of `flyway validate`, as the table in docs/rules/README.md says.

use std::collections::BTreeSet;
use std::fs;

use shipway::migrations::check::drift;
use shipway::migrations::check::{Level, Rule};
use shipway::migrations::compare::Comparison;

use super::project::Project;

/// What was shipped, and ran.
const SHIPPED: [(&str, &str); 6] = [
    ("sql/V1__first.sql", "SELECT 1;\n"),
    ("sql/V2__second_one.sql", "SELECT 2;\n"),
    ("sql/V4__fourth.sql", "SELECT 4;\n"),
    ("sql/V5__fifth.sql", "SELECT 5;\n"),
    ("sql/R__view.sql", "SELECT 6;\n"),
    ("sql/R__other.sql", "SELECT 7;\n"),
];

/// What became of the shipped set: paths that are gone, and files that are new or other.
struct Situation {
    name: &'static str,
    gone: &'static [&'static str],
    written: &'static [(&'static str, &'static str)],
    arguments: &'static [&'static str],
    /// The rule that finds it as an error, and the errors of Flyway.
    foreseen: Option<(&'static str, &'static [&'static str])>,
}

const fn situation(
    name: &'static str,
    gone: &'static [&'static str],
    written: &'static [(&'static str, &'static str)],
    foreseen: Option<(&'static str, &'static [&'static str])>,
) -> Situation {
    Situation {
        name,
        gone,
        written,
        arguments: &[],
        foreseen,
    }
}

/// Each rule's situation, and behind it the nearest one that is fine.
const SITUATIONS: [Situation; 18] = [
    situation(
        "D001: the content changed",
        &[],
        &[("sql/V1__first.sql", "SELECT 10;\n")],
        Some(("D001", &["CHECKSUM_MISMATCH"])),
    ),
    situation(
        "D001: only the line ends changed",
        &[],
        &[("sql/V1__first.sql", "SELECT 1;\r\n\r\n")],
        None,
    ),
    situation(
        "D003: a version is gone",
        &["sql/V2__second_one.sql"],
        &[],
        Some(("D003", &["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"])),
    ),
    situation(
        "D003: a version moved to a folder",
        &["sql/V2__second_one.sql"],
        &[("sql/new/V2__second_one.sql", "SELECT 2;\n")],
        None,
    ),
    situation(
        "D004: a repeatable one is gone",
        &["sql/R__view.sql"],
        &[],
        Some(("D004", &["APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED"])),
    ),
    situation(
        "D004: a repeatable one moved",
        &["sql/R__view.sql"],
        &[("sql/views/R__view.sql", "SELECT 6;\n")],
        None,
    ),
    situation(
        "D005: the description changed",
        &["sql/V2__second_one.sql"],
        &[("sql/V2__second.sql", "SELECT 2;\n")],
        Some(("D005", &["DESCRIPTION_MISMATCH"])),
    ),
    situation(
        "D005: the description is only written otherwise",
        &["sql/V2__second_one.sql"],
        &[("sql/V2__second one.sql", "SELECT 2;\n")],
        None,
    ),
    situation(
        "D007: a new version below the highest",
        &[],
        &[("sql/V3__third.sql", "SELECT 3;\n")],
        Some(("D007", &["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"])),
    ),
    situation(
        "D007: a new version above the highest",
        &[],
        &[("sql/V6__sixth.sql", "SELECT 6;\n")],
        None,
    ),
    Situation {
        arguments: &["-outOfOrder=true"],
        ..situation(
            "D007: a new version below the highest, out of order",
            &[],
            &[("sql/V3__third.sql", "SELECT 3;\n")],
            None,
        )
    },
    situation(
        "D008: an interpreter runs it now",
        &["sql/V1__first.sql"],
        &[("sql/V1__first.sh", "SELECT 1;\n")],
        Some((
            "D008",
            &[
                "APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED",
                "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED",
            ],
        )),
    ),
    situation(
        "D008: an interpreter runs what repeats now",
        &["sql/R__view.sql"],
        &[("sql/R__view.sh", "SELECT 6;\n")],
        Some(("D008", &["TYPE_MISMATCH"])),
    ),
    situation(
        "D008: the suffix in capitals",
        &["sql/V1__first.sql"],
        &[("sql/V1__first.SQL", "SELECT 1;\n")],
        None,
    ),
    Situation {
        arguments: &["-ignoreMigrationPatterns=*:missing,*:pending"],
        ..situation(
            "D003: a version is gone, and may be",
            &["sql/V2__second_one.sql"],
            &[],
            None,
        )
    },
    Situation {
        arguments: &["-ignoreMigrationPatterns=*:missing,*:pending"],
        ..situation(
            "D004: a repeatable one is gone, and may be",
            &["sql/R__view.sql"],
            &[],
            None,
        )
    },
    situation(
        "D009: a repeatable one changed",
        &[],
        &[("sql/R__view.sql", "SELECT 60;\n")],
        None,
    ),
    situation("nothing changed", &[], &[], None),
];

/// The errors of `validate` as `migrate` asks for it: what is pending is fine.
fn errors(project: &Project) -> BTreeSet<String> {
    let patterns = "-ignoreMigrationPatterns=*:pending,*:future";
    let has_own = project.config().ignore_migration_patterns != ["*:future"];
    let words = if has_own {
        vec!["validate"]
    } else {
        vec!["validate", patterns]
    };
    let json = project.json(&project.sqlite(), &words);
    let invalid = json["invalidMigrations"].as_array().expect("a list");
    let code = |one: &serde_json::Value| one["errorDetails"]["errorCode"].as_str().expect("a code").to_owned();
    assert_eq!(
        json["validationSuccessful"].as_bool(),
        Some(invalid.is_empty()),
        "{json:#}"
    );
    invalid.iter().map(code).collect()
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn each_rule_foresees_an_error_of_validate() {
    let shipped = Project::new(SHIPPED);
    shipped.migrate(&shipped.sqlite());
    let before = shipped.manifest();
    let drift_rules: BTreeSet<&str> = ["D001", "D003", "D004", "D005", "D007", "D008"].into();
    let mut foreseen = BTreeSet::new();
    for situation in &SITUATIONS {
        let kept = SHIPPED.iter().filter(|(path, _)| {
            !situation.gone.contains(path) && !situation.written.iter().any(|(written, _)| written == path)
        });
        let project = Project::new(kept.chain(situation.written).copied());
        let arguments = [&["-locations=filesystem:sql"][..], situation.arguments].concat();
        let project = project.arguments(&arguments);
        fs::copy(shipped.path("test.db"), project.path("test.db")).expect("the database can be copied");
        let after = project.manifest();
        let comparison = Comparison::of(&before, &after);
        let sets = drift::Sets {
            before: &before,
            after: &after,
            comparison: &comparison,
        };
        let found = drift::check(&sets).into_iter();
        let found = found.filter(|finding| finding.level == Level::Error && drift_rules.contains(finding.rule.code));
        let found: BTreeSet<&str> = found.map(|finding| finding.rule.code).collect();
        let expected: BTreeSet<&str> = situation.foreseen.iter().map(|(code, _)| *code).collect();
        assert_eq!(found, expected, "{}", situation.name);
        let expected: BTreeSet<String> = situation
            .foreseen
            .iter()
            .flat_map(|(_, errors)| *errors)
            .map(|&error| error.to_owned())
            .collect();
        assert_eq!(errors(&project), expected, "{}", situation.name);
        foreseen.extend(situation.foreseen);
    }
    let page = include_str!("../../../docs/rules/README.md");
    assert_eq!(
        foreseen.iter().map(|(code, _)| *code).collect::<BTreeSet<_>>(),
        drift_rules
    );
    for (code, error) in foreseen
        .iter()
        .flat_map(|(code, errors)| errors.iter().map(move |error| (code, error)))
    {
        assert!(Rule::of_code(code).is_some());
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| [{code}]({code}.md) |")));
        assert!(
            row.is_some_and(|row| row.contains(&format!("`{error}`"))),
            "docs/rules/README.md does not say {code} {error}: {row:?}"
        );
    }
}
