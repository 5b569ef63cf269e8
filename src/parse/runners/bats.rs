//! Reads bats in its pretty form.
//!
//! On a terminal, and with `--pretty`, bats writes a test's name, moves back, and writes its result
//! over it. Where the moves are lost, only results are left: such lines prove nothing without the
//! summary and are held back until then.

use super::results::{Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;
use crate::text::printable;

static RUNNING: Pattern =
    pattern!("^(?:\u{1b}\\[[0-9;]*m)*   (.*)\u{1b}\\[K\u{1b}\\[[0-9]+G[0-9]+/([0-9]+)");
static TIMED: Pattern = pattern!("\u{1b}\\[[0-9;]*m \\[([0-9]+)\\]");
static SKIPPED: Pattern = pattern!(r"^(.*) \(skipped(?:: (.*))?\)$");
static PLACE: Pattern =
    pattern!(r"\((?:in|from) (?:test )?(?:file|function .* in file) (.+), line (\d+)[,)]");
static SUMMARY: Pattern = pattern!(
    r"^(\d+) tests?, (\d+) failures?(?:, (\d+) skipped)?(?:, (\d+) (?:not run|timed out))*(?: in \d+ seconds?)?$"
);
static RENAMED: Pattern = pattern!(r"^(.*) in \d+ms$");

/// Reads runs of bats.
#[derive(Debug, Default)]
pub(super) struct Bats {
    run: Option<Run>,
    nothing: Option<String>,
}

#[derive(Debug, Default)]
struct Run {
    results: Results,
    /// The file whose tests run.
    file: String,
    /// Results of which only the summary can show whose they are.
    held: Vec<Held>,
    /// True if the way in which lines were written shows that it is bats.
    is_sure: bool,
    /// The last failed test, while its explanation follows.
    failed: Option<String>,
}

#[derive(Debug)]
struct Held {
    name: String,
    result: TestResult,
    start: u64,
    end: u64,
}

impl Runner for Bats {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let raw = String::from_utf8_lossy(at.bytes);
        let mut is_own = false;
        for part in raw.split("\u{1b}[1G") {
            let text = if part.len() == raw.len() {
                text.trim_end().to_owned()
            } else {
                printable(part.as_bytes()).trim_end().to_owned()
            };
            is_own |= self.part(part, &text, at, out);
        }
        is_own || self.is_open()
    }

    fn is_open(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.is_sure)
    }

    fn wants_all(&self) -> bool {
        self.run.is_some()
    }

    fn finish(&mut self, succeeded: bool, offset: u64, out: &mut CaseSink<'_>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        if run.is_sure
            || !succeeded
                && run
                    .held
                    .iter()
                    .any(|held| held.result.status == CaseStatus::Failed)
        {
            run.hand_out(out);
            run.results.die("bats", offset, out);
        }
    }

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}

impl Bats {
    /// Takes a line, or the part of one between moves to its beginning.
    fn part(&mut self, raw: &str, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        if let Some(found) = SUMMARY.captures(text) {
            return self.summary(&found, at, out);
        }
        if let Some(found) = RUNNING.captures(raw) {
            let run = self.run.get_or_insert_with(|| Run::new(at.start));
            run.is_sure = true;
            run.results.expected = Some(number(&found, 2));
            let file = run.file.clone();
            run.results
                .start(&file, &printable(found[1].as_bytes()), at, out);
            run.failed = None;
            return true;
        }
        if raw.starts_with("\u{1b}[34;1m") && !text.is_empty() {
            let run = self.run.get_or_insert_with(|| Run::new(at.start));
            text.clone_into(&mut run.file);
            return true;
        }
        if let Some((name, result)) = result(raw, text) {
            let run = self.run.get_or_insert_with(|| Run::new(at.start));
            run.result(name, result, at, out);
            return true;
        }
        match &mut self.run {
            Some(run) => run.other(text),
            None => false,
        }
    }

