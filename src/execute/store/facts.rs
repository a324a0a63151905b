//! Whether a table is what runs and locks are kept in.

use aws_sdk_dynamodb::types::{KeyType, ScalarAttributeType, TableDescription, TableStatus};

use super::Store;
use super::item::{EXPIRES_AT, PK, SK};
use crate::content::Result;

/// What a table is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFacts {
    /// Where it is on its way: `ACTIVE`, or `CREATING` and the like.
    pub status: String,
    /// Whether it can be read and written now.
    pub is_usable: bool,
    /// Its keys, with their types, such as `pk (S)`.
    pub keys: Vec<String>,
    /// Whether these are the ones that are needed.
    pub has_our_keys: bool,
    /// The attribute that tells when an item goes away; nothing does without one.
    pub expires_by: Option<String>,
    /// Whether it is the one that runs have.
    pub has_our_expiry: bool,
}

impl Store {
    /// What the table is like; `None` if there is no such one.
    ///
    /// # Errors
    /// When it may not be asked for.
    pub async fn facts(&self) -> Result<Option<TableFacts>> {
        let what = format!("cannot look at the table {}", self.name());
        let Some(table) = self.table.described(&what).await? else {
            return Ok(None);
        };
        let expires_by = self.table.expiry(&what).await?;
        let keys: Vec<String> = keys(&table);
        let status = table.table_status.as_ref();
        Ok(Some(TableFacts {
            status: status.map_or_else(String::new, |status| status.as_str().to_owned()),
            is_usable: matches!(status, Some(TableStatus::Active | TableStatus::Updating)),
            has_our_keys: keys == [format!("{PK} (S)"), format!("{SK} (S)")],
            keys,
            has_our_expiry: expires_by.as_deref() == Some(EXPIRES_AT),
            expires_by,
        }))
    }
}

/// The keys of a table with their types: the one that puts items together before the one that sorts them.
fn keys(table: &TableDescription) -> Vec<String> {
    let mut keys: Vec<_> = table.key_schema().iter().collect();
    keys.sort_by_key(|key| key.key_type() != &KeyType::Hash);
    let definitions = table.attribute_definitions();
    let kind = |name: &str| {
        let definition = definitions
            .iter()
            .find(|definition| definition.attribute_name() == name);
        definition.map_or("?", |definition| {
            ScalarAttributeType::as_str(definition.attribute_type())
        })
    };
    keys.into_iter()
        .map(|key| format!("{} ({})", key.attribute_name(), kind(key.attribute_name())))
        .collect()
}
