//! golang-migrate, goose and Atlas.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use shipway::migrations::Tool;
use shipway::migrations::atlas::sum::{self, Sums};
use shipway::migrations::check::Level;
use shipway::migrations::flyway::name::Kind;
use shipway::migrations::manifest::{Manifest, MigrationKind};
use shipway::migrations::revision::Direction;

use super::folder::Folder;
use crate::parts::setting;

/// Asks the tools about folders.
fn asked(folders: &[Folder]) -> Vec<Value> {
    let mut program = Command::new(setting("SHIPWAY_TEST_MIGRATION_TOOLS"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = program.stdin.take().expect("it reads");
    let paths: String = folders.iter().map(|folder| format!("{}\n", folder.path())).collect();
    let writing = std::thread::spawn(move || input.write_all(paths.as_bytes()));
    let output = program.wait_with_output().expect("it ends");
    writing.join().expect("a thread ends").expect("it reads all");
    assert!(output.status.success(), "the program fails");
    let text = String::from_utf8(output.stdout).expect("it writes UTF-8");
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), folders.len());
    answers
}

/// Names of all kinds: every start with every rest and every end.
fn corpus() -> BTreeSet<String> {
    let starts = [
        "1",
        "01",
        "+1",
        "-1",
        "0",
        "00",
        "",
        "V1",
        "v1",
        " 1",
        "1 ",
        "1.2",
        "1_2",
        "1a",
        "a1",
        "1-",
        "٣",
        "20260131120000",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "latest",
        "_1",
        ".1",
    ];
    let rests = [
        "_a",
        "__a_b",
        "_",
        "",
        "-a",
        ".a",
        "_ä b",
        "_a.up",
        "_a.down",
        "_.up",
        ".up",
        "_a.UP",
        "_a.up.down",
        "_a.down.x.up",
    ];
    let ends = [".sql", ".SQL", "", ".go", ".sql.bak", "_test.go", ".up.", ".cql"];
    let mut names = BTreeSet::new();
    for start in starts {
        for rest in rests {
            for end in ends {
                let name = format!("{start}{rest}{end}");
                if !name.is_empty() && name != "." && name != ".." {
                    names.insert(name);
                }
            }
        }
    }
    names
}

/// What the inventory makes of the only file of a folder.
fn step(folder: &Folder, tool: &Tool) -> Option<(String, String, bool)> {
    let (inventory, _) = folder.inventory(tool, "/migrations");
    match &inventory.entries()[0].kind {
        Kind::Revision { version, direction, .. } => {
            let file = inventory.entries()[0].path.clone();
            Some((file, version.clone(), *direction == Direction::Down))
        }
        _ => None,
    }
}

fn steps(answer: &Value) -> Vec<(String, String, bool)> {
    let text = |step: &Value, key: &str| step[key].as_str().expect("text").to_owned();
    let list = answer["steps"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|step| (text(step, "file"), text(step, "version"), step["down"] == true))
        .collect()
}

/// Catches a name that a tool runs and we do not count, or the other way round, and a version it calls otherwise.
#[test]
#[ignore = "needs ci/real.sh"]
fn a_name_means_what_it_means_to_the_tool() {
    let names = corpus();
    assert!(names.len() > 2000);
    let text = "-- +goose Up\nSELECT 1;\n";
    let folders: Vec<Folder> = names.iter().map(|name| Folder::of([(name.as_str(), text)])).collect();
    for ((name, folder), answer) in names.iter().zip(&folders).zip(asked(&folders)) {
        for (tool, key) in [
            (Tool::GolangMigrate, "golang-migrate"),
            (Tool::Atlas, "atlas"),
            (Tool::Goose, "goose"),
        ] {
            let real = &answer[key];
            let ours = step(folder, &tool);
            let findings = folder.findings(&tool, "/migrations");
            let says = |code: &str| {
                findings
                    .iter()
                    .any(|finding| finding.rule.code == code && finding.level == Level::Error)
            };
            if real["refused"] != "" {
                assert!(says("N010"), "{key} refuses {name:?}, and N010 does not say so: {real}");
                continue;
            }
            assert_eq!(Vec::from_iter(ours.clone()), steps(real), "{key}: {name:?}");
            if says("N001") {
                assert_eq!(ours, None, "{key} runs {name:?}, which N001 says is passed over");
            }
            assert_eq!(
                says("N014"),
                !steps(real).iter().any(|(_, _, down)| !down),
                "{key}: {name:?}"
            );
        }
    }
}

