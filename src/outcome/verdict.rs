//! Gives the verdict on one job from the facts established about it.
//!
//! The rules are asked in this order: a failure of kata-ci itself, an end from outside, a bad case,
//! missing proof. Only a job that none of them fits has passed. Limits and the network can explain
//! the outcome further.

use crate::model::{CheckFindings, Ending, Expect, JobOutcome, ProvenFailure, Tally, install};

/// A reason why kata-ci cannot vouch for the output of a job, or had to end it.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// The job could not be started, logged or watched. The text says what happened, where, and
    /// what to do.
    Infrastructure(String),
    /// The same, for a cause that lasts: a program or directory is missing.
    Lasting(String),
    /// The job exceeded its time limit, in seconds.
    Timeout(f64),
    /// The user or a rule of the run ended it, for this reason.
    Cancelled(String),
}

/// Something that was found out about a job and can explain its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstance {
    /// The circumstance in words, without a full stop.
    pub what: String,
    /// The fix.
    pub fix: String,
}

/// The facts about one attempt at a job that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFacts {
    /// The evidence that its step must show.
    pub expect: Expect,
    /// The end of its process, if it ran.
    pub ending: Option<Ending>,
    /// The reason why it did not run to its own end.
    pub trouble: Option<Trouble>,
    /// The fix of the trouble, where one is known to help.
    pub fix: Option<String>,
    /// The number of its cases by status.
    pub cases: Tally,
    /// Programs that its output reports as missing (`command not found`, Error 127), outside of any
    /// failed test.
    pub missing_programs: Vec<String>,
    /// Failures that its output proves outside of any case, the most telling first.
    pub proven_failures: Vec<ProvenFailure>,
    /// The reason why such failures do not count, if its step gives one.
    pub allow_errors: Option<String>,
    /// The pattern that cases were asked for with, if no case matches it.
    pub unmatched: Option<String>,
    /// The findings of checkers, if it ended badly.
    pub findings: CheckFindings,
    /// True if make said, in the job or when asked, that no recipe ran.
    pub ran_nothing: bool,
    /// True if the output does not tell whether make ran a recipe, so make may have to be asked.
    pub is_unclear: bool,
    /// The reasons why nothing was tested, as far as the output tells, each with its fix.
    pub vacuous_causes: Vec<(String, Option<String>)>,
    /// The number of packages that passed, if no single test was shown.
    pub packages_alone: u64,
    /// The number of lines of its output.
    pub lines: u64,
    /// The reason why its JUnit files do not vouch for it.
    pub junit: Option<Circumstance>,
    /// Things that the output claims not to have found although git knows that they are there.
    pub contradictions: Vec<String>,
    /// The limit that the job met, as the kernel counted.
    pub limit_met: Option<Circumstance>,
    /// The limit that the job may have met, as its end and its output tell. Nobody counts it.
    pub limit_suspected: Option<Circumstance>,
    /// The addresses that the job tried to reach while its network was off.
    pub network_refused: Option<Circumstance>,
    /// The error in the output of a job without a bad case that isolation can cause.
    pub isolation_suspected: Option<Circumstance>,
    /// The variables of the caller that the job speaks of and did not get.
    pub held_back: Option<Circumstance>,
}

impl JobFacts {
    /// Makes the facts about a job of which nothing is known but what it must show.
    pub fn new(expect: Expect) -> Self {
        Self {
            expect,
            ending: None,
            trouble: None,
            fix: None,
            cases: Tally::default(),
            missing_programs: Vec::new(),
            proven_failures: Vec::new(),
            allow_errors: None,
            unmatched: None,
            findings: CheckFindings::default(),
            ran_nothing: false,
            is_unclear: false,
            vacuous_causes: Vec::new(),
            packages_alone: 0,
            lines: 0,
            junit: None,
            contradictions: Vec::new(),
            limit_met: None,
            limit_suspected: None,
            network_refused: None,
            isolation_suspected: None,
            held_back: None,
        }
    }

