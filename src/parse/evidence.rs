//! Collects the signs of what was tested, and explains what was not.
//!
//! The signs are packages and crates that were seen, and hints why nothing was tested. This module
//! does not decide whether nothing was tested: [`crate::outcome`] does.

use std::collections::{BTreeMap, HashSet};

use super::CaseContext;
use super::finding::{CaseDetails, CaseSink, WHOLE_PACKAGE};
use super::go::builds::Builds;
use super::go::package;
use crate::model::{Ending, Tally};

/// The signs found in the whole output.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// The import paths of Go packages that were seen.
    pub go_packages: HashSet<String>,
    /// See [`super::Observations::go_ends`].
    pub go_ends: BTreeMap<String, u32>,
    /// True if Go reported a package as failed.
    pub go_failed: bool,
    /// The words about a failure of which the lines do not tell whose it is.
    pub unclear: Option<String>,
    /// The words of compilers about Go packages.
    pub builds: Builds,
    /// The crates whose tests ran, with `_` for `-`.
    pub crates: HashSet<String>,
    /// True if a block of libtest without a crate's name was seen.
    pub nameless_crate: bool,
    /// The number of tests that libtest filtered out.
    pub filtered: u64,
    /// True if a command line with `--ignored` was seen.
    pub ignored_flag: bool,
    /// The number of Go packages without test files.
    pub without_files: u64,
    /// The number of Go packages in which no test fitted the filter.
    pub without_match: u64,
    /// True if kata's go-test.sh found no packages.
    pub no_golang: bool,
    /// True if dragonball's Makefile found no virtualization.
    pub no_virtualization: bool,
    /// The message of the top-level make that nothing is to be done, or that all is up to date.
    pub make_idle: Option<String>,
}

impl Evidence {
    /// Adds a Go package that was seen.
    pub(super) fn go_package(&mut self, import_path: &str) {
        if !self.go_packages.contains(import_path) {
            self.go_packages.insert(import_path.to_owned());
        }
    }

    /// Adds a run of a Go package's tests that ended.
    pub(super) fn go_end(&mut self, import_path: &str) {
        self.go_package(import_path);
        *self.go_ends.entry(import_path.to_owned()).or_default() += 1;
    }

    /// Adds a crate that was seen.
    pub(super) fn crate_name(&mut self, name: &str) {
        self.crates.insert(name.replace('-', "_"));
    }

    /// Takes the note on a Go package's own line.
    pub(super) fn go_note(&mut self, note: Option<&str>) {
        match note {
            Some("no test files") => self.without_files += 1,
            Some("no tests to run") => self.without_match += 1,
            _ => {}
        }
    }
}

/// Hands out a case for each package that is known and was not seen.
///
/// If no test of its language was seen and the job ended well, there is no sign that its packages
/// should have run. Crates are not reported either if tests of an unnamed crate ran.
pub(super) fn report_not_run(
    context: &CaseContext,
    evidence: &Evidence,
    ending: Option<Ending>,
    out: &mut CaseSink<'_>,
) {
    let failed = !ending.is_some_and(Ending::is_success);
    for known in context.packages.iter().flatten() {
        let go = context.go_root.is_some() || known.contains('/');
        let (was_seen, possible, name) = if go {
            let name = package::package(context, known).unwrap_or(known);
            (
                was_seen(known, context, evidence),
                failed || !evidence.go_packages.is_empty(),
                name,
            )
        } else {
            let was_seen = evidence.crates.contains(&known.replace('-', "_"));
            let possible = !evidence.nameless_crate && (failed || !evidence.crates.is_empty());
            (was_seen, possible, known.as_str())
        };
        if possible && !was_seen {
            out.never_ran(
                name,
                WHOLE_PACKAGE,
                CaseDetails::saying("the job ended before it, or never came to it"),
            );
        }
    }
}

fn was_seen(known: &str, context: &CaseContext, evidence: &Evidence) -> bool {
    let below = |root: &String| evidence.go_packages.contains(&format!("{root}/{known}"));
    evidence.go_packages.contains(known) || context.go_root.as_ref().is_some_and(below)
}

/// A cause and its fix.
type Cause = (String, Option<String>);

/// Returns the causes, most telling first.
pub(super) fn vacuous_causes(evidence: &Evidence, tally: &Tally) -> Vec<Cause> {
    [
        no_golang(evidence),
        no_virtualization(evidence),
        filtered(evidence, tally),
        idle(evidence),
        no_go_tests(evidence, tally),
        all_skipped(tally),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn cause(what: &str, fix: &str) -> Option<Cause> {
    Some((what.to_owned(), (!fix.is_empty()).then(|| fix.to_owned())))
}

fn no_golang(evidence: &Evidence) -> Option<Cause> {
    evidence.no_golang.then_some(())?;
    cause(
        "kata's go-test.sh found no Go packages (\"no golang code to test\")",
        "a v1 component needs GO111MODULE=off and its place in a GOPATH: $GOPATH/src/github.com/kata-containers/NAME",
    )
}

fn no_virtualization(evidence: &Evidence) -> Option<Cause> {
    evidence.no_virtualization.then_some(())?;
    cause(
        "dragonball's Makefile skips its tests without virtualization",
        "run it on a machine with /dev/kvm, or set allow_vacuous",
    )
}

fn filtered(evidence: &Evidence, tally: &Tally) -> Option<Cause> {
    if evidence.filtered == 0 || tally.tested() > 0 {
        return None;
    }
    let number = evidence.filtered;
    if evidence.ignored_flag {
        return cause(
            &format!("{number} filtered out: as root kata's Makefile adds --ignored"),
            "run as another user, or with USERID=1000, or set allow_vacuous",
        );
    }
    cause(
        &format!("{number} filtered out"),
        "see which filter its command line gives to the tests",
    )
}

fn idle(evidence: &Evidence) -> Option<Cause> {
    let said = evidence.make_idle.as_deref()?;
    if said.ends_with("is up to date.") {
        return cause(
            &format!("make says: {said}"),
            "a file or directory has the target's name: declare the target .PHONY, or remove the file",
        );
    }
    cause(
        &format!("make says: {said}"),
        "the target has no recipe: leave the step out for this component, or set allow_vacuous",
    )
}

fn no_go_tests(evidence: &Evidence, tally: &Tally) -> Option<Cause> {
    if tally.tested() > 0 {
        return None;
    }
    let (files, fits) = (evidence.without_files, evidence.without_match);
    match (files, fits) {
        (0, 0) => None,
        (_, 0) => cause(
            &format!("[no test files] in every package ({files})"),
            "write tests, or leave the step out for this component",
        ),
        _ => cause(
            &format!("[no tests to run] in {fits} of {} packages", files + fits),
            "see which filter (-run, -skip, build tags) its command line gives to go test",
        ),
    }
}

fn all_skipped(tally: &Tally) -> Option<Cause> {
    if tally.tested() > 0 || tally.skipped == 0 {
        return None;
    }
    let reason = match tally.skipped {
        1 => "its one case was skipped".to_owned(),
        skipped => format!("all {skipped} cases were skipped"),
    };
    cause(&reason, "")
}
