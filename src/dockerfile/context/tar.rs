//! A tar file as a build context: listed, not unpacked.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::memory::MemoryTree;
use super::problem::Unfit;
use crate::content::tree::headers::Headers;
use crate::dockerfile::archive::arrangement::Arranged;
use crate::dockerfile::archive::member::{Contents, Members};
use crate::dockerfile::archive::{ArchiveError, arrange, unpacked};
use crate::recipe::{Entry, FileContent, ImagePath};

/// The tree of a plain tar file, whose contents stay where they are.
pub(super) fn in_place(
    name: &str,
    file: File,
    contents: Contents,
    temporary: &Path,
) -> Result<MemoryTree, ArchiveError> {
    let members = Members::new(Headers::seeking(BufReader::new(file)), contents);
    Ok(tree(arrange(members, name, temporary, |_, _, _| Ok(()))?))
}

/// The tree of a tar file that is read once, compressed or not.
pub(super) fn stream(name: &str, stream: impl Read, temporary: &Path) -> Result<MemoryTree, ArchiveError> {
    let reader = unpacked(stream).map_err(|error| ArchiveError::of(error, name, temporary))?;
    let members = Members::new(Headers::streaming(reader), Contents::copied(temporary));
    Ok(tree(arrange(members, name, temporary, |_, _, _| Ok(()))?))
}

/// What cannot be in an image matters only to whoever copies it.
fn tree(arranged: Arranged) -> MemoryTree {
    let (special, fit): (Vec<Entry>, Vec<Entry>) = arranged
        .entries
        .into_iter()
        .partition(|entry| matches!(entry.content, FileContent::Special(_)));
    let mut tree = MemoryTree::new(fit);
    for entry in special {
        let parent = entry.path.parent().unwrap_or_default();
        tree.add_unfit(parent, entry.path.name().to_owned(), Unfit::Special);
    }
    for (directory, name, why) in arranged.unfit {
        if let Ok(directory) = ImagePath::default().join(&directory) {
            tree.add_unfit(directory, name, why);
        }
    }
    tree
}