    /// Returns true if the verdict depends on whether make ran a recipe, and the output does not
    /// tell. Make has to be asked then.
    pub fn needs_make_query(&self) -> bool {
        let is_passed = verdict(self).outcome == JobOutcome::Passed;
        self.is_unclear && self.expect == Expect::Commands && is_passed
    }

    /// Returns true if the job ended badly. Its output may then explain why, and is worth reading
    /// for [`JobFacts::limit_suspected`], [`JobFacts::network_refused`] and
    /// [`JobFacts::held_back`].
    pub fn needs_explanation(&self) -> bool {
        let outcome = verdict(self).outcome;
        matches!(
            outcome,
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error
        )
    }
}

/// A job's outcome and the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: JobOutcome,
    /// One line; empty for a plain pass.
    pub reason: String,
    /// The fix, where one is known to help.
    pub fix: Option<String>,
    /// True for an error whose cause lasts.
    pub lasts: bool,
}

impl Verdict {
    /// Makes a verdict without a fix.
    pub(super) fn new(outcome: JobOutcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            fix: None,
            lasts: false,
        }
    }

    /// Makes the verdict on a job with an error whose cause lasts.
    fn lasting(reason: impl Into<String>) -> Self {
        Self {
            lasts: true,
            ..Self::new(JobOutcome::Error, reason)
        }
    }
}

/// Judges a job. The function is pure and total.
pub fn verdict(facts: &JobFacts) -> Verdict {
    let verdict = from_trouble(facts)
        .or_else(|| from_bad_cases(facts))
        .or_else(|| from_missing_programs(facts))
        .or_else(|| from_ending(facts))
        .or_else(|| from_proof(facts))
        .or_else(|| from_junit(facts))
        .or_else(|| from_pattern(facts))
        .or_else(|| from_emptiness(facts))
        .unwrap_or_else(|| Verdict::new(JobOutcome::Passed, reservation(facts)));
    let verdict = with_limits(facts, with_junit(facts, verdict));
    let causes = [
        &facts.network_refused,
        &facts.isolation_suspected,
        &facts.held_back,
    ];
    (causes.into_iter())
        .flatten()
        .fold(verdict, |verdict, cause| explained(cause, verdict))
}

fn from_trouble(facts: &JobFacts) -> Option<Verdict> {
    let verdict = match facts.trouble.as_ref()? {
        Trouble::Infrastructure(what) => Verdict::new(JobOutcome::Error, what.as_str()),
        Trouble::Lasting(what) => Verdict::lasting(what.as_str()),
        Trouble::Cancelled(why) => Verdict::new(JobOutcome::Cancelled, why.as_str()),
        Trouble::Timeout(seconds) => Verdict {
            fix: Some("raise `timeout` of the step, or see in its log where it hangs".into()),
            ..Verdict::new(
                JobOutcome::TimedOut,
                format!("did not end within {}", duration(*seconds)),
            )
        },
    };
    Some(Verdict {
        fix: facts.fix.clone().or(verdict.fix),
        ..verdict
    })
}

fn from_bad_cases(facts: &JobFacts) -> Option<Verdict> {
    if facts.cases.bad() == 0 || only_tool_missing(facts) {
        return None;
    }
    let mut reason = facts.cases.describe_bad();
    if facts.ending.is_some_and(Ending::is_success) {
        reason.push_str(", although the command exited with 0");
    }
    Some(Verdict::new(JobOutcome::Failed, reason))
}

/// Returns true if a program is missing, and no case and no checker failed. Unfinished cases are
/// then checks that the missing program stopped, which is the machine's fault, not the change's.
fn only_tool_missing(facts: &JobFacts) -> bool {
    facts.cases.failed == 0
        && facts.findings.first_error().is_none()
        && !facts.missing_programs.is_empty()
        && !is_proven(facts)
        && !facts.ending.is_some_and(Ending::is_success)
}

