//! The calls to DynamoDB.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure, TableDescription, TimeToLiveStatus};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::item::{Item, Key, PK, SK, string};
use super::words::Words;
use crate::aws::Services;
use crate::content::{ContentError, Kind, Result};

/// The code of a refusal: there is no such table.
const MISSING: &str = "ResourceNotFoundException";

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    services: Services,
    name: String,
}

/// What a write on a condition led to.
#[derive(Debug)]
pub(super) enum Written {
    /// It was written; this is the item now, as far as it was asked for.
    Done(Item),
    /// The condition does not hold; this is the item there is, if there is one.
    Refused(Option<Item>),
}

/// What an item must be like to be written.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    /// The expression.
    pub(super) holds: String,
    /// Its words.
    pub(super) words: Words,
}

/// A change to an item.
#[derive(Debug, Clone, Default)]
pub(super) struct Update {
    /// What is changed.
    pub(super) change: String,
    /// What must hold.
    pub(super) holds: String,
    /// The words of both.
    pub(super) words: Words,
}

impl Table {
    /// The table of this name.
    pub(super) fn new(services: &Services, name: &str) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(services.config()).interceptor(services.observer());
        Self {
            client: Client::from_conf(config.build()),
            services: services.clone(),
            name: name.to_owned(),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the table is like; `None` if there is no such one.
    pub(super) async fn described(&self, what: &str) -> Result<Option<TableDescription>> {
        let answer = self.client.describe_table().table_name(&self.name).send().await;
        match answer {
            Ok(answer) => Ok(answer.table),
            Err(error) if code(&error) == Some(MISSING) => Ok(None),
            Err(error) => Err(self.refused(what, "dynamodb:DescribeTable", &error)),
        }
    }

    /// The attribute that tells when an item goes away, if items do.
    pub(super) async fn expiry(&self, what: &str) -> Result<Option<String>> {
        let answer = self.client.describe_time_to_live().table_name(&self.name).send().await;
        let answer = answer.map_err(|error| self.refused(what, "dynamodb:DescribeTimeToLive", &error))?;
        let described = answer.time_to_live_description;
        let is_on =
            |status: &TimeToLiveStatus| matches!(status, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling);
        Ok(described
            .filter(|described| described.time_to_live_status.as_ref().is_some_and(is_on))
            .and_then(|described| described.attribute_name))
    }

    /// Reads an item, with whatever was written before.
    pub(super) async fn get(&self, what: &str, key: &Key) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await;
        let answer = answer.map_err(|error| self.refused(what, "dynamodb:GetItem", &error))?;
        Ok(answer.item)
    }

    /// Writes a whole item.
    pub(super) async fn put(&self, what: &str, key: &Key, mut item: Item, condition: Condition) -> Result<Written> {
        item.extend(key.attributes());
        let answer = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition.holds)
            .set_expression_attribute_names(condition.words.names())
            .set_expression_attribute_values(condition.words.values())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(_) => return Ok(Written::Done(Item::new())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                self.instead(what, key, failed.item.clone()).await
            }
            _ => Err(self.refused(what, "dynamodb:PutItem", &error)),
        }
    }

    /// Changes an item, or makes it.
    pub(super) async fn update(&self, what: &str, key: &Key, update: Update) -> Result<Written> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .update_expression(update.change)
            .condition_expression(update.holds)
            .set_expression_attribute_names(update.words.names())
            .set_expression_attribute_values(update.words.values())
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => return Ok(Written::Done(answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                self.instead(what, key, failed.item.clone()).await
            }
            _ => Err(self.refused(what, "dynamodb:UpdateItem", &error)),
        }
    }

    /// Removes an item; false if the condition does not hold.
    pub(super) async fn delete(&self, what: &str, key: &Key, condition: Condition) -> Result<bool> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition.holds)
            .set_expression_attribute_names(condition.words.names())
            .set_expression_attribute_values(condition.words.values())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.as_service_error(),
                    Some(DeleteItemError::ConditionalCheckFailedException(_))
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.refused(what, "dynamodb:DeleteItem", &error)),
        }
    }

    /// The items under one `pk`, from the last `sk` on.
    pub(super) async fn newest(&self, what: &str, pk: &str, limit: usize) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut from = None;
        while items.len() < limit {
            let mut words = Words::default();
            let is_under = words.equals(PK, string(pk));
            let answer = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression(is_under)
                .set_expression_attribute_names(words.names())
                .set_expression_attribute_values(words.values())
                .scan_index_forward(false)
                .consistent_read(true)
                .limit(i32::try_from(limit - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from)
                .send()
                .await;
            let answer = answer.map_err(|error| self.refused(what, "dynamodb:Query", &error))?;
            items.extend(answer.items.unwrap_or_default());
            from = answer.last_evaluated_key.filter(|key| key.contains_key(SK));
            if from.is_none() {
                break;
            }
        }
        items.truncate(limit);
        Ok(items)
    }

    /// What stands where something was not written: told by the refusal, or asked for where it does not tell.
    async fn instead(&self, what: &str, key: &Key, told: Option<Item>) -> Result<Written> {
        Ok(Written::Refused(match told {
            Some(item) => Some(item),
            None => self.get(what, key).await?,
        }))
    }

    /// Puts a failed call into words.
    fn refused<E>(&self, what: &str, action: &str, error: &SdkError<E, HttpResponse>) -> ContentError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        if code(error) == Some(MISSING) {
            let (name, region) = (&self.name, self.services.region());
            return ContentError::new(Kind::NotFound, what)
                .because(format!("there is no table {name} in {region}"))
                .hint("deploy/cloudformation.yaml makes one; without a table: --lock none");
        }
        self.services
            .refused(what, action, &format!("the table {}", self.name), error)
    }
}

/// The code of a refusal.
fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}
