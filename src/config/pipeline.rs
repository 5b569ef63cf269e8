//! The resolved pipeline, which all other rooms work with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{Network, PassEnv, Requirement, Tool};
use crate::model::{Command, Expect};

/// The place in which the Makefiles of the components work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Any directory.
    #[default]
    Plain,
    /// `$GOPATH/src/github.com/kata-containers/NAME`, modules off, `$GOPATH/bin` on PATH: kata v1.
    Gopath,
}

/// The effect of a flaky test, which failed first and passed when it was run again, on its job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flaky {
    /// The job passes, and the test is reported.
    #[default]
    Pass,
    /// The job fails.
    Fail,
}

/// The effect of leftovers (files, processes, mounts or listening sockets) on a job that passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LeftBehindPolicy {
    /// The leftovers are reported.
    #[default]
    Report,
    /// The job fails.
    Fail,
}

/// The input that a step's outcome depends on. It decides whether a tree that passed is tested
/// again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// Only the files.
    #[default]
    Tree,
    /// Also the commits: their messages and their changes.
    Commits,
}

/// A resolved pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The name of a shipped pipeline, such as `kata-v1`, or the path of the file.
    pub name: String,
    /// The file's directory, which component paths are relative to. `None` for a shipped pipeline,
    /// which uses `-C`.
    pub base: Option<PathBuf>,
    /// The place of the components.
    pub layout: Layout,
    /// Paths from the top of a repository whose change affects no component; see [`super::Ignore`].
    pub ignore: Vec<String>,
    /// The environment of every step. An empty value unsets a variable.
    pub env: BTreeMap<String, String>,
    /// The variables of the caller that jobs get besides the usual ones.
    pub pass_env: PassEnv,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// The components in the order of the file. If empty, every directory with a Makefile is one.
    pub components: Vec<Component>,
    /// The Gerrit that reviews its components.
    pub gerrit: Gerrit,
    /// The way to other networks.
    pub network: Network,
    /// The limits of each job.
    pub limits: Limits,
    /// The programs that `kata-ci doctor --install` gets for the jobs, by name.
    pub tools: BTreeMap<String, Tool>,
}

impl Pipeline {
    /// Makes an empty pipeline.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            base: None,
            layout: Layout::Plain,
            ignore: Vec::new(),
            env: BTreeMap::new(),
            pass_env: PassEnv::default(),
            steps: Vec::new(),
            components: Vec::new(),
            gerrit: Gerrit::default(),
            network: Network::default(),
            limits: Limits::default(),
            tools: BTreeMap::new(),
        }
    }
}

/// A resolved step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The name, without `/` and `.`.
    pub name: String,
    /// The command.
    pub command: Command,
    /// The evidence that it must show.
    pub expect: Expect,
    /// The time limit of a job.
    pub timeout: Duration,
    /// The time between TERM and KILL.
    pub grace: Duration,
    /// The number of times that failed tests are run again.
    pub retries: u32,
    /// The effect of a flaky test.
    pub flaky: Flaky,
    /// The effect of leftovers.
    pub left_behind: LeftBehindPolicy,
    /// The environment, laid over the pipeline's.
    pub env: BTreeMap<String, String>,
    /// The network of its jobs.
    pub network: NetworkPolicy,
    /// The sandbox of its jobs.
    pub isolate: IsolatePolicy,
    /// True if the tests that kata runs again as root, through sudo, are left out.
    pub without_root: bool,
    /// Paths that its jobs may write in a sandbox, besides the work tree and the caches. A path is
    /// absolute, below `~`, or relative to the component. A missing one is made as a directory.
    pub writable: Vec<String>,
    /// Patterns of the JUnit files that its jobs write, relative to the component. Its cases stand
    /// in them then.
    pub junit: Vec<String>,
    /// Steps of the same component that must have passed.
    pub needs: Vec<String>,
    /// The locks that its jobs hold, besides those of their component.
    pub locks: Vec<String>,
    /// The input that its outcome depends on.
    pub reads: Reads,
    /// The reason why a vacuous outcome does not fail the run.
    pub allow_vacuous: Option<String>,
    /// The reason why errors in its output that are no failed cases do not fail it.
    pub allow_errors: Option<String>,
}

