use super::*;
use crate::migrations::inventory::Listed;

const HEAD: &str = "<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">";

/// A folder of changelogs that starts from the first.
fn folder(files: &[(&str, &str)]) -> Inventory {
    let config = LiquibaseConfig {
        changelog: files.first().map(|(path, _)| (*path).to_owned()),
        ..LiquibaseConfig::default()
    };
    let listed = files.iter().map(|(path, text)| Listed {
        image_path: format!("{FOLDER}/{path}"),
        ..Listed::in_memory(path, text.as_bytes())
    });
    Inventory::of(Tool::Liquibase(Box::new(config)), listed)
}

fn keys(inventory: &Inventory) -> Vec<String> {
    let all = inventory.changelog().changesets.iter();
    all.map(Changeset::key).collect()
}

fn problems(files: &[(&str, &str)]) -> Vec<String> {
    let inventory = folder(files);
    let told = |problem: &Problem| {
        let path = problem.entry.map_or("", |entry| &inventory.entries()[entry].path);
        format!("{path}:{}: {}", problem.line, problem.message)
    };
    inventory.changelog().problems.iter().map(told).collect()
}

/// As Liquibase 4.33 says itself: its history table for these very files.
#[test]
fn changesets_have_the_identity_liquibase_gives_them() {
    let root = format!(
        "{HEAD}
  <changeSet id=\"1\" author=\"me\"><sql>select 1</sql></changeSet>
  <include file=\"sub/one.yaml\"/>
  <include file=\"sub/fmt.sql\" relativeToChangelogFile=\"true\"/>
  <includeAll path=\"all\" relativeToChangelogFile=\"true\"/>
  <include file=\"./sub/two.json\"/>
  <changeSet id=\"1\" author=\"me\" logicalFilePath=\"other.xml\"><sql>select 1</sql></changeSet>
</databaseChangeLog>"
    );
    let deep = "<databaseChangeLog logicalFilePath=\"logical/x.xml\"><changeSet id=\"x\" author=\"x\" runOnChange=\"true\"/></databaseChangeLog>";
    let yaml = "databaseChangeLog:
  - changeSet:
      id: 01
      author: y
      changes:
        - sql: {sql: \"select 1\"}
  - include:
      file: deep/x.xml
      relativeToChangelogFile: true
  - include:
      file: ../raw.sql
      relativeToChangelogFile: true
";
    let sql = "--liquibase formatted sql
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
";
    let inventory = folder(&[
        ("root.xml", &root),
        ("sub/one.yaml", yaml),
        ("sub/fmt.sql", sql),
        (
            "sub/two.json",
            "{\"databaseChangeLog\":[\n{\"changeSet\":{\"id\":7,\"author\":\"j\",\"changes\":[]}}]}",
        ),
        ("sub/deep/x.xml", deep),
        ("raw.sql", "select 3;"),
        ("all/z.SQL", "select 9;"),
        ("all/n/c.sql", "select 9;"),
        ("all/a.sql", "select 9;"),
        ("all/B.sql", "select 9;"),
        ("all/.hid.sql", "select 9;"),
        ("all/.h/x.sql", "select 9;"),
        ("all/README.md", "hi"),
        ("alleys/x.sql", "select 9;"),
    ]);
    assert_eq!(inventory.changelog().problems, []);
    assert_eq!(
        keys(&inventory),
        [
            "root.xml::1::me",
            "sub/one.yaml::1::y",
            "logical/x.xml::x::x",
            "raw.sql::raw::includeAll",
            "sub/fmt.sql::id with space::an author",
            "l.sql::2::b",
            "sub/fmt.sql::3::c ",
            "sub/fmt.sql::4:extra::d",
            "all/.h/x.sql::raw::includeAll",
            "all/.hid.sql::raw::includeAll",
            "all/B.sql::raw::includeAll",
            "all/a.sql::raw::includeAll",
            "all/n/c.sql::raw::includeAll",
            "all/z.SQL::raw::includeAll",
            "sub/two.json::7::j",
            "other.xml::1::me",
        ]
    );
    let all = &inventory.changelog().changesets;
    let lines: Vec<u64> = all.iter().map(|changeset| changeset.line).collect();
    assert_eq!(lines, [2, 2, 1, 1, 4, 7, 9, 11, 1, 1, 1, 1, 1, 1, 2, 7]);
    assert!(all[2].runs_on_change && all[4].runs_on_change && !all[0].runs_on_change);
    assert!(!all[5].transactional && all[4].transactional);
    assert_eq!(
        (all[5].contexts.as_deref(), all[5].labels.as_deref()),
        (Some("a b"), Some("x"))
    );
    let span = all[5].sql.expect("it is SQL");
    assert_eq!((&sql[span.start..span.end], span.line), ("select 1;\n", 8));
}

#[test]
fn a_digest_is_that_of_the_changeset_alone() {
    let digest = |text: &str, name: &str, at: usize| folder(&[(name, text)]).changelog().changesets[at].sha256;
    let sql = "--liquibase formatted sql\n--changeset a:1\nselect 1;\n\n--changeset a:2\nselect 2;\n";
    let before = digest(sql, "c.sql", 0);
    assert_eq!(before, digest(&sql.replace('\n', "\r\n"), "c.sql", 0));
    assert_eq!(before, digest(&sql.replace("select 2", "select 3"), "c.sql", 0));
    assert_ne!(before, digest(&sql.replace("select 1", "select 3"), "c.sql", 0));
    let yaml = "databaseChangeLog:\n- changeSet: {id: 1, author: a, changes: [{sql: {sql: x}}]}\n";
    let before = digest(yaml, "c.yaml", 0);
    let spaced = yaml.replace("id: 1, ", "id:   1, # really\n    ");
    assert_eq!(before, digest(&spaced, "c.yaml", 0));
    assert_ne!(before, digest(&yaml.replace("sql: x", "sql: y"), "c.yaml", 0));
}

#[test]
fn what_is_wrong_with_a_changelog_is_told_with_its_place() {
    let with = |inner: &str| format!("{HEAD}\n{inner}\n</databaseChangeLog>");
    let one = |inner: &str| problems(&[("c.xml", &with(inner))]);
    assert_eq!(one("<include file=\"c.xml\"/>"), ["c.xml:2: c.xml includes itself"]);
    assert_eq!(
        one("<include file=\"d.xml\"/>"),
        ["c.xml:2: it includes d.xml, which is not there"]
    );
    assert_eq!(
        one("<include file=\"d.xml\" errorIfMissing=\"false\"/>"),
        Vec::<String>::new()
    );
    assert_eq!(
        one("<includeAll path=\"d\"/>"),
        ["c.xml:2: it includes all of d, where there is nothing"]
    );
    assert_eq!(
        one("<changeSet id=\"1\"/>"),
        ["c.xml:2: a changeset without id and author"]
    );
    assert_eq!(
        one("<includeAll path=\".\"/>"),
        ["c.xml:2: it includes all of ., and so c.xml again"]
    );
    let two = problems(&[
        ("c.xml", &with("<include file=\"d/e.xml\"/>")),
        (
            "d/e.xml",
            &with("<include file=\"../c.xml\" relativeToChangelogFile=\"true\"/>"),
        ),
    ]);
    assert_eq!(two, ["d/e.xml:2: ../c.xml includes d/e.xml, which includes it again"]);
    for (name, text, why) in [
        ("c.xml", "<a/>", "outermost element"),
        (
            "c.xml",
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><databaseChangeLog>&b;</databaseChangeLog>",
            "cannot be read",
        ),
        ("c.xml", "<databaseChangeLog>\n<x", "cannot be read"),
        ("c.yaml", "a: [", "cannot be read"),
        ("c.yaml", "a: 1", "no list databaseChangeLog"),
        ("c.yaml", "databaseChangeLog: [1]", "no changeset"),
        ("c.json", "{\"databaseChangeLog\": [}", "cannot be read"),
        ("c.txt", "x", "what kind of changelog"),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a\n",
            "--changeset AUTHOR:ID",
        ),
        (
            "c.sql",
            "--liquibase formatted sql\n--changeset a: 1\n",
            "--changeset AUTHOR:ID",
        ),
    ] {
        let found = problems(&[(name, text)]);
        assert!(found.len() == 1 && found[0].contains(why), "{name} {text}: {found:?}");
    }
    assert_eq!(problems(&[]), Vec::<String>::new());
}

