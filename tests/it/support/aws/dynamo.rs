//! Amazon DynamoDB: tables with a hash and a range key, and the expressions that change and guard their items.

mod change;
mod expression;
mod path;
mod reserved;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::registry::Reply;
use super::call::Asked;
use super::error::refusal;
use super::signature::Signer;
use super::{FakeAws, State};
use expression::Parser;
use path::Words;

/// Most of an item, in bytes.
const LARGEST_ITEM: usize = 400 * 1024;

/// An item: values in the types of DynamoDB.
pub(super) type Item = Map<String, Value>;

/// Tables by name.
#[derive(Default)]
pub(super) struct Tables {
    items: BTreeMap<String, BTreeMap<(String, String), Item>>,
    /// How many items a page of a query holds.
    page: usize,
}

/// Why a call is refused.
enum Refused {
    Invalid(String),
    /// The condition does not hold for this item.
    Condition(Item),
}

impl From<String> for Refused {
    fn from(message: String) -> Self {
        Self::Invalid(message)
    }
}

impl FakeAws {
    /// Makes a table with the keys `pk` and `sk`, both text.
    pub(crate) fn table(&self, name: &str) {
        self.state().tables.items.insert(name.to_owned(), BTreeMap::new());
    }

    /// How many items a page of a query holds.
    pub(crate) fn page_of_items(&self, count: usize) {
        self.state().tables.page = count;
    }

    /// The items of a table as plain JSON, in the order of their keys.
    pub(crate) fn items(&self, table: &str) -> Vec<Value> {
        let state = self.state();
        let items = state.tables.items.get(table).into_iter().flat_map(BTreeMap::values);
        items.map(|item| plain(&json!({"M": item}))).collect()
    }

    /// The items whose `pk` begins so.
    pub(crate) fn items_under(&self, table: &str, prefix: &str) -> Vec<Value> {
        let mut items = self.items(table);
        items.retain(|item| item["pk"].as_str().is_some_and(|pk| pk.starts_with(prefix)));
        items
    }

    /// Puts an item of plain JSON into a table, as somebody else did.
    pub(crate) fn put_item(&self, table: &str, item: &Value) {
        let item = typed(item)["M"].as_object().cloned().unwrap();
        let key = key(&item).ok().unwrap();
        self.state().tables.items.get_mut(table).unwrap().insert(key, item);
    }
}

/// Fields by operation.
const FIELDS: [(&str, &[&str]); 7] = [
    ("GetItem", &["TableName", "Key", "ConsistentRead"]),
    (
        "PutItem",
        &[
            "TableName",
            "Item",
            "ConditionExpression",
            NAMES,
            VALUES,
            ON_FAILURE,
            "ReturnValues",
        ],
    ),
    (
        "UpdateItem",
        &[
            "TableName",
            "Key",
            "UpdateExpression",
            "ConditionExpression",
            NAMES,
            VALUES,
            ON_FAILURE,
            "ReturnValues",
        ],
    ),
    (
        "DeleteItem",
        &[
            "TableName",
            "Key",
            "ConditionExpression",
            NAMES,
            VALUES,
            ON_FAILURE,
            "ReturnValues",
        ],
    ),
    (
        "Query",
        &[
            "TableName",
            "KeyConditionExpression",
            "FilterExpression",
            NAMES,
            VALUES,
            "ScanIndexForward",
            "ConsistentRead",
            "Limit",
            "ExclusiveStartKey",
        ],
    ),
    ("DescribeTable", &["TableName"]),
    ("DescribeTimeToLive", &["TableName"]),
];
const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";
const ON_FAILURE: &str = "ReturnValuesOnConditionCheckFailure";

