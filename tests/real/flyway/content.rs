//! Content: every checksum of Flyway's history is the one we compute.

use std::collections::BTreeSet;
use std::process::Command;

use shipway::migrations::flyway::name::Kind;

use super::project::{Project, history_of_sqlite};
use crate::parts::{output, setting};

/// Texts that any database takes.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        "\u{feff}",
        "SELECT 1;",
        "SELECT 1;\n",
        "SELECT 1;\r\n",
        "SELECT 1;\r",
        "\u{feff}SELECT 1;",
        "\u{feff}\nSELECT 1;",
        "\n\n\nSELECT 1;\n\n\n",
        "SELECT 1; \n",
        "SELECT 1;\t\n",
        "SELECT\n1\n;\n",
        "SELECT 1;\nSELECT 2;\n",
        "-- a\n",
        "/* a */",
        "SELECT 'a';",
        "SELECT '\u{e9}';\n",
        "-- \u{1f600}\nSELECT 1;",
        "-- a\u{2028}b\nSELECT 1;",
        "-- a\u{85}b\nSELECT 1;",
        "-- a\u{c}b\nSELECT 1;",
        "-- a\u{b}b\nSELECT 1;",
        "SELECT ';';\n",
        "SELECT 1;\n\n-- end",
        "-- \u{feff}\nSELECT 1;",
        "SELECT 1;\r\r\nSELECT 2;\n\r\n",
        "   \n",
        "\n",
        "\r\n\r\n",
    ]
    .map(str::to_owned)
    .to_vec();
    // Around the size of Flyway's buffer, with a character of several bytes on its edge.
    for size in [4094, 4095, 4096, 4097, 8191, 8192, 20_000] {
        texts.push(format!(
            "-- {}\u{20ac}\u{1f600}{}\r\nSELECT 1;",
            "x".repeat(size - 6),
            "y".repeat(9)
        ));
    }
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        let lines = (0..random.usize(1..8)).map(|_| {
            let words: String = (0..random.usize(0..30))
                .map(|_| {
                    random
                        .choice(['a', ' ', '\u{e9}', '\u{4e2d}', '\u{1f980}', '\t', '\''])
                        .unwrap_or('z')
                })
                .collect();
            let end = random.choice(["\n", "\r\n", "\r", "\n\n"]).unwrap_or("\n");
            format!("-- {words}{end}")
        });
        texts.push(lines.collect::<String>() + "\nSELECT 1;");
    }
    texts
}

/// What we expect in the history table after everything ran.
fn expected(project: &Project) -> BTreeSet<[String; 5]> {
    let inventory = project.inventory();
    let examined = project.examined();
    let rows = inventory
        .entries()
        .iter()
        .zip(&examined)
        .filter_map(|(entry, examined)| {
            let measurement = examined.measurement;
            let (version, description, checksum) = match &entry.kind {
                Kind::Versioned { version, description } => (version.to_string(), description, measurement.checksum),
                Kind::Repeatable { description } => (
                    String::new(),
                    description,
                    measurement.replaced_checksum.or(measurement.checksum),
                ),
                _ => return None,
            };
            let kept = if description.chars().count() > 200 {
                description.chars().take(197).collect::<String>() + "..."
            } else {
                description.clone()
            };
            let kind = if entry.program { "SCRIPT" } else { "SQL" };
            Some([
                version,
                kept,
                kind.to_owned(),
                entry.path.clone(),
                checksum.expect("a checksum").to_string(),
            ])
        });
    rows.collect()
}

