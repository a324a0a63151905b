//! What neither Docker 20.10 nor buildah 1.28 knows: the expectations say what the Dockerfile reference says.

use super::super::case::Case;
use super::super::context::Archive;

/// The config of an image of nothing.
const NOTHING: &str = r#"{
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "WorkingDir": "/", "architecture": "amd64", "os": "linux"
}"#;

pub(in super::super) fn cases() -> Vec<Case> {
    [flags(), heredocs(), contexts(), addresses(), variables()].concat()
}

fn flags() -> Vec<Case> {
    let tree = |case: Case| case.files(&["d/a.txt", "d/b.md", "d/e/c.txt", "d/e/keep.md", "d/e/f/g.txt", "x.txt"]);
    vec![
        tree(Case::new("link", "FROM scratch\nCOPY --link d/a.txt x.txt /out/deep/\nADD --link --chown=1:2 --chmod=600 x.txt /y\nCOPY --link=false x.txt /z\n"))
            .expected(
                r#"
                out  directory 0755 0:0
                out/deep  directory 0755 0:0
                out/deep/a.txt  file 0644 0:0 "d/a.txt\n"
                out/deep/x.txt  file 0644 0:0 "x.txt\n"
                y  file 0600 1:2 "x.txt\n"
                z  file 0644 0:0 "x.txt\n"
                "#,
                NOTHING,
            ),
        tree(Case::new("exclude", "FROM scratch\nCOPY --exclude=*.md --exclude=e/f d /one/\nCOPY --exclude=**/*.txt d /two/\n")).expected(
            r#"
            one  directory 0755 0:0
            one/a.txt  file 0644 0:0 "d/a.txt\n"
            one/e  directory 0755 0:0
            one/e/c.txt  file 0644 0:0 "d/e/c.txt\n"
            one/e/keep.md  file 0644 0:0 "d/e/keep.md\n"
            two  directory 0755 0:0
            two/b.md  file 0644 0:0 "d/b.md\n"
            two/e  directory 0755 0:0
            two/e/f  directory 0755 0:0
            two/e/keep.md  file 0644 0:0 "d/e/keep.md\n"
            "#,
            NOTHING,
        ),
        tree(Case::new("exclude-from-a-stage", "FROM scratch AS made\nCOPY d /d/\nFROM scratch\nARG WHAT=e\nCOPY --from=made --exclude=$WHAT --exclude=b.* /d /out\n"))
            .expected(
                r#"
                out  directory 0755 0:0
                out/a.txt  file 0644 0:0 "d/a.txt\n"
                "#,
                NOTHING,
            ),
        tree(Case::new("parents", "FROM scratch\nCOPY --parents d/e/c.txt x.txt /one/\nCOPY --parents d/*/*.md /two/\n")).expected(
            r#"
            one  directory 0755 0:0
            one/d  directory 0755 0:0
            one/d/e  directory 0755 0:0
            one/d/e/c.txt  file 0644 0:0 "d/e/c.txt\n"
            one/x.txt  file 0644 0:0 "x.txt\n"
            two  directory 0755 0:0
            two/d  directory 0755 0:0
            two/d/e  directory 0755 0:0
            two/d/e/keep.md  file 0644 0:0 "d/e/keep.md\n"
            "#,
            NOTHING,
        ),
        tree(Case::new("parents-from-a-pivot", "FROM scratch\nCOPY --parents d/./e/c.txt /one/\nCOPY --parents ./d/./e/*.md /two/\nCOPY --parents d/./**/g.txt /three/\n"))
            .expected(
                r#"
                one  directory 0755 0:0
                one/e  directory 0755 0:0
                one/e/c.txt  file 0644 0:0 "d/e/c.txt\n"
                three  directory 0755 0:0
                three/e  directory 0755 0:0
                three/e/f  directory 0755 0:0
                three/e/f/g.txt  file 0644 0:0 "d/e/f/g.txt\n"
                two  directory 0755 0:0
                two/e  directory 0755 0:0
                two/e/keep.md  file 0644 0:0 "d/e/keep.md\n"
                "#,
                NOTHING,
            ),
        tree(Case::new("parents-of-a-directory", "FROM scratch AS made\nCOPY d /test/d/\nFROM scratch\nCOPY --from=made --parents /test/d/e/f /out/\nCOPY --from=made --parents /test/./d/e/f /pivot/\n"))
            .expected(
                r#"
                out  directory 0755 0:0
                out/test  directory 0755 0:0
                out/test/d  directory 0755 0:0
                out/test/d/e  directory 0755 0:0
                out/test/d/e/f  directory 0755 0:0
                out/test/d/e/f/g.txt  file 0644 0:0 "d/e/f/g.txt\n"
                pivot  directory 0755 0:0
                pivot/d  directory 0755 0:0
                pivot/d/e  directory 0755 0:0
                pivot/d/e/f  directory 0755 0:0
                pivot/d/e/f/g.txt  file 0644 0:0 "d/e/f/g.txt\n"
                "#,
                NOTHING,
            ),
        Case::new("chmod-symbolic", "FROM scratch\nCOPY --chmod=u=rwX,go=rX d /one/\nCOPY --chmod=go-w,+x d/a.txt /two\nCOPY --chmod=a=r d/run /three\n")
            .file_of_mode("d/a.txt", 0o666, "a\n")
            .file_of_mode("d/run", 0o700, "r\n")
            .directory("d/e", 0o777)
            .expected(
                r#"
                one  directory 0755 0:0
                one/a.txt  file 0644 0:0 "a\n"
                one/e  directory 0755 0:0
                one/run  file 0755 0:0 "r\n"
                three  file 0444 0:0 "r\n"
                two  file 0755 0:0 "a\n"
                "#,
                NOTHING,
            ),
        Case::new("chmod-with-variable", "FROM scratch\nARG MODE=640\nCOPY --chmod=$MODE a.txt /x\n").file("a.txt", "a\n").expected(
            r#"
            x  file 0640 0:0 "a\n"
            "#,
            NOTHING,
        ),
        Case::new("chmod-nonsense", "FROM scratch\nCOPY --chmod=rwx a.txt /x\n").file("a.txt", "a\n").expected("", "{}").fails(),
        Case::new("unpack", "FROM scratch\nADD --unpack=false a.tar /kept/\nADD --unpack=true a.tar /open/\nADD --unpack=true %server%/archive.tar.gz /fetched/\n")
            .file("a.tar", Archive::new().file("x", 0o640, (3, 4), b"x\n").bytes())
            .expected(
                r#"
                fetched  directory 0755 0:0
                fetched/inside.txt  file 0600 5:6 "inside\n"
                kept  directory 0755 0:0
                kept/a.tar  file 0644 0:0 2048 bytes, crc 390c36c6
                open  directory 0755 0:0
                open/x  file 0640 3:4 "x\n"
                "#,
                NOTHING,
            ),
        Case::new("healthcheck-start-interval", "FROM scratch\nHEALTHCHECK --start-interval=5s --start-period=1m CMD [\"x\"]\n").expected(
            "",
            r#"{
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "Healthcheck": {"Test": ["CMD", "x"], "StartPeriod": 60000000000, "StartInterval": 5000000000},
                "WorkingDir": "/", "architecture": "amd64", "os": "linux"
            }"#,
        ),
        Case::new("syntax-and-check-directives", "# syntax=docker/dockerfile:1.20\n# check=skip=all\n\nFROM scratch\nCOPY a.txt /x\n").file("a.txt", "a\n").expected(
            r#"
            x  file 0644 0:0 "a\n"
            "#,
            NOTHING,
        ),
    ]
}

