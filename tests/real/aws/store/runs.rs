//! What is kept of runs.

use shipway::content::Kind;
use shipway::execute::report::{Executed, ToolError};
use shipway::execute::store::{Store, TableFacts};
use shipway::execute::{Git, Record, Report, RunId, Status};

use super::table::{NOW, at_each, services};

/// Those who would tell of an end.
const TELLERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_run_is_kept_from_its_beginning_to_its_end() {
    at_each(async |place| {
        let store = place.store();
        assert_eq!(
            store.latest(&RunId::of("ours"), "flyway", "migrations").await.unwrap(),
            None
        );
        let begun = begun("ours", 1);
        store.begin(&begun).await.unwrap();
        assert_eq!(latest(&store, "ours").await, begun);
        let ended = ended(&begun, 7);
        assert!(store.finish(&ended).await.unwrap());
        assert_eq!(latest(&store, "ours").await, ended);
        let kept = store.history("flyway", "migrations", 10).await.unwrap();
        assert_eq!(kept, std::slice::from_ref(&ended));
        // A look that comes late finds an end, and leaves it.
        store.begin(&begun).await.unwrap();
        assert_eq!(latest(&store, "ours").await, ended);
    });
}

/// The job and its repetition start the same run at the same time, and the clocks of their machines differ.
#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_run_that_begins_twice_is_one() {
    at_each(async |place| {
        let store = place.store();
        let begins: Vec<Record> = (0..6)
            .map(|number| Record {
                started_at: NOW * 1000 + number,
                requested_by: Some(format!("job {number}")),
                ..begun("ours", 1)
            })
            .collect();
        place.race(begins.iter().map(|record| store.begin(record))).await;
        let kept = store.history("flyway", "migrations", 10).await.unwrap();
        assert_eq!(kept.len(), 1, "{kept:#?}");
        assert!(
            begins
                .iter()
                .any(|one| one.started_at == kept[0].started_at && one.requested_by == kept[0].requested_by),
            "{kept:#?}"
        );
        // Whoever records the end knows another beginning.
        assert!(store.finish(&ended(&begins[5], 7)).await.unwrap());
        let kept = store.history("flyway", "migrations", 10).await.unwrap();
        assert_eq!((kept.len(), kept[0].status), (1, Status::Failed));
        assert_eq!(place.items().await, 2);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn an_end_is_recorded_once() {
    at_each(async |place| {
        let store = place.store();
        let begun = begun("ours", 1);
        store.begin(&begun).await.unwrap();
        let ended = ended(&begun, 7);
        let recorded = place.race((0..8).map(|_| store.finish(&ended))).await;
        let first = recorded.into_iter().filter(|is_first| *is_first);
        assert_eq!(first.count(), 1);
        assert!(!store.finish(&ended).await.unwrap());
        let announced = place
            .race(TELLERS.iter().map(|teller| store.announce(&ended, teller)))
            .await;
        let first = announced.into_iter().filter(|is_first| *is_first);
        assert_eq!(first.count(), 1);
        assert_eq!(latest(&store, "ours").await, ended);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_newer_version_adds_and_an_older_one_does_nothing() {
    at_each(async |place| {
        let store = place.store();
        let begun = begun("ours", 1);
        store.begin(&begun).await.unwrap();
        let first = ended(&begun, 7);
        assert!(store.finish(&first).await.unwrap());
        // The event's side read no log.
        let newer = Record {
            report: None,
            stop_code: Some("EssentialContainerExited".to_owned()),
            ..ended(&begun, 9)
        };
        assert!(!store.finish(&newer).await.unwrap(), "the end was recorded before");
        let both = Record {
            report: first.report.clone(),
            ..newer.clone()
        };
        assert_eq!(latest(&store, "ours").await, both);
        let older = Record {
            status: Status::Unknown,
            ..ended(&begun, 8)
        };
        assert!(!store.finish(&older).await.unwrap());
        assert_eq!(latest(&store, "ours").await, both);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn an_end_without_a_beginning_is_kept() {
    at_each(async |place| {
        let store = place.store();
        // Something else started the task: it has no version of ours to go by.
        let ended = Record {
            task_version: None,
            ..ended(&begun("task-0a", 1), 0)
        };
        assert!(store.finish(&ended).await.unwrap());
        assert!(!store.finish(&ended).await.unwrap());
        assert_eq!(latest(&store, "task-0a").await, ended);
        let nameless = Record { run_id: None, ..ended };
        assert_eq!(store.finish(&nameless).await.unwrap_err().kind(), Kind::Usage);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn the_newest_attempt_is_the_run() {
    at_each(async |place| {
        let store = place.store();
        let first = begun("ours", 1);
        let second = Record {
            started_at: first.started_at + 5000,
            ..begun("ours", 2)
        };
        store.begin(&first).await.unwrap();
        store.begin(&second).await.unwrap();
        // The event of the first attempt comes late.
        assert!(store.finish(&ended(&first, 7)).await.unwrap());
        assert_eq!(latest(&store, "ours").await, second);
        let kept = store.history("flyway", "migrations", 10).await.unwrap();
        assert_eq!(kept, [second, ended(&first, 7)]);
        assert_eq!(place.items().await, 3);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn the_same_name_elsewhere_is_another_run() {
    at_each(async |place| {
        let store = place.store();
        let ours = begun("ours", 3);
        let tenants = Record {
            family: "tenant".to_owned(),
            started_at: ours.started_at + 1000,
            ..begun("ours", 1)
        };
        let production = Record {
            environment: "production".to_owned(),
            started_at: ours.started_at + 2000,
            ..begun("ours", 2)
        };
        for record in [&ours, &tenants, &production] {
            store.begin(record).await.unwrap();
        }
        let id = RunId::of("ours");
        for record in [&ours, &tenants, &production] {
            let latest = store.latest(&id, &record.family, &record.environment).await.unwrap();
            assert_eq!(latest.as_ref(), Some(record));
        }
        assert_eq!(store.latest(&id, "tenant", "production").await.unwrap(), None);
        // Where the family is not known: the one that began last, of this cluster only.
        for (environment, expected) in [
            ("migrations", Some(tenants)),
            ("production", Some(production)),
            ("other", None),
        ] {
            assert_eq!(
                store.latest_of_any_family(&id, environment).await.unwrap(),
                expected,
                "{environment}"
            );
        }
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_history_of_many_pages_is_read_from_the_newest_on() {
    at_each(async |place| {
        let store = place.store();
        // As large as they get: a page is 1 MB.
        let large = Report {
            executed: vec![
                Executed {
                    description: "x".repeat(1000),
                    ..Executed::default()
                };
                1000
            ],
            ..Report::default()
        };
        for number in 0..12 {
            let record = Record {
                started_at: (NOW + number) * 1000,
                report: Some(large.clone()),
                ..begun(&format!("run-{number}"), 1)
            };
            store.begin(&record).await.unwrap();
        }
        let other = Record {
            environment: "staging".to_owned(),
            ..begun("other", 1)
        };
        store.begin(&other).await.unwrap();
        let names = async |limit| -> Vec<String> {
            let kept = store.history("flyway", "migrations", limit).await.unwrap();
            let names = kept.into_iter().filter_map(|record| record.run_id);
            names.map(String::from).collect()
        };
        let all: Vec<String> = (0..12).rev().map(|number| format!("run-{number}")).collect();
        assert_eq!(names(100).await, all);
        assert_eq!(names(9).await, all[..9]);
        assert_eq!(names(1).await, all[..1]);
        assert!(names(0).await.is_empty());
        assert_eq!(store.history("flyway", "staging", 10).await.unwrap(), [other]);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn hostile_output_is_kept_as_far_as_it_fits() {
    at_each(async |place| {
        let store = place.store();
        let record = Record {
            error: Some("\u{1f6a2}\0\u{1b}[31m".repeat(100_000)),
            report: Some(Report {
                warnings: vec!["w".repeat(100_000); 100],
                error: Some(ToolError {
                    statement: Some("€".repeat(1_000_000)),
                    ..ToolError::default()
                }),
                ..Report::default()
            }),
            ..ended(&begun("ours", 1), 7)
        };
        assert!(store.finish(&record).await.unwrap());
        let kept = latest(&store, "ours").await;
        assert!(
            kept.error
                .is_some_and(|error| error.starts_with("\u{1f6a2}\0\u{1b}[31m"))
        );
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_missing_table_is_named() {
    at_each(async |place| {
        let store = Store::new(&services(&place.address), "nowhere");
        assert_eq!(store.facts().await.unwrap(), None);
        let error = store.holder("flyway", "migrations").await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(cause.as_deref(), Some("there is no table nowhere in eu-west-3"));
        let error = store.begin(&begun("ours", 1)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
    });
}

#[test]
#[ignore = "needs moto and ministack: ci/test.sh"]
fn a_table_is_looked_at() {
    at_each(async |place| {
        let facts = TableFacts {
            status: "ACTIVE".to_owned(),
            is_usable: true,
            keys: vec!["pk (S)".to_owned(), "sk (S)".to_owned()],
            has_our_keys: true,
            expires_by: Some("expires_at".to_owned()),
            has_our_expiry: true,
        };
        assert_eq!(place.store().facts().await.unwrap(), Some(facts));
    });
}

async fn latest(store: &Store, run: &str) -> Record {
    let record = store.latest(&RunId::of(run), "flyway", "migrations").await;
    record.expect("the table can be read").expect("the run is there")
}

/// A run that has begun.
pub(super) fn begun(run: &str, attempt: u32) -> Record {
    Record {
        run_id: Some(RunId::of(run)),
        attempt,
        family: "flyway".to_owned(),
        environment: "migrations".to_owned(),
        status: Status::Running,
        image: Some("1.dkr.ecr.eu-west-3.amazonaws.com/orders@sha256:00".to_owned()),
        command: Some(vec!["migrate".to_owned()]),
        requested_by: Some("gitlab:group/project#1".to_owned()),
        git: Git {
            sha: Some("a1b2c3".to_owned()),
            reference: Some("main".to_owned()),
        },
        started_at: NOW * 1000 + 7,
        ..Record::default()
    }
}

/// That run when it has failed.
pub(super) fn ended(begun: &Record, version: i64) -> Record {
    Record {
        status: Status::Failed,
        exit_code: Some(1),
        ended_at: Some(NOW * 1000 + 20_000),
        run_milliseconds: Some(8_123),
        report: Some(Report {
            tool: "flyway".to_owned(),
            initial: Some("1".to_owned()),
            target: Some("2".to_owned()),
            executed: vec![Executed {
                version: Some("2".to_owned()),
                description: "add orders".to_owned(),
                script: Some("V2__add_orders.sql".to_owned()),
                milliseconds: Some(40),
            }],
            warnings: Vec::new(),
            error: Some(ToolError {
                message: "no such table".to_owned(),
                script: Some("V3__x.sql".to_owned()),
                line: Some(12),
                sql_state: Some("42S02".to_owned()),
                ..ToolError::default()
            }),
            ..Report::default()
        }),
        error: Some("V3__x.sql failed".to_owned()),
        task_version: Some(version),
        ..begun.clone()
    }
}
