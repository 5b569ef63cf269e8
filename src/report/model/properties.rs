//! The names of the properties that kata-ci gives its suites: the contract of `junit.xml`. Add,
//! never rename.

/// The command as a person would type it.
pub const COMMAND: &str = "command";
/// The revision of the component's work tree.
pub const REVISION: &str = "revision";
/// The run's id. Together with [`ATTEMPT`] and the suite's name it identifies the execution.
pub const RUN: &str = "run";
/// The plan's id, if shards share one. It then stands for the run.
pub const PLAN: &str = "plan_id";
/// The number of the attempt, from 1; 0 for a job that never started.
pub const ATTEMPT: &str = "attempt";
/// The version of kata-ci.
pub const VERSION: &str = "version";
/// The job's outcome.
pub const OUTCOME: &str = "outcome";
/// The outcome in words.
pub const REASON: &str = "reason";
/// The fix.
pub const FIX: &str = "fix";
/// The reason why a vacuous job is allowed.
pub const ALLOWED: &str = "allowed";
/// The job's log, relative to the report directory.
pub const LOG: &str = "log";
/// The number of the job's worker, from 0.
pub const LANE: &str = "lane";
/// The time at which it started (RFC 3339 with milliseconds), because `timestamp` has whole seconds
/// only.
pub const STARTED: &str = "started";
/// The command that runs this job again.
pub const AGAIN: &str = "again";
/// A finding of a checker, as in the journal (JSON). A case has one for each.
pub const FINDING: &str = "finding";
/// The directory that the job ran in, relative to the workspace.
pub const DIRECTORY: &str = "directory";
/// Facts of a document that describe the isolation of the run.
pub const ISOLATION: [&str; 3] = ["network", "processes", "files"];
/// The leftovers of the job by kind, and those that are not known. Each comes with its label.
pub const LEFT_BEHIND: [(&str, &str); 7] = [
    ("left_files", "files"),
    ("left_shared_with", "perhaps by these, at the same time"),
    ("left_processes", "processes, which were killed"),
    ("left_mounts", "mounts, which are gone"),
    ("left_sockets", "listening sockets, which are closed"),
    (
        "left_set_id",
        "set-user-ID programs, which are no such any more",
    ),
    ("left_unknown", "unknown"),
];