impl State {
    /// Answers a call to DynamoDB.
    pub(super) fn dynamodb(&mut self, asked: &Asked, signer: &Signer) -> Reply {
        let operation = asked.operation.strip_prefix("dynamodb:").unwrap_or_default();
        let known = FIELDS.iter().find(|(name, _)| *name == operation);
        for name in asked.input.as_object().into_iter().flat_map(Map::keys) {
            if !known.is_some_and(|(_, fields)| fields.contains(&name.as_str())) {
                self.violations.push(format!("{}: {name}", asked.operation));
            }
        }
        let name = asked
            .text("TableName")
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let page = self.tables.page;
        let is_here = signer.region == super::REGION;
        let Some(table) = self.tables.items.get_mut(&name).filter(|_| is_here) else {
            let message = "Requested resource not found";
            return refusal(&asked.operation, 400, "ResourceNotFoundException", message);
        };
        let words = Words::new(&asked.input[NAMES], &asked.input[VALUES]);
        let answer = match operation {
            "GetItem" => get(table, &asked.input),
            "PutItem" => put(table, &asked.input, &words),
            "UpdateItem" => update(table, &asked.input, &words),
            "DeleteItem" => delete(table, &asked.input, &words),
            "Query" => query(table, &asked.input, &words, page),
            "DescribeTable" => Ok(json!({"Table": {
                "TableName": name, "TableStatus": "ACTIVE", "ItemCount": table.len(),
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
            }})),
            "DescribeTimeToLive" => Ok(json!({"TimeToLiveDescription": {
                "TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at",
            }})),
            _ => Err("no such operation of the fake".to_owned().into()),
        };
        let answer = answer.and_then(|answer| words.assert_used().map(|()| answer).map_err(Refused::Invalid));
        match answer {
            Ok(answer) => Reply::json(200, &answer),
            Err(Refused::Condition(item)) => {
                let code = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                let mut body = json!({"__type": code, "message": "The conditional request failed"});
                if asked.input[ON_FAILURE] == "ALL_OLD" && !item.is_empty() {
                    body["Item"] = Value::Object(item);
                }
                Reply::json(400, &body)
            }
            Err(Refused::Invalid(message)) => {
                // The real service refuses it too, always: a mistake of ours and no matter of luck.
                self.violations
                    .push(format!("{}: {message}: {}", asked.operation, asked.input));
                refusal(&asked.operation, 400, "ValidationException", &message)
            }
        }
    }
}

type Table = BTreeMap<(String, String), Item>;

fn get(table: &Table, input: &Value) -> Result<Value, Refused> {
    let key = only_key(&input["Key"])?;
    Ok(match table.get(&key) {
        Some(item) => json!({"Item": item}),
        None => json!({}),
    })
}

fn put(table: &mut Table, input: &Value, words: &Words) -> Result<Value, Refused> {
    let item = input["Item"].as_object().cloned().unwrap_or_default();
    let key = key(&item)?;
    valid(&item)?;
    guard(table, &key, input, words)?;
    table.insert(key, item);
    Ok(json!({}))
}

fn update(table: &mut Table, input: &Value, words: &Words) -> Result<Value, Refused> {
    let key = only_key(&input["Key"])?;
    // An expression that is wrong is refused even where the condition does not hold.
    let old = table.get(&key).cloned().unwrap_or_default();
    let mut item = match old.is_empty() {
        true => input["Key"].as_object().cloned().unwrap_or_default(),
        false => old,
    };
    let text = input["UpdateExpression"].as_str().unwrap_or_default();
    change::apply(text, words, &mut item)?;
    guard(table, &key, input, words)?;
    valid(&item)?;
    table.insert(key, item.clone());
    Ok(match input["ReturnValues"].as_str() {
        Some("ALL_NEW") => json!({"Attributes": item}),
        None | Some("NONE") => json!({}),
        Some(other) => return Err(format!("ReturnValues {other} is not part of the fake").into()),
    })
}

fn delete(table: &mut Table, input: &Value, words: &Words) -> Result<Value, Refused> {
    let key = only_key(&input["Key"])?;
    guard(table, &key, input, words)?;
    let old = table.remove(&key);
    Ok(match (input["ReturnValues"].as_str(), old) {
        (Some("ALL_OLD"), Some(old)) => json!({"Attributes": old}),
        _ => json!({}),
    })
}

