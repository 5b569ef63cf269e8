//! Collects the tests of one run of one Go package, for both output formats.
//!
//! Ends are held back until the package's own end. Only that tells whether they came from Go's
//! cache, and without `-v` the messages of a test follow its result. A caller that knows better can
//! release them earlier.

pub(in crate::parse) mod builds;
pub(in crate::parse) mod grammar;
pub(in crate::parse) mod json;
mod log;
pub(in crate::parse) mod package;
pub(in crate::parse) mod text;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::clean;
use super::finding::{CaseDetails, CaseSink, Spans, WHOLE_PACKAGE};
use crate::model::CaseStatus;
use crate::parse::CaseKey;
use log::TestLog;

/// The status and the seconds in the line of a result.
pub(in crate::parse) type TestResult = (CaseStatus, Option<f64>);

/// The reason why a package that passed was not tested.
const NEVER_STARTED: &str =
    "vacuous: no test of it started (TestMain or an init function may have left before)";

/// One execution of one test.
#[derive(Debug)]
struct Test {
    name: String,
    start: u64,
    /// The key, once the start of the test was handed out.
    key: Option<CaseKey>,
    result: Option<TestResult>,
    /// A result that only the test's output tells. It is used if no better one comes.
    hint: Option<TestResult>,
    /// True between `=== PAUSE` and `=== CONT`.
    is_paused: bool,
    /// True if it may belong to a run inside of another test. No line has shown it yet.
    is_doubtful: bool,
    /// The words in which ginkgo says that it ran no spec.
    no_specs: Option<String>,
    log: TestLog,
    spans: Spans,
    released: bool,
}

/// The end of a package.
#[derive(Debug, Clone, Default)]
pub(in crate::parse) struct PackageEnd {
    /// The status that Go reported; `None` if it never did.
    pub status: Option<CaseStatus>,
    pub seconds: Option<f64>,
    pub cached: bool,
    /// The message of its last line or of its build.
    pub message: Option<CaseDetails>,
    /// The offset behind its last line.
    pub offset: u64,
}

/// The tests of a package that have been seen so far.
#[derive(Debug, Default)]
pub(in crate::parse) struct PackageSuite {
    tests: Vec<Test>,
    latest: HashMap<String, usize, RandomState>,
    subject: Option<usize>,
    /// Panics and other output outside of any test.
    own: TestLog,
    /// A line such as `exit status 2`.
    exit: Option<String>,
    /// True while Go lists the tests that ran when its time was up.
    listing: bool,
    /// The words in which Go reports that its time was up.
    timeout: String,
    start: u64,
    counted: bool,
    /// True if a test ended that was not seen to start. Without -v other tests may run unseen.
    is_quiet: bool,
    /// True if the `FAIL` below the last test was seen.
    is_complete: bool,
    /// The number of tests of the margin that run, and are not paused.
    active: usize,
    /// The words in which ginkgo says, outside of any test, that it ran no spec.
    no_specs: Option<String>,
    /// True if tests are known to be listed.
    pub(in crate::parse) lists_tests: bool,
}

impl PackageSuite {
    /// Makes a package whose first line begins at `start`.
    pub(in crate::parse) fn new(start: u64) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    /// Makes a package whose tests are all listed.
    pub(in crate::parse) fn listing(start: u64) -> Self {
        Self {
            lists_tests: true,
            ..Self::new(start)
        }
    }

    /// Returns true if a test of this name was seen.
    pub(in crate::parse) fn knows(&self, name: &str) -> bool {
        self.latest.contains_key(name)
    }

    /// Returns true if the package has tests.
    pub(in crate::parse) fn has_tests(&self) -> bool {
        self.counted
    }

    /// Returns true if a test of this name is running.
    pub(in crate::parse) fn is_running(&self, name: &str) -> bool {
        self.find(name)
            .is_some_and(|index| self.tests[index].result.is_none())
    }

    /// Returns true if a test of the margin is running, and not paused.
    pub(in crate::parse) fn has_active(&self) -> bool {
        self.active > 0
    }

    /// Returns true if a running test has this name and is of the first `count`.
    pub(in crate::parse) fn is_running_before(&self, name: &str, count: usize) -> bool {
        self.find(name)
            .is_some_and(|index| index < count && self.tests[index].result.is_none())
    }

    /// Returns the number of the first `count` tests that run at the margin, and are not paused.
    pub(in crate::parse) fn active_before(&self, count: usize) -> usize {
        let first = self.tests.iter().take(count);
        first.filter(|test| test.is_active()).count()
    }

    /// Marks the tests behind the first `count` as doubtful.
    pub(in crate::parse) fn doubt(&mut self, count: usize) {
        for test in &mut self.tests[count..] {
            test.is_doubtful = true;
        }
    }

