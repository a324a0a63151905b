//! Which keys a project file may hold, asked from the types it is read into.

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value::Error};
use toml::de::{DeTable, DeValue};

use super::{
    Addition, CheckSection, DatabasesSection, DockerfileSection, ImageSection, MigrationsSection, Project,
    ProjectSection, RegistrySection, RepositorySection, RunSection, RunnerSection,
};

/// How alike a key and a known one must be for the known one to be offered (Jaro-Winkler, 0 to 1): below this, what is
/// offered has as a rule nothing to do with what was meant.
const LIKENESS: f64 = 0.75;

/// A key that nobody reads.
pub(super) struct Unknown {
    /// Where the key begins, in bytes.
    pub(super) start: usize,
    /// The section it stands in; empty at the top.
    pub(super) section: String,
    /// The key.
    pub(super) key: String,
    /// The known key that is most like it.
    pub(super) nearest: Option<String>,
}

/// Finds the first key, in the order of the text, that nobody reads.
pub(super) fn unknown(root: &DeTable<'_>) -> Option<Unknown> {
    let mut found = Vec::new();
    compare::<Project>(root, "", &mut found);
    for (section, value) in root {
        let section: &str = section.get_ref();
        match (section, value.get_ref()) {
            ("project", DeValue::Table(table)) => {
                compare::<ProjectSection>(table, section, &mut found);
            }
            ("migrations", DeValue::Table(table)) => {
                compare::<MigrationsSection>(table, section, &mut found);
            }
            ("repository", DeValue::Table(table)) => {
                compare::<RepositorySection>(table, section, &mut found);
            }
            ("dockerfile", DeValue::Table(table)) => {
                compare::<DockerfileSection>(table, section, &mut found);
            }
            ("check", DeValue::Table(table)) => compare::<CheckSection>(table, section, &mut found),
            ("image", DeValue::Table(table)) => compare::<ImageSection>(table, section, &mut found),
            ("runner", DeValue::Table(table)) => {
                compare::<RunnerSection>(table, section, &mut found);
                additions(table, &mut found);
            }
            ("run", DeValue::Table(table)) => {
                compare::<RunSection>(table, section, &mut found);
                if let Some(DeValue::Table(databases)) = table.get("databases").map(toml::Spanned::get_ref) {
                    compare::<DatabasesSection>(databases, "run.databases", &mut found);
                }
            }
            ("registry", DeValue::Table(hosts)) => {
                for (host, value) in hosts {
                    if let DeValue::Table(table) = value.get_ref() {
                        compare::<RegistrySection>(table, &format!("registry.{:?}", host.get_ref()), &mut found);
                    }
                }
            }
            _ => {}
        }
    }
    found.into_iter().min_by_key(|unknown| unknown.start)
}

fn additions(runner: &DeTable<'_>, found: &mut Vec<Unknown>) {
    let Some(DeValue::Array(elements)) = runner.get("add").map(toml::Spanned::get_ref) else {
        return;
    };
    for element in elements {
        if let DeValue::Table(table) = element.get_ref() {
            compare::<Addition>(table, "runner.add", found);
        }
    }
}

fn compare<T: DeserializeOwned>(table: &DeTable<'_>, section: &str, found: &mut Vec<Unknown>) {
    let known = fields::<T>();
    for key in table.keys() {
        let name: &str = key.get_ref();
        if !known.contains(&name) {
            found.push(Unknown {
                start: key.span().start,
                section: section.to_owned(),
                key: name.to_owned(),
                nearest: nearest(name, known),
            });
        }
    }
}

fn nearest(name: &str, known: &[&str]) -> Option<String> {
    let name = name.to_lowercase().replace('-', "_");
    let likeness = |candidate: &&str| (strsim::jaro_winkler(&name, candidate), (*candidate).to_owned());
    let best = known.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= LIKENESS).then_some(best.1)
}

/// The keys a type is read from: the type tells them to whoever offers to be read.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &[&str] = &[];
    // Never `Ok`: what is read here is only the question.
    let _ = T::deserialize(Asked(&mut fields));
    fields
}

struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("nothing to read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
