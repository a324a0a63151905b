//! What is said here of folders of migrations, and what the tools themselves make of them: golang-migrate, goose, Atlas, dbmate, Liquibase.
//!
//! The first three are libraries, asked by `ci/migration-tools`; dbmate and Liquibase are run on databases of SQLite.

mod dbmate;
mod folder;
mod liquibase;
mod numbered;
mod report;