/// Catches an order that is not the tool's, and duplicates it refuses that nobody tells.
#[test]
#[ignore = "needs ci/real.sh"]
fn order_and_duplicates_are_those_of_the_tool() {
    let text = "-- +goose Up\nSELECT 1;\n";
    let sets: [&[&str]; 7] = [
        &["9_a.sql", "10_b.sql", "1_c.sql", "2_d.sql"],
        &["009_a.sql", "010_b.sql", "100_c.sql"],
        &["1_a.up.sql", "10_b.up.sql", "9_c.up.sql", "9_c.down.sql"],
        &["1_a.sql", "01_b.sql"],
        &["1_a.up.sql", "01_b.up.sql"],
        &["1_a.sql", "1_b.sql"],
        &["1_a.down.sql", "2_b.up.sql"],
    ];
    let folders: Vec<Folder> = sets
        .iter()
        .map(|names| Folder::of(names.iter().map(|name| (*name, text))))
        .collect();
    for ((names, folder), answer) in sets.iter().zip(&folders).zip(asked(&folders)) {
        for (tool, key) in [
            (Tool::GolangMigrate, "golang-migrate"),
            (Tool::Atlas, "atlas"),
            (Tool::Goose, "goose"),
        ] {
            let findings = folder.findings(&tool, "/migrations");
            let real = &answer[key];
            if real["refused"] != "" {
                assert!(
                    findings.iter().any(|finding| finding.rule.code == "N002"),
                    "{key} refuses {names:?}: {real}"
                );
                continue;
            }
            let (inventory, examined) = folder.inventory(&tool, "/migrations");
            let manifest = Manifest::of("p", &inventory, &examined, Vec::new());
            let runs = manifest
                .migrations
                .iter()
                .filter(|one| one.kind == MigrationKind::Versioned);
            let ours: Vec<&str> = runs.map(|one| one.script.as_str()).collect();
            let theirs = steps(real);
            let theirs: Vec<&str> = theirs
                .iter()
                .filter(|(_, _, down)| !down)
                .map(|(file, ..)| file.as_str())
                .collect();
            assert_eq!(ours, theirs, "{key}: {names:?}");
            // golang-migrate goes through versions that only lead back as well.
            let orphan = findings.iter().any(|finding| finding.message.contains("no .up. file"));
            assert_eq!(
                orphan,
                tool == Tool::GolangMigrate && names.contains(&"1_a.down.sql"),
                "{names:?}"
            );
        }
    }
}

/// Lines that goose gives a meaning, in every order of a few.
fn scripts() -> Vec<String> {
    let lines = [
        "-- +goose Up",
        "-- +goose Down",
        "-- +goose StatementBegin",
        "-- +goose StatementEnd",
        "-- +goose NO TRANSACTION",
        "SELECT 1;",
        "SELECT 1",
        "-- a comment;",
        "",
        "  ",
        " -- +goose Up",
        "--+GOOSE up",
        "-- +goose up -- really",
        "SELECT 2; -- a comment",
        "-- +goose ENVSUB ON",
        "-- +goose Nothing",
    ];
    let mut random = fastrand::Rng::with_seed(11);
    let mut scripts = vec![String::new()];
    for _ in 0..4000 {
        let count = random.usize(1..8);
        let mut script = String::new();
        // Most begin as they should, so that what comes later is seen as well.
        if random.u8(..) < 200 {
            script.push_str("-- +goose Up\n");
        }
        for _ in 0..count {
            script.push_str(lines[random.usize(..lines.len())]);
            script.push_str(if random.u8(..) < 20 { "\r\n" } else { "\n" });
        }
        scripts.push(script);
    }
    scripts
}

