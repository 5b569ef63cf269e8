//! Finds the complaints of checkers in the output of a check that failed.
//!
//! Pure. It is used for checks that failed and nothing else: a line that looks like a finding is
//! none in a job that passed. Number and size of the findings are bounded, whatever the output
//! holds.
//!
//! Known are golangci-lint, go vet, gofmt, staticcheck, rustc and clippy, rustfmt, shellcheck,
//! yamllint, codespell, kata's checkcommits, and every checker that writes `FILE:LINE:COLUMN:
//! message` as compilers do.

mod diff;
mod line;
mod rustc;
mod shellcheck;
#[cfg(test)]
mod tests;
mod tool;
mod yamllint;

use std::collections::HashSet;

use super::clean;
use crate::model::{CheckFinding, CheckFindings, FindingLevel};
use crate::text::printable;

/// The most findings that are kept.
const MOST: usize = 100;

/// The most findings that are compared with later ones.
const MOST_COMPARED: usize = 10_000;

/// The bytes of a line that are looked at.
const LINE_CAP: usize = 4096;

/// The most bytes of the name of a file, a tool or a rule.
const NAME_CAP: usize = 512;

/// Returns the findings that the output of a failed check tells, each once, errors first.
pub fn check_findings(output: &[u8]) -> CheckFindings {
    let mut reader = Reader::default();
    for line in output.split(|byte| matches!(byte, b'\n' | b'\r')) {
        reader.line(&printable(&line[..line.len().min(LINE_CAP)]));
    }
    reader.finish()
}

/// The readers of all forms.
#[derive(Debug, Default)]
struct Reader {
    tool: tool::Heading,
    rustc: rustc::Rustc,
    shellcheck: shellcheck::Shellcheck,
    yamllint: yamllint::Yamllint,
    diff: diff::Diff,
    found: Found,
    /// Bare names of files. They are findings of a formatter only if there are no others.
    listed: Found,
}

impl Reader {
    fn line(&mut self, text: &str) {
        self.tool.line(text);
        let found = &mut self.found;
        let taken = self.rustc.line(text, found)
            || self.shellcheck.line(text, found)
            || self.yamllint.line(text, found)
            || self.diff.line(text, found);
        if taken {
            return;
        }
        if let Some(finding) = line::finding(text, &self.tool) {
            found.add(finding);
        } else if let Some(finding) = line::listed(text, &self.tool) {
            self.listed.add(finding);
        }
    }

    fn finish(mut self) -> CheckFindings {
        self.rustc.finish(&mut self.found);
        match self.found.errors.is_empty() {
            true => self.found.with(self.listed),
            false => self.found.sorted(),
        }
    }
}

/// The findings so far.
#[derive(Debug, Default)]
struct Found {
    errors: Vec<CheckFinding>,
    warnings: Vec<CheckFinding>,
    more: u64,
    known: HashSet<CheckFinding>,
}

impl Found {
    /// Adds a finding, if it is new and can be shown.
    fn add(&mut self, finding: CheckFinding) {
        let Some(finding) = cleaned(finding) else {
            return;
        };
        if self.known.contains(&finding) {
            return;
        }
        if self.known.len() < MOST_COMPARED {
            self.known.insert(finding.clone());
        }
        let list = match finding.level {
            FindingLevel::Error => &mut self.errors,
            FindingLevel::Warning => &mut self.warnings,
        };
        match list.len() < MOST {
            true => list.push(finding),
            false => self.more += 1,
        }
    }

    fn with(mut self, others: Self) -> CheckFindings {
        self.errors.extend(others.errors);
        self.more += others.more;
        self.sorted()
    }

    fn sorted(self) -> CheckFindings {
        let mut list = self.errors;
        list.extend(self.warnings);
        let more = self.more + list.len().saturating_sub(MOST) as u64;
        list.truncate(MOST);
        CheckFindings { list, more }
    }
}

/// Cleans the texts of a finding; `None` if nothing is left of it.
fn cleaned(finding: CheckFinding) -> Option<CheckFinding> {
    let name = |name: Option<String>| {
        name.filter(|name| name.len() <= NAME_CAP && !name.contains(char::is_control))
    };
    let file = finding.file.map(|file| without_dot(&file).to_owned());
    let is_odd = |file: &String| file.len() > NAME_CAP || file.contains(char::is_control);
    if file.as_ref().is_some_and(is_odd) {
        return None;
    }
    let positive = |number: Option<u32>| number.filter(|number| *number > 0);
    Some(CheckFinding {
        file,
        line: positive(finding.line),
        column: positive(finding.column),
        message: clean::message(&finding.message)?,
        tool: name(finding.tool),
        rule: name(finding.rule),
        level: finding.level,
    })
}

/// Strips `./` from the beginning of a path.
fn without_dot(path: &str) -> &str {
    let mut path = path;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest.trim_start_matches('/');
    }
    path
}

/// Returns the number that a group of digits says.
fn number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}
