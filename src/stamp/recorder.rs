//! Decides which jobs of a run get a stamp, and which need not run because they have one.
//!
//! A job gets no stamp in any of these cases:
//!
//! - it did not pass completely (vacuous, narrowed, resumed, without its tests as root because sudo
//!   is impossible);
//! - its work tree has uncommitted changes before or after the run, builds that are dated ahead, or
//!   files that strict jobs of an earlier run left;
//! - a sandbox that the pipeline asks for was not enforced;
//! - strict jobs of several repositories ran together;
//! - the pipeline depends on more than the key holds.

use std::path::{Path, PathBuf};

use crate::config::{
    IsolatePolicy, Layout, NetworkPolicy, Overrides, Pipeline, Reads, Requirement, shipped,
};
use crate::env::Environment;
use crate::event::Isolation;
use crate::git::Git;
use crate::git::seal::Seal;
use crate::git::strict_runs::StrictRuns;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::outcome::Run;
use crate::plan::{Bounds, Job, Plan};
use crate::stamp::key::{FILE, StampQuery, StampScope};
use crate::stamp::{JobList, Stamp, StampFacts, identities, job_key, job_list_key, variables};
use crate::workspace::{RootHalf, Workspace, are_dated_ahead};

/// The most bytes of a pipeline's file that are read.
const LARGEST: u64 = 1 << 20;

/// The parts of a run that stamps depend on.
pub(crate) struct StampedRun<'a> {
    /// The pipeline.
    pub pipeline: &'a Pipeline,
    /// The components.
    pub workspace: &'a Workspace,
    /// The jobs.
    pub plan: &'a Plan,
    /// Directory that the run was started in; absolute.
    pub started_in: &'a Path,
    /// The same directory in the source, which may be a checkout.
    pub directory: &'a Path,
    /// Maps a path in the source to the user's own path.
    pub user_path: &'a dyn Fn(&Path) -> PathBuf,
    /// The pipeline as given with `-p`.
    pub asked: Option<&'a str>,
    /// Options that change the pipeline.
    pub overrides: &'a Overrides,
    /// The branch that the commits are pushed to.
    pub pushed_to: Option<&'a str>,
    /// The account that owns the commits, where that matters.
    pub author: Option<&'a str>,
    /// True if no step and no component was left out.
    pub has_all_steps: bool,
    /// The directory of kata-ci's own state; without one no stamps are kept.
    pub state: Option<PathBuf>,
    /// The environment that kata-ci was called with.
    pub environment: &'a Environment,
}

/// Records stamps for the repositories of a run.
#[derive(Default)]
pub(crate) struct StampRecorder {
    repositories: Vec<StampedRepository>,
}

/// One repository.
struct StampedRepository {
    top: PathBuf,
    scope: StampScope,
    /// All jobs of the repository in the plan.
    jobs: Vec<StampedJob>,
    /// True if these are all jobs that a check of the repository has.
    is_whole: bool,
    facts: StampFacts,
    /// The state of the repository before the jobs.
    seal: Seal,
}

/// A planned job.
struct StampedJob {
    id: JobId,
    reads: Reads,
    bounds: Bounds,
    /// True if it runs some of its tests only.
    is_narrowed: bool,
}

impl StampRecorder {
    /// Seals the repositories before the run.
    pub fn begin(run: &StampedRun<'_>) -> Self {
        let Ok(git) = Git::find(run.environment) else {
            return Self::default();
        };
        let components = run.workspace.components.iter();
        let tops = git.top_levels(components.map(|found| found.directory.as_path()));
        if strangers_meet(run.plan, &tops) {
            return Self::default();
        }
        let look = Inspection { run, git: &git };
        Self {
            repositories: tops
                .into_iter()
                .filter_map(|top| look.repository(top))
                .collect(),
        }
    }

    /// Returns the plan without jobs that have a stamp, and the stamps. A job that another job
    /// needs stays.
    pub fn without_passed(&self, mut plan: Plan, environment: &Environment) -> (Plan, Vec<Stamp>) {
        let stamped = |job: &Job| {
            self.repositories.iter().find_map(|repository| {
                let job = repository.jobs.iter().find(|known| known.id == job.id)?;
                let scope = &repository.scope;
                let key = job_key(&scope.setting, &job.id, job.reads, &scope.subject)?;
                scope.stamp(&key, environment)
            })
        };
        let mut stamps: Vec<Stamp> = plan.jobs.iter().filter_map(stamped).collect();
        // A needed job has to run first, because it may leave something behind.
        while let Some(needed) = needed_again(&plan, &stamps) {
            stamps.retain(|stamp| stamp.job != needed);
        }
        let is_out = |id: &JobId| stamps.iter().any(|stamp| stamp.job == *id);
        plan.jobs.retain(|job| !is_out(&job.id));
        for job in &mut plan.jobs {
            job.after.retain(|id| !is_out(id));
        }
        (plan, stamps)
    }

