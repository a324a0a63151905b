//! Every example is run, and does what is shown: status, output, and the shape of JSON.
//!
//! Each block starts in a fresh copy of the sample project. A `toml` block that begins with `# NAME.toml` is that file.

use std::path::Path;
use std::process::{Command, Output};

use shipway::project::Project;

use crate::page::{Block, Page, pages};
use crate::sample::Sample;
use crate::shape;
use crate::transcript::{AT_AN_ENGINE, AT_EMULATORS, AT_ENGINE, Shown, read};

/// Commands that are not run here, and why.
const ELSEWHERE: [(&str, &str); 2] = [
    (
        "ci/test.sh",
        "runs this test itself; the pipeline runs it, through .ci/run",
    ),
    (
        "docker login",
        "asks for a password; the sample's Docker config holds what it would write",
    ),
];

/// How the README starts the command in a clone; the rest of the line is run with the binary that cargo built.
const CARGO_RUN: &str = "cargo run --release -- ";

/// The pages whose examples are run by this test.
fn here() -> Vec<Page> {
    let elsewhere = || AT_EMULATORS.iter().chain(&AT_AN_ENGINE).chain(&AT_ENGINE);
    let is_here = |page: &Page| elsewhere().all(|name| !page.path.ends_with(name));
    pages().into_iter().filter(is_here).collect()
}

/// Catches an example that does not work, or prints something else than is shown.
#[test]
fn console_examples_do_what_they_show() {
    let mut count = 0;
    for page in here() {
        let blocks = page.blocks();
        for (index, block) in blocks.iter().enumerate() {
            if block.language != "console" {
                continue;
            }
            let sample = Sample::new();
            files(&sample, &blocks);
            let mut last = None;
            for shown in read(block) {
                if ELSEWHERE.iter().any(|(command, _)| shown.command.starts_with(command)) {
                    continue;
                }
                last = Some(check(&page.place(block.line), &sample, &shown));
                count += 1;
            }
            sample.assert_strict();
            if let (Some(json), Some(output)) = (blocks.get(index + 1).filter(|next| next.language == "json"), last) {
                shape::assert_same(&page.place(json.line), &json.text, &output.stdout);
            }
        }
    }
    assert!(count > 20, "only {count} commands were found");
}

/// Catches a job or a pipe that is shown and does not work.
#[test]
fn lines_of_scripts_work() {
    let mut count = 0;
    for page in here() {
        for block in page.blocks() {
            if !matches!(block.language.as_str(), "sh" | "yaml") {
                continue;
            }
            for line in block.text.lines().filter(|line| line.contains("shipway build")) {
                let line = line
                    .trim_start()
                    .trim_start_matches("- ")
                    .trim_start_matches("script: ");
                let shown = Shown::command(line.replace("./shipway", "shipway"));
                check(&page.place(block.line), &Sample::new(), &shown);
                count += 1;
            }
        }
    }
    assert!(count > 1, "only {count} lines were found");
}

/// Catches an example of the command's own help that does not work.
#[test]
fn examples_of_the_help_work() {
    let sample = Sample::new();
    let run_in = |sample: &Sample, command: &str| {
        check("--help", sample, &Shown::command(command));
    };
    let run = |command: &str| run_in(&sample, command);
    let examples = |name: &str| {
        let help = help(&[name]);
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        let lines = examples.lines().filter(|line| line.starts_with("  shipway "));
        let lines: Vec<String> = lines
            .map(|line| line.trim().split("  ").next().unwrap().to_owned())
            .collect();
        assert!(!lines.is_empty(), "{name} has no examples");
        lines
    };
    examples("build").iter().for_each(|line| run(line));
    run("shipway build -t registry.example.com/orders:current --push");
    examples("inspect").iter().for_each(|line| run(line));
    // Those about runs need an account: tests/it has them.
    let doctor = examples("doctor");
    let is_of_runs = |line: &&String| line.contains("--cluster") || line.contains("--via-lambda");
    doctor
        .iter()
        .filter(|line| !is_of_runs(line))
        .for_each(|line| run(line));
    for (name, built) in [
        ("copy", "shipway build -t registry.example.com/orders:1.4 --push"),
        ("push", "shipway build --base scratch --output oci:out"),
        ("tag", "shipway build -t registry.example.com/orders:1.4 --push"),
    ] {
        let sample = Sample::new();
        run_in(&sample, built);
        examples(name).iter().for_each(|line| run_in(&sample, line));
        sample.assert_strict();
    }
}

/// Catches a project file that is shown and refused.
#[test]
fn project_files_are_valid() {
    let mut count = 0;
    for page in pages() {
        for block in page.blocks().iter().filter(|block| block.language == "toml") {
            let parsed = Project::parse(&block.text, Path::new("shipway.toml"));
            assert!(parsed.is_ok(), "{}: {parsed:?}", page.place(block.line));
            count += 1;
        }
    }
    assert!(count > 5, "only {count} project files were found");
}

/// What a command says of itself.
pub(crate) fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_shipway"))
        .args(words)
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn files(sample: &Sample, blocks: &[Block]) {
    for block in blocks.iter().filter(|block| block.language == "toml") {
        let name = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
        if let Some(name) = name.filter(|name| name.ends_with(".toml")) {
            sample.write(name, &block.text);
        }
    }
}

fn check(place: &str, sample: &Sample, shown: &Shown) -> Output {
    let command = match shown.command.strip_prefix(CARGO_RUN) {
        Some(rest) => format!("shipway {rest}"),
        None => shown.command.clone(),
    };
    let output = sample.run(&command);
    shown.assert_is(place, &output);
    output
}

/// Catches a page that was moved, or an entry of the list that nothing needs any more.
#[test]
fn what_runs_elsewhere_is_still_shown() {
    let shown: Vec<Shown> = here()
        .iter()
        .flat_map(Page::blocks)
        .filter(|block| block.language == "console")
        .flat_map(|block| read(&block))
        .collect();
    for (command, _) in ELSEWHERE {
        assert!(
            shown.iter().any(|shown| shown.command.starts_with(command)),
            "{command}"
        );
    }
    assert!(shown.iter().any(|shown| shown.command.starts_with(CARGO_RUN)));
}
