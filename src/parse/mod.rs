//! Turns the bytes of a job's output into cases.
//!
//! Pure and incremental: bytes go in as they come, in pieces of any size, and [`Finding`]s come out
//! in order.
//!
//! Invariants: the findings do not depend on how the bytes were cut into pieces. Memory grows with
//! the number of cases, never with the amount of output. No input makes the parser panic.
//!
//! Findings come as early as they are certain. Ends of Go tests wait for their package's own line,
//! since only that tells whether they came from Go's cache. In a real run with `-json` they wait no
//! longer than some seconds. If the text does not announce its package, starts wait with them.
//! Everything else is handed out with its line.
//!
//! This room does not judge: [`crate::outcome`] decides what the findings mean for the job.

mod clean;
mod evidence;
mod finding;
mod go;
mod isolation;
mod libtest;
mod lines;
mod lint;
mod long_line;
mod make;
mod mark_table;
mod marks;
mod network;
mod parser;
mod proof;
mod runners;
mod static_checks;
mod tap;
#[cfg(test)]
mod tests;
mod variables;

pub use finding::{CaseContext, CaseEnd, CaseKey, Finding, Observations};
pub use isolation::isolation_symptom;
pub use lint::check_findings;
pub use network::{NAMELESS, network_fix, network_tried};
pub use parser::Parser;
pub use static_checks::PACKAGE as STATIC_CHECKS;
pub use variables::variables_named;
