//! Reads `go test` as text, with `-v` and without.
//!
//! The text names a package only where it ends. Kata's go-test.sh runs one package at a time and
//! announces it: then the start of a test is handed out at once. Otherwise starts are held back
//! with the ends, until the package's own line or the end of the output.
//!
//! With `-v` a test at the margin that starts while another one runs belongs to a run inside of
//! that test, or to a second run in the same log. An inner run is over before its test ends, and is
//! forgotten. Of two runs side by side each test is kept. A package that ends while one of its
//! tests runs is put by: if that test still ends, the line was that of an inner run, and if not,
//! the test ended its process.

use super::grammar;
use super::grammar::{Frame, OutputSwitch, PackageResult};
use super::package;
use super::{PackageEnd, PackageSuite};
use crate::model::CaseStatus;
use crate::parse::CaseContext;
use crate::parse::evidence::Evidence;
use crate::parse::finding::{CaseDetails, CaseSink, WHOLE_PACKAGE};
use crate::parse::lines::Line;
use crate::parse::marks::Marks;

/// The most packages without tests that wait for a sign of `-v`.
const MOST_HELD: usize = 64;
/// The most packages that wait for the end of a test.
const MOST_PUT_BY: usize = 64;

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

/// A `PASS` before which no test was seen.
#[derive(Debug)]
struct BarePass {
    start: u64,
    end: u64,
    /// True if the test binary said that it has no tests to run.
    has_no_tests: bool,
}

/// A package whose line came while one of its tests ran.
#[derive(Debug)]
struct PutBy {
    suite: PackageSuite,
    /// The number of tests before an inner run, if one was seen to start.
    first: Option<usize>,
    closed: Closed,
    /// The offset at which the lines of the running test begin.
    since: u64,
}

/// The line of a package.
#[derive(Debug, Clone)]
struct Closed {
    import_path: String,
    note: Option<String>,
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
    /// True if every run of the job is known to, unless its flags are seen.
    always_lists: bool,
    held: Vec<BarePackage>,
    inner: Option<InnerRun>,
    /// True if two runs share the log.
    is_shared: bool,
    /// The number of times that a test binary said its last word while two runs may share the log.
    last_words: usize,
    put_by: Vec<PutBy>,
    /// The import path in the last line of a package. One run of go test has them in order.
    last_path: String,
    /// The place of a `PASS` that no package's line has followed.
    bare_pass: Option<BarePass>,
    /// True if the test binary said that it has no tests to run.
    no_tests: bool,
}

impl GoText {
    /// Makes a reader for a job of which every run is known to list each test, or not.
    pub(in crate::parse) fn new(always_lists: bool) -> Self {
        Self {
            always_lists,
            ..Self::default()
        }
    }

