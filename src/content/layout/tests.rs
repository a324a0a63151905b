use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::*;
use crate::content::compress::LayerWriter;
use crate::content::format::{BLOBS, INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT, REF_NAME};
use crate::content::verify::collect;
use crate::content::{Blob, ContentError, Image, Kind, Origin, Placement, Selector, Source, Target};
use crate::oci::{
    Body, Descriptor, Digest, Family, History, ImageConfig, ImageManifest, Index, Manifest, Platform, Tag,
};

/// An image of one layer with one file.
pub(crate) fn image(family: Family, text: &str) -> Image {
    let mut layer = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    layer
        .append_data(&mut header, "sql/V1__x.sql", text.as_bytes())
        .expect("entry");
    let tar = layer.into_inner().expect("tar");
    let mut writer = LayerWriter::new(Path::new("/does/not/exist"));
    writer.write_all(&tar).expect("pack");
    let packed = writer.finish().expect("pack");
    let layer = Blob {
        descriptor: Descriptor::new(family.layer_gzip(), packed.digest, packed.size),
        origin: Origin::Spool(Arc::new(packed.spool)),
    };
    let mut config = ImageConfig::scratch(&Platform::linux_amd64()).expect("config");
    let entry = History {
        created: None,
        created_by: Some(text.to_owned()),
        comment: None,
        empty_layer: false,
    };
    config.append(&[packed.diff_id], &[entry]).expect("config");
    config.set_execution("Entrypoint", &["sh"]).expect("config");
    let config = Blob::bytes(family.config(), config.to_bytes().expect("config").into());
    let root = Manifest::image(ImageManifest {
        schema_version: 2,
        media_type: family.manifest().to_owned(),
        config: config.descriptor.clone(),
        layers: vec![layer.descriptor.clone()],
        annotations: Map::new(),
    });
    Image {
        root: root.expect("manifest"),
        children: Vec::new(),
        blobs: vec![config, layer],
    }
}

/// An index of images.
pub(crate) fn index(children: Vec<Image>) -> Image {
    let entry = |child: &Image| child.root.descriptor.clone().with_platform(Platform::linux_amd64());
    let root = Manifest::index(Index {
        schema_version: 2,
        media_type: Family::Oci.index().to_owned(),
        manifests: children.iter().map(entry).collect(),
        annotations: Map::new(),
    });
    Image {
        root: root.expect("index"),
        blobs: children.iter().flat_map(|child| child.blobs.clone()).collect(),
        children: children.into_iter().map(|child| child.root).collect(),
    }
}

pub(crate) fn tag(text: &str) -> Tag {
    text.parse().expect(text)
}

/// Puts an image as `transfer` does, and tells how its blobs got there.
pub(crate) async fn put(target: &dyn Target, image: &Image, tags: &[&str]) -> Result<Vec<Placement>, ContentError> {
    let mut placements = Vec::new();
    for blob in &image.blobs {
        placements.push(target.put(blob).await?);
    }
    for child in &image.children {
        target.put_manifest(child, None).await?;
    }
    if tags.is_empty() {
        target.put_manifest(&image.root, None).await?;
    }
    for text in tags {
        target.put_manifest(&image.root, Some(&tag(text))).await?;
    }
    Ok(placements)
}

pub(crate) async fn write(target: impl Target, image: &Image, tags: &[&str]) -> Result<(), ContentError> {
    put(&target, image, tags).await?;
    target.commit().await
}

/// Checks that a source has all of an image under a selector.
pub(crate) async fn assert_holds(source: &dyn Source, selector: &Selector, image: &Image) {
    let manifest = source.resolve(selector).await.expect("manifest");
    assert_eq!(manifest, image.root);
    for child in &image.children {
        assert_eq!(
            source.resolve(&Selector::Digest(child.digest())).await.expect("child"),
            *child
        );
    }
    for blob in &image.blobs {
        let stream = source.fetch(&blob.descriptor).await.expect("blob");
        let bytes: Bytes = collect(stream, blob.descriptor.size).await.expect("blob");
        assert_eq!(Digest::of(&bytes), blob.descriptor.digest);
    }
}

/// All paths below a folder.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).expect("list") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            let name = path.file_name().expect("name").to_string_lossy().into_owned();
            paths.extend(listing(&path).into_iter().map(|below| format!("{name}/{below}")));
        }
        paths.push(path.file_name().expect("name").to_string_lossy().into_owned());
    }
    paths.sort();
    paths
}

