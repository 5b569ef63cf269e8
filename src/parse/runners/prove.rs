//! Reads the summary of prove. Its lines about each file are read with the TAP below them.
//!
//! With `-Q` there are no such lines. Then a file is a case: failed ones are told by name, and the
//! summary counts the rest.

use super::results::{Results, TestResult, Totals};
use super::{Pattern, Runner, number, pattern};
use crate::model::CaseStatus;
use crate::parse::finding::CaseSink;
use crate::parse::lines::Line;
use crate::parse::tap::prove_header;

static FAILED: Pattern = pattern!(r"^(\S.*?) +\((Wstat: \d+.*Tests: \d+ Failed: \d+)\)$");
static FILES: Pattern = pattern!(r"^Files=(\d+), Tests=(\d+), +\d+ wallclock secs ");

/// The most failed files that are kept.
const MOST: usize = 100_000;

/// Reads summaries of prove.
#[derive(Debug, Default)]
pub(super) struct Prove {
    /// True if a file was told since the last summary.
    is_told: bool,
    failed: Vec<(String, String)>,
    nothing: Option<String>,
}

impl Runner for Prove {
    fn line(&mut self, text: &str, at: Line<'_>, out: &mut CaseSink<'_>) -> bool {
        let text = text.trim_end();
        self.is_told |= prove_header(text).is_some();
        if let Some(found) = FAILED.captures(text) {
            if self.failed.len() < MOST {
                self.failed.push((found[1].to_owned(), found[2].to_owned()));
            }
            return true;
        }
        let Some(found) = FILES.captures(text) else {
            return false;
        };
        let failed = std::mem::take(&mut self.failed);
        if number(&found, 2) == 0 {
            self.nothing = Some("prove ran 0 tests".to_owned());
        }
        if !std::mem::take(&mut self.is_told) {
            let mut results = Results::new(at.start);
            let bad = failed.len() as u64;
            for (file, why) in failed {
                let result = TestResult::saying(CaseStatus::Failed, &why);
                results.end("", &file, result, at, out);
            }
            let totals = Totals {
                passed: number(&found, 1).saturating_sub(bad),
                failed: bad,
                skipped: 0,
            };
            results.close(totals, at, out);
        }
        true
    }

    fn is_open(&self) -> bool {
        false
    }

    fn finish(&mut self, _succeeded: bool, _offset: u64, _out: &mut CaseSink<'_>) {}

    fn nothing(&self) -> Option<&str> {
        self.nothing.as_deref()
    }
}
