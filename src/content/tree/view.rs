//! Ways through an image's directories: links followed, and what lacks told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Node, Result, Tree};
use crate::oci::Attributes;
use crate::recipe::{ImagePath, PathError};

/// Links followed on one way, as Linux does.
const MOST_LINKS: usize = 40;

/// Why there is no way to a path.
#[derive(Debug, thiserror::Error)]
pub enum WayError {
    /// Something else is where a directory is needed.
    #[error("{path} is a file in the image, not a directory")]
    Occupied {
        /// The path in the image.
        path: ImagePath,
    },
    /// Links lead in a circle.
    #[error("the links of the image at {path} lead in a circle")]
    Circle {
        /// The path in the image.
        path: ImagePath,
    },
    /// A link leads nowhere sensible.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl WayError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Occupied { .. } | Self::Circle { .. } => {
                vec!["choose another place in the image, or another base".to_owned()]
            }
            Self::Path(error) => error.hints(),
        }
    }
}

/// What is known of the paths of an image.
#[derive(Debug, Clone, Default)]
pub struct View {
    nodes: BTreeMap<ImagePath, Node>,
    /// In these directories nothing is but what is known.
    blank: Vec<ImagePath>,
}

/// A path as a user writes it, from a directory on. Above the root is the root, as in every file system.
///
/// # Errors
/// When it holds a name no image can hold.
pub fn clamped(directory: &ImagePath, text: &str) -> std::result::Result<ImagePath, PathError> {
    let mut path = match text.starts_with('/') {
        true => ImagePath::default(),
        false => directory.clone(),
    };
    for component in text.split('/') {
        path = match component {
            ".." => path.parent().unwrap_or_default(),
            _ => path.join(component)?,
        };
    }
    Ok(path)
}

/// The way to a directory.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// Where it ends, links followed.
    pub end: ImagePath,
    /// The directories on it that are not there.
    pub made: Vec<ImagePath>,
    /// Those that are, and what they are like.
    pub passed: Vec<(ImagePath, Attributes)>,
    /// The links that were followed, and where they point.
    pub links: Vec<(ImagePath, String)>,
}

