use std::io::Write as _;

use bytes::Bytes;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::oci::Attributes;
use crate::recipe::{Special, Stored};

mod random;

struct Tar(Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// An archive out of words: `dir/`, `file`, `file: text`, `link -> target`, `name = hard link`.
    fn of(words: &[&str]) -> Vec<u8> {
        let mut tar = Self::new();
        for word in words {
            if let Some((name, to)) = word.split_once(" -> ") {
                tar.add(name, EntryType::Symlink, |header| set_link(header, to), b"");
            } else if let Some((name, to)) = word.split_once(" = ") {
                tar.add(name, EntryType::Link, |header| set_link(header, to), b"");
            } else if word.ends_with('/') {
                tar.add(word, EntryType::Directory, |header| header.set_mode(0o755), b"");
            } else {
                let (name, text) = word.split_once(": ").unwrap_or((word, word));
                tar.add(name, EntryType::Regular, |_| {}, text.as_bytes());
            }
        }
        tar.finish()
    }

    /// Adds a member; the crate's own functions refuse the names that matter here.
    fn add(&mut self, name: &str, kind: EntryType, change: impl FnOnce(&mut Header), content: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        change(&mut header);
        header.set_cksum();
        self.0.append(&header, content).expect("member");
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect("tar")
    }
}

fn set_link(header: &mut Header, to: &str) {
    header.as_mut_bytes()[157..157 + to.len()].copy_from_slice(to.as_bytes());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

fn stored(bytes: Vec<u8>) -> FileContent {
    FileContent::Stored(Stored::Memory(Bytes::from(bytes)))
}

fn try_unpack(bytes: &[u8]) -> Result<Option<Vec<Entry>>, Problem> {
    let folder = tempfile::tempdir().expect("folder");
    let unpacked = unpack("t.tar", &stored(bytes.to_vec()), folder.path());
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("list").count(),
        0,
        "nothing is unpacked"
    );
    unpacked
}

/// What the members become, in words like those that `Tar::of` takes.
fn shown(bytes: &[u8]) -> Result<Vec<String>, String> {
    match try_unpack(bytes) {
        Ok(Some(entries)) => Ok(entries.iter().map(show).collect()),
        Ok(None) => Ok(vec!["no archive".to_owned()]),
        Err(problem) => {
            let cause = std::error::Error::source(&problem).map(ToString::to_string);
            Err(format!("{problem}: {}", cause.unwrap_or_default()))
        }
    }
}

fn show(entry: &Entry) -> String {
    let name = entry.path.relative();
    match &entry.content {
        FileContent::Directory => format!("{name}/"),
        FileContent::Link { to, .. } => format!("{name} -> {to}"),
        FileContent::HardLink(to) => format!("{name} = {}", to.relative()),
        FileContent::Stored(stored) => {
            let mut text = String::new();
            stored.reader().read_to_string(&mut text).expect("text");
            format!("{name}: {text}")
        }
        FileContent::Special(special) => format!("{name} {special:?}"),
        FileContent::Local { .. } => unreachable!("nothing of an archive is a file of this machine"),
    }
}

