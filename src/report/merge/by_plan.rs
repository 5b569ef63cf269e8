//! Merges the shards of a plan into one run.
//!
//! Per shard the latest complete attempt counts. A shard without one is an error for each of its
//! planned jobs, and so are two different results of one attempt: which of them is true, nobody
//! knows. Results of another plan are refused. The order of the directories makes no difference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::add_earlier;
use crate::event::{
    Event, FORMAT_VERSION, Isolation, JobFinished, JobQueued, Notice, PeakOf, Record, RunFinished,
    RunStarted,
};
use crate::fs;
use crate::fs::Directory;
use crate::model::{CheckFindings, ExitCode, JobId, JobOutcome, Reach, Tally};
use crate::outcome::{JobResult, Run};
use crate::plan::{PlanFile, Shard};
use crate::report::model::{Document, properties};
use crate::report::read::run as read_run;
use crate::report::{RESULT, ShardResult, from_run, read_shard_result};

/// The most bytes of a result.
const LARGEST: u64 = 64 << 20;

/// The levels of directories that results are looked for in.
const DEPTH: usize = 6;

/// The shards of a plan as one run.
#[derive(Debug)]
pub struct MergedPlan {
    /// The run of all jobs, in the order of the plan.
    pub run: Run,
    /// Its report.
    pub document: Document,
    /// The directory that its logs are relative to.
    pub directory: Directory,
    /// The shards without a result, each with the reason.
    pub lost: Vec<String>,
    /// The exit code: that of one run of all jobs.
    pub code: ExitCode,
}

/// A reason why nothing is merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A result is of another plan.
    #[error("{} is a result of {}, not of plan {plan}", directory.display(), match of {
        Some(of) => format!("plan {of}"),
        None => "no plan".to_owned(),
    })]
    Foreign {
        /// The report directory.
        directory: PathBuf,
        /// The plan that it is of.
        of: Option<String>,
        /// The plan that is merged.
        plan: String,
    },
    /// A directory cannot be read.
    #[error("{}: {source}", directory.display())]
    Unread {
        /// The directory.
        directory: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
}

/// An attempt of a shard that was found.
struct Attempt {
    directory: PathBuf,
    number: u32,
    /// The run and the bytes of its result, or the reason why it does not count.
    content: Result<(Box<Run>, ShardResult, Vec<u8>), String>,
}

/// Merges the results below these directories.
///
/// # Errors
/// [`MergeError`].
pub fn merge_plan(plan: &PlanFile, places: &[PathBuf]) -> Result<MergedPlan, MergeError> {
    let mut shards: BTreeMap<usize, Vec<Attempt>> = BTreeMap::new();
    let places: Vec<_> = places
        .iter()
        .map(|place| real(place))
        .collect::<Result<_, _>>()?;
    let mut directories = BTreeSet::new();
    for place in &places {
        find(place, DEPTH, &mut directories).map_err(|source| unread(place, source))?;
    }
    for directory in directories {
        if let Some((shard, attempt)) = attempt(plan, directory)? {
            shards.entry(shard).or_default().push(attempt);
        }
    }
    let root = common(&places);
    let directory = Directory::hold(&root).map_err(|source| unread(&root, source))?;
    let mut merging = Merging::new(plan, &root);
    for shard in &plan.shards {
        let attempts = shards.remove(&shard.index).unwrap_or_default();
        merging.add(shard, attempts);
    }
    Ok(merging.finish(directory))
}

fn unread(directory: &Path, source: std::io::Error) -> MergeError {
    MergeError::Unread {
        directory: directory.to_owned(),
        source,
    }
}

fn real(path: &Path) -> Result<PathBuf, MergeError> {
    path.canonicalize().map_err(|source| unread(path, source))
}

/// Returns the nearest directory above all of these.
fn common(places: &[PathBuf]) -> PathBuf {
    let mut above = places.iter().map(PathBuf::as_path);
    let first = above.next().unwrap_or(Path::new("/"));
    let all = |root: &&Path| places.iter().all(|place| place.starts_with(root));
    first
        .ancestors()
        .find(all)
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// Finds report directories. Links are not followed.
fn find(directory: &Path, levels: usize, found: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    let is_run = ["events.jsonl", RESULT]
        .iter()
        .any(|name| directory.join(name).is_file());
    if is_run {
        found.insert(directory.to_owned());
        return Ok(());
    }
    if levels == 0 {
        return Ok(());
    }
    for entry in directory.read_dir()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), levels - 1, found)?;
        }
    }
    Ok(())
}

