//! Names that are almost those of migrations: what is wrong with them, and what they were meant to be.

use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::flyway::name::{CONFIG_SUFFIX, EVENTS, Kind, Naming, strip_suffix};

/// Ends of names that are meant to keep a file from being run.
const SET_ASIDE: [&str; 14] = [
    ".bak",
    ".orig",
    ".old",
    ".swp",
    ".disabled",
    ".off",
    ".skip",
    ".template",
    ".tmpl",
    ".example",
    ".sample",
    ".rej",
    "~",
    ".tmp",
];
/// Ends of names that SQL has elsewhere.
const OF_SQL: [&str; 10] = [
    ".sql.txt", ".sqls", ".slq", ".sq", ".qsl", ".psql", ".pgsql", ".mysql", ".ddl", ".txt",
];

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookalike {
    /// What, in a phrase.
    pub(super) cause: String,
    /// What it was meant to be, if that can be told.
    pub(super) meant: Option<String>,
}

/// How a name is mended, step by step.
struct Mended {
    name: String,
    causes: Vec<String>,
}

impl Mended {
    fn to(&mut self, name: String, cause: impl Into<String>) {
        if name != self.name {
            self.name = name;
            self.causes.push(cause.into());
        }
    }
}

/// Tells what a name that Flyway passes over was meant to be; none if it does not look like a migration.
pub(super) fn of(naming: &Naming, config: &FlywayConfig, name: &str) -> Option<Lookalike> {
    if SET_ASIDE.iter().any(|end| strip_suffix(name, end).is_some()) || strip_suffix(name, CONFIG_SUFFIX).is_some() {
        return None;
    }
    let mut mended = Mended {
        name: name.to_owned(),
        causes: Vec::new(),
    };
    mend_suffix(&mut mended, config);
    mend_prefix(&mut mended, config);
    let is_named = mend_version(&mut mended, config);
    let looks = is_migration(&naming.classify(&mended.name).0);
    if looks && !mended.causes.is_empty() {
        return Some(Lookalike {
            cause: mended.causes.join(", and "),
            meant: Some(mended.name),
        });
    }
    is_named.map(|cause| Lookalike { cause, meant: None })
}

/// Whether the tool does something with a file of this kind.
pub(super) fn is_migration(kind: &Kind) -> bool {
    use Kind::{Baseline, Callback, Repeatable, Undo, Versioned};
    matches!(
        kind,
        Versioned { .. } | Repeatable { .. } | Baseline { .. } | Undo { .. } | Callback { .. }
    )
}

fn mend_suffix(mended: &mut Mended, config: &FlywayConfig) {
    let trimmed = mended.name.trim().to_owned();
    mended.to(trimmed, "a blank stands at an end of the name");
    let has = |suffixes: &[String]| {
        suffixes
            .iter()
            .any(|suffix| strip_suffix(&mended.name, suffix).is_some())
    };
    if has(&config.suffixes) {
        return;
    }
    let Some(suffix) = config.suffixes.first() else { return };
    // Other words are longer than a mistake.
    if let Some((stem, end)) = OF_SQL
        .iter()
        .find_map(|end| Some((strip_suffix(&mended.name, end)?, *end)))
    {
        // A text about migrations is a text.
        let is_text = end == ".txt" && !looks_versioned(stem, config);
        if !is_text {
            let stem = config
                .suffixes
                .iter()
                .find_map(|suffix| strip_suffix(stem, suffix))
                .unwrap_or(stem);
            let ending = &mended.name[stem.len()..];
            let cause = format!("it ends in {ending:?} and not in {suffix:?}");
            mended.to(format!("{stem}{suffix}"), cause);
        }
    }
}