    /// Returns true if the next line is wanted, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.suite.wants_all()
    }

    /// Returns true if a test is running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.suite.has_running() || self.is_inside()
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
            self.put_by.clear();
        }
    }

    /// Returns true if a line may be output of a test that was seen to start.
    pub(in crate::parse) fn is_inside(&self) -> bool {
        self.is_in_test() || !self.put_by.is_empty()
    }

    /// Takes a line. Returns true if it was one of `go test`'s own.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        marks: Marks,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        let may_run = marks.has(Marks::GO_RUN);
        if may_run && let Some(import_path) = grammar::announcement(text) {
            self.end_suite(at.start, context, evidence, out);
            self.announced = (!import_path.contains("..."))
                .then(|| package::package(context, import_path).map(str::to_owned));
            self.lists_tests = grammar::lists_tests(text);
            self.suite = PackageSuite::new(at.start);
            return true;
        }
        if may_run && text.trim_start().starts_with("go test ") && !self.is_in_test() {
            self.hand_out_held(false, out);
            self.lists_tests = grammar::lists_tests(text);
        }
        let may_end = marks.has(Marks::GO_END);
        let closing = may_end.then(|| grammar::closing_in_line(text)).flatten();
        if let Some((before, closing)) = closing {
            self.framed(before, at, evidence, out);
            let closed = closed(&closing, at.end, evidence);
            if !self.puts_by(&closed, at, context) {
                self.close(closed, at, context, evidence, out);
            }
            return true;
        }
        marks.has(Marks::GO_FRAME) && self.framed(text, at, evidence, out)
            || marks.has(Marks::GO_WORD) && self.last_word(text, at, out)
            || self.output(text, marks, at, evidence, out)
    }

    /// Takes a line about a test. Returns false for any other line.
    fn framed(
        &mut self,
        text: &str,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        match grammar::frame(text) {
            Some((before, frame)) if self.is_credible(text, before, frame) => {
                evidence.builds.end_heading();
                self.frame(frame, at, out);
                true
            }
            _ => false,
        }
    }

    /// Returns true if a frame is genuine. Behind other output on its line it must fit the running
    /// tests.
    fn is_credible(&self, text: &str, before: &str, frame: Frame<'_>) -> bool {
        if before.trim().is_empty() {
            return true;
        }
        match frame {
            Frame::Result(name, (status, _)) => {
                let is_unseen = !self.verbose
                    || status == CaseStatus::Failed && !self.is_in_test() && !text.starts_with(' ');
                self.suite.is_running(name) || is_unseen && grammar::is_test_name(name)
            }
            Frame::OutputSwitch(OutputSwitch::Run(name)) => grammar::is_test_name(name),
            Frame::OutputSwitch(OutputSwitch::To(name) | OutputSwitch::Pause(name)) => {
                self.suite.is_running(name)
            }
            Frame::OutputSwitch(OutputSwitch::Away) => false,
        }
    }

    fn frame(&mut self, frame: Frame<'_>, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.resume(frame);
        if let Frame::Result(name, _) = frame
            && self.is_of_inner(name)
        {
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
                let is_inner = self.inner.is_some() || !self.put_by.is_empty();
                let package = known(&self.announced, is_inner);
                self.suite.result(name, result, at.start, package, out);
                self.suite.switch_to(Some(name));
            }
        }
    }

    fn run(&mut self, name: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        (self.verbose, self.lists_tests) = (true, true);
        self.suite.lists_tests = true;
        self.bare_pass = None;
        let is_second = !name.contains('/') && self.suite.has_active() && !self.is_shared;
        if is_second && self.inner.is_none() {
            self.inner = Some(InnerRun {
                first: self.suite.len(),
                is_namesake: self.suite.is_running(name),
                is_over: false,
            });
        }
        let package = known(
            &self.announced,
            self.inner.is_some() || !self.put_by.is_empty(),
        );
        self.suite.run(name, at.start, package, out);
        self.suite.switch_to(Some(name));
    }

    /// Goes back to the test that seemed to be over with its package, if a line shows that it still
    /// runs.
    fn resume(&mut self, frame: Frame<'_>) {
        let name = match frame {
            Frame::Result(name, _)
            | Frame::OutputSwitch(OutputSwitch::To(name) | OutputSwitch::Pause(name)) => name,
            Frame::OutputSwitch(_) => return,
        };
        if self.suite.is_running(name) {
            return;
        }
        let of_it = |put_by: &PutBy| put_by.suite.is_running(name);
        let Some(index) = self.put_by.iter().position(of_it) else {
            return;
        };
        let put_by = self.put_by.drain(index..).next();
        let Some(mut put_by) = put_by else {
            return;
        };
        if let Some(first) = put_by.first {
            put_by.suite.truncate(first);
        }
        put_by.suite.resume(name, std::mem::take(&mut self.suite));
        (self.suite, self.since) = (put_by.suite, put_by.since);
        (self.verbose, self.inner) = (true, None);
    }

    /// Returns true if a result is that of a run without `-v` inside of a running test.
    fn is_of_inner(&self, name: &str) -> bool {
        self.is_in_test() && !self.is_shared && !self.suite.is_running(name)
    }

    /// Decides what the inner run was, if the last test ends that began before it.
    fn settle_inner(&mut self, name: &str) {
        let Some(inner) = self.inner else {
            return;
        };
        let is_last = self.suite.active_before(inner.first) <= 1;
        if is_last && self.suite.is_running_before(name, inner.first) {
            self.inner = None;
            if inner.is_over {
                return self.suite.truncate(inner.first);
            }
            self.is_shared = true;
            if !inner.is_namesake {
                self.suite.doubt(inner.first);
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
        self.last_words += 1;
        if word == "PASS" && !self.suite.has_tests() && self.put_by.is_empty() {
            self.hand_out_pass(out);
            self.bare_pass = Some(BarePass {
                start: at.start,
                end: at.end,
                has_no_tests: std::mem::take(&mut self.no_tests),
            });
        }
        false
    }

    /// Reports the test binary whose only word was `PASS`.
    fn hand_out_pass(&mut self, out: &mut CaseSink<'_>) {
        if let Some(pass) = self.bare_pass.take() {
            let (status, mut details) = match pass.has_no_tests {
                true => (
                    CaseStatus::Skipped,
                    CaseDetails::saying("[no tests to run]"),
                ),
                false => (CaseStatus::Passed, CaseDetails::default()),
            };
            details.spans.add(pass.start, pass.end);
            out.both("", WHOLE_PACKAGE, pass.start, status, details);
        }
    }

    fn output(
        &mut self,
        text: &str,
        marks: Marks,
        at: Line<'_>,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if evidence.builds.line(text, self.has_running()) {
            return false;
        }
        let is_inner = self.inner.is_some() || !self.put_by.is_empty();
        let package = known(&self.announced, is_inner);
        let benchmark = marks
            .has(Marks::GO_BENCHMARK)
            .then(|| grammar::benchmark(text));
        if let Some(name) = benchmark.flatten().filter(|_| !self.is_in_inner()) {
            if !self.suite.knows(name) {
                self.suite.run(name, at.start, package, out);
            }
            if self.suite.is_running(name) {
                let passed = (CaseStatus::Passed, None);
                self.suite.result(name, passed, at.start, package, out);
            }
            return true;
        }
        if let Some(inner) = &mut self.inner {
            inner.is_over |= text.starts_with("panic: ") || text.starts_with("fatal error: ");
        }
        self.suite.line(text, at.start, package, out);
        false
    }

    /// Returns true if a run inside of a test is under way.
    fn is_in_inner(&self) -> bool {
        self.is_in_test() && self.inner.is_some()
    }

    /// Puts the package by if one of its tests runs. Returns false if the line is not that of a run
    /// inside of the test.
    fn puts_by(&mut self, closed: &Closed, at: Line<'_>, context: &CaseContext) -> bool {
        if !self.is_in_test() || self.is_shared || self.put_by.len() >= MOST_PUT_BY {
            return false;
        }
        let package = package::package(context, &closed.import_path);
        let is_announced = (self.announced.as_ref()).is_some_and(|own| own.as_deref() == package);
        let inner = self.inner.take();
        self.is_shared = inner.is_some_and(|inner| inner.is_namesake && !inner.is_over);
        if self.is_shared || is_announced && inner.is_none() {
            return false;
        }
        self.put_by.push(PutBy {
            suite: std::mem::replace(&mut self.suite, PackageSuite::new(at.end)),
            first: inner.map(|inner| inner.first),
            closed: closed.clone(),
            since: self.since,
        });
        self.since = at.end;
        true
    }

    /// Ends the packages that were put by: the tests that ran then have ended their processes.
    fn close_put_by(
        &mut self,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        for put_by in std::mem::take(&mut self.put_by) {
            let current = std::mem::replace(&mut self.suite, put_by.suite);
            let end = put_by.closed.end.offset;
            self.suite.span(None, put_by.since, end);
            self.hand_out_closed(put_by.closed, context, evidence, out);
            self.suite = current;
        }
    }

    fn close(
        &mut self,
        closed: Closed,
        at: Line<'_>,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        self.suite.span(None, self.since, at.start);
        let is_shared = std::mem::take(&mut self.is_shared);
        if is_shared && self.last_words < 2 && !self.suite.has_certain() {
            self.suite.forget_doubtful();
        }
        let rest = (is_shared && self.suite.has_active()).then(|| self.suite.split_open(at.end));
        // A binary that passed and named no test does not list them, whatever the flags say.
        self.always_lists &= (self.bare_pass.as_ref()).is_none_or(|pass| pass.has_no_tests);
        (self.inner, self.bare_pass, self.no_tests) = (None, None, false);
        self.since = at.end;
        if self.put_by.is_empty() {
            self.hand_out_closed(closed, context, evidence, out);
        } else {
            self.put_by.push(PutBy {
                suite: std::mem::take(&mut self.suite),
                first: None,
                closed,
                since: at.end,
            });
        }
        self.is_shared = rest.is_some();
        self.verbose = self.is_shared;
        self.last_words = 0;
        self.suite = rest.unwrap_or_else(|| PackageSuite::new(at.end));
    }

    /// Hands out the current suite as that of the package.
    fn hand_out_closed(
        &mut self,
        closed: Closed,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        let suite = std::mem::take(&mut self.suite);
        evidence.go_end(&closed.import_path);
        evidence.go_failed |= closed.end.status == Some(CaseStatus::Failed);
        let announced = self.announced.take();
        let package = package::package(context, &closed.import_path).map(str::to_owned);
        if package.is_some() {
            evidence.go_note(closed.note.as_deref());
        }
        match (package, announced) {
            (Some(package), None) => self.end_package(package, suite, closed, out),
            (Some(package), Some(_)) => self.hand_out(&package, suite, closed.end, out),
            (None, Some(Some(announced))) if suite.has_tests() => {
                suite.end(&announced, closed.end, out);
            }
            _ => {}
        }
    }

    /// Ends a package. One without tests waits, if the lines after it may show that `-v` is on. One
    /// run has its packages in order, so a package out of order begins another.
    fn end_package(
        &mut self,
        package: String,
        suite: PackageSuite,
        closed: Closed,
        out: &mut CaseSink<'_>,
    ) {
        let is_next = closed.import_path > self.last_path;
        self.last_path.clone_from(&closed.import_path);
        if !is_next {
            self.hand_out_held(false, out);
            self.lists_tests = suite.lists_tests;
        }
        let is_bare = !suite.has_tests() && closed.end.status != Some(CaseStatus::Failed);
        if !is_bare || self.lists_tests || self.held.len() >= MOST_HELD {
            self.hand_out_held(suite.lists_tests, out);
            return self.hand_out(&package, suite, closed.end, out);
        }
        self.held.push(BarePackage {
            package,
            suite,
            end: closed.end,
        });
    }

    fn hand_out(
        &self,
        package: &str,
        mut suite: PackageSuite,
        end: PackageEnd,
        out: &mut CaseSink<'_>,
    ) {
        suite.lists_tests = self.lists_tests || self.always_lists;
        suite.end(package, end, out);
    }

    fn hand_out_held(&mut self, lists_tests: bool, out: &mut CaseSink<'_>) {
        for mut held in std::mem::take(&mut self.held) {
            held.suite.lists_tests = lists_tests || self.always_lists;
            held.suite.end(&held.package, held.end, out);
        }
    }

    /// Ends the current package without its own line, because another package begins or the output
    /// is over.
    pub(in crate::parse) fn end_suite(
        &mut self,
        offset: u64,
        context: &CaseContext,
        evidence: &mut Evidence,
        out: &mut CaseSink<'_>,
    ) {
        self.close_put_by(context, evidence, out);
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

/// Returns the announced package, unless a line may be about a run inside of a test.
fn known(announced: &Option<Option<String>>, is_inner: bool) -> Option<&str> {
    let package = announced.as_ref().and_then(Option::as_deref);
    package.filter(|_| !is_inner)
}

/// Keeps the line of a package, with the words of the compiler about it.
fn closed(closing: &PackageResult<'_>, offset: u64, evidence: &mut Evidence) -> Closed {
    let build = evidence.builds.explain(closing.import_path, closing.note);
    let note = closing
        .note
        .map(|note| CaseDetails::saying(&format!("[{note}]")));
    Closed {
        import_path: closing.import_path.to_owned(),
        note: closing.note.map(str::to_owned),
        end: PackageEnd {
            status: Some(closing.status),
            seconds: closing.seconds,
            cached: closing.cached,
            message: build.or(note),
            offset,
        },
    }
}
