//! Mails, by way of a topic of Amazon SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;

use super::mail::Mail;
use crate::aws::Services;
use crate::content::Result;

/// Sends to whoever has subscribed to a topic.
#[derive(Debug, Clone)]
pub struct Mailer {
    client: Client,
    services: Services,
    topic: String,
}

impl Mailer {
    /// Sends to the topic of this ARN.
    #[must_use]
    pub fn new(services: &Services, topic: &str) -> Self {
        // arn:PARTITION:sns:REGION:ACCOUNT:NAME; a topic takes messages in its own region only.
        let services = match topic.split(':').nth(3) {
            Some(region) if !region.is_empty() => services.elsewhere(region),
            _ => services.clone(),
        };
        let config = Builder::from(services.config()).interceptor(services.observer());
        Self {
            client: Client::from_conf(config.build()),
            services,
            topic: topic.to_owned(),
        }
    }

    pub(super) async fn send(&self, mail: &Mail) -> Result<()> {
        let sent = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&mail.subject)
            .message(&mail.text)
            .send()
            .await;
        sent.map(drop).map_err(|error| {
            let what = "cannot send the mail about a run that failed";
            self.services.refused(what, "sns:Publish", &self.topic, &error)
        })
    }
}