/// What `ADD` of Docker 20.10.24 made of these archives, by its own builder and by `BuildKit`, each tried with both.
#[test]
fn members_go_where_docker_puts_them() {
    for (words, expected) in [
        (&["a: 1", "d/", "d/b: 2"][..], &["a: 1", "d/", "d/b: 2"][..]),
        (&["../x: 1"], &["x: 1"]),
        (&["d/../x: 1"], &["x: 1"]),
        (&["d/../../o2/x: 1"], &["o2/x: 1"]),
        (&["/abs/x: 1"], &["abs/x: 1"]),
        (&["p/q/r: 1"], &["p/q/r: 1"]),
        (&["./", "./a: 1"], &["a: 1"]),
        (&["l -> sub", "sub/", "l/x: 1"], &["l -> sub", "sub/", "sub/x: 1"]),
        (&["l -> ../x"], &["l -> ../x"]),
        (&["l -> ../../../../etc"], &["l -> ../../../../etc"]),
        (&["d/", "d/l -> ../x"], &["d/", "d/l -> ../x"]),
        (&["l -> /etc/passwd"], &["l -> /etc/passwd"]),
        (&["a: 1", "h = a"], &["a: 1", "h = a"]),
        (&["a: 1", "h = /a"], &["a: 1", "h = a"]),
        (&["l -> a", "h = l"], &["h -> a", "l = h"]),
        (
            &["sub/", "sub/f: 1", "l -> sub", "h = l/f"],
            &["h: 1", "l -> sub", "sub/", "sub/f = h"],
        ),
        (&["a: 1", "a: 2"], &["a: 2"]),
        (&["a: 1", "a/"], &["a/"]),
        (&["a/", "a/x: 1", "a: 2"], &["a: 2"]),
        (&["a/", "a/x: 1", "b/", "a -> b"], &["a -> b", "b/"]),
        (&["b/", "a -> b", "a/", "a/x: 1"], &["a/", "a/x: 1", "b/"]),
        (&["b: 1", "a -> b", "a: 2"], &["a: 2", "b: 1"]),
        (&["a: 1", "h = a", "a: 2"], &["a: 2", "h: 1"]),
        (&["d/", "d/x: 1", "d/"], &["d/", "d/x: 1"]),
        (&[], &["no archive"]),
    ] {
        assert_eq!(shown(&Tar::of(words)).expect("unpacked"), expected, "{words:?}");
    }
    for (words, part) in [
        (&["h = ../etc/passwd"][..], "hard link to \"../etc/passwd\""),
        (&["h = nothing"], "hard link to \"nothing\""),
        (&["h = a", "a: 1"], "hard link to \"a\""),
        (&["d/", "h = d"], "hard link to \"d\""),
        (&["h = h"], "hard link to \"h\""),
        (&["a: 1", "a/x: 2"], "below \"a\""),
        // Docker takes these for files of that name, or drops them; in a layer they remove what is below.
        (&[".wh.a: 1"], ".wh.a"),
        (&["d/.wh..wh..opq: 1"], ".wh..wh..opq"),
        (&["d/.wh.x/y: 1"], ".wh.x"),
    ] {
        let error = shown(&Tar::of(words)).expect_err("refused");
        assert!(
            error.contains("t.tar holds") && error.contains(part),
            "{words:?}: {error}"
        );
    }
}

#[test]
fn links_of_the_archive_are_followed_within_it_only() {
    for (words, expected) in [
        (
            &["l -> /etc", "l/passwd: mine"][..],
            &["etc/passwd: mine", "l -> /etc"][..],
        ),
        (&["l -> ../../..", "l/x: 1"], &["l -> ../../..", "x: 1"]),
        (&["a -> b", "b -> c", "a/x: 1"], &["a -> b", "b -> c", "c/x: 1"]),
        (&["d/l -> ..", "d/l/d/l/x: 1"], &["d/l -> ..", "x: 1"]),
    ] {
        assert_eq!(shown(&Tar::of(words)).expect("unpacked"), expected, "{words:?}");
    }
    let error = shown(&Tar::of(&["a -> b", "b -> a", "a/x: 1"])).expect_err("circle");
    assert!(error.contains("in a circle"), "{error}");
}

#[test]
fn modes_owners_attributes_and_devices_stay() {
    let mut tar = Tar::new();
    let records: [(&str, &[u8]); 4] = [
        ("SCHILY.xattr.security.capability", b"\x01\0\0\x02"),
        ("uid", b"3000000"),
        ("mtime", b"1.5"),
        ("path", "ü".as_bytes()),
    ];
    tar.0.append_pax_extensions(records).expect("records");
    tar.add("short", EntryType::Regular, |header| header.set_mode(0o4755), b"x");
    let owned = |header: &mut Header| {
        header.set_mode(0o2750);
        header.set_uid(1000);
        header.set_gid(1001);
    };
    tar.add("dir/", EntryType::Directory, owned, b"");
    tar.add("pipe", EntryType::Fifo, |_| {}, b"");
    let device = |header: &mut Header| {
        header.set_device_major(8).expect("major");
        header.set_device_minor(1).expect("minor");
    };
    tar.add("char", EntryType::Char, device, b"");
    tar.add("block", EntryType::Block, device, b"");
    let entries = try_unpack(&tar.finish()).expect("unpacked").expect("archive");
    let names: Vec<&str> = entries.iter().map(|entry| entry.path.relative()).collect();
    assert_eq!(names, ["block", "char", "dir", "pipe", "ü"]);
    let (major, minor) = (8, 1);
    assert_eq!(
        entries[0].content,
        FileContent::Special(Special::Block { major, minor })
    );
    assert_eq!(
        entries[1].content,
        FileContent::Special(Special::Character { major, minor })
    );
    let attributes = |mode, uid, gid| Attributes { mode, uid, gid };
    assert_eq!(entries[2].attributes, attributes(0o2750, 1000, 1001));
    assert_eq!(entries[3].content, FileContent::Special(Special::Pipe));
    assert_eq!(entries[4].attributes, attributes(0o4755, 3_000_000, 0));
    assert_eq!(entries[4].extended["security.capability"], b"\x01\0\0\x02");
}

