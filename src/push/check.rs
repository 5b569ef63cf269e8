//! The check between plan and push.

use crate::git::plumbing::Repository;
use crate::git::range::Commit;
use crate::model::ExitCode;

/// What is to be checked.
#[derive(Debug)]
pub struct CheckRequest<'a> {
    /// The user's repository; not to be touched.
    pub repository: &'a Repository,
    /// The commit that is pushed.
    pub tip: &'a str,
    /// All commits of the push, oldest first; the last is the tip. Empty where there are more than 200.
    pub commits: &'a [Commit],
    /// Each commit is to be checked, not the tip alone.
    pub each: bool,
    /// The target branch, which changed-file checks compare with.
    pub branch: &'a str,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// All of it passed; in words, for the report (`passed 1:12 ago (stamp), tests at 02cdce9`).
    Passed(String),
    /// Something did not; in words, and with the exit code of the run.
    NotPassed(String, ExitCode),
}

/// From commits to a verdict.
pub trait Check {
    /// Checks the commits, in a place aside.
    fn check(&self, request: &CheckRequest<'_>) -> CheckResult;
}
