//! Checks the remote that changed-file checks compare with. If it does not resolve, those check
//! nothing and pass.

use super::{Preflight, RequirementProblem, git_problem};
use crate::git::{Git, GitError};
use crate::probe::quoted;

impl Preflight<'_> {
    pub(super) fn origin(&self) -> Option<RequirementProblem> {
        let found = match self.git {
            Ok(git) => self.look_at_origin(git),
            Err(error) => return Some(git_problem(error)),
        };
        found.unwrap_or_else(|error| Some(git_problem(&error)))
    }

    fn look_at_origin(&self, git: &Git) -> Result<Option<RequirementProblem>, GitError> {
        let remotes = git.at(self.directory).remotes()?;
        if !remotes.iter().any(|remote| remote == "origin") {
            return Ok(Some(self.no_origin(&remotes)));
        }
        let branch = self.branch;
        let name = format!("refs/remotes/origin/{branch}");
        if git.at(self.directory).commit(&name)?.is_some() {
            return Ok(None);
        }
        // The destination is given, because a clone of a single branch would fetch any other into
        // FETCH_HEAD only.
        Ok(Some(RequirementProblem::broken(
            format!(
                "origin/{branch}, which changed files are compared with, does not resolve in {}",
                self.directory.display()
            ),
            format!(
                "git -C {} fetch origin {branch}:{name} (or set `branch` in [env] to the branch that is meant)",
                quoted(self.directory)
            ),
        )))
    }

    fn no_origin(&self, remotes: &[String]) -> RequirementProblem {
        let directory = quoted(self.directory);
        let (there, add) = match remotes {
            [] => (
                "there is none".to_owned(),
                "remote add origin URL".to_owned(),
            ),
            [first, ..] => (
                format!("there are: {}", remotes.join(", ")),
                format!("remote rename {first} origin"),
            ),
        };
        RequirementProblem::broken(
            format!(
                "{} has no remote `origin` ({there})",
                self.directory.display()
            ),
            format!("git -C {directory} {add} && git -C {directory} fetch origin"),
        )
    }
}
