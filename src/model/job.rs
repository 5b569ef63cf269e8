//! A job: its id, its command, its readiness, the evidence it must show, and its outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id `COMPONENT.STEP`. A component's name holds no dot, so the first dot separates the two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// Makes the id of a component's step.
    pub fn new(component: &str, step: &str) -> Self {
        Self(format!("{component}.{step}"))
    }

    /// The component's name.
    pub fn component(&self) -> &str {
        self.0
            .split_once('.')
            .map_or(&self.0, |(component, _)| component)
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, step)| step)
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// The command that a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments; never empty.
    Run(Vec<String>),
    /// A script text for `sh -eu`.
    Script(String),
}

impl fmt::Display for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(words) => formatter.write_str(&words.join(" ")),
            Self::Script(text) => {
                write!(
                    formatter,
                    "sh: {}",
                    text.trim().lines().next().unwrap_or_default()
                )
            }
        }
    }
}

/// The evidence that a step must show to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// At least one case passed or failed.
    Cases,
    /// Make ran at least one recipe.
    Commands,
    /// Exit code 0 is enough.
    Exit,
}

/// The readiness of a job to run, as the preflight of its component found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing is missing.
    Ready,
    /// A requirement is not met on this machine. The job is skipped.
    Unmet {
        /// The requirement that is missing.
        what: String,
        /// The way to meet it.
        fix: String,
    },
    /// The workspace is broken. The job is an error.
    Broken {
        /// The defect.
        what: String,
        /// The way to mend it.
        fix: String,
    },
}

/// The verdict on one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobOutcome {
    /// Something was tested and all of it is good.
    Passed,
    /// Something is bad.
    Failed,
    /// The job exceeded its time limit.
    TimedOut,
    /// The job exited with 0 and tested nothing.
    Vacuous,
    /// kata-ci could not find out: a preflight, a spawn, the disk or a missing program failed.
    /// Another try may help.
    Error,
    /// A requirement of the component is not met on this machine.
    Skipped,
    /// The user or a rule of the run ended the job.
    Cancelled,
    /// The job never started.
    NotRun,
}

impl JobOutcome {
    /// The word used in files and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed-out",
            Self::Vacuous => "vacuous",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::NotRun => "not-run",
        }
    }

    /// Returns the words that make a sentence with the job's name before them: `proxy.test timed
    /// out`.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Vacuous => "was vacuous",
            Self::Error => "ended in an error",
            Self::Skipped => "was skipped",
            Self::Cancelled => "was cancelled",
            Self::NotRun => "did not run",
        }
    }

    /// All outcomes, worst first; a summary counts them in this order.
    pub const ALL: [Self; 8] = [
        Self::Failed,
        Self::TimedOut,
        Self::Vacuous,
        Self::Error,
        Self::Cancelled,
        Self::NotRun,
        Self::Skipped,
        Self::Passed,
    ];
}

/// The end of a job's own process, as the kernel reported it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The process exited with this code.
    #[serde(rename = "exit_code")]
    ExitCode(i32),
    /// The process was ended by this signal.
    #[serde(rename = "signal")]
    Signal(i32),
}

impl Ending {
    /// Returns true if the process exited with code 0.
    pub fn is_success(self) -> bool {
        self == Self::ExitCode(0)
    }
}
