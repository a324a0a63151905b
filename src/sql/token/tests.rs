use super::*;
use Dialect::{MySql, Postgres, Sqlite, Unknown};

/// The tokens in a short form: a letter for the kind, and the text.
fn of(dialect: Dialect, text: &str) -> Vec<String> {
    let all = tokens(text, dialect);
    for token in &all {
        assert_eq!(&text[token.offset..token.offset + token.text.len()], token.text);
    }
    let letter = |kind| match kind {
        TokenKind::Word => 'w',
        TokenKind::Name => 'n',
        TokenKind::Text => 't',
        TokenKind::Number => '#',
        TokenKind::Sign => 's',
        TokenKind::Comment => 'c',
        TokenKind::Data => 'd',
    };
    all.iter()
        .map(|token| format!("{}{}", letter(token.kind), token.text))
        .collect()
}

/// What a text is in each dialect: PostgreSQL, MySQL, SQLite, unknown.
fn check(text: &str, expected: [&[&str]; 4]) {
    for (dialect, expected) in [Postgres, MySql, Sqlite, Unknown].into_iter().zip(expected) {
        assert_eq!(of(dialect, text), expected, "{dialect}: {text}");
    }
}

fn same(text: &str, expected: &[&str]) {
    check(text, [expected; 4]);
}

#[test]
fn what_all_dialects_share() {
    same("", &[]);
    same(" \t\r\n", &[]);
    same("SELECT größe_1, a$b", &["wSELECT", "wgröße_1", "s,", "wa$b"]);
    same("\u{feff}SELECT", &["wSELECT"]);
    same("'it''s' '' ''''", &["t'it''s'", "t''", "t''''"]);
    same("'a--b' '/*' '", &["t'a--b'", "t'/*'", "t'"]);
    same(
        "1 1.5 0x1F 1e10 1_000 1..5",
        &["#1", "#1.5", "#0x1F", "#1e10", "#1_000", "#1", "s.", "s.", "#5"],
    );
    same(
        "a.b(c)=-1;",
        &["wa", "s.", "wb", "s(", "wc", "s)", "s=", "s-", "#1", "s;"],
    );
    same("a -- b'c\nd", &["wa", "c-- b'c", "wd"]);
    same("a /* b'c */ d", &["wa", "c/* b'c */", "wd"]);
    same("a /* b", &["wa", "c/* b"]);
    same("x'0F' B'01'", &["tx'0F'", "tB'01'"]);
    same("${schema}.t", &["s$", "s{", "wschema", "s}", "s.", "wt"]);
}

#[test]
fn texts_with_backslashes() {
    let escaped: &[&str] = &[r"t'it\'s'", "wa"];
    let plain: &[&str] = &[r"t'it\'", "ws", "t' a"];
    check(r"'it\'s' a", [plain, escaped, plain, plain]);
    let prefixed: &[&str] = &[r"te'it\'s'", "wa"];
    check(
        r"e'it\'s' a",
        [
            prefixed,
            &["we", r"t'it\'s'", "wa"],
            &["we", r"t'it\'", "ws", "t' a"],
            prefixed,
        ],
    );
    same(r"'a\\'", &[r"t'a\\'"]);
}

#[test]
fn names_and_texts_in_other_quotes() {
    let name: &[&str] = &["n\"a\"\"b\"", "wc"];
    check("\"a\"\"b\" c", [name, &["t\"a\"\"b\"", "wc"], name, name]);
    check(
        "`a``b;`",
        [
            &["s`", "wa", "s`", "s`", "wb", "s;", "s`"],
            &["n`a``b;`"],
            &["n`a``b;`"],
            &["n`a``b;`"],
        ],
    );
    let signs: &[&str] = &["s[", "wa", "s]"];
    check("[a]", [signs, signs, &["n[a]"], signs]);
    let unicode: &[&str] = &["tU&'\\0041'", "nu&\"b\""];
    let others: &[&str] = &["wU", "s&", "t'\\0041'", "wu", "s&", "n\"b\""];
    check(
        "U&'\\0041' u&\"b\"",
        [
            unicode,
            &["wU", "s&", "t'\\0041'", "wu", "s&", "t\"b\""],
            others,
            unicode,
        ],
    );
}

