//! Reads what pytest reports behind its tests: failures, and the short summary.

use std::collections::HashMap;

use super::super::results::{Explanation, Results, TestResult, Totals};
use super::super::{Pattern, pattern};
use super::grammar;
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;

static TITLE: Pattern = pattern!(r"^_{3,} (.+?) _{3,}$");
static PLACE: Pattern = pattern!(r"^(\S+):(\d+): (?:[A-Za-z_.]+)?$");
static SKIPPED: Pattern = pattern!(r"^SKIPPED \[(\d+)\] (\S+?)(?::(\d+))?: (.*)$");

/// The most reports that are kept.
const MOST: usize = 10_000;

/// The reports of a run.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// The title of the section.
    section: String,
    /// The number of runs that began inside of a report and have not ended.
    inner: u32,
    /// The report that is open.
    title: Option<String>,
    said: HashMap<String, Explanation>,
    /// The lines of the short summary: status, test and words.
    listed: Vec<(CaseStatus, String, Explanation)>,
}

impl Reports {
    pub(super) fn new(section: String) -> Self {
        Self {
            section,
            ..Self::default()
        }
    }

    /// Takes a line. Returns the numbers of the summary if it is that of this run.
    pub(super) fn line(&mut self, text: &str, framed: bool) -> Option<Totals> {
        if grammar::is_header(text) {
            self.inner += 1;
        } else if self.inner > 0 {
            let is_end = grammar::summary(text, true).is_some();
            self.inner -= u32::from(is_end);
        } else if let Some(totals) = grammar::summary(text, framed) {
            return Some(totals);
        } else if let Some(section) = grammar::section(text) {
            self.section = section;
            self.title = None;
        } else if self.section == "short test summary info" {
            self.list(text);
        } else {
            self.report(text);
        }
        None
    }

    fn report(&mut self, text: &str) {
        if let Some(found) = TITLE.captures(text) {
            self.title = Some(found[1].to_owned()).filter(|_| self.said.len() < MOST);
            return;
        }
        let Some(title) = &self.title else {
            return;
        };
        let strict = text.starts_with("[XPASS(strict)]").then_some(text);
        let words = text.strip_prefix("E  ").or(strict);
        let place = PLACE.captures(text);
        if words.is_none() && place.is_none() {
            return;
        }
        let said = self.said.entry(title.clone()).or_default();
        said.add(words.unwrap_or_default());
        if let Some(place) = place {
            (said.file, said.line) = (Some(place[1].to_owned()), place[2].parse().ok());
        }
    }

    fn list(&mut self, text: &str) {
        if let Some(found) = SKIPPED.captures(text) {
            let count: usize = found[1].parse().unwrap_or(0);
            let mut said = Explanation::default();
            said.add(&found[4]);
            said.place(&found[2], found.get(3).map_or("", |line| line.as_str()));
            for _ in 0..count.min(MOST) {
                self.listed
                    .push((CaseStatus::Skipped, String::new(), said.clone()));
            }
            return;
        }
        let Some((word, rest)) = text.split_once(' ') else {
            return;
        };
        if let Some(status) = grammar::status(word) {
            let (test, words) = rest.split_once(" - ").unwrap_or((rest, ""));
            let mut said = Explanation::default();
            said.add(words);
            self.listed.push((status, test.trim_end().to_owned(), said));
        }
    }

    /// Explains the results, and gives names to those that only letters told.
    pub(super) fn give(mut self, results: &mut Results, at: Line<'_>, out: &mut CaseSink<'_>) {
        let is_named = results.counted().sum() > 0;
        for (status, test, said) in std::mem::take(&mut self.listed) {
            let (file, name) = test.split_once("::").unwrap_or((&test, "(collection)"));
            let title = name.replace("::", ".");
            let phase = ["setup", "teardown"].into_iter().find(|phase| {
                self.said
                    .contains_key(&format!("ERROR at {phase} of {title}"))
            });
            let reported = [
                title.clone(),
                format!("ERROR at {} of {title}", phase.unwrap_or("setup")),
                format!("ERROR collecting {file}"),
            ];
            let is_told = status == CaseStatus::Failed;
            let mut reported = reported.iter().filter(|_| is_told);
            let reported = reported.find_map(|title| self.said.remove(title));
            let said = reported.unwrap_or(said);
            let is_late = status == CaseStatus::Failed && phase == Some("teardown");
            let late = format!("{name} (teardown)");
            if status == CaseStatus::Failed
                && (is_late && results.explain(file, &late, said.clone())
                    || results.explain(file, name, said.clone()))
            {
                continue;
            }
            if !is_named || status == CaseStatus::Failed {
                let name = match (is_late, test.is_empty()) {
                    (true, _) => late.as_str(),
                    (_, true) => "(unnamed)",
                    _ => name,
                };
                let result = TestResult {
                    explanation: said,
                    ..TestResult::new(status)
                };
                let file = if test.is_empty() { "" } else { file };
                results.end(file, name, result, at, out);
            }
        }
    }
}
