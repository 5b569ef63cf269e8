//! Reads `go test` as text, with `-v` and without.
//!
//! The text names a package only where it ends. Kata's go-test.sh runs one package at a time and
//! announces it: then the start of a test is handed out at once. Otherwise starts are held back
//! with the ends, until the package's own line or the end of the output.
//!
//! With `-v` a test at the margin that starts while another one runs belongs to a run inside of
//! that test, or to a second run in the same log. An inner run is over before its test ends, and is
//! forgotten. Of two runs side by side each test is kept.

use super::grammar;
use super::grammar::{Frame, OutputSwitch, PackageResult};
use super::package;
use super::{PackageEnd, PackageSuite};
use crate::model::CaseStatus;
use crate::parse::CaseContext;
use crate::parse::evidence::Evidence;
use crate::parse::finding::{CaseDetails, CaseSink, WHOLE_PACKAGE};
use crate::parse::lines::Line;

/// The most packages without tests that wait for a sign of `-v`.
const MOST_HELD: usize = 64;

/// A run that seems to be inside of a running test.
#[derive(Debug, Clone, Copy)]
struct InnerRun {
    /// The number of tests before it.
    first: usize,
    /// True if its first test has the name of one that runs: it may be a second run.
    is_namesake: bool,
    /// True if its `PASS` or `FAIL` was seen.
    is_over: bool,
}

/// A package that ended without tests.
#[derive(Debug)]
struct BarePackage {
    package: String,
    suite: PackageSuite,
    end: PackageEnd,
}

/// Reads the lines of `go test`.
#[derive(Debug, Default)]
pub(in crate::parse) struct GoText {
    suite: PackageSuite,
    /// The announced package, as cases name it. The inner `None` stands for a package outside of
    /// the component.
    announced: Option<Option<String>>,
    /// The offset at which the lines of the current test begin.
    since: u64,
    /// True if `=== RUN` was seen. Then results of other tests are quotations.
    verbose: bool,
    /// True if this run is known to list each test.
    lists_tests: bool,
    held: Vec<BarePackage>,
    inner: Option<InnerRun>,
    /// True if an inner run without `-v` told of a test.
    is_inner_told: bool,
    /// True if two runs share the log.
    is_shared: bool,
    /// The place of a `PASS` that no package's line has followed.
    bare_pass: Option<(u64, u64)>,
    /// True if the test binary said that it has no tests to run.
    no_tests: bool,
}

