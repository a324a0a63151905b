//! Entries of a tar file, put one after another where they belong, as if they were unpacked.

use std::collections::BTreeMap;

use super::member::{Member, MemberContent};
use crate::dockerfile::context::Unfit;
use crate::dockerfile::select::links::{LinkError, follow};
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath};

/// What the root of a tar file holds after some of its entries.
#[derive(Debug, Default)]
pub(in crate::dockerfile) struct Arrangement {
    /// By path, without a leading slash.
    nodes: BTreeMap<String, Node>,
    /// The files, which may have several names.
    files: Vec<File>,
}

#[derive(Debug)]
enum Node {
    /// A directory that only lies on the way of others.
    Implied,
    Directory(Attributes, Extended),
    /// One of the files.
    File(usize),
    Unfit(Unfit),
}

#[derive(Debug)]
struct File {
    content: FileContent,
    attributes: Attributes,
    extended: Extended,
}

type Extended = BTreeMap<String, Vec<u8>>;

/// What an arrangement is made of.
#[derive(Debug)]
pub(in crate::dockerfile) struct Arranged {
    /// The entries, sorted, a directory before what is in it. The first name of a file has its content, other ones are
    /// hard links to it.
    pub(in crate::dockerfile) entries: Vec<Entry>,
    /// What cannot be in an image: its directory, its name, and why.
    pub(in crate::dockerfile) unfit: Vec<(String, String, Unfit)>,
}

impl Arrangement {
    /// Puts a member where it belongs. Links of earlier members are followed on the way; nothing leads out of the root.
    ///
    /// # Errors
    /// When it cannot be there.
    pub(in crate::dockerfile) fn place(&mut self, member: Member) -> Result<(), Unfit> {
        let Some((name, parents)) = member.parts.split_last() else {
            // The root is the destination, whose attributes are not the archive's affair.
            return Ok(());
        };
        let parent = self.directory(&parents.join("/"))?;
        let path = if parent.is_empty() {
            name.clone()
        } else {
            format!("{parent}/{name}")
        };
        let node = match member.content {
            MemberContent::Unfit(why) => Node::Unfit(why),
            MemberContent::Directory => {
                if !matches!(self.nodes.get(&path), Some(Node::Directory(..) | Node::Implied)) {
                    self.remove(&path);
                }
                self.nodes
                    .insert(path, Node::Directory(member.attributes, member.extended));
                return Ok(());
            }
            MemberContent::HardLink(to) => {
                let file = self.linked(&to, &path)?;
                // Whatever the last name of a file says of it is so for all of them.
                if !matches!(self.files[file].content, FileContent::Link { .. }) {
                    self.files[file].attributes = member.attributes;
                }
                Node::File(file)
            }
            MemberContent::File(content) => {
                self.files.push(File {
                    content,
                    attributes: member.attributes,
                    extended: member.extended,
                });
                Node::File(self.files.len() - 1)
            }
        };
        self.remove(&path);
        self.nodes.insert(path, node);
        Ok(())
    }

    /// Where the directory at a path really is; it and those above it are there from now on.
    fn directory(&mut self, path: &str) -> Result<String, Unfit> {
        let real = follow(path, true, |path| Ok(self.link(path))).map_err(links)?;
        let all = std::iter::successors(Some(real.clone()), ImagePath::parent);
        let missing: Vec<String> = all
            .map(|path| path.relative().to_owned())
            .take_while(|path| !path.is_empty())
            .filter_map(|path| match self.nodes.get(&path) {
                None => Some(Ok(path)),
                Some(Node::Implied | Node::Directory(..)) => None,
                Some(Node::File(_) | Node::Unfit(_)) => Some(Err(Unfit::Below(path))),
            })
            .collect::<Result<_, _>>()?;
        self.nodes.extend(missing.into_iter().map(|path| (path, Node::Implied)));
        Ok(real.relative().to_owned())
    }

    fn link(&self, path: &ImagePath) -> Option<String> {
        let Some(Node::File(file)) = self.nodes.get(path.relative()) else {
            return None;
        };
        match &self.files[*file].content {
            FileContent::Link { to, .. } => Some(to.clone()),
            _ => None,
        }
    }

    /// The file that a hard link at `path` names.
    fn linked(&self, to: &str, path: &str) -> Result<usize, Unfit> {
        let missing = || Unfit::HardLink(to.to_owned());
        let real = follow::<LinkError>(to, false, |path| Ok(self.link(path))).map_err(links)?;
        match self.nodes.get(real.relative()) {
            Some(Node::File(file)) if real.relative() != path => Ok(*file),
            Some(Node::Unfit(why)) => Err(why.clone()),
            _ => Err(missing()),
        }
    }

    fn remove(&mut self, path: &str) {
        self.nodes.remove(path);
        // '0' is the character behind '/'.
        let below: Vec<String> = self
            .nodes
            .range(format!("{path}/")..format!("{path}0"))
            .map(|(path, _)| path.clone())
            .collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    /// What it holds. A name that would be refused was made unfit by whoever read it.
    pub(in crate::dockerfile) fn finish(self) -> Arranged {
        let mut files: Vec<Option<File>> = self.files.into_iter().map(Some).collect();
        let mut first_names: BTreeMap<usize, (ImagePath, Attributes)> = BTreeMap::new();
        let mut arranged = Arranged {
            entries: Vec::new(),
            unfit: Vec::new(),
        };
        for (path, node) in self.nodes {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let image_path = match (&node, ImagePath::default().join(&path)) {
                (Node::Unfit(why), _) => {
                    arranged
                        .unfit
                        .push((directory.to_owned(), name.to_owned(), why.clone()));
                    continue;
                }
                (_, Err(error)) => {
                    arranged
                        .unfit
                        .push((directory.to_owned(), name.to_owned(), Unfit::Path(error)));
                    continue;
                }
                (_, Ok(image_path)) => image_path,
            };
            match node {
                Node::Implied | Node::Unfit(_) => {}
                Node::Directory(attributes, extended) => arranged.entries.push(Entry {
                    path: image_path,
                    content: FileContent::Directory,
                    attributes,
                    extended,
                }),
                Node::File(index) => match files.get_mut(index).and_then(Option::take) {
                    Some(file) => {
                        first_names.insert(index, (image_path.clone(), file.attributes));
                        arranged.entries.push(Entry {
                            path: image_path,
                            content: file.content,
                            attributes: file.attributes,
                            extended: file.extended,
                        });
                    }
                    None => {
                        if let Some((first, attributes)) = first_names.get(&index) {
                            let link = FileContent::HardLink(first.clone());
                            arranged.entries.push(Entry::new(image_path, link, *attributes));
                        }
                    }
                },
            }
        }
        arranged
    }
}

fn links(error: LinkError) -> Unfit {
    match error {
        LinkError::TooMany(path) => Unfit::Links(path),
        LinkError::Path(error) => Unfit::Path(error),
    }
}