fn read_index(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join(INDEX_FILE)).expect("index")).expect("index")
}

fn text(error: &ContentError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let place = tempfile::tempdir().expect("folder");
    let folder = place.path().join("new/out");
    let image = image(Family::Oci, "select 1;");
    write(LayoutTarget::create(&folder), &image, &["v1", "current"])
        .await
        .expect("write");

    let source = LayoutSource::open(&folder).await.expect("open");
    let selectors = [Selector::Only, Selector::Tag(tag("v1")), Selector::Tag(tag("current"))];
    for selector in selectors.iter().chain([&Selector::Digest(image.root.digest())]) {
        assert_holds(&source, selector, &image).await;
    }
    assert_eq!(source.peek(&tag("v1")).await.expect("peek"), Some(image.root.digest()));
    let entry = |name: &str| {
        json!({ "mediaType": image.root.descriptor.media_type, "digest": image.root.digest(),
            "size": image.root.descriptor.size, "annotations": { REF_NAME: name } })
    };
    assert_eq!(read_index(&folder)["manifests"], json!([entry("current"), entry("v1")]));
    assert_eq!(listing(&folder).len(), 3 + 2 + 2, "three blobs, two files, two folders");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path| fs::metadata(folder.join(path)).expect("file").permissions().mode() & 0o777;
        let usual = place.path().join("usual");
        fs::write(&usual, b"").expect("file");
        let usual = fs::metadata(usual).expect("file").permissions().mode() & 0o777;
        assert_eq!((mode(INDEX_FILE), mode(LAYOUT_FILE)), (usual, usual));
        assert_eq!(mode(&format!("{BLOBS}/{}", image.root.digest().hex())), usual);
    }
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changed() {
    let folder = tempfile::tempdir().expect("folder");
    let image = index(vec![image(Family::Oci, "a"), image(Family::Oci, "b")]);
    assert_eq!(
        LayoutTarget::create(folder.path())
            .tagged(&tag("v1"))
            .await
            .expect("tagged"),
        None
    );
    write(LayoutTarget::create(folder.path()), &image, &["v1"])
        .await
        .expect("write");
    let entries = read_index(folder.path());
    assert_eq!(
        entries["manifests"].as_array().map(Vec::len),
        Some(1),
        "children have no entries"
    );
    let state = || {
        let paths = listing(folder.path());
        let changed = |path: &String| {
            fs::metadata(folder.path().join(path))
                .expect("file")
                .modified()
                .expect("time")
        };
        let times: Vec<_> = paths.iter().map(changed).collect();
        (paths, times)
    };
    let before = state();

    let target = LayoutTarget::create(folder.path());
    assert_eq!(
        target.tagged(&tag("v1")).await.expect("tagged"),
        Some(image.root.digest())
    );
    assert_eq!(target.tagged(&tag("v2")).await.expect("tagged"), None);
    assert_eq!(
        put(&target, &image, &["v1"]).await.expect("put"),
        [Placement::Present; 4]
    );
    target.commit().await.expect("commit");
    drop(target);
    write(LayoutTarget::create(folder.path()), &image, &[])
        .await
        .expect("write");
    assert_eq!(state(), before);
}

#[tokio::test]
async fn entries_of_others_stay_and_a_name_moves() {
    let folder = tempfile::tempdir().expect("folder");
    let (old, new) = (image(Family::Oci, "old"), image(Family::Oci, "new"));
    write(LayoutTarget::create(folder.path()), &old, &["v1", "current"])
        .await
        .expect("write");
    let mut index = read_index(folder.path());
    index["annotations"] = json!({ "mine": "1" });
    index["manifests"][1]["artifactType"] = json!("kept");
    let foreign =
        json!({ "mediaType": "x", "digest": Digest::of(b"x"), "size": 1, "annotations": { REF_NAME: "current" } });
    index["manifests"].as_array_mut().expect("list").insert(0, foreign);
    fs::write(
        folder.path().join(INDEX_FILE),
        serde_json::to_vec(&index).expect("index"),
    )
    .expect("index");

    write(LayoutTarget::create(folder.path()), &new, &["current"])
        .await
        .expect("write");
    write(LayoutTarget::create(folder.path()), &image(Family::Oci, "none"), &[])
        .await
        .expect("write");
    let index = read_index(folder.path());
    assert_eq!(index["annotations"], json!({ "mine": "1" }));
    let entries: Vec<_> = index["manifests"].as_array().expect("list").iter().collect();
    let name = |entry: &Value| entry["annotations"][REF_NAME].as_str().map(str::to_owned);
    assert_eq!(
        entries.iter().map(|entry| name(entry)).collect::<Vec<_>>(),
        [Some("current".to_owned()), Some("v1".to_owned()), None]
    );
    assert_eq!(entries[0]["digest"], json!(new.root.digest()));
    assert_eq!(entries[1]["artifactType"], json!("kept"));
}

