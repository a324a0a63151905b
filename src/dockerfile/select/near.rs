//! What the user may have meant.

use crate::dockerfile::tree::FileTree;
use crate::recipe::ImagePath;

/// How alike two names must be.
const ALIKE: f64 = 0.6;

/// The path of something in the tree that is called almost like the first part of `path` that is not there.
pub(super) fn nearest(tree: &dyn FileTree, path: &ImagePath) -> Option<String> {
    let mut missing = path.clone();
    let directory = loop {
        let parent = missing.parent()?;
        if matches!(tree.get(&parent), Ok(Some(_))) {
            break parent;
        }
        missing = parent;
    };
    let name = missing.name();
    let listed = tree.list(&directory).ok()?;
    let scored = listed.iter().map(|listed| {
        let is_same_but_for_case = listed.name.eq_ignore_ascii_case(name);
        let alike = if is_same_but_for_case {
            1.0
        } else {
            strsim::normalized_damerau_levenshtein(&listed.name, name)
        };
        (alike, &listed.name)
    });
    let (alike, best) = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    let found = directory.join(best).ok()?;
    (alike >= ALIKE).then(|| found.relative().to_owned())
}
