//! Carries out a plan: a scheduler, and a supervisor for each job.
//!
//! ```text
//! run ─▶ scheduler ─▶ supervisor × N ─▶ helper × N (`kata-ci __job`, one for each job) ─▶ job
//!            ▲              │
//!         control        events ─▶
//! ```
//! The process between supervisor and job ([`helper`]) is the subreaper of all that the job starts,
//! in a session without a terminal. Its standard input is a socket to the supervisor. It ends the
//! job's whole tree when told to, or when the supervisor is gone. kata-ci itself is a subreaper
//! too, so a job that kills its helper gains nothing.
//!
//! Invariants:
//! - No process of a job outlives the job.
//! - No job lasts longer than its timeout, its grace time and a second.
//! - Memory does not grow with the output.
//! - Every job of the plan gets exactly one `job-finished` while kata-ci lives, whatever breaks.
//!
//! This room gathers facts, and asks [`crate::outcome`] for every verdict.
//! Supervisors never print; everything goes out as events, and reporting is for others.

mod attempts;
mod check_findings;
mod child;
mod failure;
mod go_flags;
mod held_back;
pub mod helper;
mod isolation;
mod job_watch;
mod junit;
mod leftover_files;
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
mod scheduler;
pub mod signals;
mod stop;
mod supervisor;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender};

pub use isolation::{
    Isolated, IsolationPlan, RunPaths, UnsatisfiableIsolation, paths_of_strict_job,
    strict_job_may_write, try_sandbox,
};
pub use protocol::ARGUMENT as HELPER_ARGUMENT;

use crate::event::Event;
use crate::fs::Directory;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::plan::Plan;

/// The settings of a run.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The number of jobs that may run side by side; 0 counts as 1.
    pub parallel: usize,
    /// The number of bad jobs after which nothing more is started and running jobs are cancelled.
    /// Bad jobs are those that fail the run, see [`crate::outcome::fails_run`].
    pub max_fail: Option<usize>,
    /// The jobs of a resumed run that are over already. They do not run again, but their outcomes
    /// count.
    pub done: BTreeMap<JobId, JobOutcome>,
    /// The directory of the logs. A job's log is `COMPONENT.STEP.log` in it.
    pub logs: Directory,
    /// The files and directories that kata-ci itself writes to while jobs run, such as its logs.
    /// Changes there are no job's doing. The paths are absolute and without links.
    pub written_meanwhile: Vec<PathBuf>,
    /// True if an unmet requirement is an error instead of a skipped job.
    pub require_all: bool,
    /// The program that is [`helper::main`] when called with [`HELPER_ARGUMENT`]. It is
    /// [`own_program`] outside of tests.
    pub program: PathBuf,
    /// The isolation of each job.
    pub isolated: Isolated,
}

/// Returns a path of this program that holds even if its file is replaced or removed meanwhile.
pub fn own_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// An order to the run from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Sends TERM to all jobs and starts nothing more. The number is the signal that asked for it.
    Cancel(i32),
    /// Sends KILL to all jobs at once.
    Kill(i32),
}

/// Carries out the plan and returns when every job is over. Sends `job-queued` … `job-finished` of
/// every job; `run-started` and `run-finished` are for the caller to send.
///
/// A slow consumer of `events` slows the jobs down, but never keeps one alive beyond its time. If
/// the receiving end is dropped, running jobs are killed, because nobody would learn of their end.
/// `control` may be dropped.
///
/// Returns the signal that ended the run early, if one did.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    events: &Sender<Event>,
    control: &Receiver<Control>,
) -> Option<i32> {
    let snapshots = leftover_files::RepositorySnapshots::new(options.written_meanwhile.clone());
    scheduler::Scheduler::new(plan, options, events, &snapshots).run(control)
}
