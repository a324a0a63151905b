use super::*;
use crate::migrations::check::Finding;
use crate::migrations::check::drift::{self, Sets};
use crate::migrations::examine::examine;
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::inventory::Listed;
use crate::migrations::{Inventory, Tool};
use crate::sql::Dialect;

fn manifest_of(tool: Tool, files: &[(&str, &str)]) -> Manifest {
    let listed = files
        .iter()
        .map(|(path, text)| Listed::in_memory(path, text.as_bytes()));
    let inventory = Inventory::of(tool, listed);
    let examined = examine(&inventory, Dialect::Unknown).unwrap();
    Manifest::of("orders", &inventory, &examined, Vec::new())
}

fn manifest(files: &[(&str, &str)]) -> Manifest {
    manifest_of(Tool::flyway(), files)
}

fn configured(change: impl Fn(&mut FlywayConfig)) -> Tool {
    let mut config = Box::<FlywayConfig>::default();
    change(&mut config);
    Tool::Flyway(config)
}

/// Code, level and path of what is found, sorted.
fn found(before: &Manifest, after: &Manifest) -> Vec<String> {
    let comparison = Comparison::of(before, after);
    let findings = drift::check(&Sets {
        before,
        after,
        comparison: &comparison,
    });
    let told = |finding: Finding| format!("{} {} {}", finding.rule.code, finding.level, finding.place.path);
    let mut told: Vec<String> = findings.into_iter().map(told).collect();
    told.sort();
    told
}

fn scripts(migrations: &[Migration]) -> Vec<&str> {
    migrations.iter().map(|one| one.script.as_str()).collect()
}

const SHIPPED: &[(&str, &str)] = &[
    ("V1__one.sql", "SELECT 1;"),
    ("V2__two.sql", "SELECT 2;"),
    ("R__view.sql", "SELECT 3;"),
    ("afterMigrate.sql", "SELECT 4;"),
];

fn with(replaced: &str, by: Option<(&'static str, &'static str)>) -> Manifest {
    let kept = SHIPPED.iter().copied().filter(|(path, _)| *path != replaced);
    manifest(&kept.chain(by).collect::<Vec<_>>())
}

/// The script that is replaced, by what, and what is found.
type Case = (
    &'static str,
    Option<(&'static str, &'static str)>,
    &'static [&'static str],
);

/// Catches a rule that fires where it should not, one that does not, and a wrong level.
#[test]
fn each_change_has_its_rule() {
    let before = manifest(SHIPPED);
    let cases: &[Case] = &[
        ("", None, &[]),
        ("", Some(("V3__new.sql", "SELECT 9;")), &[]),
        (
            "",
            Some(("V1.5__late.sql", "SELECT 9;")),
            &["D007 error V1.5__late.sql"],
        ),
        ("", Some(("B2__all.sql", "SELECT 9;")), &[]),
        (
            "V2__two.sql",
            Some(("V2__two.sql", "SELECT 22;")),
            &["D001 error V2__two.sql"],
        ),
        (
            "V2__two.sql",
            Some(("V2__two.sql", "SELECT 2;\r\n\n")),
            &["D002 info V2__two.sql"],
        ),
        ("V2__two.sql", None, &["D003 error V2__two.sql"]),
        (
            "V2__two.sql",
            Some(("B2__all.sql", "SELECT 9;")),
            &["D003 warning V2__two.sql"],
        ),
        (
            "V2__two.sql",
            Some(("B1__all.sql", "SELECT 9;")),
            &["D003 error V2__two.sql"],
        ),
        ("R__view.sql", None, &["D004 error R__view.sql"]),
        (
            "V2__two.sql",
            Some(("V2__other.sql", "SELECT 7;")),
            &[
                "D001 error V2__other.sql",
                "D005 error V2__other.sql",
                "D006 info V2__other.sql",
                "D015 info V2__other.sql",
            ],
        ),
        (
            "V2__two.sql",
            Some(("V2__deux.sql", "SELECT 2;")),
            &["D005 error V2__deux.sql", "D006 info V2__deux.sql"],
        ),
        (
            "V2__two.sql",
            Some(("V2.0__two.sql", "SELECT 2;")),
            &["D006 info V2.0__two.sql"],
        ),
        (
            "V2__two.sql",
            Some(("sub/V2__two.sql", "SELECT 2;")),
            &["D006 info sub/V2__two.sql"],
        ),
        (
            "V2__two.sql",
            Some(("V2__two.sh", "SELECT 2;")),
            &["D006 info V2__two.sh", "D008 error V2__two.sh"],
        ),
        (
            "R__view.sql",
            Some(("R__view.sql", "SELECT 33;")),
            &["D009 info R__view.sql"],
        ),
        ("afterMigrate.sql", None, &["D010 warning afterMigrate.sql"]),
        (
            "afterMigrate.sql",
            Some(("afterMigrate.sql", "SELECT 44;")),
            &["D010 warning afterMigrate.sql"],
        ),
        (
            "",
            Some(("beforeMigrate.sql", "SELECT 44;")),
            &["D010 warning beforeMigrate.sql"],
        ),
    ];
    for (replaced, by, expected) in cases {
        assert_eq!(found(&before, &with(replaced, *by)), *expected, "{replaced} by {by:?}");
    }
}

