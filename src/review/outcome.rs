//! Makes the result of a review from what ran: rows, classes, verdict, message and comments.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::base_run::BaseRun;
use super::comments::{CommentRules, comments};
use super::diff::ChangedLines;
use super::judge::{Base, Judgement, judge};
use super::lookup::AuthorTrust;
use super::message::{MessageParts, message};
use super::request::{Prepared, ReviewRequest};
use super::{JobRow, Patchset, PostKey, ReviewResult, Verdict};
use crate::fs::Directory;
use crate::gerrit::rest::{AttentionInput, Notify, ReviewInput};
use crate::model::{CommandError, ExitCode, JobOutcome};
use crate::outcome::{JobResult, Run};
use crate::report;
use crate::report::compare::{Classes, SlowerBounds, compare, of_document};
use crate::report::model::Document;

/// The runs of a review.
#[derive(Default)]
pub(super) struct Ran {
    pub run: Run,
    pub directory: Option<PathBuf>,
    base: Option<BaseRun>,
    no_base: Option<String>,
    /// The verdict where no job ran.
    early: Option<Judgement>,
}

impl Ran {
    pub fn of(run: Run, directory: Option<PathBuf>) -> Self {
        Self {
            run,
            directory,
            ..Self::default()
        }
    }

    /// Makes the result of code that cannot be run safely here.
    pub fn refused(why: String) -> Self {
        Self {
            early: Some(Judgement {
                verdict: Verdict::Refused,
                reason: format!("a stranger's code runs in the strict sandbox only: {why}"),
            }),
            ..Self::default()
        }
    }

    /// Makes the result of a run that could not begin.
    pub fn broken(error: &CommandError) -> Self {
        let verdict = match error.kind {
            ExitCode::Error => Verdict::Error,
            ExitCode::NothingToDo => Verdict::Nothing,
            _ => Verdict::Unavailable,
        };
        Self {
            early: Some(Judgement {
                verdict,
                reason: error.to_string(),
            }),
            ..Self::default()
        }
    }

    pub fn with_base(&mut self, base: BaseRun) {
        self.base = Some(base);
    }

    pub fn no_base(&mut self, why: &str) {
        self.no_base = Some(why.to_owned());
    }

    /// Returns true for a run that was ended by a signal: nothing more is run.
    pub fn is_cut_short(&self) -> bool {
        (self.run.finished.as_ref()).is_some_and(|finished| finished.signal.is_some())
    }

    pub fn components(&self) -> Vec<String> {
        let started = self.run.started.as_ref();
        started.map_or_else(Vec::new, |started| started.components.clone())
    }

    fn relation(&self) -> Base<'_> {
        match (&self.base, &self.no_base) {
            (Some(base), _) => Base::Ran(&base.run),
            (None, Some(why)) => Base::Missing(why.clone()),
            (None, None) => Base::Unwanted,
        }
    }
}

/// Makes the result.
pub(super) fn result(
    request: &ReviewRequest,
    prepared: &Prepared,
    ran: Ran,
    changed: &ChangedLines,
    number: u32,
    took: Duration,
) -> ReviewResult {
    let classes = classes(&ran);
    let is_partial = !request.components.is_empty();
    let judgement = (ran.early.clone())
        .unwrap_or_else(|| judge(&ran.run, &ran.relation(), &classes, is_partial));
    let judgement = Judgement {
        // A place on the operator's machine means nothing to anybody else.
        reason: with_project(&judgement.reason, prepared),
        ..judgement
    };
    let jobs: Vec<_> = ran
        .run
        .jobs()
        .map(|job| row(job, ran.base.as_ref()))
        .collect();
    let patch_set = &prepared.patch_set;
    let review = &request.operator.review;
    let rules = CommentRules {
        most: usize::try_from(review.comments).unwrap_or(usize::MAX),
        unresolved: review.unresolved,
    };
    let (comments, left_out) = comments(&ran.run, &classes, changed, rules);
    let run_id = ran
        .run
        .started
        .as_ref()
        .map(|started| started.run_id.clone());
    let report_url =
        (review.report_url.as_ref()).map(|url| filled(url, patch_set, run_id.as_deref()));
    let base = ran.base.as_ref().and(prepared.base.clone());
    let tested_less = tested_less(prepared, &ran);
    let text = message(&MessageParts {
        verdict: judgement.verdict,
        reason: &judgement.reason,
        patch_set,
        jobs: &jobs,
        classes: &classes,
        base: base.as_deref(),
        tested_less: &tested_less,
        comments_left_out: left_out,
        report_url: report_url.as_deref(),
        seconds: took.as_secs_f64(),
    });
    let signal = ran
        .run
        .finished
        .as_ref()
        .and_then(|finished| finished.signal);
    let exit = signal.map_or(judgement.verdict.exit_code(), ExitCode::Signal);
    ReviewResult {
        version: 1,
        run: number,
        verdict: judgement.verdict,
        reason: judgement.reason,
        exit: exit.code(),
        input: ReviewInput {
            message: text,
            tag: PostKey::new(&patch_set.sha, number).tag(),
            comments,
            ..votes(judgement.verdict, patch_set, &request.label)
        },
        label: request.label.clone(),
        jobs,
        classes,
        base,
        tested_less,
        run_id,
        seconds: took.as_secs_f64(),
        patch_set: patch_set.clone(),
    }
}

