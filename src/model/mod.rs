//! The words that all rooms share: a job's id, command and outcome, and the exit code of a run.
//!
//! Plain values without behaviour of their own: no file, no process, no clock. This room imports
//! nothing of the crate.

mod case_pattern;
mod case_status;
mod check_finding;
mod command_error;
mod exit_code;
mod job;
mod proven_failure;
mod reach;
mod selection;
mod tool;

pub use case_pattern::{CasePattern, InvalidCasePattern, without_number};
pub use case_status::{CaseStatus, Tally};
pub use check_finding::{CheckFinding, CheckFindings, FindingLevel};
pub use command_error::CommandError;
pub use exit_code::{Counted, ExitCode, exit_code};
pub use job::{Command, Ending, Expect, JobId, JobOutcome, Readiness};
pub use proven_failure::ProvenFailure;
pub use reach::Reach;
pub use selection::{Decision, Selection};
pub use tool::{go_install, install};
