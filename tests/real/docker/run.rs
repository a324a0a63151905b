//! `shipway run` on a real engine, with real databases.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::Page;
use crate::parts::{docker, output, program, setting};
use crate::project::Project;
use crate::shape;
use crate::transcript::{AT_ENGINE, read};

/// An image that is a shell and little else; its arguments are one line of shell.
const TOOLS: &str = "shipway-test/tools:1";

/// What a part of a test may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What must appear nowhere.
const CANARY: &str = "c4n4ry-5ecret";

fn shipway(project: &Project, arguments: &[&str]) -> Command {
    let mut shipway = Command::new(program());
    shipway
        .args(arguments)
        .current_dir(project.path(""))
        .env("DOCKER_HOST", setting("SHIPWAY_TEST_DOCKER"))
        .env("DOCKER_CONFIG", project.docker_configuration())
        .env_remove("SHIPWAY_IMAGE");
    shipway
}

fn run(project: &Project, arguments: &[&str]) -> Output {
    let arguments = [&["run"], arguments].concat();
    shipway(project, &arguments).output().expect("shipway starts")
}

fn shell(project: &Project, flags: &[&str], line: &str) -> Output {
    run(
        project,
        &[&["--docker", TOOLS, "--pull", "never"], flags, &["--", line]].concat(),
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The containers of runs whose name is told in JSON: none must be left.
fn assert_gone(project: &Project, json: &Value) {
    let name = json["container"]["name"].as_str().expect("a container was made");
    let mut all = docker(&project.docker_configuration());
    all.args([
        "ps",
        "--all",
        "--quiet",
        "--filter",
        &format!("label=io.shipway.run={name}"),
    ]);
    assert_eq!(output(&mut all), "");
    let mut all = docker(&project.docker_configuration());
    all.args([
        "network",
        "ls",
        "--quiet",
        "--filter",
        &format!("label=io.shipway.run={name}"),
    ]);
    assert_eq!(output(&mut all), "");
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn each_end_has_its_status() {
    let project = Project::new();
    for (flags, line, exit, status, code) in [
        (&[][..], "exit 0", 0, "succeeded", Some(0)),
        (&[], "exit 3", 5, "failed", Some(3)),
        (&[], "nowhere", 5, "failed", Some(127)),
        (
            &["--memory", "24m"],
            "exec tail /dev/zero",
            5,
            "out_of_memory",
            Some(137),
        ),
        (&["--entrypoint", "/nowhere"], "", 6, "start_failed", None),
        (&["--volume", "/nowhere:/data"], "exit 0", 6, "start_failed", None),
    ] {
        let flags = [&["--network", "none", "--format", "json"], flags].concat();
        let done = shell(&project, &flags, line);
        assert_eq!(done.status.code(), Some(exit), "{line}: {done:?}");
        let json = json(&done);
        assert_eq!(json["status"], status, "{line}: {json}");
        assert_eq!(json["exitCode"].as_i64(), code, "{line}: {json}");
        if code.is_some() {
            assert_gone(&project, &json);
        }
    }
    let gone = run(&project, &["--docker", "shipway-test/gone:1", "--pull", "never"]);
    assert_eq!(gone.status.code(), Some(6), "{gone:?}");
}

/// A megabyte, all bytes there are, and no end of line.
#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn output_is_handed_on_byte_by_byte() {
    let project = Project::new();
    let mut bytes: Vec<u8> = Vec::new();
    for index in 0..1_000_000_u32 {
        bytes.push(u8::try_from(index.wrapping_mul(2_654_435_761) >> 24).expect("eight bits"));
    }
    fs::write(project.path("bytes"), &bytes).expect("a file can be written");
    output(Command::new("chmod").args(["-R", "a+rX"]).arg(project.path("bytes")));
    let volume = format!("{}:/bytes:ro", project.path("bytes").display());
    let flags = ["--network", "none", "--quiet", "--volume", &volume];
    let done = shell(&project, &flags, "cat /bytes; echo to the other >&2; exit 7");
    assert_eq!(done.status.code(), Some(5));
    assert!(done.stdout == bytes, "{} bytes came", done.stdout.len());
    assert!(
        text(&done.stderr).starts_with("to the other\nerror: "),
        "{}",
        text(&done.stderr)
    );
}

/// Catches a line that is lost because the program ended right after it.
#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn the_last_line_of_a_short_program_is_never_lost() {
    let project = Project::new();
    for number in 0..10 {
        let done = shell(&project, &["--network", "none", "--quiet"], &format!("echo {number}"));
        assert_eq!(text(&done.stdout), format!("{number}\n"), "{done:?}");
    }
}

#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn variables_arrive_and_are_not_shown() {
    let project = Project::new();
    let file = format!("FROM_FILE={CANARY}\n# NO=1\nQUOTED=\"a b\"\n");
    fs::write(project.path("env"), file).expect("a file can be written");
    let arguments = [
        "run",
        "--docker",
        TOOLS,
        "--network",
        "none",
        "--env",
        "HERE",
        "--env-file",
        "env",
        "--env",
        "PLAIN=x=y",
        "--verbose",
        "--format",
        "json",
        "--",
        "[ \"$HERE$FROM_FILE\" = c4n4ry-5ecretc4n4ry-5ecret ] && [ \"$QUOTED\" = '\"a b\"' ] && [ $PLAIN = x=y ]",
    ];
    let done = shipway(&project, &arguments)
        .env("HERE", CANARY)
        .output()
        .expect("shipway starts");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(
        !text(&done.stdout).contains(CANARY) && !text(&done.stderr).contains(CANARY),
        "{done:?}"
    );
}