fn heredocs() -> Vec<Case> {
    vec![
        Case::new(
            "heredoc",
            "FROM scratch\nARG NAME=you\nCOPY <<EOF /a.txt\nhello $NAME\n  and ${NONE:-nobody}\nEOF\nCOPY <<\"EOF\" /b.txt\nraw $NAME \\n\nEOF\n\
             COPY <<-'END' /c.txt\n\ttabs\n\t\tgone $NAME\n\tEND\nCOPY <<EOF /dir/\nnamed by its end\nEOF\n",
        )
        .expected(
            r#"
            a.txt  file 0644 0:0 "hello you\n  and nobody\n"
            b.txt  file 0644 0:0 "raw $NAME \\n\n"
            c.txt  file 0644 0:0 "tabs\ngone $NAME\n"
            dir  directory 0755 0:0
            dir/EOF  file 0644 0:0 "named by its end\n"
            "#,
            NOTHING,
        ),
        Case::new(
            "heredocs-and-files",
            "FROM scratch\nCOPY <<one.txt <<two.txt a.txt /out/\n1\none.txt\n2\n\ntwo.txt\nADD --chown=1:2 --chmod=750 <<run.sh /bin/\n#!/bin/sh\nrun.sh\nCOPY <<EMPTY /empty\nEMPTY\nCMD [\"x\"]\n",
        )
        .file("a.txt", "a\n")
        .expected(
            r##"
            bin  directory 0755 1:2
            bin/run.sh  file 0750 1:2 "#!/bin/sh\n"
            empty  file 0644 0:0 ""
            out  directory 0755 0:0
            out/a.txt  file 0644 0:0 "a\n"
            out/one.txt  file 0644 0:0 "1\n"
            out/two.txt  file 0644 0:0 "2\n\n"
            "##,
            r#"{
                "Cmd": ["x"],
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
                "WorkingDir": "/", "architecture": "amd64", "os": "linux"
            }"#,
        ),
        Case::new("heredoc-unfinished", "FROM scratch\nCOPY <<EOF /x\nnever ends\n").expected("", "{}").fails(),
    ]
}

