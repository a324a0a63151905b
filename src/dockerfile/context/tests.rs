use std::fs;
use std::io::Write as _;

use super::*;
use crate::dockerfile::select::{SelectOptions, select};

mod docker;

fn path(text: &str) -> ImagePath {
    format!("/{text}").parse().expect(text)
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("parent")).expect("folder");
    fs::write(path, text).expect("file");
}

/// All paths below the root, directories with a slash.
fn all(context: &Context) -> Vec<String> {
    let picked = select(context, "/", SelectOptions::default()).expect("everything");
    let paths = picked.iter().skip(1).map(|picked| {
        let slash = if picked.entry.is_directory() { "/" } else { "" };
        format!("{}{slash}", picked.entry.path.relative())
    });
    paths.collect()
}

fn text(context: &Context, name: &str) -> String {
    let bytes = context.read(&path(name), 1000).expect(name).expect("there");
    String::from_utf8(bytes).expect("text")
}

/// A tar file out of words: `dir/`, `file`, `file: text`, `link -> target`, `name = hard link`, `%name` for a device.
fn tar_of(words: &[&str]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for word in words {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_uid(7);
        let (kind, name, to, content) = if let Some((name, to)) = word.split_once(" -> ") {
            (::tar::EntryType::Symlink, name, Some(to), "")
        } else if let Some((name, to)) = word.split_once(" = ") {
            (::tar::EntryType::Link, name, Some(to), "")
        } else if let Some(name) = word.strip_prefix('%') {
            (::tar::EntryType::Char, name, None, "")
        } else if word.ends_with('/') {
            (::tar::EntryType::Directory, *word, None, "")
        } else {
            let (name, content) = word.split_once(": ").unwrap_or((word, word));
            (::tar::EntryType::Regular, name, None, content)
        };
        header.set_entry_type(kind);
        // The crate's own functions refuse the names that matter here.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        if let Some(to) = to {
            header.as_mut_bytes()[157..157 + to.len()].copy_from_slice(to.as_bytes());
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content.as_bytes()).expect("entry");
    }
    builder.into_inner().expect("tar")
}

/// The context in a tar file, read in place, compressed, and as a stream, which must not differ.
fn contexts(words: &[&str]) -> Vec<Context> {
    let folder = tempfile::tempdir().expect("folder");
    let bytes = tar_of(words);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).expect("gzip");
    let (plain, packed) = (folder.path().join("c.tar"), folder.path().join("c.tgz"));
    fs::write(&plain, &bytes).expect("file");
    fs::write(&packed, encoder.finish().expect("gzip")).expect("file");
    let contexts = vec![
        Context::tar_file(&plain, false, folder.path()).expect("in place"),
        Context::tar_file(&packed, false, folder.path()).expect("compressed"),
        Context::tar_stream("stdin", &bytes[..], false, folder.path()).expect("stream"),
    ];
    assert_eq!(
        fs::read_dir(folder.path()).expect("list").count(),
        2,
        "nothing is unpacked"
    );
    contexts
}

