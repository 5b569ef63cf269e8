//! Names of the properties kata-ci gives its suites: the contract of `junit.xml`. Add, never rename.

/// The command as a person would type it.
pub const COMMAND: &str = "command";
/// Revision of the component's work tree.
pub const REVISION: &str = "revision";
/// The run's id. With [`ATTEMPT`] and the suite's name it says which execution this is.
pub const RUN: &str = "run";
/// The plan's id, where shards share one: it then stands for the run.
pub const PLAN: &str = "plan_id";
/// Number of the attempt, from 1; 0 for a job that never started.
pub const ATTEMPT: &str = "attempt";
/// Version of kata-ci.
pub const VERSION: &str = "version";
/// The job's outcome.
pub const OUTCOME: &str = "outcome";
/// The outcome in words.
pub const REASON: &str = "reason";
/// What to do about it.
pub const FIX: &str = "fix";
/// Why a vacuous job is allowed.
pub const ALLOWED: &str = "allowed";
/// The job's log, relative to the report directory.
pub const LOG: &str = "log";
/// Which of the jobs side by side it was, from 0.
pub const LANE: &str = "lane";
/// When it started (RFC 3339 with milliseconds): `timestamp` has whole seconds only.
pub const STARTED: &str = "started";
/// The command that runs this job again.
pub const AGAIN: &str = "again";
/// Where the job ran, relative to the workspace.
pub const DIRECTORY: &str = "directory";
/// Facts of a document that say how far a run was isolated.
pub const ISOLATION: [&str; 3] = ["network", "processes", "files"];
/// What the job left behind of each kind, and what of that is not known; with what each is called.
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
