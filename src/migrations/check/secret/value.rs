//! Values that are secrets, and values that only stand for one.

/// Names of the parameters in which an address holds a password.
const PARAMETERS: [&str; 7] = [
    "password",
    "pwd",
    "passwd",
    "sslpassword",
    "accesstoken",
    "truststorepassword",
    "keystorepassword",
];

/// Whether a value is the thing itself: neither empty, nor a reference, nor a word for what is to be put there.
pub(super) fn is_literal(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']).trim();
    let is_masked = value.chars().all(|character| character == '*');
    !is_masked && !is_reference(value) && !is_enclosed(value, "<", ">")
}

/// Whether a value says yes or no, which is no secret.
pub(super) fn is_switch(value: &str) -> bool {
    matches!(
        value.to_lowercase().as_str(),
        "true" | "false" | "yes" | "no" | "on" | "off"
    )
}

/// Whether a value is exactly a reference: `${NAME}`, `$NAME`, `%NAME%`, `{{ name }}`, `@name@`.
fn is_reference(value: &str) -> bool {
    let is_name = |name: &str| {
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(is_part)
    };
    let in_percent = |value: &str| Some(is_name(value.strip_prefix('%')?.strip_suffix('%')?));
    // With a default behind the name it holds that default.
    is_enclosed(value, "${", "}") && !value.contains(":-")
        || value.strip_prefix('$').is_some_and(is_name)
        || is_enclosed(value, "{{", "}}")
        || is_enclosed(value, "#{", "}")
        || is_enclosed(value, "@", "@")
        // Jasypt, and who learned from it: the key is elsewhere.
        || is_enclosed(value, "ENC(", ")")
        || in_percent(value).unwrap_or_default()
}

/// Whether a value is one pair of brackets with something in it.
fn is_enclosed(value: &str, open: &str, close: &str) -> bool {
    let inside = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    inside.is_some_and(|inside| !inside.is_empty() && !inside.contains(open) && !inside.contains(close))
}

/// Whether an address holds a password: before its host, or as a parameter.
pub(super) fn has_password(value: &str) -> bool {
    // Blanks do not stand in addresses, and a text may hold several.
    value.split_whitespace().any(|address| {
        let is_address = address.contains("://") || address.to_ascii_lowercase().starts_with("jdbc:");
        is_address && (in_authority(address) || in_parameters(address) || in_oracle(address))
            || !is_address && before_protocol(address)
    }) || in_words(value)
}

/// `user:password@tcp(host)/database`, as MySQL's driver for Go writes it.
fn before_protocol(address: &str) -> bool {
    let at = ["@tcp(", "@unix(", "@/"].iter().find_map(|mark| address.find(mark));
    let user = at.map(|at| &address[..at]);
    user.and_then(|user| user.split_once(':'))
        .is_some_and(|(user, password)| !user.is_empty() && is_literal(password))
}

/// `host=… user=… password=…`, as PostgreSQL's library takes it.
fn in_words(value: &str) -> bool {
    if !value.contains("password=") {
        return false;
    }
    let words = || value.split_whitespace().filter_map(|word| word.split_once('='));
    let is_server = |name: &str| matches!(name, "host" | "hostaddr" | "dbname" | "user" | "service" | "sslmode");
    words().any(|(name, _)| is_server(name))
        && words().any(|(name, value)| name == "password" && is_literal(value.trim_end_matches(';')))
}

/// `//user:password@host`, of every address in a list of them.
fn in_authority(address: &str) -> bool {
    address.split("//").skip(1).any(|rest| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':'))
            .is_some_and(|(_, password)| is_literal(password))
    })
}

/// `?password=…`, `&password=…`, `;password=…`.
fn in_parameters(address: &str) -> bool {
    let parameters = address.split(['?', '&', ';']).skip(1);
    parameters
        .filter_map(|parameter| parameter.split_once('='))
        .any(|(name, value)| {
            let name = name.to_ascii_lowercase().replace(['_', '-'], "");
            PARAMETERS.contains(&name.as_str()) && is_literal(value)
        })
}

/// `jdbc:oracle:thin:user/password@host`.
fn in_oracle(address: &str) -> bool {
    let Some((_, rest)) = address.split_once(":thin:") else {
        return false;
    };
    let user = rest.split_once('@').map(|(user, _)| user);
    user.and_then(|user| user.split_once('/'))
        .is_some_and(|(_, password)| is_literal(password))
}

/// Whether SQL sets a password that is written out.
pub(super) fn sets_password(sql: &str) -> bool {
    let upper = sql.to_ascii_uppercase();
    ["PASSWORD", "IDENTIFIED BY"].iter().any(|word| {
        upper.match_indices(word).any(|(at, _)| {
            let mut quoted = sql[at + word.len()..].split('\'');
            let is_next = |before: &str| before.trim_matches([' ', '=', '(']).is_empty();
            quoted.next().is_some_and(is_next) && quoted.next().is_some_and(is_literal)
        })
    })
}