    /// Returns true if a test of the margin that is not doubtful is running, and not paused.
    pub(in crate::parse) fn has_certain(&self) -> bool {
        let mut tests = self.tests.iter();
        tests.any(|test| test.is_active() && !test.is_doubtful)
    }

    /// Forgets the doubtful tests: they belong to inner runs.
    pub(in crate::parse) fn forget_doubtful(&mut self) {
        self.tests.retain(|test| !test.is_doubtful);
        self.truncate(usize::MAX);
    }

    /// Takes over what was said since one of its tests seemed to be over.
    pub(in crate::parse) fn resume(&mut self, name: &str, since: Self) {
        self.subject = self.find(name);
        if let Some(index) = self.subject {
            self.tests[index].log.append(since.own);
        }
    }

    /// Returns the number of tests seen so far.
    pub(in crate::parse) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Pauses or continues the test.
    pub(in crate::parse) fn pause(&mut self, name: &str, is_paused: bool) {
        if let Some(index) = self.find(name) {
            let was_active = self.tests[index].is_active();
            self.tests[index].is_paused = is_paused;
            self.active += usize::from(self.tests[index].is_active());
            self.active -= usize::from(was_active);
        }
    }

    /// Forgets the tests behind the first `count`: they belong to an inner run.
    pub(in crate::parse) fn truncate(&mut self, count: usize) {
        self.tests.truncate(count);
        self.latest = (self.tests.iter().enumerate())
            .map(|(index, test)| (test.name.clone(), index))
            .collect();
        self.subject = self.tests.iter().rposition(Test::is_active);
        self.active = self.tests.iter().filter(|test| test.is_active()).count();
        self.is_complete = false;
    }

    /// Takes the tests that have not ended out of the suite, as a suite of their own.
    pub(in crate::parse) fn split_open(&mut self, start: u64) -> Self {
        let (ended, open) = std::mem::take(&mut self.tests)
            .into_iter()
            .partition(|test| test.result.is_some());
        self.tests = ended;
        self.subject = None;
        self.active = 0;
        let mut rest = Self::new(start);
        rest.counted = true;
        rest.tests = open;
        rest.truncate(usize::MAX);
        rest
    }

    /// Returns true if any test is running.
    pub(in crate::parse) fn has_running(&self) -> bool {
        self.subject
            .is_some_and(|index| self.tests[index].result.is_none())
    }

    /// Returns true if the next line may belong to a message, whatever it holds.
    pub(in crate::parse) fn wants_all(&self) -> bool {
        self.listing
            || self.own.is_open()
            || self
                .subject
                .is_some_and(|index| self.tests[index].log.is_open())
    }

    /// Returns the last test of this name that runs, else the last one of this name. Of two runs
    /// in one log, one may have ended it while the other still runs it.
    fn find(&self, name: &str) -> Option<usize> {
        let latest = *self.latest.get(name)?;
        if self.tests[latest].result.is_none() || self.active == 0 {
            return Some(latest);
        }
        let running = |test: &Test| test.name == name && test.result.is_none();
        self.tests.iter().rposition(running).or(Some(latest))
    }

    /// Starts a test. If the package is known, the start is handed out at once.
    pub(in crate::parse) fn run(
        &mut self,
        name: &str,
        start: u64,
        package: Option<&str>,
        out: &mut CaseSink<'_>,
    ) -> usize {
        let key = package.map(|package| out.start(package, name, start));
        let index = self.tests.len();
        self.tests.push(Test {
            name: name.to_owned(),
            start,
            key,
            result: None,
            hint: None,
            is_paused: false,
            is_doubtful: false,
            no_specs: None,
            log: TestLog::default(),
            spans: Spans::default(),
            released: false,
        });
        self.latest.insert(name.to_owned(), index);
        self.active += usize::from(self.tests[index].is_active());
        self.counted = true;
        index
    }

    /// Assigns the lines that follow to this test, or to none.
    pub(in crate::parse) fn switch_to(&mut self, name: Option<&str>) {
        if let Some(index) = self.subject {
            self.tests[index].log.close();
        }
        self.subject = name.and_then(|name| self.find(name));
    }

    /// Works like [`switch_to`](Self::switch_to), but keeps an unfinished message if the test is
    /// the same.
    pub(in crate::parse) fn switch_to_same(&mut self, name: &str) {
        if self.subject.is_none() || self.subject != self.find(name) {
            self.switch_to(Some(name));
        }
    }

    /// Ends a test. A test that was never seen to start starts here.
    pub(in crate::parse) fn result(
        &mut self,
        name: &str,
        result: TestResult,
        start: u64,
        package: Option<&str>,
        out: &mut CaseSink<'_>,
    ) {
        let open = self
            .find(name)
            .filter(|index| self.tests[*index].result.is_none());
        let index = match open {
            Some(index) => index,
            None => {
                self.is_quiet = true;
                self.run(name, start, package, out)
            }
        };
        self.active -= usize::from(self.tests[index].is_active());
        self.tests[index].result = Some(result);
    }