/// Catches a reader that takes for ever, or all memory, or all of the stack.
#[test]
fn changelogs_that_are_traps_come_to_an_end() {
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let deep = format!("<databaseChangeLog>{}</databaseChangeLog>", nested("<a>", "</a>"));
    assert_eq!(folder(&[("c.xml", &deep)]).changelog().changesets, []);
    assert_eq!(problems(&[("c.yaml", &nested("[", "]"))]).len(), 1);
    assert_eq!(problems(&[("c.json", &nested("[", "]"))]).len(), 1);
    let mut bombs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bombs.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(problems(&[("c.yaml", &bombs)]).len(), 1);
    // Two files that include the next twice: 2^30 readings.
    let files: Vec<(String, String)> = (0..30)
        .map(|at| {
            let include = format!("<include file=\"{}.xml\"/>", at + 1);
            (
                format!("{at}.xml"),
                format!("{HEAD}{include}{include}</databaseChangeLog>"),
            )
        })
        .chain([("30.xml".to_owned(), format!("{HEAD}</databaseChangeLog>"))])
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert!(!problems(&files).is_empty());
}

#[test]
fn unused_changelogs_are_told_and_data_is_not() {
    let inventory = folder(&[
        (
            "c.xml",
            "<databaseChangeLog><changeSet id=\"1\" author=\"a\"><sqlFile path=\"view.sql\"/></changeSet></databaseChangeLog>",
        ),
        ("view.sql", "--liquibase formatted sql\n"),
        ("forgotten.sql", "--liquibase formatted sql\n--changeset a:2\n"),
        ("plain.sql", "select 1;"),
        ("more.yaml", "databaseChangeLog: []"),
        ("values.yaml", "a: 1"),
    ]);
    let unused: Vec<&str> = inventory
        .changelog()
        .unused
        .iter()
        .map(|at| inventory.entries()[*at].path.as_str())
        .collect();
    assert_eq!(unused, ["forgotten.sql", "more.yaml"]);
}

