//! Bytes of a job's output → cases.
//!
//! Pure and incremental: bytes go in as they come, in pieces of any size, [`Finding`]s come out in order. Invariants: the
//! findings do not depend on how the bytes were cut into pieces; memory grows with the number of cases, never with the
//! amount of output; no input makes it panic.
//!
//! Findings come as early as they are certain. Ends of Go tests wait for their package's own line, since only that tells
//! whether they came from Go's cache, but in a real run with `-json` no longer than some seconds; where the text does not
//! announce its package, starts wait with them. Everything else is handed out with its line.
//!
//! It does not judge: what the findings mean for the job is for [`crate::outcome`].

mod cases;
mod causes;
mod clean;
mod finding;
mod go;
mod libtest;
mod lines;
mod make;
mod network;
mod not_run;
mod observations;
mod parser;
mod static_checks;
mod tap;
#[cfg(test)]
mod tests;

pub use finding::{CaseContext, CaseEnd, CaseKey, Finding, Observations};
pub use network::{NAMELESS, network_fix, network_tried};
pub use parser::Parser;
