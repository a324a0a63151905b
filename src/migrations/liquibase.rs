//! Liquibase: changelogs and their changesets.

/// Where its profile puts changelogs.
pub const FOLDER: &str = "/liquibase/changelog";

/// What Liquibase's configuration says about changelogs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiquibaseConfig {
    /// The changelog it starts from, as configured.
    pub changelog: Option<String>,
}
