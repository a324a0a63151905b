//! Which files of a tree `COPY` and `ADD` mean.

use super::error::Problem;
use super::ignore::{Rules, cleaned};
use super::pattern::{Pattern, PatternError, has_wildcards};
use super::tree::FileTree;
use crate::recipe::{Entry, FileContent, ImagePath};
use links::{LinkError, follow};
use walk::Walk;

mod hard_links;
pub(super) mod links;
mod near;
mod walk;

/// How sources are understood.
#[derive(Debug, Clone, Copy, Default)]
pub struct SelectOptions<'a> {
    /// `--parents`: what is copied keeps its path, from the root or from `/./` on.
    pub parents: bool,
    /// `--exclude`, relative to each source; a source that is a file goes by its name.
    pub exclude: Option<&'a Rules>,
}

/// A file or directory that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The source it belongs to, links not followed: its name is what a copied file is called. With `--parents` it is
    /// the directory that the paths are kept from.
    pub source: ImagePath,
    /// Its path below the source; empty for the source itself.
    pub relative: String,
    /// What it is. Its path is the one in the tree it comes from, links followed.
    ///
    /// A [`HardLink`](FileContent::HardLink) names the path in the tree of a file that was picked before it by the same
    /// call.
    pub entry: Entry,
}

/// A source that cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// Nothing is there.
    #[error("{source_text:?} is not there{}", left_out(left_out_by.as_deref()))]
    Missing {
        /// The source, as written.
        source_text: String,
        /// The rules by which it is left out, if it is.
        left_out_by: Option<String>,
        /// What is there and has almost that name.
        nearest: Option<String>,
    },
    /// It is a link, or lies behind one, to what is not there.
    #[error("{source_text:?} leads to {to:?}, which is not there{}", left_out(left_out_by.as_deref()))]
    Dangling {
        /// The source, as written.
        source_text: String,
        /// Where it leads.
        to: String,
        /// The rules by which that is left out, if it is.
        left_out_by: Option<String>,
    },
    /// Nothing fits it. For callers that do not accept a source that selects nothing.
    #[error("no file fits the pattern {source_text:?}")]
    Nothing {
        /// The source, as written.
        source_text: String,
    },
    /// It is no pattern.
    #[error("{source_text:?} is no path and no pattern of paths")]
    Pattern {
        /// The source, as written.
        source_text: String,
        /// Why.
        #[source]
        reason: PatternError,
    },
    /// It leads nowhere.
    #[error("{0:?} leads through too many links, or in a circle")]
    Links(String),
}

fn left_out(by: Option<&str>) -> String {
    by.map(|name| format!(": {name} leaves it out")).unwrap_or_default()
}

impl SelectError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing {
                left_out_by: Some(rules),
                source_text,
                ..
            } => vec![format!(
                "take it in again with the line !{source_text} at the end of {rules}"
            )],
            Self::Missing {
                nearest: Some(nearest), ..
            } => vec![format!("did you mean {nearest}?")],
            Self::Missing { .. } => {
                vec![
                    "paths begin at the root of what is copied from, which is the context unless --from says otherwise"
                        .to_owned(),
                ]
            }
            Self::Pattern { .. } => vec!["a bracket that is meant as such is written [[]".to_owned()],
            Self::Dangling { .. } | Self::Nothing { .. } | Self::Links(_) => Vec::new(),
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::TooMany(path) => SelectError::Links(path).into(),
            LinkError::Path(error) => error.into(),
        }
    }
}

