//! Amazon ECR as its names tell it: account and region of a host, and what each request needs. Values only; who speaks
//! to AWS is `aws`.

mod cache;
mod host;
mod operation;
mod policy;

pub use cache::is_usual_cache;
pub use host::{EcrHost, PrivateHost};
pub use operation::{Access, Operation};
pub use policy::{CreationNeeds, Needs};