/// Catches a script that goose refuses and we do not, or the other way round, and one whose transaction is told wrongly.
#[test]
#[ignore = "needs ci/real.sh"]
fn goose_refuses_what_is_said_to_be_refused() {
    let scripts = scripts();
    let folders: Vec<Folder> = scripts
        .iter()
        .map(|text| Folder::of([("1_a.sql", text.as_str())]))
        .collect();
    let mut refused = 0;
    for ((text, folder), answer) in scripts.iter().zip(&folders).zip(asked(&folders)) {
        let real = answer["gooseScripts"]["1_a.sql"].as_str().unwrap_or_default();
        let (_, examined) = folder.inventory(&Tool::Goose, "/migrations");
        let said = &examined[0].directives;
        let is_refused = real.starts_with("ERROR");
        refused += usize::from(is_refused);
        assert_eq!(!said.refusals.is_empty(), is_refused, "{text:?}: {real} and {said:?}");
        if !is_refused {
            assert_eq!(said.transaction, Some(real != "no transaction"), "{text:?}: {real}");
        }
    }
    assert!((500..3800).contains(&refused), "{refused} were refused");
}

/// Catches hashes that are not Atlas's, and an `atlas.sum` that Atlas refuses and we do not.
#[test]
#[ignore = "needs ci/real.sh"]
fn atlas_sum_is_what_atlas_writes() {
    let files = [
        ("1_a.sql", "CREATE TABLE a (id int);\n"),
        ("10_b.sql", "-- atlas:sum ignore\nCREATE TABLE b (id int);\n"),
        ("2_c.sql", "-- atlas:sum ignore \nx"),
        ("3_ä d.sql", "\u{feff}-- atlas:sum ignore\r\n"),
        ("4.sql", ""),
        ("README.sql", "# atlas:sum ignore\r\nx"),
        ("other.txt", "x"),
    ];
    let whole = Folder::of(files);
    let text = asked(std::slice::from_ref(&whole))[0]["atlasSum"]
        .as_str()
        .expect("text")
        .to_owned();
    let (inventory, _) = whole.inventory(&Tool::Atlas, "/migrations");
    assert_eq!(Sums::of(&inventory).expect("files can be read").text(), text);
    // The same with one thing wrong.
    let mut folders = vec![Folder::of(files.into_iter().chain([(sum::NAME, text.as_str())]))];
    for at in 0..files.len() {
        let others = files
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, file)| *file);
        folders.push(Folder::of(others.clone().chain([(sum::NAME, text.as_str())])));
        let changed = (files[at].0, "changed");
        folders.push(Folder::of(others.chain([changed, (sum::NAME, text.as_str())])));
    }
    let lines: Vec<&str> = text.lines().collect();
    let without = lines[..lines.len() - 1].join("\n");
    let swapped = [&lines[..1], &[lines[2], lines[1]], &lines[3..]].concat().join("\n");
    for other in [without.as_str(), &swapped, "", "x\ny", "h1:x\n"] {
        folders.push(Folder::of(files.into_iter().chain([(sum::NAME, other)])));
    }
    folders.push(Folder::of(files));
    let mut counts = [0, 0];
    for (folder, answer) in folders.iter().zip(asked(&folders)) {
        let real = answer["atlasValid"].as_str().expect("text");
        let ours: Vec<String> = folder
            .findings(&Tool::Atlas, "/migrations")
            .into_iter()
            .filter(|finding| finding.rule.code == "N015")
            .map(|finding| finding.message)
            .collect();
        assert_eq!(ours.is_empty(), real.is_empty(), "{real:?} and {ours:?}");
        counts[usize::from(ours.is_empty())] += 1;
    }
    assert!(counts[0] > 10 && counts[1] >= 3, "{counts:?}");
}