    /// Keeps the stamps of jobs that passed. An error only costs time later.
    pub fn record(&self, run: &Run) {
        let Some(started) = &run.started else { return };
        // git is not called again, because jobs have run in its trees.
        let is_good = |repository: &&StampedRepository| {
            !are_dated_ahead(&repository.top) && repository.seal.holds()
        };
        for repository in self.repositories.iter().filter(is_good) {
            let (scope, subject) = (&repository.scope, &repository.scope.subject);
            for job in &repository.jobs {
                let good = deserves(job, run, &started.isolation);
                let key = job_key(&scope.setting, &job.id, job.reads, subject);
                if let Some(key) = key.filter(|_| good) {
                    let stamp = Stamp::new(
                        job.id.clone(),
                        started.run_id.clone(),
                        repository.facts.clone(),
                    );
                    let _ = scope.store.keep_stamp(&key, &stamp);
                }
            }
        }
        self.record_job_lists();
    }

    /// Keeps the job lists.
    pub fn record_job_lists(&self) {
        for repository in self
            .repositories
            .iter()
            .filter(|repository| repository.is_whole)
        {
            let key = job_list_key(&repository.scope.setting, &repository.scope.subject);
            let jobs = JobList::new(
                repository
                    .jobs
                    .iter()
                    .map(|job| (job.id.clone(), job.reads)),
            );
            let _ = repository.scope.store.keep_job_list(&key, &jobs);
        }
    }
}

/// Returns true if strict jobs run beside jobs of another repository. A stranger's job in one could
/// have changed what the other tests.
fn strangers_meet(plan: &Plan, tops: &[PathBuf]) -> bool {
    let has_jobs = |top: &&PathBuf| plan.jobs.iter().any(|job| job.directory.starts_with(top));
    plan.strict_jobs().next().is_some() && tops.iter().filter(has_jobs).count() > 1
}

fn needed_again(plan: &Plan, stamps: &[Stamp]) -> Option<JobId> {
    let is_out = |id: &JobId| stamps.iter().any(|stamp| stamp.job == *id);
    let mut running = plan.jobs.iter().filter(|job| !is_out(&job.id));
    running.find_map(|job| job.needs.iter().find(|id| is_out(id)).cloned())
}

/// Returns true if the job passed completely, with the isolation that was asked for.
fn deserves(job: &StampedJob, run: &Run, isolation: &Isolation) -> bool {
    let result = run.jobs.get(&job.id);
    let passed = result.is_some_and(|result| result.outcome() == Some(JobOutcome::Passed));
    let unbound = (job.bounds.network == NetworkPolicy::Off && isolation.network.is_advisory())
        || (job.bounds.isolate == IsolatePolicy::On
            && (isolation.processes.is_advisory() || isolation.files.is_advisory()));
    passed && !job.is_narrowed && !unbound
}

struct Inspection<'a> {
    run: &'a StampedRun<'a>,
    git: &'a Git,
}

