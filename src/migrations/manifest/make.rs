//! The manifest of an inventory.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Callback, Manifest, Migration, MigrationKind, OtherFile, Runner, SCHEMA};
use crate::migrations::Inventory;
use crate::migrations::examine::Examined;
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::flyway::name::Kind;
use crate::migrations::inventory::Entry;
use crate::migrations::liquibase::Changeset;
use crate::migrations::revision::Direction;
use crate::migrations::set_digest::hexadecimal;
use crate::migrations::tool::Tool;
use crate::migrations::version::Version;

impl Manifest {
    /// Describes an inventory, given what reading its files told; `others` are files of the image that are no scripts.
    #[must_use]
    pub fn of(project: &str, inventory: &Inventory, examined: &[Examined], others: Vec<OtherFile>) -> Self {
        let mut migrations = Vec::new();
        let mut callbacks = Vec::new();
        let mut other = others;
        for (entry, examined) in inventory.entries().iter().zip(examined) {
            let sha256 = hexadecimal(&examined.measurement.sha256);
            match &entry.kind {
                Kind::Callback { event, description } => callbacks.push(Callback {
                    event: (*event).to_owned(),
                    description: description.clone(),
                    script: entry.path.clone(),
                    sha256,
                }),
                Kind::ScriptConfig | Kind::Ignored { .. } | Kind::Other => other.push(OtherFile {
                    path: entry.image_path.clone(),
                    sha256,
                }),
                kind => migrations.extend(migration(kind, entry, examined)),
            }
        }
        let profile = inventory.tool().name();
        migrations.sort_by(|one, other| place(one, profile).cmp(&place(other, profile)));
        // Those of Liquibase run as the changelog says, whatever they are called.
        let changesets = inventory.changelog().changesets.iter();
        migrations.extend(changesets.map(|changeset| of_changeset(changeset, inventory)));
        callbacks.sort_by(|one, other| one.script.cmp(&other.script));
        other.sort_by(|one, other| one.path.cmp(&other.path));
        other.dedup();
        Self {
            schema: SCHEMA.to_owned(),
            project: project.to_owned(),
            runner: Runner {
                profile: profile.to_owned(),
            },
            config: config(inventory.tool()),
            migrations,
            callbacks,
            other,
            set_digest: format!("sha256:{}", inventory.set_digest(examined)),
        }
    }
}

/// What migrations are sorted by: versions, then descriptions in the order of Java's strings; and in any case by something.
fn place<'a>(
    migration: &'a Migration,
    profile: &str,
) -> (bool, Option<super::Order<'a>>, Vec<u16>, MigrationKind, &'a str) {
    let is_repeatable = migration.kind == MigrationKind::Repeatable;
    (
        is_repeatable,
        (!is_repeatable).then(|| migration.order(profile)),
        if is_repeatable {
            migration.description.encode_utf16().collect()
        } else {
            Vec::new()
        },
        migration.kind,
        &migration.script,
    )
}

fn migration(kind: &Kind, entry: &Entry, examined: &Examined) -> Option<Migration> {
    let is_checkpoint = examined.directives.is_checkpoint;
    let revision = match kind {
        Kind::Revision { version, direction, .. } => Some((version.clone(), *direction)),
        _ => None,
    };
    let (kind, version, description): (_, Option<&Version>, &str) = match kind {
        Kind::Revision {
            description, direction, ..
        } => match direction {
            Direction::Down => (MigrationKind::Undo, None, description),
            Direction::Up if is_checkpoint => (MigrationKind::Baseline, None, description),
            Direction::Up => (MigrationKind::Versioned, None, description),
        },
        Kind::Versioned { version, description } => (MigrationKind::Versioned, Some(version), description),
        Kind::Baseline { version, description } => (MigrationKind::Baseline, Some(version), description),
        Kind::Undo { version, description } => (MigrationKind::Undo, Some(version), description),
        Kind::Repeatable { description } => (MigrationKind::Repeatable, None, description),
        _ => return None,
    };
    let mut risk: Vec<String> = examined
        .findings
        .iter()
        .filter(|finding| finding.rule.code.starts_with('R'))
        .map(|finding| finding.rule.code.to_owned())
        .collect();
    risk.sort_unstable();
    risk.dedup();
    let key = version.map_or_else(|| description.to_owned(), Version::canonical);
    let (key, shown) = match &revision {
        Some((version, _)) => (version.clone(), Some(version.clone())),
        None => (key, version.map(ToString::to_string)),
    };
    Some(Migration {
        kind,
        key,
        version: shown,
        description: description.to_owned(),
        script: entry.path.clone(),
        // The others store none.
        checksum: examined.measurement.checksum.filter(|_| revision.is_none()),
        sha256: hexadecimal(&examined.measurement.sha256),
        bytes: examined.measurement.size_bytes,
        statements: examined.statements,
        transactional: examined.transactional,
        repeats: false,
        program: entry.program,
        uses_placeholders: examined.placeholders.iter().cloned().collect(),
        risk,
    })
}

fn of_changeset(changeset: &Changeset, inventory: &Inventory) -> Migration {
    Migration {
        kind: MigrationKind::Changeset,
        key: changeset.key(),
        version: None,
        description: format!("{} by {}", changeset.id, changeset.author),
        script: inventory.entries()[changeset.entry].path.clone(),
        checksum: None,
        sha256: hexadecimal(&changeset.sha256),
        bytes: changeset.size_bytes,
        statements: None,
        transactional: Some(changeset.transactional),
        repeats: changeset.runs_on_change || changeset.runs_always,
        program: false,
        uses_placeholders: Vec::new(),
        risk: Vec::new(),
    }
}

fn config(tool: &Tool) -> BTreeMap<String, Value> {
    let all = match tool {
        Tool::Flyway(config) => of_flyway(config),
        Tool::Liquibase(config) => json!({
            "changelog": config.changelog,
            "searchPath": (!config.search_path.is_empty()).then_some(&config.search_path),
        }),
        Tool::Dbmate | Tool::GolangMigrate | Tool::Goose | Tool::Atlas | Tool::Unknown => json!({}),
    };
    match all {
        Value::Object(all) => all.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => BTreeMap::new(),
    }
}

/// The settings that give scripts their meaning: names of placeholders, never their values.
fn of_flyway(config: &FlywayConfig) -> Value {
    json!({
        "locations": config.locations,
        "table": config.table,
        "defaultSchema": config.default_schema,
        "schemas": config.schemas,
        "prefixes": {
            "versioned": config.prefixes.versioned,
            "repeatable": config.prefixes.repeatable,
            "baseline": config.prefixes.baseline,
            "undo": config.prefixes.undo,
        },
        "separator": config.separator,
        "suffixes": config.suffixes,
        "encoding": config.encoding,
        "placeholders": {
            "replace": config.placeholders.replace,
            "prefix": config.placeholders.prefix,
            "suffix": config.placeholders.suffix,
            "names": config.placeholders.values.keys().collect::<Vec<_>>(),
        },
        "outOfOrder": config.out_of_order,
        "mixed": config.mixed,
        "group": config.group,
        "baselineVersion": config.baseline_version,
        "ignoreMigrationPatterns": config.ignore_migration_patterns,
    })
}