fn from_missing_programs(facts: &JobFacts) -> Option<Verdict> {
    let hidden = facts.allow_errors.is_some() || facts.proven_failures.is_empty();
    let passed = facts.ending.is_some_and(Ending::is_success) && hidden;
    let is_failure = is_proven(facts) || facts.findings.first_error().is_some();
    if facts.missing_programs.is_empty() || passed || is_failure {
        return None;
    }
    let programs = facts.missing_programs.join(", ");
    let known: Vec<_> = (facts.missing_programs.iter())
        .filter_map(|program| install(program))
        .collect();
    Some(Verdict {
        fix: Some(match known.is_empty() {
            true => format!("install {programs}, or add it to PATH"),
            false => known.join("; "),
        }),
        ..Verdict::lasting(format!("not found on this machine: {programs}"))
    })
}

fn from_ending(facts: &JobFacts) -> Option<Verdict> {
    let every_case_passed = if facts.cases.tested() > 0 {
        ", although every case that ended has passed"
    } else {
        ""
    };
    match facts.ending {
        None => Some(Verdict::new(JobOutcome::Error, "its end was not seen")),
        Some(Ending::ExitCode(0)) => None,
        Some(Ending::ExitCode(code)) => Some(Verdict::new(
            JobOutcome::Failed,
            format!("exited with {code}{every_case_passed}{}", found(facts)),
        )),
        Some(Ending::Signal(signal)) => Some(Verdict::new(
            JobOutcome::Failed,
            format!("ended by signal {signal}{every_case_passed}"),
        )),
    }
}

/// Returns true if the output proves a failure that a missing program does not explain.
fn is_proven(facts: &JobFacts) -> bool {
    facts.proven_failures.iter().any(|failure| failure.is_own)
}

fn from_proof(facts: &JobFacts) -> Option<Verdict> {
    let said = &facts.proven_failures.first()?.what;
    facts.allow_errors.is_none().then(|| Verdict {
        fix: Some(
            "have the command pass on the exit code, or say `allow_errors = \"the reason\"` in its step".into(),
        ),
        ..Verdict::new(
            JobOutcome::Failed,
            format!("{said}, although the command exited with 0"),
        )
    })
}

/// Returns what has to be said of a job that passed; empty for nothing.
fn reservation(facts: &JobFacts) -> String {
    let allowed = allowed_errors(facts);
    match facts.packages_alone {
        0 => allowed,
        packages => joined(&allowed, &without_tests(packages)),
    }
}

/// Formats `27 packages, single tests are not shown: …`.
fn without_tests(packages: u64) -> String {
    let packages = match packages {
        1 => "1 package".to_owned(),
        packages => format!("{packages} packages"),
    };
    format!(
        "{packages}, single tests are not shown: go test names them with -v or -json (GOFLAGS=-v)"
    )
}

/// Returns the words about failures that the step allows; empty for none.
fn allowed_errors(facts: &JobFacts) -> String {
    match (&facts.allow_errors, facts.proven_failures.first()) {
        (Some(reason), Some(failure)) => format!("allowed ({reason}): {}", failure.what),
        _ => String::new(),
    }
}

/// Formats `: 3 findings, the first is main.go:18:6: func never is unused`.
fn found(facts: &JobFacts) -> String {
    let findings = &facts.findings;
    match (findings.first_error(), findings.list.len()) {
        (None, _) => String::new(),
        (Some(first), 1) => format!(": {first}"),
        (Some(first), _) => format!(": {}, the first is {first}", findings.count()),
    }
}

/// Skips a job that has none of the cases that were asked for.
fn from_pattern(facts: &JobFacts) -> Option<Verdict> {
    let pattern = facts.unmatched.as_ref()?;
    (facts.expect == Expect::Cases)
        .then(|| Verdict::new(JobOutcome::Skipped, format!("no case matches `{pattern}`")))
}

