//! SNS: messages that are published.

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;
use super::{FakeAws, State};

/// A published message.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The topic's ARN.
    pub(crate) topic: String,
    /// The subject.
    pub(crate) subject: String,
    /// The text.
    pub(crate) text: String,
}

/// Most of a message, in bytes, and of a subject, in characters.
const LARGEST_MESSAGE: usize = 262_144;
const LONGEST_SUBJECT: usize = 100;

impl FakeAws {
    /// Makes a topic; gives its ARN.
    pub(crate) fn topic(&self, name: &str) -> String {
        let arn = format!("arn:aws:sns:{}:{}:{name}", super::REGION, super::ACCOUNT);
        self.state().topics.push(arn.clone());
        arn
    }

    /// What was published.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }
}

impl State {
    /// Answers a call to SNS.
    pub(super) fn sns(&mut self, asked: &Asked) -> Reply {
        let refuse = |status, code: &str, message: &str| refusal(&asked.operation, status, code, message);
        if asked.operation != "sns:Publish" {
            return refuse(400, "InvalidAction", "no such operation of the fake");
        }
        let known = ["Action", "Version", "TopicArn", "Subject", "Message"];
        let fields = asked.input.as_object().cloned().unwrap_or_default();
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            self.violations.push(format!("sns:Publish: {name}"));
        }
        let mail = Mail {
            topic: asked.text("TopicArn").to_owned(),
            subject: asked.text("Subject").to_owned(),
            text: asked.text("Message").to_owned(),
        };
        if !self.topics.contains(&mail.topic) {
            return refuse(404, "NotFound", "Topic does not exist");
        }
        let is_subject = |c: char| c.is_ascii() && !c.is_ascii_control();
        if mail.subject.chars().count() > LONGEST_SUBJECT
            || !mail.subject.chars().all(is_subject)
            || mail.subject.starts_with(' ')
        {
            return refuse(400, "InvalidParameter", "Invalid parameter: Subject");
        }
        if mail.text.is_empty() || mail.text.len() > LARGEST_MESSAGE {
            return refuse(400, "InvalidParameter", "Invalid parameter: Message");
        }
        self.mails.push(mail);
        Reply::text(
            200,
            "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>567910cd-659e-55d4-8ccb-\
             5aaf14679dc0</MessageId></PublishResult><ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata>\
             </PublishResponse>",
        )
    }
}
