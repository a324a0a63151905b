//! JSON objects whose members stay as they were written.

use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// A JSON object in which every member nobody sets keeps its bytes and its place.
///
/// Typed models of the image config drop what they do not know (Docker's `Healthcheck`, `Shell`, `OnBuild`) and write
/// maps in an order of their own; a base's config goes through this instead.
#[derive(Debug, Clone, Default)]
pub(super) struct JsonObject {
    members: Vec<(String, Box<RawValue>)>,
}

impl JsonObject {
    /// Reads an object.
    ///
    /// # Errors
    /// When the bytes are not a JSON object.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The member's value, read as `T`; `None` when it is missing or `null`.
    ///
    /// # Errors
    /// When the value is not a `T`.
    pub(super) fn get<T: for<'de> Deserialize<'de>>(&self, key: &str) -> Result<Option<T>, serde_json::Error> {
        match self.raw(key) {
            Some(raw) => serde_json::from_str(raw.get()),
            None => Ok(None),
        }
    }

    /// Sets a member: in its place if it is there, else at the end.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub(super) fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), serde_json::Error> {
        let raw = to_raw_value(value)?;
        match self.members.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = raw,
            None => self.members.push((key.to_owned(), raw)),
        }
        Ok(())
    }

    /// Adds members that are empty objects, unless they are there.
    ///
    /// # Errors
    /// Never in practice.
    pub(super) fn add_empty(&mut self, names: &[String]) -> Result<(), serde_json::Error> {
        let mut known: HashSet<String> = self.members.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            if known.insert(name.clone()) {
                self.members.push((name.clone(), to_raw_value(&Self::default())?));
            }
        }
        Ok(())
    }

    /// Removes a member.
    pub(super) fn remove(&mut self, key: &str) {
        self.members.retain(|(name, _)| name != key);
    }

    /// The names of the members in their order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// The object as bytes, without space between members.
    ///
    /// # Errors
    /// Never in practice: every member was JSON before.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn raw(&self, key: &str) -> Option<&RawValue> {
        self.members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, raw)| raw.as_ref())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, raw) in &self.members {
            map.serialize_entry(name, raw)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = JsonObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject, A::Error> {
                let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    // Of two members of one name the last counts, as in every JSON reader of the field.
                    members.retain(|(earlier, _)| *earlier != name);
                    members.push((name, raw));
                }
                Ok(JsonObject { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sets_keeps_its_bytes() {
        let text = r#"{"z":1.50,"a":"\u003c\/b>","n":12345678901234567890123,"m":{"y":[ 1, 2 ],"x":null}}"#;
        let mut object = JsonObject::parse(text.as_bytes()).expect("object");
        assert_eq!(object.to_bytes().expect("bytes"), text.as_bytes());
        object.set("z", "new").expect("set");
        object.set("end", &true).expect("set");
        let expected = text.replace("1.50", "\"new\"").replace("}}", "},\"end\":true}");
        assert_eq!(String::from_utf8(object.to_bytes().expect("bytes")), Ok(expected));
    }

    #[test]
    fn null_reads_as_nothing() {
        let object = JsonObject::parse(br#"{"a":null,"b":[1]}"#).expect("object");
        assert_eq!(object.get::<String>("a").expect("get"), None);
        assert_eq!(object.get::<Vec<u8>>("b").expect("get"), Some(vec![1]));
        assert!(object.get::<String>("b").is_err());
    }

    #[test]
    fn the_last_of_two_counts() {
        let object = JsonObject::parse(br#"{"a":1,"b":2,"a":3}"#).expect("object");
        assert_eq!(object.to_bytes().expect("bytes"), br#"{"b":2,"a":3}"#);
    }
}
