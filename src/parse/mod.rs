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
mod go_json;
mod go_lines;
mod go_log;
mod go_package;
mod go_suite;
mod go_text;
mod libtest;
mod libtest_block;
mod libtest_lines;
mod libtest_panics;
mod lines;
mod make;
mod network;
mod not_run;
mod parser;
mod seen;
mod static_checks;
mod tap;
mod tap_diagnostics;
mod tap_lines;
mod tap_stream;
#[cfg(test)]
mod tests;

pub use finding::{CaseEnd, CaseKey, Context, Finding, Observations};
pub use network::{NAMELESS, network_fix, network_tried};
pub use parser::Parser;
