//! The records of `events.jsonl`: the kinds of events and their fields.
//!
//! Field names are a contract: add, never rename.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Enforcement, Fingerprint, LeftBehind};
use crate::model::{CaseStatus, CheckFindings, Ending, JobOutcome, Tally};
use crate::model::{Decision, JobId, Reach};

/// An event of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The plan is fixed and the report directory exists.
    RunStarted(RunStarted),
    /// The run was killed and goes on from here. Jobs that are over stay so.
    RunResumed(RunResumed),
    /// A job of the plan is known. It is sent once for each job, before any job starts.
    JobQueued(JobQueued),
    /// The start of the job's process was requested.
    JobStarted(JobStarted),
    /// A case began.
    CaseStarted(CaseStarted),
    /// A case got its status. A case that never ended gets it just before `job-finished`.
    CaseFinished(CaseFinished),
    /// An attempt is over and another one follows. The data is about this attempt alone.
    AttemptFinished(JobFinished),
    /// The job is over, or will never start. Cases and times cover all attempts, process and log
    /// the last one.
    JobFinished(JobFinished),
    /// The run ends early: nothing more is started, and running jobs are told to end.
    RunStopping(RunStopping),
    /// The run is over; nothing follows.
    RunFinished(RunFinished),
}

/// The isolation of a job, or of a run as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// The isolation of a job from every network.
    pub network: Enforcement,
    /// The isolation of a job's processes from those of other jobs. They also cannot outlive the
    /// job.
    pub processes: Enforcement,
    /// The isolation of `/tmp`, `/var/tmp`, `/run` and shared memory. With the mode `on` a job also
    /// cannot write outside its own directories.
    pub files: Enforcement,
    /// The requested mode: `off`, `auto` or `on`; empty in journals of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The limits by `memory`, `processes` and `file_size`, where they are set: the mechanism that
    /// enforces each, and its amount.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, Enforcement>,
}

/// A note to the user about the run as a whole (a linter left out, `CI` together with
/// `KATA_DEV_MODE`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The fact, in a sentence.
    pub text: String,
    /// The advice, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// True if nobody has to care: it only tells about the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fact: bool,
}

impl Notice {
    /// Makes a notice that needs care.
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            fix: None,
            is_fact: false,
        }
    }

    /// Makes a notice that needs no care.
    pub fn fact(text: impl Into<String>) -> Self {
        Self {
            is_fact: true,
            ..Self::warning(text)
        }
    }

    /// Adds the advice.
    pub fn with_fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}

/// The part of a run that `--since` selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The revision as the user wrote it.
    pub revision: String,
    /// The decision about every selected component.
    pub components: Vec<Decision>,
}

impl Since {
    /// Returns true if nothing is left to run.
    pub fn is_empty(&self) -> bool {
        !(self.components.iter()).any(|decision| decision.is_affected)
    }
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run's id, made of time and process; unique on a machine.
    pub run_id: String,
    /// The version of kata-ci.
    pub version: String,
    /// The name of the pipeline, or the path of its file.
    pub pipeline: String,
    /// The absolute path of the workspace.
    pub workspace: String,
    /// The name of the machine, where it has one: `hostname` in JUnit, `worker` in `result.json`.
    #[serde(default, rename = "worker", skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The components of the plan, in order.
    pub components: Vec<String>,
    /// The steps of the plan, in order.
    pub steps: Vec<String>,
    /// The jobs of the plan, in order.
    #[serde(default)]
    pub jobs: Vec<JobId>,
    /// The number of jobs that may run side by side.
    pub parallel: usize,
    /// The inputs that must be unchanged for the run to be resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Box<Fingerprint>>,
    /// The revision of each component's work tree, where git knows one; `-dirty` is appended if
    /// tracked files differ.
    pub revisions: BTreeMap<String, String>,
    /// The shell command that runs all of this again; ` COMPONENT -s STEP` narrows it to a job.
    pub again: String,
    /// The isolation that is enforced for the run.
    pub isolation: Isolation,
    /// The selection of `--since`, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// The id of the run whose failures are run again, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<String>,
    /// The pattern of `--case`, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Notes that the user should read before the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// The shard of a plan that is run, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<RunShard>,
}

/// The part of a plan that a run carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunShard {
    /// The id of the plan.
    pub plan_id: String,
    /// The number of the shard, from 0.
    pub index: usize,
    /// The number of the attempt of the shard, from 1.
    pub attempt: u32,
}

/// A run that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResumed {
    /// The number of jobs that were over and are kept.
    pub kept: usize,
    /// The number of jobs that run now.
    pub left: usize,
    /// See [`RunStarted::parallel`]; the number may be another one now.
    pub parallel: usize,
}