/// Returns a review with the vote of a verdict, and with those who hear of it.
fn votes(verdict: Verdict, patch_set: &Patchset, label: &str) -> ReviewInput {
    let vote = verdict.vote();
    ReviewInput {
        labels: vote
            .map(|vote| (label.to_owned(), vote))
            .into_iter()
            .collect(),
        notify: match vote {
            Some(-1) => Notify::Owner,
            _ => Notify::None,
        },
        ignore_automatic_attention_set_rules: true,
        add_to_attention_set: attention(verdict, patch_set),
        ..ReviewInput::default()
    }
}

fn with_project(text: &str, prepared: &Prepared) -> String {
    let top = prepared.clone.top.display().to_string();
    text.replace(&top, &prepared.patch_set.project)
}

fn attention(verdict: Verdict, patch_set: &Patchset) -> Vec<AttentionInput> {
    let is_needed = verdict == Verdict::Failed && patch_set.owner.id != 0;
    let owner = AttentionInput {
        user: patch_set.owner.id,
        reason: "kata-ci: something fails newly".to_owned(),
    };
    is_needed.then_some(owner).into_iter().collect()
}

fn filled(url: &str, patch_set: &Patchset, run: Option<&str>) -> String {
    url.replace("{run}", run.unwrap_or(""))
        .replace("{change}", &patch_set.number.to_string())
        .replace("{patch_set}", &patch_set.patch_set.to_string())
}

fn classes(ran: &Ran) -> Classes {
    let document = |run: &Run, directory: Option<&PathBuf>| {
        let held = directory.and_then(|path| Directory::expect(path).ok());
        held.map_or_else(Document::default, |held| report::from_run(run, &held))
    };
    let new = document(&ran.run, ran.directory.as_ref());
    let old = ran
        .base
        .as_ref()
        .map(|base| document(&base.run, Some(&base.directory)));
    let old = old.unwrap_or_default();
    let mut classes = compare(
        &of_document(&old),
        &of_document(&new),
        SlowerBounds::default(),
    );
    // Jobs that did not run to their end lack cases for another reason.
    let is_whole = |suite: &String| {
        let job = ran.run.jobs().find(|job| job.queued.job.as_str() == suite);
        let outcome = job.and_then(JobResult::outcome);
        matches!(
            outcome,
            Some(JobOutcome::Passed | JobOutcome::Failed | JobOutcome::Vacuous)
        )
    };
    classes.vanished.retain(|case| is_whole(&case.suite));
    classes.silenced.retain(|case| is_whole(&case.suite));
    if ran.base.is_none() {
        classes.new_cases.clear();
    }
    classes
}

fn row(job: &JobResult, base: Option<&BaseRun>) -> JobRow {
    let finished = job.finished.as_ref();
    let tally = &job.tally;
    let id = &job.queued.job;
    JobRow {
        job: id.clone(),
        outcome: job.outcome().unwrap_or(JobOutcome::Error),
        reason: finished.map_or_else(String::new, |finished| finished.reason.clone()),
        at_base: base.and_then(|base| base.run.jobs.get(id)?.outcome()),
        seconds: finished.map_or(0.0, |finished| finished.seconds),
        passed: tally.passed,
        failed: tally.failed + tally.unfinished,
        skipped: tally.skipped + tally.not_run,
        flaky: tally.flaky,
    }
}

/// Returns true for a job whose cases are in packages.
fn is_go(job: &JobResult) -> bool {
    let mut cases = job.cases.iter();
    cases.any(|case| !case.package.is_empty() && job.queued.job.step() != "check")
}

/// Says what was tested less than a run of everything would.
fn tested_less(prepared: &Prepared, ran: &Ran) -> Vec<String> {
    let mut all = prepared.tested_less.clone();
    if let (AuthorTrust::Stranger(why), true) = (&prepared.trust, ran.early.is_none()) {
        all.push(format!(
            "run in the strict sandbox, without a network: {why}"
        ));
    }
    if let Some(why) = &ran.no_base {
        all.push(format!("not compared with the base: {why}"));
    }
    let notices = ran.run.started.iter().flat_map(|started| &started.notices);
    let left_out = notices.filter(|notice| notice.text.contains("left out"));
    all.extend(left_out.map(|notice| notice.text.clone()));
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for job in ran.run.jobs() {
        let reason = match (job.outcome(), &job.finished) {
            (Some(JobOutcome::Skipped), Some(finished)) => format!("skipped: {}", finished.reason),
            (Some(JobOutcome::Vacuous), Some(finished)) => match &finished.allowed {
                Some(why) => format!("tested nothing, which the pipeline allows: {why}"),
                None => continue,
            },
            (Some(_), Some(finished)) if !finished.packages_known && is_go(job) => {
                "the list of packages is not known, so one that never ran is not noticed".to_owned()
            }
            _ => continue,
        };
        reasons
            .entry(reason)
            .or_default()
            .push(job.queued.job.as_str());
    }
    all.extend(
        reasons
            .into_iter()
            .map(|(reason, jobs)| format!("{}: {reason}", jobs.join(", "))),
    );
    all
}