    /// Remembers a result that the output of a test tells.
    pub(in crate::parse) fn hint(&mut self, name: &str, result: TestResult) {
        if let Some(index) = self.find(name) {
            self.tests[index].hint = Some(result);
        }
    }

    /// Adds a range of output to this test.
    pub(in crate::parse) fn span(&mut self, name: Option<&str>, start: u64, end: u64) {
        let index = name.map_or(self.subject, |name| self.find(name));
        if let Some(index) = index {
            self.tests[index].spans.add(start, end);
        }
    }

    /// Takes a line that a test or the package printed.
    pub(in crate::parse) fn line(
        &mut self,
        text: &str,
        start: u64,
        package: Option<&str>,
        out: &mut CaseSink<'_>,
    ) {
        if self.listing && self.listed(text, start, package, out) {
            return;
        }
        if grammar::ran_no_specs(text) {
            let said = Some(text.trim().to_owned());
            match self.subject {
                Some(index) => self.tests[index].no_specs = said,
                None => self.no_specs = said,
            }
        }
        // A `FAIL` before the first test is about the packages before this one.
        self.is_complete |= self.counted && text.ends_with("FAIL");
        if is_panic(text) {
            if text.starts_with("panic: test timed out") {
                self.listing = true;
                self.timeout = text.to_owned();
            }
            return self.panic(text);
        }
        if text.starts_with("exit status ") || text.starts_with("signal: ") {
            self.exit.get_or_insert_with(|| text.trim().to_owned());
        }
        self.blame(text);
        match self.subject {
            Some(index) => self.tests[index].log.line(text),
            None => self.own.line(text),
        }
    }

    fn panic(&mut self, text: &str) {
        match self.subject {
            Some(index) if self.tests[index].result.is_none_or(is_failed) => {
                self.tests[index].log.begin_panic(text);
            }
            _ => {
                self.subject = None;
                self.own.begin_panic(text);
            }
        }
    }

    /// Finds the test that caused a panic by its stack: `package.TestName.func1(…)`.
    fn blame(&mut self, text: &str) {
        if !self.own.has_panic() || !self.own.is_open() || !text.ends_with(')') {
            return;
        }
        let function = text.rsplit('/').next().unwrap_or(text);
        let name = function
            .split('.')
            .nth(1)
            .and_then(|name| name.split('(').next());
        let index = name.and_then(|name| self.find(name));
        if let Some(index) = index.filter(|index| self.tests[*index].result.is_none_or(is_failed)) {
            self.tests[index].log = std::mem::take(&mut self.own);
            self.subject = Some(index);
        }
    }

    /// Takes a line below `running tests:`.
    fn listed(
        &mut self,
        text: &str,
        start: u64,
        package: Option<&str>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        if text == "\trunning tests:" {
            return true;
        }
        let Some(name) = text
            .strip_prefix("\t\t")
            .and_then(|text| text.rsplit_once(" ("))
        else {
            self.listing = false;
            return false;
        };
        let index = match self
            .find(name.0)
            .filter(|index| self.tests[*index].result.is_none())
        {
            Some(index) => index,
            // Where all tests are listed, this one belongs to a run inside of a test.
            None if self.lists_tests => return true,
            None => self.run(name.0, start, package, out),
        };
        if !self.tests[index].log.has_panic() {
            self.tests[index].log.begin_panic(&self.timeout);
            self.tests[index].log.close();
        }
        true
    }

    /// Hands out the ends that are known of the first `count` tests.
    pub(in crate::parse) fn release(
        &mut self,
        package: &str,
        cached: bool,
        count: usize,
        out: &mut CaseSink<'_>,
    ) {
        for test in self.tests.iter_mut().take(count) {
            if let (Some(result), false) = (test.result, test.released) {
                test.hand_out(package, result, cached, out);
            }
        }
    }

