//! Reads ctest's console.
//!
//! Tests run side by side. A result counts only with the number and the name of a test that runs,
//! so the output of a test, which may be that of another ctest, is nothing but output.

use std::collections::HashMap;

use super::results::{Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static PROJECT: Pattern = pattern!(r"^Test project (/.*)$");
static START: Pattern = pattern!(r"^ +Start +(\d+): (.*)$");
static END: Pattern =
    pattern!(r"^ *(?:\d+/(\d+))? *Test +#(\d+): (.*?) \.{2,} *(.*?)(?: +([0-9.]+) sec)?$");
static SUMMARY: Pattern = pattern!(r"^(\d+)% tests passed(?:, (\d+) tests failed)? out of (\d+)$");

/// Reads runs of ctest.
#[derive(Debug, Default)]
pub(super) struct Ctest {
    run: Option<Run>,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    /// The names of the tests that run, by their numbers.
    running: HashMap<u64, String>,
    /// The tests whose results were seen.
    ended: HashMap<u64, CaseStatus>,
    /// The number of tests that do not count in the summary.
    disabled: u64,
    /// The number of runs that the output of a test has begun and not ended.
    inner: u32,
    /// The last failed test, whose output may follow.
    explaining: Option<(String, String)>,
}

impl Runner for Ctest {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        let Some(run) = &mut self.run else {
            let opens = PROJECT.is_match(text);
            if opens {
                self.run = Some(Run {
                    results: Results::new(at.start),
                    ..Run::default()
                });
            } else if text == "No tests were found!!!" {
                return self.say_nothing();
            }
            return opens;
        };
        if run.ended.is_empty() && run.running.is_empty() {
            if text == "No tests were found!!!" {
                self.run = None;
                return self.say_nothing();
            }
            if PROJECT.is_match(text) {
                return true;
            }
        }
        if PROJECT.is_match(text) {
            run.inner += 1;
        }
        if run.inner > 0 {
            run.inner -= u32::from(is_last(text));
            return true;
        }
        let totals = run.running.is_empty().then(|| run.summary(text)).flatten();
        match totals {
            Some(totals) => {
                let run = self.run.take().unwrap_or_default();
                run.results.close(totals, at, out);
            }
            None => run.line(text, at, out),
        }
        true
    }

    fn is_open(&self) -> bool {
        self.run.is_some()
    }

    fn finish(&mut self, _succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        if let Some(run) = self.run.take() {
            run.results.die("ctest", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Ctest {
    fn say_nothing(&mut self) -> bool {
        self.nothing = Some("ctest says: No tests were found".to_owned());
        true
    }
}

impl Run {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) {
        if let Some(found) = START.captures(text) {
            let id = number(&found, 1);
            let is_new = !self.running.contains_key(&id) && !self.ended.contains_key(&id);
            // A name that is repeated is another try, and its first line was seen already.
            if is_new {
                self.results.start("", &found[2], at, out);
            }
            self.running
                .entry(id)
                .or_insert_with(|| found[2].to_owned());
            return;
        }
        match END.captures(text) {
            Some(found) if self.is_running(number(&found, 2), &found[3]) => {
                let seconds = found.get(5).and_then(|time| time.as_str().parse().ok());
                self.end(number(&found, 2), &found[4], seconds, at, out);
            }
            _ => self.explain(text),
        }
    }

    fn is_running(&self, id: u64, name: &str) -> bool {
        self.running.get(&id).is_some_and(|running| running == name)
    }

    fn end(
        &mut self,
        id: u64,
        said: &str,
        seconds: Option<f64>,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) {
        let Some(name) = self.running.remove(&id) else {
            return;
        };
        let status = status(said);
        let said = said.replace("***", " ");
        let mut result = TestResult::saying(status, said.trim().trim_end_matches(':'));
        result.seconds = seconds;
        self.disabled += u64::from(said.contains("(Disabled)"));
        match self.ended.insert(id, status) {
            // Another try: the last one counts.
            Some(CaseStatus::Failed) if status == CaseStatus::Failed => {}
            Some(CaseStatus::Failed) => {
                self.results.passed_later("", &name, out);
            }
            Some(_) if status != CaseStatus::Failed => {}
            _ => self.results.end("", &name, result, at, out),
        }
        self.explaining = (status == CaseStatus::Failed).then(|| (name, said.trim().to_owned()));
    }

    /// Takes the first line of a failed test's output.
    fn explain(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        if let Some((name, said)) = self.explaining.take() {
            let mut words = super::results::Explanation::default();
            words.add(&format!("{}: {text}", said.trim_end_matches(':')));
            self.results.explain("", &name, words);
        }
    }

    /// Parses the summary, in which a skipped test counts as passed and a disabled one not at all.
    fn summary(&self, text: &str) -> Option<Totals> {
        let found = SUMMARY.captures(text)?;
        let (failed, all) = (number(&found, 2), number(&found, 3));
        let counted = self.results.counted();
        let good = all.saturating_sub(failed) + self.disabled;
        let is_known = self.ended.len() as u64 == all + self.disabled;
        is_known.then(|| Totals {
            passed: good.saturating_sub(counted.skipped),
            failed,
            skipped: counted.skipped,
        })
    }
}

/// Recognises the last line of a run that a test prints.
fn is_last(text: &str) -> bool {
    text.starts_with("Total Test time (real) = ") || text == "No tests were found!!!"
}

fn status(said: &str) -> CaseStatus {
    if said.starts_with("Passed") {
        CaseStatus::Passed
    } else if said.starts_with("***Skipped") || said.contains("(Disabled)") {
        CaseStatus::Skipped
    } else {
        CaseStatus::Failed
    }
}