#[test]
fn the_root_is_found_by_its_name() {
    let root = |paths: &[&'static str]| root_by_name(paths.iter().copied());
    assert_eq!(
        root(&["changelog.yaml", "a.sql", "sub/changelog.xml"]),
        Some("changelog.yaml")
    );
    assert_eq!(
        root(&["db.changelog-master.xml", "b.xml"]),
        Some("db.changelog-master.xml")
    );
    assert_eq!(root(&["only.sql", "README.md"]), Some("only.sql"));
    assert_eq!(root(&["changelog.yaml", "changelog.xml"]), None);
    assert_eq!(root(&["a.sql", "b.sql"]), None);
}

#[test]
fn arguments_win_over_variables_over_the_file() {
    let properties = config::properties(
        "# x\nchangeLogFile = a.xml\nliquibase.searchPath: changelog,/b/\nurl=jdbc:postgresql://h/d\n",
    );
    let environment = [("LIQUIBASE_COMMAND_CHANGELOG_FILE".to_owned(), "b.xml".to_owned())].into();
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let none = std::collections::BTreeMap::new();
    let of_file = LiquibaseConfig::effective(&properties, &none, &[]);
    assert_eq!(of_file.changelog.as_deref(), Some("a.xml"));
    assert_eq!(of_file.search_path, ["/liquibase/changelog", "/b"]);
    assert_eq!(of_file.url.as_deref(), Some("jdbc:postgresql://h/d"));
    let of_variables = LiquibaseConfig::effective(&properties, &environment, &[]);
    assert_eq!(of_variables.changelog.as_deref(), Some("b.xml"));
    for text in ["--changelog-file=c.xml update", "update --changelogFile c.xml"] {
        let of_words = LiquibaseConfig::effective(&properties, &environment, &words(text));
        assert_eq!(of_words.changelog.as_deref(), Some("c.xml"), "{text}");
    }
}
