//! Keys and names that say that what they hold is a secret.

/// Words in the name of a variable or a label, of which one is enough. Two words stand side by side.
const WORDS: [&str; 14] = [
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
];

/// Last words that say that the value is only about a secret: where it lies, how long it lives.
const ABOUT: [&str; 22] = [
    "file", "path", "dir", "folder", "name", "arn", "url", "uri", "endpoint", "host", "length", "ttl", "timeout",
    "expiry", "enabled", "required", "policy", "type", "provider", "id", "env", "version",
];

/// Whether a key of Flyway's configuration holds a secret.
pub(super) fn is_secret(path: &[String]) -> bool {
    let path = lower(path);
    match within(&path).as_slice() {
        ["password" | "licensekey" | "token" | "vaulttoken" | "buildpassword"]
        | ["vault", "token"]
        | ["check", "buildpassword"]
        | ["resolvers", _, "token" | "secret" | "clientsecret"] => true,
        ["jdbcproperties", property @ ..] => {
            let property = property.concat();
            property.starts_with("secret") || property.ends_with("password") || property == "accesstoken"
        }
        _ => false,
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
