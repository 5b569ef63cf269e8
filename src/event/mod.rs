//! What happens in a run, as owned and serialisable records.
//!
//! One type, [`Event`], is the whole interface between those who run jobs and those who report on them. A record
//! written to the journal and read back equals the one that was sent, so a report made later equals the one made live.
//!
//! Invariants: every event of a job carries the job and its attempt; `case-started` and `case-finished` of a job come
//! between its `job-started` and its `job-finished` (or `attempt-finished`, which another `job-started` of the job follows);
//! a job has one `job-finished`; `run-finished` is the last record. A run that was killed and went on says `run-resumed` and
//! sends the `job-queued` of every job that was not over again: all that was told of these before counts no more. Output is never in an event: it
//! lies in the job's log, and events give byte ranges into it.
//!
//! This module does not decide anything: what the events add up to is for [`crate::outcome`].

mod fingerprint;
mod journal;
mod left_behind;
mod payload;
mod record;

pub use fingerprint::{Fingerprint, digest};
pub use journal::{Journal, JournalError, read_journal, read_start};
pub use left_behind::{FileChange, LeftBehind, LeftFile};
pub use payload::{
    CaseFinished, CaseStarted, Event, Isolation, JobFinished, JobQueued, JobStarted, Notice,
    PeakOf, RunFinished, RunResumed, RunStarted, RunStopping, Since, Span,
};
pub use record::{FORMAT_VERSION, Record};