/// Reads an attempt; `None` if it cannot be told which one it is.
fn attempt(plan: &PlanFile, directory: PathBuf) -> Result<Option<(usize, Attempt)>, MergeError> {
    let result = read_shard_result(&directory);
    let run = read_run(&directory.join("events.jsonl"));
    let of_journal = run.as_ref().ok().and_then(|run| run.started.as_ref());
    let known = match (&result, of_journal) {
        (Ok(Some(result)), _) => Some((result.plan_id.clone(), result.shard, result.attempt)),
        (_, Some(started)) => Some(match &started.shard {
            Some(shard) => (
                Some(shard.plan_id.clone()),
                Some(shard.index),
                shard.attempt,
            ),
            None => (None, None, 1),
        }),
        _ => None,
    };
    let (of, shard, number) = match known.or_else(|| named(plan, &directory)) {
        Some(known) => known,
        None => return Ok(None),
    };
    let Some(shard) = shard.filter(|_| of.as_deref() == Some(&plan.plan_id)) else {
        return Err(MergeError::Foreign {
            directory,
            of,
            plan: plan.plan_id.clone(),
        });
    };
    let machine = of_journal.and_then(|started| started.machine.clone());
    let on = machine
        .map(|machine| format!(" on {machine}"))
        .unwrap_or_default();
    let content = match (result, run) {
        (Ok(None), _) => Err(format!("attempt {number}{on} did not end")),
        (Err(error), _) => Err(format!(
            "the result of attempt {number}{on} is damaged: {error}"
        )),
        (_, Err(error)) => Err(format!(
            "the journal of attempt {number}{on} is damaged: {error}"
        )),
        (Ok(Some(result)), Ok(run)) => complete(plan, shard, run, result, &directory),
    };
    let attempt = Attempt {
        directory,
        number,
        content,
    };
    Ok(Some((shard, attempt)))
}

/// Returns what the names of the directories tell of a run whose files are damaged.
fn named(plan: &PlanFile, directory: &Path) -> Option<(Option<String>, Option<usize>, u32)> {
    let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
    let attempt = name(directory)?.strip_prefix("attempt-")?.parse().ok()?;
    let shard = name(directory.parent()?)?
        .strip_prefix("shard-")?
        .parse()
        .ok()?;
    Some((Some(plan.plan_id.clone()), Some(shard), attempt))
}

/// Checks that an attempt has the end of every planned job.
fn complete(
    plan: &PlanFile,
    shard: usize,
    run: Run,
    result: ShardResult,
    directory: &Path,
) -> Result<(Box<Run>, ShardResult, Vec<u8>), String> {
    let number = result.attempt;
    if let Some(signal) = result.signal {
        return Err(format!("attempt {number} was ended by signal {signal}"));
    }
    let planned = plan.shards.get(shard).into_iter().flat_map(|one| &one.jobs);
    let has_ended = |id: &JobId| run.jobs.get(id).is_some_and(|job| job.finished.is_some());
    let mut open = planned.filter(|job| !has_ended(&job.id));
    if let Some(job) = open.next() {
        return Err(format!(
            "the journal of attempt {number} does not tell the end of {}",
            job.id
        ));
    }
    let bytes = fs::read(&directory.join(RESULT), LARGEST);
    let bytes = bytes.map_err(|error| format!("the result of attempt {number}: {error}"))?;
    Ok((Box::new(run), result, bytes))
}

/// The run that shards are added to.
struct Merging<'a> {
    plan: &'a PlanFile,
    root: &'a Path,
    run: Run,
    /// The first that was added, which tells about all.
    started: Option<RunStarted>,
    notices: Vec<Notice>,
    /// The earlier complete attempts, latest first, with their directories.
    earlier: Vec<(Box<Run>, PathBuf)>,
    /// The machine and attempt of each job.
    workers: BTreeMap<JobId, (Option<String>, usize, u32)>,
    lost: Vec<String>,
    ended: Option<jiff::Timestamp>,
    is_doubtful: bool,
}

impl<'a> Merging<'a> {
    fn new(plan: &'a PlanFile, root: &'a Path) -> Self {
        Self {
            plan,
            root,
            run: Run::default(),
            started: None,
            notices: Vec::new(),
            earlier: Vec::new(),
            workers: BTreeMap::new(),
            lost: Vec::new(),
            ended: None,
            is_doubtful: false,
        }
    }