/// Judges a job that looks good by its JUnit files.
fn from_junit(facts: &JobFacts) -> Option<Verdict> {
    let problem = facts.junit.as_ref()?;
    Some(Verdict {
        fix: Some(problem.fix.clone()),
        ..Verdict::new(JobOutcome::Error, problem.what.as_str())
    })
}

fn with_junit(facts: &JobFacts, verdict: Verdict) -> Verdict {
    match &facts.junit {
        Some(problem) if verdict.outcome == JobOutcome::Failed => explained(problem, verdict),
        _ => verdict,
    }
}

fn from_emptiness(facts: &JobFacts) -> Option<Verdict> {
    if let Some(contradiction) = facts.contradictions.first() {
        return Some(Verdict::new(JobOutcome::Vacuous, contradiction.as_str()));
    }
    match facts.expect {
        Expect::Cases if is_unrecognised(facts) => Some(unrecognised(facts.lines)),
        Expect::Cases if facts.cases.tested() == 0 => Some(vacuous(facts, "no case ran")),
        Expect::Commands if facts.ran_nothing => Some(vacuous(facts, "make ran no recipe")),
        _ => None,
    }
}

/// Returns true if nothing in the output tells whether a case ran.
fn is_unrecognised(facts: &JobFacts) -> bool {
    facts.cases.total() == 0 && facts.vacuous_causes.is_empty() && !facts.ran_nothing
}

fn unrecognised(lines: u64) -> Verdict {
    let place = match lines {
        0 => ": it printed nothing".to_owned(),
        1 => " in 1 line".to_owned(),
        lines => format!(" in {lines} lines"),
    };
    let reason = format!("the command passed, but no case was recognised{place}");
    Verdict {
        fix: Some(
            "have its tests print TAP or another form that kata-ci reads, name the JUnit files that they write in `junit`, or set `expect = \"exit\"`".into(),
        ),
        ..Verdict::new(JobOutcome::Vacuous, reason)
    }
}

fn vacuous(facts: &JobFacts, what: &str) -> Verdict {
    let (cause, fix) = facts.vacuous_causes.first().cloned().unwrap_or_default();
    let reason = match cause.as_str() {
        "" => format!("the command passed, but {what}"),
        cause => format!("the command passed, but {what}: {cause}"),
    };
    Verdict {
        fix,
        ..Verdict::new(JobOutcome::Vacuous, reason)
    }
}

/// Blames the limit that was met for a bad end, and mentions it with a good one. A limit that is
/// only suspected is named with a failure.
fn with_limits(facts: &JobFacts, verdict: Verdict) -> Verdict {
    match (&facts.limit_met, &facts.limit_suspected, verdict.outcome) {
        (Some(limit), _, JobOutcome::Failed | JobOutcome::Error) => blamed(limit, &verdict),
        (Some(limit), _, JobOutcome::Passed) => Verdict {
            reason: joined(
                &verdict.reason,
                &format!("{}, and passed all the same", limit.what),
            ),
            ..verdict
        },
        (None, Some(limit), JobOutcome::Failed) => explained(limit, verdict),
        _ => verdict,
    }
}

fn blamed(limit: &Circumstance, verdict: &Verdict) -> Verdict {
    Verdict {
        outcome: JobOutcome::Failed,
        reason: match verdict.reason.as_str() {
            "" => limit.what.clone(),
            reason => format!("{} ({reason})", limit.what),
        },
        fix: Some(limit.fix.clone()),
        lasts: false,
    }
}

fn explained(circumstance: &Circumstance, verdict: Verdict) -> Verdict {
    Verdict {
        reason: joined(&verdict.reason, &circumstance.what),
        fix: verdict.fix.or_else(|| Some(circumstance.fix.clone())),
        ..verdict
    }
}

fn joined(reason: &str, more: &str) -> String {
    match reason {
        "" => more.to_owned(),
        reason => format!("{reason}; {more}"),
    }
}

fn duration(seconds: f64) -> String {
    humantime::format_duration(std::time::Duration::from_millis((seconds * 1000.0) as u64))
        .to_string()
}
