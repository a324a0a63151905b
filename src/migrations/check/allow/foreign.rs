//! What comments for squawk and Atlas amount to here.

use super::comment::{Allowance, Codes, Reach};

/// Rules of squawk, and what they are called here. Those that are not in the table are looked for by squawk alone.
const SQUAWK: [(&str, &[&str]); 23] = [
    ("adding-field-with-default", &["R022"]),
    ("adding-foreign-key-constraint", &["R011"]),
    ("adding-not-nullable-field", &["R013", "R014"]),
    ("adding-required-field", &["R013"]),
    ("adding-serial-primary-key-field", &["R012", "R022"]),
    ("ban-alter-domain-with-add-constraint", &["R011"]),
    ("ban-concurrent-index-creation-in-transaction", &["C005", "C006"]),
    ("ban-drop-column", &["R002"]),
    ("ban-drop-database", &["R001"]),
    ("ban-drop-table", &["R001"]),
    ("ban-truncate-cascade", &["R003"]),
    ("changing-column-type", &["R015"]),
    ("constraint-missing-not-valid", &["R011"]),
    ("disallowed-unique-constraint", &["R012"]),
    ("renaming-column", &["R016"]),
    ("renaming-table", &["R016"]),
    ("require-concurrent-index-creation", &["R010"]),
    ("require-concurrent-index-deletion", &["R010"]),
    ("require-concurrent-reindex", &["R010"]),
    ("require-lock-timeout", &["R017"]),
    ("require-statement-timeout", &["R017"]),
    ("require-timeout-settings", &["R017"]),
    ("transaction-nesting", &["C009"]),
];

/// Codes and analyzers of Atlas (atlasgo.io/lint/analyzers).
const ATLAS: [(&str, &[&str]); 26] = [
    ("BC101", &["R016"]),
    ("BC102", &["R016"]),
    ("DS101", &["R001"]),
    ("DS102", &["R001"]),
    ("DS103", &["R002"]),
    ("LT101", &["R014"]),
    ("MF101", &["R012"]),
    ("MF102", &["R012"]),
    ("MF103", &["R013"]),
    ("MF104", &["R014"]),
    ("MY101", &["R013"]),
    ("PG101", &["R010"]),
    ("PG102", &["R010"]),
    ("PG103", &["C005", "C006"]),
    ("PG301", &["R015"]),
    ("PG302", &["R022"]),
    ("PG303", &["R014"]),
    ("PG304", &["R012"]),
    ("PG305", &["R011"]),
    ("PG306", &["R011"]),
    ("concurrent_index", &["R010"]),
    ("destructive", &["R001", "R002"]),
    ("incompatible", &["R016"]),
    ("data_depend", &["R012", "R013", "R014"]),
    ("nestedtx", &["C009"]),
    ("blocking_table_change", &["R011", "R012", "R014", "R015", "R022"]),
];

/// `squawk-ignore rule, rule` and `squawk-ignore-file`; without a rule it is all of them.
pub(super) fn squawk(text: &str) -> Option<Allowance> {
    let rest = text.strip_prefix("squawk-ignore")?;
    let (reach, rest) = match rest.strip_prefix("-file") {
        Some(rest) => (Reach::File, rest),
        None => (Reach::Statement, rest),
    };
    // A word that only begins like it is another.
    if rest.starts_with(|next: char| next.is_alphanumeric() || next == '-') {
        return None;
    }
    let names = rest.trim_start_matches(':').split([',', ' ', '\t']).map(str::trim);
    allowance(reach, names.filter(|name| !name.is_empty()), &SQUAWK, text)
}

/// `atlas:nolint code class`; without one it is all of them.
pub(super) fn atlas(text: &str, is_header: bool) -> Option<Allowance> {
    let rest = text.strip_prefix("atlas:nolint")?;
    let reach = if is_header { Reach::File } else { Reach::Statement };
    let names = rest.split([',', ' ', '\t']).map(str::trim);
    allowance(reach, names.filter(|name| !name.is_empty()), &ATLAS, text)
}

fn allowance<'n>(
    reach: Reach,
    names: impl Iterator<Item = &'n str>,
    table: &[(&str, &[&'static str])],
    text: &str,
) -> Option<Allowance> {
    let mut codes = Vec::new();
    let mut names_any = false;
    for name in names {
        names_any = true;
        for (_, ours) in table.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)) {
            codes.extend_from_slice(ours);
        }
    }
    let codes = match (names_any, codes.is_empty()) {
        (false, _) => Codes::Risks,
        // Rules that are not looked for here.
        (true, true) => return None,
        (true, false) => Codes::Named(codes),
    };
    Some(Allowance {
        reach,
        codes,
        reason: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::check::Rule;

    /// Catches a code that was misspelt or is no more.
    #[test]
    fn every_code_of_the_tables_is_a_rule() {
        for (name, codes) in SQUAWK.iter().chain(&ATLAS) {
            for code in *codes {
                assert!(Rule::of_code(code).is_some(), "{name}: {code}");
            }
        }
    }
}
