//! Finding the files of a folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::path::{ImagePath, PathError};
use super::{File, FileContent};

/// Folders nested deeper than this are a loop or a mistake; the longest path Linux opens has 4096 bytes.
const DEEPEST: usize = 256;

/// What to do about a file that this user may not read.
pub const READABLE: &str = "make it readable for the user that builds";

/// Why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder does not exist.
    #[error("the folder {path} does not exist")]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// A file does not exist.
    #[error("the file {path} does not exist")]
    MissingFile {
        /// Which.
        path: PathBuf,
    },
    /// What should be a folder is none.
    #[error("{path} is not a folder")]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// What should be a file is none.
    #[error("{path} is not a file")]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// The folder holds no file.
    #[error("the folder {path} holds no files")]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// The name is not UTF-8.
    #[error("the name of {path:?} is not UTF-8")]
    Name {
        /// Which.
        path: PathBuf,
    },
    /// A link leads out of the folder.
    #[error("the link {path} leads out of its folder, to {to}")]
    Link {
        /// The link.
        path: PathBuf,
        /// Its target.
        to: PathBuf,
    },
    /// A link leads to nothing.
    #[error("the link {path} leads to nothing: {to}")]
    Dangling {
        /// The link.
        path: PathBuf,
        /// Its target.
        to: PathBuf,
    },
    /// Neither file, folder nor link.
    #[error("{path} is a socket, a pipe or a device")]
    Special {
        /// Which.
        path: PathBuf,
    },
    /// Folders are nested too deeply.
    #[error("{path} is nested more than {DEEPEST} folders deep")]
    Deep {
        /// Which.
        path: PathBuf,
    },
    /// The path in the image would be none.
    #[error(transparent)]
    Path(#[from] PathError),
}

impl ScanError {
    /// What to do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Missing { .. } => "name the folder with the scripts: --scripts DIR, or scripts in shipway.toml",
            Self::MissingFile { .. } => {
                "look for a typing error: paths of flags start in the current folder, those of shipway.toml in its own"
            }
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => READABLE,
            Self::NotAFolder { .. } => "scripts are a folder, configuration is files: --scripts DIR, --config FILE",
            Self::NotAFile { .. } => "name a single file",
            Self::Empty { .. } => "an image without migrations would run and do nothing; is it the right folder?",
            Self::Name { .. } => "rename it: migration tools and registries expect UTF-8",
            Self::Link { .. } => "copy the file into the folder: the image would hold a link to nothing",
            Self::Dangling { .. } => "point it to a file of the folder, or remove it",
            Self::Special { .. } => "remove it, or pack another folder",
            Self::Path(error) => return error.hints(),
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

/// Finds everything below `folder`, to be put below `destination`, sorted by path.
///
/// # Errors
/// When something cannot be read, or cannot be in an image.
pub fn scan(folder: &Path, destination: &ImagePath) -> Result<Vec<File>, ScanError> {
    let metadata = fs::metadata(folder).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ScanError::Missing {
            path: folder.to_owned(),
        },
        _ => ScanError::Read {
            path: folder.to_owned(),
            source,
        },
    })?;
    if !metadata.is_dir() {
        return Err(ScanError::NotAFolder {
            path: folder.to_owned(),
        });
    }
    let mut walk = Walk {
        root: folder,
        real_root: folder.canonicalize().map_err(|source| ScanError::Read {
            path: folder.to_owned(),
            source,
        })?,
        destination,
        files: Vec::new(),
    };
    walk.folder(Path::new(""), 0)?;
    let mut files = walk.files;
    if !files.iter().any(|file| !matches!(file.content, FileContent::Directory)) {
        return Err(ScanError::Empty {
            path: folder.to_owned(),
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Takes one file, to be put at `destination`; a link is followed, since it was named.
///
/// # Errors
/// When it cannot be read or is no file.
pub fn single(path: &Path, destination: ImagePath) -> Result<File, ScanError> {
    let metadata = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ScanError::MissingFile { path: path.to_owned() },
        _ => ScanError::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    if !metadata.is_file() {
        return Err(ScanError::NotAFile { path: path.to_owned() });
    }
    Ok(File {
        path: destination,
        content: local(path.to_owned(), &metadata),
    })
}

/// A walk through a folder.
struct Walk<'a> {
    root: &'a Path,
    /// The same folder, links followed.
    real_root: PathBuf,
    destination: &'a ImagePath,
    files: Vec<File>,
}

impl Walk<'_> {
    /// Takes what lies in the folder `below` the root.
    fn folder(&mut self, below: &Path, depth: usize) -> Result<(), ScanError> {
        let folder = self.root.join(below);
        if depth > DEEPEST {
            return Err(ScanError::Deep { path: folder });
        }
        let unreadable = |source| ScanError::Read {
            path: folder.clone(),
            source,
        };
        let mut is_empty = true;
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            is_empty = false;
            let path = entry.path();
            let relative = below.join(entry.file_name());
            let text = relative
                .to_str()
                .ok_or_else(|| ScanError::Name { path: path.clone() })?;
            let kind = entry.file_type().map_err(|source| ScanError::Read {
                path: path.clone(),
                source,
            })?;
            if kind.is_dir() {
                self.folder(&relative, depth + 1)?;
                continue;
            }
            let content = if kind.is_symlink() {
                self.link(path, below)?
            } else if kind.is_file() {
                let metadata = entry.metadata().map_err(|source| ScanError::Read {
                    path: path.clone(),
                    source,
                })?;
                local(path, &metadata)
            } else {
                return Err(ScanError::Special { path });
            };
            self.files.push(File {
                path: self.destination.join(text)?,
                content,
            });
        }
        if is_empty && depth > 0 {
            let text = below.to_str().ok_or_else(|| ScanError::Name { path: folder.clone() })?;
            self.files.push(File {
                path: self.destination.join(text)?,
                content: FileContent::Directory,
            });
        }
        Ok(())
    }

    /// A link stays a link if what it names is within the folder, as written and in fact: the image has no other place
    /// to find it.
    fn link(&self, path: PathBuf, below: &Path) -> Result<FileContent, ScanError> {
        let unreadable = |path, source| ScanError::Read { path, source };
        let to = fs::read_link(&path).map_err(|source| unreadable(path.clone(), source))?;
        let escapes = || ScanError::Link {
            path: path.clone(),
            to: to.clone(),
        };
        let mut depth = below.components().count();
        for component in to.components() {
            match component {
                Component::Normal(_) => depth += 1,
                Component::CurDir => {}
                Component::ParentDir => depth = depth.checked_sub(1).ok_or_else(escapes)?,
                Component::RootDir | Component::Prefix(_) => return Err(escapes()),
            }
        }
        match path.canonicalize() {
            Ok(real) if real.starts_with(&self.real_root) => {}
            Ok(_) => return Err(escapes()),
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => return Err(unreadable(path, source)),
            // Nothing, a file where a folder should be, or a circle.
            Err(_) => return Err(ScanError::Dangling { path, to }),
        }
        match to.to_str() {
            Some(text) => Ok(FileContent::Link {
                to: text.to_owned(),
                path,
            }),
            None => Err(ScanError::Name { path }),
        }
    }
}

