use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tar::{EntryType, Header};

use super::*;

const DIRECTORY: Node = Node::Directory(Attributes::PLAIN);
use crate::content::verify::verified;
use crate::content::{BlobStream, Selector};
use crate::oci::media_type::OCI_LAYER;
use crate::oci::{Manifest, Tag};

const PIECE: usize = 1000;

/// Layers in memory; counts what is read of each.
#[derive(Debug, Default)]
struct Counting {
    place: String,
    layers: Vec<(Descriptor, Bytes, Arc<AtomicU64>)>,
}

impl Counting {
    fn with(layers: &[Vec<u8>]) -> Self {
        let layer = |bytes: &Vec<u8>| (Descriptor::of(OCI_LAYER, bytes), bytes.clone().into(), Arc::default());
        Self {
            place: "here".to_owned(),
            layers: layers.iter().map(layer).collect(),
        }
    }

    fn descriptors(&self) -> Vec<Descriptor> {
        self.layers.iter().map(|(descriptor, ..)| descriptor.clone()).collect()
    }

    fn read(&self) -> Vec<u64> {
        self.layers
            .iter()
            .map(|(.., read)| read.swap(0, Ordering::SeqCst))
            .collect()
    }
}

#[async_trait]
impl Source for Counting {
    fn place(&self) -> String {
        self.place.clone()
    }

    async fn resolve(&self, _: &Selector) -> Result<Manifest> {
        Err(ContentError::new(Kind::NotFound, "no manifests"))
    }

    async fn peek(&self, _: &Tag) -> Result<Option<Digest>> {
        Ok(None)
    }

    async fn fetch(&self, blob: &Descriptor) -> Result<BlobStream> {
        let found = self
            .layers
            .iter()
            .find(|(descriptor, ..)| descriptor.digest == blob.digest);
        let (_, bytes, read) = found
            .cloned()
            .ok_or_else(|| ContentError::new(Kind::NotFound, "no such blob"))?;
        let pieces: Vec<Bytes> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
        let stream = futures_util::stream::iter(pieces).map(move |piece| {
            read.fetch_add(piece.len() as u64, Ordering::SeqCst);
            Ok(piece)
        });
        Ok(verified(Box::pin(stream), blob, &self.place))
    }
}

/// A layer out of lines: `dir/`, `dir/ MODE UID`, `file`, `link -> target`, `name = hard link`.
fn layer(entries: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_ustar();
        header.set_size(0);
        header.set_mode(0o755);
        let mut words = entry.split("/ ").nth(1).into_iter().flat_map(str::split_whitespace);
        let entry = entry
            .split_once("/ ")
            .map_or((*entry).to_owned(), |(path, _)| format!("{path}/"));
        let entry = entry.as_str();
        if let (Some(mode), Some(uid)) = (words.next(), words.next()) {
            header.set_mode(u32::from_str_radix(mode, 8).expect("mode"));
            header.set_uid(uid.parse().expect("uid"));
        }
        let (kind, path, target) = if let Some((path, target)) = entry.split_once(" -> ") {
            (EntryType::Symlink, path, target)
        } else if let Some((path, target)) = entry.split_once(" = ") {
            (EntryType::Link, path, target)
        } else if entry.ends_with('/') {
            (EntryType::Directory, entry, "")
        } else {
            (EntryType::Regular, entry, "")
        };
        header.set_entry_type(kind);
        // Names as a stranger may write them, which the crate's setters refuse.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, &b""[..]).expect("entry");
    }
    builder.into_inner().expect("tar")
}

