//! `COPY`: what its sources are, and where its destination is.

use super::super::case::{Builder, Case};

/// From a context to places that are there or not.
pub(in super::super) fn places() -> Vec<Case> {
    vec![
        Case::new("file-to-file", "FROM scratch\nCOPY a.txt /b.txt\nCOPY a.txt /deep/er/c.txt\n").file("a.txt", "a\n"),
        Case::new("file-to-missing-directory", "FROM scratch\nCOPY a.txt /new/directory/\n").file("a.txt", "a\n"),
        Case::new(
            "file-to-existing-directory",
            "FROM %rich%\nCOPY a.txt /srv\nCOPY a.txt /home/app/\nCOPY a.txt /srv/shared/inner/.\n",
        )
        .file("a.txt", "a\n"),
        Case::new("file-over-file", "FROM %rich%\nCOPY a.txt /etc/settings\nCOPY a.txt /usr/bin/tool\n").file("a.txt", "a\n"),
        Case::new("file-over-hard-link", "FROM %rich%\nCOPY a.txt /opt/second\n").file("a.txt", "a\n"),
        Case::new("several-sources", "FROM scratch\nCOPY a.txt dir/b.txt c/ /out/\n").files(&["a.txt", "dir/b.txt", "c/d.txt", "c/e/f.txt"]),
        Case::new("relative-destinations", "FROM %rich%\nWORKDIR /srv/app\nCOPY a.txt b.txt\nCOPY a.txt ./c/\nCOPY a.txt ../d.txt\nCOPY a.txt .\n")
            .file("a.txt", "a\n"),
        Case::new("destination-leaves-the-root", "FROM scratch\nWORKDIR /x\nCOPY a.txt ../../../up.txt\nCOPY a.txt /../../top.txt\n")
            .file("a.txt", "a\n"),
        Case::new("inherited-group", "FROM %rich%\nCOPY d /srv/shared/copied\nWORKDIR /srv/shared/worked\n").file("d/a.txt", "a\n"),
        Case::new("same-path-twice", "FROM scratch\nCOPY a.txt /x\nCOPY b.txt /x\nCOPY --chown=3 c.txt /x\n").files(&["a.txt", "b.txt", "c.txt"]),
        Case::new("sticky-directory-kept", "FROM %rich%\nCOPY a.txt /tmp/\nCOPY d /tmp\nCOPY a.txt /srv/shared/\n")
            .files(&["a.txt", "d/inner.txt"]),
        Case::new("sources-with-slashes", "FROM scratch\nCOPY ./a.txt /one/\nCOPY /a.txt /two/\nCOPY d/ /three/\nCOPY ./d/. /four\nCOPY d/../a.txt /five/\n")
            .files(&["a.txt", "d/b.txt"]),
        Case::new("source-leaves-the-context", "FROM scratch\nCOPY ../../a.txt /x/\n").file("a.txt", "a\n"),
        Case::new("missing-source", "FROM scratch\nCOPY missing.txt /\n").file("a.txt", "a\n").fails(),
        Case::new("one-of-two-missing", "FROM scratch\nCOPY a.txt missing.txt /out/\n").file("a.txt", "a\n").fails(),
        Case::new("pattern-matches-nothing", "FROM scratch\nCOPY *.sql /\n")
            .file("a.txt", "a\n")
            .judged_by(Builder::Docker)
            .fails(),
        Case::new("several-without-slash", "FROM scratch\nCOPY a.txt b.txt /out\n")
            .files(&["a.txt", "b.txt"])
            .judged_by(Builder::Docker)
            .fails(),
        Case::new("pattern-of-several-without-slash", "FROM scratch\nCOPY *.txt /out\n")
            .files(&["a.txt", "b.txt"])
            .judged_by(Builder::Docker)
            .fails(),
        Case::new("directory-over-file", "FROM %rich%\nCOPY d /etc/settings\n").file("d/a.txt", "a\n").fails(),
        Case::new("file-below-file", "FROM %rich%\nCOPY d/a.txt /etc/settings/a.txt\n").file("d/a.txt", "a\n").fails(),
    ]
}

