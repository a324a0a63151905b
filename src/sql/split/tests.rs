use super::*;
use Dialect::{MySql, Postgres, Sqlite, Unknown};

const ALL: [Dialect; 4] = [Postgres, MySql, Sqlite, Unknown];

/// A statement that owns its text: text, start, end, line, column, whether it is blank.
type Owned = (String, u64, u64, u64, u64, bool);

fn split_by(dialect: Dialect, bytes: &[u8], mut size: impl FnMut() -> usize) -> (Vec<Owned>, Vec<Problem>) {
    let mut splitter = Splitter::new(dialect);
    let mut found = Vec::new();
    let mut push =
        |of: Statement<'_>| found.push((of.text.to_owned(), of.start, of.end, of.line, of.column, of.is_blank));
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size().clamp(1, rest.len()));
        splitter.update(piece, &mut push);
        rest = after;
    }
    let problems = splitter.finish(&mut push);
    (found, problems)
}

/// The statements of a script, after looking whether they cover it.
fn split(dialect: Dialect, text: &str) -> (Vec<Owned>, Vec<Problem>) {
    let whole = split_by(dialect, text.as_bytes(), || usize::MAX);
    let mut end = 0;
    for statement in &whole.0 {
        assert_eq!(statement.1, end, "{dialect}: {text}");
        assert!(statement.2 > end, "{dialect}: {text}");
        end = statement.2;
    }
    assert_eq!(end, text.len() as u64, "{dialect}: {text}");
    for size in [1, 2, 3, 7] {
        assert_eq!(
            split_by(dialect, text.as_bytes(), || size),
            whole,
            "{dialect} by {size}: {text}"
        );
    }
    whole
}

/// The statements that are not blank, without the blanks around them.
#[track_caller]
fn is(dialect: Dialect, text: &str, expected: &[&str]) {
    let (statements, problems) = split(dialect, text);
    let found: Vec<_> = statements.iter().filter(|of| !of.5).map(|of| of.0.trim()).collect();
    assert_eq!(found, expected, "{dialect}: {text}");
    assert_eq!(problems, [], "{dialect}: {text}");
}

#[track_caller]
fn all(text: &str, expected: &[&str]) {
    for dialect in ALL {
        is(dialect, text, expected);
    }
}

#[track_caller]
fn problem(dialect: Dialect, text: &str, kind: ProblemKind, line: u64, column: u64) {
    let (_, problems) = split(dialect, text);
    assert_eq!(problems, [Problem { kind, line, column }], "{dialect}: {text}");
}

#[test]
fn statements_end_at_semicolons_outside_of_everything() {
    all("", &[]);
    all(" \n-- a;\n/* b; */", &[]);
    all(";;", &[]);
    all("a; b", &["a;", "b"]);
    all("a ';' \";\" b; c", &["a ';' \";\" b;", "c"]);
    all("a -- ;\n; b /* ; */;", &["a -- ;\n;", "b /* ; */;"]);
    all(
        "CREATE RULE r AS ON UPDATE TO t DO (a; b); c;",
        &["CREATE RULE r AS ON UPDATE TO t DO (a; b);", "c;"],
    );
    all("BEGIN; a; COMMIT; END; b", &["BEGIN;", "a;", "COMMIT;", "END;", "b"]);
    all("BEGIN WORK; a;", &["BEGIN WORK;", "a;"]);
    all("a); b;", &["a);", "b;"]);
}

#[test]
fn statements_know_their_place() {
    let (statements, _) = split(Postgres, "a;\n\n-- é\nb; é; c;\n");
    let places: Vec<_> = statements.iter().map(|of| (of.0.as_str(), of.3, of.4, of.5)).collect();
    let expected = [
        ("a;", 1, 1, false),
        ("\n\n-- é\nb;", 1, 3, false),
        (" é;", 4, 3, false),
        (" c;", 4, 6, false),
        ("\n", 4, 9, true),
    ];
    assert_eq!(places, expected);
}