/// Finds what a source means; sorted by path, each directory before what is in it.
///
/// A pattern that nothing fits selects nothing, which is no error: so it is with `BuildKit`, and images are built that
/// way from files that may be there or not.
///
/// # Errors
/// When a path without wildcards is not there, or something that it selects cannot be in an image.
pub fn select(tree: &dyn FileTree, source: &str, options: SelectOptions<'_>) -> Result<Vec<Picked>, Problem> {
    let search = Search { tree, source };
    let mut walk = Walk::new(tree, options.exclude);
    if options.parents {
        let (pivot, kept) = source.split_once("/./").unwrap_or(("", source));
        let kept = cleaned(&format!("/{kept}"));
        let kept = kept.trim_start_matches('/');
        let pattern = Pattern::of_rule(kept).map_err(|reason| search.no_pattern(reason))?;
        for pivot in search.roots(pivot)? {
            let entry = search.found(&pivot)?;
            if entry.is_directory() {
                walk.include(&pivot, entry, (!kept.is_empty()).then_some(&pattern))?;
            }
        }
        if !walk.has_found() && !has_wildcards(source) {
            let path = ImagePath::default().join(&cleaned(&format!("/{source}")))?;
            return Err(search.missing(&path).into());
        }
    } else {
        for root in search.roots(source)? {
            let entry = search.found(&root)?;
            walk.include(&root, entry, None)?;
        }
    }
    hard_links::settled(tree, walk.finish())
}

/// The search for a source.
struct Search<'a> {
    tree: &'a dyn FileTree,
    /// As written.
    source: &'a str,
}

impl Search<'_> {
    /// The paths that a text means, links not followed but on the way to the first wildcard.
    fn roots(&self, text: &str) -> Result<Vec<ImagePath>, Problem> {
        let text = cleaned(&format!("/{text}"));
        let text = text.trim_start_matches('/');
        let parts: Vec<&str> = text.split('/').collect();
        let Some(first) = parts.iter().position(|part| has_wildcards(part)) else {
            return Ok(vec![ImagePath::default().join(text)?]);
        };
        let pattern = parts[first..].join("/");
        let pattern = Pattern::of_source(&pattern).map_err(|reason| self.no_pattern(reason))?;
        let base = self.found(&ImagePath::default().join(&parts[..first].join("/"))?)?;
        let mut roots = Vec::new();
        // The last is what comes next, so that all come in the order of their paths.
        let mut left = vec![(String::new(), base)];
        while let Some((relative, directory)) = left.pop() {
            if !relative.is_empty() && pattern.matches(&relative) {
                roots.push(directory.path);
                continue;
            }
            if !directory.is_directory() || !(relative.is_empty() || pattern.may_match_below(&relative)) {
                continue;
            }
            let mut below = Vec::new();
            for listed in self.tree.list(&directory.path)? {
                let relative = match relative.as_str() {
                    "" => listed.name,
                    directory => format!("{directory}/{}", listed.name),
                };
                match listed.entry {
                    Ok(entry) => below.push((relative, entry)),
                    Err(problem) if pattern.matches(&relative) => return Err(problem),
                    Err(_) => {}
                }
            }
            left.extend(below.into_iter().rev());
        }
        Ok(roots)
    }

    /// What lies where a path leads.
    fn found(&self, path: &ImagePath) -> Result<Entry, Problem> {
        let real = follow::<Problem>(path.relative(), true, |path| {
            Ok(self.tree.get(path)?.and_then(|entry| match entry.content {
                FileContent::Link { to, .. } => Some(to),
                _ => None,
            }))
        })?;
        if let Some(entry) = self.tree.get(&real)? {
            return Ok(entry);
        }
        if real == *path {
            return Err(self.missing(path).into());
        }
        Err(SelectError::Dangling {
            source_text: self.source.to_owned(),
            to: real.relative().to_owned(),
            left_out_by: self.left_out_by(&real),
        }
        .into())
    }

    fn missing(&self, path: &ImagePath) -> SelectError {
        let left_out_by = self.left_out_by(path);
        SelectError::Missing {
            source_text: self.source.to_owned(),
            nearest: near::nearest(self.tree, path).filter(|_| left_out_by.is_none()),
            left_out_by,
        }
    }

    fn left_out_by(&self, path: &ImagePath) -> Option<String> {
        self.tree.left_out_by(path)
    }

    fn no_pattern(&self, reason: PatternError) -> SelectError {
        SelectError::Pattern {
            source_text: self.source.to_owned(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
