//! Bytes of a job's output → cases.
//!
//! Pure and incremental: bytes go in as they come, in pieces of any size, [`Finding`]s come out in order. Invariants: the
//! findings do not depend on how the bytes were cut into pieces; memory grows with the number of cases, never with the
//! amount of output; no input makes it panic.
//!
//! It does not judge: what the findings mean for the job is for [`crate::outcome`].

mod finding;
mod parser;

pub use finding::{CaseEnd, CaseKey, Context, Finding, Observations};
pub use parser::Parser;
