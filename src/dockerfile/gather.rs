//! What an instruction copies: files picked from a tree, texts, addresses, unpacked archives.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::archive;
use super::blueprint::DockerfileBlueprint;
use super::error::Problem;
use super::plan::{PlannedCopy, PlannedSource};
use super::select::{Picked, SelectOptions, select};
use super::tree::FileTree;
use crate::content::tree::clamped;
use crate::oci::Attributes;
use crate::recipe::{Entry, FileContent, ImagePath, Stored};

/// The mode of what stands in the Dockerfile.
const OF_TEXT: u32 = 0o644;
/// The mode of what comes from an address (Dockerfile reference, "ADD").
const OF_ADDRESS: u32 = 0o600;

/// What an instruction copies.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By source: what it selected, the source itself first.
    pub sources: Vec<Vec<Picked>>,
    /// Archives that are unpacked.
    pub archives: Vec<Archive>,
}

/// The entries of an archive, whose root is the destination.
#[derive(Debug)]
pub(super) struct Archive {
    entries: Vec<Entry>,
}

impl Archive {
    /// The entries below the directory that the destination really is.
    pub(super) fn below(&self, directory: &ImagePath) -> Result<Vec<Entry>, Problem> {
        let moved = |path: &ImagePath| directory.join(path.relative());
        let entry = |entry: &Entry| {
            let content = match &entry.content {
                FileContent::HardLink(to) => FileContent::HardLink(moved(to)?),
                other => other.clone(),
            };
            Ok(Entry {
                path: moved(&entry.path)?,
                content,
                ..entry.clone()
            })
        };
        self.entries.iter().map(entry).collect()
    }
}

impl Gathered {
    /// Everything that was picked.
    pub(super) fn picked(&self) -> Vec<Picked> {
        self.sources.iter().flatten().cloned().collect()
    }

    /// Whether the destination will be a directory, whatever is there.
    pub(super) fn makes_directory(&self, copy: &PlannedCopy) -> bool {
        let is_directory = |picked: &Vec<Picked>| {
            let first = picked.first();
            first.is_some_and(|first| !first.relative.is_empty() || first.entry.is_directory())
        };
        copy.into_directory || !self.archives.is_empty() || self.sources.iter().any(is_directory)
    }

    /// The paths whose nodes decide where things go.
    pub(super) fn candidates(&self, copy: &PlannedCopy, paths: &mut BTreeSet<ImagePath>) {
        paths.insert(copy.destination.clone());
        for picked in self.sources.iter().flatten() {
            let below = match picked.relative.is_empty() {
                true if picked.entry.is_directory() => continue,
                true => picked.source.name(),
                false => &picked.relative,
            };
            paths.extend(copy.destination.join(below));
        }
        let entries = self.archives.iter().flat_map(|archive| &archive.entries);
        paths.extend(entries.flat_map(|entry| copy.destination.join(entry.path.relative())));
    }
}

impl PlannedCopy {
    /// The paths of the sources, from the root of what they are copied from.
    pub(super) fn paths_from_root(&self) -> Result<Vec<ImagePath>, Problem> {
        let path = |source: &PlannedSource| match source {
            PlannedSource::Path(text) => Some(clamped(&ImagePath::default(), text).map_err(Problem::from)),
            PlannedSource::Remote(_) | PlannedSource::Text { .. } => None,
        };
        self.sources.iter().filter_map(path).collect()
    }
}

