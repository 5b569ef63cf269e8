//! The steps of a push, one after the other.

use super::known::Known;
use super::report::{ChangeReport, CommitRow, CommitState, Outcome, PushReport};
use super::send::{SendError, Sent, send};
use super::{Audience, Check, CheckRequest, CheckResult};
use crate::gerrit::answer::PushedChange;
use crate::gerrit::preflight::{
    ChangeIdState, Facts, Finding, Rules, Severity, check as preflight, gather, state_of,
};
use crate::gerrit::push_options::PushOptions;
use crate::gerrit::rejection::{Context, Rejection, explain};
use crate::gerrit::remote::{Destination, DestinationError, Request, resolve};
use crate::gerrit::reword::{RewordError, add_missing_ids};
use crate::git::plumbing::{GitError, Repository};
use crate::git::surroundings::Surroundings;
use crate::outcome::ExitCode;

/// More changes than this are not pushed without asking.
const FEW: usize = 5;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct PushRequest {
    /// Where to.
    pub place: Request,
    /// Options for the server.
    pub options: PushOptions,
    /// Each commit is to be checked, not the tip alone.
    pub each: bool,
    /// Add Change-Ids where they are missing.
    pub fix: bool,
    /// Push without a check.
    pub no_check: bool,
    /// kata's rules for commits hold.
    pub kata_rules: bool,
    /// Show what would go, and end.
    pub dry_run: bool,
    /// Do not ask.
    pub yes: bool,
    /// Find out the patch sets' numbers, at the price of another connection.
    pub patch_sets: bool,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Not in a repository, or git is missing.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Nowhere to push to.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// `--fix` cannot.
    #[error(transparent)]
    Reword(#[from] RewordError),
    /// It cannot be said to this server.
    #[error(transparent)]
    Send(#[from] SendError),
    /// HEAD names no commit.
    #[error("there is no commit yet in {0}")]
    Unborn(String),
    /// Options of a review given to `--direct`.
    #[error(
        "--direct pushes to the branch itself, where `{0}` means nothing: leave one of them out"
    )]
    OptionWithDirect(String),
}

/// Carries a push out, as far as it goes.
///
/// # Errors
/// [`PushError`] where nothing can be reported but that.
pub fn push(
    repository: &Repository,
    request: &PushRequest,
    check: &dyn Check,
    audience: &mut dyn Audience,
) -> Result<PushReport, PushError> {
    let direct = request.place.direct;
    if let Some(option) = request.options.iter().next().filter(|_| direct) {
        return Err(PushError::OptionWithDirect(option.to_string()));
    }
    let surroundings = Surroundings::of(repository)?;
    let destination = resolve(&surroundings, &request.place)?;
    let push = Push {
        repository,
        surroundings,
        request,
        destination,
    };
    let (facts, findings, rewritten) = push.look()?;
    let known = Known::load(&push.place());
    let mut report = push.report(&facts, findings, &known);
    report.rewritten = rewritten;
    audience.plan(&report);
    if let Some(ended) = push.before(&facts, &report, audience) {
        return Ok(ended);
    }
    if let Some(said) = push.checked(&facts, check) {
        match said {
            CheckResult::Passed(said) => report.checked = Some(said),
            CheckResult::NotPassed(said, code) => {
                report.notes.push(said);
                return Ok(report.ended(Outcome::NotChecked, code));
            }
        }
    }
    push.deliver(&facts, report, known)
}

/// Findings, commits and what was rewritten.
type Looked = (Facts, Vec<Finding>, Vec<(String, String)>);

struct Push<'a> {
    repository: &'a Repository,
    surroundings: Surroundings,
    request: &'a PushRequest,
    destination: Destination,
}

