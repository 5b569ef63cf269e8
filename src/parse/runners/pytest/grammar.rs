//! The grammar of pytest's lines.

use super::super::results::{TestResult, Totals};
use super::super::{Pattern, number, pattern};
use crate::model::CaseStatus;

static HEADER: Pattern = pattern!(r"^={3,} test session starts( \(.*\))? ={3,}$");
static SECTION: Pattern = pattern!(r"^={3,} ([A-Za-z].*?) ={3,}$");
static SUMMARY: Pattern = pattern!(
    r"^(?:no tests ran|no tests collected.*|(?:[0-9]+(?:/[0-9]+)? [a-z]+(?: [a-z]+)?(?: \([^)]*\))?(?:, )?)+) in [0-9.]+s(?: \([0-9:]+\))?$"
);
static COLLECTED: Pattern =
    pattern!(r"^(?:collecting \.\.\. *)?collected (\d+) items?(?: / .*?)?(?: / (\d+) selected)?$");
static INTERRUPTION: Pattern =
    pattern!(r"^!{3,} (.*(?:Interrupted|Exit|KeyboardInterrupt|xdist).*?) !{3,}$");
static PROGRESS: Pattern = pattern!(r"^(.*?) *\[ *(?:(\d+)%|\d+/\d+)\]$");
static PARALLEL: Pattern = pattern!(r"^\[gw\d+\](?: \[ *\d+%\])? ([A-Z]+) (.*)$");
static TEST: Pattern =
    pattern!(r"^(\S+?)::((?:[\w. -]+?::)*[\w.-]+(?:\[.*?\](?: |$))?)(?: (.*))?$");
static STATUS: Pattern =
    pattern!(r"(?s)(PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS|RERUN)(?: \((.*)\))?$");

/// A line of `-v`.
#[derive(Debug)]
pub(super) struct Verbose<'a> {
    pub file: &'a str,
    pub name: &'a str,
    pub result: Option<TestResult>,
    /// The output behind the name, if there is no result.
    pub rest: &'a str,
}

/// A line of letters.
#[derive(Debug, PartialEq)]
pub(super) struct Dots {
    pub totals: Totals,
    pub percent: Option<u64>,
    /// True if the letters end with the words about a crash.
    pub died: bool,
}

/// Recognises the header of a run.
pub(super) fn is_header(text: &str) -> bool {
    HEADER.is_match(text)
}

/// Parses the title of a section of reports.
pub(super) fn section(text: &str) -> Option<String> {
    if !text.starts_with("===") || is_header(text) {
        return None;
    }
    Some(SECTION.captures(text)?[1].to_owned())
}

/// Parses the summary, `1 failed, 2 passed in 0.03s`, between equal signs if it is `framed`.
pub(super) fn summary(text: &str, framed: bool) -> Option<Totals> {
    let inner = match framed {
        true => {
            let inner = text.strip_prefix('=')?.strip_suffix('=')?;
            inner.trim_matches('=').trim()
        }
        false => text,
    };
    if !inner.ends_with(['s', ')']) || !inner.contains(" in ") || !SUMMARY.is_match(inner) {
        return None;
    }
    let (counts, _) = inner.rsplit_once(" in ")?;
    let mut totals = Totals::default();
    let mut is_known = counts.starts_with("no tests ");
    for part in counts.split(", ") {
        let (count, word) = part.split_once(' ').unwrap_or((part, ""));
        let count: u64 = count.parse().unwrap_or(0);
        match word {
            "passed" | "xpassed" => totals.passed += count,
            "failed" | "error" | "errors" | "subtests failed" => totals.failed += count,
            "skipped" | "xfailed" => totals.skipped += count,
            "deselected" | "tests collected" | "test collected" => {}
            _ => continue,
        }
        is_known = true;
    }
    is_known.then_some(totals)
}

/// Parses `collected 6 items / 2 deselected / 4 selected`.
pub(super) fn collected(text: &str) -> Option<u64> {
    if !text.contains("collected ") {
        return None;
    }
    let found = COLLECTED.captures(text)?;
    let group = if found.get(2).is_some() { 2 } else { 1 };
    Some(number(&found, group))
}

/// Parses the reason why pytest stops, `!!!!! Interrupted: 1 error during collection !!!!!`.
pub(super) fn interruption(text: &str) -> Option<String> {
    if !text.starts_with("!!!") {
        return None;
    }
    Some(INTERRUPTION.captures(text)?[1].to_owned())
}

