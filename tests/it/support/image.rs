//! Reads an image back from wherever it lies, and checks every promise of its descriptors.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tar::EntryType;

use super::registry::{Content, digest_of};
use super::tarball::{Entry, entries, gunzip};

/// A media type, a digest and a size.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    /// The media type.
    pub(crate) media_type: String,
    /// The digest.
    pub(crate) digest: String,
    /// The size in bytes.
    pub(crate) size: u64,
}

/// What a tag or digest names: an image, or an index of images.
#[derive(Debug)]
pub(crate) struct Root {
    /// Its digest.
    pub(crate) digest: String,
    /// Its media type.
    pub(crate) media_type: String,
    /// The index, if it is one.
    pub(crate) index: Option<Value>,
    /// The images, in the order of the index.
    pub(crate) images: Vec<Image>,
}

/// One image.
#[derive(Debug)]
pub(crate) struct Image {
    /// `os/architecture[/variant]` of its config.
    pub(crate) platform: String,
    /// The digest of its manifest.
    pub(crate) digest: String,
    /// Its manifest.
    pub(crate) manifest: Value,
    /// Its config.
    pub(crate) config: Value,
    /// The text of its config.
    pub(crate) config_text: String,
    /// Its layers from the bottom up.
    pub(crate) layers: Vec<Layer>,
}

/// One layer.
#[derive(Debug)]
pub(crate) struct Layer {
    /// What the manifest says of it.
    pub(crate) descriptor: Descriptor,
    /// Its entries; none if it is too large to be kept.
    pub(crate) entries: Vec<Entry>,
    /// Its compressed bytes; none if it is too large to be kept.
    pub(crate) bytes: Vec<u8>,
}

impl Descriptor {
    /// A descriptor of these three values.
    pub(crate) fn new(media_type: &str, digest: &str, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest.to_owned(),
            size,
        }
    }

    fn of(value: &Value) -> Self {
        let media_type = value["mediaType"].as_str();
        let digest = value["digest"].as_str();
        Self::new(
            media_type.unwrap_or_else(|| panic!("no media type in {value}")),
            digest.unwrap_or_else(|| panic!("no digest in {value}")),
            value["size"].as_u64().unwrap_or_else(|| panic!("no size in {value}")),
        )
    }

    /// `oci` or `docker`.
    fn family(&self) -> &'static str {
        match self.media_type.starts_with("application/vnd.docker.") {
            true => "docker",
            false => "oci",
        }
    }

    /// The content, whose size and digest must be as promised.
    fn fetch(&self, place: &dyn Fn(&str) -> Option<Content>) -> Content {
        let content = place(&self.digest);
        let content = content.unwrap_or_else(|| panic!("{self:?} is not there"));
        assert_eq!(content.size(), self.size, "size of {self:?}");
        if let Some(bytes) = content.bytes() {
            assert_eq!(digest_of(bytes), self.digest, "digest of {self:?}");
        }
        content
    }

    fn fetch_json(&self, place: &dyn Fn(&str) -> Option<Content>) -> (String, Value) {
        let content = self.fetch(place);
        let text = String::from_utf8(content.bytes().unwrap().to_vec()).unwrap();
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        (text, value)
    }
}

impl Root {
    /// Reads all that `root` leads to and checks sizes, digests, diff ids, history and families.
    pub(crate) fn read(root: &Descriptor, place: &dyn Fn(&str) -> Option<Content>) -> Self {
        let (_, manifest) = root.fetch_json(place);
        assert_eq!(manifest["schemaVersion"], 2, "schema version");
        assert_eq!(manifest["mediaType"], root.media_type.as_str(), "mediaType of the root");
        let mut images = Vec::new();
        let children = manifest["manifests"].as_array().cloned();
        for child in children.iter().flatten() {
            let descriptor = Descriptor::of(child);
            assert_eq!(descriptor.family(), root.family(), "families are mixed");
            let image = Image::read(&descriptor, place);
            let platform = &child["platform"];
            let mut named = format!(
                "{}/{}",
                platform["os"].as_str().unwrap_or_default(),
                platform["architecture"].as_str().unwrap_or_default()
            );
            if let Some(variant) = platform["variant"].as_str() {
                named = format!("{named}/{variant}");
            }
            assert_eq!(
                named, image.platform,
                "the index and the config name different platforms"
            );
            images.push(image);
        }
        if children.is_none() {
            images.push(Image::read(root, place));
        }
        Self {
            digest: root.digest.clone(),
            media_type: root.media_type.clone(),
            index: children.map(|_| manifest),
            images,
        }
    }

    /// The image, if there is exactly one.
    pub(crate) fn only(&self) -> &Image {
        assert_eq!(self.images.len(), 1, "an index of several images");
        &self.images[0]
    }

    /// Reads the image of an OCI layout that bears `tag`, or its only one.
    pub(crate) fn layout(folder: &Path, tag: Option<&str>) -> Self {
        let marker = fs::read_to_string(folder.join("oci-layout")).unwrap();
        let marker: Value = serde_json::from_str(&marker).unwrap();
        assert_eq!(marker["imageLayoutVersion"], "1.0.0");
        let index = layout_index(folder);
        let mut found = index["manifests"].as_array().unwrap().iter();
        let named =
            |entry: &&Value| tag.is_none_or(|tag| entry["annotations"]["org.opencontainers.image.ref.name"] == tag);
        let entry = found.find(named);
        let entry = entry.unwrap_or_else(|| panic!("the layout has no {tag:?}: {index}"));
        Self::read(&Descriptor::of(entry), &|digest| {
            let file = folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
            fs::read(file).ok().map(|bytes| Content::Bytes(bytes.into()))
        })
    }

