//! What the message of a database's driver tells: its SQLSTATE and its own number.

/// SQLSTATE and error code in a message, as the drivers of Go and Java write them.
pub(super) fn codes(message: &str) -> (Option<String>, Option<String>) {
    // go-sql-driver/mysql: `Error 1146 (42S02): Table …`
    if let Some((_, rest)) = message.split_once("Error ") {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (code, rest) = rest.split_at(digits);
        if (1..=6).contains(&digits) {
            let state = rest.strip_prefix(" (").and_then(state_at);
            if state.is_some() || rest.starts_with(':') {
                return (state, Some(code.to_owned()));
            }
        }
    }
    // pgx: `ERROR: … (SQLSTATE 42P01)`; PHP's and others': `SQLSTATE[42S02]`
    let said = message.split("SQLSTATE").skip(1);
    for rest in said {
        let state = state_at(rest.trim_start_matches([' ', ':', '=', '[']));
        if state.is_some() {
            return (state, None);
        }
    }
    // lib/pq: `pq: relation … (42P01)`
    let last = message
        .trim_end()
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('));
    let state = last.and_then(|(_, inner)| (inner.len() == STATE_LENGTH).then(|| state_at(inner)).flatten());
    (state, None)
}

/// How long each SQLSTATE is (ISO/IEC 9075).
const STATE_LENGTH: usize = 5;

/// The SQLSTATE a text begins with: five digits and capital letters, not letters alone.
fn state_at(text: &str) -> Option<String> {
    let state = text.get(..STATE_LENGTH)?;
    let is_state = state.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        && state.chars().any(|c| c.is_ascii_digit())
        && !text[STATE_LENGTH..].starts_with(|c: char| c.is_ascii_alphanumeric());
    is_state.then(|| state.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_tell_states_in_their_own_ways() {
        for (message, state, code) in [
            (
                "Error 1146 (42S02): Table 'dbm.nothere' doesn't exist",
                Some("42S02"),
                Some("1146"),
            ),
            ("Error 1045: Access denied", None, Some("1045")),
            (
                r#"pq: relation "nothere" does not exist at position 3:13 (42P01)"#,
                Some("42P01"),
                None,
            ),
            (
                r#"ERROR: relation "nothere" does not exist (SQLSTATE 42P01)"#,
                Some("42P01"),
                None,
            ),
            ("SQLSTATE[HY000] [2002] Connection refused", Some("HY000"), None),
            ("no such table: nothere (1)", None, None),
            ("Errors of Error x (WRONG)", None, None),
            ("", None, None),
            ("(üüü)", None, None),
        ] {
            let told = (state.map(str::to_owned), code.map(str::to_owned));
            assert_eq!(codes(message), told, "{message}");
        }
    }
}
