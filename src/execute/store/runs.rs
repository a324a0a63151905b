//! Runs, and what came of them.

use serde::Deserialize as _;
use serde_json::Value;

use super::Store;
use super::item::{
    EXPIRES_AT, Item, Key, PK, SK, attributes, number, number_of, object, pointers_of, runs_of, string, text_of,
};
use super::size::fitted;
use super::table::{Condition, Update, Written};
use super::words::Words;
use crate::content::{ContentError, Kind, Result};
use crate::execute::{Record, RunId};

/// How long a run is kept: so that last year's runs of the same month are still there to compare with.
const KEPT_SECONDS: i64 = 400 * 24 * 60 * 60;

/// The version of the task that an end was recorded from: there is none before the end.
const VERSION: &str = "v";
/// Which call recorded the end first.
const RECORDER: &str = "recorder";
/// Which call was to tell people of the end.
const ANNOUNCER: &str = "announcer";

/// What is said of a run first stays: who comes later to the same run did not ask for it.
const FIRST_STAYS: [&str; 5] = ["started_at", "requested_by", "git", "command", "variables"];

/// How many runs are looked through for an earlier attempt, of which an event came late: by minutes, or by a day at the most.
const MOST_LOOKED_THROUGH: usize = 100;
/// Most families and environments that a run of one name is looked for in.
const MOST_POINTERS: usize = 100;