fn assert_same(ours: &BTreeSet<[String; 5]>, flyways: &BTreeSet<[String; 5]>) {
    let only =
        |some: &BTreeSet<_>, others: &BTreeSet<_>| some.difference(others).cloned().collect::<Vec<[String; 5]>>();
    let (too_many, missing) = (only(ours, flyways), only(flyways, ours));
    assert!(
        too_many.is_empty() && missing.is_empty(),
        "we say {too_many:#?}\nFlyway says {missing:#?}"
    );
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// Scripts in UTF-8, scripts with configurations of their own, programs, and repeatable ones with placeholders.
fn scripts() -> Project {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (number, text) in (1..).zip(texts()) {
        files.push((format!("sql/V{number}__text_{number}.sql"), text.clone().into_bytes()));
        files.push((format!("sql/r/R__text_{number}.sql"), text.into_bytes()));
    }
    let text = "-- \u{e9}\u{fc}\nSELECT 1;\r\n";
    for (number, encoding, bytes) in [
        (1001, "ISO-8859-1", b"-- \xe9\xfc\x80\nSELECT 1;\n".to_vec()),
        (1002, "windows-1252", b"-- \xe9\xfc\x80\nSELECT 1;\n".to_vec()),
        (1003, "UTF-16LE", utf16(text, u16::to_le_bytes)),
        (1004, "UTF-16BE", utf16(text, u16::to_be_bytes)),
        (1005, "UTF-16", utf16(text, u16::to_be_bytes)),
        (1006, "UTF-16", utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        (1007, "UTF-16LE", utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        (1008, "US-ASCII", b"-- abc\nSELECT 1;\n".to_vec()),
        (1009, "utf8", text.as_bytes().to_vec()),
        (1010, "Shift_JIS", b"-- \x83\x65\nSELECT 1;\n".to_vec()),
        (1011, "ISO-8859-15", b"-- \xa4\nSELECT 1;\n".to_vec()),
        (1012, "windows-1251", b"-- \xe6\nSELECT 1;\n".to_vec()),
        (1013, "Cp1252", b"-- \x80\nSELECT 1;\n".to_vec()),
        (1014, "GBK", b"-- \xd6\xd0\nSELECT 1;\n".to_vec()),
        (1015, "EUC-JP", b"-- \xa4\xa2\nSELECT 1;\n".to_vec()),
        (1016, "ISO-8859-9", b"-- \x80\xfd\nSELECT 1;\n".to_vec()),
        (1017, "KOI8-R", b"-- \xc1\nSELECT 1;\n".to_vec()),
    ] {
        files.push((format!("sql/encoded/V{number}__e.sql"), bytes));
        files.push((
            format!("sql/encoded/V{number}__e.sql.conf"),
            format!("encoding={encoding}\n").into_bytes(),
        ));
    }
    for (name, text) in [
        ("plain", "-- ${name}\nSELECT '${NAME}';"),
        ("quirk", "-- $${name} $$${name} $ { ${empty}x\nSELECT 1;"),
        ("own", "-- ${flyway:filename} ${flyway:table}\nSELECT 1;"),
        ("mixed case", "-- ${MyKey} ${mykey}\r\nSELECT 1;"),
        ("lines", "-- ${lines}\nSELECT 1;"),
    ] {
        files.push((format!("sql/placeholders/R__{name}.sql"), text.into()));
    }
    files.push(("sql/placeholders/R__off.sql".into(), "-- ${nobody}\nSELECT 1;".into()));
    files.push((
        "sql/placeholders/R__off.sql.conf".into(),
        "placeholderReplacement=false".into(),
    ));
    files.push((
        "sql/V2001__versions_are_not_replaced.sql".into(),
        "-- ${name}\nSELECT 1;".into(),
    ));
    files.push(("sql/V2002__program.sh".into(), "true # a\r\n".into()));
    files.push((
        "sql/R__program.sh".into(),
        "true # FP__name__ FP__flyway:table__ ${nobody}\n".into(),
    ));
    files.push((format!("sql/V2003__{}.sql", "long_".repeat(47)), "SELECT 1;".into()));
    files.push(("sql/V01_02.03__spelled.SQL".into(), "SELECT 1;".into()));
    files.push(("sql/V900000__.sql".into(), "SELECT 1;".into()));
    files.push(("sql/V900001.sql".into(), "SELECT 1;".into()));
    files.push((
        "conf/flyway.conf".into(),
        "flyway.placeholders.name=VAL\nflyway.placeholders.empty=\nflyway.placeholders.MyKey=\u{e9}$x\n\
         flyway.placeholders.lines=a \\\n  b\n"
            .into(),
    ));
    Project::new(files)
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn checksums_in_a_history_of_sqlite() {
    let project = scripts();
    project.migrate(&project.sqlite());
    let ours = expected(&project);
    assert!(ours.len() > 200, "{}", ours.len());
    assert_same(&ours, &history_of_sqlite(&project.path("test.db")));
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn checksums_in_a_history_of_mariadb() {
    let project = scripts();
    let address = setting("SHIPWAY_TEST_FLYWAY_MARIADB");
    let (host, port) = address.split_once(':').expect("host and port");
    let ask = |sql: &str| {
        output(Command::new("mariadb").args([
            "--no-defaults",
            "--batch",
            "--skip-column-names",
            "--raw",
            "--default-character-set=utf8mb4",
            "--host",
            host,
            "--port",
            port,
            "--user=flyway",
            "--password=flyway",
            "-e",
            sql,
        ]))
    };
    ask("CREATE OR REPLACE DATABASE checksums CHARACTER SET utf8mb4");
    project.migrate(&format!(
        "jdbc:mariadb://{address}/checksums?user=flyway&password=flyway"
    ));
    let text = ask(
        "SELECT IFNULL(version, ''), description, type, script, checksum FROM checksums.flyway_schema_history WHERE type <> 'SCHEMA'",
    );
    let row = |line: &str| -> [String; 5] {
        let columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
        columns.try_into().unwrap_or_else(|columns| panic!("{columns:?}"))
    };
    assert_same(&expected(&project), &text.lines().map(row).collect());
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn another_encoding_for_all_and_one_that_is_guessed() {
    let files = |others: &[(&str, Vec<u8>)]| {
        let mut files = vec![
            ("sql/V1__latin.sql".to_owned(), b"-- \xe9\nSELECT 1;".to_vec()),
            ("sql/V2__ascii.sql".to_owned(), b"SELECT 1;".to_vec()),
            ("sql/V3__utf8.sql".to_owned(), "-- \u{e9}\nSELECT 1;".into()),
            ("sql/V4__own.sql".to_owned(), utf16("SELECT 1;", u16::to_le_bytes)),
            ("sql/V4__own.sql.conf".to_owned(), b"encoding=UTF-16LE".to_vec()),
        ];
        files.extend(others.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())));
        files
    };
    let latin = Project::new(files(&[])).variable("FLYWAY_ENCODING", "ISO-8859-1");
    let guessed = Project::new(files(&[
        (
            "sql/V5__little.sql",
            utf16("\u{feff}-- \u{e9}\nSELECT 1;", u16::to_le_bytes),
        ),
        (
            "sql/V6__big.sql",
            utf16("\u{feff}-- \u{e9}\nSELECT 1;", u16::to_be_bytes),
        ),
        ("sql/V7__mark.sql", "\u{feff}-- \u{e9}\nSELECT 1;".into()),
        ("sql/V8__mark_and_odd.sql", b"-- \xff\xfe\nSELECT 1;".to_vec()),
        ("sql/V9__empty.sql", Vec::new()),
    ]))
    .variable("FLYWAY_DETECT_ENCODING", "true");
    for project in [latin, guessed] {
        project.migrate(&project.sqlite());
        assert_same(&expected(&project), &history_of_sqlite(&project.path("test.db")));
    }
}

#[test]
#[ignore = "needs Flyway: run ci/real.sh"]
fn what_has_no_checksum_is_refused() {
    for (bytes, config) in [
        (&b"-- \xff\nSELECT 1;"[..], ""),
        (b"-- \xe9", ""),
        (b"-- \xed\xa0\x80\nSELECT 1;", ""),
        (b"-- \xc3\xa9\nSELECT 1;", "encoding=US-ASCII"),
        (b"-- \x81\nSELECT 1;", "encoding=windows-1252"),
        (b"S\0E\0L", "encoding=UTF-16LE"),
    ] {
        let project = Project::new([("sql/V1__a.sql", bytes), ("sql/V1__a.sql.conf", config.as_bytes())]);
        let done = project.run(&project.sqlite(), &["info"]);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(
            !done.status.success() && text.contains("Unable to"),
            "{bytes:?} {config}: Flyway does not mind:\n{text}"
        );
        assert_eq!(project.examined()[0].measurement.checksum, None, "{bytes:?} {config}");
    }
}