    fn add(&mut self, shard: &Shard, mut attempts: Vec<Attempt>) {
        attempts.sort_by(|one, other| {
            (other.number.cmp(&one.number)).then_with(|| one.directory.cmp(&other.directory))
        });
        let mut complete: Vec<_> = attempts.iter().filter(|one| one.content.is_ok()).collect();
        // A copy of a result is no second one.
        complete.dedup_by(|one, other| {
            let bytes = |of: &Attempt| of.content.as_ref().ok().map(|(_, _, bytes)| bytes.clone());
            one.number == other.number && bytes(one) == bytes(other)
        });
        match complete.as_slice() {
            _ if shard.jobs.is_empty() => {}
            [] => self.lose(shard, &reasons(&attempts)),
            [one, other, ..] if one.number == other.number => self.lose(
                shard,
                &format!(
                    "attempt {} has two different results, in {} and {}",
                    one.number,
                    one.directory.display(),
                    other.directory.display()
                ),
            ),
            [latest, earlier @ ..] => {
                self.take(shard, latest);
                for one in earlier {
                    if let Ok((run, ..)) = &one.content {
                        self.earlier.push((run.clone(), one.directory.clone()));
                    }
                }
            }
        }
    }

    fn take(&mut self, shard: &Shard, attempt: &Attempt) {
        let Ok((run, result, _)) = &attempt.content else {
            return;
        };
        let below = attempt.directory.strip_prefix(self.root);
        let below = below.unwrap_or(&attempt.directory);
        for planned in &shard.jobs {
            let Some(job) = run.jobs.get(&planned.id) else {
                continue;
            };
            let worker = (result.worker.clone(), shard.index, attempt.number);
            self.workers.insert(planned.id.clone(), worker);
            self.run.order.push(planned.id.clone());
            self.run
                .jobs
                .insert(planned.id.clone(), moved(job.clone(), below));
        }
        if let Some(started) = &run.started {
            self.notices
                .extend(started.notices.iter().filter(|one| !one.is_fact).cloned());
            self.started.get_or_insert_with(|| started.clone());
        }
        let began = run.start_time;
        self.run.start_time = [self.run.start_time, began].into_iter().flatten().min();
        let seconds = run
            .finished
            .as_ref()
            .map_or(0.0, |finished| finished.seconds);
        let end = began.and_then(|began| {
            began
                .checked_add(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?)
                .ok()
        });
        self.ended = self.ended.max(end);
        // The shard itself was not recorded in full, whatever its jobs say.
        self.is_doubtful |= result.exit == 75 && run.exit_code(None).code() != 75;
    }

    /// Makes an error of each job of a shard.
    fn lose(&mut self, shard: &Shard, why: &str) {
        let reason = format!("shard {} has no result: {why}", shard.index);
        for planned in &shard.jobs {
            self.apply(Event::JobQueued(JobQueued {
                job: planned.id.clone(),
                command: "(lost)".to_owned(),
                directory: String::new(),
                estimate: planned.estimate,
                timeout: None,
            }));
            self.apply(Event::JobFinished(lost(&planned.id, &reason)));
        }
        self.lost.push(reason);
    }

    fn apply(&mut self, event: Event) {
        let began = self.run.start_time;
        self.run.apply(&Record {
            v: FORMAT_VERSION,
            seq: 0,
            time: began.unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            event,
        });
        self.run.start_time = began;
    }

    fn finish(mut self, directory: Directory) -> MergedPlan {
        self.put_in_order();
        self.run.started = Some(self.started());
        let code = self.run.exit_code(None);
        let code = match self.is_doubtful {
            true => code.at_least_an_error(),
            false => code,
        };
        let seconds = match (self.run.start_time, self.ended) {
            (Some(start), Some(end)) => end.duration_since(start).as_secs_f64(),
            _ => 0.0,
        };
        self.run.finished = Some(RunFinished {
            exit: code.code(),
            seconds,
            signal: None,
        });
        let document = self.document(&directory);
        MergedPlan {
            run: self.run,
            document,
            directory,
            lost: self.lost,
            code,
        }
    }