#[test]
fn texts_in_dollars() {
    let quoted: &[&str] = &["t$$ ; ' $$", "wa"];
    let signs: &[&str] = &["s$", "s$", "s;", "t' $$ a"];
    check("$$ ; ' $$ a", [quoted, signs, signs, quoted]);
    assert_eq!(of(Postgres, "$a$ $b $$ $a $a$;"), ["t$a$ $b $$ $a $a$", "s;"]);
    assert_eq!(of(Postgres, "$ä1$;$ä1$ b"), ["t$ä1$;$ä1$", "wb"]);
    assert_eq!(of(Postgres, "$1 $2$ a$$b$$"), ["s$", "#1", "s$", "#2$", "wa$$b$$"]);
    assert_eq!(of(Postgres, "$a$ never"), ["t$a$ never"]);
}

#[test]
fn comments_by_dialect() {
    let nested: &[&str] = &["c/* a /* b */ c */", "wd"];
    let flat: &[&str] = &["c/* a /* b */", "wc", "s*", "s/", "wd"];
    check("/* a /* b */ c */ d", [nested, flat, flat, flat]);
    let comment: &[&str] = &["#5", "c--1"];
    check("5--1", [comment, &["#5", "s-", "s-", "#1"], comment, comment]);
    assert_eq!(of(MySql, "a # b'c\nd --"), ["wa", "c# b'c", "wd", "c--"]);
    assert_eq!(of(Postgres, "a # b"), ["wa", "s#", "wb"]);
    assert_eq!(of(Postgres, "-- a\rb"), ["c-- a", "wb"]);
    assert_eq!(of(MySql, "-- a\rb"), ["c-- a\rb"]);
}

#[test]
fn what_mysql_runs_in_comments_is_code() {
    let code: &[&str] = &["wSET", "wa", "s=", "#1", "s;"];
    assert_eq!(of(MySql, "/*!40101 SET a=1 */;"), code);
    assert_eq!(of(Unknown, "/*!40101 SET a=1 */;"), code);
    assert_eq!(of(MySql, "/*M!100100 a */ /*! b */"), ["wa", "wb"]);
    assert_eq!(of(Unknown, "/*! fine */ a"), ["c/*! fine */", "wa"]);
    assert_eq!(of(Postgres, "/*!40101 x */ a"), ["c/*!40101 x */", "wa"]);
    assert_eq!(
        of(MySql, "/*!40101 a /* b */ c * / */ d*e"),
        ["wa", "c/* b */", "wc", "s*", "s/", "wd", "s*", "we"]
    );
    assert_eq!(of(MySql, "/*+ hint */ a"), ["c/*+ hint */", "wa"]);
}

#[test]
fn data_of_a_copy() {
    let text = "COPY t (a) FROM stdin;\n1;'\n\\.x\n\\.\nafter";
    let data: &[&str] = &[
        "wCOPY",
        "wt",
        "s(",
        "wa",
        "s)",
        "wFROM",
        "wstdin",
        "s;",
        "d\n1;'\n\\.x\n\\.\n",
        "wafter",
    ];
    assert_eq!(of(Postgres, text), data);
    assert_eq!(of(Unknown, text), data);
    assert_eq!(
        of(Postgres, "COPY t TO STDOUT; a"),
        ["wCOPY", "wt", "wTO", "wSTDOUT", "s;", "wa"]
    );
    assert_eq!(of(Postgres, "SELECT copy FROM stdin; a").len(), 6);
    assert_eq!(of(Postgres, "copy t from stdin;\r\n\\.\r\na").pop().unwrap(), "wa");
    assert_eq!(of(Postgres, "copy t from stdin;\n\\.").pop().unwrap(), "d\n\\.");
}

#[test]
fn any_text_is_lexed() {
    let mut random = fastrand::Rng::with_seed(5);
    let parts = [
        "'",
        "\"",
        "`",
        "$",
        "$$",
        "$a$",
        "\\",
        "--",
        "/*",
        "*/",
        "/*!5",
        "\n",
        "\r",
        ";",
        "é",
        "\u{feff}",
        "a",
        "1",
        ".",
        "E",
        "U&",
        "[",
        "]",
        "#",
        " ",
        "COPY a FROM STDIN;",
        "\\.\n",
        "\0",
    ];
    for _ in 0..20_000 {
        let text: String = (0..random.usize(..20))
            .map(|_| parts[random.usize(..parts.len())])
            .collect();
        for dialect in [Postgres, MySql, Sqlite, Unknown] {
            let mut end = 0;
            for token in tokens(&text, dialect) {
                assert!(token.offset >= end && !token.text.is_empty(), "{dialect}: {text:?}");
                end = token.offset + token.text.len();
            }
        }
    }
}
