//! What a parser knows beforehand, and what it finds.

use std::collections::BTreeMap;

use crate::event::Span;
use crate::model::CaseStatus;

/// What is known of a job before its first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseContext {
    /// Import path of the component's directory; packages outside of it are no cases of the component. Without it kata's
    /// own checkers (`github.com/kata-containers/tests/…`) are outside, and nothing else is.
    pub go_root: Option<String>,
    /// Packages known beforehand, as full import paths (or paths below `go_root`), or crate names where there is no
    /// `go_root`; those never seen become `not-run`.
    pub packages: Option<Vec<String>>,
    /// Files that differ from `origin/BRANCH` and still exist: what the changed-file checks should have looked at. Empty
    /// for a branch that is on its base, none where git could not tell.
    pub changed_files: Option<Vec<String>>,
}

/// A case by its name in the job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseKey {
    /// A Go package's path below the component (with `/`; empty for the component's own directory), a crate or test
    /// target, `CRATE (doc)` for tests in documentation, `static-checks`; empty where the output does not tell.
    pub package: String,
    /// The test's name, with ` #2` and on where the job ran it again; `(package)` for a package as a whole, `(unnamed)` for
    /// a test that only totals count.
    pub name: String,
}

/// The end of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseEnd {
    /// Which.
    pub key: CaseKey,
    /// What became of it.
    pub status: CaseStatus,
    /// Seconds, where the output tells.
    pub seconds: Option<f64>,
    /// Why it is not passed: one line of clean text, at most 1 KiB.
    pub message: Option<String>,
    /// Source file as the output names it.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Answered from a cache.
    pub cached: bool,
    /// Where its output lies in what was fed.
    pub output: Vec<Span>,
}

/// Something the parser found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A case began at this offset.
    Started(CaseKey, u64),
    /// A case ended.
    Finished(CaseEnd),
}

/// What the output as a whole says, once it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    /// Programs that the shell, make or cargo could not find, as they name them, outside of any case that failed by
    /// itself; words instead of a name where a recipe ended with 127 and nobody said which program it was.
    pub missing_programs: Vec<String>,
    /// make's own words say that no recipe ran, and nothing else speaks against it.
    pub nothing_ran: bool,
    /// The output does not tell whether a recipe ran: ask `make -q`.
    pub in_doubt: bool,
    /// Why nothing was tested, in words; with what to do about it. Most telling first.
    pub vacuous_causes: Vec<(String, Option<String>)>,
    /// What a check claims not to have found although git knows it is there.
    pub contradictions: Vec<String>,
    /// How often tests of each Go package were run to an end, by its import path: a job can test a package more than once.
    pub go_ends: BTreeMap<String, u32>,
}