#[test]
fn a_folder_is_seen_through_its_ignore_file() {
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    for name in [
        "Dockerfile",
        "src/main.c",
        "src/main.o",
        "docs/a.md",
        "docs/b/c.md",
        "node_modules/x/y.js",
    ] {
        write(root, name, name);
    }
    write(
        root,
        ".dockerignore",
        "**/*.o\nnode_modules\ndocs\n!docs/b/c.md\nDockerfile\n.dockerignore\n",
    );
    let context = Context::folder(root, false)
        .expect("context")
        .ignoring(None)
        .expect("rules");
    assert_eq!(all(&context), ["docs/", "docs/b/", "docs/b/c.md", "src/", "src/main.c"]);
    assert_eq!(
        text(&context, "Dockerfile"),
        "Dockerfile",
        "what builds is read, left out or not"
    );
    assert!(context.get(&path("node_modules/x")).expect("get").is_none());
    assert!(context.children(&path("node_modules")).expect("list").is_empty());
    let error = select(&context, "docs/a.md", SelectOptions::default()).expect_err("left out");
    assert_eq!(
        error.to_string(),
        "\"docs/a.md\" is not there: .dockerignore leaves it out"
    );

    write(root, "build/My.Dockerfile.dockerignore", "src");
    let context = Context::folder(root, false).expect("context");
    let context = context.ignoring(Some(&path("build/My.Dockerfile"))).expect("rules");
    assert!(context.get(&path("src")).expect("get").is_none());
    assert!(context.get(&path("node_modules")).expect("get").is_some());

    write(root, ".dockerignore", "a\n[");
    let error = Context::folder(root, false)
        .expect("context")
        .ignoring(None)
        .expect_err("rule");
    assert!(error.to_string().contains(".dockerignore:2: "), "{error}");
    write(root, ".dockerignore", &"a\n".repeat(600_000));
    let error = Context::folder(root, false)
        .expect("context")
        .ignoring(None)
        .expect_err("long");
    assert!(error.to_string().contains("has more than"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_links_and_nothing_outside_is_reached() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path().join("context");
    write(folder.path(), "secret", "secret");
    write(&root, "etc/passwd", "inside");
    symlink("/etc", root.join("abs")).expect("link");
    symlink("..", root.join("up")).expect("link");
    symlink("../secret", root.join("out")).expect("link");
    let context = Context::folder(&root, false).expect("context");
    assert_eq!(all(&context), ["abs", "etc/", "etc/passwd", "out", "up"]);
    assert!(context.get(&path("up/secret")).expect("get").is_none());
    assert!(context.children(&path("up")).expect("list").is_empty());
    assert_eq!(
        text(&context, "abs/passwd"),
        "inside",
        "links begin at the root of the context"
    );
    assert!(context.read(&path("out"), 100).expect("read").is_none());
    for source in ["up/secret", "out", "up/../secret", "abs/../../secret"] {
        let error = select(&context, source, SelectOptions::default()).expect_err(source);
        assert!(error.to_string().contains("not there"), "{source}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn modes_are_gits_or_as_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    for (name, mode) in [("a", 0o600), ("b", 0o4711), ("c", 0o640), ("d/x", 0o444)] {
        write(root, name, name);
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).expect("mode");
    }
    fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o1770)).expect("mode");
    for (preserve, expected, notice) in [
        (
            false,
            [0o644, 0o755, 0o644, 0o755, 0o644],
            "b is set-user-id, which is not kept",
        ),
        (
            true,
            [0o600, 0o4711, 0o640, 0o1770, 0o444],
            "b is set-user-id, and so it will be",
        ),
    ] {
        let context = Context::folder(root, preserve).expect("context");
        let picked = select(&context, ".", SelectOptions::default()).expect("all");
        let modes: Vec<u32> = picked[1..].iter().map(|picked| picked.entry.attributes.mode).collect();
        assert_eq!(modes, expected);
        let notices = context.notices(&picked);
        assert_eq!(notices.len(), 2);
        assert!(notices[0].starts_with(notice), "{notices:?}");
        assert!(notices[1].starts_with("d is sticky"), "{notices:?}");
        assert!(context.notices(&picked[1..2]).is_empty(), "only of what was picked");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_in_an_image_matters_only_if_it_is_copied() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().expect("folder");
    let root = folder.path();
    write(root, "good", "good");
    write(root, "sub/.wh.gone", "x");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("socket");
    fs::write(root.join(OsStr::from_bytes(b"bad\xff")), "x").expect("file");
    let context = Context::folder(root, false).expect("context");
    assert_eq!(
        select(&context, "goo*", SelectOptions::default()).expect("good").len(),
        1
    );
    for (source, part) in [
        ("socket", "it is a socket"),
        ("sock*", "it is a socket"),
        ("bad*", "its name is not UTF-8"),
        ("sub", ".wh.gone"),
        (".", "not UTF-8"),
    ] {
        let error = select(&context, source, SelectOptions::default()).expect_err(source);
        let cause = std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(format!("{error}: {cause}").contains(part), "{source}: {error}: {cause}");
    }
    let rules = Rules::of_file(".dockerignore", b"socket\nbad*\nsub\n").expect("rules");
    assert_eq!(all(&context.with_rules(rules)), ["good"]);
}

#[test]
fn a_folder_is_read_only_where_it_is_asked_about() {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path(), "here/file", "x");
    let context = Context::folder(folder.path(), false).expect("context");
    // What appears later is found, so nothing was listed before.
    write(folder.path(), "here/later", "y");
    assert!(context.get(&path("here/later")).expect("get").is_some());
    let error = Context::folder(&folder.path().join("none"), false).expect_err("missing");
    assert!(error.to_string().contains("does not exist"), "{error}");
    let error = Context::folder(&folder.path().join("here/file"), false).expect_err("file");
    assert!(error.hints()[0].contains("tar://"), "{error}");
}

