//! Converts a case of a run into the common form.

use std::collections::HashMap;
use std::sync::Arc;

use super::output::JobLog;
use super::{findings, line};
use crate::event::RunStarted;
use crate::model::CaseStatus;
use crate::outcome::CaseResult;
use crate::report::format::again_case;
use crate::report::model::{
    Attempt, AttemptKind, Case, CaseState, Details, Problem, ProblemKind, Text, properties,
};

/// The class of the case before, which the next case mostly shares.
#[derive(Default)]
pub(super) struct ClassCache {
    package: String,
    name: Option<Arc<str>>,
}

impl ClassCache {
    /// Returns `COMPONENT.STEP.PACKAGE`, with `.` for `/`; `COMPONENT.STEP` without a package.
    fn of(&mut self, job: &str, package: &str) -> Arc<str> {
        if let Some(name) = &self.name
            && self.package == package
        {
            return name.clone();
        }
        let name: Arc<str> = match package {
            "" => line(job).into(),
            package => line(&format!("{job}.{}", package.replace('/', "."))).into(),
        };
        package.clone_into(&mut self.package);
        self.name = Some(name.clone());
        name
    }
}

/// The bad ends of cases in earlier attempts, by package and name.
#[derive(Default)]
pub(super) struct EarlierEnds<'a>(HashMap<(&'a str, &'a str), Vec<&'a CaseResult>>);

impl<'a> EarlierEnds<'a> {
    pub(super) fn of(cases: &'a [CaseResult]) -> Self {
        let mut earlier = Self::default();
        for case in cases {
            let key = (case.package.as_str(), case.name.as_str());
            earlier.0.entry(key).or_default().push(case);
        }
        earlier
    }

    fn ends<'b>(&'b self, case: &'b CaseResult) -> &'b [&'a CaseResult] {
        let key = (case.package.as_str(), case.name.as_str());
        self.0.get(&key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Converts a case. A case that counts against its job, or once did, comes with an excerpt of its
/// output.
pub(super) fn of(
    job: &str,
    case: &CaseResult,
    earlier: &EarlierEnds<'_>,
    started: Option<&RunStarted>,
    class: &mut ClassCache,
    log: &mut JobLog<'_, '_>,
) -> Case {
    let again =
        (started.filter(|_| case.status.is_bad())).and_then(|started| again_case(started, case));
    Case {
        class: class.of(job, &case.package),
        name: line(&case.name).into(),
        state: state(case.status),
        seconds: case.seconds,
        details: (case.status != CaseStatus::Passed)
            .then(|| Box::new(details(case, earlier.ends(case), again, log))),
    }
}

fn state(status: CaseStatus) -> CaseState {
    match status {
        CaseStatus::Passed => CaseState::Passed,
        CaseStatus::Flaky => CaseState::Flaky,
        CaseStatus::Failed => CaseState::Failed,
        CaseStatus::Unfinished => CaseState::Error,
        CaseStatus::Skipped | CaseStatus::NotRun => CaseState::Skipped,
    }
}

fn details(
    case: &CaseResult,
    earlier: &[&CaseResult],
    again: Option<String>,
    log: &mut JobLog<'_, '_>,
) -> Details {
    let output = match case.status.is_bad() {
        true => Text::here(log.excerpt(case.attempt, &case.output)),
        false => Text::Empty,
    };
    let is_flaky = case.status == CaseStatus::Flaky;
    let ends = match earlier {
        // A flaky case that was reported as such, without the ends that made it so.
        [] if is_flaky => &[case],
        ends => ends,
    };
    Details {
        file: case.file.as_deref().map(|file| line(file).into()),
        line: case.line,
        problems: problem(case).into_iter().collect(),
        attempts: (ends.iter())
            .map(|end| attempt(end, is_flaky, log))
            .collect(),
        properties: (findings::properties(&case.findings).into_iter())
            .chain(again.map(|again| (properties::AGAIN.into(), line(&again).into())))
            .collect(),
        out: output,
        ..Details::default()
    }
}

fn problem(case: &CaseResult) -> Option<Problem> {
    let kind = match case.status {
        CaseStatus::Passed | CaseStatus::Flaky => return None,
        CaseStatus::Failed => ProblemKind::Failure,
        CaseStatus::Unfinished => ProblemKind::Error,
        CaseStatus::Skipped | CaseStatus::NotRun => ProblemKind::Skipped,
    };
    let message = case.message.as_deref().or(usual_message(case.status));
    let place = place(case);
    let body = match (place.as_str(), message) {
        ("", _) => String::new(),
        (place, Some(message)) => format!("{place}: {message}"),
        (place, None) => place.to_owned(),
    };
    let body = match case.findings.is_empty() {
        true => Text::here(crate::text::one_line(&body, 2 * super::LINE_CAP)),
        false => findings::body(&case.findings),
    };
    Some(Problem {
        kind,
        word: Some(case.status.word().into()),
        message: Some(line(message.unwrap_or(case.status.word())).into()),
        body,
    })
}

/// Converts a bad end that another attempt followed.
fn attempt(end: &CaseResult, is_flaky: bool, log: &mut JobLog<'_, '_>) -> Attempt {
    let kind = match (is_flaky, end.status) {
        (true, CaseStatus::Unfinished) => AttemptKind::FlakyError,
        (true, _) => AttemptKind::FlakyFailure,
        (false, CaseStatus::Unfinished) => AttemptKind::RerunError,
        (false, _) => AttemptKind::RerunFailure,
    };
    let word = match end.status {
        CaseStatus::Unfinished => CaseStatus::Unfinished,
        _ => CaseStatus::Failed,
    };
    let message = end.message.as_deref().or(usual_message(end.status));
    Attempt {
        kind,
        word: Some(word.word().into()),
        message: message.map(|message| line(message).into()),
        body: Text::Empty,
        out: Text::here(log.excerpt(end.attempt, &end.output)),
        err: Text::Empty,
    }
}

/// Returns the message of a case whose output has none.
fn usual_message(status: CaseStatus) -> Option<&'static str> {
    match status {
        CaseStatus::Unfinished => Some("started and never ended"),
        CaseStatus::NotRun => Some("known beforehand, and never started"),
        CaseStatus::Flaky => Some("failed before it passed"),
        CaseStatus::Passed | CaseStatus::Failed | CaseStatus::Skipped => None,
    }
}

fn place(case: &CaseResult) -> String {
    match (&case.file, case.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_path_becomes_part_of_the_class() {
        let mut class = ClassCache::default();
        let mut of = |package| class.of("agent.test", package).to_string();
        assert_eq!(of("pkg/uevent"), "agent.test.pkg.uevent");
        assert_eq!(of("pkg/uevent"), "agent.test.pkg.uevent");
        assert_eq!(of(""), "agent.test");
    }
}
