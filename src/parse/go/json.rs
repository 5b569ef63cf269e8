//! Reads `go test -json`: the events of test2json, of several packages at a time, between any other
//! lines.
//!
//! A line that cannot be read (cut, or two written into one another) is passed over. If it held the
//! end of a test, that is taken from the test's own output.
//!
//! Ends are held back until the package's end, which tells whether they came from Go's cache. They
//! are held no longer than [`PATIENCE`]: a package that takes longer is a real run.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::builds;
use super::grammar;
use super::grammar::Frame;
use super::package;
use super::{PackageEnd, PackageSuite};
use crate::model::CaseStatus;
use crate::parse::CaseContext;
use crate::parse::evidence::Evidence;
use crate::parse::finding::{CaseDetails, CaseSink};
use crate::parse::lines::Line;
use crate::text::printable;

/// The seconds of a package's own clock after which it cannot be a replay from the cache.
const PATIENCE: u32 = 2;

/// The seconds of a day.
const DAY: u32 = 86_400;

/// One event, as `go doc test2json` describes it; `FailedBuild` and the `build-` actions exist
/// since Go 1.24. Absent texts are empty, because only a plain `Cow` is borrowed without a copy.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TestEvent<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    time: Cow<'a, str>,
    #[serde(borrow, default)]
    package: Cow<'a, str>,
    #[serde(borrow, default)]
    import_path: Cow<'a, str>,
    #[serde(borrow, default)]
    test: Cow<'a, str>,
    #[serde(borrow, default)]
    output: Cow<'a, str>,
    #[serde(borrow, default)]
    failed_build: Cow<'a, str>,
    #[serde(default)]
    elapsed: Option<f64>,
}

/// A package between its start and its end.
#[derive(Debug, Default)]
struct RunningPackage {
    suite: PackageSuite,
    /// Its name in cases; `None` for a package outside of the component.
    package: Option<String>,
    /// The second of the day at which it began.
    began: Option<u32>,
    /// True if it takes too long to come from the cache.
    live: bool,
    cached: bool,
    note: Option<String>,
}

/// Reads the events of all packages.
#[derive(Debug, Default)]
pub(in crate::parse) struct GoJson {
    running: HashMap<String, RunningPackage>,
    /// The packages in the order of their first event. Ends are handed out in this order.
    order: Vec<String>,
}

impl GoJson {
    /// Takes a line. Returns true if it was an event.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        let Some(event) = event(text) else {
            return false;
        };
        if !event.import_path.is_empty() {
            if let Some(message) = builds::of_event(&event.output) {
                evidence.builds.add(&event.import_path, message);
            }
            return true;
        }
        let import_path = event.package.as_ref();
        if import_path.is_empty() {
            return false;
        }
        if !self.running.contains_key(import_path) {
            self.begin(import_path, at, context, evidence);
        }
        let Some(running) = self.running.get_mut(import_path) else {
            return true;
        };
        if running.take(&event, at, out) {
            self.close(import_path, &event, at.end, evidence, out);
        }
        true
    }

    fn begin(
        &mut self,
        import_path: &str,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
    ) {
        evidence.go_package(import_path);
        self.order.push(import_path.to_owned());
        let running = RunningPackage {
            suite: PackageSuite::listing(at.start),
            package: package::package(context, import_path).map(str::to_owned),
            ..RunningPackage::default()
        };
        self.running.insert(import_path.to_owned(), running);
    }

    fn close(
        &mut self,
        import_path: &str,
        event: &TestEvent<'_>,
        offset: u64,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        let Some(running) = self.running.remove(import_path) else {
            return;
        };
        self.order.retain(|other| other != import_path);
        evidence.go_end(import_path);
        evidence.go_failed |= event.action == "fail";
        let failed = match event.failed_build.as_ref() {
            "" => import_path,
            failed => failed,
        };
        let note = running.note.as_deref();
        let note = (!running.suite.has_tests()).then_some(note).flatten();
        let build = evidence.builds.explain(failed, note);
        let status = if running.suite.has_tests() {
            None
        } else {
            untested(running.note.as_deref())
        };
        if running.package.is_some() {
            evidence.go_note(running.note.as_deref());
        }
        let end = PackageEnd {
            status: status.or(status_of(&event.action)),
            seconds: event.elapsed,
            cached: running.cached,
            message: build.or(running
                .note
                .map(|note| CaseDetails::saying(&format!("[{note}]")))),
            offset,
        };
        if let Some(package) = &running.package {
            running.suite.end(package, end, out);
        }
    }

    /// Ends the packages that never ended, because the output is over.
    pub(in crate::parse) fn finish(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        for import_path in std::mem::take(&mut self.order) {
            let running = self.running.remove(&import_path).unwrap_or_default();
            if let Some(package) = &running.package {
                let end = PackageEnd {
                    offset,
                    ..PackageEnd::default()
                };
                running.suite.end(package, end, out);
            }
        }
    }
}

