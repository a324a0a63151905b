//! Where Flyway looks for scripts.

/// What stands before a folder of the file system; without it a location is looked for inside of jars.
const FILE_SYSTEM: &str = "filesystem:";

/// A location, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The folder that is searched, absolute.
    root: String,
    /// What paths below it must look like; empty without wildcards.
    pattern: Vec<String>,
    /// What locations are sorted and compared by.
    descriptor: String,
}

/// Places in an image that are searched for scripts, as Flyway makes them out of what is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locations(Vec<Location>);

impl Location {
    /// Reads one; none if it is not a folder of the file system. A relative one is meant against `directory`.
    #[must_use]
    pub fn parse(text: &str, directory: &str) -> Option<Self> {
        let text = text.trim();
        let (prefix, path) = text.split_at_checked(FILE_SYSTEM.len())?;
        if !prefix.eq_ignore_ascii_case(FILE_SYSTEM) {
            return None;
        }
        let is_wild = |part: &&str| part.contains(['*', '?']);
        let parts: Vec<&str> = path.split('/').collect();
        let first_wild = parts.iter().position(is_wild).unwrap_or(parts.len());
        let mut pattern: Vec<String> = parts[first_wild..].iter().map(|part| (*part).to_owned()).collect();
        // A slash at the end says nothing.
        while pattern.last().is_some_and(String::is_empty) {
            pattern.pop();
        }
        Some(Self {
            root: absolute(&parts[..first_wild].join("/"), path.starts_with('/'), directory),
            pattern,
            descriptor: format!(
                "{FILE_SYSTEM}{}",
                if first_wild < parts.len() {
                    path
                } else {
                    path.trim_end_matches('/')
                }
            ),
        })
    }

    /// The path of a file within this location, and the path below the folder that is searched; none if it is not in it.
    fn relative<'a>(&self, image_path: &'a str) -> Option<(&'a str, &'a str)> {
        let below = image_path
            .strip_prefix(self.root.trim_end_matches('/'))?
            .strip_prefix('/')?;
        if self.pattern.is_empty() {
            return Some((below, below));
        }
        let segments: Vec<&str> = below.split('/').collect();
        let is_file = self
            .pattern
            .last()
            .is_some_and(|last| last != "**" && last.contains('.'));
        // Flyway asks for two slashes behind these, which no path has.
        if self.pattern.last().is_some_and(|last| last == "**") {
            return None;
        }
        let taken = matching(&self.pattern, &segments, is_file)?;
        let rest: usize = segments[..taken].iter().map(|segment| segment.len() + 1).sum();
        Some((if is_file { below } else { &below[rest..] }, below))
    }
}

/// How many segments a pattern takes, as few as it can; all of them if it is to end in a file, else not all.
fn matching(pattern: &[String], segments: &[&str], is_file: bool) -> Option<usize> {
    let Some((first, others)) = pattern.split_first() else {
        return (segments.is_empty() == is_file).then_some(0);
    };
    if first == "**" {
        return (0..segments.len())
            .find_map(|skipped| Some(skipped + matching(others, &segments[skipped..], is_file)?));
    }
    let (segment, rest) = segments.split_first()?;
    let fits = fits(&first.chars().collect::<Vec<_>>(), &segment.chars().collect::<Vec<_>>());
    Some(1 + fits.then(|| matching(others, rest, is_file))??)
}

/// Whether a name fits: `?` stands for one character, `*` for one or more.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', others)), Some((_, rest))) => fits(others, rest) || fits(pattern, rest),
        (Some((wanted, others)), Some((found, rest))) => (*wanted == '?' || wanted == found) && fits(others, rest),
        _ => false,
    }
}

