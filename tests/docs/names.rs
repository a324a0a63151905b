//! Flags, variables, keys and exit statuses: the documentation names all there are, and no others.

use std::collections::{BTreeMap, BTreeSet};

use crate::examples::help;
use crate::page::{Page, pages, read};

/// Flags of other programs.
const FOREIGN_FLAGS: [(&str, &str); 42] = [
    ("--data-urlencode", "curl"),
    ("--fail", "curl"),
    ("--header", "curl"),
    ("--show-error", "curl"),
    ("--silent", "curl"),
    ("--chmod", "COPY and ADD"),
    ("--checksum", "ADD"),
    ("--chown", "COPY and ADD"),
    ("--exclude", "COPY and ADD"),
    ("--from", "COPY"),
    ("--interval", "HEALTHCHECK"),
    ("--link", "COPY and ADD"),
    ("--parents", "COPY"),
    ("--retries", "HEALTHCHECK"),
    ("--start-interval", "HEALTHCHECK"),
    ("--start-period", "HEALTHCHECK"),
    ("--timeout", "HEALTHCHECK"),
    ("--unpack", "ADD"),
    ("--all", "docker ps"),
    ("--filter", "docker ps"),
    ("--cli-binary-format", "aws"),
    ("--cli-read-timeout", "aws"),
    ("--flag", "any program's, in a rule"),
    ("--defaults-file", "liquibase"),
    ("--file", "docker build"),
    ("--function-name", "aws"),
    ("--payload", "aws"),
    ("--tag", "docker build"),
    ("--release", "cargo"),
    ("--log-level", "an argument in the example of a command"),
    ("--name", "aws"),
    ("--network", "docker"),
    ("--query", "aws"),
    ("--region", "aws"),
    ("--rm", "docker"),
    ("--capabilities", "aws"),
    ("--parameter-overrides", "aws"),
    ("--secret-string", "aws"),
    ("--stack-name", "aws"),
    ("--template-file", "aws"),
    ("--architecture", "ci/lambda.sh"),
    ("--value", "aws"),
];

/// Variables of this prefix that shipway does not read.
const WRITTEN_VARIABLES: [(&str, &str); 9] = [
    ("SHIPWAY_LAMBDA", "the user's own, in the pipeline"),
    ("SHIPWAY_RUN_ID", "written by run --dotenv"),
    ("SHIPWAY_RUN_STATUS", "written by run --dotenv"),
    ("SHIPWAY_RUN_TASK", "written by run --dotenv"),
    ("SHIPWAY_RUN_TASK_DEFINITION", "written by run --dotenv"),
    ("SHIPWAY_RUN_VERSION", "written by run --dotenv"),
    ("SHIPWAY_JOB_IMAGE", "the user's own, in the sample project's pipeline"),
    ("SHIPWAY_DIGEST", "written by --dotenv"),
    ("SHIPWAY_URL", "the user's own, in the example of a job"),
];

/// Sections of the project file: their heading, and the structure in `src/project.rs` they are read into.
const SECTIONS: [(&str, &str); 10] = [
    ("## `[project]`", "ProjectSection"),
    ("## `[migrations]`", "MigrationsSection"),
    ("## `[runner]`", "RunnerSection"),
    ("## `[dockerfile]`", "DockerfileSection"),
    ("## `[image]`", "ImageSection"),
    ("## `[check]`", "CheckSection"),
    ("## `[repository]`", "RepositorySection"),
    ("## `[run]`", "RunSection"),
    ("## `[run.databases]`", "DatabasesSection"),
    ("## `[registry.\"HOST\"]`", "RegistrySection"),
];

/// Catches a flag that is not documented, and one that is documented and not there.
#[test]
fn flags_are_those_of_the_help() {
    let of_help: BTreeSet<String> = [
        ["build"],
        ["check"],
        ["diff"],
        ["copy"],
        ["push"],
        ["tag"],
        ["inspect"],
        ["doctor"],
        ["lambda"],
        ["run"],
        ["status"],
        ["logs"],
        ["stop"],
        ["history"],
    ]
    .iter()
    .flat_map(|words| flags(&help(words)))
    .collect();
    assert!(of_help.len() > 30, "{of_help:?}");
    let mut of_pages = BTreeSet::new();
    for page in pages() {
        for flag in flags(&page.text) {
            let is_foreign = FOREIGN_FLAGS.iter().any(|(foreign, _)| *foreign == flag);
            assert!(
                is_foreign || of_help.contains(&flag),
                "{}: there is no {flag}",
                page.path.display()
            );
            of_pages.insert(flag);
        }
    }
    let missing: Vec<&String> = of_help.difference(&of_pages).collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
    for (flag, _) in FOREIGN_FLAGS {
        assert!(of_pages.contains(flag), "{flag} is not mentioned any more");
    }
}