impl Store {
    /// Records that a run has begun. May be called again, with more that is known; does nothing once an end is recorded.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn begin(&self, record: &Record) -> Result<()> {
        let what = what(record);
        let key = self.place(&what, record).await?;
        let mut words = Words::default();
        let change = set(&mut words, &fields(record));
        let holds = format!("attribute_not_exists({})", words.name(VERSION));
        let update = Update { change, holds, words };
        self.table.update(&what, &key, update).await?;
        Ok(())
    }

    /// Records how a run ended. True for the one call that did so first; a later call only adds what a newer version of the task tells.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn finish(&self, record: &Record) -> Result<bool> {
        let what = what(record);
        let key = self.place(&what, record).await?;
        let version = number(record.task_version.unwrap_or_default());
        let mut words = Words::default();
        let mut change = set(&mut words, &fields(record));
        let (v, recorder) = (words.name(VERSION), words.name(RECORDER));
        let mine = nonce();
        let by_me = words.value(RECORDER, string(&mine));
        let version = words.value(VERSION, version);
        change = format!("{change}, {v} = {version}, {recorder} = if_not_exists({recorder}, {by_me})");
        if record.error.is_none() {
            change = format!("{change} REMOVE {}", words.name("error"));
        }
        let holds = format!("attribute_not_exists({v}) OR {v} < {version}");
        let update = Update { change, holds, words };
        Ok(match self.table.update(&what, &key, update).await? {
            // Also refused is a call of ours whose answer got lost, when it is made once more.
            Written::Done(item) | Written::Refused(Some(item)) => text_of(&item, RECORDER) == Some(&mine),
            Written::Refused(None) => false,
        })
    }

    /// Asks to be the one who tells people how a run ended, by mail and metric: true for one `teller` only, whoever recorded the end, however often
    /// it asks.
    ///
    /// # Errors
    /// When the table cannot be written to.
    pub async fn announce(&self, record: &Record, teller: &str) -> Result<bool> {
        let what = what(record);
        let key = self.place(&what, record).await?;
        let mut words = Words::default();
        let change = format!("SET {}", words.equals(ANNOUNCER, string(teller)));
        let holds = format!("attribute_not_exists({})", words.name(ANNOUNCER));
        let update = Update { change, holds, words };
        Ok(match self.table.update(&what, &key, update).await? {
            Written::Done(item) | Written::Refused(Some(item)) => text_of(&item, ANNOUNCER) == Some(teller),
            Written::Refused(None) => false,
        })
    }

    /// The newest attempt of a run of a family in an environment.
    ///
    /// # Errors
    /// When the table cannot be read, or what stands there is not ours.
    pub async fn latest(&self, run_id: &RunId, family: &str, environment: &str) -> Result<Option<Record>> {
        let what = of_run(run_id);
        let pointer = Key::of_pointer(run_id, family, environment);
        match self.table.get(&what, &pointer).await? {
            Some(pointer) => self.pointed_at(&what, &pointer).await,
            None => Ok(None),
        }
    }

    /// One attempt of a run. An earlier one than the newest is looked for among the last runs of the family.
    ///
    /// # Errors
    /// As [`Store::latest`].
    pub async fn attempt(
        &self,
        run_id: &RunId,
        attempt: u32,
        family: &str,
        environment: &str,
    ) -> Result<Option<Record>> {
        match self.latest(run_id, family, environment).await? {
            Some(record) if record.attempt > attempt => {
                let last = self.history(family, environment, MOST_LOOKED_THROUGH).await?;
                let mut found = last.into_iter();
                Ok(found.find(|record| record.run_id.as_ref() == Some(run_id) && record.attempt == attempt))
            }
            newest => Ok(newest.filter(|record| record.attempt == attempt)),
        }
    }

    /// The newest attempt of a run of this name in an environment, whatever the family: of several, the one that began last.
    ///
    /// # Errors
    /// As [`Store::latest`].
    pub async fn latest_of_any_family(&self, run_id: &RunId, environment: &str) -> Result<Option<Record>> {
        let what = of_run(run_id);
        let mut found: Option<Record> = None;
        for pointer in self.table.newest(&what, &pointers_of(run_id), MOST_POINTERS).await? {
            let record = self.pointed_at(&what, &pointer).await?;
            found = [found, record.filter(|record| record.environment == environment)]
                .into_iter()
                .flatten()
                .max_by_key(|record| record.started_at);
        }
        Ok(found)
    }

    async fn pointed_at(&self, what: &str, pointer: &Item) -> Result<Option<Record>> {
        let Some((_, key)) = pointed(pointer) else {
            return Err(strange(what));
        };
        let item = self.table.get(what, &key).await?;
        item.map(|item| read(what, &item)).transpose()
    }

    /// The runs of a family in an environment, from the newest on.
    ///
    /// # Errors
    /// As [`Store::latest`].
    pub async fn history(&self, family: &str, environment: &str, limit: usize) -> Result<Vec<Record>> {
        let what = format!("cannot read the runs of {family} in {environment}");
        let items = self.table.newest(&what, &runs_of(family, environment), limit).await?;
        items.iter().map(|item| read(&what, item)).collect()
    }

    /// Where a run is kept: a second process that starts the same attempt finds the first one's place. The pointer is moved there,
    /// unless it is at a later attempt.
    async fn place(&self, what: &str, record: &Record) -> Result<Key> {
        let Some(run_id) = &record.run_id else {
            return Err(ContentError::new(Kind::Usage, what).because("it has no name"));
        };
        let key = Key::of_run(record, run_id);
        let attempt = i64::from(record.attempt);
        let mut words = Words::default();
        let (pk, number_of_attempt) = (words.name(PK), words.name("attempt"));
        let this_attempt = words.value("attempt", number(attempt));
        let condition = Condition {
            holds: format!("attribute_not_exists({pk}) OR {number_of_attempt} < {this_attempt}"),
            words,
        };
        let item = Item::from([
            ("attempt".to_owned(), number(attempt)),
            ("record_pk".to_owned(), string(&key.pk)),
            ("record_sk".to_owned(), string(&key.sk)),
            (EXPIRES_AT.to_owned(), number(expires_at(record))),
        ]);
        let pointer = Key::of_pointer(run_id, &record.family, &record.environment);
        let written = self.table.put(what, &pointer, item, condition).await?;
        let Written::Refused(Some(pointer)) = written else {
            return Ok(key);
        };
        match pointed(&pointer) {
            Some((there, place)) if there == attempt => Ok(place),
            Some(_) => Ok(key),
            None => Err(strange(what)),
        }
    }
}

fn of_run(run_id: &RunId) -> String {
    format!("cannot read what is recorded of run {run_id}")
}

/// What could not be done.
fn what(record: &Record) -> String {
    match &record.run_id {
        Some(run_id) => format!("cannot record run {run_id}"),
        None => "cannot record a run".to_owned(),
    }
}

/// Tells the calls of this process from those of others, and each from its own repetition.
fn nonce() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// When a run goes away, in seconds since the epoch.
fn expires_at(record: &Record) -> i64 {
    (record.started_at / 1000).saturating_add(KEPT_SECONDS)
}

