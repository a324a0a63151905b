//! The files of a stage while its instructions are carried out: the base's, and what was written over them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::context::MemoryTree;
use super::error::Problem;
use super::pattern::has_wildcards;
use crate::content::tree::{Node, Tree, View, Way, WayError};
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath, KnownBase};

/// Links followed on the way to one file, as Linux does.
const MOST_LINKS: usize = 40;

/// The files of a stage.
#[derive(Debug, Clone)]
pub(super) struct StageFiles {
    /// The base's; `None` where there is no base.
    tree: Option<Arc<Tree>>,
    view: View,
    /// Directories that may be in the base or not, and can be taken for being there where one is made anyway.
    possible: Vec<ImagePath>,
    written: BTreeMap<ImagePath, Entry>,
    /// Folder for temporary files.
    temporary: PathBuf,
}

/// Where a path leads, links followed to the end.
#[derive(Debug)]
pub(super) struct Place {
    /// The way to its directory.
    pub way: Way,
    /// The path.
    pub path: ImagePath,
    /// What lies there, which is no link.
    pub node: Node,
}

impl StageFiles {
    /// A stage that starts from nothing.
    pub(super) fn nothing(temporary: PathBuf) -> Self {
        Self {
            tree: None,
            view: View::of_nothing(),
            possible: Vec::new(),
            written: BTreeMap::new(),
            temporary,
        }
    }

    /// A stage on a base, of which something may be known already.
    pub(super) fn on(tree: Tree, known: Option<&KnownBase>, temporary: PathBuf) -> Self {
        let mut view = View::default();
        let mut possible = Vec::new();
        if let Some(known) = known {
            for path in known.directory.ancestors().chain([known.directory.clone()]) {
                view.learn(path, Node::Directory(Attributes::PLAIN));
            }
            for folder in &known.folders {
                view.learn(folder.clone(), Node::Directory(Attributes::PLAIN));
                view.learn_blank(folder.clone());
            }
            possible.clone_from(&known.possible);
        }
        Self {
            tree: Some(Arc::new(tree)),
            view,
            possible,
            written: BTreeMap::new(),
            temporary,
        }
    }

    /// Takes down that a directory will be there, whether it is or not.
    pub(super) fn expect_directory(&mut self, path: &ImagePath) {
        if let Some(possible) = self.possible.iter().find(|possible| path.is_within(possible)) {
            self.view.learn(possible.clone(), Node::Directory(Attributes::PLAIN));
            self.view.learn_blank(possible.clone());
        }
    }

    /// Learns what lies at many paths and on the ways there, with as few readings of the base as possible.
    pub(super) async fn learn(&mut self, paths: &BTreeSet<ImagePath>) -> Result<(), Problem> {
        let Some(tree) = self.tree.clone() else { return Ok(()) };
        loop {
            let mut questions = BTreeSet::new();
            for path in paths {
                // What stands in the way is told when the path is needed.
                if let Ok(Err(rest)) = self.view.walk(path) {
                    questions.extend(rest.into_iter().filter(|path| self.view.node(path).is_none()));
                }
            }
            if questions.is_empty() {
                return Ok(());
            }
            self.view.ask(&tree, questions).await?;
        }
    }

    /// The way to a directory, links followed.
    pub(super) async fn way(&mut self, directory: &ImagePath) -> Result<Way, Problem> {
        loop {
            match self.view.walk(directory)? {
                Ok(way) => return Ok(way),
                Err(_) => self.learn(&BTreeSet::from([directory.clone()])).await?,
            }
        }
    }

    /// What lies at a path on whose way there is no link.
    pub(super) async fn node(&mut self, path: &ImagePath) -> Result<Node, Problem> {
        if let Some(node) = self.view.node(path) {
            return Ok(node);
        }
        let Some(tree) = self.tree.clone() else {
            return Ok(Node::Missing);
        };
        self.view.ask(&tree, BTreeSet::from([path.clone()])).await?;
        Ok(self.view.node(path).unwrap_or(Node::Missing))
    }

    /// Where a path leads. A link to nothing leads to where its file would be.
    pub(super) async fn place(&mut self, path: &ImagePath) -> Result<Place, Problem> {
        let mut wanted = path.clone();
        for _ in 0..MOST_LINKS {
            let way = self.way(&wanted.parent().unwrap_or_default()).await?;
            let path = way.end.join(wanted.name())?;
            match self.node(&path).await? {
                Node::Link(to) => {
                    wanted = crate::content::tree::clamped(&way.end, &to)?;
                }
                node => return Ok(Place { way, path, node }),
            }
        }
        Err(WayError::Circle { path: path.clone() }.into())
    }

    /// Writes an entry.
    pub(super) fn write(&mut self, entry: &Entry) {
        let node = match &entry.content {
            FileContent::Directory => Node::Directory(entry.attributes),
            FileContent::Link { to, .. } => Node::Link(to.clone()),
            FileContent::Local { .. } | FileContent::Stored(_) | FileContent::HardLink(_) | FileContent::Special(_) => {
                Node::File
            }
        };
        self.view.learn(entry.path.clone(), node);
        self.written.insert(entry.path.clone(), entry.clone());
    }

