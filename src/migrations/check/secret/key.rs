//! Keys and names that say that what they hold is a secret.

/// Words in the name of a variable or a label, of which one is enough. Two words stand side by side.
const WORDS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "credentials",
    "apikey",
    "api key",
    "private key",
    "access key",
    "license key",
    "licence key",
    "secretkey",
    "privatekey",
    "passcode",
];

/// Last words that say that the value is only about a secret: where it lies, how long it lives.
const ABOUT: [&str; 22] = [
    "file", "path", "dir", "folder", "name", "arn", "url", "uri", "endpoint", "host", "length", "ttl", "timeout",
    "expiry", "enabled", "required", "policy", "type", "provider", "id", "env", "version",
];

/// Whether a key of a configuration file holds a secret.
pub(super) fn is_secret(path: &[String]) -> bool {
    let lower = lower(path);
    match within(&lower).as_slice() {
        ["password" | "licensekey" | "token" | "vaulttoken" | "buildpassword"]
        | ["vault", "token"]
        | ["check", "buildpassword"]
        | ["resolvers", _, "token" | "secret" | "clientsecret"]
        // Liquibase's own.
        | ["referencepassword"]
        | ["liquibase", .., "password" | "referencepassword" | "licensekey" | "apikey"] => true,
        ["jdbcproperties", property @ ..] => {
            let property = property.concat();
            property.starts_with("secret") || property.ends_with("password") || property == "accesstoken"
        }
        _ => path.last().is_some_and(|last| ends_as_secret(last)),
    }
}

/// Whether the last word of a name is a word for a secret: `app_password`, and not `password_column`.
pub(super) fn ends_as_secret(name: &str) -> bool {
    let words = words(name);
    (1..=2).filter_map(|count| words.len().checked_sub(count)).any(|start| {
        let last = words[start..].join(" ");
        WORDS.contains(&last.as_str())
    })
}

/// The environment variable by which a migration tool takes what a key says.
pub(super) fn variable(path: &[String]) -> Option<&'static str> {
    let lower = lower(path);
    let is_liquibase = lower.first().is_some_and(|first| first == "liquibase");
    let last = lower.last()?.as_str();
    let of_flyway = lower.len() > 1 && matches!(lower[0].as_str(), "flyway" | "environments");
    match (last, is_liquibase, of_flyway) {
        ("password", false, true) => Some("FLYWAY_PASSWORD"),
        ("url", false, true) => Some("FLYWAY_URL"),
        ("licensekey", false, true) => Some("FLYWAY_LICENSE_KEY"),
        ("token", false, true) if lower.len() == 2 => Some("FLYWAY_TOKEN"),
        ("password", true, _) => Some("LIQUIBASE_COMMAND_PASSWORD"),
        ("referencepassword", _, _) => Some("LIQUIBASE_COMMAND_REFERENCE_PASSWORD"),
        _ => None,
    }
}

/// Whether a key of Flyway's configuration holds SQL.
pub(super) fn is_sql(path: &[String]) -> bool {
    *within(&lower(path)) == ["initsql"]
}

fn lower(path: &[String]) -> Vec<String> {
    path.iter().map(|part| part.to_lowercase()).collect()
}

/// The key without the table it stands in: `flyway`, `environments.NAME`, and both.
fn within(path: &[String]) -> Vec<&str> {
    let mut rest = path;
    loop {
        rest = match rest {
            [first, rest @ ..] if first == "flyway" => rest,
            [first, _, rest @ ..] if first == "environments" => rest,
            _ => return rest.iter().map(String::as_str).collect(),
        };
    }
}

/// Whether the name of a variable or a label says that it is a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    if ABOUT.contains(&last.as_str()) {
        return false;
    }
    // PWD alone is the working directory.
    if last == "pwd" && words.len() > 1 {
        return true;
    }
    let joined = format!(" {} ", words.join(" "));
    WORDS.iter().any(|word| joined.contains(&format!(" {word} ")))
}

/// The words of `DB_PASSWORD`, `com.example.db-password` and `dbPassword`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in name.chars() {
        let begins = !character.is_alphanumeric() || was_lower && character.is_uppercase();
        if begins {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