/// Directories: their own modes, what is in them, and what they meet.
pub(in super::super) fn directories() -> Vec<Case> {
    let tree = |case: Case| {
        case.directory("d/empty", 0o755)
            .directory("d/private", 0o700)
            .file("d/private/secret.txt", "s\n")
            .file_of_mode("d/run.sh", 0o755, "#!/bin/sh\n")
            .file_of_mode("d/only-owner", 0o600, "o\n")
            .file_of_mode("d/group", 0o664, "g\n")
            .directory("d/open", 0o777)
    };
    vec![
        tree(Case::new("directory-to-missing", "FROM scratch\nCOPY d /out\nCOPY d/ /other/\nCOPY d /deep/er/place\n")),
        tree(Case::new("directory-of-mode-to-missing", "FROM scratch\nCOPY d/private /out\nCOPY d/open /other/\n")),
        tree(Case::new("directory-to-existing", "FROM %rich%\nCOPY d /home/app\nCOPY d /srv/shared/\nCOPY d /\n")),
        Case::new("directory-meets-directory", "FROM %rich%\nCOPY d /srv\n")
            .directory("d/shared", 0o711)
            .directory("d/shared/inner", 0o755)
            .file("d/shared/inner/new", "new\n"),
        Case::new("whole-context", "FROM scratch\nCOPY . /app\n").files(&["a.txt", "d/b.txt", ".hidden", "d/.dotted/c"]).directory("none", 0o755),
        Case::new("whole-context-to-workdir", "FROM scratch\nWORKDIR /app\nCOPY . .\n").files(&["a.txt", "d/b.txt"]),
        Case::new("directory-with-slash-and-pattern", "FROM scratch\nCOPY d/* /out/\n").files(&["d/a.txt", "d/e/b.txt", "d/e/f/c.txt", "d/.hidden"]),
        Case::new("special-modes", "FROM scratch\nCOPY d /out/\n")
            .directory("d/sticky", 0o1777)
            .directory("d/inherits", 0o2775)
            .file_of_mode("d/raised", 0o4755, "r\n")
            .file_of_mode("d/none", 0o000, "n\n"),
        Case::new("empty-directory", "FROM scratch\nCOPY none /out\nCOPY none /other/below/\n").directory("none", 0o750).file("a", "a"),
        Case::new("over-what-layers-removed", "FROM %rich%\nCOPY a.txt /opt/gone/file\nCOPY a.txt /opt/becomes-file\nCOPY a.txt /opt/becomes-directory\nCOPY a.txt /opt/hidden/before\n")
            .file("a.txt", "a\n"),
        Case::new("a-directory-that-layers-made-a-file", "FROM %rich%\nCOPY d /opt/becomes-file\n").file("d/a.txt", "a\n").fails(),
    ]
}

/// Names and patterns.
pub(in super::super) fn names() -> Vec<Case> {
    vec![
        Case::new("patterns", "FROM scratch\nCOPY *.sql conf/?.txt [a-c]*.md /out/\n")
            .files(&["V1.sql", "V2.sql", "conf/x.txt", "conf/long.txt", "apple.md", "banana.md", "date.md", "sub/V3.sql"]),
        Case::new("pattern-over-directories", "FROM scratch\nCOPY d* /out/\nCOPY */deep /deep/\n")
            .files(&["d1/a.txt", "d2/b.txt", "d3.txt", "d1/deep/x", "d2/deep/y"]),
        Case::new("pattern-of-one-file", "FROM scratch\nCOPY a*.txt /out\n").files(&["abc.txt", "b.txt"]),
        Case::new("pattern-of-one-directory", "FROM scratch\nCOPY d* /out\n").files(&["dir/a.txt", "other/b.txt"]),
        Case::new("pattern-ranges", "FROM scratch\nCOPY [^a]?.txt /out/\nCOPY x[0-9][!z] /out/\n").files(&["a1.txt", "b1.txt", "c2.txt", "x1y", "x2!", "x3z"]),
        Case::new("names-in-json", "FROM scratch\nCOPY [\"with space.txt\", \"ünï cöde/\", \"/the place/\"]\nCOPY [\"with space.txt\", \"/ein täg.txt\"]\n")
            .files(&["with space.txt", "ünï cöde/日本.txt"]),
        Case::new("unicode-names", "FROM scratch\nCOPY ünïcode/ /größe/\nCOPY 日*.txt /x/\n").files(&["ünïcode/ä.txt", "日本.txt"]),
        Case::new("brackets-in-names", "FROM scratch\nCOPY a[[]1].txt /out/\nCOPY b\\*c /out/\n").files(&["a[1].txt", "a1.txt", "b*c", "bxc"]),
        Case::new("long-names", "FROM scratch\nCOPY . /out/\n")
            .file(&format!("{}/{}/{}.txt", "d".repeat(90), "e".repeat(90), "f".repeat(200)), "long\n")
            .link("far", &"t".repeat(150)),
        Case::new("variables-in-paths", "FROM scratch\nARG NAME=b\nENV DIR=/from/env PART=d\nCOPY ${NAME}.txt $DIR/${NAME}/\nCOPY ${PART}/* ${MISSING:-/fallback}/\n")
            .files(&["b.txt", "d/c.txt"]),
    ]
}

