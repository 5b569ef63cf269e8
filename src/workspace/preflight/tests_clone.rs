//! Checks kata's tests repository, whose scripts v1's `make check` and `make test` call.

use std::path::{Path, PathBuf};

use super::{Problem, git_problem};
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
    pub(in crate::workspace) places: Vec<PathBuf>,
}

impl TestsClone {
    /// Returns the existing clone. A clone with the scripts comes before one without.
    pub(in crate::workspace) fn found(&self) -> Option<&PathBuf> {
        let whole = |place: &&PathBuf| place.join(SCRIPTS[0]).is_file();
        let mut places = self.places.iter();
        places
            .clone()
            .find(whole)
            .or_else(|| places.find(|place| place.is_dir()))
    }

    pub(super) fn problem(&self, git: Result<&Git, &GitError>) -> Option<Problem> {
        let Some(place) = self.found() else {
            return Some(self.missing());
        };
        let missing: Vec<_> = SCRIPTS
            .into_iter()
            .filter(|script| !place.join(script).is_file())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let state = match git.map(|git| git.at(place).branch()) {
            Ok(Ok(Some(branch))) => format!("is on branch {branch}, which has"),
            Ok(Err(error @ GitError::DubiousOwnership { .. })) => return Some(git_problem(&error)),
            _ => "has".to_owned(),
        };
        let checkout = format!("git -C {} checkout {BRANCH}", quoted(place));
        let fix = match has_branch(git, place) {
            true => checkout,
            false => {
                format!(
                    "git -C {} fetch origin {BRANCH}:{BRANCH} && {checkout}",
                    quoted(place)
                )
            }
        };
        Some(Problem::broken(
            format!(
                "the tests clone {} {state} no {}",
                place.display(),
                missing.join(" and no ")
            ),
            fix,
        ))
    }

    fn missing(&self) -> Problem {
        let Some(place) = self.places.first() else {
            return Problem::unmet(
                "kata's tests repository cannot be looked for: neither GOPATH nor HOME is set",
                "set GOPATH",
            );
        };
        let looked: Vec<_> = self
            .places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        Problem::unmet(
            format!("kata's tests repository is not at {}", looked.join(" or ")),
            format!("git clone --branch {BRANCH} {URL} {}", quoted(place)),
        )
    }
}

/// Returns true if a checkout of the branch would find it, here or at a remote.
fn has_branch(git: Result<&Git, &GitError>, place: &Path) -> bool {
    let names = [
        format!("refs/heads/{BRANCH}"),
        format!("refs/remotes/origin/{BRANCH}"),
    ];
    git.is_ok_and(|git| {
        names.iter().any(|name| {
            git.at(place)
                .commit(name)
                .is_ok_and(|commit| commit.is_some())
        })
    })
}
