//! The session of a push: its facts, findings and check.

use super::check::{Check, CheckRequest, CheckResult};
use super::history::Known;
use super::report::{CommitRow, CommitState, Outcome, PushReport};
use super::request::{PushError, PushRequest, PushUi};
use crate::gerrit::change_id::LinkServer;
use crate::gerrit::push_options::{Key, PushOption, PushOptions};
use crate::gerrit::remote::{Destination, resolve};
use crate::git::Repository;
use crate::git::context::GitContext;
use crate::git::range::Commit;
use crate::model::ExitCode;
use crate::push::preflight::{
    ChangeIdState, CommitFacts, PreflightFinding, Rules, Severity, check as preflight, gather,
    state_of,
};
use crate::push::reword::add_missing_ids;

/// Largest number of changes to push without confirmation.
pub(super) const FEW: usize = 5;

/// Facts, findings and rewritten commits.
type Looked = (CommitFacts, Vec<PreflightFinding>, Vec<(String, String)>);

/// A push in progress. The steps are called in this order: [`Self::unfit`], [`Self::declined`],
/// [`Self::check`], [`Self::deliver`]. A step that returns a report ends the push.
pub(super) struct Push<'a> {
    pub(super) repository: &'a Repository,
    pub(super) request: &'a PushRequest,
    pub(super) destination: Destination,
    pub(super) options: PushOptions,
    pub(super) facts: CommitFacts,
    pub(super) known: Known,
    pub(super) report: PushReport,
}

impl<'a> Push<'a> {
    /// Gathers the facts. Changes nothing, except for what `--fix` rewrites.
    pub(super) fn prepare(
        repository: &'a Repository,
        request: &'a PushRequest,
    ) -> Result<Self, PushError> {
        let direct = request.destination.direct;
        if let Some(option) = request.options.iter().next().filter(|_| direct) {
            return Err(PushError::OptionWithDirect(option.to_string()));
        }
        let context = GitContext::of(repository)?;
        let destination = resolve(&context, &request.destination)?;
        let look = Look {
            repository,
            context,
            request,
            destination,
        };
        let (facts, findings, rewritten) = look.look()?;
        let known = Known::load(&look.project_branch(), repository.environment());
        let mut report = look.report(&facts, findings, &known);
        if let Some((old, _)) = rewritten.last() {
            report.notes.push(way_back(old));
        } else if request.fix && report.findings.iter().any(|finding| finding.fixable) {
            let note = "--fix rewrote nothing: the other findings come first";
            report
                .notes
                .extend((!request.dry_run).then(|| note.to_owned()));
        }
        report.rewritten = rewritten;
        Ok(Self {
            repository,
            request,
            destination: look.destination,
            options: request.options.clone(),
            facts,
            known,
            report,
        })
    }

    /// Returns the report so far.
    pub(super) fn report(&self) -> &PushReport {
        &self.report
    }

    /// Sets an option for the server, and replaces others with this key.
    pub(super) fn put_option(&mut self, option: PushOption) {
        self.options.put(option);
        self.report.options = self.options.iter().map(ToString::to_string).collect();
    }

    /// Returns the topic of the last push of one of its changes.
    pub(super) fn known_topic(&self) -> Option<String> {
        let ids = self
            .report
            .commits
            .iter()
            .filter_map(|row| row.change_id.as_deref());
        let mut topics = ids.filter_map(|id| self.known.topic(id));
        topics.next().map(str::to_owned)
    }

    /// Ends the push if it must not go on, before anything is asked or checked.
    pub(super) fn unfit(&mut self) -> Option<PushReport> {
        let wrong = |finding: &PreflightFinding| finding.severity == Severity::Error;
        if self.report.findings.iter().any(wrong) {
            return Some(
                self.report
                    .clone()
                    .ended(Outcome::Refused, ExitCode::Failed),
            );
        }
        // Merged commits are published already.
        if self.facts.count == 0 && !self.options.has(Key::Merged) {
            let (note, end) = self.without_commits();
            self.report.notes.push(note);
            if let Some((outcome, code)) = end {
                return Some(self.report.clone().ended(outcome, code));
            }
        }
        self.request.dry_run.then(|| {
            self.report
                .clone()
                .ended(Outcome::DryRun, ExitCode::Success)
        })
    }

