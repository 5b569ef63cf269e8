//! Combines the attempts of a job: which end of a case counts, and the verdict over all attempts.
//!
//! A case is `flaky` if it was bad and passed in a later attempt. A bad case stays bad if no later
//! attempt ran it again. A case that passed first and is bad later is bad.
//!
//! Some cases stand for a package as a whole: it was not built, or it panicked outside of its
//! tests. A healthy package reports no such case. There the proof is that its tests pass in a whole
//! attempt.

use std::collections::HashMap;
use std::ops::Deref;

use super::Verdict;
use crate::event::CaseFinished;
use crate::model::{CaseStatus, JobOutcome, Tally};

/// A case with its end.
pub type CaseResult = CaseFinished;

/// Names of cases that stand for the reason why tests did not run, not for a test.
const STAND_INS: [&str; 8] = [
    "(package)",
    "(plan)",
    "(bail out)",
    "(unnamed)",
    "(suite)",
    "(collection)",
    "(interrupted)",
    "(summary)",
];

/// The sign between the words about a flaky job and what else has to be said of it.
pub const REMARK: &str = "; ";

/// The effect of a later attempt on the end of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    /// The earlier end counts on.
    Keep,
    /// The later end counts.
    Replace,
    /// The case is flaky; the earlier end says how it failed.
    Flaky,
}

/// Weighs a later end of a case against the one that counted so far.
pub(super) fn weigh(earlier: CaseStatus, later: CaseStatus) -> Later {
    use CaseStatus::{Failed, Flaky, NotRun, Passed, Skipped, Unfinished};
    match (earlier, later) {
        (Failed | Unfinished, Passed) => Later::Flaky,
        (_, Failed | Unfinished) => Later::Replace,
        (Failed | Unfinished | Flaky | Passed, _) => Later::Keep,
        (Skipped | NotRun, NotRun) => Later::Keep,
        (Skipped | NotRun, Passed | Skipped | Flaky) => Later::Replace,
    }
}

/// Returns true if a case that only a later attempt reported belongs to the job. A narrowed attempt
/// also names packages of which it ran nothing.
pub(super) fn is_news(narrowed: bool, status: CaseStatus) -> bool {
    !(narrowed && matches!(status, CaseStatus::Skipped | CaseStatus::NotRun))
}

/// Returns true if another attempt can change the outcome. A cancelled job was stopped on purpose,
/// and the cause of a vacuous job or an error lies outside of its tests.
pub fn is_worth_another_try(outcome: JobOutcome) -> bool {
    matches!(outcome, JobOutcome::Failed | JobOutcome::TimedOut)
}

/// The reason why an attempt that passed is not enough.
pub const INCOMPLETE: &str =
    "it came to tests that had not been reached before, and was to run only those that failed";

/// Returns true if an attempt passed and that is not enough, because it left out tests that have
/// never run.
pub fn is_incomplete(outcome: JobOutcome, left_tests_out: bool) -> bool {
    outcome == JobOutcome::Passed && left_tests_out
}

/// Judges a job whose last attempt is incomplete.
pub fn incomplete() -> Verdict {
    Verdict {
        outcome: JobOutcome::Failed,
        reason: INCOMPLETE.to_owned(),
        fix: Some("run all of it, without --rerun-failed".to_owned()),
        lasts: false,
    }
}

/// Gives the verdict on a job after a second or later attempt.
///
/// `last` is the verdict on that attempt alone, `cases` counts the cases of all attempts. A flaky
/// test fails the job if `flaky_fails` is true.
pub fn judge_attempts(attempt: u32, last: Verdict, cases: &Tally, flaky_fails: bool) -> Verdict {
    match last.outcome {
        JobOutcome::Passed if cases.bad() > 0 => Verdict {
            outcome: JobOutcome::Failed,
            reason: format!(
                "{}, which attempt {attempt} passed without",
                cases.describe_bad()
            ),
            fix: last.fix,
            lasts: false,
        },
        JobOutcome::Passed => passed(attempt, &last.reason, cases, flaky_fails),
        JobOutcome::Vacuous | JobOutcome::Error if cases.bad() > 0 => Verdict {
            outcome: JobOutcome::Failed,
            reason: format!(
                "{}; attempt {attempt} is {}: {}",
                cases.describe_bad(),
                last.outcome.word(),
                last.reason
            ),
            fix: last.fix,
            lasts: false,
        },
        JobOutcome::Failed if cases.bad() > 0 => Verdict {
            reason: format!("{} in {attempt} attempts", cases.describe_bad()),
            ..last
        },
        _ => Verdict {
            reason: format!("{} (attempt {attempt})", last.reason),
            ..last
        },
    }
}