impl View {
    /// An image that holds nothing.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self {
            nodes: BTreeMap::new(),
            blank: vec![ImagePath::default()],
        }
    }

    /// Takes down what lies at a path.
    pub fn learn(&mut self, path: ImagePath, node: Node) {
        self.nodes.insert(path, node);
    }

    /// Takes down that nothing else lies in a directory.
    pub fn learn_blank(&mut self, directory: ImagePath) {
        self.blank.push(directory);
    }

    /// What lies at a path on whose way there is no link; `None` if that is not known.
    #[must_use]
    pub fn node(&self, path: &ImagePath) -> Option<Node> {
        if path.is_root() {
            return Some(Node::Directory(Attributes::PLAIN));
        }
        if let Some(node) = self.nodes.get(path) {
            return Some(node.clone());
        }
        // What is not there, or no directory, has nothing in it.
        let above = path.ancestors().find_map(|above| self.nodes.get(&above));
        if matches!(above, Some(Node::Missing | Node::File)) {
            return Some(Node::Missing);
        }
        self.blank
            .iter()
            .any(|blank| path.is_within(blank))
            .then_some(Node::Missing)
    }

    /// Asks a tree for paths on whose way there is no link.
    ///
    /// # Errors
    /// As [`Tree::look_up`].
    pub async fn ask(&mut self, tree: &Tree, paths: BTreeSet<ImagePath>) -> Result<()> {
        let texts: BTreeSet<String> = paths.iter().map(|path| path.relative().to_owned()).collect();
        let answers = tree.look_up(&texts).await?;
        for path in paths {
            let node = answers.get(path.relative()).cloned().unwrap_or(Node::Missing);
            self.nodes.insert(path, node);
        }
        Ok(())
    }

    /// The paths that have to be asked for before every way is known. Asks for whole ways at once: most images have no
    /// links there.
    ///
    /// # Errors
    /// When there is no way.
    pub fn questions<'a>(
        &self,
        wanted: impl IntoIterator<Item = &'a ImagePath>,
    ) -> std::result::Result<BTreeSet<ImagePath>, WayError> {
        let mut questions = BTreeSet::new();
        for directory in wanted {
            if let Err(rest) = self.walk(directory)? {
                questions.extend(rest.into_iter().filter(|path| self.node(path).is_none()));
            }
        }
        Ok(questions)
    }

    /// The way to a directory, or the paths that must be known first.
    ///
    /// # Errors
    /// When there is no way.
    pub fn walk(
        &self,
        directory: &ImagePath,
    ) -> std::result::Result<std::result::Result<Way, Vec<ImagePath>>, WayError> {
        let mut way = Way::default();
        let mut rest: VecDeque<String> = directory.relative().split('/').map(str::to_owned).collect();
        while let Some(component) = rest.pop_front() {
            if component.is_empty() || component == "." {
                continue;
            }
            if component == ".." {
                // Above the root is the root, as in every file system.
                way.end = way.end.parent().unwrap_or_default();
                continue;
            }
            let next = way.end.join(&component)?;
            let Some(node) = self.node(&next) else {
                let mut unknown = vec![next.clone()];
                let mut path = next;
                for component in rest.iter().take_while(|component| *component != "..") {
                    path = path.join(component)?;
                    unknown.push(path.clone());
                }
                return Ok(Err(unknown));
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
                Node::File => return Err(WayError::Occupied { path: next }),
                Node::Link(to) => {
                    way.links.push((next, to.clone()));
                    if way.links.len() > MOST_LINKS {
                        return Err(WayError::Circle {
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

    fn view(nodes: &[(&str, Node)]) -> View {
        let mut view = View::of_nothing();
        for (text, node) in nodes {
            view.learn(path(text), node.clone());
        }
        view
    }

    fn way(view: &View, directory: &str) -> (String, Vec<String>) {
        let way = view.walk(&path(directory)).expect("way").expect("known");
        (way.end.to_string(), way.made.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn links_are_followed_and_what_lacks_is_made() {
        let view = view(&[
            ("/opt", Node::Link("usr/opt".to_owned())),
            ("/usr", DIRECTORY),
            ("/usr/opt", DIRECTORY),
            ("/bin", Node::Link("/usr/bin".to_owned())),
            ("/a", Node::Link("b/../usr/./opt".to_owned())),
            ("/b", DIRECTORY),
            ("/up", Node::Link("../..".to_owned())),
        ]);
        assert_eq!(
            way(&view, "/opt/sql/x"),
            (
                "/usr/opt/sql/x".into(),
                vec!["/usr/opt/sql".into(), "/usr/opt/sql/x".into()]
            )
        );
        assert_eq!(way(&view, "/bin"), ("/usr/bin".into(), vec!["/usr/bin".into()]));
        assert_eq!(way(&view, "/a"), ("/usr/opt".into(), vec![]));
        assert_eq!(way(&view, "/up/usr"), ("/usr".into(), vec![]));
    }

    #[test]
    fn files_and_circles_are_refused() {
        let view = view(&[
            ("/etc", Node::File),
            ("/x", Node::Link("/y".to_owned())),
            ("/y", Node::Link("x".to_owned())),
        ]);
        assert!(matches!(view.walk(&path("/etc/a")), Err(WayError::Occupied { .. })));
        assert!(matches!(view.walk(&path("/x/a")), Err(WayError::Circle { .. })));
    }

    #[test]
    fn whole_ways_are_asked_for_at_once() {
        let mut view = View::default();
        view.learn(path("/a"), DIRECTORY);
        view.learn(path("/m"), Node::Missing);
        let wanted = BTreeSet::from([path("/a/b/c"), path("/m/n")]);
        let questions: Vec<String> = view
            .questions(&wanted)
            .expect("questions")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(questions, ["/a/b", "/a/b/c"]);
    }
}
