//! A pipeline after everything is resolved: what the rest of the house works with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{Gerrit, IsolatePolicy, Limits, Network, NetworkPolicy, Requirement};
use crate::model::Command;
use crate::model::Expect;

/// Where components must lie for their Makefiles to work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Anywhere.
    #[default]
    Plain,
    /// `$GOPATH/src/github.com/kata-containers/NAME`, modules off, `$GOPATH/bin` on PATH: kata v1.
    Gopath,
}

/// What a test means for its job that failed first and passed when it was run again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flaky {
    /// The job has passed, and the test is told.
    #[default]
    Pass,
    /// The job has failed.
    Fail,
}

/// What it means for a job that passed that it left something behind: files, processes, mounts or listening sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LeftBehindPolicy {
    /// It is told.
    #[default]
    Report,
    /// The job has failed.
    Fail,
}

/// What a step's outcome depends on: whether a tree that passed need not be tested again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// The files alone.
    #[default]
    Tree,
    /// The commits too: their messages, what they change.
    Commits,
}

/// A resolved pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// `kata-v1` and the like, or the path of the file.
    pub name: String,
    /// The file's directory, which component paths are relative to; none for a shipped pipeline (then `-C`).
    pub base: Option<PathBuf>,
    /// Where components must lie.
    pub layout: Layout,
    /// Paths from the top of a repository whose change affects no component, see [`super::Ignore`].
    pub ignore: Vec<String>,
    /// Environment of every step; an empty value unsets.
    pub env: BTreeMap<String, String>,
    /// Steps in the order of the file.
    pub steps: Vec<Step>,
    /// Components in the order of the file. Empty: they are found (every directory with a Makefile).
    pub components: Vec<Component>,
    /// The Gerrit its components are reviewed on.
    pub gerrit: Gerrit,
    /// The way to the outside.
    pub network: Network,
    /// What a job may use.
    pub limits: Limits,
}

impl Pipeline {
    /// A pipeline of nothing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            base: None,
            layout: Layout::Plain,
            ignore: Vec::new(),
            env: BTreeMap::new(),
            steps: Vec::new(),
            components: Vec::new(),
            gerrit: Gerrit::default(),
            network: Network::default(),
            limits: Limits::default(),
        }
    }
}

/// A resolved step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name; no `/` and no `.`.
    pub name: String,
    /// What it runs.
    pub command: Command,
    /// What it must show.
    pub expect: Expect,
    /// How long a job of it may take.
    pub timeout: Duration,
    /// How long it has after TERM before KILL.
    pub grace: Duration,
    /// How often what failed is run again.
    pub retries: u32,
    /// What a test means that passes only then.
    pub flaky: Flaky,
    /// What it means for a job that it left something behind.
    pub left_behind: LeftBehindPolicy,
    /// Its environment, over the pipeline's.
    pub env: BTreeMap<String, String>,
    /// Whether it gets a network.
    pub network: NetworkPolicy,
    /// Whether its jobs are kept in a sandbox.
    pub isolate: IsolatePolicy,
    /// Paths that its jobs may write in a sandbox, besides work tree and caches: absolute, below `~`, or relative to the
    /// component. What is not there is made, as a directory.
    pub writable: Vec<String>,
    /// Steps of the same component that must have passed.
    pub needs: Vec<String>,
    /// Locks its jobs hold, besides those of their component.
    pub locks: Vec<String>,
    /// What its outcome depends on.
    pub reads: Reads,
    /// Why a vacuous outcome does not fail the run.
    pub allow_vacuous: Option<String>,
}

impl Step {
    /// A step with the built-in defaults: 30 minutes, 10 seconds of grace, network `auto`. `test` must show cases,
    /// `check` commands, all others an exit code of 0.
    pub fn new(name: impl Into<String>, command: Command) -> Self {
        let name = name.into();
        Self {
            expect: match name.as_str() {
                "test" => Expect::Cases,
                "check" => Expect::Commands,
                _ => Expect::Exit,
            },
            name,
            command,
            timeout: Duration::from_secs(30 * 60),
            grace: Duration::from_secs(10),
            retries: 0,
            flaky: Flaky::Pass,
            left_behind: LeftBehindPolicy::Report,
            env: BTreeMap::new(),
            network: NetworkPolicy::Auto,
            isolate: IsolatePolicy::Auto,
            writable: Vec::new(),
            needs: Vec::new(),
            locks: Vec::new(),
            reads: Reads::Tree,
            allow_vacuous: None,
        }
    }
}

/// A resolved component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// Its name; no `/` and no `.`.
    pub name: String,
    /// Where it lies, relative to [`Pipeline::base`].
    pub path: PathBuf,
    /// Left out instead of refused where it is not there: so in shipped pipelines, which list all of kata, until a file
    /// of the user's mentions it.
    pub optional: bool,
    /// What must be there before its first job.
    pub requires: Vec<Requirement>,
    /// Components whose jobs come first.
    pub needs: Vec<String>,
    /// Locks its jobs hold.
    pub locks: Vec<String>,
    /// Steps it has; all when not given.
    pub steps: Option<Vec<String>>,
    /// Its environment, over the pipeline's and under the step's.
    pub env: BTreeMap<String, String>,
    /// Paths below it whose change does not affect it, see [`super::Ignore`].
    pub ignore: Vec<String>,
    /// Its project in Gerrit, where that is not its name.
    pub project: Option<String>,
    /// By step: why a vacuous outcome does not fail the run.
    pub allow_vacuous: BTreeMap<String, String>,
}

impl Component {
    /// A component that lies in the directory of its name and needs nothing.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: PathBuf::from(&name),
            name,
            ..Self::default()
        }
    }
}
