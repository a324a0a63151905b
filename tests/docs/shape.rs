//! Whether JSON in the documentation has the members that the command's has.

use serde_json::Value;

/// Fails the test unless both have the same members of the same types. An empty object or list is shown without its
/// members; of a list, the first element counts.
pub(crate) fn assert_same(place: &str, shown: &str, printed: &[u8]) {
    let shown: Value = serde_json::from_str(shown).unwrap_or_else(|error| panic!("{place}: {error}"));
    let printed: Value = serde_json::from_slice(printed).unwrap();
    compare(place, "", &shown, &printed);
}

fn compare(place: &str, at: &str, shown: &Value, printed: &Value) {
    match (shown, printed) {
        (Value::Object(shown), Value::Object(printed)) if !shown.is_empty() => {
            let sorted = |object: &serde_json::Map<String, Value>| {
                let mut keys: Vec<String> = object.keys().cloned().collect();
                keys.sort();
                keys
            };
            assert_eq!(sorted(shown), sorted(printed), "{place}: members of {at:?}");
            for (key, value) in shown {
                compare(place, &format!("{at}.{key}"), value, &printed[key]);
            }
        }
        (Value::Array(shown), Value::Array(printed)) => {
            if let Some(shown) = shown.first() {
                let printed = printed.first().unwrap_or_else(|| panic!("{place}: {at} is empty"));
                compare(place, &format!("{at}[0]"), shown, printed);
            }
        }
        _ => {
            let kinds = std::mem::discriminant(shown) == std::mem::discriminant(printed);
            assert!(kinds, "{place}: {at} is shown as {shown}, and is {printed}");
        }
    }
}
