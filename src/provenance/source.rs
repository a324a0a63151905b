//! Where the source of a clone can be seen, from the URL it was cloned from.

/// Turns the URL of a remote into one for people: `https`, without user, password, token and `.git`.
///
/// A port is kept only if it is one of `https`. A path on disk, and what is no URL of a host, is none.
#[must_use]
pub fn https(remote: &str) -> Option<String> {
    let remote = remote.trim();
    if remote.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (host, port, path) = match remote.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/')?;
            if path.contains('@') && !authority.contains('@') {
                // Perhaps a password with a slash in it: nothing of it may be shown.
                return None;
            }
            // What follows the last `@` is the host: a password may hold one itself.
            let (host, port) = split_port(authority.rsplit('@').next()?)?;
            let port = match scheme.to_ascii_lowercase().as_str() {
                "https" => port.filter(|port| *port != "443"),
                "http" | "ssh" | "git" | "git+ssh" | "ssh+git" => None,
                _ => return None,
            };
            (host, port, path)
        }
        None => short_form(remote)?,
    };
    let path = path.split(['?', '#']).next()?.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    if host.is_empty() || path.is_empty() {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("https://{host}{port}/{path}"))
}

/// Reads `user@host:path`, the form of `scp`.
fn short_form(remote: &str) -> Option<(&str, Option<&str>, &str)> {
    let start = remote.find('@').map_or(0, |at| at + 1);
    let rest = remote.get(start..)?;
    let (host, path) = if rest.starts_with('[') {
        let end = rest.find("]:")?;
        (&rest[..=end], &rest[end + 2..])
    } else {
        rest.split_once(':')?
    };
    // A slash before the colon makes it a path, and one letter before it a drive.
    if host.contains('/') || path.starts_with(':') || (start == 0 && host.len() == 1) {
        return None;
    }
    Some((host, None, path))
}

fn split_port(host: &str) -> Option<(&str, Option<&str>)> {
    let after_address = host.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = host[after_address..].find(':') else {
        return Some((host, None));
    };
    let (host, port) = (&host[..after_address + colon], &host[after_address + colon + 1..]);
    if port.is_empty() {
        return Some((host, None));
    }
    port.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some((host, Some(port)))
}

/// The last part of a remote's URL or path, without `.git`: the repository's name.
#[must_use]
pub fn name(url: &str) -> Option<String> {
    let path = url.trim_end_matches(['/', '.']);
    let last = path.rsplit(['/', ':', '@']).next()?;
    let name = last.strip_suffix(".git").unwrap_or(last);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_a_host() {
        for (remote, expected) in [
            ("git@gitlab.com:group/proj.git", "https://gitlab.com/group/proj"),
            (
                "git@gitlab.com:/group/sub/proj.git/",
                "https://gitlab.com/group/sub/proj",
            ),
            ("gitlab.com:group/proj", "https://gitlab.com/group/proj"),
            ("git@[::1]:group/proj.git", "https://[::1]/group/proj"),
            ("ssh://git@host:22/group/proj.git", "https://host/group/proj"),
            ("ssh://git@host:2222/group/proj", "https://host/group/proj"),
            ("git://host/group/proj.git", "https://host/group/proj"),
            ("http://host:8080/group/proj.git", "https://host/group/proj"),
            ("https://host/group/proj.git", "https://host/group/proj"),
            ("https://HOST:443/Group/proj.git", "https://host/Group/proj"),
            ("https://host:8443/group/proj.git", "https://host:8443/group/proj"),
            ("https://[::1]:8443/group/proj.git", "https://[::1]:8443/group/proj"),
            (
                "https://gitlab-ci-token:glcbt-64_x@gitlab.com/group/proj.git",
                "https://gitlab.com/group/proj",
            ),
            ("https://user:p@ss@host/group/proj.git", "https://host/group/proj"),
            (
                "https://ghp_token@github.com/group/proj",
                "https://github.com/group/proj",
            ),
            (
                "https://host/group/proj.git?private_token=x#y",
                "https://host/group/proj",
            ),
        ] {
            assert_eq!(https(remote).as_deref(), Some(expected), "{remote}");
        }
    }

    #[test]
    fn what_is_no_host() {
        for remote in [
            "",
            "/srv/git/proj.git",
            "../proj",
            "./a:b",
            "C:\\src\\proj",
            "c:/proj",
            "file:///srv/proj.git",
            "proj",
            "https://host",
            "https://host/",
            "https:///x",
            "https://host:port/x",
            "https://user:pa/ss@host/x",
            "https://user:12/ss@host/x",
            "a b:c",
            "[::1",
            "ext::sh",
            "ext::sh -c x",
            "codecommit::eu-west-1://proj",
        ] {
            assert_eq!(https(remote), None, "{remote}");
        }
    }

    #[test]
    fn a_repository_is_named_by_the_last_part() {
        for url in [
            "https://user:token@a.b/group/orders.git",
            "git@a.b:orders.git",
            "ssh://git@a.b:22/group/orders/",
            "/srv/git/orders",
            "/srv/git/orders/.",
        ] {
            assert_eq!(name(url).as_deref(), Some("orders"), "{url}");
        }
        assert_eq!(name(""), None);
    }
}