#[test]
fn every_compression_docker_knows_is_unpacked() {
    let plain = Tar::of(&["a: 1"]);
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&plain).expect("bzip2");
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    for bytes in [
        gzip(&plain),
        bzip2.finish().expect("bzip2"),
        zstd,
        XZ_OF_A.to_vec(),
        plain,
    ] {
        assert_eq!(shown(&bytes).expect("unpacked"), ["a: 1"], "{:?}", &bytes[..4]);
        // Cut off in its first block it is no archive as far as Docker can tell, later it is a damaged one.
        let cut = shown(&bytes[..bytes.len().min(600) / 2]);
        assert!(cut.is_err() || cut == Ok(vec!["no archive".to_owned()]), "{cut:?}");
    }
    for bytes in [gzip(b"hello"), b"hello".to_vec(), Vec::new(), b"BZh9".to_vec()] {
        assert_eq!(shown(&bytes).expect("copied"), ["no archive"]);
    }
}

#[test]
fn a_plain_archive_of_this_machine_is_read_in_place() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.tar");
    let long = "x".repeat(3000);
    let bytes = Tar::of(&["b: 1", &format!("a: {long}")]);
    std::fs::write(&path, &bytes).expect("file");
    let local = |path: &Path| FileContent::Local {
        path: path.to_owned(),
        size: 0,
        modified: None,
        executable: false,
    };
    let nowhere = Path::new("/does/not/exist");
    let entries = unpack("a.tar", &local(&path), nowhere)
        .expect("unpacked")
        .expect("archive");
    assert_eq!(
        entries.iter().map(show).collect::<Vec<_>>(),
        [format!("a: {long}"), "b: 1".to_owned()]
    );
    std::fs::write(&path, &bytes[..2800]).expect("file");
    let error = unpack("a.tar", &local(&path), nowhere).expect_err("cut");
    assert_eq!(error.to_string(), "cannot unpack a.tar");
    // What has to be written somewhere says so when it cannot be.
    let large = Tar::of(&[&format!("a: {}", "x".repeat(100_000))]);
    let error = unpack("a.tar", &stored(large), nowhere).expect_err("no folder");
    assert!(
        error
            .to_string()
            .contains("cannot write a temporary file in /does/not/exist"),
        "{error}"
    );
    let error = unpack("none", &local(&folder.path().join("none")), nowhere).expect_err("missing");
    assert_eq!(error.to_string(), "cannot read none");
}

#[test]
fn large_contents_lie_in_one_file_without_a_name() {
    let long = "x".repeat(70_000);
    let bytes = gzip(&Tar::of(&[&format!("a: {long}"), "b: 1", &format!("c: {long}")]));
    let entries = try_unpack(&bytes).expect("unpacked").expect("archive");
    assert_eq!(show(&entries[0]), format!("a: {long}"));
    assert_eq!(show(&entries[2]), format!("c: {long}"));
    let part = |entry: &Entry| match &entry.content {
        FileContent::Stored(Stored::Part { file, offset, .. }) => (Arc::as_ptr(file), *offset),
        other => unreachable!("{other:?}"),
    };
    let (one, other) = (part(&entries[0]), part(&entries[2]));
    assert_eq!((one.0, one.1, other.1), (other.0, 0, 70_000));
}

