//! Names: every file is to Flyway what it is to us.

use std::collections::BTreeSet;

use shipway::migrations::check::{Level, names};
use shipway::migrations::flyway::name::{Kind, Reason, is_recent};

use super::project::Project;

/// What stands in the place of a version; `#` is a number no other name has.
const VERSIONS: [&str; 21] = [
    "#", "0#", "#.1", "#_2", "#.0.3", "#.0", "+#", "-#", "#\u{663}", "#.", "#..1", "#a", " #", "# ", ".#", "#_", "#-1",
    "#.a", "#.+1", "#\u{b2}", "",
];
const SEPARATORS: [&str; 6] = ["__", "_", "-", " __", "___", ""];
const SUFFIXES: [&str; 12] = [
    ".sql", ".SQL", ".Sql", ".sql.txt", ".sq", ".sh", ".PY", "", ".txt", ".sql ", ".bash", ".",
];
/// Names on their own.
const OTHERS: [&str; 44] = [
    "V.sql",
    "R.sql",
    "B.sql",
    "R__a.sql",
    "R__b_c.SQL",
    "r__d.sql",
    "R_e.sql",
    "R__.sql",
    "R1__f.sql",
    "R __g.sql",
    "R__h.sh",
    "R__i",
    "R__j.txt",
    "B900001__k.sql",
    "b900002__l.sql",
    "B900003.sql",
    "B__m.sql",
    "U900004__n.sql",
    "U__o.sql",
    "u900005__p.sql",
    "Views.sql",
    "Backup.sql",
    "README.sql",
    "README.md",
    ".sql",
    ".V900006__q.sql",
    "..V900007__r.sql",
    ".hidden/V900008__s.sql",
    "a/.b/V900009__t.sql",
    "a/b/c/V900010__u.sql",
    "a b/V900011__v w.sql",
    "\u{fc}/V900012__\u{fc}ber.sql",
    "a.b/V900013__x.sql",
    "a/R__y.sql",
    "V900014__\u{1f600}.sql",
    "Makefile",
    "VERSION",
    "notes",
    "V900015__z.sql.conf",
    "V900016__a'b.sql",
    "V900017__a$b.sql",
    "R__k__l.sql",
    "VV900018__a.sql",
    "V900019__a.b.c.sql",
];

/// Names of events, right and wrong, each with what may follow.
fn events() -> Vec<String> {
    let mut names = Vec::new();
    for event in [
        "beforeMigrate",
        "afterMigrate",
        "afterMigrateError",
        "afterMigrateApplied",
        "afterMigrateOperationFinish",
        "beforeEachMigrate",
        "beforeEachMigrateStatement",
        "afterEachMigrate",
        "afterEachMigrateError",
        "afterEachMigrateStatement",
        "afterEachMigrateStatementError",
        "beforeRepeatables",
        "afterVersioned",
        "beforeUndo",
        "afterUndo",
        "afterUndoError",
        "beforeEachUndo",
        "beforeEachUndoStatement",
        "afterEachUndo",
        "afterEachUndoError",
        "afterEachUndoStatement",
        "afterEachUndoStatementError",
        "beforeClean",
        "afterClean",
        "afterCleanError",
        "afterCleanOperationFinish",
        "beforeValidate",
        "afterValidate",
        "afterValidateError",
        "afterValidateOperationFinish",
        "beforeBaseline",
        "afterBaseline",
        "afterBaselineError",
        "afterBaselineOperationFinish",
        "beforeRepair",
        "afterRepair",
        "afterRepairError",
        "afterRepairOperationFinish",
        "afterUndoOperationFinish",
        "beforeInfo",
        "afterInfo",
        "afterInfoError",
        "afterInfoOperationFinish",
        "createSchema",
        "beforeCreateSchema",
        "beforeConnect",
        "afterConnect",
        "afterReportGenerated",
        "beforeNothing",
        "callback",
    ] {
        names.extend([
            format!("{event}.sql"),
            format!("{event}__a_b.sql"),
            format!("{event}X.sql"),
            format!("{event}_c.sql"),
        ]);
        names.push(format!("{}__d.sql", event.to_lowercase()));
    }
    names
}

/// More than a thousand names, none of which stands for the same as another.
fn names() -> Vec<String> {
    let mut names: BTreeSet<String> = OTHERS.iter().map(|name| format!("sql/{name}")).collect();
    names.extend(events().into_iter().map(|name| format!("sql/callbacks/{name}")));
    let mut number = 1000;
    for version in VERSIONS {
        for separator in SEPARATORS {
            for suffix in SUFFIXES {
                for prefix in if suffix == ".sql" {
                    &["V", "v", "B", ""][..]
                } else {
                    &["V"]
                } {
                    number += 1;
                    let version = version.replace('#', &number.to_string());
                    names.insert(format!("sql/{prefix}{version}{separator}d_e{number}{suffix}"));
                }
            }
        }
    }
    names.into_iter().collect()
}

/// The `.sql` files whose names Flyway refuses when it is asked to.
fn refused(project: &Project) -> BTreeSet<String> {
    let done = project.run(&project.sqlite(), &["info", "-validateMigrationNaming=true"]);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(!done.status.success(), "Flyway refuses nothing:\n{text}");
    let name = |line: &str| {
        let rest = line.split_once("name format: ").map(|(_, rest)| rest)?;
        let end = rest
            .find(" (It ")
            .or_else(|| rest.find(" (could not "))
            .unwrap_or(rest.len());
        Some(rest[..end].to_owned())
    };
    text.lines()
        .filter_map(|line| name(line.trim_end_matches('\r')))
        .collect()
}

