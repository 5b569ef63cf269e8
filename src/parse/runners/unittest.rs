//! Reads Python's unittest, with letters and with `-v`.
//!
//! With `-v` a test is known by `NAME (ID) ... `; what follows until its result is its output. With
//! letters only failures have names, below a line of equal signs; the rest is counted by the
//! summary alone. A test with subtests that fail is one case for each of those, as the summary
//! counts them.

use super::results::{Explanation, Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static TEST: Pattern = pattern!(r"^( *)(\w+) \(([\w.<>]+)\)((?: [\[(].*?[\])])*) \.\.\. ?(.*)$");
static DESCRIBED: Pattern = pattern!(r"^(\w+) \(([\w.<>]+)\)$");
static FAILURE: Pattern =
    pattern!(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): (\w+) \(([\w.<>]+)\)((?: [\[(].*[\])])*)$");
static PLACE: Pattern = pattern!(r#"^ *File "(.+)", line (\d+), in "#);
static RAN: Pattern = pattern!(r"^Ran (\d+) tests? in [0-9.]+s$");
static VERDICT: Pattern = pattern!(r"^(OK|FAILED|NO TESTS RAN)(?: \(([a-z0-9=, ]+)\))?$");

/// The most failures that are kept until the summary.
const MOST: usize = 10_000;
/// The lines between `Ran …` and the verdict.
const PATIENCE: u32 = 3;

/// Reads runs of unittest.
#[derive(Debug, Default)]
pub(super) struct Unittest {
    run: Option<Run>,
    /// The last line that was passed over: a test with a description, perhaps.
    before: String,
    /// True behind a line of equal signs, where a failure may follow.
    is_ruled: bool,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    /// True if tests are told with their names.
    is_verbose: bool,
    running: Option<Running>,
    /// A test whose description follows.
    described: Option<(String, String)>,
    reports: Vec<Report>,
    /// True while the lines of the last report follow.
    reporting: bool,
    /// The number of tests that ran, and the lines since.
    ran: Option<(u64, u32)>,
}

#[derive(Debug)]
struct Running {
    package: String,
    name: String,
    maybe: Option<TestResult>,
    /// True if a test of a run inside of this one lacks its result.
    is_inner_open: bool,
    /// The subtests that failed.
    subtests: u32,
}

/// A failure that is told behind the tests.
#[derive(Debug)]
struct Report {
    package: String,
    name: String,
    /// The words that tell a subtest.
    subtest: String,
    said: Explanation,
    /// The last line that is no traceback.
    last: String,
}

impl Runner for Unittest {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        let before = std::mem::take(&mut self.before);
        if self.run.is_none() && !self.begin(text, &before, at) {
            self.before = text.to_owned();
            return false;
        }
        let Some(run) = &mut self.run else {
            return false;
        };
        let was_open = run.is_open();
        match run.line(text, at, out) {
            Some(totals) => {
                self.end(totals, at, out);
                true
            }
            None => was_open || self.run.as_ref().is_some_and(Run::is_open),
        }
    }

    fn is_open(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_open)
    }

    fn wants_all(&self) -> bool {
        self.run.is_some() || self.is_ruled
    }

    fn skipped(&mut self, last: &str) {
        if self.run.is_none() {
            last.trim_end().clone_into(&mut self.before);
            self.is_ruled = false;
        }
    }

    fn finish(&mut self, succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        // Without names and a summary nothing shows that it was a run.
        if !run.is_verbose && succeeded && run.ran.is_none() {
            return;
        }
        let at = Line {
            bytes: b"",
            start: offset,
            end: offset,
        };
        run.end_running(at, out);
        run.report(at, out);
        run.results.die("unittest", offset, out);
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Unittest {
    /// Begins a run at its first test with a name, at a failure, or at its summary.
    fn begin(&mut self, text: &str, before: &str, at: Line<'_>) -> bool {
        let is_ruled = std::mem::take(&mut self.is_ruled) || is_rule(before, '=');
        self.is_ruled = is_rule(text, '=');
        let described = (before.ends_with(')') && text.contains(" ... "))
            .then(|| DESCRIBED.captures(before))
            .flatten()
            .map(|found| (found[2].to_owned(), found[1].to_owned()));
        // The name of a test ends with a bracket, which costs less to see.
        let may_be_test =
            !text.starts_with(' ') && (text.contains(") ...") || text.contains("] ..."));
        let is_verbose = described.is_some() || may_be_test && TEST.is_match(text);
        if !(is_verbose || is_ruled && FAILURE.is_match(text) || RAN.is_match(text)) {
            return false;
        }
        self.run = Some(Run {
            results: Results::new(at.start),
            is_verbose,
            described,
            ..Run::default()
        });
        true
    }

    fn end(&mut self, totals: Totals, at: Line<'_>, out: &mut CaseSink<'_>) {
        let Some(run) = self.run.take() else {
            return;
        };
        if totals.sum() == 0 && run.results.counted().sum() == 0 {
            self.nothing = Some("unittest ran 0 tests".to_owned());
        }
        run.results.close(totals, at, out);
    }
}

impl Run {
    fn is_open(&self) -> bool {
        self.is_verbose
    }

    /// Takes a line. Returns the numbers of the summary at its end.
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> Option<Totals> {
        if let Some((ran, lines)) = &mut self.ran {
            let ran = *ran;
            if let Some(found) = VERDICT.captures(text) {
                let words = found.get(2).map_or("", |words| words.as_str());
                return Some(self.totals(ran, words, at, out));
            }
            *lines += 1;
            if *lines > PATIENCE {
                self.ran = None;
            }
        }
        let is_result = self.running.is_some() && self.running_line(text, at, out);
        if is_result || self.running.is_some() {
            return None;
        }
        if let Some(found) = RAN.captures(text) {
            self.ran = Some((number(&found, 1), 0));
            self.reporting = false;
        } else if let Some(found) = FAILURE.captures(text) {
            self.begin_report(&found[3], &found[2], &found[4]);
        } else if self.reporting {
            self.report_line(text);
        } else if self.is_verbose {
            self.test_line(text, at, out);
        }
        None
    }

    /// Takes the line of a test: its name, and perhaps its result.
    fn test_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        let described = self.described.take();
        let (package, name, rest) = match (TEST.captures(text), described) {
            (Some(found), _) if found[1].is_empty() => {
                let rest = found.get(5).map_or("", |rest| rest.as_str());
                (found[3].to_owned(), found[2].to_owned(), rest)
            }
            (_, Some((package, name))) if text.contains(" ...") => {
                let (_, rest) = text.split_once(" ...").unwrap_or_default();
                (package, name, rest.trim_start())
            }
            _ => {
                let found = DESCRIBED.captures(text);
                self.described = found.map(|found| (found[2].to_owned(), found[1].to_owned()));
                return;
            }
        };
        self.running = Some(Running {
            package: package_of(&package, &name).to_owned(),
            name,
            maybe: None,
            is_inner_open: false,
            subtests: 0,
        });
        if !rest.is_empty() {
            self.running_line(rest, at, out);
        }
    }

    /// Takes a line while a test runs. Returns true if it ended the test with this very line.
    fn running_line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let Some(running) = &mut self.running else {
            return false;
        };
        if let Some(mut result) = result(text) {
            if std::mem::take(&mut running.is_inner_open) {
                return false;
            }
            result.is_doubtful = true;
            self.end_test(result, at, out);
            return true;
        }
        let found = TEST.captures(text);
        if let Some(found) = &found
            && !found[1].is_empty()
            && found[2] == running.name
            && let Some(result) = result(&found[5])
        {
            running.subtests += 1;
            let name = format!("{}{}", running.name, &found[4]);
            let package = running.package.clone();
            self.results.end(&package, &name, result, at, out);
            return true;
        }
        // The next line of unittest shows that the test is over.
        let is_next = found.as_ref().is_some_and(|found| found[1].is_empty())
            || is_rule(text, '=')
            || is_rule(text, '-')
            || DESCRIBED.is_match(text);
        let is_test = found.is_some();
        if is_next && (running.maybe.is_some() || running.subtests > 0) {
            self.end_running(at, out);
        } else if is_test || DESCRIBED.is_match(text) {
            let is_over = |word: &str| text.ends_with(word);
            let words = ["ok", "FAIL", "ERROR", "success", "failure", "'", "\""];
            running.is_inner_open = !words.into_iter().any(is_over);
        } else if !text.is_empty() {
            running.maybe = glued(text);
        }
        false
    }

    fn end_test(&mut self, result: TestResult, at: Line<'_>, out: &mut CaseSink<'_>) {
        if let Some(running) = self.running.take() {
            let (package, name) = (&running.package, &running.name);
            self.results.end(package, name, result, at, out);
        }
    }

    /// Ends the test that runs: with the result at the end of its output, by its subtests, or not.
    fn end_running(&mut self, at: Line<'_>, out: &mut CaseSink<'_>) {
        let Some(running) = &mut self.running else {
            return;
        };
        match running.maybe.take() {
            Some(result) => self.end_test(result, at, out),
            None if running.subtests > 0 => self.running = None,
            None => {
                let (package, name) = (running.package.clone(), running.name.clone());
                self.running = None;
                self.results.start(&package, &name, at, out);
            }
        }
    }

    fn begin_report(&mut self, id: &str, name: &str, subtest: &str) {
        self.reporting = self.reports.len() < MOST;
        if self.reporting {
            self.reports.push(Report {
                package: package_of(id, name).to_owned(),
                name: name.to_owned(),
                subtest: subtest.to_owned(),
                said: Explanation::default(),
                last: String::new(),
            });
        }
    }

    fn report_line(&mut self, text: &str) {
        let Some(report) = self.reports.last_mut() else {
            return;
        };
        if is_rule(text, '=') {
            self.reporting = false;
        } else if let Some(found) = PLACE.captures(text) {
            let place = (Some(found[1].to_owned()), found[2].parse().ok());
            (report.said.file, report.said.line) = place;
        } else if !text.starts_with(' ') && !text.is_empty() && !is_rule(text, '-') {
            text.clone_into(&mut report.last);
        }
    }

    /// Hands out the failures, and explains those that have been.
    fn report(&mut self, at: Line<'_>, out: &mut CaseSink<'_>) -> (u64, u64) {
        let (mut tests, mut failures) = (Vec::new(), 0);
        for mut report in std::mem::take(&mut self.reports) {
            let name = format!("{}{}", report.name, report.subtest);
            report.said.add(match report.last.as_str() {
                "" => "unexpected success",
                last => last,
            });
            failures += 1;
            let is_test = !report.name.starts_with("setUp") && !report.name.starts_with("tearDown");
            let test = (report.package.clone(), report.name.clone());
            if is_test && !tests.contains(&test) {
                tests.push(test);
            }
            if !self.is_verbose {
                let result = TestResult {
                    explanation: report.said,
                    ..TestResult::new(CaseStatus::Failed)
                };
                self.results.end(&report.package, &name, result, at, out);
            } else {
                self.results.explain(&report.package, &name, report.said);
            }
        }
        (tests.len() as u64, failures)
    }

    /// Returns the numbers of the summary.
    fn totals(&mut self, ran: u64, words: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> Totals {
        self.end_running(at, out);
        let mut totals = Totals::default();
        for (what, count) in words.split(", ").filter_map(|part| part.split_once('=')) {
            let count = count.parse().unwrap_or(0);
            match what {
                "failures" | "errors" | "unexpected successes" => totals.failed += count,
                "skipped" | "expected failures" => totals.skipped += count,
                _ => {}
            }
        }
        let (tests, failures) = self.report(at, out);
        let bad_tests = tests + totals.failed.saturating_sub(failures);
        let counted = self.results.counted();
        totals.passed = match self.is_verbose {
            true => counted.passed + counted.failed.saturating_sub(totals.failed),
            false => ran.saturating_sub(bad_tests).saturating_sub(totals.skipped),
        };
        totals
    }
}

/// Returns the module and class of `module.Class.test`, or of `module.Class` before Python 3.11.
fn package_of<'a>(id: &'a str, name: &str) -> &'a str {
    let own = id.strip_suffix(name).and_then(|id| id.strip_suffix('.'));
    own.unwrap_or(id)
}