    /// Ends the push if it needs a confirmation and gets none.
    pub(super) fn declined(&self, ui: &mut dyn PushUi) -> Option<PushReport> {
        let count = self.facts.count;
        if self.request.yes || self.request.destination.direct || count <= FEW {
            return None;
        }
        let question = format!("push {count} changes?");
        let (note, code) = match ui.confirm(&question) {
            Some(true) => return None,
            Some(false) => ("nothing was pushed".to_owned(), ExitCode::Failed),
            None => (
                format!(
                    "{count} changes are more than {FEW}, and there is no terminal to ask on: --yes pushes them"
                ),
                ExitCode::Usage,
            ),
        };
        let mut report = self.report.clone();
        report.notes.push(note);
        Some(report.ended(Outcome::Declined, code))
    }

    /// Ends the push if it needs a check that does not pass.
    pub(super) fn check(&mut self, check: &dyn Check) -> Option<PushReport> {
        if self.request.no_check {
            return None;
        }
        let said = check.check(&CheckRequest {
            repository: self.repository,
            tip: &self.facts.tip,
            commits: &self.facts.commits,
            each: self.request.each,
            branch: &self.destination.branch,
        });
        match said {
            CheckResult::Passed(said) => {
                self.report.checked = Some(said);
                None
            }
            CheckResult::NotPassed(said, code) => {
                let mut report = self.report.clone();
                report.notes.push(said);
                Some(report.ended(Outcome::NotChecked, code))
            }
        }
    }
}

/// Neither index nor work tree changed, so only the branch needs to go back.
fn way_back(old_tip: &str) -> String {
    format!("--fix: the way back is git reset --soft {old_tip}")
}

/// The parts of a push that checking one repository needs.
struct Look<'a> {
    repository: &'a Repository,
    context: GitContext,
    request: &'a PushRequest,
    destination: Destination,
}

impl Look<'_> {
    fn direct(&self) -> bool {
        self.request.destination.direct
    }

    /// Returns host, project and branch, within which Change-Ids are unique.
    fn project_branch(&self) -> String {
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
        // Whatever else is wrong may be wrong with what would be rewritten.
        let refused = findings.iter().any(PreflightFinding::stays);
        if !self.request.fix || !fixable || refused || self.request.dry_run {
            return Ok((facts, findings, Vec::new()));
        }
        let rewritten = add_missing_ids(self.repository, &facts)?;
        let (facts, findings) = self.look_once()?;
        Ok((facts, findings, rewritten))
    }

    /// Returns the requested bases that this repository has; the server knows the others.
    fn bases(&self) -> Result<Vec<&str>, PushError> {
        let mut bases = Vec::new();
        for base in self.request.options.values(Key::Base) {
            if self.repository.commit(base)?.is_some() {
                bases.push(base);
            }
        }
        Ok(bases)
    }

    fn look_once(&self) -> Result<(CommitFacts, Vec<PreflightFinding>), PushError> {
        let tip = self
            .repository
            .commit("HEAD")?
            .ok_or_else(|| PushError::Unborn(self.repository.directory().display().to_string()))?;
        let facts = gather(&self.context, &self.destination, &tip, &self.bases()?)?;
        let rules = Rules {
            review: !self.direct(),
            kata: self.request.kata_rules,
        };
        let findings = preflight(&facts, rules);
        Ok((facts, findings))
    }

    fn report(
        &self,
        facts: &CommitFacts,
        findings: Vec<PreflightFinding>,
        known: &Known,
    ) -> PushReport {
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
                .map(|commit| self.row(commit, &facts.links, known))
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

    fn row(&self, commit: &Commit, links: &LinkServer, known: &Known) -> CommitRow {
        let change_id = match state_of(&commit.message, links) {
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
}
