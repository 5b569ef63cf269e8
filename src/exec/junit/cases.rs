//! Turns the cases of a JUnit document into those of a job.

use std::collections::HashMap;

use crate::model::CaseStatus;
use crate::parse::{CaseEnd, CaseKey};
use crate::report::model::{Case, CaseState, Document, Text};
use crate::text::one_line;

/// The most bytes of a message.
const MESSAGE: usize = 1024;
/// The most bytes of a case's text that the log gets.
const TEXT: usize = 64 << 10;

/// A case, and the text about it.
#[derive(Debug)]
pub(in crate::exec) struct JunitCase {
    pub end: CaseEnd,
    /// The words of the file about it, if it did not pass.
    pub text: String,
}

/// Collects cases. Names are unique in a job.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub(super) found: Vec<JunitCase>,
    names: HashMap<CaseKey, u32>,
}

impl Cases {
    /// Adds the cases of a document.
    pub(super) fn add(&mut self, document: Document) {
        for suite in document.suites {
            for case in suite.cases {
                let package = match &*case.class {
                    "" => &*suite.name,
                    class => class,
                };
                let key = self.unique(package, &case.name);
                self.found.push(converted(key, &case));
            }
        }
    }

    fn unique(&mut self, package: &str, name: &str) -> CaseKey {
        let mut key = CaseKey {
            package: one_line(package, MESSAGE),
            name: one_line(name, MESSAGE),
        };
        let bare = key.name.clone();
        let mut number = self.names.get(&key).map_or(1, |count| count + 1);
        self.names.insert(key.clone(), number);
        while number > 1 {
            key.name = format!("{bare} #{number}");
            if !self.names.contains_key(&key) {
                self.names.insert(key.clone(), 1);
                break;
            }
            number += 1;
        }
        key
    }
}

fn converted(key: CaseKey, case: &Case) -> JunitCase {
    let status = match case.state {
        CaseState::Failed | CaseState::Error => CaseStatus::Failed,
        CaseState::Skipped => CaseStatus::Skipped,
        CaseState::Passed | CaseState::Flaky => CaseStatus::Passed,
    };
    let text = match status {
        CaseStatus::Passed => String::new(),
        _ => text(case),
    };
    let said = match case.message() {
        "" => text.lines().find(|line| !line.trim().is_empty()),
        message => Some(message),
    };
    let details = case.details.as_ref();
    JunitCase {
        end: CaseEnd {
            key,
            status,
            seconds: case.seconds,
            message: said
                .filter(|_| status != CaseStatus::Passed)
                .map(|said| one_line(said, MESSAGE))
                .filter(|said| !said.is_empty()),
            file: details.and_then(|details| details.file.as_deref().map(str::to_owned)),
            line: details.and_then(|details| details.line),
            cached: false,
            output: Vec::new(),
        },
        text,
    }
}

/// Returns the reasons and the output of a case, as the file has them.
fn text(case: &Case) -> String {
    let Some(details) = &case.details else {
        return String::new();
    };
    let bodies = details.problems.iter().map(|problem| &problem.body);
    let mut text = String::new();
    for part in bodies.chain([&details.out, &details.err]) {
        push(&mut text, part);
    }
    text
}

fn push(text: &mut String, part: &Text) {
    let Ok(part) = part.load() else {
        return;
    };
    let room = TEXT.saturating_sub(text.len());
    let part = part.trim_end();
    text.push_str(&part[..part.floor_char_boundary(room)]);
    if !part.is_empty() {
        text.push('\n');
    }
}
