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

use foldhash::fast::RandomState;
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

/// The most places in a line at which an event is looked for.
const MOST_PLACES: usize = 16;

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
    import_path: String,
    /// Its name in cases; `None` for a package outside of the component.
    package: Option<String>,
    /// The second of the day at which it began.
    began: Option<u32>,
    /// True if it takes too long to come from the cache.
    live: bool,
    cached: bool,
    note: Option<String>,
    /// True if its start was seen.
    has_started: bool,
    /// The number of further runs of it that started before it ended.
    others: usize,
    /// The number of tests before a run inside of a test. Before Go 1.20 its lines became events.
    inner: Option<usize>,
}

/// Reads the events of all packages.
#[derive(Debug, Default)]
pub(in crate::parse) struct GoJson {
    running: HashMap<String, RunningPackage, RandomState>,
    /// The packages in the order of their first event. Ends are handed out in this order.
    order: Vec<String>,
}

impl GoJson {
    /// Takes a line. Returns `None` if no event is in it, else what else is in it.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> Option<Option<String>> {
        let (events, rest) = events(text);
        for event in &events {
            self.event(event, at, context, evidence, out);
        }
        (!events.is_empty()).then_some(rest)
    }

    fn event(
        &mut self,
        event: &TestEvent<'_>,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        if !event.import_path.is_empty() {
            if let Some(message) = builds::of_event(&event.output) {
                evidence.builds.add(&event.import_path, message);
            }
            return;
        }
        let import_path = event.package.as_ref();
        if !self.running.contains_key(import_path) {
            self.begin(import_path, at, context, evidence);
        }
        let Some(running) = self.running.get_mut(import_path) else {
            return;
        };
        if running.take(event, at, out) {
            self.close(import_path, event, at.end, evidence, out);
        }
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
            import_path: import_path.to_owned(),
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
        let Some(mut running) = self.running.remove(import_path) else {
            return;
        };
        match running.next_run(offset) {
            Some(other) => drop(self.running.insert(import_path.to_owned(), other)),
            None => self.order.retain(|other| other != import_path),
        }
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
        if event.action == "start" {
            self.others += usize::from(self.has_started);
            self.has_started = true;
        }
        let test = event.test.as_ref();
        if test.is_empty() {
            if !event.output.is_empty() {
                self.own_output(&event.output, at, out);
            }
            return status_of(&event.action).is_some();
        }
        if status_of(&event.action).is_some() {
            self.settle_inner(test);
        }
        let Some(package) = self.package.as_deref() else {
            return false;
        };
        match event.action.as_ref() {
            "run" => {
                let is_second = !test.contains('/') && self.suite.has_active() && self.others == 0;
                if is_second && self.inner.is_none() {
                    self.inner = Some(self.suite.len());
                }
                let known = Some(package).filter(|_| self.inner.is_none());
                self.suite.run(test, at.start, known, out);
            }
            "pause" => self.suite.pause(test, true),
            "cont" => self.suite.pause(test, false),
            "output" => self.output(test, &event.output, at, out),
            action => {
                if let Some(status) = status_of(action) {
                    let known = Some(package).filter(|_| self.inner.is_none());
                    self.suite
                        .result(test, (status, event.elapsed), at.start, known, out);
                    if self.live {
                        let count = self.inner.unwrap_or(usize::MAX);
                        self.suite.release(package, false, count, out);
                    }
                }
            }
        }
        self.suite.span(Some(test), at.start, at.end);
        false
    }

    /// Forgets the run inside of a test, if the last test ends that began before it.
    fn settle_inner(&mut self, test: &str) {
        if let Some(first) = self.inner
            && self.suite.active_before(first) <= 1
            && self.suite.is_running_before(test, first)
        {
            self.inner = None;
            self.suite.truncate(first);
        }
    }

    /// Returns the package as it goes on for another run of it that started before this one ended.
    fn next_run(&mut self, offset: u64) -> Option<Self> {
        let others = self.others.checked_sub(1)?;
        let mut suite = self.suite.split_open(offset);
        suite.lists_tests = true;
        Some(Self {
            suite,
            import_path: self.import_path.clone(),
            package: self.package.clone(),
            began: self.began,
            live: self.live,
            has_started: true,
            others,
            ..Self::default()
        })
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
            let count = self.inner.unwrap_or(usize::MAX);
            self.suite.release(package, false, count, out);
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

    /// Takes a result in the package's own output. A failure counts although no event tells of its
    /// test.
    fn own_result(
        &mut self,
        name: &str,
        result: super::TestResult,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) {
        if self.suite.is_running(name) {
            self.suite.hint(name, result);
        } else if result.0 == CaseStatus::Failed
            && !self.suite.has_active()
            && !self.suite.knows(name)
        {
            let package = self.package.as_deref();
            self.suite.result(name, result, at.start, package, out);
        }
    }

    /// Returns true if the line is about this package, and not about one that a test has tested.
    fn is_own(&self, closing: &grammar::PackageResult<'_>) -> bool {
        let path = closing.import_path;
        !self.suite.has_active() && self.import_path == path
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
            if let Some((_, Frame::Result(name, result))) = grammar::frame(&line) {
                self.own_result(name, result, at, out);
            }
            if let Some(closing) = grammar::closing(&line).filter(|closing| self.is_own(closing)) {
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

/// Parses the events in a line, and returns them with the text between them, if there is any.
fn events(text: &str) -> (Vec<TestEvent<'_>>, Option<String>) {
    let text = text.trim_end();
    if text.starts_with("{\"")
        && text.ends_with('}')
        && let Ok(event) = serde_json::from_str(text)
    {
        return (Some(event).filter(is_event).into_iter().collect(), None);
    }
    let (mut events, mut rest, mut from) = (Vec::new(), String::new(), 0);
    if !text.contains("\"Action\":") {
        return (events, None);
    }
    for at in memchr::memmem::find_iter(text.as_bytes(), "{\"").take(MOST_PLACES) {
        let Some(behind) = text.get(at..).filter(|_| at >= from) else {
            continue;
        };
        let mut values = serde_json::Deserializer::from_str(behind).into_iter();
        if let Some(Ok(event)) = values.next()
            && is_event(&event)
        {
            rest.push_str(&text[from..at]);
            from = at + values.byte_offset();
            events.push(event);
        }
    }
    rest.push_str(&text[from..]);
    (events, Some(rest).filter(|rest| !rest.trim().is_empty()))
}

fn is_event(event: &TestEvent<'_>) -> bool {
    !event.package.is_empty() || !event.import_path.is_empty()
}

/// Returns the second of the day of `2026-11-23T06:46:56.735Z`.
fn clock(time: &str) -> Option<u32> {
    let mut parts = time.get(11..19)?.split(':').map(|part| part.parse().ok());
    let (hours, minutes, seconds): (u32, u32, u32) =
        (parts.next()??, parts.next()??, parts.next()??);
    (hours < 24 && minutes < 60 && seconds < 61).then_some(hours * 3600 + minutes * 60 + seconds)
}
