//! Running a plan: a scheduler, and a supervisor for each job.
//!
//! ```text
//! run ─▶ scheduler ─▶ supervisor × N ─▶ a process of our own a job (`kata-ci __job`) ─▶ the job
//!            ▲              │
//!         control        events ─▶
//! ```
//! The process between supervisor and job is the subreaper of all that the job starts, in a session without a terminal. Its
//! standard input is a socket to the supervisor: it ends the job's whole tree when told to, or when the supervisor is gone.
//!
//! Supervisors never print; what happens goes out as events. This module does not judge and does not report.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender};

use crate::event::Event;
use crate::plan::Plan;

/// How a plan is carried out.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Jobs side by side; 0 counts as 1.
    pub parallel: usize,
    /// After so many bad jobs nothing more is started, and what runs is cancelled.
    pub max_fail: Option<usize>,
    /// Directory of the logs; exists. A job's log is `COMPONENT.STEP.log` in it.
    pub logs: PathBuf,
    /// An unmet requirement is an error instead of a skipped job.
    pub require_all: bool,
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
pub fn run(plan: &Plan, settings: &Settings, events: &Sender<Event>, control: &Receiver<Control>) {
    let _ = (plan, settings, events, control);
}
