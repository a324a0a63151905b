//! Files that hold configuration, and files that are secrets by what they are, told by their names.

/// How configuration is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// TOML.
    Toml,
    /// Java's properties, as Flyway and Liquibase read them.
    Properties,
    /// Variables for a shell or for Docker: `NAME=value`.
    Variables,
    /// HCL, of Atlas.
    Hcl,
    /// YAML.
    Yaml,
    /// Sections with keys, of MySQL's clients.
    Sections,
    /// PostgreSQL's file of passwords.
    Passwords,
}

/// Endings of stores of keys: PKCS #12, Java's own, and Oracle's wallet.
const KEY_STORES: [&str; 5] = ["p12", "pfx", "jks", "keystore", "sso"];

/// Parts of names that say that such a file holds what is trusted, which is no secret.
const TRUSTED: [&str; 2] = ["trust", "cacerts"];

/// How a file is written; `None` for what is no configuration.
pub(super) fn syntax(path: &str) -> Option<Syntax> {
    let name = name(path);
    match name.as_str() {
        ".pgpass" | "pgpass" | "pgpass.conf" => return Some(Syntax::Passwords),
        ".my.cnf" | "my.cnf" | ".mylogin.cnf" => return Some(Syntax::Sections),
        ".env" => return Some(Syntax::Variables),
        _ => {}
    }
    if name.starts_with(".env.") {
        return Some(Syntax::Variables);
    }
    match name.rsplit_once('.')?.1 {
        "toml" => Some(Syntax::Toml),
        "conf" | "properties" => Some(Syntax::Properties),
        "env" => Some(Syntax::Variables),
        "hcl" => Some(Syntax::Hcl),
        "yml" | "yaml" => Some(Syntax::Yaml),
        "cnf" | "ini" => Some(Syntax::Sections),
        _ => None,
    }
}

/// Whether the name of a file says that it holds configuration or keys, so that secrets are looked for in it.
#[must_use]
pub fn is_configuration(path: &str) -> bool {
    syntax(path).is_some() || holds_keys(path)
}

/// Whether a file is a store of private keys, which nobody can look into.
pub(super) fn holds_keys(path: &str) -> bool {
    let name = name(path);
    let is_store = name
        .rsplit_once('.')
        .is_some_and(|(_, ending)| KEY_STORES.contains(&ending));
    is_store && !TRUSTED.iter().any(|word| name.contains(word))
}

fn name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.to_ascii_lowercase()
}