/// An absolute path without `.`, `..` and doubled slashes.
fn absolute(path: &str, is_absolute: bool, directory: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let before = if is_absolute { "" } else { directory };
    for part in before.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

impl Locations {
    /// Those that are folders of the file system, sorted, without those that lie in another.
    #[must_use]
    pub fn of(texts: &[String], directory: &str) -> Self {
        let mut all: Vec<Location> = texts
            .iter()
            .filter_map(|text| Location::parse(text, directory))
            .collect();
        all.sort_by(|one, other| one.descriptor.cmp(&other.descriptor));
        let mut kept: Vec<Location> = Vec::new();
        for location in all {
            let is_within = |parent: &Location| {
                let is_plain = parent.pattern.is_empty() && location.pattern.is_empty();
                let below = |path: &str| format!("{path}/");
                parent.descriptor == location.descriptor
                    || is_plain && below(&location.descriptor).starts_with(&below(&parent.descriptor))
            };
            if !kept.iter().any(is_within) {
                kept.push(location);
            }
        }
        Self(kept)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of a file within the first location it lies in, and whether a folder on the way to it is hidden.
    #[must_use]
    pub fn find<'a>(&self, image_path: &'a str) -> Option<(&'a str, bool)> {
        self.0.iter().find_map(|location| {
            let (path, below) = location.relative(image_path)?;
            let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
            Some((path, folders.split('/').any(|folder| folder.starts_with('.'))))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(locations: &[&str], path: &'static str) -> Option<(&'static str, bool)> {
        let locations: Vec<String> = locations.iter().map(|&text| text.to_owned()).collect();
        Locations::of(&locations, "/flyway").find(path)
    }

    #[test]
    fn paths_are_relative_to_their_location() {
        for (location, path, expected) in [
            (
                "filesystem:/flyway/sql",
                "/flyway/sql/a/V1__a.sql",
                Some(("a/V1__a.sql", false)),
            ),
            ("filesystem:sql", "/flyway/sql/V1__a.sql", Some(("V1__a.sql", false))),
            ("filesystem:./sql/", "/flyway/sql/V1__a.sql", Some(("V1__a.sql", false))),
            ("FileSystem:sql", "/flyway/sql/V1__a.sql", Some(("V1__a.sql", false))),
            (
                " filesystem:sql/common ",
                "/flyway/sql/common/V1__a.sql",
                Some(("V1__a.sql", false)),
            ),
            (
                "filesystem:sql/.hidden",
                "/flyway/sql/.hidden/V1__a.sql",
                Some(("V1__a.sql", false)),
            ),
            (
                "filesystem:sql",
                "/flyway/sql/.hidden/V1__a.sql",
                Some((".hidden/V1__a.sql", true)),
            ),
            ("filesystem:sql", "/flyway/sql2/V1__a.sql", None),
            ("filesystem:sql/a", "/flyway/sql/V1__a.sql", None),
            ("sql", "/flyway/sql/V1__a.sql", None),
            ("classpath:sql", "/flyway/sql/V1__a.sql", None),
            (
                "filesystem:sql/*/common",
                "/flyway/sql/a/common/V1.sql",
                Some(("V1.sql", false)),
            ),
            ("filesystem:sql/*/common", "/flyway/sql/a/b/common/V1.sql", None),
            (
                "filesystem:sql/**/common",
                "/flyway/sql/a/b/common/x/V1.sql",
                Some(("x/V1.sql", false)),
            ),
            (
                "filesystem:sql/**/common",
                "/flyway/sql/common/V1.sql",
                Some(("V1.sql", false)),
            ),
            (
                "filesystem:sql/r?l*",
                "/flyway/sql/rel1/V1.sql",
                Some(("V1.sql", false)),
            ),
            ("filesystem:sql/rel*", "/flyway/sql/rel/V1.sql", None),
            ("filesystem:sql/*.sql", "/flyway/sql/V1.sql", Some(("V1.sql", false))),
            (
                "filesystem:sql/**/*.sql",
                "/flyway/sql/a/V1.sql",
                Some(("a/V1.sql", false)),
            ),
            ("filesystem:sql/*", "/flyway/sql/V1.sql", None),
            ("filesystem:sql/**", "/flyway/sql/a/V1.sql", None),
        ] {
            assert_eq!(found(&[location], path), expected, "{location} {path}");
        }
    }

    #[test]
    fn a_location_within_another_is_dropped() {
        let both = ["filesystem:sql/a", "filesystem:sql"];
        assert_eq!(found(&both, "/flyway/sql/a/V1.sql"), Some(("a/V1.sql", false)));
        let beside = ["filesystem:sql-old", "filesystem:sql"];
        assert_eq!(found(&beside, "/flyway/sql-old/V1.sql"), Some(("V1.sql", false)));
    }
}
