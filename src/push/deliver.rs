//! Delivers a push: opens the connection, and reads the answer of the server.

use super::history::Known;
use super::report::{ChangeReport, CommitRow, CommitState, Outcome, PushReport};
use super::request::PushError;
use super::send::{Sent, send};
use super::session::Push;
use crate::gerrit::push_options::Key;
use crate::gerrit::push_output::PushedChange;
use crate::gerrit::rejection::{Rejection, RejectionContext, explain, explain_refusal};
use crate::git::GitError;
use crate::model::ExitCode;

impl Push<'_> {
    /// Connects and pushes.
    pub(super) fn deliver(&mut self) -> Result<PushReport, PushError> {
        let sent = send(
            self.repository,
            &self.destination,
            &self.facts.tip,
            &self.report.reference,
            &self.options,
        )?;
        let report = &mut self.report;
        if sent.in_reference {
            let note = "the server takes no push options: they went behind the % of the ref";
            report.notes.push(note.to_owned());
        }
        report.said = sent.answer.remote.clone();
        report.said.extend(sent.answer.local.iter().cloned());
        match self.rejection(&sent) {
            Some(rejection) => Ok(rejected(self.report.clone(), rejection)),
            None => self.taken(&sent),
        }
    }

    fn rejection(&self, sent: &Sent) -> Option<Rejection> {
        if sent.success {
            return None;
        }
        let reason = sent.answer.reason();
        let reason = reason.unwrap_or_else(|| "git push failed without a word".to_owned());
        let context = RejectionContext {
            remote: self
                .destination
                .remote
                .clone()
                .unwrap_or(self.destination.url.to_string()),
            branch: self.destination.branch.clone(),
            project: self.destination.url.project(),
            tip: self.facts.tip.clone(),
            count: self.facts.count,
        };
        let by_server = sent.answer.refs.iter().any(|one| one.rejected().is_some());
        let mut rejection = match by_server {
            true => explain_refusal(&reason, &context),
            false => explain(&reason, &context),
        };
        rejection.by_server = by_server;
        Some(rejection)
    }

    fn taken(&mut self, sent: &Sent) -> Result<PushReport, PushError> {
        let mut report = self.report.clone();
        report.changes = changes(&report.commits, &sent.answer.changes, &self.known);
        if self.request.patch_sets {
            self.ask_patch_sets(&mut report.changes, &report.commits)?;
        }
        if self.request.destination.direct {
            report.notes.extend(self.set_upstream()?);
        } else {
            let topic = self.options.value(Key::Topic);
            self.known.record(&report.commits, &report.changes, topic);
            report.notes.extend(remember(&self.known));
        }
        Ok(report.ended(Outcome::Pushed, ExitCode::Success))
    }

    /// Asks for the patch sets at `refs/changes/NN/NUMBER/PATCHSET`. git lists them with the
    /// credentials it has.
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
        let listed = self.repository.interactive_text(arguments)?;
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

    /// Sets the upstream like `git push -u`, but after a push of the commit itself, because the
    /// branch may have moved on.
    fn set_upstream(&self) -> Result<Option<String>, GitError> {
        let (Some(remote), Some(branch)) = (&self.destination.remote, &self.facts.branch) else {
            let note = "no upstream was set: that needs a branch and a named remote";
            return Ok(Some(note.to_owned()));
        };
        let upstream = format!("--set-upstream-to={remote}/{}", self.destination.branch);
        let repository = self.repository.clone().for_writing();
        repository.text(["branch", "--quiet", &upstream, branch])?;
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

/// Explains "no new changes" for commits that are in review for another branch.
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

/// Matches the changes of the server with commits. The server shortens the subjects; commits with
/// the same subject are taken in order.
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
