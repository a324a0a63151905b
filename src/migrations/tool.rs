//! The tool that runs the scripts, with what its configuration says about them.

use super::flyway::config::FlywayConfig;
use super::liquibase::LiquibaseConfig;

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
