//! Names of branches, made fit for tags.

/// Longest slug GitLab makes: the length of a label in a host name.
const LIMIT: usize = 63;

/// Spells `name` as GitLab's `CI_COMMIT_REF_SLUG`: lower-case letters and digits of ASCII and `-`, 63 characters at most,
/// no `-` at either end.
#[must_use]
pub fn slug(name: &str) -> String {
    let slug: String = name
        .chars()
        .flat_map(char::to_lowercase)
        .map(|character| match character {
            'a'..='z' | '0'..='9' => character,
            _ => '-',
        })
        .take(LIMIT)
        .collect();
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_as_gitlab_does() {
        for (name, expected) in [
            ("main", "main"),
            ("feature/Add_Users", "feature-add-users"),
            ("123-add-users", "123-add-users"),
            ("-x-", "x"),
            ("bücher", "b-cher"),
            ("/", ""),
        ] {
            assert_eq!(slug(name), expected);
        }
        assert_eq!(slug(&"a".repeat(80)).len(), 63);
        assert_eq!(slug(&format!("{}-b", "a".repeat(62))).len(), 62);
    }
}