#[test]
fn quotes_of_postgresql() {
    is(
        Postgres,
        "a $$ ; $$; b $f$ ; $$ ; $f$;",
        &["a $$ ; $$;", "b $f$ ; $$ ; $f$;"],
    );
    is(Postgres, "a E'\\';'; b e'\\';'; c", &["a E'\\';';", "b e'\\';';", "c"]);
    is(Postgres, "a '\\'; b $1; c$$d; e", &["a '\\';", "b $1;", "c$$d;", "e"]);
    is(Postgres, "/* a /* ; */ ; */ b; c", &["/* a /* ; */ ; */ b;", "c"]);
    is(Postgres, "DO $$ BEGIN a; END $$; b", &["DO $$ BEGIN a; END $$;", "b"]);
}

#[test]
fn bodies_of_postgresql() {
    let function = "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE a WHEN 1 THEN 2 END; \
                    SELECT t.end; END;";
    is(Postgres, &format!("{function} b;"), &[function, "b;"]);
    is(
        Postgres,
        "CREATE FUNCTION begin() RETURNS int; b;",
        &["CREATE FUNCTION begin() RETURNS int;", "b;"],
    );
    is(
        Postgres,
        "CREATE TRIGGER begin BEFORE UPDATE ON t EXECUTE FUNCTION f(); b;",
        &["CREATE TRIGGER begin BEFORE UPDATE ON t EXECUTE FUNCTION f();", "b;"],
    );
    problem(
        Postgres,
        "\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1;",
        ProblemKind::OpenBlock,
        2,
        33,
    );
}

#[test]
fn data_of_a_copy() {
    let copy = "COPY t FROM stdin;\na;'\n\\.\n";
    is(Postgres, &format!("{copy}b;"), &[copy.trim(), "b;"]);
    is(
        Unknown,
        "copy t (a) from STDIN with (format csv);\r\n1;2\r\n\\.\r\nb;",
        &["copy t (a) from STDIN with (format csv);\r\n1;2\r\n\\.", "b;"],
    );
    is(Postgres, "COPY t FROM '/x'; b;", &["COPY t FROM '/x';", "b;"]);
    is(
        Postgres,
        "COPY (SELECT 1) TO STDOUT; b;",
        &["COPY (SELECT 1) TO STDOUT;", "b;"],
    );
    problem(
        Postgres,
        "a;\n  COPY t FROM stdin;\n1\n2\n",
        ProblemKind::OpenCopy,
        2,
        3,
    );
    problem(Postgres, "COPY t FROM stdin;", ProblemKind::OpenCopy, 1, 1);
    problem(Postgres, "COPY t FROM stdin;\n\\.x\n\\", ProblemKind::OpenCopy, 1, 1);
}

#[test]
fn commands_of_clients_are_lines() {
    is(
        Postgres,
        "\\connect it's\na;\n\\i b",
        &["\\connect it's", "a;", "\\i b"],
    );
    is(Sqlite, ".read it's\na;", &[".read it's", "a;"]);
    is(Unknown, "\\set a 'b\na;", &["\\set a 'b", "a;"]);
}

#[test]
fn delimiters_of_mysql() {
    let script = "DELIMITER //\nCREATE PROCEDURE p() BEGIN a; END//\n# it's\nb; c //\ndelimiter ;\nd;";
    for dialect in [MySql, Unknown] {
        is(
            dialect,
            &script.replace("# it's", "-- it's"),
            &["CREATE PROCEDURE p() BEGIN a; END", "-- it's\nb; c", "d;"],
        );
        is(
            dialect,
            "delimiter $$\r\na;b$$\r\nc $$ DELIMITER ;\r\nd;",
            &["a;b", "c", "d;"],
        );
        is(dialect, "DELIMITER ;;\na;b;;\nDELIMITER ;", &["a;b"]);
    }
    is(MySql, "DELIMITER #\na;b#\nDELIMITER ;", &["a;b"]);
    problem(MySql, "a;\n DELIMITER //\nb//", ProblemKind::DelimiterNotRestored, 2, 2);
    problem(
        MySql,
        "DELIMITER //\nDELIMITER $$\nb$$",
        ProblemKind::DelimiterNotRestored,
        2,
        1,
    );
    let (statements, _) = split(MySql, "DELIMITER //\na//");
    assert!(statements[0].5 && statements[0].0 == "DELIMITER //\n");
}

