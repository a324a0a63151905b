//! Files of a build context, and archives in it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// One thing in a context. Its folders are made with mode 0755 where nothing else says how.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    File { path: String, mode: u32, content: Vec<u8> },
    Directory { path: String, mode: u32 },
    Link { path: String, target: String },
    HardLink { path: String, of: String },
}

impl Item {
    /// Puts it below a folder.
    pub(crate) fn write(&self, folder: &Path) {
        match self {
            Self::File { path, mode, content } => {
                let file = placed(folder, path);
                fs::write(&file, content).expect("a file of the context can be written");
                set_mode(&file, *mode);
            }
            Self::Directory { path, mode } => {
                let made = placed(folder, path);
                fs::create_dir_all(&made).expect("a folder of the context can be made");
                set_mode(&made, *mode);
            }
            Self::Link { path, target } => {
                symlink(target, placed(folder, path)).expect("a link of the context can be made");
            }
            Self::HardLink { path, of } => {
                fs::hard_link(folder.join(of), placed(folder, path)).expect("a hard link of the context can be made");
            }
        }
    }
}

fn placed(folder: &Path, path: &str) -> std::path::PathBuf {
    let file = folder.join(path);
    let above = file.parent().expect("a file lies in a folder");
    if !above.exists() {
        fs::create_dir_all(above).expect("a folder of the context can be made");
        let mut made = above;
        while made != folder {
            set_mode(made, 0o755);
            made = made.parent().expect("the context lies above");
        }
    }
    file
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode can be set");
}

/// A tar archive, written entry by entry.
pub(crate) struct Archive {
    builder: Builder<Vec<u8>>,
}

impl Archive {
    pub(crate) fn new() -> Self {
        Self {
            builder: Builder::new(Vec::new()),
        }
    }

    pub(crate) fn directory(mut self, path: &str, mode: u32, (user, group): (u64, u64)) -> Self {
        let mut header = header(EntryType::Directory, mode, (user, group));
        self.append(&mut header, &format!("{path}/"), &[]);
        self
    }

    pub(crate) fn file(mut self, path: &str, mode: u32, owner: (u64, u64), content: &[u8]) -> Self {
        let mut header = header(EntryType::Regular, mode, owner);
        header.set_size(content.len() as u64);
        self.append(&mut header, path, content);
        self
    }

    /// A file with a capability, as `setcap` gives one.
    pub(crate) fn capable_file(mut self, path: &str, content: &[u8]) -> Self {
        // Version 2, effective, with cap_net_raw permitted.
        let capability: &[u8] = &[1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        self.builder
            .append_pax_extensions([("SCHILY.xattr.security.capability", capability)])
            .expect("memory can be written");
        self.file(path, 0o755, (0, 0), content)
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        let mut header = header(EntryType::Symlink, 0o777, (0, 0));
        self.builder
            .append_link(&mut header, path, target)
            .expect("memory can be written");
        self
    }

    /// Another name of a file of the archive, with its mode and owner, as archivers write them.
    pub(crate) fn hard_link(mut self, path: &str, of: &str, mode: u32, owner: (u64, u64)) -> Self {
        let mut header = header(EntryType::Link, mode, owner);
        self.builder
            .append_link(&mut header, path, of)
            .expect("memory can be written");
        self
    }

    /// The mark of a layer that removes a path of the layers below.
    pub(crate) fn whiteout(self, folder: &str, name: &str) -> Self {
        self.file(&format!("{folder}/.wh.{name}"), 0o644, (0, 0), b"")
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.builder.into_inner().expect("memory can be written")
    }

    pub(crate) fn gzip(self) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.bytes()).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    }

    /// Packed by a program that reads standard input: `xz`, `bzip2`, `zstd`.
    pub(crate) fn packed_by(self, program: &str) -> Vec<u8> {
        let mut running = Command::new(program)
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} cannot start: {error}"));
        let mut input = running.stdin.take().expect("its input is a pipe");
        // Smaller than what a pipe holds.
        input.write_all(&self.bytes()).expect("it reads");
        drop(input);
        running.wait_with_output().expect("it ends").stdout
    }

    fn append(&mut self, header: &mut Header, path: &str, content: &[u8]) {
        self.builder
            .append_data(header, path, content)
            .expect("memory can be written");
    }
}

fn header(kind: EntryType, mode: u32, (user, group): (u64, u64)) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(user);
    header.set_gid(group);
    header.set_size(0);
    header.set_mtime(1_000_000_000);
    header
}