/// Parses a line of letters, `test_a.py ..F.s    [ 80%]` or without the file.
pub(super) fn dots(text: &str) -> Option<Dots> {
    let (text, died) = match text.split_once("Fatal Python error: ") {
        Some((before, _)) => (before, true),
        None => (text, false),
    };
    let (letters, percent) = match PROGRESS.captures(text) {
        Some(found) => {
            let percent = found
                .get(2)
                .and_then(|percent| percent.as_str().parse().ok());
            (
                text[..found[1].len()].trim_end(),
                Some(percent.unwrap_or(0)),
            )
        }
        None => (text, None),
    };
    let letters = match letters.rsplit_once(' ') {
        Some((file, letters)) if !file.contains(' ') && file.contains('.') => letters,
        Some(_) => return None,
        None => letters,
    };
    let mut totals = Totals::default();
    for letter in letters.chars() {
        match letter {
            '.' | 'X' => totals.passed += 1,
            'F' | 'E' => totals.failed += 1,
            's' | 'x' => totals.skipped += 1,
            'R' | ',' | 'u' | '-' => {}
            _ => return None,
        }
    }
    let found = Dots {
        totals,
        percent,
        died,
    };
    (!letters.is_empty()).then_some(found)
}

/// Parses a line of `-v`, with or without a result.
pub(super) fn verbose(text: &str) -> Option<Verbose<'_>> {
    if !text.contains("::") {
        return None;
    }
    if let Some(found) = PARALLEL.captures(text) {
        let test = found.get(2)?.as_str();
        let (file, name) = test.split_once("::")?;
        return Some(Verbose {
            file,
            name,
            result: Some(TestResult::new(status(&found[1])?)),
            rest: "",
        });
    }
    let body = unprogressed(text);
    if let Some(found) = STATUS.captures(body)
        && let Some(before) = body[..found.get(0)?.start()].strip_suffix(' ')
        && let Some((file, name)) = before.split_once("::")
        && is_test(file, name)
    {
        let mut result = TestResult::new(status(&found[1])?);
        let reason = found.get(2).map_or("", |reason| reason.as_str());
        result.explanation.add(reason);
        return Some(Verbose {
            file,
            name,
            result: Some(result),
            rest: "",
        });
    }
    let found = TEST.captures(text)?;
    let (file, name) = (found.get(1)?.as_str(), found.get(2)?.as_str().trim_end());
    is_test(file, name).then_some(Verbose {
        file,
        name,
        result: None,
        rest: found.get(3).map_or("", |rest| rest.as_str()),
    })
}

/// Returns true if a name can be that of a test, and not two tests or words around one.
fn is_test(file: &str, name: &str) -> bool {
    let base = name.split('[').next().unwrap_or(name);
    !file.contains(' ') && file.contains('.') && !base.contains(' ')
}

/// Strips `[ 16%]`.
fn unprogressed(text: &str) -> &str {
    if !text.ends_with(']') {
        return text;
    }
    match PROGRESS.captures(text) {
        Some(found) => text[..found[1].len()].trim_end(),
        None => text,
    }
}

/// Parses a result that stands alone on its line.
pub(super) fn result(text: &str) -> Option<TestResult> {
    let body = unprogressed(text);
    let found = STATUS.captures(body)?;
    if found.get(0)?.start() != 0 {
        return None;
    }
    has_reason(&found).then_some(())?;
    let mut result = TestResult::new(status(&found[1])?);
    result.is_doubtful = true;
    let reason = found.get(2).map_or("", |reason| reason.as_str());
    result.explanation.add(reason);
    Some(result)
}

/// Parses a result behind output that lacks its line feed.
pub(super) fn glued_result(text: &str) -> Option<TestResult> {
    let found = STATUS.captures(unprogressed(text))?;
    has_reason(&found).then_some(())?;
    let mut result = TestResult::new(status(&found[1])?);
    result.is_doubtful = true;
    Some(result)
}

/// Returns true unless a reason stands where pytest gives none.
fn has_reason(found: &regex::Captures<'_>) -> bool {
    found.get(2).is_none() || matches!(&found[1], "SKIPPED" | "XFAIL" | "XPASS")
}

/// Returns the status of a word; none for a try that is repeated.
pub(super) fn status(word: &str) -> Option<CaseStatus> {
    Some(match word {
        "PASSED" | "XPASS" => CaseStatus::Passed,
        "FAILED" | "ERROR" => CaseStatus::Failed,
        "SKIPPED" | "XFAIL" => CaseStatus::Skipped,
        _ => return None,
    })
}
