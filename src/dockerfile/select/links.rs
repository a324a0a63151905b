//! Symbolic links, followed within a tree that has no outside.

use crate::recipe::{ImagePath, PathError};

/// Links followed on the way of one path at most, as many as Linux follows.
const MOST: usize = 40;
/// Longest path that following links may lead to; Linux opens none that is longer.
const LONGEST: usize = 4096;

/// A path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Links lead in a circle, or through so many others that no kernel would follow them.
    #[error("{0:?} leads through more than {MOST} links, or in a circle")]
    TooMany(String),
    /// A name on the way is none.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// Where a path leads. `..` at the root stays at the root, and a link that begins with `/` begins at the root of the
/// tree, so that nothing leads out of it. What is not there is not followed any further.
///
/// `link` tells the target of what lies at a path; `None` if that is no link. The last component is followed only
/// `to_the_end`.
///
/// # Errors
/// When `link` fails, or links lead nowhere.
pub(crate) fn follow<E: From<LinkError>>(
    path: &str,
    to_the_end: bool,
    mut link: impl FnMut(&ImagePath) -> Result<Option<String>, E>,
) -> Result<ImagePath, E> {
    // In reverse: the last is what comes next.
    let mut left: Vec<String> = parts(path);
    let mut here = ImagePath::default();
    let mut followed = 0;
    while let Some(part) = left.pop() {
        if part == ".." {
            here = here.parent().unwrap_or_default();
            continue;
        }
        let next = here.join(&part).map_err(LinkError::Path)?;
        let target = if left.is_empty() && !to_the_end {
            None
        } else {
            link(&next)?
        };
        let Some(target) = target else {
            here = next;
            continue;
        };
        followed += 1;
        let length = target.len() + left.iter().map(|part| part.len() + 1).sum::<usize>();
        if followed > MOST || length > LONGEST {
            return Err(LinkError::TooMany(path.to_owned()).into());
        }
        if target.starts_with('/') {
            here = ImagePath::default();
        }
        left.extend(parts(&target));
    }
    Ok(here)
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.rsplit('/').filter(|part| !matches!(*part, "" | "."));
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn nothing_leads_out_of_the_tree() {
        let links = BTreeMap::from([
            ("a", "/b/c"),
            ("up", "../../../x"),
            ("b/c/d", "../e"),
            ("one", "two"),
            ("two", "one"),
            ("dot", "."),
        ]);
        let look = |path: &ImagePath| Ok::<_, LinkError>(links.get(path.relative()).map(|to| (*to).to_owned()));
        for (path, expected) in [
            ("a", "b/c"),
            ("a/d/f", "b/e/f"),
            ("up/y", "x/y"),
            ("../../q", "q"),
            ("dot/dot/z", "z"),
            ("", ""),
            ("missing/../b", "b"),
        ] {
            assert_eq!(follow(path, true, look).expect(path).relative(), expected, "{path}");
        }
        assert_eq!(follow("a/d", false, look).expect("last").relative(), "b/c/d");
        assert!(matches!(follow("one", true, look), Err(LinkError::TooMany(_))));
        assert!(matches!(follow("a/.wh.x", true, look), Err(LinkError::Path(_))));
        let growing = |_: &ImagePath| Ok::<_, LinkError>(Some("x/".repeat(2000)));
        assert!(matches!(follow("x", true, growing), Err(LinkError::TooMany(_))));
    }
}
