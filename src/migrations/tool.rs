//! The tool that runs the scripts, with what its configuration says about them.

use super::flyway::config::FlywayConfig;
use super::liquibase::LiquibaseConfig;
use crate::sql::Dialect;

/// A migration tool, with what its configuration says about names and content of scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// Flyway.
    Flyway(Box<FlywayConfig>),
    /// Liquibase.
    Liquibase(Box<LiquibaseConfig>),
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// Atlas.
    Atlas,
    /// None that is known: files without a meaning.
    Unknown,
}

impl Tool {
    /// Flyway as it is without any configuration.
    #[must_use]
    pub fn flyway() -> Self {
        Self::Flyway(Box::default())
    }

    /// Takes note of placeholders that get their values when the image runs.
    pub fn promise_placeholders(&mut self, names: &[String]) {
        if let Self::Flyway(config) = self {
            for name in names {
                // Flyway knows them by their small letters.
                config.placeholders.values.entry(name.to_lowercase()).or_insert(None);
            }
        }
    }

    /// The database the scripts are for, if the configuration says its address.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        let url = match self {
            Self::Flyway(config) => config.url.as_deref()?,
            Self::Liquibase(config) => config.url.as_deref()?,
            _ => return None,
        };
        let scheme = url.strip_prefix("jdbc:").unwrap_or(url).split(':').next()?;
        scheme.parse().ok()
    }

    /// The name of its profile.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Flyway(_) => "flyway",
            Self::Liquibase(_) => "liquibase",
            Self::Dbmate => "dbmate",
            Self::GolangMigrate => "golang-migrate",
            Self::Goose => "goose",
            Self::Atlas => "atlas",
            Self::Unknown => "custom",
        }
    }
}
