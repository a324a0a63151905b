//! A Dockerfile with its context, and who says what comes of it.

use super::context::Item;

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builder {
    /// The engine's newer builder, whose rules are those of the Dockerfile reference.
    BuildKit,
    /// The engine's older builder.
    Docker,
    /// buildah.
    Buildah,
    /// What is tested.
    Shipway,
}

/// What an image is to be where no builder at hand knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// A line for each file: its path, two spaces, and what [`super::image::Image`] tells of it.
    pub(crate) files: &'static str,
    /// The config as JSON.
    pub(crate) config: &'static str,
}

/// A Dockerfile with its context.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) dockerfile: String,
    pub(crate) context: Vec<Item>,
    /// Options of the build, which are written alike everywhere.
    pub(crate) options: Vec<&'static str>,
    /// Whose word counts: shipway is to make the same.
    pub(crate) judge: Builder,
    /// What is to come of it where nobody else can judge.
    pub(crate) expected: Option<Expected>,
    /// Whether everybody is to refuse it.
    pub(crate) fails: bool,
}

impl Case {
    /// A case that all builders agree on.
    pub(crate) fn new(name: &'static str, dockerfile: &str) -> Self {
        Self {
            name,
            dockerfile: dockerfile.to_owned(),
            context: Vec::new(),
            options: Vec::new(),
            judge: Builder::BuildKit,
            expected: None,
            fails: false,
        }
    }

    /// With a file of mode 0644.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_of_mode(path, 0o644, content)
    }

    pub(crate) fn file_of_mode(self, path: &str, mode: u32, content: impl AsRef<[u8]>) -> Self {
        self.with(Item::File {
            path: path.to_owned(),
            mode,
            content: content.as_ref().to_owned(),
        })
    }

    /// With files that hold their own names.
    pub(crate) fn files(self, paths: &[&str]) -> Self {
        paths
            .iter()
            .fold(self, |case, path| case.file(path, format!("{path}\n")))
    }

    pub(crate) fn directory(self, path: &str, mode: u32) -> Self {
        let path = path.to_owned();
        self.with(Item::Directory { path, mode })
    }

    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        self.with(Item::Link {
            path: path.to_owned(),
            target: target.to_owned(),
        })
    }

    pub(crate) fn hard_link(self, path: &str, of: &str) -> Self {
        self.with(Item::HardLink {
            path: path.to_owned(),
            of: of.to_owned(),
        })
    }

    fn with(mut self, item: Item) -> Self {
        self.context.push(item);
        self
    }

    /// With options such as `--build-arg` and `--target`.
    pub(crate) fn options(mut self, options: &[&'static str]) -> Self {
        self.options.extend(options);
        self
    }

    /// Judged by another builder than BuildKit.
    pub(crate) fn judged_by(mut self, judge: Builder) -> Self {
        self.judge = judge;
        self
    }

    /// No builder at hand knows what it is about; this is what the reference says.
    pub(crate) fn expected(mut self, files: &'static str, config: &'static str) -> Self {
        self.expected = Some(Expected { files, config });
        self
    }

    /// Everybody refuses it.
    pub(crate) fn fails(mut self) -> Self {
        self.fails = true;
        self
    }
}
