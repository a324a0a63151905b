//! The whole way from a commit to a migrated schema: the pipeline builds the image with the article's Dockerfile and pushes it, and has
//! it run as a task of ECS, through the function and directly. The Flyway in it is the real one, and so is the database.
//!
//! ministack stands in for AWS: its tasks are containers of a Docker engine. Of ECS it emulates no events, so the function gets them
//! from here.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::cloud::Cloud;
use self::database::{Database as _, Gate, MariaDb, PASSWORD, Postgres};
use crate::pipeline::{BUILD, Clone, EXECUTE, Run};

mod cloud;
mod database;

/// How long anything may take; only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    until_within(PATIENCE, what, is_so);
}

fn until_within(patience: Duration, what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < end, "never came: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// The article's project, whose pipeline is told where to push and which function to call.
fn clone_for(cloud: &Cloud) -> Clone {
    let clone = Clone::new()
        .set("AWS_REPOS_FLYWAY", cloud.repository())
        .set("SHIPWAY_LAMBDA", cloud.name)
        .with(Cloud::environment());
    // Of this version all of Flyway's jars are to be had.
    clone.change("db-migrations/Dockerfile", |text| {
        text.replace("flyway:13.12.0", "flyway:12.4.0")
    });
    clone.commit("base");
    clone
}

fn run(clone: &Clone) -> Run {
    let run = clone.run("db-migrations/gitlab-ci.yml");
    assert!(!run.log.contains(PASSWORD), "the password is in the log:\n{}", run.log);
    run
}

/// What Flyway has written about the sample project's scripts.
const SAMPLE: [&str; 7] = [
    "1 create customers fine",
    "2 create products fine",
    "3 create orders fine",
    "3.1 index orders by customer fine",
    "4 record shipments fine",
    "- open orders fine",
    "- order totals fine",
];

/// Catches a pipeline that is green and has not migrated, that migrates with another image, or twice, or that is red without a reason.
#[test]
#[ignore = "needs gitlab-ci-local, ministack, a Docker engine, Flyway and MariaDB: ci/test.sh"]
fn a_commit_becomes_a_schema() {
    let database = MariaDb::new("article_commit");
    let cloud = Cloud::new("article-commit", &database);
    let clone = clone_for(&cloud);

    let first = run(&clone);
    first.assert_passed(&[BUILD, EXECUTE]);
    assert_eq!(database.history(), SAMPLE);
    let tables = database.rows("SHOW TABLES");
    for table in ["customers", "orders", "order_totals"] {
        assert!(tables.lines().any(|line| line == table), "{tables}");
    }
    for line in ["Successfully applied 7 migrations", "flyway applied 7 migrations"] {
        assert!(first.log.contains(line), "no {line} in:\n{}", first.log);
    }
    // The task has run what was pushed, by its digest.
    let image = clone.read("shipway.env");
    let image = image.lines().find_map(|line| line.strip_prefix("SHIPWAY_IMAGE="));
    let image = image.expect("it tells the image");
    let [task] = &cloud.tasks()[..] else {
        panic!("{:?}", cloud.tasks())
    };
    assert_eq!(task["containers"][0]["image"], image);
    let junit = clone.read("migrations.xml");
    assert!(junit.contains("\"3.1 index orders by customer\""), "{junit}");

    // What doctor sees of all this: the one thing that AWS would not forgive, machines that nobody has registered.
    let looked = cloud.end_of(&mut cloud.shipway(&["doctor", &cloud.repository(), "--via-lambda", cloud.name]));
    assert_eq!(looked.status, Some(1), "{}{}", looked.printed, looked.said);
    let lines_of = |verdict: &str| -> Vec<String> {
        let lines = looked
            .printed
            .lines()
            .filter_map(|line| line.strip_prefix(verdict)?.split_once(':'));
        lines.map(|(name, _)| name.trim().to_owned()).collect()
    };
    assert_eq!(lines_of("FAIL"), ["launch", "execution role"], "{}", looked.printed);
    let fine = [
        "registry",
        "function",
        "cluster",
        "tasks",
        "task definition",
        "network",
        "log",
        "table",
        "allowed",
    ];
    assert_eq!(lines_of("ok"), fine, "{}", looked.printed);

    let second = run(&clone);
    second.assert_passed(&[BUILD, EXECUTE]);
    assert!(second.log.contains("No migration necessary"), "{}", second.log);
    assert_eq!(database.history(), SAMPLE);
    assert_eq!(cloud.revisions(), 2, "the image is the one of the last run");

    let broken = "db-migrations/scripts/V5__break.sql";
    clone.write(
        broken,
        "CREATE TABLE returns (id INTEGER NOT NULL);\n\nINSERT INTO nowhere VALUES (1);\n",
    );
    clone.commit("broken");
    let third = run(&clone);
    assert_ne!(third.status, Some(0), "{}", third.log);
    assert!(
        third.says("PASS", BUILD) && third.says("FAIL", EXECUTE),
        "{}",
        third.log
    );
    for told in ["V5__break.sql", "line 3", "42S02", "nowhere"] {
        assert!(third.log.contains(told), "no {told} in:\n{}", third.log);
    }
    // What `--diagnose info` shows: the row that failed.
    assert!(third.log.contains("| Failed"), "{}", third.log);
    assert!(
        clone.read("migrations.xml").contains("<failure"),
        "no failure in the report"
    );
    assert_eq!(database.history().last().map(String::as_str), Some("5 break failed"));

    // MariaDB has kept the half of it, which is to be undone by hand; then the row can be repaired.
    database.rows("DROP TABLE returns");
    clone.write(broken, "CREATE TABLE returns (id INTEGER NOT NULL);\n");
    clone.change("db-migrations/gitlab-ci.yml", |text| {
        text.replace("--diagnose info", "--repair failed-only")
    });
    clone.commit("repaired");
    let fourth = run(&clone);
    fourth.assert_passed(&[BUILD, EXECUTE]);
    assert_eq!(database.history()[7..], ["5 break fine"]);

    let history = cloud.end_of(&mut cloud.shipway(&["history", "--via-lambda", cloud.name, "--format", "json"]));
    assert_eq!(history.status, Some(0), "{}", history.said);
    let statuses: Vec<Value> = history.json()["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| run["status"].clone())
        .collect();
    // Newest first: migrated after a repair after a failure, `info` after a failure, the failure, nothing to do, all.
    assert!(
        statuses.ends_with(&[json!("failed"), json!("succeeded"), json!("succeeded")]),
        "{statuses:?}"
    );
    assert_eq!(statuses[0], "succeeded", "{statuses:?}");
}

/// Catches a component that GitLab would take and that does not work.
#[test]
#[ignore = "needs gitlab-ci-local, ministack, a Docker engine, Flyway and MariaDB: ci/test.sh"]
fn the_component_does_the_same() {
    let database = MariaDb::new("article_component");
    let cloud = Cloud::new("article-component", &database);
    let clone = clone_for(&cloud);
    clone.change("shipway.toml", |text| text.replace("flyway:13.12.0", "flyway:12.4.0"));
    clone.write(
        "component.gitlab-ci.yml",
        &format!(
            "include:\n  - local: templates/shipway.yml\n    inputs:\n      job-image: shipway\n      repository: {}\n      function: {}\n      run-options: --diagnose info --tail 5\n\nstages: [{BUILD}, {EXECUTE}]\n",
            cloud.repository(),
            cloud.name
        ),
    );
    clone.commit("component");
    let run = clone.run("component.gitlab-ci.yml");
    run.assert_passed(&[BUILD, EXECUTE]);
    assert!(!run.log.contains(PASSWORD), "{}", run.log);
    assert_eq!(database.history(), SAMPLE);
}

/// Catches two migrations at once, a client that forgets what it started, and a migration that is started twice.
#[test]
#[ignore = "needs ministack, a Docker engine, Flyway and MariaDB: ci/test.sh"]
fn one_at_a_time_and_a_client_that_was_killed_finds_its_run() {
    let database = MariaDb::new("article_busy");
    let cloud = Cloud::new("article-busy", &database);
    let script = format!("CREATE TABLE slow (id INTEGER NOT NULL);\n{}", Gate::STATEMENT);
    let image = cloud.image_of("1", &[("V1__slow.sql", &script)]);
    let words = |run: &'static str| {
        [
            "run",
            "--via-lambda",
            cloud.name,
            "--poll",
            "1s",
            "--format",
            "json",
            "--run-id",
            run,
        ]
    };
    let order = |run: &'static str| {
        let mut command = cloud.shipway(&words(run));
        command.args(["--image", &image]);
        command
    };

    let gate = database.close_gate();
    let mut first = order("mine");
    let mut killed = first
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("shipway starts");
    gate.await_somebody();
    killed.kill().expect("it runs still");
    killed.wait().expect("it ends");

    let refused = cloud.end_of(&mut order("another"));
    assert_eq!(refused.status, Some(4), "{}", refused.said);
    assert!(
        refused.said.contains("mine"),
        "who holds the lock is not told: {}",
        refused.said
    );
    let status = cloud.end_of(&mut cloud.shipway(&["status", "mine", "--via-lambda", cloud.name, "--format", "json"]));
    assert_eq!(status.json()["status"], "running", "{}", status.said);

    let again = order("mine").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let again = again.expect("shipway starts");
    gate.open();
    let again = again.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(0), "{said}");
    let result: Value = serde_json::from_slice(&again.stdout).expect("it is JSON");
    assert_eq!(
        (&result["status"], &result["attempt"]),
        (&json!("succeeded"), &json!(1)),
        "{result}"
    );
    assert_eq!(result["migrations"]["executed"][0]["version"], "1", "{result}");
    assert_eq!(database.history(), ["1 slow fine"]);
    assert_eq!(cloud.tasks().len(), 1, "{:?}", cloud.tasks());

    // Once more is not at all, and the lock is free for the next one.
    let reused = cloud.end_of(&mut order("mine"));
    assert_eq!(
        (reused.status, &reused.json()["reused"]),
        (Some(0), &json!(true)),
        "{}",
        reused.said
    );
    let next = cloud.end_of(&mut order("another"));
    assert_eq!(next.status, Some(0), "{}", next.said);
    assert_eq!(cloud.tasks().len(), 2, "{:?}", cloud.tasks());
}

