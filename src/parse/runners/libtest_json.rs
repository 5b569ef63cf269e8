//! Reads libtest's events (`--format json`).
//!
//! Other tools print objects too. An event of libtest has a `type` and an `event`, and a run begins
//! with that of its suite. What tests print in between is output, and so is a suite that begins
//! while a test runs.

use serde::Deserialize;

use super::Runner;
use super::results::{Results, TestResult, Totals};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::libtest::target;
use crate::parse::lines::Line;

/// Reads suites of events.
#[derive(Debug, Default)]
pub(super) struct LibtestJson {
    run: Option<Results>,
    /// The crate that cargo named last.
    package: String,
    /// The number of suites that began while a test ran and have not ended.
    inner: u32,
    nothing: Option<String>,
}

/// An event.
#[derive(Debug, Deserialize)]
struct Record {
    r#type: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    name: String,
    test_count: Option<u64>,
    stdout: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    passed: u64,
    #[serde(default)]
    failed: u64,
    #[serde(default)]
    ignored: u64,
    #[serde(default)]
    measured: u64,
    #[serde(default)]
    filtered_out: u64,
    exec_time: Option<serde_json::Value>,
}

impl Runner for LibtestJson {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let Some(record) = record(text) else {
            if let Some(package) = target(text).filter(|_| self.inner == 0) {
                self.end(at.start, out);
                self.package = package;
            }
            return false;
        };
        match (record.r#type.as_str(), record.event.as_str()) {
            ("suite", "started") => self.begin(&record, at, out),
            ("suite", "ok" | "failed") => self.suite(&record, at, out),
            _ => self.test(&record, at, out),
        }
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn is_in_test(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.running() > 0)
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        self.end(offset, out);
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl LibtestJson {
    fn begin(&mut self, record: &Record, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if self.run.as_ref().is_some_and(|run| run.running() > 0) {
            self.inner += 1;
            return true;
        }
        self.end(at.start, out);
        let mut results = Results::new(at.start);
        results.expected = record.test_count;
        self.run = Some(results);
        true
    }

    fn suite(&mut self, record: &Record, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if self.inner > 0 {
            self.inner -= 1;
            return true;
        }
        let totals = Totals {
            passed: record.passed.saturating_add(record.measured),
            failed: record.failed,
            skipped: record.ignored,
        };
        if totals.sum() == 0 {
            let filtered = record.filtered_out;
            self.nothing = Some(format!("libtest ran 0 tests, {filtered} were filtered out"));
        }
        let run = self.run.take();
        let is_own = run.is_some();
        if let Some(run) = run {
            run.keep_announced(totals, at, out);
            run.close(totals, at, out);
        }
        is_own
    }

    fn test(&mut self, record: &Record, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let Some(run) = self.run.as_mut().filter(|_| self.inner == 0) else {
            return self.run.is_some();
        };
        let (package, name) = (self.package.as_str(), record.name.as_str());
        let status = match (record.r#type.as_str(), record.event.as_str()) {
            ("test", "started") => {
                run.start(package, name, at, out);
                return true;
            }
            ("test", "ok") | ("bench", _) => CaseStatus::Passed,
            ("test", "failed") => CaseStatus::Failed,
            ("test", "ignored") => CaseStatus::Skipped,
            _ => return true,
        };
        let mut result = TestResult::new(status);
        result.seconds = record.exec_time.as_ref().and_then(seconds);
        let said = [&record.message, &record.reason].into_iter().flatten();
        said.for_each(|said| result.explanation.add(said));
        panicked(record.stdout.as_deref().unwrap_or_default(), &mut result);
        run.end(package, name, result, at, out);
        true
    }

    /// Ends a suite whose process died.
    fn end(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        self.inner = 0;
        if let Some(run) = self.run.take() {
            run.die("the test's process", offset, out);
        }
    }
}

/// Parses a line that is an event and nothing else.
fn record(text: &str) -> Option<Record> {
    let text = text.trim();
    if !text.starts_with("{ \"type\": \"") && !text.starts_with("{\"type\":\"") {
        return None;
    }
    let record: Record = serde_json::from_str(text).ok()?;
    matches!(record.r#type.as_str(), "suite" | "test" | "bench").then_some(record)
}

fn seconds(value: &serde_json::Value) -> Option<f64> {
    let text = value.as_str().map(|text| text.trim_end_matches('s'));
    value.as_f64().or_else(|| text?.parse().ok())
}

/// Takes place and message of the first panic in a test's output.
fn panicked(stdout: &str, result: &mut TestResult) {
    let mut lines = stdout.lines();
    let Some(head) = lines.find_map(super::nextest::panic_place) else {
        return;
    };
    result.explanation.place(head.0, head.1);
    let message = lines.take_while(|line| {
        !line.is_empty() && *line != "stack backtrace:" && !line.starts_with("note: ")
    });
    message.for_each(|line| result.explanation.add(line));
}