fn assert_agrees(project: &Project) {
    let (ours, flyways) = (project.expected(), project.info());
    let only =
        |some: &BTreeSet<_>, others: &BTreeSet<_>| some.difference(others).cloned().collect::<Vec<[String; 5]>>();
    let (too_many, missing) = (only(&ours, &flyways), only(&flyways, &ours));
    assert!(
        too_many.is_empty() && missing.is_empty(),
        "in {:?} we see {too_many:#?}\nFlyway sees {missing:#?}",
        project.config().locations
    );
    // What a rule says is passed over is passed over.
    let seen: BTreeSet<&String> = flyways.iter().map(|told| &told[4]).collect();
    for finding in names::check(&project.inventory(), &project.examined()) {
        let is_passed_over = matches!(finding.rule.code, "N001" | "N009")
            || finding.rule.code == "N012" && !finding.message.contains("case");
        if is_passed_over && finding.level > Level::Info {
            assert!(!seen.contains(&finding.place.path), "{finding:?}");
        }
    }
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn a_thousand_names_mean_the_same_to_flyway() {
    let names = names();
    assert!(names.len() > 1000, "{}", names.len());
    let project = Project::new(names.iter().map(|name| (name.as_str(), "SELECT 1;\n")));
    assert_agrees(&project);
    let inventory = project.inventory();
    let ours: BTreeSet<String> = inventory
        .entries()
        .iter()
        .filter(|entry| entry.image_path.to_lowercase().ends_with(".sql"))
        .filter(|entry| match &entry.kind {
            Kind::Ignored { reason } => *reason != Reason::HiddenFolder,
            // This one is older than some events, and open.
            Kind::Callback { event, .. } => is_recent(event),
            Kind::Undo { .. } => true,
            _ => false,
        })
        .map(|entry| entry.image_path.rsplit('/').next().unwrap_or_default().to_owned())
        // Nobody asks about a name that is all suffix, and a prefix alone is only too short.
        .filter(|name| !matches!(name.as_str(), ".sql" | "R.sql"))
        .collect();
    let flyways = refused(&project);
    let only =
        |some: &BTreeSet<String>, others: &BTreeSet<String>| some.difference(others).cloned().collect::<Vec<_>>();
    let (too_many, missing) = (only(&ours, &flyways), only(&flyways, &ours));
    assert!(
        too_many.is_empty() && missing.is_empty(),
        "we refuse {too_many:#?}\nFlyway refuses {missing:#?}"
    );
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn words_in_the_place_of_versions() {
    let names = [
        "Vcurrent__a.sql",
        "VNEXT__b.sql",
        "Vlatest__c.sql",
        "V1__d.sql",
        "V-2.1__e.sql",
        "Vlatest1__f.sql",
        "V__latest.sql",
    ];
    assert_agrees(&Project::new(names.map(|name| (format!("sql/{name}"), "SELECT 1;"))));
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn names_and_places_as_configured() {
    let names = [
        "sql/mig1-a_b.pgsql",
        "sql/mig2_1-c.SQL",
        "sql/mig3__d.sql",
        "sql/V4__e.sql",
        "sql/rep-f.sql",
        "sql/rep5-g.sql",
        "sql/base6-h.sql",
        "sql/mig7-i.sh",
        "sql/mig8-.ddl",
        "sql/deep/x/mig9-j.sql",
        "sql/deep/mig10-k.sql",
        "sql/rel1/mig11-l.sql",
        "sql/rel/mig12-m.sql",
        "sql/rel22/mig13-n.sql",
        "sql/other/mig14-o.sql",
        "sql/a/common/mig15-p.sql",
        "sql/a/b/common/mig16-q.sql",
        "sql/common/mig17-r.sql",
        "cb/beforeMigrate-s.sql",
        "cb/mig18-t.sql",
        "sql/deep/afterMigrate-u.sql",
        "sql/.h/mig19-v.sql",
    ];
    let toml = "[flyway]\nsqlMigrationPrefix = 'mig'\nrepeatableSqlMigrationPrefix = 'rep'\nbaselineMigrationPrefix = 'base'\n\
        sqlMigrationSeparator = '-'\nsqlMigrationSuffixes = ['.pgsql', '.sql']\ncallbackLocations = ['filesystem:cb']\n";
    for locations in [
        "filesystem:sql",
        "filesystem:sql/deep,filesystem:sql/deep/x,filesystem:sql/other",
        "filesystem:sql/rel?",
        "filesystem:sql/rel*",
        "filesystem:sql/**/common",
        "filesystem:sql/*/common",
        "filesystem:sql/**",
        "filesystem:sql/*.sql",
        "filesystem:sql/**/*.pgsql",
        "filesystem:./sql/deep/",
        "filesystem:/flyway/sql/.h",
        "sql",
    ] {
        let files = names
            .iter()
            .map(|name| (*name, "SELECT 1;"))
            .chain([("conf/flyway.toml", toml)]);
        let project = Project::new(files).arguments(&[&format!("-locations={locations}")]);
        assert_agrees(&project);
    }
}
