//! Docker's credential helpers: programs that keep credentials, asked through their standard input.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::{Credentials, CredentialsError, Secret};

/// How long a helper may take: the slow ones (Amazon's and Google's) try several network addresses in turn.
pub(super) const TIME_OUT: Duration = Duration::from_secs(30);

/// How much of a helper's output is read; a credential is a few kilobytes at most.
const OUTPUT_LIMIT_BYTES: u64 = 256 * 1024;

/// How much of a helper's complaint is shown, in characters: a line or three on a terminal.
const MESSAGE_LIMIT: usize = 300;

/// From this length on, a word of nothing but the letters of Base64 is taken for a token.
const TOKEN_LENGTH: usize = 24;

/// What a helper says, on standard output, about a registry it knows nothing of.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The user name that says the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// A helper's answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    secret: Secret,
}

/// The program of the helper called `name` in a configuration.
pub(super) fn program(name: &str) -> Result<String, CredentialsError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(CredentialsError::HelperName { name: name.to_owned() });
    }
    Ok(format!("docker-credential-{name}"))
}

/// Asks the helper `program`, which lies in `folder` or else on the search path, about `server`.
///
/// None means that the helper knows nothing of it.
pub(super) async fn ask(
    program: &str,
    folder: Option<&Path>,
    server: &str,
) -> Result<Option<Credentials>, CredentialsError> {
    let answer = tokio::time::timeout(TIME_OUT, run(program, folder, server)).await;
    let (success, stdout, stderr) = answer.map_err(|_elapsed| CredentialsError::HelperTimeOut {
        program: program.to_owned(),
        server: server.to_owned(),
    })??;
    if !success {
        let said = String::from_utf8_lossy(&stdout);
        if said.contains(NOT_FOUND) {
            return Ok(None);
        }
        return Err(CredentialsError::HelperFailed {
            program: program.to_owned(),
            server: server.to_owned(),
            message: complaint(&said, &String::from_utf8_lossy(&stderr)),
        });
    }
    let answer: Answer =
        serde_json::from_slice(&stdout).map_err(|_quotes_the_secret| CredentialsError::HelperAnswer {
            program: program.to_owned(),
            server: server.to_owned(),
        })?;
    Ok(match answer {
        // Some helpers answer so, and with success, for a registry they know nothing of.
        Answer { secret, .. } if secret.is_empty() => None,
        Answer { username, secret } if username == TOKEN_USER => Some(Credentials::IdentityToken { token: secret }),
        Answer { username, secret } => Some(Credentials::Basic {
            username,
            password: secret,
        }),
    })
}

async fn run(program: &str, folder: Option<&Path>, server: &str) -> Result<(bool, Vec<u8>, Vec<u8>), CredentialsError> {
    let failed = |source| CredentialsError::HelperStart {
        program: program.to_owned(),
        source,
    };
    let mut command = match folder {
        Some(folder) => Command::new(folder.join(program)),
        None => Command::new(program),
    };
    let mut child = command
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let asked = async {
        if let Some(mut stdin) = stdin {
            // A helper that does not read its input has its own reasons; its answer tells.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
    };
    let ((), stdout, stderr) = tokio::join!(asked, all_of(stdout), all_of(stderr));
    let status = child.wait().await.map_err(failed)?;
    Ok((status.success(), stdout, stderr))
}

async fn all_of(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What was read until an error is all there is to judge by.
        let _ = stream.take(OUTPUT_LIMIT_BYTES).read_to_end(&mut bytes).await;
    }
    bytes
}

/// What a helper that failed said, fit to be shown: its standard error, or its standard output where that is no answer.
fn complaint(stdout: &str, stderr: &str) -> String {
    let answer = stdout.trim_start().starts_with(['{', '[', '"']) || stdout.contains("Secret");
    let said = if !stderr.trim().is_empty() {
        stderr
    } else if !answer {
        stdout
    } else {
        ""
    };
    let words: Vec<String> = said.split_whitespace().map(shown).collect();
    let text = words.join(" ");
    if text.is_empty() {
        return "it said nothing".to_owned();
    }
    let mut short: String = text.chars().take(MESSAGE_LIMIT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// A word of a complaint, without what looks like a secret.
fn shown(word: &str) -> String {
    let word: String = word.chars().filter(|c| !c.is_control()).collect();
    if let Some((scheme, rest)) = word.split_once("://") {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let path = path.split('?').next().unwrap_or(path);
        return format!("{scheme}://{host}{path}");
    }
    let lower = word.to_lowercase();
    for sign in ["=", ":"] {
        let Some(at) = lower.find(sign) else { continue };
        if ["password", "secret", "token", "authorization"]
            .iter()
            .any(|key| lower[..at].contains(key))
            && at + 1 < lower.len()
        {
            return "***".to_owned();
        }
    }
    let longest = word
        .split(|c: char| !(c.is_ascii_alphanumeric() || "-_=+/".contains(c)))
        .map(str::len)
        .max();
    if longest.unwrap_or(0) >= TOKEN_LENGTH && word.bytes().any(|byte| byte.is_ascii_digit()) {
        return "***".to_owned();
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_program_are_refused() {
        assert_eq!(program("ecr-login").unwrap(), "docker-credential-ecr-login");
        for name in ["", "../x", "a/b", "a b", "x;y", "é"] {
            assert!(program(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn complaints_are_shortened_and_hold_no_secret() {
        for (stdout, stderr, expected) in [
            ("no such\n  item\u{7}", "", "no such item"),
            ("x", "boom", "boom"),
            ("{\"Secret\":\"hush\"}", "", "it said nothing"),
            ("Secret: hush", "", "it said nothing"),
            ("", " ", "it said nothing"),
            (
                "GET https://u:hush@host/v2/?token=hush failed",
                "",
                "GET https://host/v2/ failed",
            ),
            ("bad password=hush", "", "bad ***"),
            ("got eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x", "", "got ***"),
            ("missing token: try again", "", "missing token: try again"),
        ] {
            assert_eq!(complaint(stdout, stderr), expected);
        }
        assert_eq!(complaint(&"word ".repeat(1000), "").chars().count(), MESSAGE_LIMIT + 1);
    }
}
