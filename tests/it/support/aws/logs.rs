//! CloudWatch Logs: streams that are read page by page.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;
use super::signature::Signer;
use super::{FakeAws, State};

/// The tokens of this service are 58 characters: a direction, a slash and digits.
const TOKEN_DIGITS: usize = 56;
/// Most events of a page.
const LARGEST_PAGE: u64 = 10_000;

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) group: String,
    pub(super) stream: String,
}

/// All streams.
#[derive(Default)]
pub(super) struct Streams {
    events: BTreeMap<Place, Vec<(i64, String)>>,
    /// Log groups by region and name.
    groups: Vec<(String, String)>,
    /// How many pages yet are empty although there is more.
    empty_pages: usize,
}

impl Streams {
    /// Adds lines to a stream, which is there once its container has started.
    pub(super) fn write(&mut self, place: &Place, has_started: bool, lines: &[String], now: f64) {
        if !has_started || !self.groups.contains(&(place.region.clone(), place.group.clone())) {
            return;
        }
        let events = self.events.entry(place.clone()).or_default();
        events.extend(lines.iter().map(|line| ((now * 1000.0) as i64, line.clone())));
    }
}

impl FakeAws {
    /// Makes a log group.
    pub(crate) fn log_group(&self, region: &str, name: &str) {
        self.state().streams.groups.push((region.to_owned(), name.to_owned()));
    }

    /// Has the next pages be empty although there is more, as pages of this service can be.
    pub(crate) fn empty_pages(&self, count: usize) {
        self.state().streams.empty_pages = count;
    }
}

impl State {
    /// Answers a call to CloudWatch Logs.
    pub(super) fn logs(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        match asked.operation.as_str() {
            "logs:GetLogEvents" => self.log_events(asked, signer),
            "logs:DescribeLogGroups" => {
                let prefix = asked.text("logGroupNamePrefix").to_owned();
                let groups = self.streams.groups.iter();
                let groups = groups.filter(|(region, name)| *region == signer.region && name.starts_with(&prefix));
                let groups: Vec<_> = groups
                    .map(|(_, name)| json!({"logGroupName": name, "storedBytes": 0}))
                    .collect();
                Reply::json(200, &json!({"logGroups": groups}))
            }
            _ => refusal(
                &asked.operation,
                400,
                "UnknownOperationException",
                "no such operation of the fake",
            ),
        }
    }

    fn log_events(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        let known = ["logGroupName", "logStreamName", "nextToken", "limit", "startFromHead"];
        let fields = asked.input.as_object().cloned().unwrap_or_default();
        let mut complaints: Vec<_> = fields
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .cloned()
            .collect();
        if asked.input["startFromHead"] != true {
            complaints.push("startFromHead, or the last page comes first".to_owned());
        }
        let limit = asked.input["limit"].as_u64().unwrap_or(LARGEST_PAGE);
        if !(1..=LARGEST_PAGE).contains(&limit) {
            complaints.push(format!("limit {limit}"));
        }
        let complaints = complaints.into_iter().map(|what| format!("logs:GetLogEvents: {what}"));
        self.violations.extend(complaints);
        let missing = |what: &str| {
            let message = format!("The specified log {what} does not exist.");
            refusal(&asked.operation, 400, "ResourceNotFoundException", &message)
        };
        let place = Place {
            region: signer.region.clone(),
            group: asked.text("logGroupName").to_owned(),
            stream: asked.text("logStreamName").to_owned(),
        };
        if !self
            .streams
            .groups
            .contains(&(place.region.clone(), place.group.clone()))
        {
            return missing("group");
        }
        let Some(events) = self.streams.events.get(&place) else {
            return missing("stream");
        };
        let token = match asked.text("nextToken") {
            "" => None,
            token => match position(token) {
                Some(token) => Some(token),
                None => {
                    let message = "The specified nextToken is invalid.";
                    return refusal(&asked.operation, 400, "InvalidParameterException", message);
                }
            },
        };
        let (from, salt) = token.unwrap_or_default();
        if self.streams.empty_pages > 0 {
            self.streams.empty_pages -= 1;
            return Reply::json(200, &page(&[], from, from, salt + 1));
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let to = events.len().min(from.saturating_add(limit));
        let events = events.get(from..to).unwrap_or_default();
        let events: Vec<_> = events
            .iter()
            .map(|(time, line)| json!({"timestamp": time, "ingestionTime": time + 40, "message": line}))
            .collect();
        Reply::json(200, &page(&events, from, to, salt))
    }
}

fn page(events: &[Value], from: usize, to: usize, salt: usize) -> Value {
    json!({"events": events, "nextForwardToken": token('f', to, salt), "nextBackwardToken": token('b', from, salt)})
}

fn token(direction: char, position: usize, salt: usize) -> String {
    format!("{direction}/{salt:08}{position:0width$}", width = TOKEN_DIGITS - 8)
}

/// What a forward token stands for.
fn position(token: &str) -> Option<(usize, usize)> {
    let digits = token.strip_prefix("f/").filter(|digits| digits.len() == TOKEN_DIGITS)?;
    Some((digits[8..].parse().ok()?, digits[..8].parse().ok()?))
}
