//! A case of a run in the common form.

use std::sync::Arc;

use super::line;
use super::output::JobLog;
use crate::outcome::{CaseResult, CaseStatus};
use crate::report::model::{
    Attempt, AttemptKind, Case, Details, Problem, ProblemKind, State, Text,
};

/// The class of the case before: mostly that of the next one too.
#[derive(Default)]
pub(super) struct Class {
    package: String,
    name: Option<Arc<str>>,
}

impl Class {
    /// `COMPONENT.STEP.PACKAGE`, with `.` for `/`; without a package `COMPONENT.STEP`.
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

/// Takes a case over; what speaks against its job comes with an excerpt of its output.
pub(super) fn of(
    job: &str,
    case: &CaseResult,
    class: &mut Class,
    log: &mut JobLog<'_, '_>,
) -> Case {
    Case {
        class: class.of(job, &case.package),
        name: line(&case.name).into(),
        state: state(case.status),
        seconds: case.seconds,
        details: (case.status != CaseStatus::Passed).then(|| Box::new(details(case, log))),
    }
}

fn state(status: CaseStatus) -> State {
    match status {
        CaseStatus::Passed => State::Passed,
        CaseStatus::Flaky => State::Flaky,
        CaseStatus::Failed => State::Failed,
        CaseStatus::Unfinished => State::Error,
        CaseStatus::Skipped | CaseStatus::NotRun => State::Skipped,
    }
}

fn details(case: &CaseResult, log: &mut JobLog<'_, '_>) -> Details {
    let output = match case.status.is_bad() {
        true => Text::here(log.excerpt(&case.output)),
        false => Text::Empty,
    };
    Details {
        file: case.file.as_deref().map(|file| line(file).into()),
        line: case.line,
        problems: problem(case).into_iter().collect(),
        attempts: attempt(case).into_iter().collect(),
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
    Some(Problem {
        kind,
        word: Some(case.status.word().into()),
        message: Some(line(message.unwrap_or(case.status.word())).into()),
        body: Text::here(crate::report::text::one_line(&body, 2 * super::LINE_CAP)),
    })
}

fn attempt(case: &CaseResult) -> Option<Attempt> {
    let message = case.message.as_deref().or(usual_message(case.status));
    (case.status == CaseStatus::Flaky).then(|| Attempt {
        kind: AttemptKind::FlakyFailure,
        word: Some(CaseStatus::Failed.word().into()),
        message: message.map(|message| line(message).into()),
        body: Text::Empty,
        out: Text::Empty,
        err: Text::Empty,
    })
}

/// What is said of a case whose output says nothing of it.
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
        let mut class = Class::default();
        let mut of = |package| class.of("agent.test", package).to_string();
        assert_eq!(of("pkg/uevent"), "agent.test.pkg.uevent");
        assert_eq!(of("pkg/uevent"), "agent.test.pkg.uevent");
        assert_eq!(of(""), "agent.test");
    }
}