fn is_rule(text: &str, letter: char) -> bool {
    text.len() >= 70 && text.chars().all(|other| other == letter)
}

/// Parses a result that stands alone.
fn result(text: &str) -> Option<TestResult> {
    let text = text.trim();
    let status = match text {
        "ok" => CaseStatus::Passed,
        "FAIL" | "ERROR" | "unexpected success" => CaseStatus::Failed,
        "expected failure" => CaseStatus::Skipped,
        _ => {
            let reason = text.strip_prefix("skipped ")?;
            let quoted = reason
                .strip_prefix(['\'', '"'])?
                .strip_suffix(['\'', '"'])?;
            return Some(TestResult::saying(CaseStatus::Skipped, quoted));
        }
    };
    Some(TestResult::new(status))
}

/// Parses a result behind output that lacks its line feed.
fn glued(text: &str) -> Option<TestResult> {
    let ends = [
        ("unexpected success", CaseStatus::Failed),
        ("expected failure", CaseStatus::Skipped),
        ("ok", CaseStatus::Passed),
        ("FAIL", CaseStatus::Failed),
        ("ERROR", CaseStatus::Failed),
    ];
    let (_, status) = ends.into_iter().find(|(word, _)| text.ends_with(word))?;
    let mut result = TestResult::new(status);
    result.is_doubtful = true;
    Some(result)
}