#[tokio::test]
async fn a_run_that_does_not_end_well_leaves_nothing() {
    let place = tempfile::tempdir().expect("folder");
    let folder = place.path().join("a/b");
    let image = image(Family::Oci, "x");
    let target = LayoutTarget::create(&folder);
    put(&target, &image, &["v1"]).await.expect("put");
    drop(target);
    assert_eq!(listing(place.path()), [""; 0]);

    let mut lie = image.clone();
    lie.blobs[0].origin = Origin::Bytes(Bytes::from_static(b"{}"));
    assert!(write(LayoutTarget::create(&folder), &lie, &["v1"]).await.is_err());
    assert_eq!(listing(place.path()), [""; 0]);

    write(LayoutTarget::create(&folder), &image, &["v1"])
        .await
        .expect("write");
    let before = listing(place.path());
    let target = LayoutTarget::create(&folder);
    put(&target, &self::image(Family::Oci, "y"), &["v1"])
        .await
        .expect("put");
    drop(target);
    assert_eq!(listing(place.path()), before);

    // A commit that fails takes back what it had named.
    let target = LayoutTarget::create(&folder);
    put(&target, &self::image(Family::Oci, "y"), &["v1"])
        .await
        .expect("put");
    fs::write(folder.join(INDEX_FILE), "damaged").expect("damage");
    assert_eq!(target.commit().await.expect_err("damaged").kind(), Kind::Invalid);
    drop(target);
    assert_eq!(listing(place.path()), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_runs_share_a_layout() {
    let place = tempfile::tempdir().expect("folder");
    let folder = place.path().join("out");
    let mut runs = Vec::new();
    for number in 0..24 {
        let folder = folder.clone();
        runs.push(tokio::spawn(async move {
            let image = image(Family::Oci, &format!("{}", number % 5));
            let target = LayoutTarget::create(&folder);
            put(&target, &image, &[&format!("v{number}")]).await.expect("put");
            if number % 3 > 0 {
                target.commit().await.expect("commit");
            }
        }));
    }
    for run in runs {
        run.await.expect("run");
    }
    let source = LayoutSource::open(&folder).await.expect("open");
    for number in 0..24 {
        let selector = Selector::Tag(tag(&format!("v{number}")));
        if number % 3 > 0 {
            assert_holds(&source, &selector, &image(Family::Oci, &format!("{}", number % 5))).await;
        } else {
            assert_eq!(
                source.resolve(&selector).await.expect_err("given up").kind(),
                Kind::NotFound
            );
        }
    }
    assert!(!listing(&folder).iter().any(|path| path.contains(".shipway-")));
}

#[tokio::test]
async fn a_name_may_be_ambiguous_or_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let (one, two) = (image(Family::Oci, "1"), image(Family::Oci, "2"));
    write(LayoutTarget::create(folder.path()), &one, &["v1"])
        .await
        .expect("write");
    write(LayoutTarget::create(folder.path()), &two, &["v2"])
        .await
        .expect("write");
    let rename = |from: &str, to: &str| {
        let index = fs::read_to_string(folder.path().join(INDEX_FILE)).expect("index");
        fs::write(folder.path().join(INDEX_FILE), index.replace(from, to)).expect("index");
    };
    rename("\"v2\"", "\"docker.io/library/two:v2\"");
    let source = LayoutSource::open(folder.path()).await.expect("open");
    assert_holds(&source, &Selector::Tag(tag("v2")), &two).await;
    let error = source.resolve(&Selector::Only).await.expect_err("two");
    assert_eq!(error.kind(), Kind::Usage);
    assert!(
        text(&error).ends_with("it holds v1, docker.io/library/two:v2"),
        "{}",
        text(&error)
    );
    assert_eq!(
        error.hints(),
        [format!("name one by its tag, as in oci:{}:v1", folder.path().display())]
    );
    let error = source.resolve(&Selector::Tag(tag("v3"))).await.expect_err("missing");
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(text(&error).contains("it holds only v1, docker.io"), "{}", text(&error));
    assert!(source.peek(&tag("v3")).await.is_err());

    rename("\"v1\"", "\"one:v2\"");
    let source = LayoutSource::open(folder.path()).await.expect("open");
    let error = source.resolve(&Selector::Tag(tag("v2"))).await.expect_err("ambiguous");
    assert_eq!(error.kind(), Kind::Usage);
}

#[tokio::test]
async fn bytes_that_lie_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let image = image(Family::Oci, "x");
    write(LayoutTarget::create(folder.path()), &image, &["v1"])
        .await
        .expect("write");
    let source = LayoutSource::open(folder.path()).await.expect("open");
    let path = |digest: Digest| folder.path().join(BLOBS).join(digest.hex());
    let layer = &image.blobs[1].descriptor;
    let mut bytes = fs::read(path(layer.digest)).expect("blob");
    bytes[20] ^= 1;
    fs::write(path(layer.digest), &bytes).expect("blob");
    let stream = source.fetch(layer).await.expect("stream");
    assert_eq!(
        collect(stream, layer.size).await.expect_err("lie").kind(),
        Kind::Invalid
    );
    bytes.pop();
    fs::write(path(layer.digest), &bytes).expect("blob");
    assert_eq!(source.fetch(layer).await.err().expect("short").kind(), Kind::Invalid);
    fs::remove_file(path(layer.digest)).expect("remove");
    assert_eq!(source.fetch(layer).await.err().expect("missing").kind(), Kind::NotFound);

    fs::write(path(image.root.digest()), b"{}").expect("blob");
    let error = source.resolve(&Selector::Only).await.expect_err("lie");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(
        text(&error).contains("its bytes have the digest sha256:44136fa3"),
        "{}",
        text(&error)
    );
    let config = Selector::Digest(image.blobs[0].descriptor.digest);
    assert_eq!(
        source
            .resolve(&config)
            .await
            .expect_err("a config is no manifest")
            .kind(),
        Kind::Invalid
    );
}