/// The program says that it was asked to end; with a second signal it is not asked again.
#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn signals_stop_and_remove() {
    let project = Project::new();
    let line = "trap 'echo asked; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    let deaf = "trap 'echo asked' TERM; echo ready; while :; do sleep 0.1; done";
    for (line, signals, exit, code) in [
        (line, &["INT"][..], 130, 9),
        (line, &["TERM"], 143, 9),
        (deaf, &["INT", "INT"], 130, 137),
    ] {
        let log = project.path("log");
        let arguments = [
            "run",
            "--docker",
            TOOLS,
            "--network",
            "none",
            "--stop-timeout",
            "600",
            "--format",
            "json",
            "--",
            line,
        ];
        let running = shipway(&project, &arguments)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).expect("a log can be written"))
            .spawn()
            .expect("shipway starts");
        let says = |words: &str| fs::read_to_string(&log).is_ok_and(|text| text.contains(words));
        wait_until("the program runs", || says("ready"));
        for signal in signals {
            output(
                Command::new("kill")
                    .arg(format!("-{signal}"))
                    .arg(running.id().to_string()),
            );
            wait_until("the program is asked to end", || says("asked"));
        }
        let done = running.wait_with_output().expect("shipway ends");
        let log = fs::read_to_string(&log).expect("a log can be read");
        assert_eq!(done.status.code(), Some(exit), "{log}");
        let json = json(&done);
        assert_eq!(json["status"], "interrupted", "{log}");
        assert_eq!(json["exitCode"], code, "{log}");
        assert_gone(&project, &json);
    }
}

/// Pulled by the engine, from a registry on this machine, with the digest told.
#[test]
#[ignore = "needs a Docker engine and docker-registry: ci/test.sh"]
fn an_image_is_pulled_by_the_engine() {
    let project = Project::new();
    let registry = crate::parts::Registry::plain();
    let pushed = project.push(&registry, &registry.base(), "ran/orders:1");
    let done = run(
        &project,
        &["--docker", &pushed, "--network", "none", "--format", "json"],
    );
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{told}");
    assert!(told.contains(&format!("pulled {pushed}")), "{told}");
    assert!(told.contains("arguments: migrate\n"), "{told}");
    assert_eq!(json(&done)["digest"], pushed);
    assert_gone(&project, &json(&done));
}