/// Catches a run of which nobody ever hears, a lock that stays, and a mail that does not say what failed, or comes twice.
#[test]
#[ignore = "needs ministack, a Docker engine, Flyway and MariaDB: ci/test.sh"]
fn the_end_of_a_run_for_which_nobody_waits_is_kept_and_told() {
    let database = MariaDb::new("article_event");
    let cloud = Cloud::new("article-event", &database);
    let good = ("V1__first.sql", "CREATE TABLE first (id INTEGER NOT NULL);\n");
    let images = [
        cloud.image_of("1", &[good]),
        cloud.image_of("2", &[good, ("V2__second.sql", "\nSELEC 1;\n")]),
    ];
    let mut ends = Vec::new();
    for (image, run) in images.iter().zip(["first", "second"]) {
        let words = [
            "run",
            "--via-lambda",
            cloud.name,
            "--detach",
            "--format",
            "json",
            "--run-id",
            run,
            "--image",
            image,
        ];
        // The second one finds the lock free.
        let started = cloud.end_of(&mut cloud.shipway(&words));
        assert_eq!(started.status, Some(0), "{}", started.said);
        let task = started.json()["task"]["arn"]
            .as_str()
            .expect("it has a task")
            .to_owned();
        cloud.hand_over_the_end_of(&task);
        cloud.hand_over_the_end_of(&task);
        ends.push(task);
    }
    let history = cloud.end_of(&mut cloud.shipway(&["history", "--via-lambda", cloud.name, "--format", "json"]));
    let runs = history.json()["runs"].as_array().expect("a list").clone();
    let told: Vec<_> = runs
        .iter()
        .map(|run| (run["runId"].clone(), run["status"].clone()))
        .collect();
    assert_eq!(
        told,
        [(json!("second"), json!("failed")), (json!("first"), json!("succeeded"))],
        "{runs:?}"
    );

    let mails = cloud.mails();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    let message = mail["Message"].as_str().expect("a mail has a text");
    for told in ["V2__second.sql", "line 2", "SELEC", "42000", "second"] {
        assert!(message.contains(told), "no {told} in:\n{message}");
    }
    assert_eq!(database.history(), ["1 first fine", "2 second failed"]);
}