    fn summary(
        &mut self,
        found: &regex::Captures<'_>,
        at: Line<'_>,
        out: &mut CaseSink<'_>,
    ) -> bool {
        let (all, failed, skipped) = (number(found, 1), number(found, 2), number(found, 3));
        let mut run = match self.run.take() {
            Some(run) => run,
            None if all == 0 => {
                self.nothing = Some("bats ran 0 tests".to_owned());
                return true;
            }
            None => Run::new(at.start),
        };
        run.is_sure = true;
        run.hand_out(out);
        let not_run = number(found, 4);
        let lost = run.results.running();
        if not_run > lost {
            let mut rest = Results::new(at.start);
            rest.expected = Some(all);
            rest.die("bats", at.end, out);
        }
        let passed = all.saturating_sub(failed + skipped + not_run);
        let totals = Totals {
            passed,
            failed,
            skipped,
        };
        run.results.close(totals, at, out);
        true
    }
}

impl Run {
    fn new(start: u64) -> Self {
        Self {
            results: Results::new(start),
            ..Self::default()
        }
    }

    fn result(&mut self, name: &str, result: TestResult, at: Line<'_>, out: &mut CaseSink<'_>) {
        self.failed = None;
        if !self.is_sure {
            self.held.push(Held {
                name: name.to_owned(),
                result,
                start: at.start,
                end: at.end,
            });
            return;
        }
        // Without --timing bats takes "in 12ms" at the end of a name for a time.
        let running = self.results.last_running().map(|(_, name)| name.to_owned());
        let name = match &running {
            Some(running) if is_renamed(running, name) => running.as_str(),
            _ => name,
        };
        let is_failed = result.status == CaseStatus::Failed;
        let file = self.file.clone();
        self.results.end(&file, name, result, at, out);
        self.failed = is_failed.then(|| name.to_owned());
    }

    /// Takes a line that is no result: an explanation of the failure above it, perhaps.
    fn other(&mut self, text: &str) -> bool {
        let Some(words) = text.strip_prefix("   ") else {
            return false;
        };
        let result = match (&self.failed, self.held.last_mut()) {
            (Some(name), _) => {
                let name = name.clone();
                let file = self.file.clone();
                let mut said = super::results::Explanation::default();
                if let Some(found) = PLACE.captures(words) {
                    said.place(&found[1], &found[2]);
                } else if words.starts_with("  ") {
                    said.add(words);
                }
                self.results.explain(&file, &name, said);
                return true;
            }
            (None, Some(held)) if held.result.status == CaseStatus::Failed => &mut held.result,
            _ => return false,
        };
        if let Some(found) = PLACE.captures(words) {
            result.explanation.place(&found[1], &found[2]);
        } else if words.starts_with("  ") {
            result.explanation.add(words);
        }
        false
    }

    fn hand_out(&mut self, out: &mut CaseSink<'_>) {
        for held in std::mem::take(&mut self.held) {
            let at = Line {
                bytes: b"",
                start: held.start,
                end: held.end,
            };
            self.results.end("", &held.name, held.result, at, out);
        }
    }
}

fn is_renamed(running: &str, name: &str) -> bool {
    running == name
        || RENAMED
            .captures(running)
            .is_some_and(|found| &found[1] == name)
}

/// Parses ` ✓ name`, ` ✗ name` and ` - name (skipped: why)`.
fn result<'a>(raw: &str, text: &'a str) -> Option<(&'a str, TestResult)> {
    let (mark, name) = text.strip_prefix(' ')?.split_once(' ')?;
    let mut result = match mark {
        "✓" => TestResult::new(CaseStatus::Passed),
        "✗" => TestResult::new(CaseStatus::Failed),
        "-" => TestResult::new(CaseStatus::Skipped),
        _ => return None,
    };
    let mut name = name.trim();
    if let Some(found) = TIMED.captures(raw) {
        result.seconds = found[1].parse().ok().map(|ms: f64| ms / 1000.0);
        let timed = format!(" [{}]", &found[1]);
        name = name.strip_suffix(timed.as_str()).unwrap_or(name);
    }
    if mark == "-" {
        let found = SKIPPED.captures(name)?;
        result
            .explanation
            .add(found.get(2).map_or("", |why| why.as_str()));
        name = &name[..found[1].len()];
    }
    (!name.is_empty()).then_some((name, result))
}