#[test]
fn a_tar_file_is_a_context_wherever_it_comes_from() {
    for context in contexts(&[
        "./",
        "./Dockerfile: FROM scratch",
        "./.dockerignore: *.o",
        "./a.o",
        "./sub/x: old",
        "./sub/x: new",
        "./l -> sub",
        "./l/through: link",
        "./h = ./sub/x",
    ]) {
        let context = context.ignoring(None).expect("rules");
        assert_eq!(
            all(&context),
            [".dockerignore", "Dockerfile", "h", "l", "sub/", "sub/through", "sub/x"]
        );
        assert_eq!(text(&context, "l/x"), "new");
        assert_eq!(text(&context, "h"), "new");
        assert_eq!(text(&context, "sub/through"), "link");
        let entry = context.get(&path("sub/through")).expect("get").expect("there");
        assert_eq!(entry.attributes, Attributes::of_root(0o644));
        let picked = select(&context, "sub/x", SelectOptions::default()).expect("select");
        assert!(
            matches!(picked[0].entry.content, FileContent::Stored(_)),
            "a name of a file is the file"
        );
    }
}

#[test]
fn a_tar_file_that_attacks_reaches_nothing() {
    for context in contexts(&[
        "../../outside: a",
        "/absolute/x: b",
        "d/../../up: c",
        "evil -> /etc",
        "evil/passwd: mine",
        "far -> ../../../..",
        "far/tmp/x: far",
        "%dev/null",
        ".wh.gone: x",
        "sub/.wh..wh..opq: x",
    ]) {
        for (name, expected) in [
            ("outside", "a"),
            ("absolute/x", "b"),
            ("up", "c"),
            ("etc/passwd", "mine"),
            ("tmp/x", "far"),
        ] {
            assert_eq!(text(&context, name), expected);
        }
        for source in ["dev/null", ".", "sub", ".wh*"] {
            let error = select(&context, source, SelectOptions::default()).expect_err(source);
            assert!(error.to_string().contains("cannot be in an image"), "{source}: {error}");
        }
        assert_eq!(
            select(&context, "absolute", SelectOptions::default())
                .expect("fit")
                .len(),
            2
        );
    }
    let folder = tempfile::tempdir().expect("folder");
    for words in [
        &["h = /etc/passwd"][..],
        &["h = ../../etc/passwd"],
        &["f: x", "f/below: y"],
    ] {
        let tar = tar_of(words);
        let error = Context::tar_stream("stdin", &tar[..], false, folder.path()).expect_err("attack");
        assert!(error.to_string().contains("cannot be in an image"), "{error}");
    }
    for garbage in [&b"no tar file at all"[..], &[7; 2000]] {
        let error = Context::tar_stream("stdin", garbage, false, folder.path()).expect_err("garbage");
        assert!(error.to_string().contains("stdin"), "{error}");
    }
}