    /// Reads a file, links followed; `None` where there is none.
    pub(super) async fn read(&mut self, path: &ImagePath, limit: u64) -> Result<Option<String>, Problem> {
        let place = self.place(path).await?;
        let entry = match (self.written.get(&place.path), &self.tree) {
            (Some(entry), _) => Some(entry.clone()),
            (None, Some(tree)) => {
                let roots = BTreeSet::from([place.path.clone()]);
                tree.capture(&roots, &self.temporary).await?.into_iter().next()
            }
            (None, None) => None,
        };
        let Some(entry) = entry.filter(|entry| !entry.is_directory()) else {
            return Ok(None);
        };
        if entry.size() > limit {
            return Err(Problem::syntax(format!(
                "{path} of the image has more than {limit} bytes"
            )));
        }
        let mut bytes = Vec::new();
        let read = match &entry.content {
            FileContent::Stored(stored) => stored.reader().read_to_end(&mut bytes),
            FileContent::Local { path, .. } => std::fs::read(path).map(|read| {
                bytes = read;
                bytes.len()
            }),
            FileContent::Link { .. } | FileContent::HardLink(_) | FileContent::Special(_) | FileContent::Directory => {
                return Ok(None);
            }
        };
        read.map_err(|source| Problem::Spool {
            folder: self.temporary.clone(),
            source,
        })?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Takes out what sources name, for another stage to copy it.
    pub(super) async fn take_out(&mut self, sources: &[ImagePath]) -> Result<MemoryTree, Problem> {
        let mut entries: BTreeMap<ImagePath, Entry> = BTreeMap::new();
        let mut wanted: Vec<(ImagePath, bool)> = Vec::new();
        for source in sources {
            // What a pattern may fit lies below the part of it that is plain.
            let plain = source.relative().split('/').take_while(|part| !has_wildcards(part));
            let plain: ImagePath = format!("/{}", plain.collect::<Vec<_>>().join("/")).parse()?;
            let is_pattern = plain != *source;
            wanted.push((plain, is_pattern));
        }
        let mut roots = BTreeSet::new();
        for (path, _) in &wanted {
            roots.insert(self.reach(path, &mut entries).await?);
        }
        self.extract(&roots, &mut entries).await?;
        // A link that a pattern fits is copied as what it points to.
        let mut more = BTreeSet::new();
        for (path, _) in wanted.iter().filter(|(_, is_pattern)| *is_pattern) {
            let directory = self.way(path).await?.end;
            let links: Vec<ImagePath> = entries
                .values()
                .filter(|entry| matches!(entry.content, FileContent::Link { .. }))
                .filter(|entry| entry.path.parent().as_ref() == Some(&directory))
                .map(|entry| entry.path.clone())
                .collect();
            for link in links {
                // One that leads nowhere is told when it is copied.
                if let Ok(end) = self.reach(&link, &mut entries).await {
                    more.insert(end);
                }
            }
        }
        self.extract(&more, &mut entries).await?;
        entries.extend(self.written.clone());
        Ok(MemoryTree::new(entries.into_values()))
    }

    /// Follows a path to its end, and notes the links and directories on the way.
    async fn reach(
        &mut self,
        path: &ImagePath,
        entries: &mut BTreeMap<ImagePath, Entry>,
    ) -> Result<ImagePath, Problem> {
        let mut wanted = path.clone();
        for _ in 0..MOST_LINKS {
            if wanted.is_root() {
                return Ok(wanted);
            }
            let way = self.way(&wanted.parent().unwrap_or_default()).await?;
            for (path, attributes) in &way.passed {
                let entry = Entry::new(path.clone(), FileContent::Directory, *attributes);
                entries.insert(path.clone(), entry);
            }
            let path = way.end.join(wanted.name())?;
            let mut links = way.links.clone();
            let node = self.node(&path).await?;
            if let Node::Link(to) = &node {
                links.push((path.clone(), to.clone()));
            }
            for (path, to) in links {
                let content = FileContent::Link {
                    to,
                    path: PathBuf::new(),
                };
                entries.insert(path.clone(), Entry::new(path, content, Attributes::of_root(0o777)));
            }
            match node {
                Node::Link(to) => wanted = crate::content::tree::clamped(&way.end, &to)?,
                _ => return Ok(path),
            }
        }
        Err(WayError::Circle { path: path.clone() }.into())
    }

    async fn extract(
        &self,
        roots: &BTreeSet<ImagePath>,
        entries: &mut BTreeMap<ImagePath, Entry>,
    ) -> Result<(), Problem> {
        if let Some(tree) = self.tree.as_ref().filter(|_| !roots.is_empty()) {
            let captured = tree.capture(roots, &self.temporary).await?;
            entries.extend(captured.into_iter().map(|entry| (entry.path.clone(), entry)));
        }
        Ok(())
    }
}