fn query(table: &Table, input: &Value, words: &Words, page: usize) -> Result<Value, Refused> {
    let text = input["KeyConditionExpression"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    for item in table.values() {
        if Parser::new(text, words, item)?.condition()? {
            found.push(item);
        }
    }
    if table.is_empty() {
        Parser::new(text, words, &Item::new())?.condition()?;
    }
    if input["ScanIndexForward"] == false {
        found.reverse();
    }
    if let Some(start) = input["ExclusiveStartKey"].as_object() {
        let start = key(start)?;
        let after = found.iter().position(|item| key(item).is_ok_and(|key| key == start));
        found.drain(..=after.ok_or_else(|| "The provided starting key is invalid".to_owned())?);
    }
    let limit = input["Limit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
    if limit == Some(0) {
        return Err("Limit must be greater than or equal to 1".to_owned().into());
    }
    let size = [limit, Some(page).filter(|page| *page > 0)].into_iter().flatten().min();
    let size = size.unwrap_or(usize::MAX);
    // A page that is full names a next one, even if there is nothing on it.
    let next = match found.len() >= size {
        true => found
            .get(size - 1)
            .map(|item| json!({"pk": item["pk"], "sk": item["sk"]})),
        false => None,
    };
    found.truncate(size);
    let mut kept = Vec::new();
    for item in &found {
        let is_wanted = match input["FilterExpression"].as_str() {
            Some(text) => Parser::new(text, words, item)?.condition()?,
            None => true,
        };
        if is_wanted {
            kept.push(*item);
        }
    }
    let mut answer = json!({"Count": kept.len(), "ScannedCount": found.len(), "Items": kept});
    if let Some(next) = next {
        answer["LastEvaluatedKey"] = next;
    }
    Ok(answer)
}

/// Refuses a write whose condition does not hold.
fn guard(table: &Table, key: &(String, String), input: &Value, words: &Words) -> Result<(), Refused> {
    let Some(text) = input["ConditionExpression"].as_str() else {
        return Ok(());
    };
    let item = table.get(key).cloned().unwrap_or_default();
    match Parser::new(text, words, &item)?.condition()? {
        true => Ok(()),
        false => Err(Refused::Condition(item)),
    }
}

/// The key of an item.
fn key(item: &Item) -> Result<(String, String), Refused> {
    let part = |name: &str| match item.get(name).and_then(|value| value["S"].as_str()) {
        Some("") => Err(format!("One or more parameter values are not valid: {name} is empty")),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!(
            "One or more parameter values were invalid: Missing the key {name} in the item"
        )),
    };
    Ok((part("pk")?, part("sk")?))
}

/// A key that is nothing but a key.
fn only_key(value: &Value) -> Result<(String, String), Refused> {
    let item = value.as_object().cloned().unwrap_or_default();
    match item.len() {
        2 => key(&item),
        _ => Err("The provided key element does not match the schema".to_owned().into()),
    }
}

/// Refuses what no item may hold.
fn valid(item: &Item) -> Result<(), String> {
    let size = json!(item).to_string().len();
    if size > LARGEST_ITEM {
        return Err(format!(
            "Item size has exceeded the maximum allowed size: about {size} bytes"
        ));
    }
    item.values().try_for_each(valid_value)
}

fn valid_value(value: &Value) -> Result<(), String> {
    let wrong = || format!("Supplied AttributeValue is not valid: {value}");
    let (kind, inner) = value
        .as_object()
        .filter(|object| object.len() == 1)
        .and_then(|object| object.iter().next())
        .ok_or_else(wrong)?;
    let is_number = |text: &Value| {
        let digits = text
            .as_str()
            .map_or(0, |text| text.bytes().filter(u8::is_ascii_digit).count());
        let number = text.as_str().and_then(|text| text.parse::<f64>().ok());
        number.is_some_and(f64::is_finite) && digits <= 38
    };
    let is_good = match (kind.as_str(), inner) {
        ("S" | "B", inner) => inner.is_string(),
        ("N", inner) => is_number(inner),
        ("BOOL", inner) => inner.is_boolean(),
        ("NULL", inner) => *inner == true,
        ("SS", Value::Array(all)) => !all.is_empty() && all.iter().all(Value::is_string),
        ("NS", Value::Array(all)) => !all.is_empty() && all.iter().all(is_number),
        ("L", Value::Array(all)) => return all.iter().try_for_each(valid_value),
        ("M", Value::Object(all)) => return all.values().try_for_each(valid_value),
        _ => false,
    };
    is_good.then_some(()).ok_or_else(wrong)
}

/// Whether a condition holds for an item of plain JSON; values are plain too.
pub(crate) fn holds(condition: &str, names: &Value, values: &Value, item: &Value) -> Result<bool, String> {
    let words = words(names, values);
    let holds = Parser::new(condition, &words, &item_of(item))?.condition()?;
    words.assert_used().map(|()| holds)
}

/// An item of plain JSON after a change.
pub(crate) fn changed(change: &str, names: &Value, values: &Value, item: &Value) -> Result<Value, String> {
    let words = words(names, values);
    let mut item = item_of(item);
    change::apply(change, &words, &mut item)?;
    words.assert_used().map(|()| plain(&json!({"M": item})))
}

fn words(names: &Value, values: &Value) -> Words {
    match values.is_null() {
        true => Words::new(names, values),
        false => Words::new(names, &typed(values)["M"]),
    }
}

fn item_of(item: &Value) -> Item {
    typed(item)["M"].as_object().cloned().unwrap_or_default()
}

/// A value without the types of DynamoDB.
fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), inner) {
        ("N", Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        ("L", Value::Array(all)) => all.iter().map(plain).collect(),
        ("M", Value::Object(all)) => all.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        ("NULL", _) => Value::Null,
        _ => inner.clone(),
    }
}

/// A value with the types of DynamoDB.
fn typed(value: &Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(value) => json!({"BOOL": value}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(all) => json!({"L": all.iter().map(typed).collect::<Vec<_>>()}),
        Value::Object(all) => {
            json!({"M": all.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Item>()})
        }
    }
}