/// Judges a job that has passed at last, with a remark or none.
fn passed(attempt: u32, remark: &str, cases: &Tally, flaky_fails: bool) -> Verdict {
    let count = match cases.flaky {
        0 => String::new(),
        count => format!("{count} "),
    };
    let remark = match remark {
        "" => String::new(),
        remark => format!("{REMARK}{remark}"),
    };
    let what = format!("{count}flaky: passed in attempt {attempt}{remark}");
    match flaky_fails {
        false => Verdict {
            outcome: JobOutcome::Passed,
            reason: what,
            fix: None,
            lasts: false,
        },
        true => Verdict {
            outcome: JobOutcome::Failed,
            reason: format!("{what}, and the pipeline says flaky = \"fail\""),
            fix: None,
            lasts: false,
        },
    }
}

/// The cases of a job over all its attempts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cases {
    /// The end of each case that counts, in the order in which they first ended.
    list: Vec<CaseResult>,
    /// Bad ends that a later attempt followed, in order.
    earlier: Vec<CaseResult>,
    /// The number of cases by status.
    tally: Tally,
    /// The index of each case in `list`; filled when a second attempt begins.
    index: HashMap<(String, String), usize>,
    /// The indices of bad cases that stand for no test, taken when an attempt begins.
    stand_ins: Vec<usize>,
    narrowed: bool,
}

impl Cases {
    /// Begins an attempt, counted from 1. `narrowed` is true if it runs only some tests.
    pub fn begin(&mut self, attempt: u32, narrowed: bool) {
        self.narrowed = narrowed;
        if attempt > 1 && self.index.is_empty() {
            let keys = self.list.iter().enumerate();
            self.index = keys.map(|(at, case)| (key(case), at)).collect();
        }
        let cases = self.list.iter().enumerate();
        let bad = cases.filter(|(_, case)| case.status.is_bad() && is_stand_in(&case.name));
        self.stand_ins = bad.map(|(at, _)| at).collect();
    }

    /// Adds the end of a case of the current attempt.
    pub fn add(&mut self, case: &CaseResult) {
        let known = match case.attempt {
            0 | 1 => None,
            _ => self.index.get(&key(case)).copied(),
        };
        match known {
            Some(at) => self.again(at, case),
            None if case.attempt <= 1 || is_news(self.narrowed, case.status) => self.push(case),
            None => {}
        }
        if case.status == CaseStatus::Passed && !self.narrowed {
            self.relieve(case);
        }
    }

    /// Marks stand-in cases of the package as flaky, because a test of it passed in this attempt.
    fn relieve(&mut self, passed: &CaseResult) {
        for at in &self.stand_ins {
            let counted = &mut self.list[*at];
            let is_over = counted.attempt < passed.attempt && counted.package == passed.package;
            if is_over && counted.status.is_bad() {
                self.earlier.push(counted.clone());
                self.tally.remove(counted.status);
                counted.status = CaseStatus::Flaky;
                self.tally.add(counted.status);
            }
        }
    }

    fn push(&mut self, case: &CaseResult) {
        if case.attempt > 1 {
            self.index.insert(key(case), self.list.len());
        }
        self.tally.add(case.status);
        self.list.push(case.clone());
    }

    fn again(&mut self, at: usize, case: &CaseResult) {
        let counted = &mut self.list[at];
        let before = counted.status;
        match weigh(before, case.status) {
            Later::Keep => return,
            Later::Replace => {
                let old = std::mem::replace(counted, case.clone());
                self.earlier
                    .extend(Some(old).filter(|old| old.status.is_bad()));
            }
            Later::Flaky => {
                self.earlier.push(counted.clone());
                counted.status = CaseStatus::Flaky;
            }
        }
        self.tally.remove(before);
        self.tally.add(self.list[at].status);
    }

    /// Returns the bad ends before the one that counts, oldest first. A flaky case has all its bad
    /// ends here.
    pub fn earlier(&self) -> &[CaseResult] {
        &self.earlier
    }

    /// Returns the number of cases by status.
    pub fn tally(&self) -> Tally {
        self.tally
    }
}

/// Dereferences to the end of each case that counts. A flaky case has its last bad end, with the
/// status `flaky`.
impl Deref for Cases {
    type Target = [CaseResult];

    fn deref(&self) -> &[CaseResult] {
        &self.list
    }
}

