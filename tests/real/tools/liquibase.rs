//! Liquibase, on databases of SQLite.

use std::process::{Command, Output};

use shipway::migrations::Tool;
use shipway::migrations::liquibase::{FOLDER, LiquibaseConfig};

use super::folder::Folder;
use crate::parts::{output, setting};

const HEAD: &str = "<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd\"";

fn tool(root: &str) -> Tool {
    Tool::Liquibase(Box::new(LiquibaseConfig {
        changelog: Some(root.to_owned()),
        ..LiquibaseConfig::default()
    }))
}

pub(super) fn update(folder: &Folder, root: &str) -> Output {
    Command::new("java")
        .arg("-XX:TieredStopAtLevel=1")
        .args(["-cp", &format!("{}/*", setting("SHIPWAY_TEST_LIQUIBASE"))])
        .arg("liquibase.integration.commandline.LiquibaseCommandLine")
        .args(["--show-banner=false", "--log-level=SEVERE", "--headless=true"])
        .arg(format!("--search-path={}", folder.path()))
        .args(["update", &format!("--changelog-file={root}")])
        .arg(format!("--url=jdbc:sqlite:{}/database.sqlite3", folder.path()))
        .current_dir(folder.place.path())
        .output()
        .expect("java runs")
}

/// What Liquibase wrote into its table.
fn history(folder: &Folder) -> Vec<String> {
    let script = "import sqlite3,sys\nfor row in sqlite3.connect(sys.argv[1]).execute('select FILENAME, ID, AUTHOR from DATABASECHANGELOG order by ORDEREXECUTED'): print('::'.join(row))";
    let database = folder.place.path().join("database.sqlite3");
    let text = output(Command::new("python3").args(["-c", script]).arg(database));
    text.lines().map(str::to_owned).collect()
}

