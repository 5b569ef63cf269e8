//! Reads cargo-nextest's console.
//!
//! Results stand in a column that ends at the twelfth letter, and the output of a test is indented
//! further or follows its result. So a nextest inside of a test is output.

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static STARTING: Pattern = pattern!(r"^ +Starting (\d+) tests? across ");
static RESULT: Pattern = pattern!(
    r"^ *(?:TRY (\d+) )?([A-Z]+)(?: \d+/\d+)? \[[ >]*([0-9.]*)s? *\](?: \([ 0-9/─]+\))? +(\S+) (\S.*)$"
);
static SUMMARY: Pattern = pattern!(r"^ +Summary \[ *[0-9.]+s\] (\d+)(?:/\d+)? tests? run: (.*)$");
static PANIC: Pattern = pattern!(r"panicked at (.+?):(\d+):\d+:$");

/// The column at which the words of results end.
const COLUMN: usize = 12;

/// Reads runs of nextest.
#[derive(Debug, Default)]
pub(super) struct Nextest {
    run: Option<Run>,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    /// The test that failed last, while its output follows.
    failed: Option<(String, String)>,
    /// The place of its panic, whose message is the next line.
    panic: Option<Explanation>,
}

impl Runner for Nextest {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        let Some(run) = &mut self.run else {
            let Some(found) = STARTING.captures(text) else {
                return false;
            };
            let mut results = Results::new(at.start);
            results.expected = Some(number(&found, 1));
            self.run = Some(Run {
                results,
                ..Run::default()
            });
            return true;
        };
        if let Some(found) = SUMMARY
            .captures(text)
            .filter(|_| text.starts_with("     Summary ["))
        {
            let totals = totals(&found[2]);
            let ran = number(&found, 1);
            let run = self.run.take().unwrap_or_default();
            if ran == 0 {
                self.nothing = Some("nextest says: 0 tests run".to_owned());
            }
            run.results.close(totals, at, out);
            return true;
        }
        run.line(text, at, out);
        true
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        if let Some(run) = self.run.take() {
            run.results.die("nextest", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Run {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        let in_column = text.find(" [") == Some(COLUMN);
        let found = RESULT.captures(text).filter(|_| in_column);
        let Some(found) = found else {
            return self.output(text);
        };
        let Some(status) = status(&found[2]) else {
            return;
        };
        let (package, name) = (found[4].to_owned(), found[5].to_owned());
        let mut result = TestResult::new(status);
        result.seconds = found[3].parse().ok();
        if status == CaseStatus::Failed && &found[2] != "FAIL" {
            result.explanation.add(&found[2]);
        }
        let is_try = found.get(1).is_some();
        let is_failed = status == CaseStatus::Failed;
        let again = is_try
            && match is_failed {
                true => self
                    .results
                    .explain(&package, &name, Explanation::default()),
                false => self.results.passed_later(&package, &name, out),
            };
        if !again {
            self.results.end(&package, &name, result, at, out);
        }
        self.failed = is_failed.then_some((package, name));
        self.panic = None;
    }

    /// Takes a line of a test's output.
    fn output(&mut self, text: &str) {
        let Some((package, name)) = &self.failed else {
            return;
        };
        if let Some(mut said) = self.panic.take() {
            said.add(text);
            self.results.explain(package, name, said);
            self.failed = None;
        } else if let Some((file, line)) = panic_place(text) {
            let mut said = Explanation::default();
            said.place(file, line);
            self.panic = Some(said);
        }
    }
}

/// Parses file and line of `thread 'x' (12) panicked at src/lib.rs:5:9:`.
pub(super) fn panic_place(text: &str) -> Option<(&str, &str)> {
    if !text.contains("panicked at ") {
        return None;
    }
    let found = PANIC.captures(text)?;
    Some((found.get(1)?.as_str(), found.get(2)?.as_str()))
}

fn status(word: &str) -> Option<CaseStatus> {
    Some(match word {
        "PASS" | "LEAK" | "FLAKY" => CaseStatus::Passed,
        "SKIP" => CaseStatus::Skipped,
        "FAIL" | "ABORT" | "TIMEOUT" | "XFAIL" => CaseStatus::Failed,
        _ if word.starts_with("SIG") => CaseStatus::Failed,
        _ => return None,
    })
}

/// Parses `4 passed (1 slow), 2 failed, 1 timed out, 1 skipped`.
fn totals(text: &str) -> Totals {
    let mut totals = Totals::default();
    // Commas in brackets separate kinds of the number before them.
    let mut rest = text.to_owned();
    while let (Some(from), Some(to)) = (rest.find(" ("), rest.find(')')) {
        if to < from {
            break;
        }
        rest.replace_range(from..=to, "");
    }
    for part in rest.split(", ") {
        let (count, what) = part.split_once(' ').unwrap_or((part, ""));
        let count: u64 = count.parse().unwrap_or(0);
        match what {
            "passed" => totals.passed += count,
            "skipped" => totals.skipped += count,
            _ => totals.failed += count,
        }
    }
    totals
}