/// Finds what an instruction copies.
pub(super) async fn gather(
    copy: &PlannedCopy,
    tree: Arc<dyn FileTree>,
    blueprint: &DockerfileBlueprint,
) -> Result<Gathered, Problem> {
    let mut gathered = Gathered::default();
    for source in &copy.sources {
        match source {
            PlannedSource::Text { name, content } => {
                let content = Stored::Memory(content.clone().into_bytes().into());
                let entry = made(name, FileContent::Stored(content), OF_TEXT)?;
                gathered.sources.push(vec![entry]);
            }
            PlannedSource::Remote(address) => {
                let file = fetch(address, copy, blueprint).await?;
                let archive = match copy.unpack {
                    Some(true) => unpacked(&file, blueprint).await?,
                    _ => None,
                };
                match archive {
                    Some(archive) => gathered.archives.push(archive),
                    None if copy.unpack == Some(true) => {
                        return Err(Problem::syntax(format!(
                            "{} is no archive that could be unpacked",
                            shown(address)
                        )));
                    }
                    None => gathered.sources.push(vec![file]),
                }
            }
            PlannedSource::Path(text) if copy.checksum.is_some() => {
                return Err(Problem::syntax_with(
                    format!("--checksum is for addresses, and {text:?} is a file of the context"),
                    "leave it out: the file is under your control, in git as well as in the context",
                ));
            }
            PlannedSource::Path(text) => {
                let (tree, pattern, copied) = (Arc::clone(&tree), text.clone(), copy.clone());
                let selected = tokio::task::spawn_blocking(move || {
                    let options = SelectOptions {
                        parents: copied.parents,
                        exclude: Some(&copied.exclude).filter(|rules| !rules.is_empty()),
                    };
                    select(tree.as_ref(), &pattern, options)
                });
                for picked in by_source(selected.await??) {
                    let may_unpack = copy.is_add && copy.unpack != Some(false);
                    let archive = match picked.as_slice() {
                        [file] if may_unpack && is_file(file) => unpacked(file, blueprint).await?,
                        _ => None,
                    };
                    match archive {
                        Some(archive) => gathered.archives.push(archive),
                        None => gathered.sources.push(picked),
                    }
                }
            }
        }
    }
    if gathered.sources.is_empty() && gathered.archives.is_empty() {
        // BuildKit makes an empty layer of it: an image that lacks its scripts, and nobody is told.
        return Err(Problem::syntax_with(
            "its patterns fit no file",
            "look for a typing error, or for a line of .dockerignore that leaves them out",
        ));
    }
    Ok(gathered)
}

fn is_file(picked: &Picked) -> bool {
    matches!(picked.entry.content, FileContent::Local { .. } | FileContent::Stored(_))
}

/// What a pattern selected, one list for each source it fits.
fn by_source(picked: Vec<Picked>) -> Vec<Vec<Picked>> {
    let mut all: Vec<Vec<Picked>> = Vec::new();
    for one in picked {
        match all.last_mut() {
            Some(last) if last[0].source == one.source => last.push(one),
            _ => all.push(vec![one]),
        }
    }
    all
}

fn made(name: &str, content: FileContent, mode: u32) -> Result<Picked, Problem> {
    let path = ImagePath::default().join(name)?;
    Ok(Picked {
        source: path.clone(),
        relative: String::new(),
        entry: Entry::new(path, content, Attributes::of_root(mode)),
    })
}

/// Unpacks a file, if it is an archive.
async fn unpacked(file: &Picked, blueprint: &DockerfileBlueprint) -> Result<Option<Archive>, Problem> {
    let name = file.source.relative().to_owned();
    let content = file.entry.content.clone();
    let temporary = blueprint.temp_folder.clone();
    let unpacking = tokio::task::spawn_blocking(move || archive::unpack(&name, &content, &temporary));
    Ok(unpacking.await??.map(|entries| Archive { entries }))
}

async fn fetch(address: &str, copy: &PlannedCopy, blueprint: &DockerfileBlueprint) -> Result<Picked, Problem> {
    if !address.starts_with("http") || address.ends_with(".git") || address.contains(".git#") {
        return Err(Problem::syntax_with(
            format!("{} is a git repository, which shipway does not fetch", shown(address)),
            "check it out into the build context before, as CI jobs do; or --engine docker",
        ));
    }
    let downloaded = (blueprint.download)(address.to_owned()).await?;
    if let Some(expected) = copy.checksum
        && expected != downloaded.digest
    {
        return Err(Problem::syntax_with(
            format!(
                "{} has the checksum {}, not {expected}",
                shown(address),
                downloaded.digest
            ),
            "something else is there now; if it is meant to be, change --checksum",
        ));
    }
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let last = path.split_once('/').map(|(_, path)| path).unwrap_or_default();
    let last = last.rsplit('/').next().unwrap_or_default();
    let name = downloaded.name.filter(|name| !name.is_empty() && !name.contains('/'));
    let name = name.unwrap_or_else(|| last.to_owned());
    if name.is_empty() && copy.into_directory {
        return Err(Problem::syntax_with(
            format!("{} does not say what the file is called", shown(address)),
            "name it in the destination, without a slash at the end",
        ));
    }
    let name = if name.is_empty() { "download" } else { &name };
    made(name, FileContent::Stored(downloaded.content), OF_ADDRESS)
}

/// An address without what may be a login: user and password, and the query.
fn shown(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    match scheme {
        "" => format!("{host}/{path}"),
        _ => format!("{scheme}://{host}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_addresses_are_not_shown() {
        for address in [
            "https://oauth2:secret@a.b/c.git",
            "https://secret@a.b/c.git#main",
            "https://a.b/c.git?token=secret",
            "git@a.b:c/secret@x",
        ] {
            let shown = shown(address);
            assert!(
                shown.contains("a.b") && (!shown.contains("secret") || shown.starts_with("a.b:c")),
                "{shown}"
            );
        }
    }
}
