//! The kinds of events and what each carries. Field names are the contract of `events.jsonl`: add, never rename.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, LeftBehind};
use crate::model::{CaseStatus, Ending, JobOutcome, Tally};
use crate::model::{Decision, JobId, Reach};

/// Everything that can happen in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The plan is fixed and the report directory stands.
    RunStarted(RunStarted),
    /// The run was killed, and goes on from here: jobs that are over stay so.
    RunResumed(RunResumed),
    /// A job of the plan is known. Sent once a job, before any job starts.
    JobQueued(JobQueued),
    /// The job's process was asked for.
    JobStarted(JobStarted),
    /// A case began.
    CaseStarted(CaseStarted),
    /// A case got its status. Cases that never ended get theirs just before `job-finished`.
    CaseFinished(CaseFinished),
    /// An attempt is over that another one follows; what it says is about this attempt alone.
    AttemptFinished(JobFinished),
    /// The job is over, or will never start. After several attempts: cases and times are of all, process and log of the last.
    JobFinished(JobFinished),
    /// The run is to end before its time: nothing more is started, and what runs is told to end.
    RunStopping(RunStopping),
    /// Nothing follows.
    RunFinished(RunFinished),
}

/// How far each kind of isolation reaches: `enforced`, `advisory: REASON` or `off`, which is what was asked for; of a run as a
/// whole also `enforced: but off for JOBS`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Whether a job is kept off every network.
    pub network: String,
    /// Whether a job's processes are kept from the others', and from outliving it.
    pub processes: String,
    /// Whether a job has `/tmp`, `/var/tmp`, `/run` and shared memory of its own; with `mode` `on` also whether it is kept
    /// from writing outside its own places.
    pub files: String,
    /// What was asked for: `off`, `auto` or `on`; empty in journals of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// What a job may use, by `memory`, `processes` and `file_size` where they are limited: who keeps it to that, and to how
    /// much.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
}

/// Something the user should know about the run as a whole (a linter left out, `CI` together with `KATA_DEV_MODE`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What is the case, in a sentence.
    pub text: String,
    /// What to do about it, where there is something to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// What a run is narrowed to by `--since`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The revision that was asked for, as it was written.
    pub revision: String,
    /// Every component that was selected, with whether it is run and why.
    pub components: Vec<Decision>,
}

impl Since {
    /// Whether nothing is left to run.
    pub fn is_empty(&self) -> bool {
        !(self.components.iter()).any(|decision| decision.is_affected)
    }
}

/// The beginning of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The run's id: time and process, unique on a machine.
    pub run_id: String,
    /// Version of kata-ci.
    pub version: String,
    /// Name of the pipeline, or the file it came from.
    pub pipeline: String,
    /// Absolute path of the workspace.
    pub workspace: String,
    /// Name of the machine, where it has one: `hostname` in JUnit, `worker` in `result.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Components of the plan, in order.
    pub components: Vec<String>,
    /// Steps of the plan, in order.
    pub steps: Vec<String>,
    /// Jobs of the plan, in order.
    #[serde(default)]
    pub jobs: Vec<JobId>,
    /// Jobs that may run side by side.
    pub parallel: usize,
    /// What it must find unchanged to go on after it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Box<Fingerprint>>,
    /// Revision of each component's work tree, where git knows one; `-dirty` is appended when tracked files differ.
    pub revisions: BTreeMap<String, String>,
    /// The command that runs all of this again, as typed in a shell; ` COMPONENT -s STEP` narrows it to a job.
    pub again: String,
    /// What is enforced and what is not.
    pub isolation: Isolation,
    /// What is left out because no change affects it; none when that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Id of the run whose failures are run again; none when that was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<String>,
    /// What the user should know beforehand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

/// A run that goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResumed {
    /// Jobs that were over and are kept.
    pub kept: usize,
    /// Jobs that are run now.
    pub left: usize,
    /// See [`RunStarted::parallel`]; it may be another one now.
    pub parallel: usize,
}

/// A run that ends before its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStopping {
    /// Why, as the jobs that it cancels say it.
    pub reason: String,
    /// The signal that asked for it; another one kills what runs. None where the run itself came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Jobs that run and now have their grace time.
    pub running: usize,
}

/// A job of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobQueued {
    /// The job.
    pub job: JobId,
    /// The command as a person would type it.
    pub command: String,
    /// Absolute directory it runs in.
    pub directory: String,
    /// Seconds it is expected to take, by earlier runs; none where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<f64>,
}

/// A job's process was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStarted {
    /// The job.
    pub job: JobId,
    /// From 1.
    pub attempt: u32,
    /// The tests that it is narrowed to, for people; none when it is all of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Log file, relative to the report directory.
    pub log: String,
    /// Which of the jobs side by side it is, from 0; a worker has one job at a time.
    #[serde(default)]
    pub worker: usize,
    /// What is enforced for this job, where that is known of each job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// A range of bytes of the job's log: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
}

/// A case began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseStarted {
    /// The job.
    pub job: JobId,
    /// From 1.
    pub attempt: u32,
    /// A Go package's path below the component, a crate, or a static check's group; empty for none.
    pub package: String,
    /// The test's name, with ` #2` where the job ran it again.
    pub name: String,
    /// Offset into the log where it began.
    pub offset: u64,
}

/// A case got its status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFinished {
    /// The job.
    pub job: JobId,
    /// From 1.
    pub attempt: u32,
    /// See [`CaseStarted::package`].
    pub package: String,
    /// See [`CaseStarted::name`].
    pub name: String,
    /// What became of it.
    pub status: CaseStatus,
    /// Duration in seconds, where the output tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Why it is not passed: one line of clean text, at most 1 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Source file as the output names it, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in `file`, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The tool answered from its cache (`(cached)`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
    /// Where its output lies in the log, in order; long lists keep head and tail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<Span>,
}

/// What a peak of memory was measured of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeakOf {
    /// The resident size of the largest process.
    #[default]
    LargestProcess,
    /// All processes together, with the files they had cached: what the job's control group counted.
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
    /// From 1; 0 for a job that never started.
    pub attempt: u32,
    /// The verdict.
    pub outcome: JobOutcome,
    /// The verdict in words, one line; empty for a plain pass.
    pub reason: String,
    /// What to do about it, where something is known to help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The pipeline's `allow_vacuous`: a vacuous outcome does not fail the run, and this is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// How the process ended; none when it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none", flatten)]
    pub ending: Option<Ending>,
    /// Wall time in seconds.
    pub seconds: f64,
    /// User and system time of all its processes in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Peak memory in bytes; of what, says the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// What the peak was measured of.
    #[serde(default)]
    pub peak_memory_of: PeakOf,
    /// How many cases of which status.
    pub cases: Tally,
    /// Packages that never ran are cases `not-run` when this is true; when false, which packages there are is unknown.
    pub packages_known: bool,
    /// What it left behind, as far as that is known.
    #[serde(default, skip_serializing_if = "LeftBehind::is_empty")]
    pub left_behind: LeftBehind,
    /// What a job that failed with the network off tried to reach, as its output tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_tried: Vec<String>,
    /// How far the attempt came; of a job's last one, how far the job did in those that were whole.
    #[serde(default, skip_serializing_if = "Reach::is_empty")]
    pub reach: Reach,
    /// Log file, relative to the report directory; none when it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Size of the log in bytes.
    #[serde(default)]
    pub log_size: u64,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The exit code that follows.
    pub exit: i32,
    /// Wall time in seconds.
    pub seconds: f64,
    /// The signal that ended the run, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}
