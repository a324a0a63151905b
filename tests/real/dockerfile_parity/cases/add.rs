//! `ADD`: archives that are unpacked, and what is fetched.

use super::super::case::Case;
use super::super::context::Archive;

fn archive() -> Archive {
    Archive::new()
        .directory("top", 0o750, (11, 12))
        .file("top/owned.txt", 0o640, (13, 14), b"owned\n")
        .file("top/run.sh", 0o755, (0, 0), b"#!/bin/sh\n")
        .link("top/link", "owned.txt")
        .link("top/absolute", "/etc/passwd")
        .hard_link("top/again", "top/owned.txt", 0o640, (13, 14))
        .directory("top/empty", 0o1777, (0, 0))
        .file("ünï.txt", 0o600, (0, 0), b"unicode\n")
        .file("no/parents/here", 0o644, (21, 22), b"no parents\n")
}

pub(in super::super) fn archives() -> Vec<Case> {
    vec![
        Case::new("add-tar", "FROM scratch\nADD a.tar /out/\n").file("a.tar", archive().bytes()),
        Case::new("add-tar-gz", "FROM scratch\nADD a.tar.gz /out\n").file("a.tar.gz", archive().gzip()),
        Case::new("add-tar-xz", "FROM scratch\nADD a.tar.xz /out/\n").file("a.tar.xz", archive().packed_by("xz")),
        Case::new("add-tar-bz2", "FROM scratch\nADD a.tar.bz2 /out/\n").file("a.tar.bz2", archive().packed_by("bzip2")),
        Case::new("add-tar-by-any-name", "FROM scratch\nADD data.bin /out/\n").file("data.bin", archive().gzip()),
        Case::new(
            "add-what-is-no-tar",
            "FROM scratch\nADD text.tar text.tar.gz just.gz /out/\nADD empty.tar /out/\n",
        )
        .file("text.tar", "this is text\n")
        .file("text.tar.gz", "so is this\n")
        .file("empty.tar", "")
        .file("just.gz", gzip(b"compressed text, no archive")),
        Case::new("copy-tar-is-a-file", "FROM scratch\nCOPY a.tar.gz /out/\n")
            .file("a.tar.gz", Archive::new().file("x", 0o644, (0, 0), b"x").gzip()),
        Case::new("add-tar-among-others", "FROM scratch\nADD *.tar *.txt d /out/\n")
            .file("a.tar", archive().bytes())
            .files(&["b.txt", "d/c.txt"]),
        Case::new("add-tar-in-directory", "FROM scratch\nADD d /out/\n")
            .file("d/a.tar", Archive::new().file("x", 0o644, (0, 0), b"x").bytes()),
        Case::new("add-tar-to-existing", "FROM %rich%\nADD a.tar /srv\nADD a.tar /\n").file(
            "a.tar",
            Archive::new()
                .directory("shared", 0o711, (3, 4))
                .file("shared/inner/new", 0o644, (5, 6), b"new\n")
                .file("etc/settings", 0o600, (0, 0), b"replaced\n")
                .bytes(),
        ),
        Case::new("add-tar-over-links", "FROM %rich%\nADD a.tar /\n").file(
            "a.tar",
            Archive::new()
                .file("bin/added", 0o755, (0, 0), b"added\n")
                .file("lib/added.so", 0o644, (0, 0), b"added\n")
                .bytes(),
        ),
        Case::new("add-tar-with-directory-over-link", "FROM %rich%\nADD a.tar /\n").file(
            "a.tar",
            Archive::new()
                .directory("lib", 0o755, (0, 0))
                .file("lib/added.so", 0o644, (0, 0), b"added\n")
                .bytes(),
        ),
        Case::new(
            "add-tar-below-link",
            "FROM %rich%\nADD a.tar /srv/to-shared\nADD a.tar /bin/\n",
        )
        .file("a.tar", Archive::new().file("new", 0o644, (0, 0), b"new\n").bytes()),
        Case::new("add-tar-chown", "FROM %rich%\nADD --chown=app:staff a.tar /out/\n").file("a.tar", archive().bytes()),
        Case::new("add-tar-twice-the-same-path", "FROM scratch\nADD a.tar /\n").file(
            "a.tar",
            Archive::new()
                .file("x", 0o644, (0, 0), b"first\n")
                .file("x", 0o600, (1, 1), b"second\n")
                .file("d", 0o644, (0, 0), b"a file\n")
                .directory("d", 0o755, (0, 0))
                .bytes(),
        ),
        Case::new("add-tar-over-file", "FROM %rich%\nADD a.tar /etc/settings\n")
            .file("a.tar", Archive::new().file("x", 0o644, (0, 0), b"x").bytes())
            .fails(),
        Case::new(
            "add-like-copy",
            "FROM scratch\nADD a.txt /x\nADD d /d/\nADD [\"with space\", \"/w s/\"]\nADD --chown=1:2 a.txt /y\n",
        )
        .files(&["a.txt", "d/b.txt", "with space"]),
    ]
}

pub(in super::super) fn addresses() -> Vec<Case> {
    vec![
        Case::new(
            "add-url",
            "FROM scratch\nADD %server%/hello.txt /named.txt\nADD %server%/deep/path/hello.txt /directory/\n",
        ),
        Case::new(
            "add-url-to-existing",
            "FROM %rich%\nADD %server%/hello.txt /srv/\nADD --chown=app %server%/hello.txt /etc/settings\n",
        ),
        Case::new(
            "add-url-with-query",
            "FROM scratch\nADD %server%/hello.txt?version=1&x=y /directory/\n",
        ),
        Case::new("add-url-moved", "FROM scratch\nADD %server%/moved /hello.txt\n"),
        Case::new(
            "add-url-is-not-unpacked",
            "FROM scratch\nADD %server%/archive.tar.gz /directory/\n",
        ),
        Case::new(
            "add-url-with-variable",
            "FROM scratch\nARG NAME=hello\nADD %server%/${NAME}.txt /x\n",
        ),
        Case::new(
            "add-url-and-files",
            "FROM scratch\nADD %server%/hello.txt a.txt /directory/\n",
        )
        .file("a.txt", "a\n"),
        Case::new("add-url-missing", "FROM scratch\nADD %server%/nothing.txt /x\n").fails(),
        Case::new("copy-url", "FROM scratch\nCOPY %server%/hello.txt /x\n").fails(),
    ]
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}