    /// Ends the package: every test gets its end. The package gets a case of its own if its tests
    /// do not explain its result.
    pub(in crate::parse) fn end(mut self, package: &str, end: PackageEnd, out: &mut CaseSink<'_>) {
        for test in &mut self.tests {
            test.result = test.result.or(test.hint);
            // Go writes no end of a benchmark.
            let is_benchmark = test.name.starts_with("Benchmark");
            if is_benchmark && end.status == Some(CaseStatus::Passed) {
                test.result = test.result.or(Some((CaseStatus::Passed, None)));
            }
            let passed = test
                .result
                .is_some_and(|(status, _)| status == CaseStatus::Passed);
            if let (Some(said), true) = (&test.no_specs, passed && !test.released) {
                test.log = TestLog::saying(said);
                test.result = test
                    .result
                    .map(|(_, seconds)| (CaseStatus::Skipped, seconds));
            }
        }
        let panicked = self.tests.iter().any(|test| test.log.has_panic());
        self.release(package, end.cached, usize::MAX, out);
        let bad = self
            .tests
            .iter()
            .any(|test| test.result.is_none_or(is_failed));
        // A panic outside of any test ended the tests that were still to come. A panic of Go's time
        // limit belongs to one of those that ran. Without -v nothing tells of a test that called
        // exit.
        let unfinished = self.tests.iter().any(|test| test.result.is_none());
        let tests_explain = match self.own.has_panic() {
            true => unfinished && !self.timeout.is_empty(),
            false => unfinished || panicked || self.is_complete || !self.is_quiet,
        };
        for test in self.tests.iter_mut().filter(|test| test.result.is_none()) {
            test.leave(package, self.exit.as_deref(), out);
        }
        let explained = match end.status {
            None => self.counted || !self.own.has_panic(),
            Some(CaseStatus::Failed) => bad && tests_explain,
            Some(_) => self.counted,
        };
        if !explained {
            self.whole(package, end, out);
        }
    }

    /// Returns the reason why a package that passed has tested nothing, if that is proven.
    fn is_empty(&self, end: &PackageEnd) -> Option<String> {
        if end.status != Some(CaseStatus::Passed) || self.counted {
            return None;
        }
        match (&self.no_specs, self.lists_tests) {
            (Some(said), _) => Some(said.clone()),
            (None, true) => Some(NEVER_STARTED.to_owned()),
            (None, false) => None,
        }
    }

    fn whole(self, package: &str, mut end: PackageEnd, out: &mut CaseSink<'_>) {
        if let Some(why) = self.is_empty(&end) {
            end.status = Some(CaseStatus::Skipped);
            end.message = Some(CaseDetails::saying(&why));
        }
        let status = end.status.unwrap_or(CaseStatus::Failed);
        let known = match status {
            CaseStatus::Failed if self.own.has_panic() => Some(self.own.details(status)),
            CaseStatus::Failed => end.message.or_else(|| Some(self.own.details(status))),
            CaseStatus::Passed => None,
            _ => end.message,
        };
        let mut details = known.unwrap_or_default();
        if status == CaseStatus::Failed && details.message.is_none() {
            let exit = self.exit.map_or(String::new(), |exit| format!(" ({exit})"));
            let failed = |test: &Test| test.result.is_some_and(is_failed);
            let text = match self.tests.iter().any(failed) {
                true => format!("its process ended before all of its tests had run{exit}"),
                false => format!("the package failed, although it names no failed test{exit}"),
            };
            details.message = clean::message(&text);
        }
        details.seconds = end.seconds;
        details.cached = end.cached;
        details.spans.add(self.start, end.offset);
        out.both(package, WHOLE_PACKAGE, self.start, status, details);
    }
}

impl Test {
    fn is_active(&self) -> bool {
        self.result.is_none() && !self.is_paused && !self.name.contains('/') && !self.released
    }

    fn details(&mut self, status: CaseStatus) -> CaseDetails {
        let mut details = std::mem::take(&mut self.log).details(status);
        details.spans = std::mem::take(&mut self.spans);
        details
    }

    fn hand_out(
        &mut self,
        package: &str,
        (status, seconds): TestResult,
        cached: bool,
        out: &mut CaseSink<'_>,
    ) {
        let mut details = self.details(status);
        if status == CaseStatus::Passed {
            (details.message, details.file, details.line) = (None, None, None);
        }
        details.seconds = seconds;
        details.cached = cached;
        self.finish(package, status, details, out);
    }

    /// Ends a test that started and never ended.
    fn leave(&mut self, package: &str, exit: Option<&str>, out: &mut CaseSink<'_>) {
        let panic = self.log.has_panic();
        let mut details = self.details(CaseStatus::Unfinished);
        if !panic {
            let said = details
                .message
                .take()
                .map_or(String::new(), |said| format!("; it said: {said}"));
            let exit = exit.map_or(String::new(), |exit| format!(" ({exit})"));
            details.message = clean::message(&format!("started, never ended{exit}{said}"));
        }
        self.finish(package, CaseStatus::Unfinished, details, out);
    }

    fn finish(
        &mut self,
        package: &str,
        status: CaseStatus,
        details: CaseDetails,
        out: &mut CaseSink<'_>,
    ) {
        let key = match self.key.take() {
            Some(key) => key,
            None => out.start(package, &self.name, self.start),
        };
        out.end(key, status, details);
        self.released = true;
        self.name.clear();
    }
}

fn is_failed(result: TestResult) -> bool {
    result.0 == CaseStatus::Failed
}

fn is_panic(text: &str) -> bool {
    text.starts_with("panic: ")
        || text.starts_with("fatal error: ")
        || text.starts_with("unexpected fault address")
}