#[tokio::test]
async fn what_is_no_layout_is_said_clearly() {
    let place = tempfile::tempdir().expect("folder");
    let file = place.path().join("file");
    fs::write(&file, b"x").expect("file");
    for (path, kind) in [
        (file.clone(), Kind::Usage),
        (place.path().to_owned(), Kind::Usage),
        (place.path().join("missing"), Kind::NotFound),
    ] {
        let error = LayoutSource::open(&path).await.expect_err("no layout");
        assert_eq!(error.kind(), kind);
        assert!(text(&error).contains(&path.display().to_string()), "{}", text(&error));
        if kind == Kind::Usage {
            let target = LayoutTarget::create(&path);
            assert_eq!(
                target.tagged(&tag("v1")).await.expect_err("no layout").kind(),
                Kind::Usage
            );
            let image = image(Family::Oci, "x");
            assert_eq!(
                target.put(&image.blobs[0]).await.expect_err("no layout").kind(),
                Kind::Usage
            );
        }
    }
    assert_eq!(listing(place.path()), ["file"]);
    assert!(
        LayoutTarget::create(&file.join("out"))
            .tagged(&tag("v1"))
            .await
            .is_err()
    );

    let future = place.path().join("future");
    fs::create_dir(&future).expect("folder");
    fs::write(future.join(LAYOUT_FILE), r#"{"imageLayoutVersion":"2.0.0"}"#).expect("file");
    assert_eq!(
        LayoutSource::open(&future).await.expect_err("version").kind(),
        Kind::Invalid
    );
    fs::write(future.join(LAYOUT_FILE), LAYOUT_TEXT).expect("file");
    let error = LayoutSource::open(&future).await.expect_err("no index");
    assert!(text(&error).ends_with("it has no file index.json"), "{}", text(&error));
}

#[test]
fn an_index_below_keeps_its_children_nameless() {
    let image = index(vec![image(Family::Docker, "a")]);
    let mut collected = crate::content::format::collected::Collected::default();
    for child in &image.children {
        collected.add(child, None);
    }
    collected.add(&image.root, None);
    let bytes = collected.merge(None).expect("index").expect("changed");
    let written: Index = serde_json::from_slice(&bytes).expect("index");
    assert_eq!(written.manifests, std::slice::from_ref(&image.root.descriptor));
    assert!(matches!(image.root.body, Body::Index(_)));
    assert_eq!(collected.merge(Some(&bytes)).expect("index"), None);
}