/// Symbolic and hard links, in the context and in the base.
pub(in super::super) fn links() -> Vec<Case> {
    vec![
        Case::new("link-in-directory", "FROM scratch\nCOPY d /out/\n")
            .file("d/real.txt", "real\n")
            .link("d/link", "real.txt")
            .link("d/dangling", "missing")
            .link("d/absolute", "/etc/passwd")
            .link("d/up", "../elsewhere")
            .link("d/folder", "inner")
            .file("d/inner/x", "x\n"),
        Case::new("link-as-source", "FROM scratch\nCOPY link /copied\nCOPY link /into/\n").file("real.txt", "real\n").link("link", "real.txt"),
        Case::new("linked-directory-as-source", "FROM scratch\nCOPY link /out\nCOPY link/ /other/\nCOPY link/a.txt /third/\n")
            .file("real/a.txt", "a\n")
            .link("link", "real"),
        Case::new("absolute-link-in-the-context", "FROM scratch\nCOPY link/a.txt /out/\n").file("real/a.txt", "a\n").link("link", "/real"),
        Case::new("pattern-over-links", "FROM scratch\nCOPY l* /out/\n").file("real.txt", "real\n").link("l1", "real.txt").file("l2", "2\n"),
        Case::new("hard-links-in-the-context", "FROM scratch\nCOPY d /out/\n").file("d/a", "same\n").hard_link("d/b", "d/a").hard_link("d/e/c", "d/a"),
        Case::new("destination-below-a-link", "FROM %rich%\nCOPY a.txt /lib/added.so\nCOPY a.txt /bin/\nCOPY a.txt /var/run/a.pid\nCOPY d /srv/to-to-shared/inner/deep/\n")
            .files(&["a.txt", "d/b.txt"]),
        Case::new("destination-is-a-linked-directory", "FROM %rich%\nCOPY a.txt /bin\nCOPY a.txt /srv/to-shared\nCOPY d /srv/to-to-shared\n")
            .files(&["a.txt", "d/b.txt"]),
        Case::new("destination-is-a-linked-file", "FROM %rich%\nCOPY a.txt /etc/settings-link\n").file("a.txt", "a\n"),
        Case::new("destination-is-a-dangling-link", "FROM %rich%\nCOPY a.txt /srv/nowhere/\n").file("a.txt", "a\n"),
        Case::new("destination-link-leaves-the-root", "FROM %rich%\nCOPY a.txt /srv/outside/\n").file("a.txt", "a\n"),
        Case::new("directory-over-linked-directory", "FROM %rich%\nCOPY root /\n").files(&["root/lib/new.so", "root/bin/new", "root/etc/new"])
            .judged_by(Builder::Docker),
        Case::new("link-over-file", "FROM %rich%\nCOPY d /etc\n").link("d/settings", "elsewhere").file("d/x", "x\n"),
        Case::new("file-over-link", "FROM %rich%\nCOPY d /etc\n").file("d/settings-link", "a file\n"),
        Case::new("link-over-directory", "FROM %rich%\nCOPY d /srv\n").link("d/shared", "elsewhere").fails(),
        Case::new("file-over-directory", "FROM %rich%\nCOPY d /srv\n").file("d/shared", "a file\n").fails(),
    ]
}