/// Whether a name begins with the prefix of versions, in any case, and a digit.
fn looks_versioned(name: &str, config: &FlywayConfig) -> bool {
    let prefixes = [
        &config.prefixes.versioned,
        &config.prefixes.baseline,
        &config.prefixes.undo,
    ];
    let rest = prefixes.iter().find_map(|prefix| strip_prefix(name, prefix));
    let of_repeatable = strip_prefix(name, &config.prefixes.repeatable);
    let repeats = of_repeatable.is_some_and(|rest| rest.starts_with(config.separator.as_str()));
    repeats || rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn strip_prefix<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = name.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn mend_prefix(mended: &mut Mended, config: &FlywayConfig) {
    let name = mended.name.clone();
    let events = EVENTS.iter().filter(|event| {
        let rest = strip_prefix(&name, event);
        rest.is_some_and(|rest| rest.starts_with('.') || rest.starts_with(config.separator.as_str()))
    });
    if let Some(event) = events.max_by_key(|event| event.len()) {
        let cause = format!("the event is written {:?} and not {event:?}", &name[..event.len()]);
        mended.to(format!("{event}{}", &name[event.len()..]), cause);
        return;
    }
    let own = &config.prefixes;
    let all = [&own.versioned, &own.repeatable, &own.baseline, &own.undo];
    if !all.iter().any(|prefix| name.starts_with(prefix.as_str()))
        && looks_versioned(&name, config)
        && let Some(prefix) = all.iter().find(|prefix| strip_prefix(&name, prefix).is_some())
    {
        let cause = format!("its prefix is written {:?} and not {prefix:?}", &name[..prefix.len()]);
        mended.to(format!("{prefix}{}", &name[prefix.len()..]), cause);
    } else if name.starts_with(|first: char| first.is_ascii_digit()) && is_sql(&name, config) {
        mended.to(
            format!("{}{name}", own.versioned),
            format!("the prefix {:?} is missing", own.versioned),
        );
    }
}

fn is_sql(name: &str, config: &FlywayConfig) -> bool {
    config
        .suffixes
        .iter()
        .any(|suffix| !suffix.is_empty() && strip_suffix(name, suffix).is_some())
}

/// Mends what stands between prefix and description. Gives the cause where it cannot be mended.
fn mend_version(mended: &mut Mended, config: &FlywayConfig) -> Option<String> {
    let name = mended.name.clone();
    let suffix = config
        .suffixes
        .iter()
        .find(|suffix| strip_suffix(&name, suffix).is_some())?;
    let (stem, suffix) = name.split_at(name.len() - suffix.len());
    let separator = config.separator.as_str();
    let own = &config.prefixes;
    let versioned = [&own.versioned, &own.baseline, &own.undo]
        .into_iter()
        .find(|prefix| stem.starts_with(prefix.as_str()));
    if let Some(prefix) = versioned {
        let rest = &stem[prefix.len()..];
        if !rest.starts_with(|first: char| first.is_ascii_digit()) {
            let is_bare = rest.starts_with(separator) || rest.starts_with('_');
            return is_bare.then(|| format!("no version stands behind {prefix:?}"));
        }
        let (left, right) = rest
            .split_once(separator)
            .map_or((rest, None), |(left, right)| (left, Some(right)));
        let end = version_end(left);
        let (version, between) = left.split_at(end);
        match right {
            // Blanks around the version, and nothing else.
            Some(right) if between.trim().is_empty() => {
                mended.to(
                    format!("{prefix}{version}{separator}{right}{suffix}"),
                    "a blank stands behind the version",
                );
            }
            Some(_) if !between.is_empty() => return Some(format!("{left:?} is not a version")),
            None if !between.is_empty() => {
                let description = between.trim_start_matches(['_', '-', ' ', '.', '@']);
                let gap = &between[..between.len() - description.len()];
                let cause = format!("{gap:?} stands behind the version and not {separator:?}");
                mended.to(format!("{prefix}{version}{separator}{description}{suffix}"), cause);
            }
            _ => {}
        }
        return None;
    }
    let rest = stem.strip_prefix(own.repeatable.as_str())?;
    let (left, right) = rest
        .split_once(separator)
        .map_or((rest, None), |(left, right)| (left, Some(right)));
    match right {
        Some(right) if !left.is_empty() && left.trim().is_empty() => {
            mended.to(
                format!("{}{separator}{right}{suffix}", own.repeatable),
                "a blank stands behind the prefix",
            );
        }
        Some(_) if version_end(left) == left.len() && !left.is_empty() => {
            return Some(format!(
                "{left:?} stands behind {:?}, and what repeats has no version",
                own.repeatable
            ));
        }
        None if rest.starts_with(['_', '-']) => {
            let description = rest.trim_start_matches(['_', '-']);
            let cause = format!(
                "{:?} stands behind the prefix and not {separator:?}",
                &rest[..rest.len() - description.len()]
            );
            mended.to(format!("{}{separator}{description}{suffix}", own.repeatable), cause);
        }
        _ => {}
    }
    None
}

/// Where digits, joined by dots and underscores, end.
fn version_end(text: &str) -> usize {
    let mut end = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let joins = matches!(byte, b'.' | b'_') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        if byte.is_ascii_digit() {
            end = at + 1;
        } else if !joins {
            break;
        }
    }
    end
}
