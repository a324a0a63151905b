use super::super::super::report::{Executed, ToolError};
use super::super::super::{Failure, Git, LogEvent, Logs, Report, RunId};
use super::*;

fn failed() -> (View, Record) {
    let report = Report {
        tool: "flyway".to_owned(),
        executed: vec![Executed {
            version: Some("2".to_owned()),
            description: "add note".to_owned(),
            ..Executed::default()
        }],
        error: Some(ToolError {
            message: "Table 'orders.note' doesn't exist".to_owned(),
            script: Some("V3__add_note.sql".to_owned()),
            line: Some(12),
            sql_state: Some("42S02".to_owned()),
            ..ToolError::default()
        }),
        ..Report::default()
    };
    let id = Some(RunId::of("gl-7-8-0a-migrate"));
    let view = View {
        run_id: id.clone(),
        status: Status::Failed,
        stop_code: Some("EssentialContainerExited".to_owned()),
        stopped_reason: Some("Essential container in task exited".to_owned()),
        logs: Logs {
            group: Some("/shipway/migrations".to_owned()),
            stream: Some("flyway/flyway/0a1b".to_owned()),
            region: Some("eu-west-3".to_owned()),
            events: (1..=25)
                .map(|number| LogEvent {
                    time: number,
                    message: format!("line {number}\u{1b}[0m"),
                })
                .collect(),
            ..Logs::default()
        },
        failure: Some(Failure::new("flyway exited with 1").hint("mend V3__add_note.sql")),
        report: Some(report.clone()),
        ..View::default()
    };
    let record = Record {
        run_id: id,
        attempt: 2,
        family: "flyway".to_owned(),
        environment: "migrations".to_owned(),
        status: Status::Failed,
        exit_code: Some(1),
        image: Some("1.dkr.ecr.eu-west-3.amazonaws.com/orders@sha256:00".to_owned()),
        task_arn: Some("arn:aws:ecs:eu-west-3:1:task/migrations/0a1b".to_owned()),
        task_definition: Some("flyway:43".to_owned()),
        requested_by: Some("gitlab:shop/orders#9001".to_owned()),
        git: Git {
            sha: Some("5be1c0de".to_owned()),
            reference: Some("main".to_owned()),
        },
        started_at: 1_795_333_531_000,
        run_milliseconds: Some(8250),
        report: Some(report),
        ..Record::default()
    };
    (view, record)
}

#[test]
fn a_mail_says_what_why_and_what_next() {
    let (view, record) = failed();
    let mail = write("migrations", &view, &record);
    insta::assert_snapshot!(mail.subject, @"migrations: flyway on migrations: the migration failed (exit status 1)");
    insta::assert_snapshot!(mail.text, @r"
    flyway on migrations: the migration failed (exit status 1).
      flyway applied 1 migration
        2 add note
      failed in V3__add_note.sql line 12 (SQLSTATE 42S02): Table 'orders.note' doesn't exist
      flyway exited with 1
      ECS says: Essential container in task exited (EssentialContainerExited)

    run        gl-7-8-0a-migrate, attempt 2
    image      1.dkr.ecr.eu-west-3.amazonaws.com/orders@sha256:00
    definition flyway:43
    wanted by  gitlab:shop/orders#9001
    commit     5be1c0de (main)
    began      2026-11-22T07:45:31Z
    ran for    8.2 s

    The last lines of its log:
      | line 6
      | line 7
      | line 8
      | line 9
      | line 10
      | line 11
      | line 12
      | line 13
      | line 14
      | line 15
      | line 16
      | line 17
      | line 18
      | line 19
      | line 20
      | line 21
      | line 22
      | line 23
      | line 24
      | line 25

    What to do next:
      - mend V3__add_note.sql
      - all of it: shipway status gl-7-8-0a-migrate, shipway logs gl-7-8-0a-migrate

    https://eu-west-3.console.aws.amazon.com/ecs/v2/clusters/migrations/tasks/0a1b/configuration?region=eu-west-3

    https://eu-west-3.console.aws.amazon.com/cloudwatch/home?region=eu-west-3#logsV2:log-groups/log-group/$252Fshipway$252Fmigrations/log-events/flyway$252Fflyway$252F0a1b
    ");
}

#[test]
fn a_task_that_nobody_of_us_started_has_a_mail_too() {
    let record = Record {
        run_id: Some(RunId::of("task-0a")),
        family: "flyway".to_owned(),
        environment: "migrations".to_owned(),
        status: Status::StartFailed,
        ..Record::default()
    };
    let view = View {
        status: Status::StartFailed,
        stop_code: Some("TaskFailedToStart".to_owned()),
        stopped_reason: Some("CannotPullContainerError: not found".to_owned()),
        ..View::default()
    };
    let mail = write("migrations", &view, &record);
    for words in [
        "did not start",
        "ECS says: CannotPullContainerError: not found (TaskFailedToStart)",
        "shipway doctor",
    ] {
        assert!(mail.text.contains(words), "{}", mail.text);
    }
    assert!(
        !mail.text.contains("shipway status"),
        "it is no run of ours: {}",
        mail.text
    );
}

#[test]
fn a_subject_is_one_that_sns_takes() {
    for text in ["\nüber\u{1}", &"x".repeat(300), "a\nb"] {
        let subject = plain(text);
        assert!(subject.len() <= LONGEST_SUBJECT && !subject.is_empty(), "{subject}");
        assert!(subject.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{subject}");
        assert!(!subject.starts_with(' '), "{subject}");
    }
    assert_eq!(plain("\n \u{1}a"), "? ?a");
}

#[test]
fn a_line_has_its_limit() {
    assert_eq!(shown(&"ü".repeat(5000)).chars().count(), LONGEST_LINE + 1);
    assert_eq!(shown("a\r\nb\u{7}"), "a  b");
    assert_eq!(
        shown("\u{1b}[31;1merror\u{1b}[0m: \u{1b}[Kno\u{1b}[3\u{1b}"),
        "error: no"
    );
}
