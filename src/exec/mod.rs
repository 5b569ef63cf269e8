//! Running a plan: a scheduler, and a supervisor for each job.
//!
//! ```text
//! run ─▶ scheduler ─▶ supervisor × N ─▶ a process of our own a job (`kata-ci __job`) ─▶ the job
//!            ▲              │
//!         control        events ─▶
//! ```
//! The process between supervisor and job ([`helper`]) is the subreaper of all that the job starts, in a session without a
//! terminal. Its standard input is a socket to the supervisor: it ends the job's whole tree when told to, or when the
//! supervisor is gone. This process is a subreaper too, so that a job that kills its helper gains nothing.
//!
//! Invariants: nothing of a job outlives it; no job lasts longer than its timeout, its grace time and a second; memory does
//! not grow with the output; every job of the plan gets exactly one `job-finished`, whatever breaks.
//!
//! Supervisors never print; what happens goes out as events. This module does not judge and does not report.

mod attempts;
mod child;
mod failure;
pub mod helper;
mod isolation;
mod leftovers;
mod limits;
mod log;
mod make_query;
mod network_attempts;
mod orphans;
mod output;
mod poll;
mod processes;
mod program;
mod protocol;
mod redact;
mod scheduler;
pub mod signals;
mod stop;
mod supervisor;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender};

pub use isolation::{
    Isolated, IsolationPlan, RunPaths, UnsatisfiableIsolation, strict_job_may_write,
};
pub use protocol::ARGUMENT as HELPER_ARGUMENT;

use crate::event::Event;
use crate::fs::Directory;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::plan::Plan;

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Jobs side by side; 0 counts as 1.
    pub parallel: usize,
    /// After so many bad jobs nothing more is started, and what runs is cancelled. Bad is what fails the run: failed, timed
    /// out, an error, vacuous without leave.
    pub max_fail: Option<usize>,
    /// Jobs of the plan that are over already, in a run that goes on: they are not run, but what they are counts.
    pub done: BTreeMap<JobId, JobOutcome>,
    /// Directory of the logs. A job's log is `COMPONENT.STEP.log` in it.
    pub logs: Directory,
    /// Files and directories that this process writes to while jobs run, its logs among them: what changes there is no job's
    /// doing. Absolute, and without links.
    pub written_meanwhile: Vec<PathBuf>,
    /// An unmet requirement is an error instead of a skipped job.
    pub require_all: bool,
    /// The program that is [`helper::main`] when called with [`HELPER_ARGUMENT`]: [`own_program`], but for tests.
    pub program: PathBuf,
    /// What is put around each job.
    pub isolated: Isolated,
}

/// This program, by a path that holds even when its file is replaced or removed while it runs.
pub fn own_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// What reaches a run from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// TERM to all jobs, nothing more is started; the signal that asked for it.
    Cancel(i32),
    /// KILL at once.
    Kill(i32),
}

/// Carries the plan out and returns when every job is over. Sends `job-queued` … `job-finished` of every job;
/// `run-started` and `run-finished` are the caller's.
///
/// A consumer of `events` that is slow slows the jobs down, but never keeps one alive beyond its time. When the receiving
/// end is dropped, what runs is killed: nobody would learn of it. `control` may be dropped.
///
/// Returns the signal that ended the run before its time, where one did.
pub fn run(
    plan: &Plan,
    settings: &Settings,
    events: &Sender<Event>,
    control: &Receiver<Control>,
) -> Option<i32> {
    let trees = leftovers::RepositorySnapshots::new(settings.written_meanwhile.clone());
    scheduler::Scheduler::new(plan, settings, events, &trees).run(control)
}