impl GoText {
    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.suite.wants_all()
    }

    /// Returns true if a test is running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.suite.has_running() || self.is_in_test()
    }

    /// Returns true if a test is visibly running: its start was seen, and not its end.
    pub(in crate::parse) fn is_in_test(&self) -> bool {
        self.verbose && self.suite.has_active()
    }

    /// Forgets the tests that no package's line has named: another program told them in its words.
    pub(in crate::parse) fn withdraw(&mut self, offset: u64) {
        if self.announced.is_none() {
            self.suite = PackageSuite::new(offset);
            self.verbose = false;
            (self.inner, self.bare_pass, self.no_tests) = (None, None, false);
        }
    }

    /// Takes a line. Returns true if it was one of `go test`'s own.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if let Some(import_path) = grammar::announcement(text) {
            self.end_suite(at.start, out);
            self.announced = (!import_path.contains("..."))
                .then(|| package::package(context, import_path).map(str::to_owned));
            self.lists_tests = grammar::lists_tests(text);
            self.suite = PackageSuite::new(at.start);
            return true;
        }
        if text.trim_start().starts_with("go test ") && !self.is_in_test() {
            self.hand_out_held(false, out);
            self.lists_tests = grammar::lists_tests(text);
        }
        let closing = grammar::closing(text).or_else(|| grammar::glued_closing(text));
        if let Some(closing) = closing {
            if !self.ends_inner(&closing) {
                evidence.go_end(closing.import_path);
                evidence.go_failed |= closing.status == CaseStatus::Failed;
                if package::package(context, closing.import_path).is_some() {
                    evidence.go_note(closing.note);
                }
                self.close(&closing, at, context, evidence, out);
            }
            return true;
        }
        match grammar::frame(text) {
            Some((before, frame)) if self.is_credible(before, frame) => {
                evidence.builds.end_heading();
                self.frame(frame, at, out);
                true
            }
            _ => self.last_word(text, at, out) || self.output(text, at, evidence, out),
        }
    }

    /// Returns true if a frame is genuine. Behind other output on its line it must fit the running
    /// tests.
    fn is_credible(&self, before: &str, frame: Frame<'_>) -> bool {
        if before.trim().is_empty() {
            return true;
        }
        match frame {
            Frame::Result(name, _) => {
                self.suite.is_running(name) || (!self.verbose && grammar::is_test_name(name))
            }
            Frame::OutputSwitch(OutputSwitch::Run(name)) => grammar::is_test_name(name),
            Frame::OutputSwitch(OutputSwitch::To(name) | OutputSwitch::Pause(name)) => {
                self.suite.is_running(name)
            }
            Frame::OutputSwitch(OutputSwitch::Away) => false,
        }
    }

    fn frame(&mut self, frame: Frame<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        if let Frame::Result(name, _) = frame
            && self.is_of_inner(name)
        {
            self.is_inner_told = true;
            return;
        }
        self.suite.span(None, self.since, at.start);
        self.since = at.start;
        match frame {
            Frame::OutputSwitch(OutputSwitch::Run(name)) => self.run(name, at, out),
            Frame::OutputSwitch(OutputSwitch::To(name)) => {
                self.suite.pause(name, false);
                self.suite.switch_to(Some(name));
            }
            Frame::OutputSwitch(OutputSwitch::Pause(name)) => {
                self.suite.pause(name, true);
                self.suite.switch_to(None);
            }
            Frame::OutputSwitch(OutputSwitch::Away) => self.suite.switch_to(None),
            Frame::Result(name, result) => {
                self.settle_inner(name);
                let package = self.announced.as_ref().and_then(Option::as_deref);
                self.suite.result(name, result, at.start, package, out);
                self.suite.switch_to(Some(name));
            }
        }
    }

    fn run(&mut self, name: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.hand_out_held(true, out);
        (self.verbose, self.lists_tests) = (true, true);
        self.bare_pass = None;
        let is_second = !name.contains('/') && self.suite.has_active() && !self.is_shared;
        if is_second && self.inner.is_none() {
            self.inner = Some(InnerRun {
                first: self.suite.len(),
                is_namesake: self.suite.is_running(name),
                is_over: false,
            });
        }
        let package = self.announced.as_ref().and_then(Option::as_deref);
        let package = package.filter(|_| self.inner.is_none());
        self.suite.run(name, at.start, package, out);
        self.suite.switch_to(Some(name));
    }

    /// Returns true if a result is that of a run without `-v` inside of a running test.
    fn is_of_inner(&self, name: &str) -> bool {
        self.is_in_test() && !self.is_shared && !self.suite.is_running(name)
    }

    /// Decides what the inner run was, if a test ends that began before it.
    fn settle_inner(&mut self, name: &str) {
        let Some(inner) = self.inner else {
            return;
        };
        if self.suite.is_running_before(name, inner.first) {
            self.inner = None;
            match inner.is_over {
                true => self.suite.truncate(inner.first),
                false => self.is_shared = true,
            }
        }
    }

    /// Takes `PASS` and `FAIL`, the last words of a test binary.
    fn last_word(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let word = text.trim_end();
        self.no_tests |= word == "testing: warning: no tests to run";
        if !matches!(word, "PASS" | "FAIL") {
            return false;
        }
        if self.is_in_test() && !self.is_shared {
            if let Some(inner) = &mut self.inner {
                inner.is_over = true;
            }
            return true;
        }
        if word == "PASS" && !self.suite.has_tests() {
            self.hand_out_pass(out);
            self.bare_pass = Some((at.start, at.end));
        }
        false
    }

    /// Reports the test binary whose only word was `PASS`.
    fn hand_out_pass(&mut self, out: &mut CaseSink<'_>) {
        let no_tests = std::mem::take(&mut self.no_tests);
        if let Some((start, end)) = self.bare_pass.take() {
            let (status, mut details) = match no_tests {
                true => (
                    CaseStatus::Skipped,
                    CaseDetails::saying("[no tests to run]"),
                ),
                false => (CaseStatus::Passed, CaseDetails::default()),
            };
            details.spans.add(start, end);
            out.both("", WHOLE_PACKAGE, start, status, details);
        }
    }

    fn output(
        &mut self,
        text: &str,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if evidence.builds.line(text) {
            return false;
        }
        let package = self.announced.as_ref().and_then(Option::as_deref);
        if let Some(name) = grammar::benchmark(text).filter(|_| !self.is_inside()) {
            if !self.suite.knows(name) {
                self.suite.run(name, at.start, package, out);
            }
            if self.suite.is_running(name) {
                let passed = (CaseStatus::Passed, None);
                self.suite.result(name, passed, at.start, package, out);
            }
            return true;
        }
        self.suite.line(text, at.start, package, out);
        false
    }

    /// Returns true if a test runs that is no benchmark.
    fn is_inside(&self) -> bool {
        self.is_in_test() && self.inner.is_some()
    }

    /// Takes the line of a package that an inner run printed. Returns true if it was one.
    fn ends_inner(&mut self, closing: &PackageResult<'_>) -> bool {
        if !self.is_in_test() || self.is_shared {
            return false;
        }
        let inner = self.inner.take();
        let told = std::mem::take(&mut self.is_inner_told);
        let is_unbuilt = closing.note.is_some_and(|note| note.ends_with(" failed"));
        let failed = closing.status == CaseStatus::Failed && !is_unbuilt;
        match inner {
            Some(inner) if inner.is_namesake => self.is_shared = true,
            Some(inner) if inner.is_over || !failed => self.suite.truncate(inner.first),
            None if told || !failed => {}
            _ => return false,
        }
        !self.is_shared
    }

    fn close(
        &mut self,
        closing: &PackageResult<'_>,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        self.suite.span(None, self.since, at.start);
        let rest = match self.is_shared && self.suite.has_active() {
            true => self.suite.split_open(at.end),
            false => {
                (self.verbose, self.is_shared) = (false, false);
                PackageSuite::new(at.end)
            }
        };
        let suite = std::mem::replace(&mut self.suite, rest);
        let build = evidence.builds.explain(closing.import_path, closing.note);
        self.since = at.end;
        (self.inner, self.bare_pass, self.no_tests) = (None, None, false);
        let end = package_end(closing, build, at.end);
        let announced = self.announced.take();
        match (package::package(context, closing.import_path), announced) {
            (Some(package), None) => self.end_package(package, suite, end, out),
            (Some(package), Some(_)) => self.hand_out(package, suite, end, out),
            (None, Some(Some(announced))) if suite.has_tests() => suite.end(&announced, end, out),
            _ => {}
        }
    }

    /// Ends a package. One without tests waits, if the lines after it may show that `-v` is on.
    fn end_package(
        &mut self,
        package: &str,
        suite: PackageSuite,
        end: PackageEnd,
        out: &mut CaseSink<'_>,
    ) {
        let is_bare = !suite.has_tests() && end.status != Some(CaseStatus::Failed);
        if !is_bare || self.lists_tests || self.held.len() >= MOST_HELD {
            self.hand_out_held(false, out);
            return self.hand_out(package, suite, end, out);
        }
        self.held.push(BarePackage {
            package: package.to_owned(),
            suite,
            end,
        });
    }

    fn hand_out(
        &self,
        package: &str,
        mut suite: PackageSuite,
        end: PackageEnd,
        out: &mut CaseSink<'_>,
    ) {
        suite.lists_tests = self.lists_tests;
        suite.end(package, end, out);
    }

    fn hand_out_held(&mut self, lists_tests: bool, out: &mut CaseSink<'_>) {
        for mut held in std::mem::take(&mut self.held) {
            held.suite.lists_tests = lists_tests;
            held.suite.end(&held.package, held.end, out);
        }
    }

    /// Ends the current package without its own line, because another package begins or the output
    /// is over.
    pub(in crate::parse) fn end_suite(&mut self, offset: u64, out: &mut CaseSink<'_>) {
        self.hand_out_held(false, out);
        self.hand_out_pass(out);
        self.suite.span(None, self.since, offset);
        self.since = offset;
        let suite = std::mem::replace(&mut self.suite, PackageSuite::new(offset));
        (self.verbose, self.is_shared, self.inner) = (false, false, None);
        let end = PackageEnd {
            offset,
            ..PackageEnd::default()
        };
        match self.announced.take() {
            Some(Some(package)) => suite.end(&package, end, out),
            Some(None) => {}
            None if suite.has_tests() => suite.end("", end, out),
            None => {}
        }
    }
}

fn package_end(closing: &PackageResult<'_>, build: Option<CaseDetails>, offset: u64) -> PackageEnd {
    let note = closing
        .note
        .map(|note| CaseDetails::saying(&format!("[{note}]")));
    PackageEnd {
        status: Some(closing.status),
        seconds: closing.seconds,
        cached: closing.cached,
        message: build.or(note),
        offset,
    }
}
