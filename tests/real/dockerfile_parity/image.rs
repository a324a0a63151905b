//! What a builder made, in words that can be compared: each file as one line, each field of the config as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;

use serde_json::{Value, json};

/// What Docker puts into every container: none of it is in the image.
const OF_DOCKER: [&str; 8] = [
    ".dockerenv",
    "dev",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc",
    "sys",
];

/// The members of the config that say how the image runs. Others tell of the build that made it.
const FIELDS: [&str; 12] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];

/// Longer contents, and those that are no text, are told by a checksum.
const TEXT_SHOWN: usize = 200;

/// Two images are the same if these are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Files by path: kind, mode, owner, content or target, other names, extended attributes.
    pub(crate) files: BTreeMap<String, String>,
    /// Fields of the config that are not empty.
    pub(crate) config: BTreeMap<String, Value>,
}

impl Image {
    /// The same with no working directory where it is the root, which means the same. Not all builders write it for an image of nothing.
    pub(crate) fn without_root(&self) -> Self {
        let mut image = self.clone();
        image
            .config
            .retain(|name, value| name != "WorkingDir" || *value != json!("/"));
        image
    }

    /// The places where two images differ: `/path` or the name of a field, and what each has there.
    pub(crate) fn differences(&self, other: &Self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for path in self.files.keys().chain(other.files.keys()) {
            let (mine, theirs) = (self.files.get(path), other.files.get(path));
            let place = format!("/{path}");
            if mine != theirs && !found.iter().any(|(known, _)| *known == place) {
                let told = |line: Option<&String>| line.map_or("nothing", String::as_str).to_owned();
                found.push((place, format!("{}\n      not {}", told(theirs), told(mine))));
            }
        }
        for name in self.config.keys().chain(other.config.keys()) {
            let (mine, theirs) = (self.config.get(name), other.config.get(name));
            if mine != theirs && !found.iter().any(|(known, _)| known == name) {
                let told = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
                found.push((name.clone(), format!("{}\n      not {}", told(theirs), told(mine))));
            }
        }
        found
    }
}

/// The fields that are compared, of a config as Docker, buildah and the OCI layout all write it.
pub(crate) fn config_of(config: &Value, author: &Value, architecture: &Value, os: &Value) -> BTreeMap<String, Value> {
    let mut fields: BTreeMap<String, Value> = FIELDS
        .iter()
        .map(|name| ((*name).to_owned(), config[name].clone()))
        .collect();
    fields.insert("author".to_owned(), author.clone());
    fields.insert("architecture".to_owned(), architecture.clone());
    fields.insert("os".to_owned(), os.clone());
    // buildah signs its images so.
    if let Some(labels) = fields.get_mut("Labels").and_then(Value::as_object_mut) {
        labels.remove("io.buildah.version");
    }
    // A time of zero, or no number of retries, means the default.
    if let Some(check) = fields.get_mut("Healthcheck").and_then(Value::as_object_mut) {
        check.retain(|_, value| *value != json!(0));
    }
    fields.retain(|_, value| !is_empty(value));
    fields
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The files of a tar archive of a whole file system.
pub(crate) fn files_of(archive: impl Read) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(archive);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    // By the path that holds the content: all other names of it.
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("an entry of a tar archive");
        let path = path_of(&entry.path_bytes());
        let link = entry.link_name_bytes().map(|link| text_of(&link));
        if entry.header().entry_type().is_hard_link() {
            let first = path_of(link.expect("a hard link has a target").as_bytes());
            names.entry(first).or_default().push(path);
            continue;
        }
        let line = line_of(&mut entry, link);
        files.insert(path, line);
    }
    for (first, mut others) in names {
        let line = files[&first].clone();
        others.push(first);
        others.sort();
        for name in &others {
            files.insert(name.clone(), format!("{line} named {}", others.join(", ")));
        }
    }
    files.retain(|path, _| !path.is_empty() && !is_of_docker(path));
    // Docker makes this folder for its own files.
    if !files.keys().any(|path| path.starts_with("etc/")) {
        files.remove("etc");
    }
    files
}

fn is_of_docker(path: &str) -> bool {
    OF_DOCKER.iter().any(|known| {
        path.strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn line_of(entry: &mut tar::Entry<'_, impl Read>, link: Option<String>) -> String {
    let attributes = attributes_of(entry);
    let header = entry.header();
    let mode = header.mode().expect("an entry has a mode") & 0o7777;
    let user = header.uid().expect("an entry has an owner");
    let group = header.gid().expect("an entry has a group");
    let kind = header.entry_type();
    let owned = format!("{mode:04o} {user}:{group}");
    let line = if kind.is_dir() {
        format!("directory {owned}")
    } else if kind.is_symlink() {
        // The mode of a link means nothing.
        format!("link {user}:{group} -> {}", link.expect("a link has a target"))
    } else if kind.is_file() {
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("a file of a tar archive");
        format!("file {owned} {}", shown(&content))
    } else {
        format!("{kind:?} {owned}")
    };
    line + &attributes
}

/// Extended attributes, which a tar archive holds as PAX records.
fn attributes_of(entry: &mut tar::Entry<'_, impl Read>) -> String {
    let mut told = BTreeMap::new();
    for record in entry.pax_extensions().expect("PAX records").into_iter().flatten() {
        let record = record.expect("a PAX record");
        let key = record.key().expect("the name of a PAX record");
        if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
            told.insert(name.to_owned(), shown(record.value_bytes()));
        }
    }
    let mut text = String::new();
    for (name, value) in told {
        write!(text, " {name}={value}").expect("memory can be written");
    }
    text
}

/// Contents as text where they are short text, else their checksum.
pub(crate) fn shown(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) if text.len() <= TEXT_SHOWN => format!("{text:?}"),
        _ => format!("{} bytes, crc {:08x}", content.len(), crc32fast::hash(content)),
    }
}

/// A path without the `./` in front and the `/` behind that archives put there; the root is empty.
fn path_of(bytes: &[u8]) -> String {
    let path = text_of(bytes);
    match path.strip_prefix("./").unwrap_or(&path).trim_matches('/') {
        "." => String::new(),
        path => path.to_owned(),
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