/// Catches changesets with another identity or order than Liquibase gives them.
#[test]
#[ignore = "needs ci/real.sh"]
fn changesets_are_those_of_liquibase() {
    let root = format!(
        "{HEAD}>
  <property name=\"a\" value=\"b\"/>
  <changeSet id=\"1\" author=\"me\"><sql>select 1</sql></changeSet>
  <include file=\"sub/one.yaml\"/>
  <include file=\"sub/fmt.sql\" relativeToChangelogFile=\"true\"/>
  <includeAll path=\"all\" relativeToChangelogFile=\"true\"/>
  <includeAll path=\"some/\" endsWithFilter=\".XML\"/>
  <includeAll path=\"none\" errorIfMissingOrEmpty=\"false\"/>
  <include file=\"gone.xml\" errorIfMissing=\"false\"/>
  <include file=\"./sub/two.json\"/>
  <include file=\"sub\\deep\\y.xml\"/>
  <changeSet id=\"1\" author=\"me\" logicalFilePath=\"other.xml\" runInTransaction=\"false\"><sql>select 1</sql></changeSet>
</databaseChangeLog>"
    );
    let changeset = |id: &str| {
        format!("{HEAD}><changeSet id=\"{id}\" author=\"x\"><sql>select 1</sql></changeSet></databaseChangeLog>")
    };
    let logical = format!(
        "{HEAD} logicalFilePath=\"logical/x.xml\"><changeSet id=\"x\" author=\"x\" runOnChange=\"true\"><sql>select 1</sql></changeSet><include file=\"z.sql\" relativeToChangelogFile=\"true\"/></databaseChangeLog>"
    );
    let yaml = "databaseChangeLog:
  - preConditions: []
  - changeSet:
      id: 01
      author: y
      changes: &changes
        - sql: {sql: \"select 1\"}
  - changeSet: {id: \"01\", author: y, changes: *changes}
  - changeSet: {id: 0x1F, author: 1_000, changes: *changes}
  - changeSet:
      id: 20260131120000-1
      author: a b
      logicalFilePath: by/hand.yaml
      changes: *changes
  - include:
      file: deep/x.xml
      relativeToChangelogFile: true
  - include: {file: ../raw.sql, relativeToChangelogFile: true}
";
    let sql = "

--liquibase formatted sql
-- a comment

--changeset \"an author\":\"id with space\" runOnChange:true
select 1;
--rollback select 2;
-- changeset b:2 runInTransaction:false logicalFilePath:l.sql context:\"a b\" labels:x
select 1;
--CHANGESET c :3
select 1;
--changeset d:4:extra
select 1;
--ignoreLines:start
--changeset e:5
select 1;
--ignoreLines:end
--ignoreLines:2
--changeset f:6
select 1;
    --   changeset   g:7
select 1;
";
    let json = "{\"databaseChangeLog\":[{\"changeSet\":{\"id\":7,\"author\":\"j\\ud83d\\ude00\",\"changes\":[{\"sql\":{\"sql\":\"select 1\"}}]}},\n{\"changeSet\":{\"id\":\"8\",\"author\":\"j\",\"runAlways\":true,\"changes\":[{\"sql\":{\"sql\":\"select 1\"}}]}}]}";
    let (p, q, y) = (changeset("p"), changeset("q"), changeset("y"));
    let folder = Folder::of([
        ("root.xml", root.as_str()),
        ("sub/one.yaml", yaml),
        ("sub/fmt.sql", sql),
        ("sub/two.json", json),
        ("sub/deep/x.xml", &logical),
        ("sub/deep/y.xml", &y),
        ("sub/deep/z.sql", "select 4;"),
        ("raw.sql", "select 3;"),
        ("all/z.SQL", "select 9;"),
        ("all/n/c.sql", "select 9;"),
        ("all/n-1.sql", "select 9;"),
        ("all/a.sql", "select 9;"),
        ("all/B.sql", "select 9;"),
        ("all/.hid.sql", "select 9;"),
        ("all/.h/x.sql", "select 9;"),
        ("all/README.md", "hi"),
        ("some/p.xml", &p),
        ("some/q.XML", &q),
        ("some/r.sql", "select 9;"),
    ]);
    let real = update(&folder, "root.xml");
    assert!(real.status.success(), "{}", String::from_utf8_lossy(&real.stderr));
    let (inventory, _) = folder.inventory(&tool("root.xml"), FOLDER);
    assert_eq!(inventory.changelog().problems, []);
    let ours = inventory.changelog().changesets.iter();
    let ours: Vec<String> = ours
        .map(|one| format!("{}::{}::{}", one.path, one.id, one.author))
        .collect();
    assert_eq!(ours, history(&folder));
}

/// Catches logical paths that are handed on in another way than Liquibase does.
#[test]
#[ignore = "needs ci/real.sh"]
fn logical_paths_are_handed_on_as_liquibase_does() {
    let xml = |logical: &str, id: &str, more: &str| {
        let logical = match logical {
            "" => String::new(),
            logical => format!(" logicalFilePath=\"{logical}\""),
        };
        format!(
            "{HEAD}{logical}><changeSet id=\"{id}\" author=\"x\"><sql>select 1</sql></changeSet>{more}</databaseChangeLog>"
        )
    };
    let includes = "<include file=\"a.xml\"/><include file=\"b.xml\"/><include file=\"c.sql\"/><include file=\"f.sql\"/><include file=\"y.yaml\"/>\
        <includeAll path=\"all\" logicalFilePath=\"inc/all\"/><include file=\"d.xml\" logicalFilePath=\"inc/d.xml\"/>";
    for root in ["", "L/root.xml"] {
        let texts = [
            ("root.xml", xml(root, "1", includes)),
            ("a.xml", xml("", "a", "<include file=\"a.sql\"/>")),
            (
                "b.xml",
                xml("L/b.xml", "b", "<include file=\"e.xml\"/><include file=\"b.sql\"/>"),
            ),
            (
                "d.xml",
                xml("", "d", "<include file=\"g.xml\"/><include file=\"h.xml\"/>"),
            ),
            ("e.xml", xml("", "e", "")),
            ("g.xml", xml("L/g.xml", "g", "")),
            ("h.xml", xml("", "h", "")),
            ("all/s.xml", xml("", "all", "")),
            ("all/r.sql", "select 1;".to_owned()),
            ("a.sql", "select 1;".to_owned()),
            ("b.sql", "select 1;".to_owned()),
            ("c.sql", "select 1;".to_owned()),
            (
                "f.sql",
                "--liquibase formatted sql\n--changeset q:f\nselect 1;\n".to_owned(),
            ),
            (
                "y.yaml",
                "databaseChangeLog:\n- changeSet: {id: y, author: y, changes: [{sql: {sql: select 1}}]}\n".to_owned(),
            ),
        ];
        let folder = Folder::of(texts.iter().map(|(name, text)| (*name, text.as_str())));
        let real = update(&folder, "root.xml");
        assert!(real.status.success(), "{}", String::from_utf8_lossy(&real.stderr));
        let (inventory, _) = folder.inventory(&tool("root.xml"), FOLDER);
        let ours = inventory.changelog().changesets.iter();
        let ours: Vec<String> = ours
            .map(|one| format!("{}::{}::{}", one.path, one.id, one.author))
            .collect();
        assert_eq!(ours, history(&folder), "{root:?}");
    }
}

/// Catches a changelog Liquibase refuses and we do not, or the other way round.
#[test]
#[ignore = "needs ci/real.sh"]
fn liquibase_refuses_what_is_said_to_be_refused() {
    let xml = |inner: &str| format!("{HEAD}>{inner}</databaseChangeLog>");
    let fine = xml("<changeSet id=\"1\" author=\"a\"><sql>select 1</sql></changeSet>");
    for (name, text, is_refused) in [
        ("c.xml", fine.as_str(), false),
        ("c.xml", &xml("<include file=\"c.xml\"/>"), true),
        ("c.xml", &xml("<include file=\"gone.xml\"/>"), true),
        ("c.xml", &xml("<includeAll path=\"gone\"/>"), true),
        ("c.xml", &xml("<changeSet id=\"1\"/>"), true),
        ("c.xml", "<databaseChangeLog", true),
        ("c.yaml", "databaseChangeLog: [", true),
        ("c.json", "{\"databaseChangeLog\": [}", true),
        ("c.txt", "x", true),
        ("c.sql", "--liquibase formatted sql\n--changeset a\nselect 1;\n", true),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a: 1\nselect 1;\n",
            true,
        ),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--changesets\n",
            true,
        ),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--changeset a:1\nselect 1;\n",
            true,
        ),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a:1\nselect 1;\n--changeset b:1\nselect 1;\n",
            false,
        ),
    ] {
        let folder = Folder::of([(name, text)]);
        let findings = folder.findings(&tool(name), FOLDER);
        let ours: Vec<_> = findings
            .iter()
            .filter(|finding| matches!(finding.rule.code, "N002" | "N016"))
            .collect();
        assert_eq!(!ours.is_empty(), is_refused, "{name} {text}: {ours:?}");
        let real = update(&folder, name);
        let said = String::from_utf8_lossy(&real.stderr).into_owned();
        assert_eq!(!real.status.success(), is_refused, "{name} {text}: {said}");
    }
}
