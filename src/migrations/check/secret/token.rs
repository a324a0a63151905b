//! Keys and tokens that are known by how they look, whatever the name they stand under.
//!
//! Each form is that of its issuer: a fixed beginning, and so many characters of an alphabet. What is plainly an example (AWS's own end
//! with `EXAMPLE`) or made of few different characters is none.

/// How many different characters a random key of the shortest form has at the least; by chance alone fewer are next to impossible.
const LEAST_DIFFERENT: usize = 8;
/// Words within what only stands for a key.
const EXAMPLES: [&str; 4] = ["example", "xxxx", "your", "0000000"];
/// The longest header or payload of a token in JSON that is looked at.
const LONGEST_PART: usize = 3000;
/// How far before `PRIVATE KEY` its `-----BEGIN` stands: `-----BEGIN ENCRYPTED PRIVATE KEY` has 11 characters more.
const BEGIN_BEFORE: usize = 40;
/// The shortest signature of a token in JSON, in characters: half of HMAC-SHA-256's.
const LEAST_SIGNATURE: usize = 20;
/// The characters of an AWS secret access key.
const AWS_SECRET: usize = 40;
/// How far behind its name an AWS secret access key stands: `" => "` and the like.
const AWS_SECRET_WITHIN: usize = 12;

/// The characters that a token is made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alphabet {
    /// Capital letters and the digits 2 to 7.
    Base32,
    /// Letters and digits.
    Letters,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Small hexadecimal digits.
    Hexadecimal,
    /// Letters, digits, `+`, `/`.
    Base64,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Base32 => byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7'),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::Hexadecimal => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
        }
    }

    fn count(self, text: &[u8]) -> usize {
        text.iter().take_while(|byte| self.has(**byte)).count()
    }
}

/// What comes behind the beginning of a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// So many characters, and then another.
    Exactly(Alphabet, usize),
    /// So many characters or more.
    AtLeast(Alphabet, usize),
    /// `.payload.signature`, in base 64.
    Json,
    /// Two parts of 22 and 43 characters.
    SendGrid,
    /// `: "…"` and the like with 40 characters.
    AwsSecret,
    /// `-----` before and behind, and base 64 in the next line.
    Pem,
}

/// A kind of key or token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    /// What it begins with.
    pub(super) start: &'static str,
    /// What it is, in words.
    pub(super) what: &'static str,
    form: Form,
}

const fn pattern(start: &'static str, what: &'static str, form: Form) -> Pattern {
    Pattern { start, what, form }
}

use Alphabet::{Base32, Base64, Hexadecimal, Letters, Url};
use Form::{AtLeast, Exactly};

/// All of them.
pub(super) const PATTERNS: [Pattern; 28] = [
    pattern("AKIA", "an AWS access key", Exactly(Base32, 16)),
    pattern("ASIA", "an AWS access key", Exactly(Base32, 16)),
    pattern("ecret_access_key", "an AWS secret access key", Form::AwsSecret),
    pattern("ecretAccessKey", "an AWS secret access key", Form::AwsSecret),
    pattern("ECRET_ACCESS_KEY", "an AWS secret access key", Form::AwsSecret),
    pattern("PRIVATE KEY", "a private key", Form::Pem),
    pattern("eyJ", "a JSON Web Token", Form::Json),
    pattern("glpat-", "a GitLab token", AtLeast(Url, 20)),
    pattern("gldt-", "a GitLab token", AtLeast(Url, 20)),
    pattern("glptt-", "a GitLab token", AtLeast(Url, 20)),
    pattern("glrt-", "a GitLab token", AtLeast(Url, 20)),
    pattern("glcbt-", "a GitLab token", AtLeast(Url, 20)),
    pattern("ghp_", "a GitHub token", Exactly(Letters, 36)),
    pattern("gho_", "a GitHub token", Exactly(Letters, 36)),
    pattern("ghu_", "a GitHub token", Exactly(Letters, 36)),
    pattern("ghs_", "a GitHub token", Exactly(Letters, 36)),
    pattern("github_pat_", "a GitHub token", AtLeast(Url, 60)),
    pattern("xoxb-", "a Slack token", AtLeast(Url, 24)),
    pattern("xoxp-", "a Slack token", AtLeast(Url, 24)),
    pattern("hooks.slack.com/services/T", "a Slack webhook", AtLeast(Base64, 30)),
    pattern("sk_live_", "a Stripe key", AtLeast(Letters, 16)),
    pattern("rk_live_", "a Stripe key", AtLeast(Letters, 16)),
    pattern("AIza", "a Google API key", Exactly(Url, 35)),
    pattern("SG.", "a SendGrid key", Form::SendGrid),
    pattern("npm_", "an npm token", Exactly(Letters, 36)),
    pattern("dckr_pat_", "a Docker token", AtLeast(Url, 20)),
    pattern("hvs.", "a Vault token", AtLeast(Url, 24)),
    pattern("shpat_", "a Shopify token", Exactly(Hexadecimal, 32)),
];

