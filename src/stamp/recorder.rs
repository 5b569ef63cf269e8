//! Which jobs of a run deserve a stamp, and which of a check need not run again.
//!
//! No stamp is made by a job that did not pass as a whole (vacuous, narrowed, resumed), on a work tree that is not as
//! committed before the run or after it or holds builds of a time to come, where a sandbox that the pipeline asks for was not
//! there, where strict jobs of several repositories met, or where the pipeline depends on more than stands in the key.
use std::path::{Path, PathBuf};

use crate::config::{
    IsolatePolicy, Layout, NetworkPolicy, Overrides, Pipeline, Reads, Requirement, shipped,
};
use crate::env::Environment;
use crate::event::Isolation;
use crate::git::Git;
use crate::git::seal::Seal;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::outcome::Run;
use crate::plan::{Bounds, Job, Plan};
use crate::stamp::key::{FILE, StampQuery, StampScope};
use crate::stamp::{JobList, Stamp, StampFacts, identities, job_key, job_list_key};
use crate::workspace::{Workspace, are_dated_ahead};

/// A run that is about to begin, as far as stamps depend on it.
pub(crate) struct StampedRun<'a> {
    /// Its pipeline.
    pub pipeline: &'a Pipeline,
    /// Its components.
    pub workspace: &'a Workspace,
    /// Its jobs.
    pub plan: &'a Plan,
    /// The directory it was started in; absolute.
    pub started_in: &'a Path,
    /// The same place in what is run, which may be a checkout.
    pub directory: &'a Path,
    /// The user's own path for one in what is run.
    pub user_path: &'a dyn Fn(&Path) -> PathBuf,
    /// The pipeline as given with `-p`.
    pub asked: Option<&'a str>,
    /// Options that change the pipeline.
    pub overrides: &'a Overrides,
    /// The branch that the commits are pushed to.
    pub pushed_to: Option<&'a str>,
    /// The account whose commits these are, where that matters.
    pub author: Option<&'a str>,
    /// Neither steps nor components were left out.
    pub has_all_steps: bool,
    /// kata-ci's own directory for what outlives a run; no stamp is kept without one.
    pub state: Option<PathBuf>,
    /// The environment that kata-ci was called with.
    pub environment: &'a Environment,
}

/// The repositories of a run whose jobs may get stamps.
#[derive(Default)]
pub(crate) struct StampRecorder {
    places: Vec<StampedRepository>,
}

/// One repository.
struct StampedRepository {
    top: PathBuf,
    grounds: StampScope,
    /// All jobs of it that the plan had.
    jobs: Vec<StampedJob>,
    /// These are all jobs that a check of the repository would have.
    is_whole: bool,
    facts: StampFacts,
    /// The repository as it is before the jobs.
    seal: Seal,
}

/// A job as it was planned.
struct StampedJob {
    id: JobId,
    reads: Reads,
    bounds: Bounds,
    /// It runs some of its tests only.
    is_narrowed: bool,
}

impl StampRecorder {
    /// Looks, before the run.
    pub fn begin(run: &StampedRun<'_>) -> Self {
        let Ok(git) = Git::find(run.environment) else {
            return Self::default();
        };
        let mut tops: Vec<PathBuf> = (run.workspace.components.iter())
            .filter_map(|found| git.at(&found.directory).top_level().ok())
            .collect();
        tops.sort();
        tops.dedup();
        if strangers_meet(run.plan, &tops) {
            return Self::default();
        }
        let look = Inspection { run, git: &git };
        Self {
            places: tops.into_iter().filter_map(|top| look.place(top)).collect(),
        }
    }