#[test]
#[ignore = "needs a Docker engine and MariaDB: ci/test.sh"]
fn mariadb_is_rehearsed() {
    let project = Project::new();
    // In a network of its own, and on the loopback interface.
    for network in [&[][..], &["--network", "host"]] {
        let flags = [
            "--docker",
            "shipway-test/mariadb-migrations:1",
            "--pull",
            "never",
            "--database",
            "mariadb",
            "--database-image",
            "shipway-test/mariadb:1",
            "--format",
            "json",
        ];
        let done = run(&project, &[&flags[..], network].concat());
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let json = json(&done);
        assert_eq!(json["history"][0]["script"], "V1__create_orders.sql");
        assert_eq!(json["history"][0]["success"], true);
        assert_gone(&project, &json);

        let done = run(&project, &[&flags[..], network, &["--", "break"]].concat());
        assert_eq!(done.status.code(), Some(5), "{}", text(&done.stderr));
        let json = self::json(&done);
        assert_eq!(json["history"][1]["success"], false, "{json}");
        assert!(text(&done.stderr).contains("TABL broken"), "{}", text(&done.stderr));
        assert_gone(&project, &json);
    }
}

#[test]
#[ignore = "needs a Docker engine and PostgreSQL: ci/test.sh"]
fn postgres_is_rehearsed() {
    let project = Project::new();
    for network in [&[][..], &["--network", "host"]] {
        let flags = [
            "--docker",
            "shipway-test/postgres-migrations:1",
            "--pull",
            "never",
            "--database",
            "postgres",
            "--database-image",
            "shipway-test/postgres:1",
            "--format",
            "json",
        ];
        let done = run(&project, &[&flags[..], network].concat());
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let json = json(&done);
        assert_eq!(json["history"][0]["schema"], "shop");
        assert_eq!(json["history"][0]["version"], Value::Null);
        assert_gone(&project, &json);
    }
}

/// An image that is no database is told as such, and is not left behind.
#[test]
#[ignore = "needs a Docker engine: ci/test.sh"]
fn a_database_that_is_none_is_told() {
    let project = Project::new();
    let flags = [
        "--docker",
        TOOLS,
        "--pull",
        "never",
        "--database",
        "postgres",
        "--database-image",
        TOOLS,
        "--format",
        "json",
    ];
    let done = run(&project, &flags);
    assert_eq!(done.status.code(), Some(6), "{}", text(&done.stderr));
    let json = json(&done);
    assert_eq!(json["container"], Value::Null);
    assert!(
        json["error"].as_str().expect("an error").contains("before it answered"),
        "{json}"
    );
}

/// The page in the documentation: commands do what is shown, and JSON has the members that are shown.
#[test]
#[ignore = "needs a Docker engine and MariaDB: ci/test.sh"]
fn every_command_of_the_page_does_what_is_shown() {
    let project = Project::new();
    let tag = |image: &str, name: &str| {
        output(docker(&project.docker_configuration()).args(["tag", image, name]));
    };
    tag(
        "shipway-test/mariadb-migrations:1",
        "registry.example.com/orders-migrations:1.4",
    );
    tag("shipway-test/mariadb:1", "docker.io/library/mariadb:11");
    let mut count = 0;
    for page in AT_ENGINE.map(Page::named) {
        let blocks = page.blocks();
        for (index, block) in blocks
            .iter()
            .enumerate()
            .filter(|(_, block)| block.language == "console")
        {
            let mut last = None;
            for shown in read(block) {
                let program = program();
                let folder = program.parent().expect("it lies in a folder").display();
                let mut shell = shipway(&project, &[]);
                let environment: Vec<_> = shell
                    .get_envs()
                    .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
                    .collect();
                shell = Command::new("sh");
                shell
                    .args(["-c", &format!("PATH={folder}:$PATH; {}", shown.command)])
                    .current_dir(project.path(""));
                for (name, value) in environment {
                    match value {
                        Some(value) => shell.env(name, value),
                        None => shell.env_remove(name),
                    };
                }
                let done = shell.output().expect("a shell starts");
                shown.assert_is(&page.place(block.line), &done);
                last = Some(done);
                count += 1;
            }
            let json = blocks.get(index + 1).filter(|next| next.language == "json");
            if let (Some(json), Some(printed)) = (json, last) {
                shape::assert_same(&page.place(json.line), &json.text, &printed.stdout);
            }
        }
    }
    assert!(count > 3, "only {count} commands were found");
}