#[test]
fn holes_are_refused_and_cost_nothing() {
    let ten_gigabytes = 10 * 1024 * 1024 * 1024_u64;
    let mut old = Tar::new();
    let sparse = |header: &mut Header| header.as_gnu_mut().expect("gnu").set_real_size(ten_gigabytes);
    old.add("hole", EntryType::GNUSparse, sparse, b"x");
    let mut new = Tar::new();
    let size = ten_gigabytes.to_string();
    let records: [(&str, &[u8]); 3] = [
        ("GNU.sparse.major", b"1"),
        ("GNU.sparse.name", b"hole"),
        ("GNU.sparse.realsize", size.as_bytes()),
    ];
    new.0.append_pax_extensions(records).expect("records");
    new.add("GNUSparseFile.0/hole", EntryType::Regular, |_| {}, b"1\n0\n1\n");
    for bytes in [old.finish(), new.finish()] {
        let error = try_unpack(&bytes).expect_err("sparse");
        assert!(error.to_string().contains("\"hole\""), "{error}");
        assert!(error.hints()[0].contains("--sparse"), "{error}");
    }
    // A size that is not there is not believed.
    let mut tar = Tar::new();
    tar.add("big", EntryType::Regular, |header| header.set_size(ten_gigabytes), b"x");
    let error = shown(&tar.finish()).expect_err("missing content");
    assert!(error.contains("cannot unpack t.tar"), "{error}");
}

#[test]
fn what_nobody_knows_is_refused() {
    let mut tar = Tar::new();
    tar.add("odd", EntryType::new(b'Z'), |_| {}, b"");
    assert!(shown(&tar.finish()).expect_err("kind").contains("kind 'Z'"));
    let mut tar = Tar::new();
    tar.add("x", EntryType::Regular, |header| header.as_mut_bytes()[0] = 0xff, b"");
    assert!(shown(&tar.finish()).expect_err("name").contains("not UTF-8"));
    let mut tar = Tar::new();
    let long = "d/".repeat(3000);
    tar.0
        .append_pax_extensions([("path", long.as_bytes())])
        .expect("records");
    tar.add("x", EntryType::Regular, |_| {}, b"");
    assert!(shown(&tar.finish()).expect_err("name").contains("too long"));
}

#[test]
fn names_that_would_fill_the_memory_are_refused() {
    let mut tar = Tar::new();
    let value = vec![b'n'; 900_000];
    tar.0
        .append_pax_extensions([("SCHILY.xattr.user.x", &value[..])])
        .expect("records");
    tar.add("x", EntryType::Regular, |_| {}, b"");
    let bytes = tar.finish();
    // The same member again and again, without the two blocks of zeros at the end.
    let all = bytes[..bytes.len() - 1024].repeat(150);
    let error = shown(&gzip(&all)).expect_err("bomb");
    assert!(error.contains("too many entries"), "{error}");
}

/// A tar file with the file `a`, whose text is `1`, as xz compresses it.
const XZ_OF_A: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00,
    0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x27, 0xff, 0x00, 0x51, 0x5d, 0x00, 0x30, 0x80, 0x33, 0x50, 0x18, 0x68, 0x89,
    0x83, 0x01, 0xdc, 0xe2, 0x6e, 0x21, 0x05, 0x46, 0x57, 0x7c, 0xd8, 0x72, 0xfe, 0xf8, 0xd0, 0xb9, 0xa0, 0x32, 0x95,
    0x41, 0x4e, 0x63, 0x5f, 0x38, 0xbd, 0x6d, 0x60, 0x3d, 0x9d, 0x2d, 0x5b, 0xf5, 0xa9, 0x45, 0x99, 0xc6, 0xd8, 0xe4,
    0x7a, 0x37, 0x69, 0xf2, 0xde, 0x7e, 0x07, 0xc0, 0x74, 0xd7, 0x4a, 0x14, 0x09, 0x50, 0x53, 0x57, 0x91, 0xff, 0x76,
    0x33, 0xcd, 0x3f, 0x6a, 0xb9, 0x62, 0xb7, 0x02, 0xc2, 0x3a, 0xbf, 0x93, 0x1c, 0x7e, 0xc6, 0xa8, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x92, 0xc6, 0xbe, 0x52, 0x5d, 0x4d, 0x43, 0x93, 0x00, 0x01, 0x6d, 0x80, 0x50, 0x00, 0x00, 0x00, 0x69,
    0x77, 0xd4, 0x0d, 0xb1, 0xc4, 0x67, 0xfb, 0x02, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
];