impl Pattern {
    /// The end of the token that begins at `at` of a text, where the pattern's beginning stands already; `None` if it is none.
    pub(super) fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let start = at + self.start.len();
        let rest = text.get(start..)?;
        let is_inside_word = at > 0 && Url.has(text[at - 1]);
        match self.form {
            Form::Pem => return is_private_key(text, at).then_some(start),
            Form::AwsSecret => return Some(start + aws_secret(rest)?),
            // A slash may stand before it, or the end of the host's name.
            _ if self.start.contains('/') => {}
            _ if is_inside_word => return None,
            _ => {}
        }
        let count = match self.form {
            Exactly(alphabet, count) => {
                let is_exact = alphabet.count(rest) == count && rest.get(count).is_none_or(|next| !Url.has(*next));
                is_exact.then_some(count)?
            }
            AtLeast(alphabet, least) => Some(alphabet.count(rest)).filter(|count| *count >= least)?,
            Form::Json => json_web_token(rest)?,
            Form::SendGrid => {
                let first = Url.count(rest);
                let second = Url.count(rest.get(first + 1..)?);
                (first == 22 && rest[first] == b'.' && second == 43).then_some(first + 1 + second)?
            }
            Form::AwsSecret | Form::Pem => return None,
        };
        is_random(&rest[..count]).then_some(start + count)
    }
}

/// What the first key or token in a value is.
pub(super) fn first(value: &str) -> Option<&'static str> {
    let of = |pattern: &Pattern| {
        let mut places = value.match_indices(pattern.start);
        places.any(|(at, _)| pattern.end(value.as_bytes(), at).is_some())
    };
    PATTERNS.iter().find(|pattern| of(pattern)).map(|pattern| pattern.what)
}

/// The line of the first private key in a text, from one.
pub(super) fn private_key(text: &str) -> Option<u64> {
    let mut places = text.match_indices("PRIVATE KEY");
    let (at, _) = places.find(|(at, _)| is_private_key(text.as_bytes(), *at))?;
    Some(text[..at].matches('\n').count() as u64 + 1)
}

fn is_random(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in text {
        seen[usize::from(*byte)] = true;
    }
    let different = seen.iter().filter(|seen| **seen).count();
    let lower = text.to_ascii_lowercase();
    let is_example = |word: &&str| lower.windows(word.len()).any(|window| window == word.as_bytes());
    different >= LEAST_DIFFERENT && !EXAMPLES.iter().any(is_example)
}

/// The length of `header.payload.signature` without its first three characters.
fn json_web_token(rest: &[u8]) -> Option<usize> {
    let header = Url.count(&rest[..rest.len().min(LONGEST_PART)]);
    let payload = rest.get(header..)?.strip_prefix(b".eyJ")?;
    let payload = Url.count(&payload[..payload.len().min(LONGEST_PART)]);
    let signature = header + ".eyJ".len() + payload;
    let signed = Url.count(rest.get(signature..)?.strip_prefix(b".")?);
    (signed >= LEAST_SIGNATURE).then_some(signature + 1 + signed)
}

/// The length of what stands between a key's name and the end of an AWS secret access key.
fn aws_secret(rest: &[u8]) -> Option<usize> {
    let is_between = |byte: &&u8| matches!(**byte, b' ' | b'\t' | b'"' | b'\'' | b'=' | b':' | b'>' | b',' | b'(');
    let between = rest.iter().take(AWS_SECRET_WITHIN).take_while(is_between).count();
    let key = &rest[between..];
    let is_key = between > 0 && Base64.count(key) == AWS_SECRET && is_random(&key[..AWS_SECRET]);
    is_key.then_some(between + AWS_SECRET)
}

/// Whether the words `PRIVATE KEY` at a place begin a key in PEM, which goes on with base 64.
fn is_private_key(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(BEGIN_BEFORE)..at];
    let begins = before.windows(11).any(|window| window == b"-----BEGIN ");
    let rest = &text[at + "PRIVATE KEY".len()..];
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest);
    let Some(rest) = rest.strip_prefix(b"-----") else {
        return false;
    };
    // A line end may be written as `\n`, and headers may come before the key.
    let body = &rest[..rest.len().min(400)];
    let mut lines = body.split(|byte| matches!(byte, b'\n' | b'\r' | b'\\' | b'"' | b'\''));
    begins
        && lines.any(|line| {
            let line = line.strip_prefix(b"n").unwrap_or(line);
            Base64.count(line.trim_ascii()) >= 32 && is_random(line)
        })
}
