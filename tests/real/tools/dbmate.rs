//! dbmate, on databases of SQLite.

use std::process::{Command, Output};

use shipway::migrations::Tool;
use shipway::migrations::manifest::{Manifest, MigrationKind};

use super::folder::Folder;
use crate::parts::setting;

pub(super) fn dbmate(folder: &Folder, arguments: &[&str]) -> Output {
    let database = folder.place.path().join("database.sqlite3");
    Command::new(setting("SHIPWAY_TEST_DBMATE"))
        .env_clear()
        .env("DATABASE_URL", format!("sqlite:{}", database.display()))
        .env("DBMATE_MIGRATIONS_DIR", folder.place.path())
        // As the profile sets them.
        .env("DBMATE_WAIT", "true")
        .env("DBMATE_NO_DUMP_SCHEMA", "true")
        .args(arguments)
        .output()
        .expect("dbmate runs")
}

/// Catches a name dbmate runs and we do not count, or the other way round, an order that is not its own, and a file N001 is wrong about.
#[test]
#[ignore = "needs ci/real.sh"]
fn names_and_order_are_those_of_dbmate() {
    let text = "-- migrate:up\n-- migrate:down\n";
    let names = [
        "001_a.sql",
        "1_b.sql",
        "2.sql",
        "10_c.sql",
        "9_d.sql",
        "3a b.sql",
        "4_e.SQL",
        "5_f.sql.bak",
        "V6__g.sql",
        " 7_h.sql",
        "8_ä.sql",
        "+9_i.sql",
        "-9_j.sql",
        "a.sql",
        "20260131120000_k.sql",
        "99999999999999999999_l.sql",
        "sub/11_m.sql",
        "12_n.up.sql",
        "12.5_o.sql",
        "README.md",
        ".13_p.sql",
        "0_q.sql",
        "٣_r.sql",
    ];
    let mut names = names.to_vec();
    // 12 is there twice.
    names.retain(|name| *name != "12.5_o.sql");
    let folder = Folder::of(names.iter().map(|name| (*name, text)));
    let output = dbmate(&folder, &["status"]);
    let status = String::from_utf8_lossy(&output.stdout).into_owned();
    let theirs: Vec<&str> = status.lines().filter_map(|line| line.strip_prefix("[ ] ")).collect();
    assert!(
        theirs.len() > 10,
        "{status} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (inventory, examined) = folder.inventory(&Tool::Dbmate, "/db/migrations");
    let manifest = Manifest::of("p", &inventory, &examined, Vec::new());
    let runs = manifest
        .migrations
        .iter()
        .filter(|one| one.kind == MigrationKind::Versioned);
    let ours: Vec<&str> = runs.map(|one| one.script.as_str()).collect();
    assert_eq!(ours, theirs);
    for finding in folder.findings(&Tool::Dbmate, "/db/migrations") {
        if finding.rule.code == "N001" {
            assert!(!theirs.contains(&finding.place.path.as_str()), "{finding:?}");
        }
    }
    let output = dbmate(&folder, &["migrate"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Catches a script dbmate refuses and we do not, or the other way round.
#[test]
#[ignore = "needs ci/real.sh"]
fn dbmate_refuses_what_is_said_to_be_refused() {
    let lines = [
        "-- migrate:up",
        "-- migrate:down",
        "--migrate:up",
        "-- migrate:upwards",
        " -- migrate:down",
        "-- migrate:up transaction:false",
        "-- migrate:down transaction:false",
        "-- a comment",
        "SELECT 1;",
        "",
        "\t",
    ];
    let mut random = fastrand::Rng::with_seed(12);
    let mut refused = 0;
    for _ in 0..150 {
        let count = random.usize(1..6);
        let end = if random.u8(..) < 40 { "\r\n" } else { "\n" };
        let mut text: String = (0..count)
            .map(|_| format!("{}{end}", lines[random.usize(..lines.len())]))
            .collect();
        // Most are nearly right, so that both happen.
        if random.u8(..) < 200 {
            let others = text
                .lines()
                .filter(|line| !line.contains("migrate:") || random.u8(..) < 30);
            text = format!(
                "-- migrate:up{end}{}-- migrate:down{end}",
                others.map(|line| format!("{line}{end}")).collect::<String>()
            );
        }
        let folder = Folder::of([("1_a.sql", text.as_str())]);
        let output = dbmate(&folder, &["migrate"]);
        let findings = folder.findings(&Tool::Dbmate, "/db/migrations");
        let ours: Vec<_> = findings.iter().filter(|finding| finding.rule.code == "N010").collect();
        let real = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            ours.is_empty(),
            output.status.success(),
            "{text:?}: {real} and {ours:?}"
        );
        refused += usize::from(!output.status.success());
    }
    assert!((20..140).contains(&refused), "{refused} were refused");
}

/// Catches duplicates that dbmate does not mind, and those it does that nobody tells.
#[test]
#[ignore = "needs ci/real.sh"]
fn two_files_of_one_version_fail() {
    let text = "-- migrate:up\n-- migrate:down\n";
    for (names, is_double) in [(["1_a.sql", "1_b.sql"], true), (["1_a.sql", "01_b.sql"], false)] {
        let folder = Folder::of(names.map(|name| (name, text)));
        let output = dbmate(&folder, &["migrate"]);
        let findings = folder.findings(&Tool::Dbmate, "/db/migrations");
        assert_eq!(
            findings.iter().any(|finding| finding.rule.code == "N002"),
            is_double,
            "{names:?}"
        );
        assert_eq!(output.status.success(), !is_double, "{names:?}");
    }
}
