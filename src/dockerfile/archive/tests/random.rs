//! Archives, patterns and ignore files nobody thought of. The generator is seeded, so that a failure comes again.

use fastrand::Rng;

use super::*;
use crate::dockerfile::ignore::Rules;
use crate::dockerfile::pattern::Pattern;
use crate::dockerfile::{Context, MemoryTree, SelectOptions, select};

const ROUNDS: usize = 400;
const NAMES: [&str; 14] = [
    "a", "b", "../c", "/d", "a/b", "a/../..", "l/x", ".", "..", "m/../y", "a/b/c/d", "l/l/l", ".wh.a", "ü",
];

fn pick<'a>(random: &mut Rng, words: &[&'a str]) -> &'a str {
    words[random.usize(..words.len())]
}

fn random_tar(random: &mut Rng) -> Vec<u8> {
    let mut tar = Tar::new();
    for _ in 0..random.usize(1..12) {
        let kinds = [
            EntryType::Regular,
            EntryType::Directory,
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Fifo,
        ];
        let kind = kinds[random.usize(..kinds.len())];
        let name = pick(random, &NAMES);
        let to = pick(random, &NAMES);
        let content: &[u8] = if kind == EntryType::Regular { b"content" } else { b"" };
        tar.add(name, kind, |header| set_link(header, to), content);
    }
    tar.finish()
}

/// Every path is within the root, without a name that removes anything, no directory is a file, and a hard link names
/// a file before it.
fn check(entries: &[Entry]) {
    let mut seen = std::collections::BTreeMap::new();
    for entry in entries {
        let path = entry.path.relative();
        assert!(!path.is_empty() && !path.starts_with('/'), "{path}");
        for part in path.split('/') {
            assert!(!matches!(part, "" | "." | "..") && !part.starts_with(".wh."), "{path}");
        }
        for above in entry.path.ancestors() {
            assert!(*seen.get(above.relative()).unwrap_or(&true), "{above} is no directory");
        }
        if let FileContent::HardLink(to) = &entry.content {
            assert_eq!(seen.get(to.relative()), Some(&false), "{path} links to {to}");
        }
        assert!(
            seen.insert(path.to_owned(), entry.is_directory()).is_none(),
            "{path} comes twice"
        );
    }
}

#[test]
fn no_archive_reaches_out_of_its_root() {
    let mut random = Rng::with_seed(4);
    let folder = tempfile::tempdir().expect("folder");
    let mut unpacked = 0;
    for _ in 0..ROUNDS {
        let mut bytes = random_tar(&mut random);
        if random.u8(..4) == 0 {
            let at = random.usize(..bytes.len());
            bytes[at] = random.u8(..);
        }
        if random.u8(..8) == 0 {
            bytes.truncate(random.usize(..bytes.len()));
        }
        if let Ok(Some(entries)) = try_unpack(&bytes) {
            unpacked += 1;
            check(&entries);
            let tree = MemoryTree::new(entries);
            for name in NAMES {
                let _ = select(&tree, name, SelectOptions::default());
            }
        }
        if let Ok(context) = Context::tar_stream("t", &bytes[..], false, folder.path()) {
            for name in NAMES.iter().chain(&["*", "/", "*/*", "l*"]) {
                let _ = select(&context, name, SelectOptions::default());
            }
        }
    }
    assert!(unpacked > ROUNDS / 20, "{unpacked} archives were good");
}

#[test]
fn no_bytes_are_too_odd() {
    let mut random = Rng::with_seed(5);
    let magic: [&[u8]; 5] = [b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh9", b"\xfd7zXZ\0"];
    for round in 0..ROUNDS {
        let mut bytes = magic[round % magic.len()].to_vec();
        bytes.extend((0..random.usize(..3000)).map(|_| random.u8(..)));
        let _ = try_unpack(&bytes);
        let mut bytes = XZ_OF_A.to_vec();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        let _ = try_unpack(&bytes);
    }
}

#[test]
fn no_rules_are_too_odd() {
    const LETTERS: [&str; 16] = [
        "*", "**", "/", "!", "[", "]", "\\", "a", "b", ".", "..", "?", "-", "^", "\n", "ü",
    ];
    let mut random = Rng::with_seed(6);
    for _ in 0..20 * ROUNDS {
        let text: String = (0..random.usize(..16)).map(|_| pick(&mut random, &LETTERS)).collect();
        let path: String = (0..random.usize(1..10))
            .map(|_| pick(&mut random, &["a", "b", "ü", "/"]))
            .collect();
        let _ = Pattern::of_source(&text).map(|pattern| pattern.matches(&path));
        let Ok(rules) = Rules::of_file("ignore", text.as_bytes()) else {
            continue;
        };
        // What is fitted below a directory that is fitted was spared by an exception that could match there.
        for (end, _) in path.match_indices('/') {
            let directory = &path[..end];
            if !directory.is_empty() && rules.fit(directory) && !rules.fit(&path) {
                assert!(
                    rules.may_spare_below(directory),
                    "{text:?} spares {path} but not below {directory}"
                );
            }
        }
    }
}