    /// Reads an archive of an OCI layout.
    pub(crate) fn archive(file: &Path, tag: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in entries(&fs::read(file).unwrap()) {
            let path = folder.path().join(&entry.path);
            if entry.kind == EntryType::Directory {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, entry.content).unwrap();
            }
        }
        Self::layout(folder.path(), tag)
    }
}

/// The `index.json` of a layout.
pub(crate) fn layout_index(folder: &Path) -> Value {
    let index = fs::read_to_string(folder.join("index.json"));
    serde_json::from_str(&index.unwrap_or_else(|error| panic!("{}: {error}", folder.display()))).unwrap()
}

impl Image {
    fn read(root: &Descriptor, place: &dyn Fn(&str) -> Option<Content>) -> Self {
        let (_, manifest) = root.fetch_json(place);
        let descriptor = Descriptor::of(&manifest["config"]);
        assert_eq!(descriptor.family(), root.family(), "families are mixed");
        let (config_text, config) = descriptor.fetch_json(place);
        let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap().clone();
        let mut layers = Vec::new();
        for (index, value) in manifest["layers"].as_array().unwrap().iter().enumerate() {
            let descriptor = Descriptor::of(value);
            assert_eq!(descriptor.family(), root.family(), "families are mixed");
            let content = descriptor.fetch(place);
            let bytes = content.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
            let mut found = Vec::new();
            if bytes.starts_with(&[0x1f, 0x8b]) {
                let tar = gunzip(&bytes);
                assert_eq!(diff_ids[index], digest_of(&tar), "diff id of layer {index}");
                found = entries(&tar);
            }
            layers.push(Layer {
                descriptor,
                entries: found,
                bytes,
            });
        }
        assert_eq!(diff_ids.len(), layers.len(), "as many diff ids as layers");
        let history = config["history"].as_array().unwrap().iter();
        let full = history.filter(|entry| entry["empty_layer"] != true).count();
        assert_eq!(full, layers.len(), "as many history entries as layers");
        let word = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
        let mut platform = format!("{}/{}", word("os"), word("architecture"));
        if let Some(variant) = config["variant"].as_str() {
            platform = format!("{platform}/{variant}");
        }
        Self {
            platform,
            digest: root.digest.clone(),
            manifest,
            config,
            config_text,
            layers,
        }
    }

    /// The layers above the lowest `base` ones.
    pub(crate) fn above(&self, base: usize) -> &[Layer] {
        &self.layers[base..]
    }

    /// The uppermost entry at a path.
    pub(crate) fn entry(&self, path: &str) -> Option<&Entry> {
        let layers = self.layers.iter().rev();
        let mut entries = layers.flat_map(|layer| layer.entries.iter());
        entries.find(|entry| entry.path == path)
    }

    /// The text of the file at a path.
    pub(crate) fn text(&self, path: &str) -> String {
        let entry = self.entry(path);
        let entry = entry.unwrap_or_else(|| panic!("no {path} in the image"));
        String::from_utf8(entry.content.clone()).unwrap()
    }

    /// A label.
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.config["config"]["Labels"][name].as_str()
    }

    /// An annotation of the manifest.
    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.manifest["annotations"][name].as_str()
    }

    /// A variable of the environment.
    pub(crate) fn environment(&self, name: &str) -> Option<&str> {
        let variables = self.config["config"]["Env"].as_array().into_iter().flatten();
        let mut pairs = variables.filter_map(|pair| pair.as_str()?.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A `docker save` archive.
pub(crate) struct DockerArchive {
    /// The tags it names.
    pub(crate) tags: Vec<String>,
    /// The config.
    pub(crate) config: Value,
    /// The entries of each layer.
    pub(crate) layers: Vec<Vec<Entry>>,
}

impl DockerArchive {
    /// Reads the archive and checks its diff ids.
    pub(crate) fn read(file: &Path) -> Self {
        let files = entries(&fs::read(file).unwrap());
        let content = |name: &str| {
            let found = files.iter().find(|entry| entry.path == name);
            found
                .unwrap_or_else(|| panic!("no {name} in the archive"))
                .content
                .clone()
        };
        let manifest: Value = serde_json::from_slice(&content("manifest.json")).unwrap();
        assert_eq!(manifest.as_array().unwrap().len(), 1, "one image");
        let config: Value = serde_json::from_slice(&content(manifest[0]["Config"].as_str().unwrap())).unwrap();
        let mut layers = Vec::new();
        for (index, name) in manifest[0]["Layers"].as_array().unwrap().iter().enumerate() {
            let mut tar = content(name.as_str().unwrap());
            if tar.starts_with(&[0x1f, 0x8b]) {
                tar = gunzip(&tar);
            }
            assert_eq!(
                config["rootfs"]["diff_ids"][index],
                digest_of(&tar),
                "diff id of {name}"
            );
            layers.push(entries(&tar));
        }
        let tags = manifest[0]["RepoTags"].as_array().into_iter().flatten();
        Self {
            tags: tags.map(|tag| tag.as_str().unwrap().to_owned()).collect(),
            config,
            layers,
        }
    }
}
