//! The words that all rooms share: what a job is called, what it runs, how it ended, what a run exits with.
//!
//! Plain values without behaviour of their own: no file, no process, no clock. This room imports nothing of the crate.

mod case_status;
mod command;
mod decision;
mod exit_code;
mod expect;
mod job_id;
mod job_outcome;
mod reach;
mod readiness;
mod selection;

pub use case_status::{CaseStatus, Tally};
pub use command::Command;
pub use decision::Decision;
pub use exit_code::{ExitCode, exit_code};
pub use expect::Expect;
pub use job_id::JobId;
pub use job_outcome::{Ending, JobOutcome};
pub use reach::Reach;
pub use readiness::Readiness;
pub use selection::Selection;
