//! The `WWW-Authenticate` header (RFC 9110, section 11.6.1).

/// One challenge a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    /// The scheme in lower case, such as `basic` or `bearer`.
    pub scheme: String,
    /// Its parameters, names in lower case.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Reads all challenges of a header value. What cannot be read is left out: a server that offers something unheard
    /// of beside `Basic` still offers `Basic`.
    #[must_use]
    pub(super) fn parse_all(header: &str) -> Vec<Self> {
        let mut challenges: Vec<Self> = Vec::new();
        for item in split_outside_quotes(header) {
            let item = item.trim();
            if item.is_empty() {
                continue;
            }
            let (scheme, parameter) = match item.split_once(' ') {
                Some((word, rest)) if !word.contains('=') => (Some(word), rest.trim()),
                None if !item.contains('=') => (Some(item), ""),
                _ => (None, item),
            };
            if let Some(scheme) = scheme {
                challenges.push(Self {
                    scheme: scheme.to_ascii_lowercase(),
                    parameters: Vec::new(),
                });
            }
            if let (Some(challenge), Some((name, value))) = (challenges.last_mut(), parameter.split_once('=')) {
                challenge
                    .parameters
                    .push((name.trim().to_ascii_lowercase(), unquote(value.trim())));
            }
        }
        challenges
    }

    /// The value of a parameter.
    #[must_use]
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unquote(value: &str) -> String {
    let Some(inner) = value
        .strip_prefix('"')
        .map(|rest| rest.strip_suffix('"').unwrap_or(rest))
    else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_send() {
        let docker = Challenge::parse_all(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(docker.len(), 1);
        assert_eq!(docker[0].scheme, "bearer");
        assert_eq!(docker[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(docker[0].parameter("scope"), Some("repository:a/b:pull,push"));
        let ecr = Challenge::parse_all(
            r#"Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#,
        );
        assert_eq!(ecr[0].scheme, "basic");
    }

    #[test]
    fn several_challenges_stay_apart() {
        let challenges = Challenge::parse_all(r#"Negotiate, BASIC realm="a, \"b\"", Bearer realm=https://x/"#);
        let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["negotiate", "basic", "bearer"]);
        assert_eq!(challenges[1].parameter("realm"), Some("a, \"b\""));
        assert_eq!(challenges[2].parameter("realm"), Some("https://x/"));
    }

    #[test]
    fn rubbish_is_no_panic() {
        for text in ["", ",", "=", "\"", "Bearer", "Bearer realm", "Bearer realm=\"", "ü=\\"] {
            let _ = Challenge::parse_all(text);
        }
    }
}
