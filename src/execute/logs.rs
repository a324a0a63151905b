//! What a task writes, read from CloudWatch Logs.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;

use super::LogEvent;
use crate::aws::Services;
use crate::content::Result;

/// Most events of one answer (GetLogEvents, limit).
const MOST_EVENTS: u32 = 10_000;

/// The logs of one region.
#[derive(Debug, Clone)]
pub struct LogReader {
    client: Client,
    services: Services,
}

/// A piece of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The lines, the oldest first.
    pub events: Vec<LogEvent>,
    /// Where the next piece begins.
    pub next_token: String,
    /// Whether there was nothing beyond it: an empty page alone does not say so.
    pub is_at_end: bool,
}

impl LogReader {
    /// The logs in the region of these services.
    #[must_use]
    pub fn new(services: &Services) -> Self {
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(services.config()).interceptor(services.observer());
        Self {
            client: Client::from_conf(config.build()),
            services: services.clone(),
        }
    }

    /// A piece of a stream, from its start or from where `token` says; `None` where the group or the stream does not exist yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn page(&self, group: &str, stream: &str, token: Option<&str>, limit: u32) -> Result<Option<Page>> {
        let limit = i32::try_from(limit.clamp(1, MOST_EVENTS)).unwrap_or(i32::MAX);
        let call = self
            .client
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream);
        let call = call
            .start_from_head(true)
            .limit(limit)
            .set_next_token(token.filter(|token| !token.is_empty()).map(str::to_owned));
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                return Ok(None);
            }
            Err(error) => {
                let what = format!("cannot read the log {stream} in {group}");
                return Err(self.services.refused(&what, "logs:GetLogEvents", group, &error));
            }
        };
        let next_token = answer.next_forward_token.unwrap_or_default();
        let events = answer.events.unwrap_or_default().into_iter().map(|event| LogEvent {
            time: event.timestamp.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        });
        Ok(Some(Page {
            events: events.collect(),
            // The end is where the token does not change any more (GetLogEvents, nextForwardToken).
            is_at_end: token == Some(next_token.as_str()),
            next_token,
        }))
    }

    /// Whether there is a log group; whether it holds this stream does not matter.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn has_group(&self, group: &str, stream: &str) -> Result<bool> {
        let call = self
            .client
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(true)
            .limit(1);
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                // The code is the same for both; the words are not.
                Some(refusal) if refusal.is_resource_not_found_exception() => {
                    let is_group = refusal.message().is_some_and(|message| message.contains("log group"));
                    Ok(!is_group)
                }
                _ => {
                    let what = format!("cannot read logs in {group}");
                    Err(self.services.refused(&what, "logs:GetLogEvents", group, &error))
                }
            },
        }
    }
}