#[test]
fn the_configuration_forgives_or_forbids() {
    let before = manifest(SHIPPED);
    let late = [SHIPPED, &[("V1.5__late.sql", "SELECT 9;")]].concat();
    let after = manifest_of(configured(|config| config.out_of_order = true), &late);
    assert!(found(&before, &after).is_empty());
    assert_eq!(scripts(&Comparison::of(&before, &after).pending), ["V1.5__late.sql"]);
    let forgiving = configured(|config| config.ignore_migration_patterns = vec!["*:missing".to_owned()]);
    let after = manifest_of(forgiving, &SHIPPED[1..]);
    assert_eq!(found(&before, &after), ["D003 warning V1__one.sql"]);
    let after = manifest_of(configured(|config| config.table = "other".to_owned()), SHIPPED);
    assert_eq!(found(&before, &after), ["D011 error "]);
    let after = manifest_of(configured(|config| config.encoding = "ISO-8859-1".to_owned()), SHIPPED);
    assert_eq!(found(&before, &after), ["D011 warning "]);
    let mut after = manifest(SHIPPED);
    after.project = "billing".to_owned();
    assert_eq!(found(&before, &after), ["D013 error "]);
}

#[test]
fn what_runs_next_is_in_its_order() {
    let before = manifest(&[("V1__a.sql", "1"), ("R__b.sql", "1"), ("R__same.sql", "1")]);
    let after = manifest(&[
        ("R__b.sql", "2"),
        ("V10__x.sql", "1"),
        ("V9__y.sql", "1"),
        ("R__a.sql", "1"),
        ("V0.1__late.sql", "1"),
        ("B10__all.sql", "1"),
        ("V1__a.sql", "1"),
        ("R__same.sql", "1"),
    ]);
    let comparison = Comparison::of(&before, &after);
    assert_eq!(
        scripts(&comparison.pending),
        ["V9__y.sql", "V10__x.sql", "R__a.sql", "R__b.sql"]
    );
    assert_eq!(scripts(&comparison.late), ["V0.1__late.sql"]);
}

#[test]
fn a_new_name_is_recognised_by_the_content() {
    let before = manifest(&[
        ("V1__a.sql", "1"),
        ("V2__b.sql", "2"),
        ("V3__c.sql", "3"),
        ("V4__d.sql", "3"),
    ]);
    let after = manifest(&[("V1__a.sql", "1"), ("V7__b.sql", "2"), ("V8__c.sql", "3")]);
    let comparison = Comparison::of(&before, &after);
    let pair = |change: &Change| (change.before.script.clone(), change.after.script.clone());
    let renamed: Vec<_> = comparison.renamed.iter().map(pair).collect();
    // Which of two equal ones the other was is not known.
    assert_eq!(renamed, [("V2__b.sql".to_owned(), "V7__b.sql".to_owned())]);
    assert!(comparison.breaks_shipped());
    assert!(!comparison.is_empty() && Comparison::of(&before, &before).is_empty());
}

#[test]
fn a_manifest_comes_back_as_it_was() {
    let manifest = manifest(SHIPPED);
    let bytes = manifest.to_bytes();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    assert_eq!(manifest.highest_version(), Some("2"));
    let other = String::from_utf8(bytes).unwrap().replace("manifest/v1", "manifest/v2");
    let error = Manifest::parse(other.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the manifest of migrations has the form \"io.shipway.manifest/v2\", which this version does not know"
    );
}
