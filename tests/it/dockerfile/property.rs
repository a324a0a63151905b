//! No Dockerfile makes it panic, hang, write where it must not, or do another thing the second time.

use fastrand::Rng;

use super::build;
use crate::support::image::Root;
use crate::support::outcome::Outcome;
use crate::support::project::{TestProject, files_below};
use crate::support::tarball::Tarball;

/// How many Dockerfiles are tried. Each takes some hundredths of a second, twice.
const COUNT: u64 = 120;

/// Words of every kind: good, odd and wrong.
const PATHS: [&str; 26] = [
    "a.txt",
    "d",
    "d/",
    "d/*",
    "*",
    ".",
    "./",
    "/",
    "..",
    "../..",
    "../../../etc/passwd",
    "/etc/passwd",
    "link",
    "outside",
    "outside/x",
    "missing",
    "d/../a.txt",
    "ünï",
    "archive.tar",
    "[a-z]*",
    "[",
    "a\\ b",
    "\"a b\"",
    "$V",
    "${V:-d}",
    "loop",
];
const VALUES: [&str; 16] = [
    "x",
    "\"x y\"",
    "'$V'",
    "$V",
    "${V",
    "${V:-y}",
    "${V#a}",
    "${V//a/b}",
    "=",
    "\\",
    "\"",
    "80",
    "[\"x\"]",
    "ü",
    "\u{0}",
    "$",
];
const FLAGS: [&str; 15] = [
    "--chown=1:2",
    "--chown=app",
    "--chown=:",
    "--chmod=755",
    "--chmod=u=rwX",
    "--chmod=9",
    "--from=0",
    "--from=one",
    "--from=nothing",
    "--link",
    "--parents",
    "--exclude=*.txt",
    "--exclude=[",
    "--unpack=true",
    "--bad",
];

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

fn instruction(random: &mut Rng) -> String {
    let path = pick(random, &PATHS);
    let other = pick(random, &PATHS);
    let value = pick(random, &VALUES);
    let flag = if random.bool() { pick(random, &FLAGS) } else { "" };
    match random.u8(..24) {
        0..=6 => format!("COPY {flag} {path} {other}"),
        7..=9 => format!("ADD {flag} {path} {other}"),
        10 => format!("COPY {flag} {path} {other} /out/"),
        11 => format!("ENV V={value} W=$V"),
        12 => format!("ARG V={value}"),
        13 => format!("LABEL l={value}"),
        14 | 15 => format!("WORKDIR {path}"),
        16 => format!("FROM scratch AS {}", pick(random, &["one", "two", "Three", "0", ""])),
        17 => format!("FROM {}", pick(random, &["one", "two", "scratch", "$V"])),
        18 => format!("COPY {flag} <<E {other}\n{value}\nE"),
        19 => format!("CMD {value}"),
        20 => format!("ONBUILD COPY {path} {other}"),
        21 => format!("VOLUME {value} {path}"),
        22 => format!("EXPOSE {value}"),
        _ => format!(
            "{} \\\n# between\n {value}",
            pick(
                random,
                &[
                    "HEALTHCHECK",
                    "SHELL",
                    "USER",
                    "STOPSIGNAL",
                    "ENTRYPOINT",
                    "NONSENSE",
                    "RUN"
                ]
            )
        ),
    }
}

fn dockerfile(random: &mut Rng) -> String {
    let mut text = pick(random, &["", "# escape=`\n", "# syntax=x\n", "ARG V=a\n", "\u{feff}"]).to_owned();
    text.push_str(pick(
        random,
        &[
            "FROM scratch\n",
            "FROM scratch AS one\n",
            "from scratch\r\n",
            "FROM scratch AS one\nCOPY d /d/\nFROM one\n",
        ],
    ));
    for _ in 0..random.u8(1..6) {
        text.push_str(&instruction(random));
        text.push_str(pick(random, &["\n", "\n", "\n", "\r\n", "\n\n", "\\\n"]));
    }
    text
}

fn sample() -> TestProject {
    let archive = Tarball::new()
        .directory("e", 0o755)
        .file("e/x", b"x")
        .symlink("e/link", "../../../../etc")
        .file("e/link/y", b"y");
    let project = TestProject::empty()
        .project_file("[registry.\"docker.io\"]\nendpoint = \"http://127.0.0.1:1\"\n")
        .file("a.txt", "a\n")
        .file("a b", "ab\n")
        .file("d/b.txt", "b\n")
        .file("d/e/c.txt", "c\n")
        .file("ünï/ö", "o\n")
        .file("archive.tar", archive.bytes());
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, project.folder().join(name)).unwrap();
    link("d", "link");
    link("../home", "outside");
    link("loop", "loop");
    std::fs::write(project.home().join("x"), "canary-of-the-home\n").unwrap();
    project
}

/// Catches a panic, a file that appears outside the output, a path that leaves the image, what lies outside the context in the
/// image, and a second build that differs.
#[test]
fn random_dockerfiles_are_built_or_refused() {
    let project = sample();
    let mut built = 0;
    for seed in 0..COUNT {
        let mut random = Rng::with_seed(seed);
        let text = dockerfile(&mut random);
        project.write("Dockerfile", &text);
        let before = left(&project);
        let run = || -> Outcome {
            let _ = std::fs::remove_dir_all(project.root().join("out"));
            build(&project, &["--output", "oci:../out", "-t", "v1", "--retry", "0"])
        };
        let first = run();
        let wrong = || format!("seed {seed}:\n{text}\n{first:#?}");
        assert!(!first.stderr.contains("panicked"), "{}", wrong());
        // A name that is no stage's is an image's, and no registry can be reached.
        assert!(matches!(first.status, Some(0 | 2 | 8)), "{}", wrong());
        assert_eq!(left(&project), before, "{}", wrong());
        if first.status == Some(0) {
            built += 1;
            let root = Root::layout(&project.root().join("out"), Some("v1"));
            for entry in root.only().layers.iter().flat_map(|layer| &layer.entries) {
                let leaves = entry.path.starts_with('/') || entry.path.split('/').any(|part| part == "..");
                assert!(!leaves, "{}: {}", entry.path, wrong());
                let text = String::from_utf8_lossy(&entry.content);
                assert!(
                    !text.contains("canary-of-the-home") && !text.contains("root:x:0:0"),
                    "{}: {}",
                    entry.path,
                    wrong()
                );
            }
            assert_eq!(run().digest(), first.digest(), "{}", wrong());
        } else {
            assert!(
                first.stderr.starts_with("error: ") || first.stderr.contains("\nerror: "),
                "{}",
                wrong()
            );
        }
    }
    assert!(
        built > COUNT / 10,
        "only {built} of {COUNT} were built, which tries little"
    );
}

/// All files but the output and the cache.
fn left(project: &TestProject) -> Vec<String> {
    let mut files = files_below(project.root());
    files.retain(|file| !file.starts_with("out/") && !file.starts_with("cache/"));
    files
}