fn paths(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

/// What a tree of these layers, the lowest first, says about a path.
async fn node(layers: &[&[&str]], path: &str) -> Node {
    let layers: Vec<Vec<u8>> = layers.iter().map(|entries| layer(entries)).collect();
    let source = Counting::with(&layers);
    let descriptors = source.descriptors();
    let tree = Tree::new(Arc::new(source), descriptors, None);
    tree.look_up(&paths(&[path]))
        .await
        .expect("answer")
        .remove(path)
        .expect("an answer for each path")
}

fn link(target: &str) -> Node {
    Node::Link(target.to_owned())
}

#[tokio::test]
async fn every_kind_of_entry() {
    let base: &[&str] = &[
        "bin -> usr/bin",
        "tmp/",
        "etc/passwd",
        "usr/bin/sh",
        "usr/bin/bash = usr/bin/sh",
        "opt -> /srv/opt",
    ];
    for (path, expected) in [
        ("bin", link("usr/bin")),
        ("bin/sh", Node::Missing),
        ("opt", link("/srv/opt")),
        ("tmp", DIRECTORY),
        ("etc", DIRECTORY),
        ("usr/bin", DIRECTORY),
        ("etc/passwd", Node::File),
        ("etc/passwd/x", Node::Missing),
        ("usr/bin/bash", Node::File),
        ("us", Node::Missing),
        ("", DIRECTORY),
        ("/tmp/", DIRECTORY),
    ] {
        assert_eq!(node(&[base], path).await, expected, "{path}");
    }
    assert_eq!(node(&[], "a").await, Node::Missing);
}

#[tokio::test]
async fn names_are_read_as_an_unpacker_does() {
    let base: &[&str] = &["./opt/", "/srv", "a/../b/", "../../c/"];
    for (path, expected) in [
        ("opt", DIRECTORY),
        ("srv", Node::File),
        ("b", DIRECTORY),
        ("a", Node::Missing),
        ("c", DIRECTORY),
    ] {
        assert_eq!(node(&[base], path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn upper_layers_come_first() {
    // A directory over a file, a file over a directory, a link over a directory.
    assert_eq!(node(&[&["a"], &["a/"]], "a").await, DIRECTORY);
    assert_eq!(node(&[&["a/b"], &["a"]], "a").await, Node::File);
    assert_eq!(node(&[&["a/b"], &["a"]], "a/b").await, Node::Missing);
    assert_eq!(node(&[&["a/b"], &["a -> c"]], "a/b").await, Node::Missing);
    assert_eq!(node(&[&["a/b"], &["a -> c"]], "a").await, link("c"));
    // A directory hides nothing, but what a file between hides stays hidden.
    assert_eq!(node(&[&["a/b"], &["a/"]], "a/b").await, Node::File);
    assert_eq!(node(&[&["a/b"], &["a"], &["a/"]], "a/b").await, Node::Missing);
}

#[tokio::test]
async fn of_duplicates_the_last_counts() {
    let entries = ["a", "b", "a/", "b -> c", "end"];
    let source = Counting::with(&[layer(&entries)]);
    let descriptors = source.descriptors();
    let tree = Tree::new(Arc::new(source), descriptors, None);
    let answers = tree.look_up(&paths(&["a", "b", "end"])).await.expect("answers");
    assert_eq!(
        answers.into_values().collect::<Vec<_>>(),
        [DIRECTORY, link("c"), Node::File]
    );
}

#[tokio::test]
async fn whiteouts_hide_lower_layers_only() {
    let base: &[&str] = &["opt/sql/a", "opt/b"];
    assert_eq!(node(&[base, &["opt/.wh.sql"]], "opt/sql").await, Node::Missing);
    assert_eq!(node(&[base, &["opt/.wh.sql"]], "opt/sql/a").await, Node::Missing);
    assert_eq!(node(&[base, &["opt/.wh.sql"]], "opt/b").await, Node::File);
    assert_eq!(node(&[base, &["opt/.wh.sql"]], "opt").await, DIRECTORY);
    assert_eq!(node(&[base, &[".wh.opt"]], "opt/sql").await, Node::Missing);
    // The layer's own entries stay, before the whiteout and behind it, and layers above may bring it back.
    assert_eq!(node(&[base, &["opt/sql/", "opt/.wh.sql"]], "opt/sql").await, DIRECTORY);
    assert_eq!(
        node(&[base, &["opt/.wh.sql", "opt/sql -> x"]], "opt/sql").await,
        link("x")
    );
    assert_eq!(
        node(&[base, &["opt/.wh.sql", "opt/sql/"]], "opt/sql/a").await,
        Node::Missing
    );
    assert_eq!(node(&[base, &[".wh.opt"], &["opt/sql/"]], "opt/sql").await, DIRECTORY);
    assert_eq!(node(&[base, &[".wh.opt"], &["opt/sql/"]], "opt/b").await, Node::Missing);
}

#[tokio::test]
async fn opaque_directories_hide_lower_content() {
    let base: &[&str] = &["opt/sql/a", "opt/b"];
    let opaque: &[&str] = &["opt/.wh..wh..opq", "opt/new"];
    for (path, expected) in [
        ("opt", DIRECTORY),
        ("opt/new", Node::File),
        ("opt/b", Node::Missing),
        ("opt/sql/a", Node::Missing),
    ] {
        assert_eq!(node(&[base, opaque], path).await, expected, "{path}");
    }
    assert_eq!(node(&[base, &[".wh..wh..opq"]], "opt").await, Node::Missing);
    assert_eq!(
        node(&[base, &["opt/new", "opt/.wh..wh..opq"]], "opt/new").await,
        Node::File
    );
}

fn long(first: &[&str]) -> Vec<u8> {
    let names: Vec<String> = (0..1000).map(|number| format!("zzz/{number}")).collect();
    layer(
        &first
            .iter()
            .copied()
            .chain(names.iter().map(String::as_str))
            .collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn reads_no_more_than_the_answers_need() {
    let source = Arc::new(Counting::with(&[long(&["a/"]), long(&["b/"]), long(&["c/"])]));
    let tree = Tree::new(source.clone(), source.descriptors(), None);
    assert_eq!(tree.look_up(&paths(&["c"])).await.expect("c")["c"], DIRECTORY);
    let read = source.read();
    assert_eq!(read[..2], [0, 0], "lower layers are not fetched");
    assert!(read[2] <= 8 * PIECE as u64, "{read:?}");

    // Below: all of the upper layer, then the beginning of the next.
    assert_eq!(tree.look_up(&paths(&["b", "c"])).await.expect("b").len(), 2);
    let read = source.read();
    assert_eq!((read[0], read[2]), (0, source.layers[2].0.size));
    assert!(read[1] <= 8 * PIECE as u64, "{read:?}");

    // What was read is not read again, and a part of a layer answers for what it holds.
    assert_eq!(tree.look_up(&paths(&["b", "c", "zzz/999"])).await.expect("b").len(), 3);
    assert_eq!(source.read(), [0, 0, 0]);
    assert_eq!(tree.look_up(&BTreeSet::new()).await.expect("nothing").len(), 0);
    assert_eq!(tree.look_up(&paths(&["d"])).await.expect("d")["d"], Node::Missing);
    assert_eq!(source.read(), [source.layers[0].0.size, source.layers[1].0.size, 0]);
}

#[tokio::test]
async fn the_cache_serves_other_runs() {
    let folder = tempfile::tempdir().expect("folder");
    let cache = Cache::at(folder.path());
    let layers = [long(&["a/"]), long(&["b/"])];
    let run = async |place: &str, path: &str| {
        let mut source = Counting::with(&layers);
        place.clone_into(&mut source.place);
        let source = Arc::new(source);
        let tree = Tree::new(source.clone(), source.descriptors(), Some(cache.clone()));
        let answers = tree.look_up(&paths(&[path])).await.expect("answer");
        (answers[path].clone(), source.read())
    };
    assert!(run("here", "a").await.1.iter().all(|read| *read > 0));
    assert_eq!(run("here", "a").await, (DIRECTORY, vec![0, 0]));
    // The lower layer was not read to its end: what another place says of it is not known.
    let (answer, read) = run("there", "a").await;
    assert_eq!((answer, read[1]), (DIRECTORY, 0));
    assert!(read[0] > 0);
    assert_eq!(run("here", "missing").await.0, Node::Missing);
    assert_eq!(run("there", "missing").await, (Node::Missing, vec![0, 0]));
}

#[tokio::test]
async fn compressed_layers_are_told_by_their_bytes() {
    use std::io::Write as _;
    let plain = long(&["a/"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("gzip");
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    for bytes in [gzip.finish().expect("gzip"), zstd] {
        let source = Arc::new(Counting::with(&[bytes]));
        let tree = Tree::new(source.clone(), source.descriptors(), None);
        assert_eq!(
            tree.look_up(&paths(&["zzz/7", "b"])).await.expect("answer")["zzz/7"],
            Node::File
        );
        assert_eq!(source.read(), [source.layers[0].0.size], "read to the end once");
        assert_eq!(tree.look_up(&paths(&["a", "c"])).await.expect("answer")["a"], DIRECTORY);
        assert_eq!(source.read(), [0]);
    }
}

async fn failure(source: Counting, descriptors: Vec<Descriptor>) -> ContentError {
    let tree = Tree::new(Arc::new(source), descriptors, None);
    tree.look_up(&paths(&["x"])).await.expect_err("failure")
}

fn told(error: &ContentError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_that_names_the_layer() {
    let source = Counting::with(&[vec![1; 5000]]);
    let descriptors = source.descriptors();
    let error = failure(source, descriptors.clone()).await;
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(
        told(&error).contains(&descriptors[0].digest.to_string()),
        "{}",
        told(&error)
    );
    assert!(told(&error).contains("not a tar file"), "{}", told(&error));

    // Bytes that lie are told by the source's own error.
    let source = Counting::with(&[layer(&["a"])]);
    let mut lie = source.descriptors();
    lie[0].size += 1;
    assert_eq!(failure(source, lie).await.kind(), Kind::Temporary);

    let mut foreign = Descriptor::of("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"x");
    let error = failure(Counting::default(), vec![foreign.clone()]).await;
    assert_eq!((error.kind(), error.hints().len()), (Kind::NotFound, 1));
    foreign.media_type = OCI_LAYER.to_owned();
    assert!(failure(Counting::default(), vec![foreign]).await.hints().is_empty());
}

#[tokio::test]
async fn a_directory_is_like_its_own_entry_says_wherever_that_is() {
    let sticky = Node::Directory(Attributes {
        mode: 0o1777,
        uid: 7,
        gid: 0,
    });
    let base: &[&str] = &["tmp/ 1777 7", "opt/ 0700 1"];
    assert_eq!(node(&[base], "tmp").await, sticky);
    // An upper layer that only has something in it says nothing of it.
    assert_eq!(node(&[base, &["tmp/x"]], "tmp").await, sticky);
    assert_eq!(node(&[&["tmp"], &["tmp/x"]], "tmp").await, DIRECTORY);
    assert_eq!(node(&[base, &[".wh.tmp", "tmp/x"]], "tmp").await, DIRECTORY);
    assert_eq!(node(&[base, &["tmp/x", ".wh.tmp"]], "tmp").await, DIRECTORY);
    assert_eq!(node(&[&["tmp/x"]], "tmp").await, DIRECTORY);
}

/// What is taken out of a tree of these layers: paths, with ` -> target` for links, `/` for directories, and the owner
/// of everything else, by which layers can be told apart.
async fn captured(layers: &[&[&str]], roots: &[&str]) -> Vec<String> {
    let layers: Vec<Vec<u8>> = layers.iter().map(|entries| layer(entries)).collect();
    let source = Counting::with(&layers);
    let descriptors = source.descriptors();
    let tree = Tree::new(Arc::new(source), descriptors, None);
    let roots = roots.iter().map(|root| root.parse().expect("path")).collect();
    let folder = tempfile::tempdir().expect("folder");
    let entries = tree.capture(&roots, folder.path()).await.expect("captured");
    let tell = |entry: crate::recipe::Entry| match entry.content {
        crate::recipe::FileContent::Directory => format!("{}/ {:o}", entry.path, entry.attributes.mode),
        crate::recipe::FileContent::Link { to, .. } => format!("{} -> {to}", entry.path),
        _ => entry.path.to_string(),
    };
    entries.into_iter().map(tell).collect()
}

#[tokio::test]
async fn what_is_taken_out_is_what_the_layers_show() {
    let base: &[&str] = &[
        "opt/ 700 7",
        "opt/a",
        "opt/b",
        "opt/c/d",
        "opt/c/e",
        "opt/f",
        "etc/passwd",
        "lib -> usr",
    ];
    let upper: &[&str] = &[
        "opt/.wh.b",
        "opt/c/.wh..wh..opq",
        "opt/c/new",
        "opt/f/ 755 0",
        "opt/f/x",
    ];
    assert_eq!(
        captured(&[base, upper], &["/opt"]).await,
        ["/opt/ 700", "/opt/a", "/opt/c/new", "/opt/f/ 755", "/opt/f/x"]
    );
    assert_eq!(
        captured(&[base, upper], &["/opt/a", "/lib"]).await,
        ["/lib -> usr", "/opt/a"]
    );
    assert_eq!(
        captured(&[base, upper], &["/opt/b", "/nothing"]).await,
        Vec::<String>::new()
    );
    // A file or link above hides what lower layers have below it, and so does a whiteout.
    for above in ["opt", ".wh.opt", "opt -> etc", ".wh..wh..opq"] {
        let top: &[&str] = &[above];
        let taken = captured(&[base, top], &["/opt/a", "/opt/c"]).await;
        assert_eq!(taken, Vec::<String>::new(), "{above}");
    }
}

#[tokio::test]
async fn hard_links_become_files_wherever_their_file_is() {
    let base: &[&str] = &["usr/bin/bash", "usr/bin/sh = usr/bin/bash", "bin/zsh = usr/bin/bash"];
    assert_eq!(captured(&[base], &["/bin"]).await, ["/bin/zsh"]);
    assert_eq!(captured(&[base], &["/usr/bin/sh"]).await, ["/usr/bin/sh"]);
}

#[tokio::test]
async fn a_file_that_was_found_ends_the_search() {
    let layers = [layer(&["a", "b"]), layer(&["a"])];
    let source = Counting::with(&layers);
    let descriptors = source.descriptors();
    let source = Arc::new(source);
    let tree = Tree::new(Arc::clone(&source) as Arc<dyn Source>, descriptors, None);
    let folder = tempfile::tempdir().expect("folder");
    let roots = BTreeSet::from(["/a".parse().expect("path")]);
    tree.capture(&roots, folder.path()).await.expect("captured");
    assert_eq!(source.read()[0], 0, "the lower layer is not read");
    // What is known to hold nothing of it is not read either.
    tree.look_up(&paths(&["nothing"])).await.expect("answer");
    source.read();
    let roots = BTreeSet::from(["/b".parse().expect("path")]);
    tree.capture(&roots, folder.path()).await.expect("captured");
    assert_eq!(source.read()[1], 0, "the upper layer is known to say nothing of it");
}
