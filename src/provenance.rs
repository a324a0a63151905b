//! What git knows about a folder: the commit, its time, the names it has and where its source is.
//!
//! Read through a library, never the git command (the job image has none), from the repository's own files alone: no
//! environment variable and no configuration of the user or the machine counts. Nothing is executed and nothing is
//! written, so a repository that belongs to another user is read like any other.

use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice as _;

mod revision;
pub mod slug;
pub mod source;
mod tag;

pub use revision::Revision;

/// What git knows about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The commit that is checked out; none in a repository that has no commit yet.
    pub commit: Option<Commit>,
    /// The branch that is checked out, or the one the build was started for where none is.
    pub branch: Option<String>,
    /// A tag of the commit: the one the build was started for, or the highest.
    pub tag: Option<String>,
    /// Where the source can be seen: an `https` URL without user, password, token and `.git`.
    pub source: Option<String>,
    /// A name for what lies in the folder, the same in every clone: the folder's own, or for the repository's root the
    /// last part of the remote's URL.
    pub name: Option<String>,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The full id, in hexadecimal digits.
    pub id: String,
    /// When it was committed, in seconds after the epoch.
    pub seconds: i64,
}

/// The names a build was started for, as the CI service tells them: it checks out a commit, not a branch or a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CiNames {
    /// The branch.
    pub branch: Option<String>,
    /// The tag.
    pub tag: Option<String>,
}

/// Why a repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// The folder could not be searched for a repository.
    #[error("cannot look for a git repository around {}", folder.display())]
    Discover {
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A repository is there and could not be read.
    #[error("cannot read the git repository {}", repository.display())]
    Read {
        /// The repository.
        repository: PathBuf,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ProvenanceError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Discover { .. } => Vec::new(),
            Self::Read { .. } => {
                vec!["`git status` and `git fsck` tell whether the repository is whole".to_owned()]
            }
        }
    }
}

impl Commit {
    /// The first `digits` digits of the id.
    #[must_use]
    pub fn short(&self, digits: usize) -> &str {
        &self.id[..digits.min(self.id.len())]
    }
}

impl Provenance {
    /// Reads the repository `folder` lies in; none if it lies in none.
    ///
    /// Names of `fallback` count only where no branch is checked out, as in a CI job.
    ///
    /// # Errors
    /// The folder does not exist, or the repository is damaged or of a kind not supported.
    pub fn read(folder: &Path, fallback: &CiNames) -> Result<Option<Self>, ProvenanceError> {
        let Some(path) = discover(folder)? else {
            return Ok(None);
        };
        match open(&path).and_then(|repository| Self::of(&repository, fallback)) {
            Ok(provenance) => {
                let name = provenance
                    .name
                    .filter(|_| is_same(folder, &path))
                    .or_else(|| folder_name(folder, &path));
                Ok(Some(Self { name, ..provenance }))
            }
            Err(error) => Err(ProvenanceError::Read {
                repository: path,
                source: told(&error).into(),
            }),
        }
    }

    /// The branch as GitLab's `CI_COMMIT_REF_SLUG` would spell it, fit for a tag.
    #[must_use]
    pub fn branch_slug(&self) -> Option<String> {
        self.branch.as_deref().map(slug::slug)
    }

    fn of(repository: &gix::Repository, fallback: &CiNames) -> gix::Result<Self> {
        let mut head = repository.head()?;
        let branch = head
            .referent_name()
            .map(|name| name.shorten().to_str_lossy().into_owned());
        let id = head.try_peel_to_id()?;
        let commit = match id {
            None => None,
            Some(id) => Some(Commit {
                id: id.to_string(),
                seconds: repository.find_commit(id)?.time()?.seconds,
            }),
        };
        let started_for = |name: &Option<String>| {
            let usable = branch.is_none() && commit.is_some();
            name.clone().filter(|name| usable && !name.is_empty())
        };
        let tag = match (started_for(&fallback.tag), id) {
            (Some(tag), _) => Some(tag),
            (None, Some(id)) => tag_of(repository, id.detach())?,
            (None, None) => None,
        };
        Ok(Self {
            tag,
            source: remote_of(repository).and_then(|url| source::https(&url)),
            name: remote_of(repository).and_then(|url| source::name(&url)),
            branch: started_for(&fallback.branch).or(branch),
            commit,
        })
    }
}

/// What the library says, on one line, without the messages that only name a class of errors.
///
/// It quotes, between apostrophes, the line of a configuration it cannot parse, which may hold a token: the quotation is
/// left out, and so is any word with an `@`.
fn told(error: &gix::Error) -> String {
    let mut lines = Vec::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        let message = error.to_string();
        let message = message.split(": '").next().unwrap_or_default();
        let shown = |word| {
            if str::contains(word, '@') { "***" } else { word }
        };
        let words: Vec<&str> = message.split_whitespace().map(shown).collect();
        if words.len() > 1 {
            lines.push(words.join(" "));
        }
        next = error.source();
    }
    lines.join(": ")
}

fn discover(folder: &Path) -> Result<Option<PathBuf>, ProvenanceError> {
    use gix::discover::upwards::{Error, Options, TrustPolicy};
    let options = Options {
        // What is read is shown, never executed or followed, so it does not matter who owns it. CI services check out
        // as one user and build as another.
        trust: TrustPolicy::Assume(gix::sec::Trust::Full),
        ..Options::default()
    };
    match gix::discover::upwards_opts(folder, options) {
        Ok((path, _)) => {
            let (git, worktree) = path.into_repository_and_work_tree_directories();
            Ok(Some(worktree.unwrap_or(git)))
        }
        Err(error) if error.downcast_any_ref::<Error>().is_some() => Ok(None),
        Err(error) => Err(ProvenanceError::Discover {
            folder: folder.to_owned(),
            source: told(&error).into(),
        }),
    }
}

fn open(path: &Path) -> gix::Result<gix::Repository> {
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
    Ok(gix::ThreadSafeRepository::open_opts(path, options)?.to_thread_local())
}

/// The highest of the tags that name `commit`, annotated ones included.
fn tag_of(repository: &gix::Repository, commit: gix::ObjectId) -> gix::Result<Option<String>> {
    let references = repository.references()?;
    let mut names = Vec::new();
    for reference in references.tags()?.peeled()? {
        // A tag whose object is missing, as in a shallow clone, is not a tag of a commit that is here.
        if let Ok(reference) = reference
            && reference.try_id().is_some_and(|id| id.detach() == commit)
        {
            names.push(reference.name().shorten().to_str_lossy().into_owned());
        }
    }
    Ok(tag::highest(names))
}

/// Whether two names stand for one folder.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// The name of a folder below the root of its repository. That of the root is whatever the clone was called.
fn folder_name(folder: &Path, root: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    if is_same(&folder, root) {
        return None;
    }
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

/// The URL of `origin`, else of the only remote there is. It may hold a token.
fn remote_of(repository: &gix::Repository) -> Option<String> {
    let names = repository.remote_names();
    let name = match names.iter().find(|name| name.as_bstr() == "origin") {
        Some(origin) => origin,
        None if names.len() == 1 => names.first()?,
        None => return None,
    };
    // The text of the file, not the library's remote: that would apply `insteadOf`, which may bring a token in. Where a
    // remote has several URLs, git fetches from the first.
    let urls = repository
        .config_snapshot()
        .plumbing()
        .strings(&format!("remote.{}.url", name.to_str_lossy()))?;
    Some(urls.first()?.to_str_lossy().into_owned())
}

#[cfg(test)]
mod tests;
