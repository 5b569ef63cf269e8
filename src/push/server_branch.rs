//! Asks the server for the target branch, where this repository knows of nothing to push.
//!
//! The tracking refs tell what the server had at the last fetch. A branch that was never there, or
//! that somebody has set back since, would be called "nothing new" by them.

use super::report::Outcome;
use super::session::Push;
use crate::git::GitError;
use crate::model::ExitCode;

/// The target branch at the server, seen from the tip that is to be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerBranch {
    /// The server has no such branch.
    Absent,
    /// The branch has the tip.
    HasTip,
    /// The branch is there, without the tip.
    LacksTip,
}

impl Push<'_> {
    /// Decides on a push for which this repository knows of no commits. Returns a note, and the end
    /// of the push; `None` if it goes on.
    pub(super) fn without_commits(&self) -> (String, Option<(Outcome, ExitCode)>) {
        let branch = &self.destination.branch;
        let target = &self.facts.target;
        let tip = self.facts.tip.get(..7).unwrap_or(&self.facts.tip);
        let refused = Some((Outcome::Refused, ExitCode::Failed));
        match (self.server_branch(), self.request.destination.direct) {
            (Err(error), _) => (
                error.to_string(),
                Some((Outcome::Rejected, ExitCode::Error)),
            ),
            (Ok(ServerBranch::HasTip), _) => (
                format!("nothing to push: {target} has all of it"),
                Some((Outcome::NothingNew, ExitCode::Success)),
            ),
            (Ok(ServerBranch::Absent), true) => (
                format!("{branch} is new at the server, and begins at {tip}"),
                None,
            ),
            (Ok(ServerBranch::LacksTip), true) => (
                format!("{branch} at the server lacks {tip}, which another branch has"),
                None,
            ),
            (Ok(ServerBranch::Absent), false) => (
                format!("the server has no branch {branch}: name another one with --branch"),
                refused,
            ),
            (Ok(ServerBranch::LacksTip), false) => (
                format!(
                    "the commits are on other branches of the server, which takes them for no new changes; {branch} lacks them: kata-ci push --branch {branch} -o base=$(git merge-base HEAD {target})"
                ),
                refused,
            ),
        }
    }

    /// Asks the server. A commit that this repository lacks is fetched for the comparison, without
    /// a ref.
    ///
    /// # Errors
    /// [`GitError`], also if the server cannot be reached.
    pub(super) fn server_branch(&self) -> Result<ServerBranch, GitError> {
        let reference = format!("refs/heads/{}", self.destination.branch);
        let place = self.destination.repository();
        let listed = (self.repository).interactive_text(["ls-remote", "--", place, &reference])?;
        let line = listed.lines().find_map(|line| line.split_once('\t'));
        let Some((commit, _)) = line.filter(|(_, name)| *name == reference) else {
            return Ok(ServerBranch::Absent);
        };
        if self.repository.commit(commit)?.is_none() {
            let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
            let what = ["--refmap=", "--", place, &reference];
            self.repository
                .interactive_text(arguments.into_iter().chain(what))?;
        }
        let question = ["merge-base", "--is-ancestor", &self.facts.tip, commit];
        match self.repository.answer(question)?.status.success() {
            true => Ok(ServerBranch::HasTip),
            false => Ok(ServerBranch::LacksTip),
        }
    }
}