/// A run that ends early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStopping {
    /// The reason, in the words of the jobs that it cancels.
    pub reason: String,
    /// The signal that asked for it, if it was one. A second signal kills the running jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The number of running jobs, which now have their grace time.
    pub running: usize,
}

/// A job of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobQueued {
    /// The job.
    pub job: JobId,
    /// The command as a person would type it.
    pub command: String,
    /// The absolute path of the directory it runs in.
    pub directory: String,
    /// The seconds it is expected to take, estimated from earlier runs, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<f64>,
    /// The seconds after which it is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
}

/// The start of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStarted {
    /// The job.
    pub job: JobId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The tests that the attempt is narrowed to, for people; `None` if it runs the whole job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// The log file, relative to the report directory.
    pub log: String,
    /// The number of the slot that it runs in, from 0. There is a slot for each job that may run at
    /// the same time; people know it as worker.
    #[serde(default, rename = "worker")]
    pub slot: usize,
    /// The isolation that is enforced for this job, where it is known for each job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// A range of bytes in the job's log: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The offset of the first byte.
    pub start: u64,
    /// The offset behind the last byte.
    pub end: u64,
}

/// A case began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseStarted {
    /// The job.
    pub job: JobId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// A Go package's path below the component, a crate, or a static check's group; empty for none.
    pub package: String,
    /// The test's name, with ` #2` where the job ran it again.
    pub name: String,
    /// The offset in the log at which it began.
    pub offset: u64,
}

/// A case got its status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFinished {
    /// The job.
    pub job: JobId,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// See [`CaseStarted::package`].
    pub package: String,
    /// See [`CaseStarted::name`].
    pub name: String,
    /// The status of the case.
    pub status: CaseStatus,
    /// The duration in seconds, if the output tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The reason why it did not pass: one line of clean text, at most 1 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The source file as the output names it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in `file`, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// True if the tool answered from its cache (`(cached)`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// The findings of a static check that failed: `findings`, and the number of those left out.
    #[serde(flatten)]
    pub findings: CheckFindings,
    /// The parts of the log that hold its output, in order. Long lists keep head and tail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Span>,
}

/// The processes that a memory peak was measured of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeakOf {
    /// The resident size of the largest process.
    #[default]
    LargestProcess,
    /// All processes together, with the files they had cached, as the job's control group counted.
    AllProcesses,
}

impl PeakOf {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::LargestProcess => "largest-process",
            Self::AllProcesses => "all-processes",
        }
    }
}

/// A job is over, or will never start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobFinished {
    /// The job.
    pub job: JobId,
    /// The number of the attempt, from 1; 0 for a job that never started.
    pub attempt: u32,
    /// The verdict.
    pub outcome: JobOutcome,
    /// The verdict in words, one line; empty for a plain pass.
    pub reason: String,
    /// The fix, where one is known to help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// True for an error whose cause lasts: another try ends the same way until it is seen to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
    /// The pipeline's `allow_vacuous`: the reason why a vacuous outcome does not fail the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// The end of the process; `None` if it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    pub ending: Option<Ending>,
    /// The wall time in seconds.
    pub seconds: f64,
    /// The user and system time of all its processes, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// The memory peak in bytes; the next field says of which processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// The processes that the peak was measured of.
    #[serde(default)]
    pub peak_memory_of: PeakOf,
    /// The number of cases by status.
    pub cases: Tally,
    /// True if all packages are known, so that those which never ran are `not-run` cases. False if
    /// packages may be missing from the cases.
    pub packages_known: bool,
    /// The leftovers of the job, as far as they are known.
    #[serde(default, skip_serializing_if = "LeftBehind::is_empty")]
    pub left_behind: LeftBehind,
    /// The hosts that a failed job tried to reach while the network was off, as its output tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_tried: Vec<String>,
    /// The findings of checkers in the output of a job that failed without a bad case.
    #[serde(flatten)]
    pub findings: CheckFindings,
    /// The Go packages that the attempt tested. For the last attempt of a job: those of all its
    /// whole attempts.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub reach: Reach,
    /// The log file, relative to the report directory; `None` if the job never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The size of the log in bytes.
    #[serde(default)]
    pub log_size: u64,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The exit code that follows.
    pub exit: i32,
    /// The wall time in seconds.
    pub seconds: f64,
    /// The signal that ended the run, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// The `v` of every record. Only a journal of a later kata-ci holds a higher number.
pub const FORMAT_VERSION: u32 = 1;

/// One line of `events.jsonl` and of `--format json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format, [`FORMAT_VERSION`].
    pub v: u32,
    /// The position in the run, counted from 0 without gaps.
    pub seq: u64,
    /// The time at which the event was sent (RFC 3339, UTC).
    pub time: jiff::Timestamp,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}
