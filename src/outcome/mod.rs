//! The sum of a run's events: cases, jobs, the run, and the exit code.
//!
//! Pure: no file, no process, no clock. This room alone decides the outcome of a job, from facts
//! that others gathered:
//! - about one attempt: [`verdict()`]
//! - over several attempts: [`judge_attempts`] and [`is_incomplete`]
//! - about what the job left behind: [`judge_leftovers`]
//! - about a job that never started: [`unready`], [`dropped`] and [`unstarted()`]
//!
//! The verdict is given once, when the job ends, and travels in its `job-finished` event. The fold
//! ([`Run`]) only collects, so folding a journal again gives the same run.
//!
//! Invariants: a job with a `failed` or `unfinished` case is never `passed`. Nothing counts as
//! passed that was not seen to pass.

mod allowed;
mod attempts;
mod left_behind;
mod run;
#[cfg(test)]
mod tests;
mod unstarted;
mod verdict;

pub use allowed::{allowance, fails_run};
pub use attempts::{
    CaseResult, Cases, INCOMPLETE, REMARK, incomplete, is_incomplete, is_worth_another_try,
    judge_attempts,
};
pub use left_behind::{answers_for_leftovers, judge_leftovers};
pub use run::{JobResult, Run};
pub use unstarted::{dropped, lost_need, unready, unstarted};
pub use verdict::{Circumstance, JobFacts, Trouble, Verdict, verdict};