impl<'a> IntoIterator for &'a Cases {
    type Item = &'a CaseResult;
    type IntoIter = std::slice::Iter<'a, CaseResult>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

/// Returns true for one of [`STAND_INS`], also below a subtest or with the number of a repetition.
fn is_stand_in(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    let own = own.split(" #").next().unwrap_or(own);
    STAND_INS.contains(&own)
}

fn key(case: &CaseResult) -> (String, String) {
    (case.package.clone(), case.name.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::JobId;
    use CaseStatus::*;

    fn case(attempt: u32, name: &str, status: CaseStatus) -> CaseResult {
        CaseResult {
            job: JobId::new("proxy", "test"),
            attempt,
            package: String::new(),
            name: name.to_owned(),
            status,
            seconds: None,
            message: None,
            file: None,
            line: None,
            cached: false,
            findings: Default::default(),
            output: Vec::new(),
        }
    }

    /// Attempts, each with the ends of its cases; those after the first are narrowed or not.
    fn cases(attempts: &[&[(&str, CaseStatus)]], narrowed: bool) -> Cases {
        let mut cases = Cases::default();
        for (number, ends) in (1..).zip(attempts) {
            cases.begin(number, narrowed && number > 1);
            for (name, status) in *ends {
                cases.add(&case(number, name, *status));
            }
        }
        cases
    }

    fn statuses(cases: &Cases) -> Vec<(&str, CaseStatus)> {
        let status = |case: &CaseResult| case.status;
        cases
            .iter()
            .map(|case| (case.name.as_str(), status(case)))
            .collect()
    }

    #[test]
    fn what_fails_first_and_passes_later_is_flaky_and_how_it_failed_is_kept() {
        let cases = cases(
            &[
                &[("a", Passed), ("b", Failed)],
                &[("b", Unfinished)],
                &[("b", Passed)],
            ],
            true,
        );
        assert_eq!(statuses(&cases), [("a", Passed), ("b", Flaky)]);
        let earlier: Vec<_> = cases
            .earlier()
            .iter()
            .map(|case| (case.attempt, case.status))
            .collect();
        assert_eq!(earlier, [(1, Failed), (2, Unfinished)]);
        assert_eq!(cases[1].attempt, 2);
    }

    #[test]
    fn what_is_not_run_again_stays_what_it_was() {
        let later: [&[_]; 4] = [&[], &[("b", Skipped)], &[("b", NotRun)], &[("c", Passed)]];
        for later in later {
            let cases = cases(&[&[("a", Skipped), ("b", Failed)], later], false);
            assert_eq!(statuses(&cases)[..2], [("a", Skipped), ("b", Failed)]);
        }
    }

    #[test]
    fn what_stood_for_a_package_is_over_where_tests_of_it_pass_and_fails_again_where_it_does() {
        let first: &[_] = &[("(package)", Failed), ("g/(plan) #2", Failed)];
        for name in STAND_INS {
            let again = cases(&[&[(name, Failed)], &[("a", Passed)]], false);
            assert_eq!(statuses(&again), [(name, Flaky), ("a", Passed)]);
        }
        let passed: [&[_]; 2] = [first, &[("a", Passed)]];
        let over = cases(&passed, false);
        assert_eq!(
            statuses(&over),
            [("(package)", Flaky), ("g/(plan) #2", Flaky), ("a", Passed)]
        );
        assert_eq!(over.earlier().len(), 2);
        assert_eq!(over.tally().bad(), 0);
        // Not where only some tests ran, or none passed.
        assert_eq!(cases(&passed, true).tally().bad(), 2);
        assert_eq!(cases(&[first, &[("a", Skipped)]], false).tally().bad(), 2);
        for order in [
            [("a", Passed), ("(package)", Failed)],
            [("(package)", Failed), ("a", Passed)],
        ] {
            let again = cases(&[&[("(package)", Failed)], &order], false);
            assert_eq!(statuses(&again), [("(package)", Failed), ("a", Passed)]);
            assert_eq!(again.earlier().len(), 1);
        }
    }

    #[test]
    fn what_passes_first_and_fails_later_has_failed() {
        let cases = cases(
            &[
                &[("a", Passed), ("b", Failed)],
                &[("a", Failed), ("b", Passed)],
            ],
            false,
        );
        assert_eq!(statuses(&cases), [("a", Failed), ("b", Flaky)]);
    }

    #[test]
    fn packages_without_a_test_of_a_narrowed_attempt_are_no_cases() {
        let attempts: [&[_]; 2] = [&[("b", Failed)], &[("(package)", Skipped), ("b", Passed)]];
        assert_eq!(statuses(&cases(&attempts, true)), [("b", Flaky)]);
        assert_eq!(
            statuses(&cases(&attempts, false)),
            [("b", Flaky), ("(package)", Skipped)]
        );
    }

    fn verdict(outcome: JobOutcome, reason: &str) -> Verdict {
        Verdict {
            outcome,
            reason: reason.to_owned(),
            fix: None,
            lasts: false,
        }
    }

    fn tally(failed: u64, flaky: u64) -> Tally {
        Tally {
            failed,
            flaky,
            ..Tally::default()
        }
    }

    /// The verdict of a job whose second and last attempt was this.
    fn over(last: JobOutcome, cases: &Tally, flaky_fails: bool) -> (JobOutcome, String) {
        let why = if last == JobOutcome::Passed {
            ""
        } else {
            "why"
        };
        let verdict = judge_attempts(2, verdict(last, why), cases, flaky_fails);
        (verdict.outcome, verdict.reason)
    }

    #[test]
    fn what_has_to_be_said_of_the_last_attempt_is_said_of_the_flaky_job() {
        let allowed = verdict(JobOutcome::Passed, "allowed (known): make says: Error 1");
        let verdict = judge_attempts(2, allowed, &tally(0, 1), false);
        assert_eq!(
            verdict.reason,
            "1 flaky: passed in attempt 2; allowed (known): make says: Error 1"
        );
    }

    #[test]
    fn a_job_that_passed_at_last_is_flaky_and_failed_where_a_case_never_passed() {
        for (failed, flaky, flaky_fails, outcome, reason) in [
            (
                0,
                2,
                false,
                JobOutcome::Passed,
                "2 flaky: passed in attempt 2",
            ),
            (
                0,
                0,
                false,
                JobOutcome::Passed,
                "flaky: passed in attempt 2",
            ),
            (
                0,
                1,
                true,
                JobOutcome::Failed,
                "1 flaky: passed in attempt 2, and the pipeline says flaky = \"fail\"",
            ),
            (
                1,
                0,
                false,
                JobOutcome::Failed,
                "1 failed, which attempt 2 passed without",
            ),
        ] {
            let over = over(JobOutcome::Passed, &tally(failed, flaky), flaky_fails);
            assert_eq!(over, (outcome, reason.to_owned()));
        }
    }

    #[test]
    fn a_pass_that_left_out_tests_is_no_pass() {
        assert!(is_incomplete(JobOutcome::Passed, true));
        assert!(!is_incomplete(JobOutcome::Passed, false));
        assert!(!is_incomplete(JobOutcome::Failed, true));
        assert_eq!(incomplete().outcome, JobOutcome::Failed);
    }

    #[test]
    fn what_failed_stays_failed_whatever_kept_it_from_being_tried_again() {
        for (last, failed, outcome, reason) in [
            (
                JobOutcome::Vacuous,
                1,
                JobOutcome::Failed,
                "1 failed; attempt 2 is vacuous: why",
            ),
            (
                JobOutcome::Error,
                1,
                JobOutcome::Failed,
                "1 failed; attempt 2 is error: why",
            ),
            (
                JobOutcome::Vacuous,
                0,
                JobOutcome::Vacuous,
                "why (attempt 2)",
            ),
            (
                JobOutcome::Failed,
                1,
                JobOutcome::Failed,
                "1 failed in 2 attempts",
            ),
            (
                JobOutcome::TimedOut,
                1,
                JobOutcome::TimedOut,
                "why (attempt 2)",
            ),
            (
                JobOutcome::Cancelled,
                1,
                JobOutcome::Cancelled,
                "why (attempt 2)",
            ),
        ] {
            let over = over(last, &tally(failed, 0), false);
            assert_eq!(over, (outcome, reason.to_owned()));
        }
    }

    fn attempts() -> impl Strategy<Value = Vec<Vec<(String, CaseStatus)>>> {
        let name = prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned);
        let status = prop::sample::select(vec![Passed, Failed, Skipped, Unfinished, NotRun]);
        let ends = prop::collection::btree_map(name, status, 0..5);
        prop::collection::vec(ends.prop_map(|ends| ends.into_iter().collect()), 1..5)
    }

    proptest! {
        #[test]
        fn nothing_is_green_that_was_not_seen_to_pass_after_it_was_bad(attempts in attempts(), narrowed: bool) {
            let borrowed: Vec<Vec<(&str, CaseStatus)>> = (attempts.iter())
                .map(|ends| ends.iter().map(|(name, status)| (name.as_str(), *status)).collect())
                .collect();
            let slices: Vec<_> = borrowed.iter().map(Vec::as_slice).collect();
            let cases = cases(&slices, narrowed);
            let mut tally = Tally::default();
            for case in &cases {
                tally.add(case.status);
                let ends: Vec<_> = (attempts.iter().flatten())
                    .filter(|(name, _)| *name == case.name)
                    .map(|(_, status)| *status)
                    .collect();
                let last = ends.iter().rev().find(|status| !matches!(status, Skipped | NotRun));
                let was_bad = ends.iter().any(|status| status.is_bad());
                prop_assert_eq!(case.status.is_bad(), last.is_some_and(|status| status.is_bad()));
                prop_assert_eq!(case.status == Passed, last == Some(&Passed) && !was_bad);
            }
            prop_assert_eq!(tally, cases.tally());
        }
    }
}
