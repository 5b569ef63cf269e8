//! The input of the parser about a job, and the findings that it hands out.
//!
//! The names of cases are unique in a job, and each start has exactly one end.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::clean;
use crate::event::Span;
use crate::model::{CaseStatus, ProvenFailure, Tally, without_number};

/// The facts about a job that are known before its first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseContext {
    /// The import path of the component's directory. Packages outside of it are no cases of the
    /// component. Without it only kata's own checkers (`github.com/kata-containers/tests/…`) are
    /// outside.
    pub go_root: Option<String>,
    /// The packages known beforehand, as full import paths or paths below `go_root`; crate names
    /// where there is no `go_root`. Packages never seen become `not-run`.
    pub packages: Option<Vec<String>>,
    /// Files that differ from `origin/BRANCH` and still exist: the input of the changed-file
    /// checks. Empty for a branch that is on its base, `None` if git could not tell.
    pub changed_files: Option<Vec<String>>,
    /// True if every `go test` of the job is known to name its tests (`-v` or `-json` in
    /// `GOFLAGS`), although no line may show its flags.
    pub lists_go_tests: bool,
}

/// The name of a case, unique in its job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseKey {
    /// A Go package's path below the component (with `/`; empty for the component's own directory),
    /// a crate or test target, `CRATE (doc)` for tests in documentation, or `static-checks`. Empty
    /// where the output does not tell.
    pub package: String,
    /// The test's name, with ` #2` and on where the job ran it again. `(package)` stands for a
    /// package as a whole, `(unnamed)` for a test that only totals count.
    pub name: String,
}

/// The end of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseEnd {
    /// The case.
    pub key: CaseKey,
    /// Its status.
    pub status: CaseStatus,
    /// The duration in seconds, if the output tells.
    pub seconds: Option<f64>,
    /// The reason why it did not pass: one line of clean text, at most 1 KiB.
    pub message: Option<String>,
    /// The source file as the output names it.
    pub file: Option<String>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// True if the tool answered from a cache.
    pub cached: bool,
    /// The parts of the input that hold its output.
    pub output: Vec<Span>,
}

/// A finding of the parser.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A case began at this offset of the input.
    Started(CaseKey, u64),
    /// A case ended.
    Finished(CaseEnd),
}

/// The facts that the output as a whole tells, once it is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    /// Programs that the shell, make or cargo could not find, as they name them, outside of any
    /// case that failed by itself. A recipe that ended with 127 without naming a program adds a
    /// description instead.
    pub missing_programs: Vec<String>,
    /// True if make said that no recipe ran, and nothing else suggests that one did.
    pub ran_nothing: bool,
    /// True if the output does not tell whether a recipe ran: ask `make -q`.
    pub is_unclear: bool,
    /// Failures that the output proves outside of any case, the most telling first.
    pub proven_failures: Vec<ProvenFailure>,
    /// The number of lines.
    pub lines: u64,
    /// The reasons why nothing was tested, each with its fix, most telling first.
    pub vacuous_causes: Vec<(String, Option<String>)>,
    /// The number of packages that passed, if no single test was shown.
    pub packages_alone: u64,
    /// Things that a check claims not to have found although git knows that they are there.
    pub contradictions: Vec<String>,
    /// The number of times that the tests of each Go package ran to an end, by import path. A job
    /// can test a package more than once.
    pub go_ends: BTreeMap<String, u32>,
}

/// The most spans kept of one case: the first and the last half of them.
const MOST_SPANS: usize = 64;

/// The name of the case that stands for a package as a whole.
pub(super) const WHOLE_PACKAGE: &str = "(package)";

/// The parts of the output that belong to a case, in order. Neighbours are merged, and long lists
/// lose their middle.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spans(Vec<Span>);

impl Spans {
    /// Adds `start..end`, which must lie behind all spans added before.
    pub(super) fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => self.0.push(Span { start, end }),
        }
        if self.0.len() > MOST_SPANS {
            self.0.remove(MOST_SPANS / 2);
        }
    }
}

/// The details of a case besides its name and status.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct CaseDetails {
    pub seconds: Option<f64>,
    pub message: Option<String>,
    pub file: Option<String>,
    pub line: Option<u32>,
    pub cached: bool,
    pub spans: Spans,
}

impl CaseDetails {
    /// Makes details that hold only a message, cleaned and on one line.
    pub(super) fn saying(text: &str) -> Self {
        Self {
            message: clean::message(text),
            ..Self::default()
        }
    }
}

/// Counts the names and statuses of a job's cases.
#[derive(Debug, Default)]
pub(super) struct CaseNames {
    counts: HashMap<CaseKey, u32, RandomState>,
    /// The number of cases handed out so far.
    pub tally: Tally,
    /// The number of packages that passed as a whole.
    pub packages: u64,
    /// The number of cases that are no whole package.
    pub singles: u64,
}

impl CaseNames {
    /// Returns the key of the next execution of this name: the name itself, then with ` #2`, ` #3`.
    fn next(&mut self, package: &str, name: &str) -> CaseKey {
        let mut key = CaseKey {
            package: package.to_owned(),
            name: name.to_owned(),
        };
        let count = self.counts.entry(key.clone()).or_default();
        *count += 1;
        let mut number = *count;
        while number > 1 {
            key.name = format!("{name} #{number}");
            if !self.counts.contains_key(&key) {
                self.counts.insert(key.clone(), 1);
                break;
            }
            number += 1;
        }
        key
    }
}

/// Hands out the cases of a job.
pub(super) struct CaseSink<'a> {
    pub names: &'a mut CaseNames,
    pub sink: &'a mut dyn FnMut(Finding),
}

impl CaseSink<'_> {
    /// Starts a case.
    pub(super) fn start(&mut self, package: &str, name: &str, offset: u64) -> CaseKey {
        let key = self.names.next(package, name);
        (self.sink)(Finding::Started(key.clone(), offset));
        key
    }

    /// Ends a case that was started.
    pub(super) fn end(&mut self, key: CaseKey, status: CaseStatus, details: CaseDetails) {
        self.names.tally.add(status);
        match without_number(&key.name) == WHOLE_PACKAGE {
            true => self.names.packages += u64::from(status == CaseStatus::Passed),
            false => self.names.singles += 1,
        }
        (self.sink)(Finding::Finished(CaseEnd {
            key,
            status,
            seconds: details.seconds,
            message: details.message,
            file: details.file,
            line: details.line,
            cached: details.cached,
            output: details.spans.0,
        }));
    }

    /// Reports a case that never began.
    pub(super) fn never_ran(&mut self, package: &str, name: &str, details: CaseDetails) {
        let key = self.names.next(package, name);
        self.end(key, CaseStatus::NotRun, details);
    }

    /// Starts and ends a case of which only the end was seen.
    pub(super) fn both(
        &mut self,
        package: &str,
        name: &str,
        offset: u64,
        status: CaseStatus,
        details: CaseDetails,
    ) {
        let key = self.start(package, name, offset);
        self.end(key, status, details);
    }
}