/// The attempt a pointer is at, and where that is kept.
fn pointed(pointer: &Item) -> Option<(i64, Key)> {
    let key = Key {
        pk: text_of(pointer, "record_pk")?.to_owned(),
        sk: text_of(pointer, "record_sk")?.to_owned(),
    };
    Some((number_of(pointer, "attempt")?, key))
}

/// What is known of a run, in the types of DynamoDB.
fn fields(record: &Record) -> Item {
    let mut fields = attributes(&fitted(record));
    fields.insert(EXPIRES_AT.to_owned(), number(expires_at(record)));
    fields
}

/// The change that writes these, and leaves everything else as it is.
fn set(words: &mut Words, fields: &Item) -> String {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    let mut changes = Vec::new();
    for name in names {
        let (word, value) = (words.name(name), words.value(name, fields[name].clone()));
        changes.push(match FIRST_STAYS.contains(&name.as_str()) {
            true => format!("{word} = if_not_exists({word}, {value})"),
            false => format!("{word} = {value}"),
        });
    }
    format!("SET {}", changes.join(", "))
}

/// A run that was kept.
fn read(what: &str, item: &Item) -> Result<Record> {
    let mut members = object(item);
    members.retain(|name, _| ![PK, SK, EXPIRES_AT, VERSION, RECORDER, ANNOUNCER].contains(&name.as_str()));
    Record::deserialize(Value::Object(members)).map_err(|error| strange(what).because(error))
}

/// What to say of an item that is not ours.
fn strange(what: &str) -> ContentError {
    ContentError::new(Kind::Invalid, what)
        .because("the item there was not written by shipway")
        .hint("was it written by a later version? is it the right table?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::report::{Executed, ToolError};
    use crate::execute::{Git, Report, Status};

    fn record() -> Record {
        Record {
            run_id: Some(RunId::of("gl-1-2-abc-migrate")),
            attempt: 2,
            family: "flyway".to_owned(),
            environment: "migrations".to_owned(),
            status: Status::Failed,
            exit_code: Some(-1),
            image: Some("1.dkr.ecr.eu-west-3.amazonaws.com/orders@sha256:00".to_owned()),
            command: Some(vec!["migrate".to_owned(), String::new()]),
            git: Git {
                sha: Some("a1".to_owned()),
                reference: None,
            },
            started_at: 1_795_409_220_007,
            run_milliseconds: Some(u64::MAX),
            report: Some(Report {
                tool: "flyway".to_owned(),
                target: Some("1.10".to_owned()),
                executed: vec![Executed {
                    milliseconds: Some(12),
                    ..Executed::default()
                }],
                error: Some(ToolError {
                    line: Some(3),
                    ..ToolError::default()
                }),
                ..Report::default()
            }),
            error: Some("V3__x.sql:3\n\u{1f6a2}".to_owned()),
            task_version: Some(7),
            ..Record::default()
        }
    }

    #[test]
    fn a_run_is_read_as_it_was_kept() {
        let mut item = fields(&record());
        for (name, value) in [(PK, "family#flyway#migrations"), (SK, "x"), (RECORDER, "y")] {
            item.insert(name.to_owned(), string(value));
        }
        item.insert(VERSION.to_owned(), number(7));
        assert_eq!(read("", &item).unwrap(), record());
    }

    #[test]
    fn nothing_is_kept_of_what_is_not_known() {
        let mut names: Vec<String> = fields(&Record::default()).into_keys().collect();
        names.sort();
        assert_eq!(
            names,
            ["attempt", "environment", "expires_at", "family", "started_at", "status"]
        );
    }

    #[test]
    fn keys_sort_by_time() {
        let key = |started_at| {
            let record = Record { started_at, ..record() };
            Key::of_run(&record, &RunId::of("a")).sk
        };
        assert_eq!(key(1_795_409_220_000), "2026-11-23T04:47:00.000Z#a#2");
        assert_eq!(key(1_795_409_220_007), "2026-11-23T04:47:00.007Z#a#2");
    }

    #[test]
    fn who_comes_later_does_not_become_who_asked() {
        let mut words = Words::default();
        let change = set(&mut words, &fields(&record()));
        assert!(
            change.contains("#command = if_not_exists(#command, :command)"),
            "{change}"
        );
        assert!(change.contains("#status = :status"), "{change}");
    }

    #[test]
    fn an_item_of_somebody_else_is_no_run() {
        let item = Item::from([("status".to_owned(), string("well"))]);
        let error = read("cannot read the runs of a in b", &item).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
    }
}
