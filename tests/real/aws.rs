//! Amazon ECR as other people emulate it: moto, which is the API alone, before the registries of three accounts; and ministack,
//! which is API and registry in one.
//!
//! Everything here needs what `ci/real.sh` calls AWS; the names of tests begin with `aws::`, so that the rest can run without.

pub(crate) mod account;
pub(crate) mod api;
mod doctor;
mod ecs;
mod gateway;
mod ministack;
mod pages;
mod portal;
mod promotion;
mod push;
mod repository;
mod scan;
mod server;
mod store;
mod story;
mod template;
