//! Decides how much of a failed job is run again: the failed tests if that is sound, else all of
//! it.
//!
//! Narrowing must not hide a test that never ran: one after a panic, a package after the first that
//! failed, a crate after the first with a failure. So it is done only if every bad case failed by
//! itself and everything else is known to have run.
//!
//! Go: by `-run` in `GOFLAGS`, which every `go test` below the job reads and no other command
//! minds. It is not done in kata's own `KATA_GO_TEST_FLAGS`. go-test.sh hands those through `eval`
//! once, and once more when it tests as root, and no pattern with `|` means the same after none,
//! one and two of them. Flags that already narrow win over `GOFLAGS`: then all of the job runs
//! again.
//!
//! Rust: by name behind `cargo test … -- --exact`, if the step calls cargo itself with
//! `--no-fail-fast`.
//!
//! A job ends at its first failing `go test`, and no output tells what it would have run after
//! that. If a narrowed attempt passes there and goes on to more, `Reach` tells. A `go test` whose
//! output is thrown away cannot be noticed.

mod one_case;

use std::collections::BTreeSet;
use std::ffi::OsStr;

use super::Job;
use crate::model::{CaseStatus, Expect};
use crate::model::{Command, without_number};
use crate::outcome::CaseResult;

pub use one_case::narrow;

/// The most bytes of a pattern or a list of names. An argument may have 128 KiB (`MAX_ARG_STRLEN`),
/// and nobody reads so much.
const LONGEST: usize = 16 * 1024;

/// The most names shown of the tests that run again.
const NAMED: usize = 3;

/// Returns the job to run again, narrowed with [`Job::only`] or whole. At least one of the cases
/// must be bad, or the command must have failed.
pub fn rerun(job: &Job, cases: &[CaseResult]) -> Job {
    narrowed(job, cases).unwrap_or_else(|| job.clone())
}

fn narrowed(job: &Job, cases: &[CaseResult]) -> Option<Job> {
    let is_sound = job.expect == Expect::Cases
        && cases.iter().any(|case| case.status.is_bad())
        && !cases.iter().any(leaves_something_unknown);
    if !is_sound {
        return None;
    }
    let failed: Vec<_> = cases.iter().filter(|case| case.status.is_bad()).collect();
    let (narrowed, names) = by_go_flags(job, &failed).or_else(|| by_cargo_names(job, &failed))?;
    Some(Job {
        only: Some(listed(&names)),
        ..narrowed
    })
}

/// Returns true if other tests may never have run because of this case: one that ended its process,
/// or a package that was not reached.
fn leaves_something_unknown(case: &CaseResult) -> bool {
    let message = case.message.as_deref().unwrap_or_default();
    match case.status {
        CaseStatus::Unfinished | CaseStatus::NotRun => true,
        CaseStatus::Failed => message.contains("panic:") || message.contains("fatal error:"),
        CaseStatus::Passed | CaseStatus::Skipped | CaseStatus::Flaky => false,
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    let mut text: Vec<_> = names.iter().take(NAMED).copied().collect();
    let more = format!("and {} more", names.len().saturating_sub(NAMED));
    if names.len() > NAMED {
        text.push(&more);
    }
    text.join(", ")
}

/// Narrows Go's tests. A test runs again with all its subtests, because these depend on their
/// parent's set-up.
fn by_go_flags<'a>(job: &Job, failed: &[&'a CaseResult]) -> Option<(Job, BTreeSet<&'a str>)> {
    let knows_packages = job.go_root.is_some() && job.packages.is_some();
    if !knows_packages || flags(job).any(|flag| is_limit_of_go(&flag)) {
        return None;
    }
    let names = failed.iter().map(|case| go_test(&case.name));
    let names = names.collect::<Option<BTreeSet<_>>>()?;
    let pattern = format!(
        "^({})$",
        names.iter().copied().collect::<Vec<_>>().join("|")
    );
    if pattern.len() > LONGEST {
        return None;
    }
    let mut job = job.clone();
    let name = OsStr::new("GOFLAGS");
    let mut value = job
        .environment
        .get(name)
        .map(OsStr::to_owned)
        .unwrap_or_default();
    // Without a count, an earlier pass of just these tests could come from the cache. Without -v
    // the output would not tell that they passed.
    value.push(format!(" -count=1 -v -run={pattern}"));
    job.environment.set(name.to_owned(), value);
    Some((job, names))
}

/// Returns the top-level test of a test or subtest, as `go help testfunc` names it; `None` for a
/// package.
fn go_test(name: &str) -> Option<&str> {
    let name = without_number(name).split('/').next()?;
    let is_test = ["Test", "Example", "Fuzz"]
        .iter()
        .any(|kind| name.starts_with(kind));
    let is_word = name
        .chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_test && is_word).then_some(name)
}

/// Returns all words that can be flags of a `go test` in the job.
fn flags(job: &Job) -> impl Iterator<Item = String> + '_ {
    let variables = ["GOFLAGS", "KATA_GO_TEST_FLAGS"]
        .into_iter()
        .filter_map(|name| job.environment.get(name))
        .map(|value| value.to_string_lossy().into_owned());
    let command = match &job.command {
        Command::Run(words) => words.join(" "),
        Command::Script(text) => text.clone(),
    };
    let texts: Vec<_> = variables.chain([command]).collect();
    texts.into_iter().flat_map(|text| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    })
}

/// Returns true if the flag makes `go test` leave tests out.
fn is_limit_of_go(flag: &str) -> bool {
    let flag = flag.trim_start_matches(['"', '\'']);
    let Some(name) = flag.strip_prefix('-') else {
        return false;
    };
    let name = name.strip_prefix('-').unwrap_or(name);
    let name = name.strip_prefix("test.").unwrap_or(name);
    let name = name.split('=').next().unwrap_or(name);
    matches!(name, "run" | "failfast" | "list")
}

/// Narrows libtest's tests, if the step is cargo's own command.
fn by_cargo_names<'a>(job: &Job, failed: &[&'a CaseResult]) -> Option<(Job, BTreeSet<&'a str>)> {
    let Command::Run(words) = &job.command else {
        return None;
    };
    let is_cargo_test = words.first()? == "cargo" && words.get(1)? == "test";
    if !is_cargo_test || !words.iter().any(|word| word == "--no-fail-fast") {
        return None;
    }
    let names = failed.iter().map(|case| cargo_test(&case.name));
    let names = names.collect::<Option<BTreeSet<_>>>()?;
    if names.iter().map(|name| name.len()).sum::<usize>() > LONGEST {
        return None;
    }
    let mut words = words.clone();
    if !words.iter().any(|word| word == "--") {
        words.push("--".to_owned());
    }
    words.push("--exact".to_owned());
    words.extend(names.iter().map(|name| (*name).to_owned()));
    let job = Job {
        command: Command::Run(words),
        ..job.clone()
    };
    Some((job, names))
}

/// Returns the path of a test; `None` for a whole target and for a test in documentation, whose
/// name rustdoc splits at blanks.
fn cargo_test(name: &str) -> Option<&str> {
    let name = without_number(name);
    let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':');
    name.chars().all(is_path).then_some(name)
}

#[cfg(test)]
mod tests;
