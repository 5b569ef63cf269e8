//! The sum of a run's events: cases, jobs, the run, and the exit code.
//!
//! Pure: no file, no process, no clock. The verdict on one job ([`verdict()`]) is given once, where
//! the job ends, and travels in its `job-finished` event. The fold ([`Run`]) only collects, so
//! folding a journal again gives the same run.
//!
//! Invariants: a job with a `failed` or `unfinished` case is never `passed`. Nothing counts as
//! passed that was not seen to pass.

mod attempts;
mod run;
mod verdict;

pub use attempts::{CaseResult, Cases, is_worth_another_try, over_attempts};
pub use run::{JobResult, Run};
pub use verdict::{JobFacts, Trouble, Verdict, verdict};
