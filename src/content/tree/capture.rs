//! Taking files out of an image: only the layers that may hold them are read, each once, as a stream.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::headers::{Entry as TarEntry, EntryKind, Headers};
use super::layer::{LayerReader, unpacked};
use super::listing::Fact;
use super::unpack::{limit, unpack};
use super::{ContentError, Kind, Result, Tree};
use crate::recipe::{Entry, FileContent, ImagePath, Special, Store};

/// Files taken out of an image.
#[derive(Debug)]
struct Capture {
    roots: BTreeSet<ImagePath>,
    /// What upper layers have there.
    found: BTreeMap<ImagePath, Entry>,
    /// What is gone from lower layers, with all below it.
    gone: BTreeSet<ImagePath>,
    /// Directories whose content in lower layers is gone.
    opaque: BTreeSet<ImagePath>,
    store: Store,
}

impl Tree {
    /// Takes out what lies at each path and below it. Symbolic links are not followed: nothing is below one. Hard links
    /// become files of their own.
    ///
    /// # Errors
    /// As [`Tree::look_up`], and when there is no room in `temporary`.
    pub async fn capture(&self, roots: &BTreeSet<ImagePath>, temporary: &Path) -> Result<Vec<Entry>> {
        let mut capture = Capture {
            roots: roots.clone(),
            found: BTreeMap::new(),
            gone: BTreeSet::new(),
            opaque: BTreeSet::new(),
            store: Store::new(temporary),
        };
        for layer in self.layers.iter().rev() {
            if capture.is_complete() {
                break;
            }
            if self.says_nothing_of(layer, &capture.roots).await? {
                continue;
            }
            let size = limit(layer.size);
            let links;
            (capture, links) = unpacked(&self.source, layer, move |reader| capture.read(reader, size)).await?;
            if links.is_empty() {
                continue;
            }
            // The files that hard links name lie elsewhere in the same layer.
            let folder: PathBuf = temporary.to_owned();
            let targets: BTreeSet<ImagePath> = links.values().map(|(target, _)| target.clone()).collect();
            let others = Capture {
                roots: targets,
                found: BTreeMap::new(),
                gone: BTreeSet::new(),
                opaque: BTreeSet::new(),
                store: Store::new(&folder),
            };
            let (others, _) = unpacked(&self.source, layer, move |reader| others.read(reader, size)).await?;
            for (path, (target, _)) in links {
                let Some(file) = others.found.get(&target) else {
                    return Err(ContentError::new(
                        Kind::Invalid,
                        format!("cannot take {path} out of {}", self.source.place()),
                    )
                    .because(format!("it is a hard link to {target}, which its layer does not hold")));
                };
                let entry = Entry {
                    path: path.clone(),
                    ..file.clone()
                };
                capture.found.insert(path, entry);
            }
        }
        Ok(capture.found.into_values().collect())
    }

    /// Whether it is known that a layer has nothing at or below the paths and hides nothing there.
    async fn says_nothing_of(&self, layer: &crate::oci::Descriptor, roots: &BTreeSet<ImagePath>) -> Result<bool> {
        let Some(listing) = self.remembered(layer).await?.filter(|listing| listing.is_complete()) else {
            return Ok(false);
        };
        let mut says_something = false;
        listing.visit(|path, fact| {
            let Ok(path) = format!("/{path}").parse::<ImagePath>() else {
                return;
            };
            let hides = !matches!(fact, Fact::Directory(_));
            says_something |= roots
                .iter()
                .any(|root| path.is_within(root) || (hides && root.is_within(&path)));
        });
        Ok(!says_something)
    }
}

/// Hard links whose file is not among what was taken: what they name, and the link itself.
type Links = BTreeMap<ImagePath, (ImagePath, Entry)>;

impl Capture {
    /// Whether lower layers have nothing more to say.
    fn is_complete(&self) -> bool {
        self.roots.iter().all(|root| {
            let is_file = self.found.get(root).is_some_and(|entry| !entry.is_directory());
            is_file || self.opaque.contains(root) || self.is_hidden(root)
        })
    }

