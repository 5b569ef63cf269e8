//! The answer of the doctor for people.

use super::check::{Check, Diagnosis, Purpose, State};
use crate::text::for_terminal;

/// The most bytes of a line.
const LINE_CAP: usize = 4096;
/// The columns of the state and of the subject.
const STATE: usize = 18;
const SUBJECT: usize = 11;

/// Returns the answer to each kind of work, then a line for each check, with its fix below. Faults
/// come first.
pub fn table(diagnosis: &Diagnosis) -> String {
    let mut lines: Vec<String> = Vec::new();
    for answer in &diagnosis.answers {
        lines.push(format!(
            "{:7}{}{}",
            answer.purpose.word(),
            answer.state.words(),
            counts(diagnosis, answer.purpose)
        ));
    }
    lines.push(String::new());
    let ranks: [fn(&Check) -> bool; 4] = [
        |check| check.state == State::Cannot,
        |check| check.state == State::CouldNotBeAsked,
        Check::is_note,
        |check| check.state == State::Can && !check.is_note(),
    ];
    for rank in ranks {
        for check in diagnosis.checks.iter().filter(|check| rank(check)) {
            lines.extend(of_check(check));
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Returns the number of checks that are not `can`, in words.
fn counts(diagnosis: &Diagnosis, purpose: Purpose) -> String {
    let count = |state| {
        let of = (diagnosis.checks.iter())
            .filter(|check| check.purposes.contains(&purpose) && check.state == state);
        match of.count() {
            0 => None,
            1 => Some("1 check".to_owned()),
            many => Some(format!("{many} checks")),
        }
    };
    let no = count(State::Cannot);
    let unasked = count(State::CouldNotBeAsked).map(|count| format!("{count} without an answer"));
    let parts: Vec<_> = no.into_iter().chain(unasked).collect();
    match parts.as_slice() {
        [] => String::new(),
        parts => format!(" ({})", parts.join(", ")),
    }
}

fn of_check(check: &Check) -> Vec<String> {
    let state = match check.is_note() {
        true => "can, but",
        false => check.state.words(),
    };
    let text = for_terminal(&check.text, LINE_CAP);
    let mut lines = vec![format!(
        "{state:STATE$}  {:SUBJECT$}  {text}",
        check.subject
    )];
    if let Some(fix) = &check.fix {
        let fix = for_terminal(fix, LINE_CAP);
        lines.push(format!("{:STATE$}  {:SUBJECT$}  $ {fix}", "", ""));
    }
    lines
}
