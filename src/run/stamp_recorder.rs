//! Which jobs of a run deserve a stamp, and which of a check need not run again.
//!
//! No stamp is made by a job that did not pass as a whole (vacuous, narrowed, resumed), on a work tree that is not as
//! committed before the run or after it, where a sandbox that the pipeline asks for was not there, or where the pipeline
//! depends on more than stands in the key.

use std::path::{Path, PathBuf};

use crate::cli::arguments::RunArguments;
use crate::config::{IsolatePolicy, Layout, NetworkPolicy, Overrides, Reads, Requirement, shipped};
use crate::event::Isolation;
use crate::git::Git;
use crate::model::JobId;
use crate::model::JobOutcome;
use crate::outcome::Run;
use crate::plan::{Job, Plan};
use crate::stamp::key::{FILE, StampQuery, StampScope};
use crate::stamp::{JobList, Stamp, StampFacts, identities, job_key, job_list_key};

use super::Prepared;

/// The repositories of a run whose jobs may get stamps.
#[derive(Default)]
pub(crate) struct StampRecorder {
    places: Vec<StampedRepository>,
}

/// One repository.
struct StampedRepository {
    top: PathBuf,
    grounds: StampScope,
    /// All jobs of it that the plan had, and what they read.
    jobs: Vec<(JobId, Reads)>,
    /// These are all jobs that a check of the repository would have.
    is_whole: bool,
    facts: StampFacts,
}

impl StampRecorder {
    /// Looks, before the run.
    pub fn begin(prepared: &Prepared, run: &RunArguments, overrides: &Overrides) -> Self {
        let narrowed = run.resume || prepared.rerun_of.is_some();
        let Some(git) = Git::find(&prepared.environment).ok().filter(|_| !narrowed) else {
            return Self::default();
        };
        let mut tops: Vec<PathBuf> = (prepared.workspace.components.iter())
            .filter_map(|found| git.top_level(&found.directory).ok())
            .collect();
        tops.sort();
        tops.dedup();
        let look = Inspection {
            prepared,
            run,
            overrides,
            git: &git,
        };
        Self {
            places: tops.into_iter().filter_map(|top| look.place(top)).collect(),
        }
    }

    /// Takes the jobs out of the plan that have a stamp and that no other job needs; the stamps.
    pub fn take_out(&self, prepared: &mut Prepared) -> Vec<Stamp> {
        let environment = &prepared.environment;
        let stamped = |job: &Job| {
            self.places.iter().find_map(|place| {
                let (id, reads) = place.jobs.iter().find(|(id, _)| *id == job.id)?;
                let grounds = &place.grounds;
                let key = job_key(&grounds.setting, id, *reads, &grounds.subject)?;
                grounds.stamp(&key, environment)
            })
        };
        let mut stamps: Vec<Stamp> = prepared.plan.jobs.iter().filter_map(stamped).collect();
        // What a job needs that runs has to run before it: it may leave something behind.
        while let Some(needed) = needed_again(&prepared.plan, &stamps) {
            stamps.retain(|stamp| stamp.job != needed);
        }
        let is_out = |id: &JobId| stamps.iter().any(|stamp| stamp.job == *id);
        prepared.plan.jobs.retain(|job| !is_out(&job.id));
        for job in &mut prepared.plan.jobs {
            job.after.retain(|id| !is_out(id));
        }
        stamps
    }

    /// Keeps stamps of what passed. That one cannot be kept costs time later and nothing else.
    pub fn record(&self, prepared: &Prepared, run: &Run) {
        let Some(started) = &run.started else { return };
        let Ok(git) = Git::find(&prepared.environment) else {
            return;
        };
        for place in self.places.iter().filter(|place| place.is_unchanged(&git)) {
            let (grounds, subject) = (&place.grounds, &place.grounds.subject);
            for (id, reads) in &place.jobs {
                let planned = prepared.plan.jobs.iter().find(|job| job.id == *id);
                let good = planned.is_some_and(|job| deserves(job, run, &started.isolation));
                let key = job_key(&grounds.setting, id, *reads, subject).filter(|_| good);
                if let Some(key) = key {
                    let stamp = Stamp::new(id.clone(), started.run_id.clone(), place.facts.clone());
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
            let roll = JobList::new(place.jobs.iter().cloned());
            let _ = place.grounds.store.keep_job_list(&key, &roll);
        }
    }
}

fn needed_again(plan: &Plan, stamps: &[Stamp]) -> Option<JobId> {
    let is_out = |id: &JobId| stamps.iter().any(|stamp| stamp.job == *id);
    let mut running = plan.jobs.iter().filter(|job| !is_out(&job.id));
    running.find_map(|job| job.needs.iter().find(|id| is_out(id)).cloned())
}

/// Whether a job passed, whole, within the bounds that were asked for.
fn deserves(job: &Job, run: &Run, isolation: &Isolation) -> bool {
    let result = run.jobs.get(&job.id);
    let passed = result.is_some_and(|result| result.outcome() == Some(JobOutcome::Passed));
    let advisory = |what: &str| what.starts_with("advisory");
    let unbound = (job.bounds.network == NetworkPolicy::Off && advisory(&isolation.network))
        || (job.bounds.isolate == IsolatePolicy::On
            && (advisory(&isolation.processes) || advisory(&isolation.files)));
    passed && job.only.is_none() && !unbound
}

impl StampedRepository {
    /// The commit is the same, and no tracked file differs from it.
    fn is_unchanged(&self, git: &Git) -> bool {
        git.revision(&self.top)
            .is_ok_and(|now| now.as_ref() == Some(&self.grounds.subject.commit))
    }
}

struct Inspection<'a> {
    prepared: &'a Prepared,
    run: &'a RunArguments,
    overrides: &'a Overrides,
    git: &'a Git,
}

impl Inspection<'_> {
    fn place(&self, top: PathBuf) -> Option<StampedRepository> {
        let prepared = self.prepared;
        let source = match &prepared.aside {
            Some(aside) => aside.as_user_knows(&top),
            None if prepared.workspace.view.is_some() => prepared.workspace.root.join("any"),
            None => top.clone(),
        };
        let grounds = StampScope::of(&StampQuery {
            top: &top,
            parent: source.parent()?,
            commit: "HEAD",
            branch: &self.branch(),
            asked: self.run.pipeline.as_deref(),
            overrides: self.overrides,
            environment: &prepared.environment,
        })?;
        let good = self.is_committed(&top)
            && self.is_known_by_its_key(&top, &grounds)
            && self.needs_nothing_else(&top);
        let tests = self.tests(&grounds)?;
        good.then(|| StampedRepository {
            jobs: self.jobs(&top),
            is_whole: self.is_whole(&top, &source),
            facts: self.facts(tests),
            grounds,
            top,
        })
    }

