//! Who may know whom: the architecture, as rules that the source text is read against.
//!
//! The rules see code only: comments, the contents of literals and items under `#[cfg(test)]` are taken out first. A rule about a
//! module that does not exist yet holds.

#[path = "architecture/code.rs"]
mod code;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use code::{code_of, first_segments, is_identifier, modules_named};

/// A longer file is two rooms.
const LINES_PER_FILE: usize = 400;

/// Modules that reach the outside world. Each knows values and content, none knows another.
const ADAPTERS: [&str; 12] = [
    "registry",
    "download",
    "content::layout",
    "content::archive",
    "daemon",
    "aws",
    "credentials",
    "execute::ecs",
    "execute::lambda",
    "execute::logs",
    "execute::store",
    "execute::serve",
];

/// What an adapter may name of another: a value it is handed.
const HANDED_OVER: [&str; 3] = ["credentials::Credentials", "credentials::Secret", "aws::Services"];

/// Modules that may name nothing of ours but these, so that a small runner without HTTP stays possible.
const SECLUDED: [(&str, &[&str]); 5] = [
    ("oci", &["oci"]),
    ("ecr", &["ecr"]),
    ("sql", &["sql"]),
    ("migrations", &["migrations", "sql", "oci"]),
    ("recipe", &["recipe", "oci"]),
];

/// What turns input into an image: it knows values and content, and no adapter.
const MAKERS: [&str; 4] = ["runner", "dockerfile", "build", "content"];

/// The only places that may name an AWS crate.
const AWS: [&str; 7] = [
    "aws",
    "credentials::ecr",
    "execute::ecs",
    "execute::lambda",
    "execute::logs",
    "execute::store",
    "execute::serve",
];

/// Words the library never says: it neither prints, nor parses a command line, nor reads the environment or the wall clock.
const COMMAND_ONLY: [&str; 12] = [
    "clap::",
    "anyhow::",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "std::env",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "process::exit",
];

/// The one file in which the command reads the wall clock.
const CLOCK: &str = "src/bin/shipway/environment.rs";

#[test]
fn the_source_keeps_to_the_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    assert!(!files.is_empty(), "no source files under {}", root.display());

    let mut broken = String::new();
    // `mod tests;` in a file of its own is a test as much as one in braces.
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).expect("a source file can be read");
        let path = file
            .strip_prefix(root)
            .expect("it lies under the root")
            .to_str()
            .expect("it has a plain name");
        for complaint in complaints(path, &text) {
            writeln!(broken, "{path}: {complaint}").expect("a string can be written to");
        }
    }
    assert!(broken.is_empty(), "the architecture is broken:\n{broken}");
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .expect("a folder can be listed")
        .map(|entry| entry.expect("it has a name").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every rule that a file breaks, in words.
fn complaints(path: &str, text: &str) -> Vec<String> {
    let code = code_of(text);
    let mut found = Vec::new();
    let mut complain = |is_broken: bool, words: String| {
        if is_broken {
            found.push(words);
        }
    };

    complain(
        path.ends_with("/mod.rs"),
        "a module is foo.rs beside foo/, never mod.rs".into(),
    );
    let lines = text.lines().take_while(|line| !line.contains("#[cfg(test)]")).count();
    complain(
        lines > LINES_PER_FILE,
        format!("{lines} lines without its tests, more than {LINES_PER_FILE}"),
    );
    for allow in ["#[allow(", "#![allow("] {
        complain(
            code.contains(allow),
            format!("{allow}…)] hides what is no longer true: use expect, with a reason"),
        );
    }

    let crates = first_segments(&code);
    let in_command = path.starts_with("src/bin/");
    let module = if in_command { String::new() } else { module_of(path) };
    complain(
        crates.contains("bollard") && !is_within(&module, "daemon"),
        "only daemon may name bollard".into(),
    );
    let aws_crate = crates
        .iter()
        .find(|name| name.starts_with("aws_") && !name.starts_with("aws_lc_"));
    if let Some(name) = aws_crate {
        complain(
            !AWS.iter().any(|place| is_within(&module, place)),
            format!("{name} is named outside the modules that speak AWS"),
        );
    }
    if in_command {
        complain(
            path != CLOCK && code.contains("SystemTime::now"),
            format!("the wall clock is read in {CLOCK} only"),
        );
        return found;
    }

    for word in COMMAND_ONLY {
        complain(
            says(&code, word),
            format!("the library never says {}", word.trim_end_matches(':')),
        );
    }
    for known in modules_named(&module, &code) {
        if let Some(reason) = may_not_know(&module, &known) {
            complain(true, format!("{module} names {known}: {reason}"));
        }
    }
    found
}

/// Why a module may not name a path of the library, if it may not.
fn may_not_know(module: &str, known: &str) -> Option<String> {
    for (place, allowed) in SECLUDED {
        if is_within(module, place) && !allowed.iter().any(|other| is_within(known, other)) {
            return Some(format!("{place} knows nothing of ours but {}", allowed.join(", ")));
        }
    }
    let foreign = ADAPTERS
        .iter()
        .find(|adapter| is_within(known, adapter) && !is_within(module, adapter))?;
    if HANDED_OVER.contains(&known) {
        return None;
    }
    if let Some(adapter) = ADAPTERS.iter().find(|adapter| is_within(module, adapter)) {
        return Some(format!("the adapters {adapter} and {foreign} must not know each other"));
    }
    let maker = MAKERS.iter().find(|maker| is_within(module, maker))?;
    Some(format!("{maker} knows no adapter"))
}

/// Whether a path of modules is a place or lies below it.
fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether code says a word that is not the end of a longer one.
fn says(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(is_identifier))
}

