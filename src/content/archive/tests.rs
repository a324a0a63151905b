use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::content::format::REF_NAME;
use crate::content::layout::tests::{assert_holds, image, index, listing, put, tag, write};
use crate::content::{Blob, ContentError, Image, Kind, Origin, Selector, Source, Target};
use crate::oci::media_type::{OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD};
use crate::oci::{Body, Descriptor, Digest, Family, ImageManifest, Manifest};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn open(&self, name: &str) -> Result<ArchiveSource, ContentError> {
        ArchiveSource::open(&self.path(name), self.0.path()).await
    }

    fn write_tar(&self, name: &str, entries: &[(&str, &[u8])]) {
        let mut builder = tar::Builder::new(fs::File::create(self.path(name)).expect("file"));
        for (path, bytes) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            if let Some(target) = bytes.strip_prefix(b"-> ") {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                let target = std::str::from_utf8(target).expect("target");
                builder.append_link(&mut header, path, target).expect("entry");
            } else {
                builder.append_data(&mut header, path, *bytes).expect("entry");
            }
        }
        builder.finish().expect("tar");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

fn layer_tar(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    builder
        .append_data(&mut header, "file", text.as_bytes())
        .expect("entry");
    builder.into_inner().expect("tar")
}

fn config(layers: &[&[u8]]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    let config = json!({ "architecture": "amd64", "os": "linux", "config": { "OnBuild": ["RUN x"] },
        "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    serde_json::to_vec(&config).expect("config")
}

fn saved(images: &Value) -> Vec<u8> {
    serde_json::to_vec(images).expect("manifest")
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
async fn an_oci_archive_is_read_back() {
    let place = Place::new();
    let image = index(vec![image(Family::Oci, "a"), image(Family::Docker, "b")]);
    let target = OciArchiveTarget::create(&place.path("a.tar"));
    assert_eq!(target.tagged(&tag("v1")).await.expect("tagged"), None);
    write(target, &image, &["v1", "current"]).await.expect("write");
    let source = place.open("a.tar").await.expect("open");
    for selector in [
        Selector::Only,
        Selector::Tag(tag("v1")),
        Selector::Digest(image.root.digest()),
    ] {
        assert_holds(&source, &selector, &image).await;
    }
    assert_eq!(source.peek(&tag("v1")).await.expect("peek"), Some(image.root.digest()));
    let target = OciArchiveTarget::create(&place.path("a.tar"));
    assert_eq!(
        target.tagged(&tag("current")).await.expect("tagged"),
        Some(image.root.digest())
    );
    assert_eq!(target.tagged(&tag("v2")).await.expect("tagged"), None);

    let compressed = gzip(&fs::read(place.path("a.tar")).expect("archive"));
    fs::write(place.path("a.tar.gz"), compressed).expect("archive");
    let source = place.open("a.tar.gz").await.expect("open");
    assert_holds(&source, &Selector::Tag(tag("v1")), &image).await;
    assert_eq!(listing(place.0.path()), ["a.tar", "a.tar.gz"]);
}

#[tokio::test]
async fn equal_images_give_equal_archives() {
    let place = Place::new();
    let image = index(vec![image(Family::Oci, "a"), image(Family::Oci, "b")]);
    let mut turned = image.clone();
    turned.blobs.reverse();
    turned.children.reverse();
    write(OciArchiveTarget::create(&place.path("1.tar")), &image, &["v1", "v2"])
        .await
        .expect("write");
    write(OciArchiveTarget::create(&place.path("2.tar")), &turned, &["v2", "v1"])
        .await
        .expect("write");
    let bytes = fs::read(place.path("1.tar")).expect("archive");
    assert_eq!(bytes, fs::read(place.path("2.tar")).expect("archive"));
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut names = Vec::new();
    for entry in archive.entries().expect("entries") {
        let entry = entry.expect("entry");
        let header = entry.header();
        let number = |field: std::io::Result<u64>| field.expect("number");
        assert_eq!((header.mode().expect("mode"), number(header.mtime())), (0o644, 1));
        assert_eq!((number(header.uid()), number(header.gid())), (0, 0));
        names.push(entry.path().expect("path").to_string_lossy().into_owned());
    }
    assert_eq!(names[..2], ["oci-layout", "index.json"]);
    assert!(names[2..].is_sorted() && names.len() == 2 + 4 + 3, "{names:?}");
}

#[tokio::test]
async fn an_archive_appears_whole_or_not_at_all() {
    let place = Place::new();
    fs::write(place.path("a.tar"), "what was there").expect("file");
    let image = image(Family::Oci, "a");
    let target = OciArchiveTarget::create(&place.path("a.tar"));
    assert_eq!(target.tagged(&tag("v1")).await.expect("tagged"), None);
    put(&target, &image, &["v1"]).await.expect("put");
    drop(target);
    let mut lie = image.clone();
    lie.blobs[1].origin = Origin::Bytes(Bytes::from_static(b"short"));
    let error = write(OciArchiveTarget::create(&place.path("a.tar")), &lie, &["v1"])
        .await
        .expect_err("lie");
    assert!(
        text(&error).contains(&lie.blobs[1].descriptor.digest.to_string()),
        "{}",
        text(&error)
    );
    let docker = DockerArchiveTarget::create(&place.path("a.tar"), Vec::new());
    assert!(write(docker, &lie, &["v1"]).await.is_err());
    assert_eq!(listing(place.0.path()), ["a.tar"]);
    assert_eq!(fs::read(place.path("a.tar")).expect("file"), b"what was there");

    let error = write(OciArchiveTarget::create(&place.path("no/a.tar")), &image, &["v1"])
        .await
        .expect_err("folder");
    assert_eq!((error.kind(), error.hints().len()), (Kind::File, 1));
    for target in [
        Box::new(OciArchiveTarget::create(place.0.path())) as Box<dyn Target>,
        Box::new(DockerArchiveTarget::create(place.0.path(), Vec::new())),
    ] {
        assert_eq!(target.tagged(&tag("v1")).await.expect_err("folder").kind(), Kind::Usage);
    }
    assert_eq!(place.open(".").await.expect_err("folder").kind(), Kind::Usage);
    assert_eq!(place.open("missing").await.expect_err("missing").kind(), Kind::NotFound);
}

#[tokio::test]
async fn a_docker_archive_is_read_back_with_its_digest() {
    let place = Place::new();
    let image = image(Family::Docker, "a");
    let names = vec!["r.example/a:v1".to_owned(), "a:v2".to_owned()];
    for (file, names) in [("a.tar", names), ("b.tar", Vec::new())] {
        write(DockerArchiveTarget::create(&place.path(file), names), &image, &["v1"])
            .await
            .expect("write");
    }
    let source = place.open("a.tar").await.expect("open");
    assert_eq!(source.peek(&tag("v1")).await.expect("peek"), None);
    for selector in [
        Selector::Only,
        Selector::Tag(tag("v2")),
        Selector::Digest(image.root.digest()),
    ] {
        assert_holds(&source, &selector, &image).await;
    }
    let unnamed = place.open("b.tar").await.expect("open");
    assert_holds(&unnamed, &Selector::Only, &image).await;
    assert_eq!(
        unnamed
            .resolve(&Selector::Tag(tag("v1")))
            .await
            .expect_err("unnamed")
            .kind(),
        Kind::NotFound
    );
    let missing = Selector::Digest(Digest::of(b""));
    assert_eq!(
        source.resolve(&missing).await.expect_err("missing").kind(),
        Kind::NotFound
    );

    let bytes = fs::read(place.path("b.tar")).expect("archive");
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut entry = archive
        .entries()
        .expect("entries")
        .next()
        .expect("entry")
        .expect("entry");
    let mut manifest = String::new();
    std::io::Read::read_to_string(&mut entry, &mut manifest).expect("manifest");
    let [config, layer] = [0, 1].map(|number| image.blobs[number].descriptor.digest.hex());
    let expected = format!(r#"[{{"Config":"{config}.json","RepoTags":null,"Layers":["{layer}.tar.gz"]}}]"#);
    assert_eq!(manifest, expected);
}

#[tokio::test]
async fn a_docker_archive_holds_one_platform() {
    let place = Place::new();
    let two = index(vec![image(Family::Oci, "a"), image(Family::Oci, "b")]);
    let target = DockerArchiveTarget::create(&place.path("a.tar"), Vec::new());
    let error = put(&target, &two, &["v1"]).await.expect_err("two");
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(
        error.to_string(),
        "docker-archive holds one platform; choose one with --platform"
    );

    let one = index(vec![image(Family::Oci, "a")]);
    write(
        DockerArchiveTarget::create(&place.path("a.tar"), Vec::new()),
        &one,
        &["v1"],
    )
    .await
    .expect("write");
    let source = place.open("a.tar").await.expect("open");
    let manifest = source.resolve(&Selector::Only).await.expect("manifest");
    assert_eq!(manifest.blobs()[1].digest, one.blobs[1].descriptor.digest);

    let Body::Image(mut zstd) = one.children[0].body.clone() else {
        panic!("an image");
    };
    zstd.layers[0].media_type = OCI_LAYER_ZSTD.to_owned();
    let zstd = Manifest::image(zstd).expect("manifest");
    let target = DockerArchiveTarget::create(&place.path("a.tar"), Vec::new());
    assert_eq!(
        target.put_manifest(&zstd, None).await.expect_err("zstd").kind(),
        Kind::Usage
    );
}

#[tokio::test]
async fn what_docker_save_writes_is_packed() {
    let place = Place::new();
    let (one, two) = (layer_tar("one"), layer_tar("two"));
    let config = config(&[&one, &two, &one]);
    let name = format!("{}.json", Digest::of(&config).hex());
    let layers = json!(["aa/layer.tar", "bb/layer.tar", "cc/layer.tar"]);
    let manifest = saved(&json!([{ "Config": name, "RepoTags": ["a:v1"], "Layers": layers }]));
    let entries: &[(&str, &[u8])] = &[
        ("aa/layer.tar", &one),
        ("bb/layer.tar", &two),
        ("cc/layer.tar", b"-> ../aa/layer.tar"),
        (&name, &config),
        ("manifest.json", &manifest),
    ];
    place.write_tar("a.tar", entries);
    fs::write(
        place.path("a.tar.gz"),
        gzip(&fs::read(place.path("a.tar")).expect("archive")),
    )
    .expect("archive");
    let source = place.open("a.tar").await.expect("open");
    let root = source.resolve(&Selector::Tag(tag("v1"))).await.expect("manifest");
    assert_eq!(root.family(), Family::Docker);
    let blobs: Vec<Descriptor> = root.blobs().into_iter().cloned().collect();
    assert_eq!(blobs[0].digest, Digest::of(&config));
    assert_eq!(blobs[1], blobs[3]);
    for (blob, tar) in blobs[1..].iter().zip([&one, &two, &one]) {
        let stream = source.fetch(blob).await.expect("stream");
        let bytes = crate::content::verify::collect(stream, blob.size).await.expect("layer");
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked).expect("gzip");
        assert_eq!(unpacked, *tar);
    }
    let stranger = Descriptor::of(OCI_LAYER, b"x");
    assert_eq!(
        source.fetch(&stranger).await.err().expect("missing").kind(),
        Kind::NotFound
    );
    let again = place.open("a.tar.gz").await.expect("open");
    assert_eq!(again.resolve(&Selector::Only).await.expect("manifest"), root);
    assert_eq!(listing(place.0.path()), ["a.tar", "a.tar.gz"]);
}

#[tokio::test]
async fn an_archive_that_lies_or_lacks_something_is_refused() {
    let place = Place::new();
    let one = layer_tar("one");
    let config = config(&[&one]);
    let two_images = saved(&json!([{ "Config": "c", "RepoTags": ["a:v1"], "Layers": ["l"] },
        { "Config": "d", "RepoTags": ["b:v2"], "Layers": ["l"] }]));
    place.write_tar(
        "two.tar",
        &[("c", &config), ("l", &one), ("manifest.json", &two_images)],
    );
    let source = place.open("two.tar").await.expect("open");
    let error = source.resolve(&Selector::Only).await.expect_err("two");
    assert_eq!(error.kind(), Kind::Usage);
    assert!(text(&error).ends_with("it holds a:v1, b:v2"), "{}", text(&error));
    assert!(error.hints()[0].contains("two.tar:v1"), "{:?}", error.hints());
    source.resolve(&Selector::Tag(tag("v1"))).await.expect("v1");
    let error = source.resolve(&Selector::Tag(tag("v2"))).await.expect_err("no config");
    assert_eq!(
        (error.kind(), text(&error).ends_with("has no file d")),
        (Kind::NotFound, true)
    );

    let other = layer_tar("other");
    let manifest = saved(&json!([{ "Config": "c", "Layers": ["l"] }]));
    place.write_tar(
        "lie.tar",
        &[("c", &config), ("l", &other), ("manifest.json", &manifest)],
    );
    let error = place
        .open("lie.tar")
        .await
        .expect("open")
        .resolve(&Selector::Only)
        .await
        .expect_err("lie");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(text(&error).contains(&Digest::of(&one).to_string()), "{}", text(&error));
    place.write_tar(
        "loop.tar",
        &[("c", &config), ("l", b"-> l"), ("manifest.json", &manifest)],
    );
    let error = place
        .open("loop.tar")
        .await
        .expect("open")
        .resolve(&Selector::Only)
        .await
        .expect_err("loop");
    assert_eq!(error.kind(), Kind::NotFound);
    place.write_tar(
        "more.tar",
        &[("c", &self::config(&[])), ("l", &other), ("manifest.json", &manifest)],
    );
    let error = place
        .open("more.tar")
        .await
        .expect("open")
        .resolve(&Selector::Only)
        .await
        .expect_err("count");
    assert!(
        text(&error).ends_with("it lists 0 layers, manifest.json 1"),
        "{}",
        text(&error)
    );
}

#[tokio::test]
async fn what_is_no_archive_is_said_with_its_name() {
    let place = Place::new();
    write(
        OciArchiveTarget::create(&place.path("whole.tar")),
        &image(Family::Oci, "a"),
        &["v1"],
    )
    .await
    .expect("write");
    let whole = fs::read(place.path("whole.tar")).expect("archive");
    fs::write(place.path("cut"), &whole[..whole.len() - 1600]).expect("file");
    fs::write(place.path("cut.gz"), &gzip(&whole)[..600]).expect("file");
    fs::write(place.path("text"), "select 1;\n".repeat(200)).expect("file");
    fs::write(place.path("empty"), "").expect("file");
    fs::write(place.path("damaged.gz"), [&[0x1f, 0x8b, 8][..], &[0x55; 4000]].concat()).expect("file");
    place.write_tar("other", &[("a", b"b")]);
    place.write_tar("json", &[("manifest.json", b"{}")]);
    for name in ["cut", "cut.gz", "text", "empty", "damaged.gz", "other", "json"] {
        let error = place.open(name).await.expect_err(name);
        assert_eq!(error.kind(), Kind::Invalid, "{name}: {}", text(&error));
        assert!(
            text(&error).contains(&place.path(name).display().to_string()),
            "{}",
            text(&error)
        );
    }
}

/// An archive with both forms, as Docker 25 writes it.
fn write_both(place: &Place, name: &str, layer: &[u8], media_type: &str) -> (Manifest, Vec<u8>) {
    let tar = layer_tar("one");
    let config = config(&[&tar]);
    let root = Manifest::image(ImageManifest {
        schema_version: 2,
        media_type: Family::Oci.manifest().to_owned(),
        config: Descriptor::of(OCI_CONFIG, &config),
        layers: vec![Descriptor::of(media_type, layer)],
        annotations: serde_json::Map::new(),
    });
    let root = root.expect("manifest");
    let mut entry = root.descriptor.clone();
    entry.rest.insert(
        "annotations".to_owned(),
        json!({ REF_NAME: "v1", "io.containerd.image.name": "docker.io/library/a:v1" }),
    );
    let index = saved(&json!({ "schemaVersion": 2, "manifests": [entry] }));
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let manifest = saved(&json!([{ "Config": path(&config), "RepoTags": ["a:v1"], "Layers": [path(layer)] }]));
    place.write_tar(
        name,
        &[
            (&path(&root.bytes), &root.bytes),
            (&path(&config), &config),
            (&path(layer), layer),
            ("index.json", &index),
            ("manifest.json", &manifest),
            ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        ],
    );
    (root, config)
}

#[tokio::test]
async fn of_both_forms_the_registrys_own_bytes_are_preferred() {
    let place = Place::new();
    let tar = layer_tar("one");
    let (root, _) = write_both(&place, "compressed.tar", &gzip(&tar), OCI_LAYER_GZIP);
    let source = place.open("compressed.tar").await.expect("open");
    assert_eq!(source.resolve(&Selector::Tag(tag("v1"))).await.expect("manifest"), root);

    for media_type in [OCI_LAYER, OCI_LAYER_GZIP] {
        let (root, config) = write_both(&place, "plain.tar", &tar, media_type);
        let source = place.open("plain.tar").await.expect("open");
        let manifest = source.resolve(&Selector::Tag(tag("v1"))).await.expect("manifest");
        assert_ne!(manifest.digest(), root.digest());
        assert_eq!(manifest.family(), Family::Docker);
        assert_eq!(manifest.blobs()[0].digest, Digest::of(&config));
        assert!(manifest.blobs()[1].size < tar.len() as u64);
    }
}

#[tokio::test]
async fn an_image_may_name_a_blob_twice() {
    let place = Place::new();
    let mut image: Image = image(Family::Docker, "a");
    let Body::Image(mut body) = image.root.body.clone() else {
        panic!("an image");
    };
    body.layers.push(body.layers[0].clone());
    image.root = Manifest::image(body).expect("manifest");
    image.blobs.push(image.blobs[1].clone());
    let blob: &Blob = &image.blobs[2];
    assert!(blob.is_fresh());
    write(
        DockerArchiveTarget::create(&place.path("a.tar"), Vec::new()),
        &image,
        &["v1"],
    )
    .await
    .expect("write");
    write(OciArchiveTarget::create(&place.path("b.tar")), &image, &["v1"])
        .await
        .expect("write");
    let source = ArchiveSource::open(&place.path("b.tar"), Path::new("/does/not/exist"))
        .await
        .expect("open");
    assert_holds(&source, &Selector::Only, &image).await;
}
