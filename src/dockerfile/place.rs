//! Where the files of an instruction go in a stage, and what its layer holds.

use std::collections::BTreeMap;

use super::error::Problem;
use super::filesystem::StageFiles;
use super::mode::Mode;
use super::select::Picked;
use crate::content::tree::{Node, Way, WayError};
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath};

/// The bit of a directory whose group is inherited.
const SET_GROUP: u32 = 0o2000;

/// The layer of an instruction while it grows.
pub(super) struct Placing<'a> {
    files: &'a mut StageFiles,
    layer: BTreeMap<ImagePath, Entry>,
    /// Whose everything becomes.
    owner: Option<(u64, u64)>,
    /// What the modes become.
    mode: Option<Mode>,
    /// Whether directories that are there get the mode and owner of those that are copied onto them.
    overwrites: bool,
    /// Where directories of the instruction really are, by the paths they were meant to have.
    real: BTreeMap<ImagePath, ImagePath>,
    /// Where files went, by their paths in the tree they come from: hard links name those.
    names: BTreeMap<ImagePath, ImagePath>,
}

impl<'a> Placing<'a> {
    pub(super) fn new(
        files: &'a mut StageFiles,
        owner: Option<(u64, u64)>,
        mode: Option<Mode>,
        overwrites: bool,
    ) -> Self {
        Self {
            files,
            layer: BTreeMap::new(),
            owner,
            mode,
            overwrites,
            real: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// What is placed from now on keeps its owner.
    pub(super) fn owns_no_more(&mut self) {
        self.owner = None;
    }

    /// The entries of the layer, sorted by path.
    pub(super) fn finish(self) -> Vec<Entry> {
        self.layer.into_values().collect()
    }

    /// Sees to it that a directory is there, and returns where it really is.
    pub(super) async fn directory(&mut self, path: &ImagePath) -> Result<ImagePath, Problem> {
        self.files.expect_directory(path);
        let way = self.files.way(path).await?;
        self.add_way(&way);
        Ok(way.end)
    }

    /// Whether a directory is there already.
    pub(super) async fn is_there(&mut self, directory: &ImagePath) -> Result<bool, Problem> {
        self.files.expect_directory(directory);
        Ok(self.files.way(directory).await?.made.is_empty())
    }

    /// Places what one source selected.
    pub(super) async fn source(
        &mut self,
        picked: &[Picked],
        destination: &ImagePath,
        into_directory: bool,
    ) -> Result<(), Problem> {
        let Some(first) = picked.first() else { return Ok(()) };
        if !first.relative.is_empty() {
            // Paths that are kept begin at the destination.
            let directory = self.directory(destination).await?;
            return self.below(&directory, picked).await;
        }
        if first.entry.is_directory() {
            self.files.expect_directory(destination);
            let way = self.files.way(destination).await?;
            self.add_way(&way);
            // The directory itself is made like any other: what is in the source's is copied, not the source.
            return self.below(&way.end, &picked[1..]).await;
        }
        let directory = match into_directory {
            true => Some(self.directory(destination).await?),
            false => {
                let place = self.files.place(destination).await?;
                match place.node {
                    Node::Directory(_) => Some(self.directory(&place.path).await?),
                    Node::Missing | Node::File | Node::Link(_) => {
                        self.add_way(&place.way);
                        self.file(place.path, &first.entry).await?;
                        None
                    }
                }
            }
        };
        if let Some(directory) = directory {
            let path = directory.join(first.source.name())?;
            self.file(path, &first.entry).await?;
        }
        Ok(())
    }

    /// Places the entries of an archive.
    pub(super) async fn archive(&mut self, entries: &[Entry]) -> Result<(), Problem> {
        for entry in entries {
            self.item(entry.path.clone(), entry).await?;
        }
        Ok(())
    }

    async fn below(&mut self, directory: &ImagePath, picked: &[Picked]) -> Result<(), Problem> {
        for item in picked {
            self.item(directory.join(&item.relative)?, &item.entry).await?;
        }
        Ok(())
    }

    /// Places what is meant to be at a path, whose directories may lie behind links.
    async fn item(&mut self, path: ImagePath, entry: &Entry) -> Result<(), Problem> {
        if entry.is_directory() {
            return self.replace_directory(path, entry).await;
        }
        let parent = path.parent().unwrap_or_default();
        let directory = match self.real.get(&parent) {
            Some(real) => real.clone(),
            None => {
                let way = self.files.way(&parent).await?;
                self.add_way(&way);
                self.real.insert(parent, way.end.clone());
                way.end
            }
        };
        self.file(directory.join(path.name())?, entry).await
    }

    async fn replace_directory(&mut self, path: ImagePath, entry: &Entry) -> Result<(), Problem> {
        let way = self.files.way(&path).await?;
        self.add_way(&way);
        let is_new = way.made.last() == Some(&way.end);
        let there = way.passed.iter().rev().find(|(path, _)| *path == way.end);
        let attributes = match there {
            Some((_, attributes)) if !is_new && !self.overwrites => *attributes,
            _ => entry.attributes,
        };
        let attributes = self.dressed(attributes, true);
        if !way.end.is_root() {
            self.insert(Entry {
                path: way.end.clone(),
                attributes,
                ..entry.clone()
            });
        }
        self.real.insert(path, way.end);
        Ok(())
    }

    /// Writes what is no directory to a path on whose way there is no link.
    async fn file(&mut self, path: ImagePath, entry: &Entry) -> Result<(), Problem> {
        if let Node::Directory(_) = self.files.node(&path).await? {
            return Err(Problem::syntax_with(
                format!("{} would replace the directory {path} of the image", entry.path),
                format!("to put it into the directory, end the destination with a slash: {path}/"),
            ));
        }
        self.names.insert(entry.path.clone(), path.clone());
        let content = match &entry.content {
            FileContent::HardLink(to) => FileContent::HardLink(self.names.get(to).unwrap_or(to).clone()),
            other => other.clone(),
        };
        let attributes = match &content {
            FileContent::Link { .. } => Attributes {
                mode: 0o777,
                ..self.dressed(entry.attributes, false)
            },
            _ => self.dressed(entry.attributes, false),
        };
        self.insert(Entry {
            path,
            content,
            attributes,
            extended: entry.extended.clone(),
        });
        Ok(())
    }

    fn owned(&self, attributes: Attributes) -> Attributes {
        let (uid, gid) = self.owner.unwrap_or((attributes.uid, attributes.gid));
        Attributes { uid, gid, ..attributes }
    }

    fn dressed(&self, attributes: Attributes, is_directory: bool) -> Attributes {
        let mode = match &self.mode {
            Some(mode) => mode.apply(attributes.mode, is_directory),
            None => attributes.mode,
        };
        Attributes {
            mode,
            ..self.owned(attributes)
        }
    }

    /// Adds the directories on a way. Those of the base are told again, as they are: Docker makes up a parent that a
    /// layer leaves out, and shows that one in the place of the base's.
    fn add_way(&mut self, way: &Way) {
        let passed = way.passed.iter().map(|(path, attributes)| (path, *attributes));
        let mut made = self.owned(Attributes::PLAIN);
        if let Some((_, above)) = way.passed.last().filter(|(_, above)| above.mode & SET_GROUP != 0) {
            // As the kernel makes directories in one whose group is inherited.
            made.mode |= SET_GROUP;
            made.gid = self.owner.map_or(above.gid, |(_, gid)| gid);
        }
        let all: Vec<Entry> = passed
            .chain(way.made.iter().map(|path| (path, made)))
            .map(|(path, attributes)| Entry::new(path.clone(), FileContent::Directory, attributes))
            .collect();
        for entry in all {
            if !self.layer.contains_key(&entry.path) {
                self.insert(entry);
            }
        }
    }

    fn insert(&mut self, entry: Entry) {
        self.files.write(&entry);
        self.layer.insert(entry.path.clone(), entry);
    }
}

/// Makes a directory and those above it that are missing; nothing where all are there.
pub(super) async fn make_directory(
    files: &mut StageFiles,
    path: &ImagePath,
    owner: Option<(u64, u64)>,
) -> Result<Vec<Entry>, Problem> {
    files.expect_directory(path);
    let is_there = match files.way(path).await {
        Ok(way) => way.made.is_empty(),
        Err(Problem::Way(WayError::Occupied { path })) => {
            return Err(Problem::syntax(format!(
                "{path} is a file in the image, not a directory"
            )));
        }
        Err(other) => return Err(other),
    };
    if is_there {
        return Ok(Vec::new());
    }
    let mut placing = Placing::new(files, owner, None, false);
    placing.directory(path).await?;
    Ok(placing.finish())
}