/// `src/content/layout.rs` is `content::layout`; the root of the crate is empty.
fn module_of(path: &str) -> String {
    path.trim_start_matches("src/")
        .trim_end_matches(".rs")
        .replace('/', "::")
        .trim_start_matches("lib")
        .to_owned()
}

#[test]
fn every_rule_can_be_broken() {
    let long = "fn f() {}\n".repeat(LINES_PER_FILE + 1);
    for (path, text, complaint) in [
        (
            "src/oci/digest.rs",
            "use crate::registry::Client;",
            "knows nothing of ours but oci",
        ),
        (
            "src/oci.rs",
            "use crate::ecr::EcrHost;",
            "knows nothing of ours but oci",
        ),
        (
            "src/ecr/host.rs",
            "use crate::registry::Registry;",
            "knows nothing of ours but ecr",
        ),
        (
            "src/oci.rs",
            "use crate::{oci::Digest, content};",
            "knows nothing of ours but oci",
        ),
        (
            "src/sql.rs",
            "fn f() { crate::migrations::g() }",
            "knows nothing of ours but sql",
        ),
        (
            "src/recipe.rs",
            "use super::build::layer;",
            "knows nothing of ours but recipe, oci",
        ),
        (
            "src/registry.rs",
            "use crate::credentials::ecr;",
            "must not know each other",
        ),
        (
            "src/registry/upload.rs",
            "use crate::content::layout::Layout;",
            "must not know each other",
        ),
        (
            "src/content/layout.rs",
            "use super::archive;",
            "must not know each other",
        ),
        (
            "src/content/layout.rs",
            "use super::super::daemon::Daemon;",
            "must not know each other",
        ),
        (
            "src/content.rs",
            "use crate::{\n  oci::{Digest as D, Tag},\n  aws,\n};",
            "content knows no adapter",
        ),
        (
            "src/build/layer.rs",
            "use crate::content::archive::Archive;",
            "build knows no adapter",
        ),
        ("src/build.rs", "use bollard::Docker;", "only daemon may name bollard"),
        (
            "src/bin/shipway/main.rs",
            "use bollard;",
            "only daemon may name bollard",
        ),
        (
            "src/registry.rs",
            "fn f(x: aws_sdk_ecr::Client) {}",
            "outside the modules that speak AWS",
        ),
        ("src/build.rs", "use clap::Parser;", "never says clap"),
        ("src/build.rs", "fn f() -> anyhow::Result<()> {}", "never says anyhow"),
        ("src/build.rs", "fn f() { println!(\"x\") }", "never says println!"),
        ("src/build.rs", "fn f() { std::env::var(\"X\") }", "never says std::env"),
        (
            "src/build.rs",
            "fn f() { std::time::SystemTime::now() }",
            "never says SystemTime::now",
        ),
        (
            "src/bin/shipway/main.rs",
            "fn f() { SystemTime::now() }",
            "the wall clock is read in",
        ),
        ("src/build/mod.rs", "", "never mod.rs"),
        ("src/build.rs", &long, "401 lines without its tests"),
        (
            "src/build.rs",
            "#[allow(dead_code)]\nfn f() {}",
            "hides what is no longer true",
        ),
        (
            "src/build.rs",
            "#[cfg(test)]\nmod t { fn g() {} }\nuse clap::Parser;",
            "never says clap",
        ),
    ] {
        let found = complaints(path, text);
        assert!(
            found.iter().any(|words| words.contains(complaint)),
            "{path} with {text:.60} is not caught: {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_complained_about() {
    for (path, text) in [
        (
            "src/oci/digest.rs",
            "use super::media_type::MediaType;\nuse crate::oci::{Tag, json as j};\n// crate::registry, println!",
        ),
        (
            "src/registry.rs",
            "use crate::credentials::Credentials;\nuse crate::{content::Source, oci, progress::Progress};",
        ),
        (
            "src/registry/upload.rs",
            "use super::transport::Transport;\nuse aws_lc_rs::digest;",
        ),
        (
            "src/content/archive.rs",
            "const TEXT: &str = \"crate::registry println! {\"; const C: char = '\\''; fn f<'a>(x: &'a str) {}",
        ),
        (
            "src/content/tree.rs",
            "const RAW: &str = r#\"use clap::\"Parser\";\"#; /* outer /* anyhow:: */ dbg!() */",
        ),
        ("src/credentials/ecr.rs", "use aws_sdk_ecr::Client;"),
        ("src/registry/auth.rs", "use crate::ecr::EcrHost;"),
        ("src/build.rs", "use crate::ecr::EcrHost;"),
        ("src/daemon.rs", "use bollard::Docker;"),
        (
            "src/build.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests { use crate::registry; fn g() { println!(\"{}\", 1) } }",
        ),
        (
            "src/bin/shipway/main.rs",
            "use clap::Parser;\nfn main() -> anyhow::Result<()> { println!(\"x\") }",
        ),
        ("src/bin/shipway/environment.rs", "fn now() { SystemTime::now() }"),
        ("src/lib.rs", "pub mod registry; pub mod oci;"),
    ] {
        assert_eq!(complaints(path, text), Vec::<String>::new(), "{path}");
    }
}