    /// The branch of `origin` that changed files are compared with, as the workspace takes it.
    fn branch(&self) -> String {
        let pipeline = &self.prepared.pipeline;
        let given = (self.run.pushed_to.as_ref()).or_else(|| pipeline.env.get("branch"));
        match (given, pipeline.layout, &pipeline.gerrit.branch) {
            (Some(branch), _, _) | (None, Layout::Plain, Some(branch)) => branch.clone(),
            (None, Layout::Gopath, _) => "master".to_owned(),
            (None, Layout::Plain, None) => "main".to_owned(),
        }
    }

    /// New files count as well: a test that is not committed is a test that passed.
    fn is_committed(&self, top: &Path) -> bool {
        let arguments = ["status", "--porcelain", "-z", "--untracked-files=normal"];
        let status = self.git.run(top, &arguments);
        status.is_ok_and(|status| status.is_empty())
    }

    /// A check starts at the top of the repository and takes the pipeline it finds there. What lies deeper, or extends
    /// another file, would not be found in the key; what was detected from elsewhere could be another one.
    fn is_known_by_its_key(&self, top: &Path, grounds: &StampScope) -> bool {
        let base = self.prepared.pipeline.base.as_deref();
        let asked = self
            .run
            .pipeline
            .as_ref()
            .is_some_and(|name| !name.is_empty());
        match (asked, grounds.has_file) {
            (true, _) => true,
            (false, true) => base == Some(top) && extends_no_file(&top.join(FILE)),
            (false, false) => match base {
                Some(base) => !base.starts_with(top),
                None => self.stands_at(top) || self.prepared.pipeline.layout == Layout::Gopath,
            },
        }
    }

    /// What comes first of another repository, or is left out of a check, is in no key.
    fn needs_nothing_else(&self, top: &Path) -> bool {
        let components = &self.prepared.workspace.components;
        let own = |name: &String| {
            let mut all = components.iter();
            all.any(|found| found.component.name == *name && found.directory.starts_with(top))
        };
        let mut inside = components
            .iter()
            .filter(|found| found.directory.starts_with(top));
        inside.all(|found| found.component.needs.iter().all(own))
    }

    fn stands_at(&self, top: &Path) -> bool {
        match &self.prepared.aside {
            Some(aside) => aside.directory() == top,
            None => self.prepared.directory == top,
        }
    }

    /// None where the jobs use a tests repository that is not the commit the key would say.
    fn tests(&self, grounds: &StampScope) -> Option<Option<String>> {
        if self.prepared.pipeline.layout == Layout::Plain {
            return Some(None);
        }
        let gopath = (self.prepared.workspace.environment).get(std::ffi::OsStr::new("GOPATH"))?;
        let clone = Path::new(gopath).join("src/github.com/kata-containers/tests");
        let used = self.git.revision(&clone).ok()??;
        (Some(&used) == grounds.tests.as_ref()).then_some(Some(used))
    }

    fn jobs(&self, top: &Path) -> Vec<(JobId, Reads)> {
        let pipeline = &self.prepared.pipeline;
        let reads = |job: &Job| {
            let step = pipeline
                .steps
                .iter()
                .find(|step| step.name == job.id.step());
            step.map_or(Reads::Commits, |step| step.reads)
        };
        (self.prepared.plan.jobs.iter())
            .filter(|job| job.directory.starts_with(top))
            .map(|job| (job.id.clone(), reads(job)))
            .collect()
    }

    fn is_whole(&self, top: &Path, source: &Path) -> bool {
        let prepared = self.prepared;
        let planned = |name: &str| {
            let mut jobs = prepared.plan.jobs.iter();
            jobs.any(|job| job.id.component() == name)
        };
        let mut components =
            (prepared.workspace.components.iter()).filter(|found| found.directory.starts_with(top));
        let at_top = components
            .clone()
            .any(|found| found.directory == top && prepared.pipeline.layout == Layout::Gopath);
        let from_above = source.starts_with(&prepared.directory);
        self.run.steps.is_empty()
            && prepared.since.is_none()
            && components.all(|found| planned(&found.component.name))
            && (at_top || from_above)
    }

    fn facts(&self, tests: Option<String>) -> StampFacts {
        let components = self.prepared.pipeline.components.iter();
        let names: Vec<String> = components
            .flat_map(|component| &component.requires)
            .filter_map(|requirement| match requirement {
                Requirement::Program { name, .. } => Some(name.clone()),
                _ => None,
            })
            .collect();
        StampFacts {
            tests,
            programs: identities(&names, &self.prepared.environment),
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
