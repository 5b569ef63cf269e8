//! A push that was looked at: what would go, whether it may, and the check of it.

use super::check::{Check, CheckRequest, CheckResult};
use super::history::Known;
use super::report::{CommitRow, CommitState, Outcome, PushReport};
use super::request::{PushError, PushRequest, PushUi};
use crate::gerrit::change_id::LinkServer;
use crate::gerrit::push_options::{Key, PushOption, PushOptions};
use crate::gerrit::remote::{Destination, resolve};
use crate::git::context::GitContext;
use crate::git::plumbing::Repository;
use crate::git::range::Commit;
use crate::model::ExitCode;
use crate::push::preflight::{
    ChangeIdState, CommitFacts, Finding, Rules, Severity, check as preflight, gather, state_of,
};
use crate::push::reword::add_missing_ids;

/// More changes than this are not pushed without asking.
pub(super) const FEW: usize = 5;

/// Findings, commits and what was rewritten.
type Looked = (CommitFacts, Vec<Finding>, Vec<(String, String)>);

/// A push on its way. Its steps are called in this order: [`Self::unfit`], [`Self::declined`], [`Self::check`],
/// [`Self::deliver`]; a report from one of them is the end.
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
    /// Looks at all of it. Nothing is changed but what `--fix` is asked to.
    pub(super) fn prepare(
        repository: &'a Repository,
        request: &'a PushRequest,
    ) -> Result<Self, PushError> {
        let direct = request.place.direct;
        if let Some(option) = request.options.iter().next().filter(|_| direct) {
            return Err(PushError::OptionWithDirect(option.to_string()));
        }
        let context = GitContext::of(repository)?;
        let destination = resolve(&context, &request.place)?;
        let look = Look {
            repository,
            context,
            request,
            destination,
        };
        let (facts, findings, rewritten) = look.look()?;
        let known = Known::load(&look.place());
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

    /// What is known so far.
    pub(super) fn report(&self) -> &PushReport {
        &self.report
    }

    /// One more option for the server, in place of others of this key.
    pub(super) fn put_option(&mut self, option: PushOption) {
        self.options.put(option);
        self.report.options = self.options.iter().map(ToString::to_string).collect();
    }

    /// The topic that one of its changes was last pushed with.
    pub(super) fn known_topic(&self) -> Option<String> {
        let ids = self
            .report
            .commits
            .iter()
            .filter_map(|row| row.change_id.as_deref());
        let mut topics = ids.filter_map(|id| self.known.topic(id));
        topics.next().map(str::to_owned)
    }

    /// Whether it ends before anybody is asked or anything is checked.
    pub(super) fn unfit(&self) -> Option<PushReport> {
        let mut report = self.report.clone();
        let wrong = |finding: &Finding| finding.severity == Severity::Error;
        if report.findings.iter().any(wrong) {
            return Some(report.ended(Outcome::Refused, ExitCode::Failed));
        }
        // What is merged is published already.
        if self.facts.count == 0 && !self.options.has(Key::Merged) {
            let target = &self.facts.target;
            report.notes.push(format!(
                "nothing to push: {target} has all of it, as of the last fetch"
            ));
            return Some(report.ended(Outcome::NothingNew, ExitCode::Success));
        }
        self.request
            .dry_run
            .then(|| report.ended(Outcome::DryRun, ExitCode::Success))
    }

    /// Whether it is more than is pushed without asking, and nobody says yes.
    pub(super) fn declined(&self, audience: &mut dyn PushUi) -> Option<PushReport> {
        let count = self.facts.count;
        if self.request.yes || self.request.place.direct || count <= FEW {
            return None;
        }
        let question = format!("push {count} changes?");
        let (note, code) = match audience.confirm(&question) {
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

    /// Whether the check, where one is wanted, does not pass.
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

/// What a look needs.
struct Look<'a> {
    repository: &'a Repository,
    context: GitContext,
    request: &'a PushRequest,
    destination: Destination,
}

impl Look<'_> {
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
        // Whatever else is wrong may be wrong with what would be rewritten.
        let refused = findings.iter().any(Finding::stays);
        if !self.request.fix || !fixable || refused || self.request.dry_run {
            return Ok((facts, findings, Vec::new()));
        }
        let rewritten = add_missing_ids(self.repository, &facts)?;
        let (facts, findings) = self.look_once()?;
        Ok((facts, findings, rewritten))
    }

    /// Those asked for that are known here; of others the server knows.
    fn bases(&self) -> Result<Vec<&str>, PushError> {
        let mut bases = Vec::new();
        for base in self.request.options.values(Key::Base) {
            if self.repository.commit(base)?.is_some() {
                bases.push(base);
            }
        }
        Ok(bases)
    }

    fn look_once(&self) -> Result<(CommitFacts, Vec<Finding>), PushError> {
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

    fn report(&self, facts: &CommitFacts, findings: Vec<Finding>, known: &Known) -> PushReport {
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
