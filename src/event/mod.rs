//! The events of a run, as owned and serialisable records.
//!
//! One type, [`Event`], is the whole interface between those who run jobs and those who report on
//! them. A record written to the journal and read back equals the one that was sent, so a report
//! made later equals the one made live.
//!
//! Invariants:
//! - Every event of a job carries the job and its attempt.
//! - `case-started` and `case-finished` of a job come between its `job-started` and its
//!   `job-finished`. Between two attempts, `attempt-finished` takes the place of `job-finished`,
//!   and another `job-started` follows.
//! - A job has one `job-finished`, and `run-finished` is the last record.
//! - A killed run that goes on sends `run-resumed`, and again the `job-queued` of every job that
//!   was not over. All earlier events of these jobs count no more.
//! - Output is never in an event. It lies in the job's log, and events give byte ranges into it.
//!
//! This module decides nothing: [`crate::outcome`] adds the events up.

mod enforcement;
mod fingerprint;
mod journal;
mod left_behind;
mod payload;

pub use enforcement::Enforcement;
pub use fingerprint::{Fingerprint, digest};
pub use journal::{Journal, JournalError, read_journal, read_start};
pub use left_behind::{FileChange, LeftBehind, LeftFile};
pub use payload::{
    CaseFinished, CaseStarted, Event, FORMAT_VERSION, Isolation, JobFinished, JobQueued,
    JobStarted, Notice, PeakOf, Record, RunFinished, RunResumed, RunShard, RunStarted, RunStopping,
    Since, Span,
};