/// Catches what only works through the function, or with MariaDB.
#[test]
#[ignore = "needs ministack, a Docker engine and Flyway: ci/test.sh"]
fn postgresql_is_migrated_without_a_function() {
    let database = Postgres::start();
    let cloud = Cloud::new("article-postgres", &database);
    let good = ("V1__first.sql", "CREATE TABLE first (id INTEGER NOT NULL);\n");
    let images = [
        cloud.image_of("1", &[good]),
        cloud.image_of(
            "2",
            &[
                good,
                (
                    "V2__second.sql",
                    "CREATE TABLE second (id INTEGER);\nSELECT nothing FROM second;\n",
                ),
            ],
        ),
    ];
    let run = |image: &str, more: &[&str]| {
        let words = [
            "run",
            "--cluster",
            cloud.name,
            "--family",
            cloud.name,
            "--lock",
            cloud.name,
            "--poll",
            "1s",
        ];
        let mut command: Command = cloud.shipway(&words);
        cloud.end_of(command.args(["--format", "json", "--image", image]).args(more))
    };
    // As JSON, Flyway tells more.
    let first = run(&images[0], &["--", "migrate", "-outputType=json"]);
    assert_eq!(first.status, Some(0), "{}", first.said);
    let result = first.json();
    let executed = &result["migrations"]["executed"][0];
    assert_eq!(
        (&executed["version"], &executed["script"]),
        (&json!("1"), &json!("/flyway/sql/V1__first.sql")),
        "{result}"
    );
    assert_eq!(result["logs"]["complete"], true, "{result}");
    let second = run(&images[0], &[]);
    assert_eq!(second.status, Some(0), "{}", second.said);
    assert_eq!(second.json()["migrations"]["executed"], json!([]), "{}", second.printed);
    let third = run(&images[1], &["--diagnose", "info"]);
    assert_eq!(third.status, Some(5), "{}", third.said);
    let error = &third.json()["migrations"]["error"];
    assert_eq!(
        (&error["line"], &error["sqlState"]),
        (&json!(2), &json!("42703")),
        "{error}"
    );
    assert!(
        error["script"]
            .as_str()
            .is_some_and(|script| script.ends_with("V2__second.sql")),
        "{error}"
    );
    // PostgreSQL takes back what failed, table and row.
    assert_eq!(database.history(), ["1 first fine"]);
    assert_eq!(database.rows("SELECT to_regclass('second') IS NULL"), "t\n");
}
