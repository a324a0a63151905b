//! Hard links among what was selected.

use std::collections::HashMap;

use super::{Picked, SelectError};
use crate::dockerfile::error::Problem;
use crate::dockerfile::tree::FileTree;
use crate::recipe::{Entry, FileContent, ImagePath};

/// Hard links to hard links that are followed at most; a tree of an image has none.
const MOST: usize = 40;

/// Gives the first picked name of a file its content, and makes the other ones hard links to that name.
pub(super) fn settled(tree: &dyn FileTree, mut picked: Vec<Picked>) -> Result<Vec<Picked>, Problem> {
    if !picked.iter().any(|picked| is_link(&picked.entry)) {
        return Ok(picked);
    }
    // By the path that has the content, the path that was picked first.
    let mut first: HashMap<ImagePath, ImagePath> = HashMap::new();
    for picked in &mut picked {
        let entry = &mut picked.entry;
        let own = entry.path.clone();
        let mut file = entry.clone();
        for _ in 0..MOST {
            let FileContent::HardLink(to) = &file.content else {
                break;
            };
            match tree.get(to)? {
                Some(named) => file = named,
                None => break,
            }
        }
        if file.is_directory() {
            continue;
        }
        if let FileContent::HardLink(to) = &file.content {
            return Err(SelectError::Dangling {
                source_text: own.relative().to_owned(),
                to: to.relative().to_owned(),
                left_out_by: None,
            }
            .into());
        }
        let first = first.entry(file.path).or_insert_with(|| own.clone());
        entry.content = if *first == own {
            file.content
        } else {
            FileContent::HardLink(first.clone())
        };
    }
    Ok(picked)
}

fn is_link(entry: &Entry) -> bool {
    matches!(entry.content, FileContent::HardLink(_))
}