impl Inspection<'_> {
    fn repository(&self, top: PathBuf) -> Option<StampedRepository> {
        let run = self.run;
        let source = match &run.workspace.view {
            Some(_) => run.workspace.root.join("any"),
            None => (run.user_path)(&top),
        };
        let scope = StampScope::of(&StampQuery {
            top: &top,
            parent: source.parent()?,
            commit: "HEAD",
            branch: &self.branch(),
            asked: run.asked,
            overrides: run.overrides,
            author: run.author,
            state: run.state.as_deref()?,
            environment: run.environment,
        })?;
        // The seal comes first, so that later changes are found in the end.
        let seal = Seal::of(self.git, &top).ok()??;
        let strict_runs = StrictRuns::of(run.environment);
        let good = self.is_committed(&top)
            && strict_runs.first_changed(&top).is_none()
            && self.is_known_by_its_key(&top, &scope)
            && self.needs_nothing_else(&top);
        let tests = self.tests(&scope)?;
        good.then(|| StampedRepository {
            jobs: self.jobs(&top),
            is_whole: self.is_whole(&top, &source),
            facts: self.facts(tests),
            seal,
            scope,
            top,
        })
    }

    /// Returns the branch of `origin` that changed files are compared with, as the workspace does.
    fn branch(&self) -> String {
        let pipeline = self.run.pipeline;
        let named = || pipeline.env.get("branch").map(String::as_str);
        let given = self.run.pushed_to.or_else(named);
        match (given, pipeline.layout, &pipeline.gerrit.branch) {
            (Some(branch), _, _) => branch.to_owned(),
            (None, Layout::Plain, Some(branch)) => branch.clone(),
            (None, Layout::Gopath, _) => "master".to_owned(),
            (None, Layout::Plain, None) => "main".to_owned(),
        }
    }

    /// Returns true if there are no changes. New files count, because an uncommitted test is a test
    /// that passed.
    fn is_committed(&self, top: &Path) -> bool {
        let arguments = ["status", "--porcelain", "-z", "--untracked-files=normal"];
        let status = self.git.at(top).run(arguments);
        status.is_ok_and(|status| status.is_empty())
    }

    /// Returns true if the key identifies the pipeline. A check starts at the top of the repository
    /// and takes the pipeline there. A deeper file, an extended file or a pipeline detected
    /// elsewhere is not in the key.
    fn is_known_by_its_key(&self, top: &Path, scope: &StampScope) -> bool {
        let base = self.run.pipeline.base.as_deref();
        match (self.run.asked.is_some(), scope.has_file) {
            (true, _) => true,
            (false, true) => base == Some(top) && extends_no_file(&top.join(FILE)),
            (false, false) => match base {
                Some(base) => !base.starts_with(top),
                None => self.run.directory == top || self.run.pipeline.layout == Layout::Gopath,
            },
        }
    }

    /// Returns true if no job needs another repository, because no key has that.
    fn needs_nothing_else(&self, top: &Path) -> bool {
        let components = &self.run.workspace.components;
        let own = |name: &String| {
            let mut all = components.iter();
            all.any(|found| found.component.name == *name && found.directory.starts_with(top))
        };
        let mut inside = components
            .iter()
            .filter(|found| found.directory.starts_with(top));
        inside.all(|found| found.component.needs.iter().all(own))
    }

    /// Returns the commit of the tests repository; `None` if the jobs use another one than the key
    /// has.
    fn tests(&self, scope: &StampScope) -> Option<Option<String>> {
        if self.run.pipeline.layout == Layout::Plain {
            return Some(None);
        }
        let gopath = (self.run.workspace.environment).get("GOPATH")?;
        let clone = Path::new(gopath).join("src/github.com/kata-containers/tests");
        let used = self.git.at(&clone).revision().ok()??;
        (Some(&used) == scope.tests.as_ref()).then_some(Some(used))
    }

    fn jobs(&self, top: &Path) -> Vec<StampedJob> {
        let pipeline = self.run.pipeline;
        let reads = |job: &Job| {
            let step = pipeline
                .steps
                .iter()
                .find(|step| step.name == job.id.step());
            step.map_or(Reads::Commits, |step| step.reads)
        };
        (self.run.plan.jobs.iter())
            .filter(|job| job.directory.starts_with(top))
            .map(|job| StampedJob {
                id: job.id.clone(),
                reads: reads(job),
                bounds: job.bounds.clone(),
                is_narrowed: job.only.is_some() || self.lacks_root_half(&job.id),
            })
            .collect()
    }

    /// Returns true if tests of the job are left out, because they need root and sudo is
    /// impossible. An option that leaves them out is a part of the key.
    fn lacks_root_half(&self, id: &JobId) -> bool {
        let mut components = self.run.workspace.components.iter();
        let found = components.find(|found| found.component.name == id.component());
        let half = found.and_then(|found| found.root_half.get(id.step()));
        matches!(half, Some(RootHalf::Impossible(_)))
    }

    fn is_whole(&self, top: &Path, source: &Path) -> bool {
        let run = self.run;
        let planned = |name: &str| {
            let mut jobs = run.plan.jobs.iter();
            jobs.any(|job| job.id.component() == name)
        };
        let mut components =
            (run.workspace.components.iter()).filter(|found| found.directory.starts_with(top));
        let at_top = components
            .clone()
            .any(|found| found.directory == top && run.pipeline.layout == Layout::Gopath);
        let from_above = source.starts_with(run.started_in);
        run.has_all_steps
            && components.all(|found| planned(&found.component.name))
            && (at_top || from_above)
    }

    fn facts(&self, tests: Option<String>) -> StampFacts {
        let components = self.run.pipeline.components.iter();
        let names: Vec<String> = components
            .flat_map(|component| &component.requires)
            .filter_map(|requirement| match requirement {
                Requirement::Program { name, .. } => Some(name.clone()),
                _ => None,
            })
            .collect();
        StampFacts {
            tests,
            programs: identities(&names, self.run.environment),
            variables: variables(&self.run.pipeline.pass_env.patterns, self.run.environment),
        }
    }
}

/// Returns true if the pipeline's file extends nothing, or a shipped pipeline.
fn extends_no_file(file: &Path) -> bool {
    let text = crate::fs::read(file, LARGEST).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(table) = text.and_then(|text| text.parse::<toml::Table>().ok()) else {
        return false;
    };
    match table.get("extends") {
        None => true,
        Some(name) => name
            .as_str()
            .is_some_and(|name| shipped().iter().any(|(known, _)| *known == name)),
    }
}