/// Catches a variable that is read and not documented, or the reverse.
#[test]
fn variables_are_those_that_are_read() {
    let source = read("src/bin/shipway/environment.rs");
    let (_, list) = source.split_once("VARIABLES: &[(&str, &str)] = &[").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    let mut quoted = list.split('"').skip(1).step_by(2);
    let mut read = BTreeMap::new();
    while let (Some(name), Some(meaning)) = (quoted.next(), quoted.next()) {
        read.insert(name.to_owned(), meaning.to_owned());
    }
    let page = Page::named("docs/shipway-toml.md");
    let tables = page.tables("## Environment variables");
    let documented: BTreeMap<String, String> = tables[0]
        .iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].clone()))
        .collect();
    assert_eq!(documented, read);
    for page in pages() {
        for name in words(&page.text, "SHIPWAY_", |c| c.is_ascii_uppercase() || c == '_') {
            let is_written = WRITTEN_VARIABLES.iter().any(|(written, _)| *written == name);
            assert!(
                is_written || read.contains_key(&name),
                "{}: there is no {name}",
                page.path.display()
            );
        }
    }
}

/// Catches a key of the project file that is not documented, and one that is documented and not there.
#[test]
fn keys_are_those_of_the_project_file() {
    let source = read("src/project.rs");
    let page = Page::named("docs/shipway-toml.md");
    let sections: Vec<&str> = fields(&source, "Project");
    let headings = page.text.lines().filter(|line| line.starts_with("## `["));
    let headings: Vec<&str> = headings.collect();
    assert_eq!(headings, SECTIONS.map(|(heading, _)| heading));
    for section in sections.iter().filter(|name| !matches!(**name, "file" | "folder")) {
        assert!(
            headings.iter().any(|heading| heading.contains(section)),
            "[{section}] is not documented"
        );
    }
    for (heading, structure) in SECTIONS {
        let rows = page.tables(heading).remove(0);
        let documented: BTreeSet<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
        // A section within a section has a heading of its own.
        let is_key = |name: &&str| (structure, *name) != ("RunSection", "databases");
        let read: BTreeSet<&str> = fields(&source, structure).into_iter().filter(is_key).collect();
        assert_eq!(documented, read, "{heading}");
        for variable in rows.iter().filter_map(|row| row.get(4)).filter(|cell| !cell.is_empty()) {
            assert!(variable.starts_with("`SHIPWAY_"), "{heading}: {variable}");
        }
    }
}

/// Catches a status that is documented differently from what the help says.
#[test]
fn exit_statuses_are_those_of_the_help() {
    let help = help(&[]);
    let (_, line) = help.split_once("Exit status:").unwrap();
    let of_help: BTreeSet<u8> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    let page = Page::named("docs/exit-status.md");
    let documented: BTreeSet<u8> = page.tables("# Exit status")[0]
        .iter()
        .map(|row| row[0].parse().unwrap())
        .collect();
    assert_eq!(documented, of_help);
    for status in &documented {
        let named = |line: &str| line.split([' ', ':']).any(|word| word.parse() == Ok(*status));
        let has_section = page.text.lines().any(|line| line.starts_with("## ") && named(line));
        assert!(has_section, "status {status} has no section");
    }
}

/// The flags a text mentions.
fn flags(text: &str) -> BTreeSet<String> {
    words(text, "--", |c| c.is_ascii_lowercase() || c == '-')
}

/// The words of a text that begin with `start` and go on with these characters.
fn words(text: &str, start: &str, goes_on: fn(char) -> bool) -> BTreeSet<String> {
    text.match_indices(start)
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| goes_on(c) || c.is_ascii_alphanumeric() || c == '|'))
        .map(|(at, _)| {
            let rest = &text[at + start.len()..];
            let end = rest.find(|c| !goes_on(c)).unwrap_or(rest.len());
            format!("{start}{}", &rest[..end])
        })
        .filter(|word| word.len() > start.len() && !word.ends_with('-'))
        .collect()
}

/// The names of the public fields of a structure.
fn fields<'a>(source: &'a str, structure: &str) -> Vec<&'a str> {
    let (_, body) = source.split_once(&format!("pub struct {structure} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    lines.filter_map(|line| Some(line.split_once(':')?.0)).collect()
}
