//! A set of migrations that was read: what there is, what is in it, and how it is described.

use sha2::{Digest as _, Sha256};

use super::content::Content;
use super::examine::{Examined, examine};
use super::inventory::{Inventory, InventoryError, Listed};
use super::manifest::{Manifest, OtherFile};
use super::set_digest::hexadecimal;
use super::tool::Tool;
use crate::sql::Dialect;

/// A file of the image that is no script: its absolute path there, and its bytes.
pub type Other = (String, Content);

/// A set of migrations, read once.
#[derive(Debug, Clone)]
pub struct MigrationSet {
    /// What there is.
    pub inventory: Inventory,
    /// What reading each file told, in the order of the inventory.
    pub examined: Vec<Examined>,
    /// How it is described.
    pub manifest: Manifest,
    /// The dialect the scripts were read in.
    pub dialect: Dialect,
}

impl MigrationSet {
    /// Reads the files of a set.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(
        project: &str,
        tool: Tool,
        scripts: Vec<Listed>,
        others: Vec<Other>,
        database: Option<Dialect>,
    ) -> Result<Self, InventoryError> {
        let inventory = Inventory::of(tool, scripts);
        let dialect = database
            .or_else(|| inventory.tool().dialect())
            .unwrap_or(Dialect::Unknown);
        let examined = examine(&inventory, dialect)?;
        let described = others.into_iter().map(described).collect::<Result<_, _>>()?;
        let manifest = Manifest::of(project, &inventory, &examined, described);
        Ok(Self {
            inventory,
            examined,
            manifest,
            dialect,
        })
    }
}

fn described((path, content): Other) -> Result<OtherFile, InventoryError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    let mut hash = || {
        let mut reader = content.open()?;
        loop {
            match reader.read(&mut piece)? {
                0 => return Ok(()),
                count => hasher.update(&piece[..count]),
            }
        }
    };
    hash().map_err(|source| InventoryError::Read {
        path: path.clone(),
        source,
    })?;
    Ok(OtherFile {
        path,
        sha256: hexadecimal(&hasher.finalize()),
    })
}
