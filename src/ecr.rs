//! Amazon ECR as its names tell it: account and region of a host, and what each request needs. Values only; who speaks
//! to AWS is `aws`.

mod host;
mod operation;
mod policy;

pub use host::{EcrHost, PrivateHost};
pub use operation::{Access, Operation};
pub use policy::{CreationNeeds, Needs};
