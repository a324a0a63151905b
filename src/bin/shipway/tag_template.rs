//! Tags with words in braces: `{git.sha}`, `{migrations.version}`, `{env.NAME}`.

use shipway::oci::Tag;
use shipway::provenance::Provenance;

use crate::environment::Environment;
use crate::failure::CommandError;

/// Digits of `{git.short}`, as many as in GitLab's `CI_COMMIT_SHORT_SHA`.
const SHORT_COMMIT: usize = 8;

/// What the words stand for.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    pub(crate) project: &'a str,
    pub(crate) provenance: Option<&'a Provenance>,
    /// The highest version there is.
    pub(crate) highest_version: Option<&'a str>,
    /// First digits of the digest of the migrations.
    pub(crate) set_digest: &'a str,
    pub(crate) environment: &'a Environment,
    /// The time to take the date from, in seconds since the epoch.
    pub(crate) seconds: i64,
}

impl Words<'_> {
    /// Fills a template in.
    pub(crate) fn fill(&self, template: &str) -> Result<String, CommandError> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, after)) = after.split_once('}') else {
                return Err(CommandError::usage(format!("the tag {template:?} has a {{ without }}")));
            };
            text.push_str(before);
            let value = self.word(word).and_then(|value| check(word, value)).map_err(|error| {
                CommandError::usage(format!("the tag {template:?} cannot be filled in"))
                    .hints(error.hints.clone())
                    .because(error)
            })?;
            text.push_str(&value);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    fn word(&self, word: &str) -> Result<String, Unknown> {
        match word {
            "git.sha" => Ok(self.commit(word)?.id.clone()),
            "git.short" => Ok(self.commit(word)?.short(SHORT_COMMIT).to_owned()),
            "git.tag" => self
                .git(word)?
                .tag
                .clone()
                .ok_or_else(|| Unknown::new("the commit has no tag").hint("tag it, or pass another tag with -t")),
            "git.branch" => self.git(word)?.branch_slug().ok_or_else(|| {
                Unknown::new("git is on no branch").hint("check a branch out, or set CI_COMMIT_BRANCH to its name")
            }),
            "date" => jiff::Timestamp::from_second(self.seconds)
                .map(|time| time.strftime("%Y-%m-%d").to_string())
                .map_err(|_| Unknown::new("the date is out of range")),
            "project" => Ok(self.project.to_owned()),
            "migrations.version" => self
                .highest_version
                .map(str::to_owned)
                .ok_or_else(|| Unknown::new("no script has a version").hint("versioned scripts are named V1__what_it_does.sql")),
            "migrations.digest" => Ok(self.set_digest.to_owned()),
            other => match other.strip_prefix("env.") {
                Some(name) => self
                    .environment
                    .any(name)
                    .map(str::to_owned)
                    .ok_or_else(|| Unknown::new(format!("the environment variable {name} is not set"))),
                None => Err(Unknown::new(format!("{{{other}}} stands for nothing")).hint(
                    "these do: git.sha, git.short, git.tag, git.branch, date, project, migrations.version, migrations.digest, env.NAME",
                )),
            },
        }
    }

    fn git(&self, word: &str) -> Result<&Provenance, Unknown> {
        self.provenance.ok_or_else(|| {
            Unknown::new(format!("{{{word}}} needs git, and there is no repository here"))
                .hint("run inside a clone, or pass another tag with -t")
        })
    }

    fn commit(&self, word: &str) -> Result<&shipway::provenance::Commit, Unknown> {
        self.git(word)?.commit.as_ref().ok_or_else(|| {
            Unknown::new("the git repository has no commit yet").hint("commit, or pass another tag with -t")
        })
    }
}

/// What a word stands for must not change what the rest of the name means: a branch or tag of git may hold slashes.
/// Variables may hold a whole name.
fn check(word: &str, value: String) -> Result<String, Unknown> {
    if word.starts_with("env.") {
        return Ok(value);
    }
    match format!("x{value}").parse::<Tag>() {
        Ok(_) => Ok(value),
        Err(_) => Err(
            Unknown::new(format!("{{{word}}} is {value:?} here, which cannot be part of a tag"))
                .hint("a tag is made of letters, digits, '_', '.' and '-'; pass another one with -t"),
        ),
    }
}

/// A word nothing is known for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Unknown {
    message: String,
    hints: Vec<String>,
}

impl Unknown {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
        }
    }

    fn hint(mut self, hint: &str) -> Self {
        self.hints.push(hint.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use shipway::provenance::Commit;

    use super::*;

    fn fill(template: &str, provenance: Option<&Provenance>) -> Result<String, CommandError> {
        let environment = Environment::of(&[("STAGE", "prod")]);
        Words {
            project: "orders",
            provenance,
            highest_version: Some("1.10"),
            set_digest: "0123456789ab",
            environment: &environment,
            seconds: 86_400,
        }
        .fill(template)
    }

    #[test]
    fn words_are_filled_in() {
        let provenance = Provenance {
            commit: Some(Commit {
                id: "0123456789012345678901234567890123456789".to_owned(),
                seconds: 0,
            }),
            branch: Some("feature/Add Users".to_owned()),
            tag: Some("release/1.0".to_owned()),
            source: None,
            name: None,
        };
        assert!(
            fill("a.b/c:{git.tag}", Some(&provenance)).is_err(),
            "a slash would name a repository"
        );
        let fill = |template| fill(template, Some(&provenance)).expect(template);
        assert_eq!(fill("a.b/c:{git.short}-x"), "a.b/c:01234567-x");
        assert_eq!(fill("{git.branch}"), "feature-add-users");
        assert_eq!(
            fill("{project}-{migrations.version}-{migrations.digest}"),
            "orders-1.10-0123456789ab"
        );
        assert_eq!(fill("{env.STAGE}-{date}"), "prod-1970-01-02");
        assert_eq!(fill("plain"), "plain");
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        for template in ["{git.sha}", "{git.tag}", "{x}", "{", "{env.NONE}", "{}"] {
            assert!(fill(template, None).is_err(), "{template}");
        }
    }
}