    /// Returns the plan without the jobs that have a stamp and that no other job needs, and the stamps.
    pub fn without_passed(&self, mut plan: Plan, environment: &Environment) -> (Plan, Vec<Stamp>) {
        let stamped = |job: &Job| {
            self.places.iter().find_map(|place| {
                let job = place.jobs.iter().find(|known| known.id == job.id)?;
                let grounds = &place.grounds;
                let key = job_key(&grounds.setting, &job.id, job.reads, &grounds.subject)?;
                grounds.stamp(&key, environment)
            })
        };
        let mut stamps: Vec<Stamp> = plan.jobs.iter().filter_map(stamped).collect();
        // What a job needs that runs has to run before it: it may leave something behind.
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

    /// Keeps stamps of what passed. That one cannot be kept costs time later and nothing else.
    pub fn record(&self, run: &Run) {
        let Some(started) = &run.started else { return };
        // git is not asked again: jobs have run in its trees.
        let is_good =
            |place: &&StampedRepository| !are_dated_ahead(&place.top) && place.seal.holds();
        for place in self.places.iter().filter(is_good) {
            let (grounds, subject) = (&place.grounds, &place.grounds.subject);
            for job in &place.jobs {
                let good = deserves(job, run, &started.isolation);
                let key = job_key(&grounds.setting, &job.id, job.reads, subject);
                if let Some(key) = key.filter(|_| good) {
                    let stamp =
                        Stamp::new(job.id.clone(), started.run_id.clone(), place.facts.clone());
                    let _ = grounds.store.keep_stamp(&key, &stamp);
                }
            }
        }
        self.record_job_lists();
    }

    /// Keeps which jobs there are.
    pub fn record_job_lists(&self) {
        for place in self.places.iter().filter(|place| place.is_whole) {
            let key = job_list_key(&place.grounds.setting, &place.grounds.subject);
            let roll = JobList::new(place.jobs.iter().map(|job| (job.id.clone(), job.reads)));
            let _ = place.grounds.store.keep_job_list(&key, &roll);
        }
    }
}

/// Whether strict jobs run beside jobs of another repository: a stranger of the one can have had a hand in what the other
/// tests.
fn strangers_meet(plan: &Plan, tops: &[PathBuf]) -> bool {
    let has_jobs = |top: &&PathBuf| plan.jobs.iter().any(|job| job.directory.starts_with(top));
    plan.strict_jobs().next().is_some() && tops.iter().filter(has_jobs).count() > 1
}

fn needed_again(plan: &Plan, stamps: &[Stamp]) -> Option<JobId> {
    let is_out = |id: &JobId| stamps.iter().any(|stamp| stamp.job == *id);
    let mut running = plan.jobs.iter().filter(|job| !is_out(&job.id));
    running.find_map(|job| job.needs.iter().find(|id| is_out(id)).cloned())
}

/// Whether a job passed, whole, within the bounds that were asked for.
fn deserves(job: &StampedJob, run: &Run, isolation: &Isolation) -> bool {
    let result = run.jobs.get(&job.id);
    let passed = result.is_some_and(|result| result.outcome() == Some(JobOutcome::Passed));
    let advisory = |what: &str| what.starts_with("advisory");
    let unbound = (job.bounds.network == NetworkPolicy::Off && advisory(&isolation.network))
        || (job.bounds.isolate == IsolatePolicy::On
            && (advisory(&isolation.processes) || advisory(&isolation.files)));
    passed && !job.is_narrowed && !unbound
}

struct Inspection<'a> {
    run: &'a StampedRun<'a>,
    git: &'a Git,
}

impl Inspection<'_> {
    fn place(&self, top: PathBuf) -> Option<StampedRepository> {
        let run = self.run;
        let source = match &run.workspace.view {
            Some(_) => run.workspace.root.join("any"),
            None => (run.user_path)(&top),
        };
        let grounds = StampScope::of(&StampQuery {
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
        // First, so that what is written meanwhile is found in the end.
        let seal = Seal::of(self.git, &top).ok()??;
        let good = self.is_committed(&top)
            && self.is_known_by_its_key(&top, &grounds)
            && self.needs_nothing_else(&top);
        let tests = self.tests(&grounds)?;
        good.then(|| StampedRepository {
            jobs: self.jobs(&top),
            is_whole: self.is_whole(&top, &source),
            facts: self.facts(tests),
            seal,
            grounds,
            top,
        })
    }

    /// The branch of `origin` that changed files are compared with, as the workspace takes it.
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

    /// New files count as well: a test that is not committed is a test that passed.
    fn is_committed(&self, top: &Path) -> bool {
        let arguments = ["status", "--porcelain", "-z", "--untracked-files=normal"];
        let status = self.git.at(top).run(&arguments);
        status.is_ok_and(|status| status.is_empty())
    }

    /// A check starts at the top of the repository and takes the pipeline it finds there. What lies deeper, or extends
    /// another file, would not be found in the key; what was detected from elsewhere could be another one.
    fn is_known_by_its_key(&self, top: &Path, grounds: &StampScope) -> bool {
        let base = self.run.pipeline.base.as_deref();
        match (self.run.asked.is_some(), grounds.has_file) {
            (true, _) => true,
            (false, true) => base == Some(top) && extends_no_file(&top.join(FILE)),
            (false, false) => match base {
                Some(base) => !base.starts_with(top),
                None => self.run.directory == top || self.run.pipeline.layout == Layout::Gopath,
            },
        }
    }

    /// What comes first of another repository, or is left out of a check, is in no key.
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

    /// None where the jobs use a tests repository that is not the commit the key would say.
    fn tests(&self, grounds: &StampScope) -> Option<Option<String>> {
        if self.run.pipeline.layout == Layout::Plain {
            return Some(None);
        }
        let gopath = (self.run.workspace.environment).get("GOPATH")?;
        let clone = Path::new(gopath).join("src/github.com/kata-containers/tests");
        let used = self.git.at(&clone).revision().ok()??;
        (Some(&used) == grounds.tests.as_ref()).then_some(Some(used))
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
                is_narrowed: job.only.is_some(),
            })
            .collect()
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
        }
    }
}

/// Whether a pipeline's file stands on its own, or on a shipped one.
fn extends_no_file(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Ok(table) = text.parse::<toml::Table>() else {
        return false;
    };
    match table.get("extends") {
        None => true,
        Some(name) => name
            .as_str()
            .is_some_and(|name| shipped().iter().any(|(known, _)| *known == name)),
    }
}
