//! A job: one step of one component, with everything needed to run it.

use crate::model::{Command, JobId, Readiness};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::Bounds;
use crate::model::Expect;
use crate::model::Reach;

/// One step of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it runs.
    pub command: Command,
    /// Absolute directory it runs in. In a GOPATH view this is the logical path, which PWD has too.
    pub directory: PathBuf,
    /// Its whole environment: nothing else is inherited.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it must show.
    pub expect: Expect,
    /// How long it may take.
    pub timeout: Duration,
    /// How long it has after TERM before KILL.
    pub grace: Duration,
    /// Jobs that must have ended well before it starts.
    pub needs: Vec<JobId>,
    /// Jobs that must be over, however they ended, before it starts (steps of components that come first).
    pub after: Vec<JobId>,
    /// Names of locks it holds while it runs.
    pub locks: Vec<String>,
    /// The tests it is narrowed to, for people; none when it is all of the job.
    pub only: Option<String>,
    /// How far all of it came before, where it is narrowed from the first.
    pub reach: Reach,
    /// How often what failed is run again.
    pub retries: u32,
    /// Whether a test that passes only when it is run again fails the job all the same.
    pub flaky_fails: bool,
    /// Whether a job that passed and left something behind has failed all the same.
    pub left_behind_fails: bool,
    /// Seconds it is expected to take, by earlier runs.
    pub estimate: Option<f64>,
    /// The pipeline's reason why a vacuous outcome does not fail the run.
    pub allow_vacuous: Option<String>,
    /// Whether it can run.
    pub readiness: Readiness,
    /// Packages (Go import paths or crates) known beforehand, below the component; none when that cannot be had.
    pub packages: Option<Vec<String>>,
    /// The import path of the component's directory, where it is a Go one: what is outside is no package of its own.
    pub go_root: Option<String>,
    /// Files that differ from `origin/BRANCH`, where git could tell: what changed-file checks should have looked at.
    pub changed_files: Option<Vec<String>>,
    /// What it is kept from.
    pub bounds: Bounds,
}

impl Job {
    /// A job that is alone in the world: judged by its exit code, within a minute, without environment, needs or bounds.
    pub fn new(id: JobId, command: Command, directory: PathBuf) -> Self {
        Self {
            id,
            command,
            directory,
            environment: BTreeMap::new(),
            expect: Expect::Exit,
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            needs: Vec::new(),
            after: Vec::new(),
            locks: Vec::new(),
            only: None,
            reach: Reach::default(),
            retries: 0,
            flaky_fails: false,
            left_behind_fails: false,
            estimate: None,
            allow_vacuous: None,
            readiness: Readiness::Ready,
            packages: None,
            go_root: None,
            changed_files: None,
            bounds: Bounds::default(),
        }
    }
}

impl Plan {
    /// Has each job take as long as it did in earlier runs, in seconds.
    pub fn expect(&mut self, durations: &BTreeMap<String, f64>) {
        for job in &mut self.jobs {
            job.estimate = durations.get(job.id.as_str()).copied();
        }
    }
}

/// The jobs of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// In the order in which they are started, other things being equal.
    pub jobs: Vec<Job>,
}