#[test]
fn quotes_of_mysql() {
    is(
        MySql,
        "a '\\';'; b \"\\\";\"; c `;`;",
        &["a '\\';';", "b \"\\\";\";", "c `;`;"],
    );
    is(MySql, "a # ;'\n; b --;\n c;", &["a # ;'\n;", "b --;", "c;"]);
    is(
        MySql,
        "/*!40101 SET a = 1 */; /* ; */ b;",
        &["/*!40101 SET a = 1 */;", "/* ; */ b;"],
    );
}

#[test]
fn stored_programs_of_mysql() {
    let programs = [
        "CREATE PROCEDURE p() BEGIN a; BEGIN b; END; END;",
        "CREATE DEFINER=`root`@`%` FUNCTION f() RETURNS INT BEGIN IF a THEN b; END IF; RETURN 1; END;",
        "CREATE DEFINER = admin@localhost SQL SECURITY INVOKER PROCEDURE p() BEGIN a; END;",
        "CREATE OR REPLACE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET NEW.end = CASE a WHEN 1 THEN 2 END; END;",
        "CREATE EVENT IF NOT EXISTS e ON SCHEDULE EVERY 1 DAY DO BEGIN a; END;",
        "ALTER EVENT e DO BEGIN a; END;",
        "CREATE PROCEDURE p() l: BEGIN CASE a WHEN 1 THEN b; ELSE c; END CASE; END l;",
        "CREATE PROCEDURE p() BEGIN WHILE a DO b; END WHILE; REPEAT c; UNTIL d END REPEAT; l: LOOP e; END LOOP; END;",
        "CREATE PROCEDURE p() BEGIN SELECT start, end FROM t; END;",
        "CREATE PROCEDURE p() BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN END; a; END;",
        "BEGIN NOT ATOMIC a; END;",
    ];
    for program in programs {
        is(MySql, &format!("{program}\nb;"), &[program, "b;"]);
    }
    for program in &programs[..5] {
        is(Unknown, &format!("{program}\nb;"), &[program, "b;"]);
    }
    for other in [
        "CREATE TABLE t (begin INT, `end` INT);",
        "CREATE DEFINER=a@b VIEW v AS SELECT begin FROM t;",
        "CREATE VIEW trigger_begin AS SELECT 1;",
        "ALTER TABLE begin ADD a INT;",
        "UPDATE t SET a = CASE b WHEN 1 THEN 2 END;",
    ] {
        is(MySql, &format!("{other} b;"), &[other, "b;"]);
    }
    problem(
        MySql,
        "CREATE PROCEDURE p()\n  BEGIN a; b;",
        ProblemKind::OpenBlock,
        2,
        3,
    );
}

#[test]
fn triggers_of_sqlite() {
    let trigger =
        "CREATE TEMP TRIGGER t AFTER UPDATE ON x BEGIN UPDATE y SET a = CASE b WHEN 1 THEN 2 END; SELECT 1; END;";
    is(Sqlite, &format!("{trigger} b;"), &[trigger, "b;"]);
    is(
        Sqlite,
        "BEGIN TRANSACTION; a [;]; COMMIT;",
        &["BEGIN TRANSACTION;", "a [;];", "COMMIT;"],
    );
}

#[test]
fn what_does_not_end_is_told_where_it_begins() {
    for dialect in ALL {
        problem(dialect, "a;\n b 'c;\nd;", ProblemKind::OpenQuote, 2, 4);
        problem(dialect, "é \"c;", ProblemKind::OpenQuote, 1, 3);
        problem(dialect, "a; /* b;", ProblemKind::OpenComment, 1, 4);
        problem(dialect, "a ((b); \nc (d);", ProblemKind::OpenParenthesis, 1, 3);
        // The quote has swallowed what closes the parenthesis.
        problem(dialect, "a ('b);", ProblemKind::OpenQuote, 1, 4);
    }
    problem(Postgres, "a $x$ b; $$", ProblemKind::OpenQuote, 1, 3);
    problem(MySql, "/*!40101 a", ProblemKind::OpenComment, 1, 1);
    problem(MySql, "a `b", ProblemKind::OpenQuote, 1, 3);
}

