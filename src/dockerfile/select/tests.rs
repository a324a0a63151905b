use std::path::PathBuf;

use bytes::Bytes;

use super::*;
use crate::dockerfile::MemoryTree;
use crate::oci::Attributes;
use crate::recipe::Stored;

fn path(text: &str) -> ImagePath {
    format!("/{text}").parse().expect(text)
}

/// A tree out of words: `dir/`, `file`, `link -> target`, `name = hard link`.
fn tree(words: &[&str]) -> MemoryTree {
    MemoryTree::new(words.iter().map(|word| {
        if let Some((name, to)) = word.split_once(" -> ") {
            let content = FileContent::Link {
                to: to.to_owned(),
                path: PathBuf::new(),
            };
            Entry::new(path(name), content, Attributes::of_root(0o777))
        } else if let Some((name, to)) = word.split_once(" = ") {
            Entry::new(path(name), FileContent::HardLink(path(to)), Attributes::of_root(0o644))
        } else if word.ends_with('/') {
            Entry::new(path(word), FileContent::Directory, Attributes::PLAIN)
        } else {
            let content = FileContent::Stored(Stored::Memory(Bytes::from((*word).to_owned())));
            Entry::new(path(word), content, Attributes::of_root(0o644))
        }
    }))
}

/// The names that what was picked would have in a directory it is copied to, sorted, or the error.
fn copied(tree: &MemoryTree, source: &str, options: SelectOptions<'_>) -> Result<Vec<String>, String> {
    let picked = select(tree, source, options).map_err(|problem| problem.to_string())?;
    let mut names: Vec<String> = picked
        .iter()
        .map(|picked| {
            let name = match picked.relative.as_str() {
                "" if picked.entry.is_directory() => String::new(),
                "" => picked.source.name().to_owned(),
                below => below.to_owned(),
            };
            match &picked.entry.content {
                FileContent::Directory => format!("{name}/"),
                FileContent::Link { to, .. } => format!("{name} -> {to}"),
                FileContent::HardLink(to) => format!("{name} = {}", to.relative()),
                _ => name,
            }
        })
        .filter(|name| name != "/")
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn plain(tree: &MemoryTree, source: &str) -> Result<Vec<String>, String> {
    copied(tree, source, SelectOptions::default())
}

fn sample() -> MemoryTree {
    tree(&[
        "a.txt",
        "b.txt",
        "c.md",
        "dir/a.txt",
        "dir/b.md",
        "dir/sub/x.txt",
        "dir/sub/deep/y.txt",
        "dir2/z.txt",
        "a[b]/q.txt",
        "st*r",
        "empty/",
        "ld -> dir",
        "links/file -> ../a.txt",
        "links/dir -> ../dir",
        "links/broken -> nothing",
        "links/abs -> /a.txt",
        "links/far -> ../../../../a.txt",
        "links/self -> self",
        "links/etc -> /etc/passwd",
    ])
}

const DIR: &[&str] = &["a.txt", "b.md", "sub/", "sub/deep/", "sub/deep/y.txt", "sub/x.txt"];
const LINKS: &[&str] = &[
    "abs -> /a.txt",
    "broken -> nothing",
    "dir -> ../dir",
    "etc -> /etc/passwd",
    "far -> ../../../../a.txt",
    "file -> ../a.txt",
    "self -> self",
];

/// What `BuildKit` of Docker 20.10.24 copied from these files, each source tried with it.
#[test]
fn sources_select_what_docker_copies() {
    let tree = sample();
    for (source, expected) in [
        ("a.txt", &["a.txt"][..]),
        ("/a.txt", &["a.txt"]),
        ("./a.txt", &["a.txt"]),
        ("../a.txt", &["a.txt"]),
        ("dir/../a.txt", &["a.txt"]),
        ("dir", DIR),
        ("dir/", DIR),
        ("dir/.", DIR),
        ("*.txt", &["a.txt", "b.txt"]),
        ("dir/*", &["a.txt", "b.md", "deep/", "deep/y.txt", "x.txt"]),
        ("dir/*/", &["a.txt", "b.md", "deep/", "deep/y.txt", "x.txt"]),
        (
            "dir*",
            &[
                "a.txt",
                "b.md",
                "sub/",
                "sub/deep/",
                "sub/deep/y.txt",
                "sub/x.txt",
                "z.txt",
            ],
        ),
        ("*/a.txt", &["a.txt"]),
        ("d?r", DIR),
        ("[a-b].txt", &["a.txt", "b.txt"]),
        ("[^a].txt", &["b.txt"]),
        ("none*", &[]),
        ("links/file", &["file"]),
        ("links/dir", DIR),
        ("links/dir/", DIR),
        ("links/dir/a.txt", &["a.txt"]),
        ("links/d*", DIR),
        ("links/f*", &["far", "file"]),
        ("links/abs", &["abs"]),
        ("links/far", &["far"]),
        ("links", LINKS),
        ("ld", DIR),
        ("ld/*.txt", &["a.txt"]),
        ("ld/sub", &["deep/", "deep/y.txt", "x.txt"]),
        ("l*/a.txt", &[]),
        ("dir/s*b/x.txt", &["x.txt"]),
        ("dir/*/*.txt", &["x.txt"]),
        ("a[[]b]/q.txt", &["q.txt"]),
        ("a[b]/q.txt", &[]),
        ("dir/a.txt/", &["a.txt"]),
        ("a.txt/.", &["a.txt"]),
        ("empty", &[]),
        ("**/x.txt", &[]),
        ("dir/**/y.txt", &[]),
        ("st*r", &["st*r"]),
    ] {
        assert_eq!(plain(&tree, source).expect(source), expected, "{source}");
    }
    let everything = plain(&tree, "../..").expect("root");
    assert_eq!(everything, plain(&tree, "/").expect("root"));
    assert_eq!(everything.len(), 25);
    for (source, part) in [
        ("none", "\"none\" is not there"),
        ("none/*.txt", "\"none/*.txt\" is not there"),
        ("a.txt/x", "\"a.txt/x\" is not there"),
        ("links/broken", "leads to \"links/nothing\", which is not there"),
        ("links/bro*", "leads to \"links/nothing\", which is not there"),
        ("links/self", "too many links"),
        ("links/etc", "leads to \"etc/passwd\", which is not there"),
        // Docker takes a broken pattern for one that fits nothing, and says nothing of it.
        ("[", "no pattern"),
        ("*[", "no pattern"),
    ] {
        let error = plain(&tree, source).expect_err(source);
        assert!(error.contains(part), "{source}: {error}");
    }
}

#[test]
fn a_picked_file_knows_its_source_and_its_real_path() {
    let picked = select(&sample(), "links/dir", SelectOptions::default()).expect("picked");
    assert_eq!(picked[0].source, path("links/dir"));
    assert_eq!((picked[0].relative.as_str(), &picked[0].entry.path), ("", &path("dir")));
    assert_eq!(picked[1].entry.path, path("dir/a.txt"));
    let order: Vec<&str> = picked.iter().map(|picked| picked.relative.as_str()).collect();
    assert_eq!(
        order,
        ["", "a.txt", "b.md", "sub", "sub/deep", "sub/deep/y.txt", "sub/x.txt"]
    );
}

#[test]
fn a_typing_error_is_guessed() {
    for (source, nearest) in [("A.txt", "a.txt"), ("dri/a.txt", "dir"), ("dir/subb/x.txt", "dir/sub")] {
        let error = select(&sample(), source, SelectOptions::default()).expect_err(source);
        assert_eq!(error.hints(), [format!("did you mean {nearest}?")]);
    }
    let error = select(&sample(), "quite/else", SelectOptions::default()).expect_err("missing");
    assert!(error.hints()[0].contains("--from"));
}

/// The cases of `BuildKit`'s own test of `--exclude`, and those that follow from its rules being those of ignore files.
#[test]
fn excludes_are_relative_to_each_source() {
    let tree = tree(&[
        "dir1/file-101.png",
        "dir1/file-102.txt",
        "dir2/file-201.pdf",
        "dir2/file-202.jpeg",
        "dir3/file-301.mp3",
        "dir3/file-302.mpeg",
        "dir3/deep/file-303.mp3",
        "hom.txt",
        "home.md",
        "app/node_modules/a/index.js",
        "app/node_modules/a/keep.md",
        "app/main.js",
    ]);
    let with = |source: &str, exclude: &[&str]| {
        let rules = Rules::of_flag("--exclude", exclude.iter().copied()).expect("rules");
        let options = SelectOptions {
            exclude: Some(&rules),
            ..SelectOptions::default()
        };
        copied(&tree, source, options).expect(source)
    };
    let found = with(".", &["*/*.png", "*/*.jpeg", "app", "hom*", "dir3"]);
    assert_eq!(found, ["dir1/", "dir1/file-102.txt", "dir2/", "dir2/file-201.pdf"]);
    assert_eq!(
        with("dir3/", &["*.mp3"]),
        ["deep/", "deep/file-303.mp3", "file-302.mpeg"]
    );
    assert_eq!(with("dir3/", &["**/*.mp3"]), ["deep/", "file-302.mpeg"]);
    assert_eq!(
        with("dir*", &["*.mp3", "*.jpeg", "*.png", "*.pdf", "*.txt", "deep"]),
        ["file-302.mpeg"]
    );
    assert_eq!(with("dir*", &["*"]), [""; 0]);
    assert_eq!(with("hom*", &["*.txt"]), ["home.md"]);
    assert_eq!(with("app", &["node_modules"]), ["main.js"]);
    assert_eq!(
        with("app", &["node_modules", "!node_modules/*/keep.md"]),
        ["main.js", "node_modules/", "node_modules/a/", "node_modules/a/keep.md"]
    );
    assert_eq!(with("app", &["**", "!main.js"]), ["main.js"]);
    assert_eq!(with("dir1", &["!file-101.png", "*.png"]), ["file-102.txt"]);
}

/// The cases of `BuildKit`'s own test of `--parents`.
#[test]
fn parents_are_kept_from_the_pivot_on() {
    let tree = tree(&[
        "test/a/b/c/d/foo",
        "test/a/b/c/d/e/bay",
        "test/a/b2/c/d/e/bar",
        "test/a/b/c2/d/e/baz",
        "test/a/b/c2/d/e2/baz",
        "test/a/bfile",
    ]);
    let with = |source: &str| {
        let options = SelectOptions {
            parents: true,
            exclude: None,
        };
        copied(&tree, source, options).map(|names| {
            names
                .into_iter()
                .filter(|name| !name.ends_with('/'))
                .collect::<Vec<String>>()
        })
    };
    for (source, expected) in [
        ("/test/a/b/./c/d", &["c/d/e/bay", "c/d/foo"][..]),
        ("/test/a/b/c/d/.", &["test/a/b/c/d/e/bay", "test/a/b/c/d/foo"]),
        ("./test/a/b/c/d", &["test/a/b/c/d/e/bay", "test/a/b/c/d/foo"]),
        ("/test/a/./b/./c", &["b/c/d/e/bay", "b/c/d/foo"]),
        ("/test/a/./*/c", &["b/c/d/e/bay", "b/c/d/foo", "b2/c/d/e/bar"]),
        ("/test/a/b*/./c/**/e", &["c/d/e/bar", "c/d/e/bay"]),
        ("/test/a/b/c*/./d/**/baz", &["d/e/baz", "d/e2/baz"]),
        ("/test/a/b*/./c/**/bar", &["c/d/e/bar"]),
        ("/test/a/b/c2/d/e/ba*", &["test/a/b/c2/d/e/baz"]),
        ("/test/a/b3*/c", &[]),
        ("/test/a/b/./c3*", &[]),
    ] {
        assert_eq!(with(source).expect(source), expected, "{source}");
    }
    assert!(
        with("/test/nonexistent-file")
            .expect_err("missing")
            .contains("is not there")
    );
    assert!(with("/test/none/./x").expect_err("missing").contains("is not there"));
    assert_eq!(with(".").expect("everything").len(), 6);
    let options = SelectOptions {
        parents: true,
        exclude: None,
    };
    let found = copied(&tree, "/test/a/./*/c/d/foo", options).expect("directories");
    assert_eq!(
        found,
        ["b/", "b/c/", "b/c/d/", "b/c/d/foo"],
        "only directories something lies in"
    );
}

#[test]
fn the_first_name_of_a_file_has_its_content() {
    let tree = tree(&["lib/real", "bin/one = lib/real", "bin/two = lib/real", "far = bin/one"]);
    assert_eq!(plain(&tree, "bin").expect("bin"), ["one", "two = bin/one"]);
    assert_eq!(plain(&tree, "bin/two").expect("two"), ["two"]);
    let all = plain(&tree, "/").expect("all");
    assert_eq!(
        all,
        [
            "bin/",
            "bin/one",
            "bin/two = bin/one",
            "far = bin/one",
            "lib/",
            "lib/real = bin/one"
        ]
    );
    let broken = super::tests::tree(&["a = nothing"]);
    assert!(plain(&broken, "a").expect_err("broken").contains("which is not there"));
}

#[test]
fn a_deep_tree_does_not_end_the_stack() {
    let deep = "d/".repeat(500) + "f";
    let tree = tree(&[&deep]);
    assert_eq!(plain(&tree, "d").expect("deep").len(), 500);
    assert_eq!(plain(&tree, &("*/".repeat(500) + "f")).expect("deep"), ["f"]);
}
