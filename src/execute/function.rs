//! The function of AWS Lambda that stands before ECS: what it is told, and what it answers.
//!
//! Both its sides speak through these values: `serve`, which is the function, and `lambda`, which calls it. The words are a superset of those of
//! the article's function, which took no event and answered what `RunTask` had answered.

mod answer;
mod refusal;
mod request;

pub(super) use answer::{
    NotOurs, is_good, of_conclusion, of_findings, of_records, of_view, read_findings, read_records, read_view,
};
pub(super) use refusal::{Refusal, status_of};
pub(super) use request::{Call, NO_ACTION, Request};