    /// Whether upper layers hide what lower ones have at a path.
    fn is_hidden(&self, path: &ImagePath) -> bool {
        self.gone.contains(path)
            || path.ancestors().any(|above| {
                self.gone.contains(&above)
                    || self.opaque.contains(&above)
                    || self.found.get(&above).is_some_and(|entry| !entry.is_directory())
            })
            || self.opaque.contains(&ImagePath::default())
    }

    /// Whether a path matters: it is taken, or what lies there decides about what is taken.
    fn is_wanted(&self, path: &ImagePath) -> bool {
        self.roots.iter().any(|root| path.is_within(root))
    }

    fn read(mut self, reader: LayerReader<'_>, limit: u64) -> io::Result<(Self, Links)> {
        let (_, bytes) = unpack(&mut *reader, limit)?;
        let mut headers = Headers::streaming(bytes);
        let mut here: BTreeMap<ImagePath, Entry> = BTreeMap::new();
        let mut names: BTreeMap<ImagePath, ImagePath> = BTreeMap::new();
        let (mut gone, mut opaque) = (BTreeSet::new(), BTreeSet::new());
        while let Some(entry) = headers.next()? {
            match Fact::of(entry.clone()) {
                Some((path, Fact::Whiteout)) => gone.extend(image_path(&path)),
                Some((path, Fact::Opaque)) => opaque.extend(image_path(&path)),
                Some((path, fact)) => {
                    let Some(path) = image_path(&path) else { continue };
                    if !self.is_wanted(&path) {
                        // What is no directory hides what lower layers have below it.
                        if !matches!(fact, Fact::Directory(_)) && self.roots.iter().any(|root| root.is_within(&path)) {
                            gone.insert(path);
                        }
                        continue;
                    }
                    if self.is_hidden(&path) || self.found.contains_key(&path) {
                        continue;
                    }
                    names.remove(&path);
                    if entry.kind == EntryKind::HardLink {
                        names.extend(
                            image_path(&super::headers::normalised(entry.link.as_bytes())).map(|to| (path.clone(), to)),
                        );
                    }
                    let content = self.content(&entry, &mut headers)?;
                    here.insert(
                        path.clone(),
                        Entry {
                            extended: entry.extended.clone(),
                            ..Entry::new(path, content, entry.attributes)
                        },
                    );
                }
                None => {}
            }
        }
        drop(headers);
        // Only the stream's end says that what was read is what the digest names.
        io::copy(reader, &mut io::sink())?;
        let mut missing = Links::new();
        for (path, target) in names {
            let Some(link) = here.remove(&path) else { continue };
            match here.get(&target) {
                Some(file) => {
                    let file = Entry {
                        path: path.clone(),
                        ..file.clone()
                    };
                    here.insert(path, file);
                }
                None => {
                    missing.insert(path, (target, link));
                }
            }
        }
        self.found.extend(here);
        self.gone.extend(gone);
        self.opaque.extend(opaque);
        Ok((self, missing))
    }

    fn content<R: io::Read>(&mut self, entry: &TarEntry, headers: &mut Headers<R>) -> io::Result<FileContent> {
        let store = &mut self.store;
        Ok(match entry.kind {
            EntryKind::Directory => FileContent::Directory,
            EntryKind::Symlink => FileContent::Link {
                to: entry.link.clone(),
                path: PathBuf::new(),
            },
            EntryKind::File if entry.is_sparse => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{} is sparse, which shipway does not unpack", entry.path),
                ));
            }
            EntryKind::File if entry.kind_byte == b'6' => FileContent::Special(Special::Pipe),
            EntryKind::File if matches!(entry.kind_byte, b'3' | b'4') => {
                let (major, minor) = entry.device;
                FileContent::Special(match entry.kind_byte {
                    b'3' => Special::Character { major, minor },
                    _ => Special::Block { major, minor },
                })
            }
            EntryKind::File | EntryKind::HardLink => {
                FileContent::Stored(headers.with_content(entry, |bytes| store.keep(bytes, entry.size))?)
            }
        })
    }
}

/// The path of an entry; `None` for one that no image can hold.
fn image_path(path: &str) -> Option<ImagePath> {
    format!("/{path}").parse().ok()
}
