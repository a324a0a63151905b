//! Where files really go in a base: through its links, into directories that are there or have to be made.

use std::collections::{BTreeMap, BTreeSet};

use super::BuildError;
use crate::content::tree::{Node, Tree, View, Way};
use crate::oci::Attributes;
use crate::recipe::{Change, Entry, File, FileContent, ImagePath, KnownBase, Recipe, Step};

/// What is known of the base.
#[derive(Debug)]
pub(super) enum Ground<'a> {
    /// There is nothing.
    Nothing,
    /// It is one the profile knows.
    Known(&'a KnownBase),
    /// Its layers have to be asked.
    Layers(&'a Tree),
}

/// Whether the profile's knowledge is enough to place all files.
pub(super) fn is_enough(known: &KnownBase, recipe: &Recipe) -> bool {
    directories(recipe)
        .iter()
        .all(|directory| directory.is_within(&known.directory))
}

/// Finds the entries of the new layers, sorted by path.
pub(super) async fn place(recipe: &Recipe, ground: Ground<'_>) -> Result<Vec<Entry>, BuildError> {
    let wanted = directories(recipe);
    let mut view = match ground {
        Ground::Nothing | Ground::Known(_) => View::of_nothing(),
        Ground::Layers(_) => View::default(),
    };
    match ground {
        Ground::Nothing => {}
        Ground::Known(known) => {
            for path in known.directory.ancestors().chain([known.directory.clone()]) {
                view.learn(path, Node::Directory(Attributes::PLAIN));
            }
        }
        Ground::Layers(tree) => loop {
            let mut questions = view.questions(&wanted)?;
            if questions.is_empty() {
                questions = ends(&view, recipe)?;
            }
            if questions.is_empty() {
                break;
            }
            view.ask(tree, questions).await?;
        },
    }
    let mut entries = BTreeMap::new();
    for directory in &wanted {
        let way = follow(&view, directory)?;
        if !way.made.is_empty() {
            add_way(&way, &mut entries);
        }
    }
    for file in recipe.files() {
        if matches!(file.content, FileContent::Directory) {
            continue;
        }
        let way = follow(&view, &file.path.parent().unwrap_or_default())?;
        add_way(&way, &mut entries);
        let path = way.end.join(file.path.name())?;
        match view.node(&path) {
            Some(Node::Directory(_)) => {
                return Err(BuildError::Directory {
                    path,
                    input: describe(&file.content),
                });
            }
            Some(Node::Link(to)) => return Err(BuildError::Linked { path, to }),
            Some(Node::File | Node::Missing) | None => {}
        }
        let entry = Entry::new(path.clone(), file.content.clone(), attributes(&file.content));
        if let Some(earlier) = entries.insert(path.clone(), entry) {
            return Err(BuildError::Twice {
                path,
                one: describe(&earlier.content),
                other: describe(&file.content),
            });
        }
    }
    Ok(entries.into_values().collect())
}

/// Adds the directories on a way. Those of the base are told again, as they are: Docker makes up a parent that a layer
/// leaves out, and shows that one in the place of the base's.
fn add_way(way: &Way, entries: &mut BTreeMap<ImagePath, Entry>) {
    let made = way.made.iter().map(|path| (path, Attributes::PLAIN));
    let passed = way.passed.iter().map(|(path, attributes)| (path, *attributes));
    for (path, attributes) in passed.chain(made) {
        entries
            .entry(path.clone())
            .or_insert_with(|| Entry::new(path.clone(), FileContent::Directory, attributes));
    }
}

/// The way to a directory that was asked for.
fn follow(view: &View, directory: &ImagePath) -> Result<Way, BuildError> {
    Ok(view.walk(directory)?.unwrap_or_default())
}

/// The paths of files and links that may be taken already: those in directories that are there.
fn ends(view: &View, recipe: &Recipe) -> Result<BTreeSet<ImagePath>, BuildError> {
    let mut ends = BTreeSet::new();
    for file in recipe.files() {
        if matches!(file.content, FileContent::Directory) {
            continue;
        }
        let way = follow(view, &file.path.parent().unwrap_or_default())?;
        let path = way.end.join(file.path.name())?;
        if view.node(&path).is_none() {
            ends.insert(path);
        }
    }
    Ok(ends)
}

fn describe(content: &FileContent) -> String {
    match content {
        FileContent::Local { path, .. } => path.display().to_string(),
        FileContent::Link { path, .. } => format!("the link {}", path.display()),
        FileContent::Directory => "a folder".to_owned(),
        FileContent::Stored(_) | FileContent::HardLink(_) | FileContent::Special(_) => "a file".to_owned(),
    }
}

/// Files are root's, in one of git's two modes.
fn attributes(content: &FileContent) -> Attributes {
    match content {
        FileContent::Local { executable, .. } => Attributes::of_file(*executable),
        // Linux ignores the mode of a link and always shows 0777.
        FileContent::Link { .. } => Attributes::of_root(0o777),
        FileContent::Stored(_) | FileContent::HardLink(_) | FileContent::Special(_) => Attributes::of_file(false),
        FileContent::Directory => Attributes::PLAIN,
    }
}

/// The directories that must be there.
fn directories(recipe: &Recipe) -> BTreeSet<ImagePath> {
    let mut wanted = BTreeSet::new();
    let of_file = |file: &File| match file.content {
        FileContent::Directory => Some(file.path.clone()),
        _ => file.path.parent(),
    };
    wanted.extend(recipe.files().filter_map(of_file));
    wanted.extend(recipe.steps.iter().filter_map(|step| match step {
        Step::Change(Change::WorkingDirectory(path)) => Some(path.clone()),
        _ => None,
    }));
    wanted.retain(|path| !path.relative().is_empty());
    wanted
}