#[test]
fn a_long_statement_is_cut_and_covered() {
    for unit in ["x ", "é ", "'\u{1f600}' "] {
        let long = format!("a;b {}; c;", unit.repeat(KEPT_BYTES));
        let mut cut = 0;
        let mut splitter = Splitter::new(Postgres);
        let mut ends = Vec::new();
        let mut look = |of: Statement<'_>| {
            ends.push(of.end);
            cut = cut.max(of.text.len());
            assert!(!of.text.contains(char::REPLACEMENT_CHARACTER));
        };
        for piece in long.as_bytes().chunks(100_001) {
            splitter.update(piece, &mut look);
            assert!(splitter.buffer.len() <= KEPT_BYTES + STEP_BYTES);
        }
        assert_eq!(splitter.finish(&mut look), []);
        assert_eq!(ends, [2, long.len() as u64 - 3, long.len() as u64]);
        assert!((KEPT_BYTES - 3..=KEPT_BYTES).contains(&cut), "{cut}");
    }
    let open = format!("{}'{}", "\n".repeat(70_000), "x".repeat(3 * KEPT_BYTES));
    let place = Problem {
        kind: ProblemKind::OpenQuote,
        line: 70_001,
        column: 1,
    };
    assert_eq!(split_by(Postgres, open.as_bytes(), || 65_536).1, [place]);
}

#[test]
fn what_is_not_utf8_is_replaced_and_keeps_its_bytes() {
    let (statements, _) = split_by(Unknown, b"a \xff;\xc3; b\xe2\x82", || 1);
    let found: Vec<_> = statements.iter().map(|of| (of.0.as_str(), of.1, of.2)).collect();
    assert_eq!(
        found,
        [("a \u{fffd};", 0, 4), ("\u{fffd};", 4, 6), (" b\u{fffd}", 6, 10)]
    );
}

/// Parts of scripts, in which every rule of every dialect has its chance.
const PARTS: [&str; 62] = [
    "'",
    "\"",
    "`",
    "$",
    "$$",
    "$a$",
    "\\",
    "--",
    "-- ",
    "/*",
    "*/",
    "/*!50003",
    "/*M!",
    "\n",
    "\r\n",
    ";",
    ";;",
    "//",
    "é",
    "\u{feff}",
    "a",
    "1.",
    ".",
    "E'",
    "e",
    "U&'",
    "[",
    "]",
    "#",
    " ",
    "\n\\.\n",
    "\\.",
    "COPY a FROM STDIN;",
    "copy ",
    "from ",
    "stdin",
    "DELIMITER ",
    "DELIMITER //\n",
    "delimiter $$\n",
    "DELIMITER ;\n",
    "CREATE ",
    "OR REPLACE ",
    "DEFINER=",
    "PROCEDURE ",
    "FUNCTION ",
    "TRIGGER ",
    "EVENT ",
    "BEGIN ",
    "ATOMIC ",
    "NOT ",
    "CASE ",
    "END ",
    "IF ",
    "LOOP ",
    "(",
    ")",
    ",",
    "TABLE ",
    "\0",
    "ALTER ",
    "0123456789012345678901234567890123456789012345678901234567890123456789",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn pieces_of_every_size_give_the_statements_of_the_whole() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..6_000 {
        let text: String = (0..random.usize(..30))
            .map(|_| PARTS[random.usize(..PARTS.len())])
            .collect();
        let mut bytes = text.into_bytes();
        if random.u8(..) < 40 && !bytes.is_empty() {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        for dialect in ALL {
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            let whole = split_by(dialect, &bytes, || usize::MAX);
            let mut end = 0;
            for statement in &whole.0 {
                assert!(statement.1 == end && statement.2 > end, "{dialect}: {shown:?}");
                end = statement.2;
            }
            assert_eq!(end, bytes.len() as u64, "{dialect}: {shown:?}");
            assert_eq!(split_by(dialect, &bytes, || 1), whole, "{dialect}: {shown:?}");
            assert_eq!(
                split_by(dialect, &bytes, || random.usize(1..9)),
                whole,
                "{dialect}: {shown:?}"
            );
        }
    }
}
