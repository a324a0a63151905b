//! The table of cases.

pub(super) mod add;
pub(super) mod config;
pub(super) mod copy;
pub(super) mod ignore;
pub(super) mod language;
pub(super) mod modern;
pub(super) mod owner;
pub(super) mod stages;