fn local(path: PathBuf, metadata: &Metadata) -> FileContent {
    FileContent::Local {
        path,
        size: metadata.len(),
        modified: metadata.modified().ok(),
        executable: is_executable(metadata),
    }
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("folder")
    }

    fn destination() -> ImagePath {
        "/flyway/sql".parse().expect("path")
    }

    #[test]
    fn finds_everything_in_order() {
        let folder = folder();
        let root = folder.path();
        fs::create_dir_all(root.join("b/empty")).expect("folders");
        fs::write(root.join("b/V2__x y.sql"), "2").expect("file");
        fs::write(root.join("V1__ü.sql"), "1").expect("file");
        #[cfg(unix)]
        std::os::unix::fs::symlink("b/../V1__ü.sql", root.join("link.sql")).expect("link");
        let files = scan(root, &destination()).expect("scan");
        let paths: Vec<&str> = files.iter().map(|file| file.path.relative()).collect();
        assert_eq!(
            paths,
            [
                "flyway/sql/V1__ü.sql",
                "flyway/sql/b/V2__x y.sql",
                "flyway/sql/b/empty",
                "flyway/sql/link.sql"
            ]
        );
        assert!(matches!(files[2].content, FileContent::Directory));
        assert!(matches!(&files[3].content, FileContent::Link { to, .. } if to == "b/../V1__ü.sql"));
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_in_an_image_is_refused() {
        use std::os::unix::fs::symlink;
        for to in ["../x", "a/../../x", "/etc/passwd"] {
            let folder = folder();
            symlink(to, folder.path().join("link")).expect("link");
            assert!(
                matches!(scan(folder.path(), &destination()), Err(ScanError::Link { .. })),
                "{to}"
            );
        }
        for to in ["nothing", "link", "V1__a.sql/x"] {
            let folder = folder();
            fs::write(folder.path().join("V1__a.sql"), "1").expect("file");
            symlink(to, folder.path().join("link")).expect("link");
            assert!(
                matches!(scan(folder.path(), &destination()), Err(ScanError::Dangling { .. })),
                "{to}"
            );
        }
        let folder = folder();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).expect("socket");
        assert!(matches!(
            scan(folder.path(), &destination()),
            Err(ScanError::Special { .. })
        ));
    }

    #[test]
    fn an_empty_or_missing_folder_is_an_error() {
        let folder = folder();
        fs::create_dir(folder.path().join("a")).expect("folder");
        assert!(matches!(
            scan(folder.path(), &destination()),
            Err(ScanError::Empty { .. })
        ));
        let missing = folder.path().join("b");
        assert!(matches!(scan(&missing, &destination()), Err(ScanError::Missing { .. })));
    }
}
