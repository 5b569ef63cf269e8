//! A job: one step of one component, with everything needed to run it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{IsolatePolicy, Limits, NetworkPolicy};
use crate::env::Environment;
use crate::model::{CasePattern, Command, Expect, JobId, Reach, Readiness};

/// One step of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The id.
    pub id: JobId,
    /// The command.
    pub command: Command,
    /// The absolute directory that it runs in. In a GOPATH view this is the logical path, as in
    /// PWD.
    pub directory: PathBuf,
    /// The whole environment. Nothing else is inherited.
    pub environment: Environment,
    /// The names of the caller's variables that it does not get.
    pub held_back: Vec<String>,
    /// The evidence that it must show.
    pub expect: Expect,
    /// The time limit.
    pub timeout: Duration,
    /// The time between TERM and KILL.
    pub grace: Duration,
    /// Jobs that must have passed before it starts.
    pub needs: Vec<JobId>,
    /// Jobs that must be over before it starts, however they ended (steps of components that come
    /// first).
    pub after: Vec<JobId>,
    /// The names of locks that it holds while it runs.
    pub locks: Vec<String>,
    /// The tests that it is narrowed to, for people; `None` if it runs all tests.
    pub only: Option<String>,
    /// The pattern of `--case`: without a case that it matches, the job counts as skipped.
    pub asked: Option<CasePattern>,
    /// The packages that the whole job tested before, if it is narrowed from the first attempt.
    pub reach: Reach,
    /// The number of times that failed tests are run again.
    pub retries: u32,
    /// True if a flaky test fails the job.
    pub flaky_fails: bool,
    /// True if leftovers fail a job that passed.
    pub left_behind_fails: bool,
    /// The seconds it is expected to take, estimated from earlier runs.
    pub estimate: Option<f64>,
    /// The pipeline's reason why a vacuous outcome does not fail the run.
    pub allow_vacuous: Option<String>,
    /// The reason why errors in its output that are no failed cases do not fail it.
    pub allow_errors: Option<String>,
    /// Patterns of the JUnit files that hold its cases; none if its output tells them.
    pub junit: Vec<String>,
    /// The finding of the preflight.
    pub readiness: Readiness,
    /// The packages below the component (Go import paths or crates) that are known beforehand;
    /// `None` if unknown.
    pub packages: Option<Vec<String>>,
    /// The import path of the component's directory, if it is a Go one. Packages outside are not
    /// the component's.
    pub go_root: Option<String>,
    /// Files that differ from `origin/BRANCH`, if git could tell: the input of changed-file checks.
    pub changed_files: Option<Vec<String>>,
    /// The requested isolation.
    pub bounds: Bounds,
}

impl Job {
    /// Makes a job without any relations: judged by its exit code, within a minute, without
    /// environment, needs or isolation.
    pub fn new(id: JobId, command: Command, directory: PathBuf) -> Self {
        Self {
            id,
            command,
            directory,
            environment: Environment::default(),
            held_back: Vec::new(),
            expect: Expect::Exit,
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            needs: Vec::new(),
            after: Vec::new(),
            locks: Vec::new(),
            only: None,
            asked: None,
            reach: Reach::default(),
            retries: 0,
            flaky_fails: false,
            left_behind_fails: false,
            estimate: None,
            allow_vacuous: None,
            allow_errors: None,
            junit: Vec::new(),
            readiness: Readiness::Ready,
            packages: None,
            go_root: None,
            changed_files: None,
            bounds: Bounds::default(),
        }
    }
}

impl Plan {
    /// Sets the estimates from the durations of earlier runs, in seconds.
    pub fn expect(&mut self, durations: &BTreeMap<String, f64>) {
        for job in &mut self.jobs {
            job.estimate = durations.get(job.id.as_str()).copied();
        }
    }

    /// Jobs whose commits nobody vouches for: those that are to run under `isolate = "on"`.
    pub fn strict_jobs(&self) -> impl Iterator<Item = &Job> {
        let is_strict = |job: &&Job| job.bounds.isolate == IsolatePolicy::On;
        self.jobs.iter().filter(is_strict)
    }
}

/// The jobs of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The jobs in the order in which they start, other things being equal.
    pub jobs: Vec<Job>,
}

/// The requested isolation of a job. [`crate::exec`] finds out how much of it the host can enforce.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The network of the job.
    pub network: NetworkPolicy,
    /// The sandbox of the job.
    pub isolate: IsolatePolicy,
    /// Absolute paths that it may write besides its work tree and the caches.
    pub writable: Vec<PathBuf>,
    /// True if it calls sudo, which works in no sandbox of an ordinary user.
    pub calls_sudo: bool,
    /// The limits of its resources.
    pub limits: Limits,
}
