use std::time::Duration;

use super::*;
use crate::dockerfile::instruction::{Argument, Command, Copy, CopySource, Healthcheck, Word};

/// Reads instructions of a stage.
fn body(text: &str) -> Vec<Instruction> {
    let dockerfile = Dockerfile::parse("Dockerfile", format!("FROM scratch\n{text}").as_bytes());
    let mut dockerfile = dockerfile.unwrap_or_else(|error| panic!("{text}: {error}: {}", error.problem));
    dockerfile.stages.pop().expect("a stage").instructions
}

fn one(text: &str) -> Instruction {
    let mut instructions = body(text);
    assert_eq!(instructions.len(), 1, "{text}");
    instructions.remove(0)
}

/// The place and the words of the first error.
fn fails(text: &str) -> (usize, usize, String) {
    let error = Dockerfile::parse("Dockerfile", text.as_bytes()).expect_err(text);
    (error.position.line, error.position.column, error.problem.to_string())
}

fn pair((name, value): &(Word, Word)) -> (&str, &str) {
    (&name.text, &value.text)
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

fn copy(text: &str) -> Copy {
    match one(text).kind {
        Kind::Copy(copy) => copy,
        other => panic!("{text}: {other:?}"),
    }
}

fn path(source: &CopySource) -> &str {
    match source {
        CopySource::Path(word) => &word.text,
        CopySource::Heredoc(text) => &text.name,
    }
}

fn paths(copy: &Copy) -> Vec<&str> {
    copy.sources.iter().map(path).collect()
}

#[test]
fn stages_are_found() {
    let text = "ARG V=1 W\narg X\nFROM --platform=$BUILDPLATFORM a.b/c:$V as Build\nENV A=1\nFROM scratch\nCOPY --from=build x /\n";
    let dockerfile = Dockerfile::parse("Dockerfile", text.as_bytes()).expect("Dockerfile");
    let names: Vec<_> = dockerfile
        .arguments
        .iter()
        .map(|Argument { name, default }| (name.text.as_str(), default.as_ref().map(|word| word.text.as_str())))
        .collect();
    assert_eq!(names, [("V", Some("1")), ("W", None), ("X", None)]);
    let [first, second] = dockerfile.stages.as_slice() else {
        panic!("two stages")
    };
    assert_eq!(first.name.as_deref(), Some("build"));
    assert_eq!(first.image.text, "a.b/c:$V");
    assert_eq!(first.image.position, Position { line: 3, column: 32 });
    assert_eq!(first.platform.as_ref().expect("platform").text, "$BUILDPLATFORM");
    assert_eq!(first.platform.as_ref().expect("platform").position.column, 17);
    assert_eq!(first.instructions.len(), 1);
    assert_eq!(second.image.text, "scratch");
    assert_eq!(second.name, None);
}

#[test]
fn pairs_are_read() {
    for (text, expected) in [
        ("ENV A=1", &[("A", "1")][..]),
        ("env A=1 B=2\tC=", &[("A", "1"), ("B", "2"), ("C", "")]),
        ("ENV A 1", &[("A", "1")]),
        ("ENV A  1  2 ", &[("A", "1  2")]),
        ("ENV A b=c", &[("A", "b=c")]),
        ("ENV A \"b\"", &[("A", "\"b\"")]),
        ("ENV A=\"b c\" D='e f'", &[("A", "\"b c\""), ("D", "'e f'")]),
        ("ENV A=b\\ c", &[("A", "b\\ c")]),
        ("ENV A=\"b \\\" c\"", &[("A", "\"b \\\" c\"")]),
        ("ENV A='b\\' B=c", &[("A", "'b\\'"), ("B", "c")]),
        ("ENV A=b=c", &[("A", "b=c")]),
        ("ENV A=$B\\\n    C=d", &[("A", "$B"), ("C", "d")]),
        ("ENV A=1 \\\n  # no\n  B=2", &[("A", "1"), ("B", "2")]),
        ("ENV A=ä B=ö", &[("A", "ä"), ("B", "ö")]),
        ("ENV A=1\\", &[("A", "1")]),
        ("LABEL a b", &[("a", "b")]),
        ("LABEL \"a b\"=\"c\"", &[("\"a b\"", "\"c\"")]),
        ("LABEL a.b=\"c \\\n d\"", &[("a.b", "\"c  d\"")]),
        ("ENV A=\"unclosed b=c", &[("A", "\"unclosed b=c")]),
    ] {
        let kind = one(text).kind;
        let (Kind::Env(pairs) | Kind::Label(pairs)) = &kind else {
            panic!("{text}")
        };
        let pairs: Vec<_> = pairs.iter().map(pair).collect();
        assert_eq!(pairs, expected, "{text}");
    }
}

#[test]
fn places_of_values_survive_continuations() {
    let Kind::Env(pairs) = one("ENV A=1 \\\n    LONG=\"x y\" \\\n  B=ö C=3").kind else {
        panic!("ENV")
    };
    let places: Vec<_> = pairs
        .iter()
        .map(|(name, value)| (name.position.line, name.position.column, value.position.column))
        .collect();
    assert_eq!(places, [(2, 5, 7), (3, 5, 10), (4, 3, 5), (4, 7, 9)]);
    let Kind::Env(pairs) = one("ENV A   b").kind else {
        panic!("ENV")
    };
    assert_eq!(pairs[0].1.position.column, 9);
}

#[test]
fn commands_are_lists_or_lines() {
    let exec = |words: &[&str]| Command::Exec(words.iter().map(|word| (*word).to_owned()).collect());
    let shell = |line: &str| Command::Shell(line.to_owned());
    for (text, expected) in [
        ("CMD [\"a\", \"b c\"]", exec(&["a", "b c"])),
        ("CMD [ \"a\" ,\\\n \"b\" ]  ", exec(&["a", "b"])),
        ("CMD []", exec(&[])),
        ("ENTRYPOINT [\"a\\\"\\u0041\"]", exec(&["a\"A"])),
        ("CMD ['a', 'b']", shell("['a', 'b']")),
        ("CMD [\"a\", \"b\"] c", shell("[\"a\", \"b\"] c")),
        ("CMD [\"a\",]", shell("[\"a\",]")),
        ("CMD [ -f x ] && y", shell("[ -f x ] && y")),
        ("CMD a  b \"c\" $D", shell("a  b \"c\" $D")),
        ("CMD a \\\n  b", shell("a   b")),
        ("CMD", shell("")),
        ("ENTRYPOINT {\"a\": 1}", shell("{\"a\": 1}")),
    ] {
        match one(text).kind {
            Kind::Cmd(command) | Kind::Entrypoint(command) => assert_eq!(command, expected, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn sources_and_a_destination() {
    let found = copy("COPY --from=b --chown=1:2 --chmod=u+x --link --parents --exclude=*.md --exclude=x a b* /c/");
    assert!(!found.is_add && found.link && found.parents);
    assert_eq!(paths(&found), ["a", "b*"]);
    assert_eq!(found.destination.text, "/c/");
    assert_eq!(found.destination.position.column, 88);
    assert_eq!(texts(&found.exclude), ["*.md", "x"]);
    assert_eq!(found.from.expect("from").text, "b");
    assert_eq!(found.chown.expect("chown").text, "1:2");
    assert_eq!(found.chmod.expect("chmod").text, "u+x");

    let found = copy("ADD --checksum=sha256:00 --keep-git-dir=true --unpack=false --link=false https://a.b/c /d");
    assert!(found.is_add && found.keep_git_dir && !found.link);
    assert_eq!(found.unpack, Some(false));
    assert_eq!(found.checksum.expect("checksum").text, "sha256:00");

    let found = copy("COPY [\"a b\", \"c\\\"d\", \"/e f/\"]");
    assert_eq!(paths(&found), ["a b", "c\"d"]);
    assert_eq!(found.destination.text, "/e f/");
    assert_eq!(found.destination.position.column, 23);
    assert_eq!(paths(&copy("COPY \"a b\" c")), ["\"a", "b\""]);
    assert_eq!(paths(&copy("COPY ['a', 'b']")), ["['a',"]);
}

#[test]
fn texts_stand_below_their_instruction() {
    let text = "COPY <<one <<-\"two\" x /d/\n$A\none\n\t\t$B\n\ttwo\nENV A=1";
    let instructions = body(text);
    assert_eq!(instructions.len(), 2);
    let Kind::Copy(copy) = &instructions[0].kind else {
        panic!("COPY")
    };
    assert_eq!(paths(copy), ["one", "two", "x"]);
    let contents: Vec<_> = copy
        .sources
        .iter()
        .filter_map(|source| match source {
            CopySource::Heredoc(text) => Some((text.content.as_str(), text.expand, text.position.column)),
            CopySource::Path(_) => None,
        })
        .collect();
    assert_eq!(contents, [("$A\n", true, 6), ("$B\n", false, 12)]);
    assert_eq!(instructions[0].text, "COPY <<one <<-\"two\" x /d/");

    // The texts of RUN are passed over, with all that looks like an instruction in them.
    let instructions = body("RUN <<A cat 3<<B && x\nFROM y\nA\nCOPY\nB\nUSER z");
    assert!(matches!(instructions[0].kind, Kind::Run));
    assert!(matches!(instructions[1].kind, Kind::User(_)));
    // No text: a shift, a here string, quotes.
    for text in [
        "RUN echo $((1<<2))",
        "RUN cat <<<x",
        "RUN echo '<<A'",
        "RUN [\"a\", \"<<A\"]",
        "CMD x <<A",
    ] {
        one(text);
    }
}

#[test]
fn words_of_other_instructions() {
    for (text, expected) in [
        ("WORKDIR /a b", &["/a b"][..]),
        ("USER  a:b ", &["a:b"]),
        ("STOPSIGNAL SIGINT", &["SIGINT"]),
        ("EXPOSE 80 \t 443/tcp $P", &["80", "443/tcp", "$P"]),
        ("VOLUME /a /b", &["/a", "/b"]),
        ("VOLUME [\"/a b\", \"/c\"]", &["/a b", "/c"]),
    ] {
        let words = match one(text).kind {
            Kind::Workdir(word) | Kind::User(word) | Kind::StopSignal(word) => vec![word],
            Kind::Expose(words) | Kind::Volume(words) => words,
            other => panic!("{other:?}"),
        };
        assert_eq!(texts(&words), expected, "{text}");
    }
    assert!(matches!(one("MAINTAINER A <b@c>").kind, Kind::Maintainer(name) if name == "A <b@c>"));
    assert!(matches!(one("SHELL [\"a\", \"-c\"]").kind, Kind::Shell(words) if words == ["a", "-c"]));
    assert!(matches!(
        one("RUN --mount=type=cache,target=/x --mount=type=bind --network=none x").kind,
        Kind::Run
    ));
}

#[test]
fn health_checks() {
    let check = |text: &str| match one(text).kind {
        Kind::Healthcheck(check) => check,
        other => panic!("{other:?}"),
    };
    assert_eq!(check("HEALTHCHECK none"), Healthcheck::None);
    let text =
        "HEALTHCHECK --interval=1m30s --timeout=.5s --start-period=0s --start-interval=2s --retries=3 CMD [\"a\"]";
    assert_eq!(
        check(text),
        Healthcheck::Check {
            command: Command::Exec(vec!["a".to_owned()]),
            interval: Some(Duration::from_secs(90)),
            timeout: Some(Duration::from_millis(500)),
            start_period: None,
            start_interval: Some(Duration::from_secs(2)),
            retries: Some(3),
        }
    );
    let Healthcheck::Check { command, retries, .. } = check("HEALTHCHECK --retries=0 cmd  curl x || exit 1") else {
        panic!("check")
    };
    assert_eq!(command, Command::Shell("curl x || exit 1".to_owned()));
    assert_eq!(retries, None);
}

#[test]
fn triggers_wait_as_text() {
    let wait = |text: &str| match one(text).kind {
        Kind::OnBuild(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait("ONBUILD COPY  a \\\n  /b"), "COPY  a   /b");
    assert_eq!(wait("onbuild RUN make"), "RUN make");
    assert_eq!(wait("ONBUILD COPY <<E /x\nhi\nE\n"), "COPY <<E /x\nhi\nE");
    let Kind::Copy(copy) = trigger("COPY <<E /x\nhi\nE", '\\').expect("trigger").kind else {
        panic!("COPY")
    };
    assert!(matches!(&copy.sources[0], CopySource::Heredoc(text) if text.content == "hi\n"));
    assert_eq!(trigger("ADD . /app", '\\').expect("trigger").text, "ADD . /app");
    for (text, expected) in [
        ("", "not one instruction"),
        ("ENV A=1\nENV B=2", "not one instruction"),
        ("FROM x", "cannot stand behind ONBUILD"),
        ("FROB", "is no instruction"),
    ] {
        let error = trigger(text, '\\').expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn the_history_tells_one_line() {
    for (text, expected) in [
        ("copy  a   b ", "COPY a   b"),
        ("ENV A=1 \\\n    B=2 \\\n# c\n    C=3", "ENV A=1 B=2 C=3"),
        ("CMD [\"x\"]", "CMD [\"x\"]"),
        ("CMD", "CMD"),
        ("COPY --link a b", "COPY --link a b"),
        ("ENV A=b\\\nc", "ENV A=bc"),
    ] {
        assert_eq!(one(text).text, expected, "{text:?}");
    }
}

#[test]
fn errors_say_where() {
    for (text, line, column, expected) in [
        ("", 1, 1, "there is no instruction in it"),
        ("# only\n\n", 2, 1, "there is no instruction in it"),
        ("ARG A\n", 1, 1, "there is no FROM in it"),
        ("ENV A=1\nFROM x", 1, 1, "ENV stands before the first FROM"),
        ("FROM x\n  CPOY a b", 2, 3, "CPOY is no instruction"),
        ("FROM", 1, 1, "FROM names no image"),
        ("FROM x y", 1, 8, "y behind the image"),
        ("FROM x AS", 1, 8, "AS behind the image"),
        ("FROM x AS a b", 1, 8, "AS behind the image"),
        ("FROM x AS 1a", 1, 11, "\"1a\" cannot name a stage"),
        ("FROM x AS a/b", 1, 11, "cannot name a stage"),
        ("FROM --plattform=a x", 1, 6, "FROM has no flag --plattform"),
        ("FROM --platform x", 1, 6, "--platform has no value"),
        ("FROM x\nCOPY a", 2, 1, "COPY needs a source and a destination"),
        ("FROM x\nCOPY []", 2, 1, "COPY needs a source"),
        ("FROM x\nCOPY [\"a\", 1]", 2, 6, "1 in the list is not a string"),
        ("FROM x\nCOPY \\\n  --chwon=1 a b", 3, 3, "COPY has no flag --chwon"),
        ("FROM x\nCOPY --checksum=a a b", 2, 6, "COPY has no flag --checksum"),
        ("FROM x\nADD --from=a a b", 2, 5, "ADD has no flag --from"),
        ("FROM x\nCOPY a <<E\nE\n", 2, 8, "cannot be the destination"),
        ("FROM x\nCOPY <<E /x\nabc\n", 2, 6, "the text <<E has no end"),
        ("FROM x\nCOPY <<\"a b\" /x\na b\n", 2, 6, "announced in a way"),
        ("FROM x\nENV", 2, 1, "ENV names nothing"),
        ("FROM x\nENV A", 2, 5, "A has no value"),
        ("FROM x\nENV A=1 B", 2, 9, "B has no ="),
        ("FROM x\nENV =1", 2, 5, "no name before the ="),
        ("FROM x\nARG =1", 2, 5, "no name before the ="),
        ("FROM x\nARG", 2, 1, "ARG names nothing"),
        ("FROM x\nENV --a A=1", 2, 5, "ENV has no flag --a"),
        ("FROM x\nCMD --help", 2, 5, "CMD has no flag --help"),
        ("FROM x\nWORKDIR", 2, 1, "WORKDIR names nothing"),
        ("FROM x\nUSER  ", 2, 1, "USER names nothing"),
        ("FROM x\nEXPOSE", 2, 1, "EXPOSE names nothing"),
        ("FROM x\nVOLUME []", 2, 1, "VOLUME names nothing"),
        (
            "FROM x\nVOLUME [\"/a\", \" \"]",
            2,
            16,
            "a volume cannot be an empty text",
        ),
        ("FROM x\nSHELL /bin/sh", 2, 7, "SHELL takes a JSON list"),
        ("FROM x\nSHELL []", 2, 1, "SHELL names nothing"),
        ("FROM x\nCMD [1]", 2, 5, "1 in the list is not a string"),
        ("FROM x\nRUN [null]", 2, 5, "null in the list is not a string"),
        ("FROM x\nRUN --mout=a b", 2, 5, "RUN has no flag --mout"),
        ("FROM x\nHEALTHCHECK", 2, 1, "HEALTHCHECK names nothing"),
        ("FROM x\nHEALTHCHECK \"\"", 2, 13, " is no kind of check"),
        ("FROM x\nHEALTHCHECK curl x", 2, 13, "\"curl\" is no kind of check"),
        ("FROM x\nHEALTHCHECK CMD", 2, 1, "names no command"),
        ("FROM x\nHEALTHCHECK NONE x", 2, 18, "takes nothing more"),
        (
            "FROM x\nHEALTHCHECK --interval=5 CMD x",
            2,
            24,
            "--interval=5: not a time",
        ),
        ("FROM x\nHEALTHCHECK --interval=1us CMD x", 2, 24, "too short"),
        ("FROM x\nHEALTHCHECK --timeout=-1s CMD x", 2, 23, "below zero"),
        ("FROM x\nHEALTHCHECK --retries=-1 CMD x", 2, 23, "not a number"),
        ("FROM x\nONBUILD", 2, 1, "ONBUILD names nothing"),
        ("FROM x\nONBUILD ONBUILD ENV A=1", 2, 9, "cannot stand behind ONBUILD"),
        ("FROM x\nONBUILD FROM y", 2, 9, "FROM cannot stand behind ONBUILD"),
        ("FROM x\nONBUILD MAINTAINER y", 2, 9, "MAINTAINER cannot stand"),
        ("FROM x\nONBUILD COPY a", 2, 9, "COPY needs a source"),
        ("# escape=`\n# escape=`\nFROM x", 2, 3, "twice"),
    ] {
        let (found_line, found_column, message) = fails(text);
        assert!(message.contains(expected), "{text:?}: {message}");
        assert_eq!((found_line, found_column), (line, column), "{text:?}: {message}");
    }
}

#[test]
fn an_error_shows_its_line_and_what_was_meant() {
    let error = Dockerfile::parse("docker/Dockerfile", b"FROM x\n  CPOY a b\n").expect_err("typo");
    assert_eq!(error.to_string(), "docker/Dockerfile:2:3: CPOY a b");
    assert_eq!(error.hints(), ["did you mean COPY?"]);
    let error = Dockerfile::parse("d", b"FROM x\nCOPY --chwon=1 a b\n").expect_err("typo");
    assert_eq!(error.hints(), ["did you mean --chown?"]);
}

#[test]
fn bytes_that_are_no_text() {
    let parse = |bytes: &[u8]| Dockerfile::parse("d", bytes);
    assert!(parse(b"\xEF\xBB\xBFFROM x\n").is_ok());
    assert_eq!(
        parse(b"\xEF\xBB\xBF# escape=`\r\nFROM x\r\n").expect("mark").escape,
        '`'
    );
    assert!(parse(b"# M\xFCller\nFROM x\n").is_ok());
    let error = parse(b"FROM x\nLABEL a=M\xFCller\n").expect_err("Latin-1");
    assert_eq!((error.position.line, error.position.column), (2, 10));
    assert!(parse(b"\xFF\xFEF\0R\0").expect_err("UTF-16").hints()[0].contains("UTF-8"));
    assert!(parse(&vec![b' '; TEXT_LIMIT + 1]).is_err());
}

#[test]
fn oddities_are_told() {
    let text = "FROM x AS scratch\nENV A=1 \\\n\n B=2\nFROM y AS a\nFROM z AS A\n";
    let notices = Dockerfile::parse("d", text.as_bytes()).expect("Dockerfile").notices;
    assert_eq!(notices.len(), 3, "{notices:?}");
    assert!(notices.iter().any(|notice| notice.starts_with("d:2: an empty line")));
    assert!(notices.iter().any(|notice| notice.starts_with("d:1: scratch means")));
    assert!(notices.iter().any(|notice| notice.starts_with("d:6: a names two")));
}

/// Pieces that have a meaning, so that chance puts meanings together.
const PIECES: [&str; 58] = [
    "FROM ",
    "COPY ",
    "ADD ",
    "ENV ",
    "LABEL ",
    "ARG ",
    "RUN ",
    "CMD ",
    "ENTRYPOINT ",
    "ONBUILD ",
    "HEALTHCHECK ",
    "SHELL ",
    "VOLUME ",
    "EXPOSE ",
    "WORKDIR ",
    "USER ",
    "STOPSIGNAL ",
    "MAINTAINER ",
    "AS ",
    "x",
    "a=b",
    "=",
    "\n",
    "\n",
    "\n",
    " ",
    "\t",
    "\r\n",
    "\\",
    "\\\n",
    "`",
    "'",
    "\"",
    "$",
    "${",
    "}",
    "${a:-",
    "${a#",
    "${a%%*",
    "${a//",
    "/",
    "*",
    "?",
    "[",
    "]",
    ",",
    "[\"a\"]",
    "<<",
    "<<EOF",
    "<<-'E'",
    "EOF\n",
    "#",
    "# escape=`\n",
    "--",
    "--from=",
    "ä한",
    "\u{0}",
    "NONE",
];

#[test]
fn no_text_makes_it_panic_or_hang() {
    let mut random = fastrand::Rng::with_seed(20_260_813);
    for round in 0..5_000 {
        let mut text = String::from(if round % 2 == 0 { "FROM x\n" } else { "" });
        for _ in 0..random.usize(0..40) {
            text.push_str(PIECES[random.usize(..PIECES.len())]);
        }
        let parsed = Dockerfile::parse("d", text.as_bytes());
        let _ = trigger(&text, '\\');
        for expand in [
            crate::dockerfile::expand::expand,
            |word: &str, _, lookup: crate::dockerfile::expand::Lookup<'_>| {
                crate::dockerfile::expand::expand_raw(word, lookup)
            },
        ] {
            let _ = expand(&text, '\\', &|name| (name == "a").then(|| "a/b*\n".repeat(9)));
        }
        if let Err(error) = parsed {
            let line = error.position.line;
            assert!(
                line >= 1 && line <= text.lines().count().max(1),
                "{text:?}: {:?}",
                error.position
            );
        }
    }
}

#[test]
fn much_text_takes_little_time() {
    // Each of these would take hours if anything took time with the square of its input.
    let many = 50_000;
    for text in [
        format!("FROM x\nENV {}", "A=1 \\\n".repeat(many)),
        format!("FROM x\nENV {}", "A=1 ".repeat(many)),
        format!("FROM x\nRUN {}", "<<".repeat(many)),
        format!("FROM x\nRUN {}", "<<x ".repeat(many)),
        format!("FROM x\nRUN x {}", "\\\n\n".repeat(many)),
        format!("FROM x\nCOPY {} /", "--exclude=a ".repeat(many)),
        format!("FROM x\nCMD {}", "[".repeat(many)),
        "FROM x\n".repeat(many),
        format!("FROM x\n{}", "\\\n".repeat(many)),
        format!("FROM x\nCOPY {} /\n{}", "<<a ".repeat(many / 4), "a\n".repeat(many / 4)),
    ] {
        let _ = Dockerfile::parse("d", text.as_bytes());
    }
}
