//! `atlas.sum`: a hash for each migration, which covers all that come before it as well.

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::migrations::Inventory;
use crate::migrations::flyway::name::Kind;
use crate::migrations::inventory::Entry;

/// The name of the file.
pub const NAME: &str = "atlas.sum";

/// The longest `atlas.sum` that is read: a line of it has some hundred bytes, and no folder has a million of them.
const LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// How much of a script is read at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// What stands before a hash.
const MARK: &str = "h1:";

/// Hashes of migrations, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// The name of each file, and its hash.
    pub files: Vec<(String, String)>,
}

/// How `atlas.sum` does not fit the files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// There is none.
    #[error("there is no atlas.sum, and Atlas runs nothing without it")]
    Missing,
    /// It is not in its form.
    #[error("its line {0} is not a file and a hash")]
    Form(usize),
    /// Its first line is not the hash of the others.
    #[error("its first line is not the hash of the others: it was edited or merged by hand")]
    Total,
    /// A file is not in it.
    #[error("{0} is not in atlas.sum")]
    Extra(String),
    /// It has a file that is not there.
    #[error("atlas.sum has {0}, which is not there")]
    Gone(String),
    /// A file is not what it was.
    #[error("{0} is not what atlas.sum says")]
    Changed(String),
}

impl Sums {
    /// The hashes of the migrations of a folder.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn of(inventory: &Inventory) -> io::Result<Self> {
        let is_migration = |entry: &&Entry| matches!(entry.kind, Kind::Revision { .. });
        let mut entries: Vec<&Entry> = inventory.entries().iter().filter(is_migration).collect();
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        let mut all = Sha256::new();
        let mut files = Vec::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        for entry in entries {
            all.update(entry.path.as_bytes());
            if is_left_out(entry)? {
                continue;
            }
            let mut reader = entry.content.open()?;
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => all.update(&buffer[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            files.push((entry.path.clone(), STANDARD.encode(all.clone().finalize())));
        }
        Ok(Self { files })
    }

    /// Reads the text of an `atlas.sum`.
    ///
    /// # Errors
    /// It is not in its form, or its first line does not fit the others.
    pub fn parse(text: &str) -> Result<Self, Misfit> {
        let mut lines = text.lines();
        let total = lines.next().unwrap_or_default();
        let mut files = Vec::new();
        for (at, line) in lines.enumerate() {
            let (name, hash) = line.split_once(MARK).ok_or(Misfit::Form(at + 2))?;
            files.push((name.trim().to_owned(), hash.to_owned()));
        }
        let sums = Self { files };
        match total.strip_prefix(MARK).unwrap_or(total) == sums.total() {
            true => Ok(sums),
            false => Err(Misfit::Total),
        }
    }

    /// The hash of all hashes.
    #[must_use]
    pub fn total(&self) -> String {
        let mut hasher = Sha256::new();
        for (name, hash) in &self.files {
            hasher.update(name.as_bytes());
            hasher.update(hash.as_bytes());
        }
        STANDARD.encode(hasher.finalize())
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |(name, hash): &(String, String)| format!("{name} {MARK}{hash}\n");
        let lines: String = self.files.iter().map(line).collect();
        format!("{MARK}{}\n{lines}", self.total())
    }

    /// How what is written down differs from what is there.
    ///
    /// A hash covers the files before, too: of those that changed only the first is known. All that are missing or too many are told.
    #[must_use]
    pub fn misfits(&self, written: &Self) -> Vec<Misfit> {
        let names = |sums: &Self| -> BTreeMap<String, String> { sums.files.iter().cloned().collect() };
        let (there, known) = (names(self), names(written));
        let mut misfits: Vec<Misfit> = known
            .keys()
            .filter(|name| !there.contains_key(*name))
            .map(|name| Misfit::Gone(name.clone()))
            .collect();
        misfits.extend(
            there
                .keys()
                .filter(|name| !known.contains_key(*name))
                .map(|name| Misfit::Extra(name.clone())),
        );
        let first = self.files.iter().zip(&written.files).find(|(now, then)| now != then);
        match first {
            // What follows one that is missing or too many has another hash for that alone.
            Some((now, then)) if now.0 == then.0 => misfits.push(Misfit::Changed(now.0.clone())),
            Some((now, _)) if misfits.is_empty() => misfits.push(Misfit::Changed(now.0.clone())),
            _ => {}
        }
        misfits
    }
}

/// Compares the `atlas.sum` of a folder with its migrations; none if there are no migrations either.
///
/// # Errors
/// A file cannot be read.
pub fn verify(inventory: &Inventory) -> io::Result<Vec<Misfit>> {
    let there = Sums::of(inventory)?;
    let Some(file) = inventory.entries().iter().find(|entry| entry.path == NAME) else {
        let has_migrations = inventory
            .entries()
            .iter()
            .any(|entry| matches!(entry.kind, Kind::Revision { .. }));
        return Ok(has_migrations.then_some(Misfit::Missing).into_iter().collect());
    };
    let (bytes, _) = file.content.read(LIMIT_BYTES)?;
    Ok(match Sums::parse(&String::from_utf8_lossy(&bytes)) {
        Ok(written) => there.misfits(&written),
        Err(misfit) => vec![misfit],
    })
}

/// Whether a file says that only its name counts.
fn is_left_out(entry: &Entry) -> io::Result<bool> {
    /// A first line is a comment, and not longer than this.
    const HEAD_BYTES: u64 = 4096;
    let (bytes, _) = entry.content.read(HEAD_BYTES)?;
    let text = String::from_utf8_lossy(&bytes);
    let first = text.split('\n').next().unwrap_or_default();
    Ok(super::directive(first) == Some(("sum", "ignore")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::Tool;
    use crate::migrations::inventory::Listed;

    fn folder(files: &[(&str, &str)]) -> Inventory {
        let listed = files
            .iter()
            .map(|(path, text)| Listed::in_memory(path, text.as_bytes()));
        Inventory::of(Tool::Atlas, listed)
    }

    /// What `atlas migrate hash` writes for these files.
    const FILES: [(&str, &str); 3] = [
        ("1_a.sql", "CREATE TABLE a (id int);\n"),
        ("2_b.sql", "-- atlas:sum ignore\nCREATE TABLE b (id int);\n"),
        ("3_c.sql", "CREATE TABLE c (id int);\n"),
    ];

    fn misfits(files: &[(&str, &str)], sums: &Sums) -> Vec<String> {
        let text = sums.text();
        let mut all = files.to_vec();
        all.push((NAME, &text));
        verify(&folder(&all))
            .expect("memory")
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_hash_covers_what_comes_before() {
        let sums = Sums::of(&folder(&FILES)).expect("memory");
        let names: Vec<&str> = sums.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["1_a.sql", "3_c.sql"]);
        let all = format!("1_a.sql{}2_b.sql3_c.sql{}", FILES[0].1, FILES[2].1);
        assert_eq!(sums.files[1].1, STANDARD.encode(Sha256::digest(all)));
        assert_eq!(Sums::parse(&sums.text()), Ok(sums));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let sums = Sums::of(&folder(&FILES)).expect("memory");
        assert_eq!(misfits(&FILES, &sums), Vec::<String>::new());
        let changed = [FILES[0], FILES[1], ("3_c.sql", "DROP TABLE c;\n")];
        assert_eq!(misfits(&changed, &sums), ["3_c.sql is not what atlas.sum says"]);
        // Its content does not count.
        let ignored = [FILES[0], ("2_b.sql", "-- atlas:sum ignore\nx"), FILES[2]];
        assert_eq!(misfits(&ignored, &sums), Vec::<String>::new());
        let more = [FILES[0], ("1_b.sql", "x"), FILES[1], FILES[2]];
        assert_eq!(misfits(&more, &sums), ["1_b.sql is not in atlas.sum"]);
        assert_eq!(
            misfits(&FILES[1..], &sums),
            ["atlas.sum has 1_a.sql, which is not there"]
        );
        let both = [("1_a.sql", "x"), FILES[1], FILES[2], ("4_d.sql", "x")];
        assert_eq!(
            misfits(&both, &sums),
            ["4_d.sql is not in atlas.sum", "1_a.sql is not what atlas.sum says"]
        );
        // A file that was left out is renamed: no name in atlas.sum says so, but the hashes behind it do.
        let renamed = [FILES[0], ("2_c.sql", FILES[1].1), FILES[2]];
        assert_eq!(misfits(&renamed, &sums), ["3_c.sql is not what atlas.sum says"]);
    }

    #[test]
    fn a_sum_of_another_form_is_refused() {
        assert_eq!(Sums::parse("h1:x\n1_a.sql h1:y\n"), Err(Misfit::Total));
        assert_eq!(Sums::parse("h1:x\n1_a.sql\n"), Err(Misfit::Form(2)));
        assert_eq!(Sums::parse(""), Err(Misfit::Total));
        assert_eq!(verify(&folder(&FILES)).expect("memory"), [Misfit::Missing]);
        assert_eq!(verify(&folder(&[])).expect("memory"), []);
    }
}