    /// Puts the jobs into the order of the pipeline, as one run of all would have them.
    fn put_in_order(&mut self) {
        let names = |key: &str| -> BTreeMap<String, usize> {
            let listed = self.plan.pipeline[key].as_array().into_iter().flatten();
            let names = listed.filter_map(|one| one["name"].as_str().map(str::to_owned));
            names.zip(0..).collect()
        };
        let (components, steps) = (names("component"), names("step"));
        self.run.order.sort_by_key(|id| {
            let place = |of: &BTreeMap<String, usize>, name| of.get(name).copied();
            (
                place(&components, id.component()),
                place(&steps, id.step()),
                id.clone(),
            )
        });
        self.run.order.dedup();
    }

    fn started(&self) -> RunStarted {
        let of_jobs = |part: fn(&JobId) -> &str| {
            let names: BTreeSet<_> = self
                .run
                .order
                .iter()
                .map(|id| part(id).to_owned())
                .collect();
            names.into_iter().collect()
        };
        let mut notices = self.notices.clone();
        notices.sort_by(|one, other| one.text.cmp(&other.text));
        notices.dedup();
        notices.extend(self.lost.iter().map(Notice::warning));
        let first = self.started.as_ref();
        RunStarted {
            run_id: self.plan.plan_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pipeline: self.plan.name.clone(),
            workspace: first.map_or_else(String::new, |one| one.workspace.clone()),
            machine: None,
            components: of_jobs(JobId::component),
            steps: of_jobs(JobId::step),
            jobs: self.run.order.clone(),
            parallel: first.map_or(1, |one| one.parallel),
            fingerprint: None,
            revisions: self.plan.revisions.clone(),
            again: first.map_or_else(String::new, |one| one.again.clone()),
            isolation: first.map_or_else(Isolation::default, |one| one.isolation.clone()),
            since: None,
            rerun_of: None,
            case: None,
            notices,
            shard: None,
        }
    }

    /// Makes the report, with the machine of each job, and with what failed in earlier attempts.
    fn document(&self, directory: &Directory) -> Document {
        let mut document = from_run(&self.run, directory);
        let fact = ("plan", self.plan.plan_id.clone());
        document.facts.insert(0, fact);
        for (run, place) in &self.earlier {
            let Ok(directory) = Directory::hold(place) else {
                continue;
            };
            for earlier in from_run(run, &directory).suites {
                let mut suites = document.suites.iter_mut();
                if let Some(last) = suites.find(|one| one.name == earlier.name) {
                    add_earlier(last, earlier);
                }
            }
        }
        for suite in &mut document.suites {
            let of_suite = |id: &&JobId| id.as_str() == &*suite.name;
            let Some(id) = self.run.order.iter().find(of_suite) else {
                continue;
            };
            let mut add = |name: &str, value: String| {
                suite.properties.push((name.into(), value.into()));
            };
            add(properties::PLAN, self.plan.plan_id.clone());
            if let Some((worker, shard, attempt)) = self.workers.get(id) {
                add("shard", shard.to_string());
                add("shard_attempt", attempt.to_string());
                suite.hostname = worker.clone().map(Into::into);
            }
        }
        document
    }
}

/// Describes why none of the attempts counts.
fn reasons(attempts: &[Attempt]) -> String {
    let mut reasons: Vec<_> = (attempts.iter())
        .filter_map(|one| one.content.as_ref().err().cloned())
        .collect();
    reasons.reverse();
    match reasons.is_empty() {
        true => "no attempt was found".to_owned(),
        false => reasons.join("; "),
    }
}

fn lost(job: &JobId, reason: &str) -> JobFinished {
    JobFinished {
        job: job.clone(),
        attempt: 0,
        outcome: JobOutcome::Error,
        reason: reason.to_owned(),
        fix: None,
        lasts: false,
        allowed: None,
        ending: None,
        seconds: 0.0,
        cpu_seconds: None,
        peak_memory: None,
        peak_memory_of: PeakOf::default(),
        cases: Tally::default(),
        packages_known: false,
        left_behind: Default::default(),
        network_tried: Vec::new(),
        findings: CheckFindings::default(),
        reach: Reach::default(),
        log: None,
        log_size: 0,
    }
}

/// Returns the job with the paths of its logs relative to the directory of all shards.
fn moved(mut job: JobResult, below: &Path) -> JobResult {
    let place = |log: &mut String| *log = below.join(&*log).to_string_lossy().into_owned();
    job.logs.values_mut().for_each(place);
    let attempts = job.attempts.iter_mut().chain(job.finished.as_mut());
    attempts.filter_map(|one| one.log.as_mut()).for_each(place);
    job
}
