//! Finds out, before the first job of a component, if it can run here at all. So a missing
//! requirement is reported with its fix, and not by an Error 127 of make.
//!
//! There are two kinds of findings. An unmet requirement is one that this machine does not meet:
//! the component is skipped. A broken one makes no machine fit: a work tree whose branch does not
//! resolve, say, or a PATH without make. All findings of a component are joined in one message; one
//! broken thing makes it an error.
//!
//! This is the preflight of a component. The preflight of a push, which looks for what Gerrit would
//! refuse, is `push/preflight/`.

mod go_toolchain;
mod host;
mod origin;
mod programs;
mod static_checks;
mod tests_clone;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::machine::Machine;
use crate::config::{Component, Requirement, Step};
use crate::env::Environment;
use crate::fs;
use crate::git::{Git, GitError};
use crate::model::Readiness;
use crate::workspace::fs::MAKEFILES;

pub(super) use super::requirement_problem::RequirementProblem;
pub(super) use tests_clone::TestsClone;

/// The input of the preflight of one component.
#[derive(Debug)]
pub(super) struct Preflight<'a> {
    pub(super) machine: &'a Machine,
    pub(super) git: Result<&'a Git, &'a GitError>,
    pub(super) component: &'a Component,
    /// The steps of the component that will run.
    pub(super) steps: &'a [&'a Step],
    /// The user's work tree, whatever view is made of it.
    pub(super) directory: &'a Path,
    /// The environment that all jobs of the component share.
    pub(super) environment: &'a Environment,
    /// The branch of `origin` that changed files are compared with.
    pub(super) branch: &'a str,
    pub(super) tests_clone: &'a TestsClone,
    /// See [`crate::plan::Job::changed_files`].
    pub(super) changed_files: Option<&'a [String]>,
    /// The directory on the jobs' PATH that `go install` should build into.
    pub(super) go_bin: Option<&'a Path>,
}

impl Preflight<'_> {
    /// Returns all findings, in the order of `requires`.
    pub(super) fn problems(&self) -> Vec<RequirementProblem> {
        let mut problems = self.make();
        for requirement in &self.component.requires {
            let found = self.requirement(requirement);
            problems.extend(found.map(|problem| RequirementProblem {
                requirement: Some(requirement.clone()),
                ..problem
            }));
        }
        problems
    }

    fn requirement(&self, requirement: &Requirement) -> Option<RequirementProblem> {
        match requirement {
            Requirement::Program { name, at_least } => self.program(name, at_least.as_deref()),
            Requirement::TestsClone => self.tests_clone.problem(self.git),
            Requirement::Origin => self.origin(),
            Requirement::Root => self.root(),
            Requirement::Kvm => self.kvm(),
        }
    }
}

/// The largest Makefile or script that is searched, in bytes.
const LARGEST: u64 = 4 << 20;

/// Returns true if the Makefile of a directory names a script of kata. It
/// is read, not run: a Makefile can do anything already when make reads it.
fn mentions(directory: &Path, script: &str) -> bool {
    MAKEFILES.iter().any(|name| {
        fs::read(&directory.join(name), LARGEST)
            .is_ok_and(|text| memchr::memmem::find(&text, script.as_bytes()).is_some())
    })
}

pub(super) fn joined(problems: Vec<RequirementProblem>) -> Readiness {
    if problems.is_empty() {
        return Readiness::Ready;
    }
    let broken = problems.iter().any(|problem| problem.broken);
    let (what, fixes): (Vec<_>, Vec<_>) = problems
        .into_iter()
        .map(|problem| (problem.what, problem.fix))
        .unzip();
    let (what, fix) = (what.join("; "), fixes.join("; "));
    match broken {
        true => Readiness::Broken { what, fix },
        false => Readiness::Unmet { what, fix },
    }
}

/// Makes a finding of an error of git. A missing git is a defect of the machine. An error of git
/// about a repository is a defect of the work tree.
fn git_problem(error: &GitError) -> RequirementProblem {
    let fix = error
        .fix()
        .unwrap_or_else(|| "see that git works there".to_owned());
    match error {
        GitError::Missing | GitError::TooOld { .. } => {
            RequirementProblem::unmet(error.to_string(), fix)
        }
        GitError::Probe(_)
        | GitError::Obstacle(_)
        | GitError::NoRepository { .. }
        | GitError::DubiousOwnership { .. }
        | GitError::LeftBehind { .. }
        | GitError::Failed { .. } => RequirementProblem::broken(error.to_string(), fix),
    }
}

/// Returns the first directory of GOPATH; go's default is `~/go`.
pub(super) fn gopath(environment: &Environment) -> Option<PathBuf> {
    let variable = |name: &str| {
        environment
            .get(OsStr::new(name))
            .filter(|value| !value.is_empty())
    };
    match variable("GOPATH") {
        Some(list) => std::env::split_paths(list).find(|path| !path.as_os_str().is_empty()),
        None => variable("HOME").map(|home| Path::new(home).join("go")),
    }
}
