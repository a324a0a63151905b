//! The log of a task: every line once, the last ones too.

use serde_json::json;

use crate::support::aws::{EcsScene, Script, definition, failure};

/// Catches the last lines lost (ecspresso; Airflow#21574, #40875, #39026): they come when the task has stopped already.
#[test]
fn late_lines_are_not_lost() {
    let scene = EcsScene::new();
    let script = Script::begins().runs(&["one"]).exits(0).then(&["two", "three"]).stops();
    scene.aws.next_task(script);
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["logs"]["tail"], json!(["one", "two", "three"]));
    assert_eq!(json["logs"]["complete"], true);
    assert_eq!(json["logs"]["lines"], 3);
}

/// Catches an empty page taken for the end of a log.
#[test]
fn an_empty_page_is_not_the_end() {
    let scene = EcsScene::new();
    scene.aws.empty_pages(4);
    scene
        .aws
        .next_task(Script::begins().runs(&["one"]).then(&["two"]).exits(0).stops());
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["logs"]["tail"], json!(["one", "two"]));
}

/// Catches lines that are shown twice, out of order, or cut at a page.
#[test]
fn a_long_log_is_shown_whole_and_once() {
    let lines: Vec<String> = (0..2500).map(|number| format!("line {number:05}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let scene = EcsScene::new();
    scene.aws.next_task(
        Script::begins()
            .runs(&lines[..2100])
            .then(&lines[2100..])
            .exits(0)
            .stops(),
    );
    let outcome = scene.run(&[]).succeeded();
    let shown: Vec<_> = outcome
        .text()
        .lines()
        .filter(|line| line.starts_with("line "))
        .map(str::to_owned)
        .collect();
    assert_eq!(shown, lines);
}

/// Catches lines that are lost because the end was seen long after it had come.
#[test]
fn a_long_log_is_shown_whole_when_its_end_is_seen_late() {
    let lines: Vec<String> = (0..3500).map(|number| format!("line {number:05}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for scene in [EcsScene::new(), EcsScene::via_function()] {
        scene.aws.next_task(Script::begins().runs(&lines).exits(1).stops());
        scene.run(&["--detach"]).succeeded();
        for _ in 0..40 {
            scene.aws.pass_time();
        }
        let logs = scene.command("logs", &["run-1"]).succeeded();
        assert_eq!(logs.stdout.lines().count(), 3500);
    }
    let scene = EcsScene::new();
    let script = Script::begins().runs(&["first"]).holds().then(&lines).exits(0).stops();
    scene.aws.next_task(script);
    let running = scene.start(&["--format", "json"]);
    scene.wait_until("it is shown", |_| running.has_printed("first"));
    scene.aws.proceed();
    for _ in 0..40 {
        scene.aws.pass_time();
    }
    let outcome = running.wait().succeeded();
    assert_eq!(outcome.json()["logs"]["lines"], 3501, "{}", scene.aws.recorded());
}

/// Catches lines that are shown when all is over only.
#[test]
fn lines_are_shown_as_they_come() {
    let scene = EcsScene::new();
    scene
        .aws
        .next_task(Script::begins().runs(&["while it runs"]).holds().exits(0).stops());
    let running = scene.start(&[]);
    scene.wait_until("the line is shown", |_| running.has_printed("while it runs"));
    scene.aws.proceed();
    running.wait().succeeded();
}

/// Catches a log that is not there taken for a failure: the stream, the group, or any log at all.
#[test]
fn a_log_that_is_not_there_stops_nobody() {
    let mut without = definition();
    without["containerDefinitions"][0]
        .as_object_mut()
        .unwrap()
        .remove("logConfiguration");
    let mut elsewhere = definition();
    elsewhere["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"] = "/not/there".into();
    for definition in [without, elsewhere] {
        let scene = EcsScene::new();
        scene.aws.task_definition(&definition);
        let json = scene.run(&["--format", "json"]).succeeded().json();
        assert_eq!(json["logs"]["tail"], json!([]));
        scene.assert_recorded("succeeded");
    }
    let scene = EcsScene::new();
    scene
        .aws
        .next_task(Script::fails_to_start("CannotPullContainerError: no"));
    scene.run(&[]).exited(6);
}

/// Catches a log in another region that is looked for in ours.
#[test]
fn a_log_in_another_region_is_read_there() {
    let scene = EcsScene::new();
    let mut other = definition();
    other["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-region"] = "eu-central-1".into();
    scene.aws.task_definition(&other);
    scene.aws.log_group("eu-central-1", "/shipway/migrations");
    scene.aws.next_task(Script::succeeds(&["from afar"]));
    let json = scene.run(&["--format", "json"]).succeeded().json();
    assert_eq!(json["logs"]["tail"], json!(["from afar"]));
    assert!(
        scene
            .aws
            .calls_of("logs:GetLogEvents")
            .iter()
            .all(|call| call.region == "eu-central-1")
    );
}

/// Catches a log that may not be read taken for the end of the run, one that is missed in silence, and one that is waited for.
#[test]
fn a_log_that_may_not_be_read_is_told_and_the_run_ends_as_it_does() {
    for (code, exit, status) in [(0, 0, "succeeded"), (1, 5, "failed")] {
        let scene = EcsScene::new();
        scene.aws.deny("logs:GetLogEvents");
        scene.aws.next_task(Script::fails(code, &["unseen"]));
        let outcome = scene.run(&["--format", "json"]);
        let outcome = outcome.exited(exit).says(&["cannot be shown", "logs:GetLogEvents"]);
        assert_eq!(outcome.stderr.matches("cannot be shown").count(), 1, "{outcome:#?}");
        let json = outcome.json();
        assert_eq!(
            (&json["status"], &json["logs"]["complete"]),
            (&json!(status), &json!(false))
        );
        assert!(scene.lock().is_none(), "it is over");
    }
}

/// Catches lines shown that are not wanted, or not shown when it fails.
#[test]
fn which_lines_are_shown_can_be_said() {
    for (flag, code, is_shown) in [
        ("follow", 0, true),
        ("on-failure", 0, false),
        ("on-failure", 1, true),
        ("none", 0, false),
        ("none", 1, false),
    ] {
        let scene = EcsScene::new();
        let lines = ["first of them", "second of them", "third of them"];
        scene.aws.next_task(Script::fails(code, &lines));
        let outcome = scene.run(&["--logs", flag, "--tail", "2"]);
        assert_eq!(outcome.status, Some(if code == 0 { 0 } else { 5 }));
        assert_eq!(
            outcome.text().contains("third of them"),
            is_shown,
            "{flag} {code}: {outcome:#?}"
        );
        assert_eq!(
            outcome.text().contains("first of them"),
            flag == "follow",
            "{flag} {code}: {outcome:#?}"
        );
    }
}

/// Catches a terminal that obeys what a database wrote.
#[test]
fn control_characters_are_shown_and_not_obeyed() {
    let scene = EcsScene::new();
    scene.aws.next_task(Script::fails(
        1,
        &["\u{1b}]0;owned\u{7}\u{1b}[2Jgone", "a\rb", "\u{202e}evil"],
    ));
    let outcome = scene.run(&[]).exited(5);
    for wrong in ['\u{1b}', '\u{7}', '\r', '\u{202e}'] {
        assert!(!outcome.text().contains(wrong), "{wrong:?}: {outcome:#?}");
    }
    assert!(outcome.text().contains("gone"));
}

/// Catches a token that has become old taken for the end of the run.
#[test]
fn a_log_service_that_fails_for_a_while_is_lived_through() {
    let scene = EcsScene::new();
    scene
        .aws
        .next_task(Script::begins().runs(&["one"]).then(&["two"]).exits(0).stops());
    scene
        .aws
        .fault(failure("logs:GetLogEvents", 503, "ServiceUnavailableException", "later").times(4));
    let json = scene.run(&["--retry", "1", "--format", "json"]).succeeded().json();
    assert_eq!(json["logs"]["tail"], json!(["one", "two"]));
}
