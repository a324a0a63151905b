//! Stages, and files from stages and images.

use super::super::case::{Builder, Case};

pub(in super::super) fn cases() -> Vec<Case> {
    vec![
        Case::new("from-stage-by-name", "FROM scratch AS made\nCOPY d /made/\nFROM scratch\nCOPY --from=made /made/a.txt /x\nCOPY --from=made /made /whole\n")
            .file("d/a.txt", "a\n")
            .file_of_mode("d/run", 0o755, "r\n"),
        Case::new("from-stage-by-number", "FROM scratch\nCOPY a.txt /zero\nFROM scratch\nCOPY --from=0 /zero /one\nFROM scratch\nCOPY --from=1 /one /two\n")
            .file("a.txt", "a\n"),
        Case::new("from-stage-keeps-owners", "FROM scratch AS made\nCOPY --chown=7:8 d /made/\nFROM scratch\nCOPY --from=made /made /kept/\nCOPY --from=made --chown=1:2 /made /given/\n")
            .file("d/a.txt", "a\n")
            .link("d/link", "a.txt")
            .directory("d/inner", 0o700),
        Case::new("from-image", "FROM scratch\nCOPY --from=%rich% /etc/passwd /etc/\nCOPY --from=%rich% /home /home\nCOPY --from=%rich% /opt /opt/\n"),
        Case::new("from-image-below-links", "FROM scratch\nCOPY --from=%rich% /bin/tool /bin/tool\nCOPY --from=%rich% /lib/library.so /var/run /out/\nCOPY --from=%rich% /srv/to-to-shared/inner/kept /kept\n"),
        Case::new("from-image-a-link", "FROM scratch\nCOPY --from=%rich% /etc/settings-link /x\nCOPY --from=%rich% /srv/to-shared /y\n"),
        Case::new("from-image-hard-links-and-capabilities", "FROM scratch\nCOPY --from=%rich% /usr/bin /usr/bin\n"),
        Case::new("from-image-special-modes", "FROM scratch\nCOPY --from=%rich% /tmp /tmp\nCOPY --from=%rich% /srv/shared /shared\nCOPY --from=%rich% /usr/bin/raised /raised\n"),
        Case::new("from-image-whole", "FROM scratch\nCOPY --from=%rich% / /\n"),
        Case::new("from-image-pattern", "FROM scratch\nCOPY --from=%rich% /usr/bin/to* /opt/f* /out/\n"),
        Case::new("from-image-removed-file", "FROM scratch\nCOPY --from=%rich% /opt/gone/file /x\n").fails(),
        Case::new("from-image-hidden-file", "FROM scratch\nCOPY --from=%rich% /opt/hidden/before /x\n").fails(),
        Case::new("from-stage-on-base", "FROM %rich% AS made\nCOPY a.txt /etc/settings\nCOPY a.txt /lib/\nFROM scratch\nCOPY --from=made /etc/settings /usr/lib /out/\n")
            .file("a.txt", "a\n"),
        Case::new("from-relative-source", "FROM scratch AS made\nWORKDIR /work\nCOPY a.txt b.txt\nFROM scratch\nCOPY --from=made work/b.txt /x\n").file("a.txt", "a\n"),
        Case::new("stage-on-stage", "FROM %rich% AS first\nENV A=1\nWORKDIR /w\nCOPY a.txt .\nCMD [\"x\"]\nFROM first AS second\nENV B=$A\nCOPY a.txt b.txt\nENTRYPOINT [\"y\"]\nFROM second\nLABEL c=$B\n")
            .file("a.txt", "a\n"),
        Case::new("stage-names-in-any-case", "FROM scratch AS Made\nCOPY a.txt /a\nFROM scratch\nCOPY --from=MADE /a /b\n").file("a.txt", "a\n"),
        Case::new("target-by-name", "FROM scratch AS one\nCOPY a.txt /one\nFROM scratch AS two\nCOPY a.txt /two\nFROM one\nCOPY a.txt /three\n")
            .file("a.txt", "a\n")
            .options(&["--target", "two"]),
        Case::new("target-by-number", "FROM scratch\nCOPY a.txt /zero\nFROM scratch\nCOPY a.txt /one\nFROM scratch\nCOPY a.txt /two\n")
            .file("a.txt", "a\n")
            .options(&["--target", "1"])
            .judged_by(Builder::Buildah),
        Case::new("target-missing", "FROM scratch AS one\nCOPY a.txt /one\n").file("a.txt", "a\n").options(&["--target", "two"]).fails(),
        Case::new("stage-that-nobody-needs", "FROM scratch AS heavy\nCOPY missing.txt /\nRUN exit 1\nFROM scratch\nCOPY a.txt /\n").file("a.txt", "a\n"),
        Case::new("from-unknown-stage", "FROM scratch\nCOPY --from=later /x /y\nFROM scratch AS later\nCOPY a.txt /x\n").file("a.txt", "a\n").options(&["--target", "0"]).fails(),
        Case::new("base-from-argument", "ARG BASE=scratch\nARG NAME=made\nFROM ${BASE} AS made\nCOPY a.txt /a\nFROM $NAME\nCOPY a.txt /b\n")
            .file("a.txt", "a\n")
            .options(&["--build-arg", "BASE=%rich%"]),
        Case::new("onbuild-executed", "FROM %triggers%\nCOPY given.txt after.txt\n").files(&["given.txt", "more/x"]),
        Case::new("onbuild-executed-with-argument", "FROM %triggers%\nCMD [\"x\"]\n").files(&["given.txt", "more/x"]).options(&["--build-arg", "WHERE=given"]),
        Case::new("onbuild-executed-once", "FROM %triggers% AS built\nFROM built\nCOPY given.txt /second\n").files(&["given.txt", "more/x"]),
        Case::new("onbuild-of-a-stage", "FROM scratch AS base\nONBUILD COPY a.txt /by-trigger\nONBUILD ENV X=1\nFROM base\nENV Y=$X\n").file("a.txt", "a\n"),
        Case::new("the-flyway-dockerfile", "FROM %flyway%\n\nWORKDIR /flyway\n\nCOPY conf/flyway.conf /flyway/conf\nADD scripts /flyway/sql\n\nCMD [\"migrate\"]\n")
            .file("conf/flyway.conf", "flyway.url=jdbc:mysql://db/orders\n")
            .files(&["scripts/V1__a.sql", "scripts/V2__b.sql"]),
    ]
}
