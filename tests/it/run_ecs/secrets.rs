//! What must not be seen: keys, values of variables, and what task definitions hold.

use crate::support::aws::{EcsScene, Script, TABLE};
use crate::support::outcome::Outcome;

/// Fails the test if a canary is anywhere but where it belongs.
fn assert_unseen(scene: &EcsScene, outcomes: &[&Outcome]) {
    for outcome in outcomes {
        assert!(!outcome.text().contains("canary"), "{outcome:#?}");
    }
    for item in scene.aws.items(TABLE) {
        assert!(!item.to_string().contains("canary"), "{item:#}");
    }
    for file in scene.project.files() {
        let text = std::fs::read(scene.project.folder().join(&file)).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("canary"), "{file}");
    }
    let home = scene.project.root();
    for folder in ["home", "cache", "tmp"] {
        for file in crate::support::project::files_below(&home.join(folder)) {
            let text = std::fs::read(home.join(folder).join(&file)).unwrap();
            assert!(!String::from_utf8_lossy(&text).contains("canary"), "{folder}/{file}");
        }
    }
}

const FILES: [&str; 6] = [
    "--receipt",
    "receipt.json",
    "--junit",
    "junit.xml",
    "--dotenv",
    "run.env",
];
const VARIABLE: &str = "FLYWAY_PASSWORD=canary-variable-not-to-be-seen";
const COMMAND: [&str; 3] = ["--", "migrate", "-password=canary-variable-not-to-be-seen"];

/// Catches a value of a variable in any output, and also where the program itself writes it.
#[test]
fn values_of_variables_are_not_seen() {
    for code in [0, 1] {
        let scene = EcsScene::new();
        let line = "connecting with canary-variable-not-to-be-seen as user";
        scene.aws.next_task(Script::fails(code, &[line]));
        let mut arguments = vec!["-v", "--format", "json", "--env", VARIABLE];
        arguments.extend(FILES);
        let run = scene.run(&arguments);
        assert_eq!(run.status, Some(if code == 0 { 0 } else { 5 }), "{run:#?}");
        let status = scene.command("status", &["run-1", "--format", "json"]);
        assert_unseen(&scene, &[&run, &status]);
        let sent = &scene.aws.calls_of("ecs:RunTask")[0].input;
        assert!(
            sent.to_string().contains("canary-variable"),
            "the task gets it: {sent:#}"
        );
    }
}

/// What Flyway writes of a script with the variable in it, as text and as JSON.
const REPORTS: [&str; 2] = [
    "ERROR: Failed to execute script V2__broken.sql\n\
     SQL State  : 42000\n\
     Message    : no user canary-variable-not-to-be-seen\n\
     Location   : /flyway/sql/V2__broken.sql\n\
     Line       : 5\n\
     Statement  : CREATE USER app IDENTIFIED BY 'canary-variable-not-to-be-seen'",
    r#"{"error":{"errorCode":"FAILED_VERSIONED_MIGRATION","message":"no user canary-variable-not-to-be-seen","path":"/flyway/sql/V2__broken.sql","lineNumber":5},"flywayVersion":"12.4.0","operation":"migrate","success":false,"warnings":["mind canary-variable-not-to-be-seen"]}"#,
];

/// Catches a value that the tool repeats in what is understood of its log: in the error, the results, the table and the mail.
#[test]
fn values_of_variables_are_not_seen_in_what_is_understood() {
    for report in REPORTS {
        for (scene, logs, given) in [
            (EcsScene::new(), "follow", &["--env", VARIABLE][..]),
            // Nobody here reads the log then, but for whoever keeps the record.
            (EcsScene::new(), "none", &["--env", VARIABLE]),
            (EcsScene::new(), "none", &COMMAND),
            (EcsScene::via_function(), "follow", &["--env", VARIABLE]),
            (EcsScene::via_function(), "none", &["--env", VARIABLE]),
            (EcsScene::via_function(), "none", &COMMAND),
        ] {
            let lines: Vec<&str> = report.lines().collect();
            scene.aws.next_task(Script::fails(1, &lines));
            let mut arguments = vec!["-v", "--format", "json", "--logs", logs];
            arguments.extend(FILES);
            arguments.extend(given);
            let run = scene.run(&arguments).exited(5);
            let json = run.json();
            assert_eq!(json["migrations"]["error"]["line"], 5, "it was understood: {json:#}");
            assert!(run.stderr.contains("V2__broken.sql line 5"), "{run:#?}");
            let history = scene.command("history", &["--format", "json"]).succeeded();
            assert!(history.stdout.contains("no user ***"), "{history:#?}");
            assert_unseen(&scene, &[&run, &history]);
            if scene.has_function() {
                scene.event(&scene.aws.event(0)).expect("it is concluded");
                let mails = scene.aws.mails();
                assert!(mails[0].text.contains("no user ***"), "{mails:#?}");
                assert!(!format!("{mails:?}").contains("canary"), "{mails:#?}");
                assert!(!scene.function_log().contains("canary"), "{}", scene.function_log());
            }
        }
    }
}

/// Catches the plan of a run that prints what it would send.
#[test]
fn a_plan_shows_no_values() {
    let scene = EcsScene::new();
    let plan = |format| {
        let mut arguments = vec!["--dry-run", "--env", VARIABLE, "--format", format];
        arguments.extend(COMMAND);
        scene.run(&arguments).succeeded()
    };
    let (text, json) = (plan("text"), plan("json"));
    for word in ["FLYWAY_PASSWORD", "migrate", "-password=***"] {
        assert!(json.stdout.contains(word), "{word}: {json:#?}");
    }
    assert_unseen(&scene, &[&text, &json]);
}

/// Catches a refusal that repeats the word after a flag, which may be a password.
#[test]
fn a_refused_command_is_told_without_passwords() {
    let scene = EcsScene::via_function();
    let refused = scene
        .run(&["--", "migrate", "-password", "canary-command-not-to-be-seen"])
        .exited(4)
        .says(&["--flag=value"]);
    assert_unseen(&scene, &[&refused]);
    assert!(!scene.function_log().contains("canary"), "{}", scene.function_log());
}

/// Catches an error of ECS that repeats what was sent.
#[test]
fn an_error_does_not_repeat_what_was_sent() {
    let scene = EcsScene::new();
    let long = format!("FLYWAY_PLACEHOLDERS_X=canary-{}", "x".repeat(9000));
    let outcome = scene.run(&["--env", &long]).exited(2).says(&["8192"]);
    assert_eq!(scene.aws.count("ecs:RegisterTaskDefinition"), 0);
    assert_eq!(scene.lock(), None);
    assert_unseen(&scene, &[&outcome]);
}
