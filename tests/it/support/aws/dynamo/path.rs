//! Words of expressions: names, values and paths into an item.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Item;
use super::reserved::RESERVED;

/// What the placeholders of an expression stand for, and which of them were used.
pub(super) struct Words {
    names: Value,
    values: Value,
    used: RefCell<BTreeSet<String>>,
}

impl Words {
    pub(super) fn new(names: &Value, values: &Value) -> Self {
        Self {
            names: names.clone(),
            values: values.clone(),
            used: RefCell::default(),
        }
    }

    /// The attribute that a word of an expression names.
    pub(super) fn name(&self, word: &str) -> Result<String, String> {
        if word.starts_with('#') {
            self.used.borrow_mut().insert(word.to_owned());
            let name = self.names[word].as_str();
            return name.map(str::to_owned).ok_or_else(|| {
                format!("An expression attribute name used in the document path is not defined; attribute name: {word}")
            });
        }
        match RESERVED.contains(&word.to_uppercase().as_str()) {
            true => Err(format!(
                "Attribute name is a reserved keyword; reserved keyword: {word}"
            )),
            false => Ok(word.to_owned()),
        }
    }

    /// The value that a word of an expression stands for.
    pub(super) fn value(&self, word: &str) -> Result<Value, String> {
        self.used.borrow_mut().insert(word.to_owned());
        match &self.values[word] {
            Value::Null => Err(format!(
                "An expression attribute value used in expression is not defined; attribute value: {word}"
            )),
            value => super::valid_value(value).map(|()| value.clone()),
        }
    }

    /// Refuses placeholders that no expression uses.
    pub(super) fn assert_used(&self) -> Result<(), String> {
        let used = self.used.borrow();
        for (all, what) in [
            (&self.names, "ExpressionAttributeNames"),
            (&self.values, "ExpressionAttributeValues"),
        ] {
            let all = all.as_object();
            if all.is_some_and(serde_json::Map::is_empty) {
                return Err(format!("{what} must not be empty"));
            }
            for word in all.into_iter().flat_map(serde_json::Map::keys) {
                if !used.contains(word) {
                    return Err(format!(
                        "Value provided in {what} unused in expressions: keys: {{{word}}}"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name(String),
    Index(usize),
}

/// What lies at a path.
pub(super) fn find(item: &Item, path: &[Part]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let Part::Name(name) = first else { return None };
    let mut value = item.get(name)?;
    for part in rest {
        value = match part {
            Part::Name(name) => value["M"].get(name)?,
            Part::Index(index) => value["L"].get(*index)?,
        };
    }
    Some(value.clone())
}

/// Puts a value at a path, or takes away what is there.
pub(super) fn place(item: &mut Item, path: &[Part], value: Option<Value>) -> Result<(), String> {
    let wrong = || "The document path provided in the update expression is invalid for update".to_owned();
    let (last, parents) = path.split_last().ok_or_else(wrong)?;
    let Some((Part::Name(first), parents)) = parents.split_first() else {
        let Part::Name(name) = last else { return Err(wrong()) };
        match value {
            Some(value) => drop(item.insert(name.clone(), value)),
            None => drop(item.remove(name)),
        }
        return Ok(());
    };
    let mut parent = item.get_mut(first).ok_or_else(wrong)?;
    for part in parents {
        let next = match part {
            Part::Name(name) => parent["M"].get_mut(name),
            Part::Index(index) => parent["L"].get_mut(*index),
        };
        parent = next.ok_or_else(wrong)?;
    }
    match (last, value) {
        (Part::Name(name), Some(value)) => {
            drop(
                parent["M"]
                    .as_object_mut()
                    .ok_or_else(wrong)?
                    .insert(name.clone(), value),
            );
        }
        (Part::Name(name), None) => drop(parent["M"].as_object_mut().ok_or_else(wrong)?.remove(name)),
        (Part::Index(index), value) => {
            let all = parent["L"].as_array_mut().ok_or_else(wrong)?;
            match value {
                Some(value) if *index < all.len() => all[*index] = value,
                Some(value) => all.push(value),
                None if *index < all.len() => drop(all.remove(*index)),
                None => {}
            }
        }
    }
    Ok(())
}

/// The size of a value, as `size` counts it; nothing for types that have none.
pub(super) fn size(value: &Value) -> Option<Value> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    let size = match kind.as_str() {
        "S" => inner.as_str()?.len(),
        "L" | "SS" | "NS" => inner.as_array()?.len(),
        "M" => inner.as_object()?.len(),
        _ => return None,
    };
    Some(json!({"N": size.to_string()}))
}
