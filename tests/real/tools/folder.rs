//! A folder of scripts, on disk and as the library sees it.

use std::fs;

use shipway::migrations::check::{Finding, names};
use shipway::migrations::examine::{Examined, examine};
use shipway::migrations::inventory::{Inventory, Listed};
use shipway::migrations::{Content, Tool};
use shipway::sql::Dialect;
use tempfile::TempDir;

/// A folder of scripts.
pub(crate) struct Folder {
    pub(crate) place: TempDir,
    files: Vec<String>,
}

impl Folder {
    pub(crate) fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        let mut names = Vec::new();
        for (name, text) in files {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("a folder can be made");
            fs::write(path, text).expect("a file can be written");
            names.push(name.to_owned());
        }
        Self { place, files: names }
    }

    pub(crate) fn path(&self) -> String {
        self.place.path().display().to_string()
    }

    /// As the library sees it, in the image at `root`.
    pub(crate) fn inventory(&self, tool: &Tool, root: &str) -> (Inventory, Vec<Examined>) {
        let listed = self.files.iter().map(|name| Listed {
            path: name.clone(),
            image_path: format!("{root}/{name}"),
            shown: name.clone(),
            content: Content::File(self.place.path().join(name)),
        });
        let inventory = Inventory::of(tool.clone(), listed);
        let examined = examine(&inventory, Dialect::Unknown).expect("files can be read");
        (inventory, examined)
    }

    /// What is wrong with it.
    pub(crate) fn findings(&self, tool: &Tool, root: &str) -> Vec<Finding> {
        let (inventory, examined) = self.inventory(tool, root);
        names::check(&inventory, &examined)
    }
}