fn contexts() -> Vec<Case> {
    vec![
        Case::new("named-context", "FROM scratch\nCOPY --from=other a.txt /x\nCOPY --from=other e /e/\n")
            .files(&["other/a.txt", "other/e/b.txt", "a.txt"])
            .options(&["--build-context", "other=context/other"])
            .expected(
                r#"
                e  directory 0755 0:0
                e/b.txt  file 0644 0:0 "other/e/b.txt\n"
                x  file 0644 0:0 "other/a.txt\n"
                "#,
                NOTHING,
            ),
        Case::new("named-context-is-an-image", "FROM scratch\nCOPY --from=users /etc/passwd /etc/group /out/\n")
            .options(&["--build-context", "users=docker-image://%triggers%", "--build-context", "users=docker-image://%rich%"])
            .expected(
                r#"
                out  directory 0755 0:0
                out/group  file 0644 0:0 "root:x:0:\nwww-data:x:33:\nstaff:x:50:app\napp:x:1001:\n"
                out/passwd  file 0644 0:0 "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\napp:x:1000:1001:App:/home/app:/bin/sh\nnumbered:x:1234:4321::/:/bin/sh\n"
                "#,
                NOTHING,
            ),
        Case::new("named-context-in-place-of-a-base", "FROM registry.example.com/base:1\nCOPY a.txt /work/\n")
            .file("a.txt", "a\n")
            .options(&["--build-context", "registry.example.com/base:1=docker-image://%arm%", "--platform", "linux/arm64"])
            .expected(
                r#"
                arm  directory 0755 0:0
                work  directory 0755 0:0
                work/a.txt  file 0644 0:0 "a\n"
                "#,
                r#"{"Env": ["PATH=/usr/bin:/bin"], "architecture": "arm64", "os": "linux"}"#,
            ),
        Case::new("named-context-in-place-of-a-stage", "FROM scratch AS made\nCOPY missing.txt /x\nFROM scratch\nCOPY --from=made a.txt /y\n")
            .files(&["other/a.txt"])
            .options(&["--build-context", "made=context/other"])
            .expected(
                r#"
                y  file 0644 0:0 "other/a.txt\n"
                "#,
                NOTHING,
            ),
    ]
}

fn addresses() -> Vec<Case> {
    vec![
        Case::new(
            "checksum",
            "FROM scratch\nADD --checksum=sha256:c4644a9da84020d942f9dc30b5d4a3e77407ab97f20547ed7954d100def77b95 %server%/hello.txt /x\n",
        )
        .expected(
            r#"
            x  file 0600 0:0 "hello from a server\n"
            "#,
            NOTHING,
        ),
        Case::new(
            "checksum-of-other-content",
            "FROM scratch\nADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 %server%/hello.txt /x\n",
        )
        .expected("", "{}")
        .fails(),
        Case::new(
            "checksum-of-a-file",
            "FROM scratch\nADD --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 a.txt /x\n",
        )
        .file("a.txt", "a\n")
        .expected("", "{}")
        .fails(),
    ]
}

/// Ways to fill in a variable that came after Docker 20.10.
fn variables() -> Vec<Case> {
    vec![
        Case::new(
            "expansion-without-colon",
            "FROM scratch\nENV A=a E=\nENV B=${A-x} C=${U-x} D=${A+y} F=${U+y} G=${E-empty} H=${E+set}\n",
        )
        .expected(
            "",
            r#"{
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=a", "E=", "B=a", "C=x", "D=y", "F=", "G=", "H=set"],
                "WorkingDir": "/", "architecture": "amd64", "os": "linux"
            }"#,
        ),
        Case::new(
            "expansion-of-parts",
            "FROM scratch\nENV P=/a/b/b.tar.gz\nENV A=${P#*/} B=${P##*/} C=${P%.*} D=${P%%.*} E=${P/b/x} F=${P//b/x} G=${P#nothing}\n",
        )
        .expected(
            "",
            r#"{
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "P=/a/b/b.tar.gz", "A=a/b/b.tar.gz", "B=b.tar.gz",
                    "C=/a/b/b.tar", "D=/a/b/b", "E=/a/x/b.tar.gz", "F=/a/x/x.tar.gz", "G=/a/b/b.tar.gz"],
                "WorkingDir": "/", "architecture": "amd64", "os": "linux"
            }"#,
        ),
        Case::new("expansion-required", "FROM scratch\nENV A=${NEEDED:?it is needed}\n").expected("", "{}").fails(),
    ]
}