impl RunningPackage {
    /// Takes an event of the package. Returns true if it is the package's end.
    fn take(&mut self, event: &TestEvent<'_>, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        self.watch(event, out);
        let test = event.test.as_ref();
        if test.is_empty() {
            if !event.output.is_empty() {
                self.own_output(&event.output, at, out);
            }
            return status_of(&event.action).is_some();
        }
        let Some(package) = self.package.as_deref() else {
            return false;
        };
        match event.action.as_ref() {
            "run" => {
                self.suite.run(test, at.start, Some(package), out);
            }
            "output" => self.output(test, &event.output, at, out),
            action => {
                if let Some(status) = status_of(action) {
                    self.suite
                        .result(test, (status, event.elapsed), at.start, Some(package), out);
                    if self.live {
                        self.suite.release(package, false, out);
                    }
                }
            }
        }
        self.suite.span(Some(test), at.start, at.end);
        false
    }

    /// Checks the package's clock.
    fn watch(&mut self, event: &TestEvent<'_>, out: &mut CaseSink<'_>) {
        if self.live {
            return;
        }
        let Some(now) = clock(&event.time) else {
            return;
        };
        let began = *self.began.get_or_insert(now);
        // The clock restarts at midnight.
        self.live = (now + DAY - began) % DAY > PATIENCE;
        if let (true, Some(package)) = (self.live, &self.package) {
            self.suite.release(package, false, out);
        }
    }

    fn output(&mut self, test: &str, output: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.suite.switch_to_same(test);
        for line in pieces(output) {
            let line = printable(line.as_bytes());
            if grammar::benchmark(&line).is_some_and(|name| name == test) {
                self.suite.hint(test, (CaseStatus::Passed, None));
            }
            match grammar::frame(&line) {
                Some((_, Frame::Result(name, result))) if name == test => {
                    self.suite.hint(name, result);
                }
                _ => self
                    .suite
                    .line(&line, at.start, self.package.as_deref(), out),
            }
        }
    }

    fn own_output(&mut self, output: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.suite.switch_to(None);
        for line in pieces(output) {
            let line = printable(line.as_bytes());
            if let Some(name) = grammar::benchmark(&line)
                && let Some(package) = self.package.as_deref()
                && !self.suite.knows(name)
            {
                let passed = (CaseStatus::Passed, None);
                self.suite.run(name, at.start, Some(package), out);
                self.suite
                    .result(name, passed, at.start, Some(package), out);
            }
            if let Some((_, Frame::Result(name, result))) = grammar::frame(&line)
                && self.suite.is_running(name)
            {
                self.suite.hint(name, result);
            }
            if let Some(closing) = grammar::closing(&line) {
                self.cached = closing.cached;
                self.note = closing.note.map(str::to_owned);
            } else {
                self.suite
                    .line(&line, at.start, self.package.as_deref(), out);
            }
        }
    }
}

fn pieces(output: &str) -> impl Iterator<Item = &str> {
    let output = output.strip_suffix('\n').unwrap_or(output);
    output
        .split(['\n', '\r'])
        .filter(move |piece| !piece.is_empty() || output.is_empty())
}

fn status_of(action: &str) -> Option<CaseStatus> {
    match action {
        "pass" | "bench" => Some(CaseStatus::Passed),
        "fail" => Some(CaseStatus::Failed),
        "skip" => Some(CaseStatus::Skipped),
        _ => None,
    }
}

/// Returns `Skipped` for a package that reports that it tested nothing, although Go calls it
/// passed.
fn untested(note: Option<&str>) -> Option<CaseStatus> {
    matches!(note?, "no test files" | "no tests to run").then_some(CaseStatus::Skipped)
}

/// Parses the event in a line, possibly after other output.
fn event(text: &str) -> Option<TestEvent<'_>> {
    let text = text.trim_end();
    if !text.ends_with('}') {
        return None;
    }
    if text.starts_with("{\"")
        && let Ok(event) = serde_json::from_str(text)
    {
        return Some(event);
    }
    if !text.contains("\"Action\":") {
        return None;
    }
    memchr::memmem::find_iter(text.as_bytes(), "{\"")
        .take(8)
        .find_map(|at| serde_json::from_str(text.get(at..)?).ok())
}

/// Returns the second of the day of `2026-11-23T06:46:56.735Z`.
fn clock(time: &str) -> Option<u32> {
    let mut parts = time.get(11..19)?.split(':').map(|part| part.parse().ok());
    let (hours, minutes, seconds): (u32, u32, u32) =
        (parts.next()??, parts.next()??, parts.next()??);
    (hours < 24 && minutes < 60 && seconds < 61).then_some(hours * 3600 + minutes * 60 + seconds)
}