impl Push<'_> {
    fn direct(&self) -> bool {
        self.request.place.direct
    }

    /// Host, project and branch: where Change-Ids are unique.
    fn place(&self) -> String {
        let url = &self.destination.url;
        let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!(
            "{}{port}/{}/{}",
            url.host,
            url.project(),
            self.destination.branch
        )
    }

    fn look(&self) -> Result<Looked, PushError> {
        let (facts, findings) = self.look_once()?;
        let fixable = findings.iter().any(|finding| finding.fixable);
        if !self.request.fix || !fixable || self.request.dry_run {
            return Ok((facts, findings, Vec::new()));
        }
        let rewritten = add_missing_ids(self.repository, &facts)?;
        let (facts, findings) = self.look_once()?;
        Ok((facts, findings, rewritten.into_iter().collect()))
    }

    fn look_once(&self) -> Result<(Facts, Vec<Finding>), PushError> {
        let tip = self
            .repository
            .commit("HEAD")?
            .ok_or_else(|| PushError::Unborn(self.repository.directory().display().to_string()))?;
        let facts = gather(&self.surroundings, &self.destination, &tip)?;
        let rules = Rules {
            review: !self.direct(),
            kata: self.request.kata_rules,
        };
        let findings = preflight(&facts, rules);
        Ok((facts, findings))
    }

    fn report(&self, facts: &Facts, findings: Vec<Finding>, known: &Known) -> PushReport {
        PushReport {
            version: 1,
            outcome: Outcome::DryRun,
            exit: 0,
            project: self.destination.url.project(),
            remote: self.destination.remote.clone(),
            url: self.destination.url.to_string(),
            branch: self.destination.branch.clone(),
            reference: self.destination.reference(self.direct()),
            options: self
                .request
                .options
                .iter()
                .map(ToString::to_string)
                .collect(),
            commits: facts
                .commits
                .iter()
                .map(|commit| self.row(commit, known))
                .collect(),
            findings,
            rewritten: Vec::new(),
            checked: None,
            changes: Vec::new(),
            rejection: None,
            said: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn row(&self, commit: &crate::git::range::Commit, known: &Known) -> CommitRow {
        let change_id = match state_of(&commit.message) {
            ChangeIdState::Good(id, _) => Some(id.to_string()),
            _ => None,
        };
        let state = match &change_id {
            _ if self.direct() => CommitState::Direct,
            Some(id) => known.state(id, &commit.oid),
            None => CommitState::New,
        };
        CommitRow {
            commit: commit.oid.clone(),
            subject: commit.subject(),
            change_id,
            state,
        }
    }

    /// Whether it ends before anything is checked or sent.
    fn before(
        &self,
        facts: &Facts,
        report: &PushReport,
        audience: &mut dyn Audience,
    ) -> Option<PushReport> {
        let report = report.clone();
        let wrong = report
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        if wrong {
            return Some(report.ended(Outcome::Refused, ExitCode::Failed));
        }
        if facts.count == 0 {
            let mut report = report;
            let target = &facts.target;
            report.notes.push(format!(
                "nothing to push: {target} has all of it, as of the last fetch"
            ));
            return Some(report.ended(Outcome::NothingNew, ExitCode::Success));
        }
        if self.request.dry_run {
            return Some(report.ended(Outcome::DryRun, ExitCode::Success));
        }
        self.declined(facts, report, audience)
    }

    fn declined(
        &self,
        facts: &Facts,
        mut report: PushReport,
        audience: &mut dyn Audience,
    ) -> Option<PushReport> {
        if self.request.yes || self.direct() || facts.count <= FEW {
            return None;
        }
        let question = format!("push {} changes?", facts.count);
        let (note, code) = match audience.confirm(&question) {
            Some(true) => return None,
            Some(false) => ("nothing was pushed".to_owned(), ExitCode::Failed),
            None => (
                format!(
                    "{} changes are more than {FEW}, and there is no terminal to ask on: --yes pushes them",
                    facts.count
                ),
                ExitCode::Usage,
            ),
        };
        report.notes.push(note);
        Some(report.ended(Outcome::Declined, code))
    }

    fn checked(&self, facts: &Facts, check: &dyn Check) -> Option<CheckResult> {
        (!self.request.no_check).then(|| {
            check.check(&CheckRequest {
                repository: self.repository,
                commits: &facts.commits,
                each: self.request.each,
                target: &facts.target,
            })
        })
    }

    fn deliver(
        &self,
        facts: &Facts,
        mut report: PushReport,
        known: Known,
    ) -> Result<PushReport, PushError> {
        let sent = send(
            self.repository,
            &self.destination,
            &facts.tip,
            &report.reference,
            &self.request.options,
        )?;
        if sent.in_reference {
            let note = "the server takes no push options: they went behind the % of the ref";
            report.notes.push(note.to_owned());
        }
        report.said = sent.answer.remote.clone();
        report.said.extend(sent.answer.local.iter().cloned());
        match self.rejection(facts, &sent) {
            Some(rejection) => Ok(rejected(report, rejection)),
            None => self.taken(facts, report, &sent, known),
        }
    }

    fn rejection(&self, facts: &Facts, sent: &Sent) -> Option<Rejection> {
        if sent.success {
            return None;
        }
        let reason = sent.answer.reason();
        let reason = reason.unwrap_or_else(|| "git push failed without a word".to_owned());
        let context = Context {
            remote: self
                .destination
                .remote
                .clone()
                .unwrap_or(self.destination.url.to_string()),
            branch: self.destination.branch.clone(),
            project: self.destination.url.project(),
            tip: facts.tip.clone(),
            count: facts.count,
        };
        let mut rejection = explain(&reason, &context);
        rejection.by_server = sent.answer.refs.iter().any(|one| one.rejected().is_some());
        Some(rejection)
    }

    fn taken(
        &self,
        facts: &Facts,
        mut report: PushReport,
        sent: &Sent,
        mut known: Known,
    ) -> Result<PushReport, PushError> {
        report.changes = changes(&report.commits, &sent.answer.changes, &known);
        if self.request.patch_sets {
            self.ask_patch_sets(&mut report.changes, &report.commits)?;
        }
        if self.direct() {
            report.notes.extend(self.set_upstream(facts)?);
        } else {
            known.record(&report.commits, &report.changes);
            report.notes.extend(remember(&known));
        }
        Ok(report.ended(Outcome::Pushed, ExitCode::Success))
    }

    /// Patch sets lie at `refs/changes/NN/NUMBER/PATCHSET`: git can list them with the credentials it has.
    fn ask_patch_sets(
        &self,
        changes: &mut [ChangeReport],
        commits: &[CommitRow],
    ) -> Result<(), GitError> {
        let patterns: Vec<_> = changes
            .iter()
            .map(|one| one.change.number)
            .map(|number| format!("refs/changes/{:02}/{number}/*", number % 100))
            .collect();
        if patterns.is_empty() {
            return Ok(());
        }
        let mut arguments = vec!["ls-remote", "--", self.destination.repository()];
        arguments.extend(patterns.iter().map(String::as_str));
        let listed = self.repository.text(arguments)?;
        for (oid, name) in listed.lines().filter_map(|line| line.split_once('\t')) {
            let mut parts = name.rsplit('/');
            let patch_set = parts.next().and_then(|part| part.parse().ok());
            let number = parts.next().and_then(|part| part.parse::<u64>().ok());
            let pushed = commits.iter().any(|row| row.commit == oid);
            let change = changes
                .iter_mut()
                .find(|one| Some(one.change.number) == number);
            if let (Some(change), Some(_), true) = (change, patch_set, pushed) {
                change.commit = Some(oid.to_owned());
                change.patch_set = patch_set;
            }
        }
        Ok(())
    }

    /// As `git push -u` does, but after a push of the commit itself: the branch may have moved on meanwhile.
    fn set_upstream(&self, facts: &Facts) -> Result<Option<String>, GitError> {
        let (Some(remote), Some(branch)) = (&self.destination.remote, &facts.branch) else {
            let note = "no upstream was set: that needs a branch and a named remote";
            return Ok(Some(note.to_owned()));
        };
        let upstream = format!("--set-upstream-to={remote}/{}", self.destination.branch);
        self.repository
            .text(["branch", "--quiet", &upstream, branch])?;
        Ok(None)
    }
}

fn rejected(mut report: PushReport, rejection: Rejection) -> PushReport {
    let (outcome, code) = match (rejection.nothing_new, rejection.transient) {
        (true, _) => (Outcome::NothingNew, ExitCode::Success),
        (_, true) => (Outcome::Rejected, ExitCode::Error),
        _ => (Outcome::Rejected, ExitCode::Failed),
    };
    if rejection.nothing_new {
        report.notes.extend(elsewhere(&report));
    }
    report.rejection = Some(rejection);
    report.ended(outcome, code)
}

/// The server also says "no new changes" of commits that are in review for another branch.
fn elsewhere(report: &PushReport) -> Option<String> {
    let unsure = report
        .commits
        .iter()
        .any(|row| row.state != CommitState::Unchanged);
    unsure.then(|| {
        format!(
            "if they are in review for another branch and were meant for {0} too: kata-ci push --branch {0} -o base=$(git merge-base HEAD {1}/{0})",
            report.branch,
            report.remote.as_deref().unwrap_or("REMOTE")
        )
    })
}

fn remember(known: &Known) -> Option<String> {
    let error = known.save().err()?;
    Some(format!(
        "what was pushed could not be noted down, so the next push calls it new: {error}"
    ))
}

/// The server names changes by subject, shortened; commits with the same subject are taken in order.
fn changes(commits: &[CommitRow], said: &[PushedChange], known: &Known) -> Vec<ChangeReport> {
    let mut left: Vec<&CommitRow> = commits.iter().collect();
    said.iter()
        .map(|change| {
            let subject = change.subject.trim_end_matches("...");
            let at = left.iter().position(|row| row.subject.starts_with(subject));
            let row = at.map(|at| left.remove(at));
            let previous =
                row.and_then(|row| known.next_patch_set(row.change_id.as_deref()?, &row.commit));
            ChangeReport {
                change: change.clone(),
                commit: row.map(|row| row.commit.clone()),
                patch_set: if change.new { Some(1) } else { previous },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(commit: &str, subject: &str) -> CommitRow {
        CommitRow {
            commit: commit.to_owned(),
            subject: subject.to_owned(),
            change_id: Some(format!("I{commit}")),
            state: CommitState::New,
        }
    }

    fn said(number: u64, subject: &str, new: bool) -> PushedChange {
        PushedChange {
            number,
            url: format!("http://h/c/p/+/{number}"),
            subject: subject.to_owned(),
            new,
            wip: false,
            private: false,
        }
    }

    #[test]
    fn changes_are_matched_to_commits_by_subject_and_order() {
        let commits = [
            row("1", "a: same"),
            row("2", "a: same"),
            row("3", "b: long subject"),
        ];
        let said = [
            said(9, "b: long su...", false),
            said(7, "a: same", true),
            said(8, "a: same", true),
        ];
        let changes = changes(&commits, &said, &Known::default());
        let found: Vec<_> = changes
            .iter()
            .map(|one| (one.change.number, one.commit.as_deref(), one.patch_set))
            .collect();
        assert_eq!(
            found,
            [
                (9, Some("3"), None),
                (7, Some("1"), Some(1)),
                (8, Some("2"), Some(1))
            ]
        );
    }
}