impl Step {
    /// Makes a step with the built-in defaults: 30 minutes, 10 seconds of grace, network `auto`.
    /// `test` must show cases, `check` commands, all others an exit code of 0.
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
            without_root: false,
            writable: Vec::new(),
            junit: Vec::new(),
            needs: Vec::new(),
            locks: Vec::new(),
            reads: Reads::Tree,
            allow_vacuous: None,
            allow_errors: None,
        }
    }
}

/// A resolved component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Component {
    /// The name, without `/` and `.`.
    pub name: String,
    /// The path, relative to [`Pipeline::base`].
    pub path: PathBuf,
    /// True if the component is left out instead of refused where it does not exist. Shipped
    /// pipelines list all of kata like this, until a file of the user's mentions a component.
    pub optional: bool,
    /// The requirements that must be met before its first job.
    pub requires: Vec<Requirement>,
    /// Components whose jobs come first.
    pub needs: Vec<String>,
    /// The locks that its jobs hold.
    pub locks: Vec<String>,
    /// The steps that it has; all if not given.
    pub steps: Option<Vec<String>>,
    /// The environment, laid over the pipeline's and under the step's.
    pub env: BTreeMap<String, String>,
    /// The network of its jobs, in place of the steps'.
    pub network: Option<NetworkPolicy>,
    /// The sandbox of its jobs, in place of the steps'.
    pub isolate: Option<IsolatePolicy>,
    /// Paths below it whose change does not affect it; see [`super::Ignore`].
    pub ignore: Vec<String>,
    /// The project in Gerrit, if it differs from the name.
    pub project: Option<String>,
    /// The reasons why a vacuous outcome of a step does not fail the run.
    pub allow_vacuous: BTreeMap<String, String>,
}

impl Component {
    /// Makes a component that lies in the directory of its name and needs nothing.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            path: PathBuf::from(&name),
            name,
            ..Self::default()
        }
    }
}

/// The network of a step's jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// No network. If that cannot be enforced, the run is an error.
    Off,
    /// No network if the host can enforce that. The report says what holds.
    #[default]
    Auto,
    /// The host's network.
    On,
}

/// The sandbox of a step's jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IsolatePolicy {
    /// No sandbox.
    Off,
    /// Processes and shared directories of their own, if the host allows it. The report says what
    /// holds.
    #[default]
    Auto,
    /// Like `Auto`, with a read-only file system and without privileges. If that cannot be
    /// enforced, the run is an error.
    On,
}

/// The limits of one job. A value that is not given is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// The memory of all its processes together, in bytes.
    pub memory: Option<u64>,
    /// The number of processes and threads at a time.
    pub processes: Option<u64>,
    /// The size of any file that it writes, in bytes.
    pub file_size: Option<u64>,
}

impl Limits {
    /// Lays these limits over others.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            memory: self.memory.or(under.memory),
            processes: self.processes.or(under.processes),
            file_size: self.file_size.or(under.file_size),
        }
    }
}

/// The Gerrit of a pipeline. Git's configuration decides about values that are not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gerrit {
    /// The web address.
    pub url: Option<String>,
    /// The git remote to push to.
    pub remote: Option<String>,
    /// The target branch of changes.
    pub branch: Option<String>,
    /// The label to vote on.
    pub label: Option<String>,
    /// The rules that commits must meet before they are pushed.
    pub commit_rules: Option<CommitRules>,
}

/// Rules that commits must meet besides Gerrit's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CommitRules {
    /// No rules.
    #[default]
    None,
    /// kata's: `Fixes: #N`, a subsystem before the subject, a sign-off.
    Kata,
}

impl Gerrit {
    /// Lays this table over another.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            url: self.url.or(under.url),
            remote: self.remote.or(under.remote),
            branch: self.branch.or(under.branch),
            label: self.label.or(under.label),
            commit_rules: self.commit_rules.or(under.commit_rules),
        }
    }
}
