//! Checks kata's tests repository, whose scripts v1's `make check` and `make test` call.

use std::path::{Path, PathBuf};

use super::{RequirementProblem, git_problem};
use crate::git::{Git, GitError};
use crate::probe::quoted;

/// The scripts that v1 calls. The branch `main` does not have the first any more.
const SCRIPTS: [&str; 2] = [".ci/go-test.sh", ".ci/static-checks.sh"];
/// The last branch for v1.
const BRANCH: &str = "1.x-eol";
const URL: &str = "https://github.com/kata-containers/tests";

/// The directories in which the clone may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workspace) struct TestsClone {
    /// The directories in the order of the search. Empty if there is not even a GOPATH.
    pub(in crate::workspace) candidates: Vec<PathBuf>,
}

impl TestsClone {
    /// Returns the existing clone. A clone with the scripts comes before one without.
    pub(in crate::workspace) fn found(&self) -> Option<&PathBuf> {
        let whole = |directory: &&PathBuf| directory.join(SCRIPTS[0]).is_file();
        let mut candidates = self.candidates.iter();
        candidates
            .clone()
            .find(whole)
            .or_else(|| candidates.find(|directory| directory.is_dir()))
    }

    pub(super) fn problem(&self, git: Result<&Git, &GitError>) -> Option<RequirementProblem> {
        let Some(directory) = self.found() else {
            return Some(self.missing());
        };
        let missing: Vec<_> = SCRIPTS
            .into_iter()
            .filter(|script| !directory.join(script).is_file())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let state = match git.map(|git| git.at(directory).branch()) {
            Ok(Ok(Some(branch))) => format!("is on branch {branch}, which has"),
            Ok(Err(error @ GitError::DubiousOwnership { .. })) => return Some(git_problem(&error)),
            _ => "has".to_owned(),
        };
        let checkout = format!("git -C {} checkout {BRANCH}", quoted(directory));
        let fix = match has_branch(git, directory) {
            true => checkout,
            false => {
                format!(
                    "git -C {} fetch origin {BRANCH}:{BRANCH} && {checkout}",
                    quoted(directory)
                )
            }
        };
        Some(RequirementProblem::broken(
            format!(
                "the tests clone {} {state} no {}",
                directory.display(),
                missing.join(" and no ")
            ),
            fix,
        ))
    }

    fn missing(&self) -> RequirementProblem {
        let Some(directory) = self.candidates.first() else {
            return RequirementProblem::unmet(
                "kata's tests repository cannot be looked for: neither GOPATH nor HOME is set",
                "set GOPATH",
            );
        };
        let looked: Vec<_> = self
            .candidates
            .iter()
            .map(|directory| directory.display().to_string())
            .collect();
        RequirementProblem::unmet(
            format!("kata's tests repository is not at {}", looked.join(" or ")),
            format!("git clone --branch {BRANCH} {URL} {}", quoted(directory)),
        )
    }
}

/// Returns true if a checkout of the branch would find it, here or at a remote.
fn has_branch(git: Result<&Git, &GitError>, directory: &Path) -> bool {
    let names = [
        format!("refs/heads/{BRANCH}"),
        format!("refs/remotes/origin/{BRANCH}"),
    ];
    git.is_ok_and(|git| {
        names.iter().any(|name| {
            git.at(directory)
                .commit(name)
                .is_ok_and(|commit| commit.is_some())
        })
    })
}
