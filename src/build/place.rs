//! Where files really go in a base: through its links, into directories that are there or have to be made.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::BuildError;
use crate::content::tree::{Node, Tree};
use crate::oci::Attributes;
use crate::recipe::{Change, Entry, File, FileContent, ImagePath, KnownBase, Recipe};

/// Links followed on the way to one directory, as Linux does.
const MOST_LINKS: usize = 40;

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
    let mut map = Map::default();
    match ground {
        Ground::Nothing => map.rest_is_missing = true,
        Ground::Known(known) => {
            map.rest_is_missing = true;
            let above = known
                .directory
                .ancestors()
                .chain(std::iter::once(known.directory.clone()));
            map.nodes
                .extend(above.map(|path| (path, Node::Directory(Attributes::PLAIN))));
        }
        Ground::Layers(tree) => loop {
            let mut questions = map.questions(&wanted)?;
            if questions.is_empty() {
                questions = map.ends(recipe)?;
            }
            if questions.is_empty() {
                break;
            }
            let texts: BTreeSet<String> = questions.iter().map(|path| path.relative().to_owned()).collect();
            let answers = tree.look_up(&texts).await?;
            for path in questions {
                let node = answers.get(path.relative()).cloned().unwrap_or(Node::Missing);
                map.nodes.insert(path, node);
            }
        },
    }
    let mut entries = BTreeMap::new();
    for directory in &wanted {
        let way = map.follow(directory)?.unwrap_or_default();
        if !way.made.is_empty() {
            way.add_to(&mut entries);
        }
    }
    for file in recipe.files() {
        if matches!(file.content, FileContent::Directory) {
            continue;
        }
        let parent = file.path.parent().unwrap_or_default();
        let way = map.follow(&parent)?.unwrap_or_default();
        way.add_to(&mut entries);
        let path = way.end.join(file.path.name())?;
        match map.nodes.get(&path) {
            Some(Node::Directory(_)) => {
                return Err(BuildError::Directory {
                    path,
                    input: describe(&file.content),
                });
            }
            Some(Node::Link(to)) => return Err(BuildError::Linked { path, to: to.clone() }),
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
    wanted.extend(recipe.changes().filter_map(|change| match change {
        Change::WorkingDirectory(path) => Some(path.clone()),
        _ => None,
    }));
    wanted.retain(|path| !path.relative().is_empty());
    wanted
}

/// What is known of the paths of a base.
#[derive(Debug, Default)]
struct Map {
    nodes: BTreeMap<ImagePath, Node>,
    rest_is_missing: bool,
}

/// The way to a directory.
#[derive(Debug, Default)]
struct Way {
    /// Where it ends, links followed.
    end: ImagePath,
    /// The directories on it that are not there.
    made: Vec<ImagePath>,
    /// Those that are, and what they are like.
    passed: Vec<(ImagePath, Attributes)>,
}

impl Way {
    /// Adds the directories on it. Those of the base are told again, as they are: Docker makes up a parent that a layer
    /// leaves out, and shows that one in the place of the base's.
    fn add_to(&self, entries: &mut BTreeMap<ImagePath, Entry>) {
        let made = self.made.iter().map(|path| (path, Attributes::PLAIN));
        let passed = self.passed.iter().map(|(path, attributes)| (path, *attributes));
        for (path, attributes) in passed.chain(made) {
            entries
                .entry(path.clone())
                .or_insert_with(|| Entry::new(path.clone(), FileContent::Directory, attributes));
        }
    }
}

impl Map {
    /// The paths that have to be asked for before every way is known. Asks for whole ways at once: most bases have no
    /// links there.
    fn questions(&self, wanted: &BTreeSet<ImagePath>) -> Result<BTreeSet<ImagePath>, BuildError> {
        let mut questions = BTreeSet::new();
        for directory in wanted {
            if let Err(rest) = self.walk(directory)? {
                questions.extend(rest.into_iter().filter(|path| !self.nodes.contains_key(path)));
            }
        }
        Ok(questions)
    }

    /// The paths of files and links that may be taken already: those in directories that are there.
    fn ends(&self, recipe: &Recipe) -> Result<BTreeSet<ImagePath>, BuildError> {
        let mut ends = BTreeSet::new();
        for file in recipe.files() {
            if matches!(file.content, FileContent::Directory) {
                continue;
            }
            let way = self
                .follow(&file.path.parent().unwrap_or_default())?
                .unwrap_or_default();
            let path = way.end.join(file.path.name())?;
            if way.made.last() != Some(&way.end) && !self.nodes.contains_key(&path) {
                ends.insert(path);
            }
        }
        Ok(ends)
    }

    fn follow(&self, directory: &ImagePath) -> Result<Option<Way>, BuildError> {
        Ok(self.walk(directory)?.ok())
    }

    /// The way to a directory, or the paths that must be known first.
    fn walk(&self, directory: &ImagePath) -> Result<Result<Way, Vec<ImagePath>>, BuildError> {
        let mut way = Way::default();
        let mut rest: VecDeque<String> = directory.relative().split('/').map(str::to_owned).collect();
        let mut links = 0;
        while let Some(component) = rest.pop_front() {
            if component.is_empty() {
                continue;
            }
            if component == ".." {
                // Above the root is the root, as in every file system.
                way.end = way.end.parent().unwrap_or_default();
                continue;
            }
            let next = way.end.join(&component)?;
            if next == way.end {
                continue;
            }
            let below_made = way.made.last().is_some_and(|made| next.is_within(made));
            let node = match self.nodes.get(&next) {
                Some(node) => node.clone(),
                None if self.rest_is_missing || below_made => Node::Missing,
                None => {
                    let mut unknown = vec![next.clone()];
                    let mut path = next;
                    for component in rest.iter().take_while(|component| *component != "..") {
                        path = path.join(component)?;
                        unknown.push(path.clone());
                    }
                    return Ok(Err(unknown));
                }
            };
            match node {
                Node::Directory(attributes) => {
                    way.passed.push((next.clone(), attributes));
                    way.end = next;
                }
                Node::Missing => {
                    way.made.push(next.clone());
                    way.end = next;
                }
                Node::File => return Err(BuildError::Occupied { path: next }),
                Node::Link(to) => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(BuildError::Circle {
                            path: directory.clone(),
                        });
                    }
                    if to.starts_with('/') {
                        way.end = ImagePath::default();
                    }
                    for component in to.split('/').rev() {
                        rest.push_front(component.to_owned());
                    }
                }
            }
        }
        Ok(Ok(way))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: Node = Node::Directory(Attributes::PLAIN);

    fn path(text: &str) -> ImagePath {
        text.parse().expect(text)
    }

    fn map(nodes: &[(&str, Node)]) -> Map {
        Map {
            nodes: nodes.iter().map(|(text, node)| (path(text), node.clone())).collect(),
            rest_is_missing: true,
        }
    }

    fn way(map: &Map, directory: &str) -> (String, Vec<String>) {
        let way = map.follow(&path(directory)).expect("way").expect("known");
        (way.end.to_string(), way.made.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn links_are_followed_and_what_lacks_is_made() {
        let map = map(&[
            ("/opt", Node::Link("usr/opt".to_owned())),
            ("/usr", DIRECTORY),
            ("/usr/opt", DIRECTORY),
            ("/bin", Node::Link("/usr/bin".to_owned())),
            ("/a", Node::Link("b/../usr/./opt".to_owned())),
            ("/b", DIRECTORY),
            ("/up", Node::Link("../..".to_owned())),
        ]);
        assert_eq!(
            way(&map, "/opt/sql/x"),
            (
                "/usr/opt/sql/x".into(),
                vec!["/usr/opt/sql".into(), "/usr/opt/sql/x".into()]
            )
        );
        assert_eq!(way(&map, "/bin"), ("/usr/bin".into(), vec!["/usr/bin".into()]));
        assert_eq!(way(&map, "/a"), ("/usr/opt".into(), vec![]));
        assert_eq!(way(&map, "/up/usr"), ("/usr".into(), vec![]));
    }

    #[test]
    fn files_and_circles_are_refused() {
        let map = map(&[
            ("/etc", Node::File),
            ("/x", Node::Link("/y".to_owned())),
            ("/y", Node::Link("x".to_owned())),
        ]);
        assert!(matches!(map.follow(&path("/etc/a")), Err(BuildError::Occupied { .. })));
        assert!(matches!(map.follow(&path("/x/a")), Err(BuildError::Circle { .. })));
    }

    #[test]
    fn whole_ways_are_asked_for_at_once() {
        let map = Map {
            nodes: BTreeMap::from([(path("/a"), DIRECTORY), (path("/m"), Node::Missing)]),
            rest_is_missing: false,
        };
        let wanted = BTreeSet::from([path("/a/b/c"), path("/m/n")]);
        let questions: Vec<String> = map
            .questions(&wanted)
            .expect("questions")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(questions, ["/a/b", "/a/b/c"]);
    }
}
