//! The grammar of the lines that package testing and `go test` print about tests.

use super::TestResult;
use crate::model::CaseStatus;

/// A line such as `=== RUN   TestX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum OutputSwitch<'a> {
    /// The test starts.
    Run(&'a str),
    /// The lines that follow belong to this test.
    To(&'a str),
    /// The test waits. The lines that follow belong to no test.
    Pause(&'a str),
    /// The lines that follow belong to no test.
    Away,
}

/// The content of a line, possibly after other output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::parse) enum Frame<'a> {
    OutputSwitch(OutputSwitch<'a>),
    Result(&'a str, TestResult),
}

/// Parses a frame, and returns the text before it on its line.
pub(in crate::parse) fn frame(text: &str) -> Option<(&str, Frame<'_>)> {
    let mut from = 0;
    while let Some(at) = find_mark(text, from) {
        let (before, rest) = text.split_at(at);
        let parsed = turn(rest)
            .map(Frame::OutputSwitch)
            .or_else(|| result(rest).map(|(name, result)| Frame::Result(name, result)));
        // Package testing begins these lines at the margin. Indented ones are quotations.
        let is_quoted = !before.is_empty()
            && before.trim().is_empty()
            && !matches!(parsed, Some(Frame::Result(name, _)) if fits(before, name));
        if let Some(frame) = parsed.filter(|_| !is_quoted) {
            return Some((before, frame));
        }
        from = at + 4;
    }
    None
}

/// Returns true if the result of this test can be indented so: four spaces for each level.
fn fits(before: &str, name: &str) -> bool {
    let levels = name.bytes().filter(|byte| *byte == b'/').count();
    before.bytes().all(|byte| byte == b' ')
        && before.len().is_multiple_of(4)
        && before.len() / 4 <= levels
}

fn find_mark(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    memchr::memchr2_iter(b'-', b'=', rest.as_bytes())
        .find(|at| {
            let rest = &rest.as_bytes()[*at..];
            rest.starts_with(b"--- ") || rest.starts_with(b"=== ")
        })
        .map(|at| from + at)
}

fn turn(text: &str) -> Option<OutputSwitch<'_>> {
    let rest = text.strip_prefix("=== ")?;
    let (word, rest) = rest.split_at_checked(4)?;
    let (long, name) = match (word, rest.split_at_checked(2)?) {
        ("RUN ", ("  ", name)) => ("RUN", name),
        ("CONT" | "NAME" | "FUZZ", ("  ", name)) => (word, name),
        ("PAUS", ("E ", name)) => ("PAUSE", name),
        _ => return None,
    };
    let name = name.trim_end();
    if name.contains([' ', '\t']) {
        return None;
    }
    Some(match (long, name) {
        ("RUN", "") => return None,
        ("RUN", name) => OutputSwitch::Run(name),
        (_, "") => OutputSwitch::Away,
        ("PAUSE", name) => OutputSwitch::Pause(name),
        (_, name) => OutputSwitch::To(name),
    })
}

/// Parses `--- PASS: TestX (0.01s)`. Benchmarks that fail or are skipped look the same.
pub(in crate::parse) fn result(text: &str) -> Option<(&str, TestResult)> {
    let rest = text.strip_prefix("--- ")?;
    let (word, rest) = rest.split_at_checked(4)?;
    let status = match word {
        "PASS" => CaseStatus::Passed,
        "FAIL" => CaseStatus::Failed,
        "SKIP" => CaseStatus::Skipped,
        _ => return None,
    };
    let rest = rest.strip_prefix(": ")?.trim_end();
    let (name, time) = match rest.split_once(" (") {
        Some((name, time)) => {
            let (time, _) = time.split_once("s)").or(time.split_once(" seconds)"))?;
            (name, time.trim_end_matches(" second"))
        }
        None if rest.starts_with("Benchmark") => (rest, ""),
        None => return None,
    };
    let seconds = seconds(time);
    let plain =
        !name.is_empty() && !name.contains([' ', '\t']) && (seconds.is_some() || time.is_empty());
    plain.then_some((name, (status, seconds)))
}

fn seconds(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

/// The line in which Go reports the result of a package.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::parse) struct PackageResult<'a> {
    pub import_path: &'a str,
    pub status: CaseStatus,
    pub seconds: Option<f64>,
    pub cached: bool,
    /// A note such as `build failed` or `no test files`.
    pub note: Option<&'a str>,
}

/// Parses `ok  \tPKG\t0.1s`, `FAIL\tPKG [build failed]`, `?   \tPKG\t[no test files]` or
/// `\tPKG\t\tcoverage: 0.0% of statements`.
pub(in crate::parse) fn closing(text: &str) -> Option<PackageResult<'_>> {
    let (word, rest) = text.split_once('\t')?;
    let status = match word {
        "ok  " => CaseStatus::Passed,
        "FAIL" => CaseStatus::Failed,
        "?   " | "" => CaseStatus::Skipped,
        _ => return None,
    };
    let (import_path, rest) = rest.split_once(['\t', ' ']).unwrap_or((rest, ""));
    let note = rest
        .rsplit_once('[')
        .and_then(|(_, note)| note.trim_end().strip_suffix(']'));
    let note = note.filter(|note| *note != "no statements");
    let untested = rest.trim_start().starts_with("coverage: ");
    if !super::package::is_import_path(import_path) || (word.is_empty() && !untested) {
        return None;
    }
    let time = rest.split(['\t', ' ']).next().unwrap_or_default();
    let seconds = time.strip_suffix('s').and_then(seconds);
    let cached = time == "(cached)";
    let proven = match status {
        CaseStatus::Skipped => word.is_empty() || note.is_some(),
        _ => seconds.is_some() || cached || note.is_some(),
    };
    let nothing = word.is_empty()
        || note.is_some_and(|note| note == "no tests to run" || note == "no test files");
    proven.then_some(PackageResult {
        import_path,
        status: if nothing { CaseStatus::Skipped } else { status },
        seconds,
        cached,
        note: if word.is_empty() {
            Some("no test files")
        } else {
            note
        },
    })
}

/// Parses the end of a package, and returns it with the output before it on its line.
pub(in crate::parse) fn closing_in_line(text: &str) -> Option<(&str, PackageResult<'_>)> {
    let closing = closing(text).map(|closing| ("", closing));
    closing.or_else(|| glued_closing(text))
}

/// Parses the end of a package behind output that lacks its line feed:
/// `listeningFAIL\tPKG\t0.03s`. Returns that output too.
fn glued_closing(text: &str) -> Option<(&str, PackageResult<'_>)> {
    let at = text.rfind("FAIL\t").or_else(|| text.rfind("ok  \t"))?;
    let is_behind =
        !text[..at].trim().is_empty() && !text[..at].ends_with([' ', '\t', '"', '\'', '`']);
    is_behind.then(|| Some((&text[..at], closing(&text[at..])?)))?
}

/// Parses the result of a benchmark, `BenchmarkSum-8  100  12.3 ns/op`, into its name.
pub(in crate::parse) fn benchmark(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let mut words = text
        .starts_with("Benchmark")
        .then(|| text.split_whitespace())?;
    let name = words.next()?;
    words.next()?.parse::<u64>().ok()?;
    text.contains(" ns/op").then_some(())?;
    let (bare, processors) = name.rsplit_once('-').unwrap_or((name, ""));
    let is_count = !processors.is_empty() && processors.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_count { bare } else { name })
}

/// Parses ginkgo's `Ran 0 of 12 Specs in 0.001 seconds`: it ran none.
pub(in crate::parse) fn ran_no_specs(text: &str) -> bool {
    text.starts_with("Ran 0 of ") && text.contains(" Specs in ")
}

/// Returns true if the flags or the command line list each test: `-v`, `-json`.
pub(in crate::parse) fn lists_tests(flags: &str) -> bool {
    flags.split([' ', '\'', '"', '\t']).any(|flag| {
        matches!(
            flag,
            "-v" | "--v" | "-v=true" | "-json" | "--json" | "-test.v"
        )
    })
}

/// Parses the announcement of kata's go-test.sh: `INFO: Running 'go test' as current user on
/// package 'PKG' with flags '…'`.
pub(in crate::parse) fn announcement(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix("INFO: Running 'go test' as ")?;
    let (_, rest) = rest.split_once(" user on package '")?;
    let (package, _) = rest.split_once('\'')?;
    Some(package)
}

/// Parses `# PKG` or `# PKG [PKG.test]`, the header of the messages of a compiler or vet about a
/// package.
pub(in crate::parse) fn build_header(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("# ")?;
    let path = rest.split(' ').next()?.trim_matches(['[', ']']);
    let path = path.strip_suffix(".test").unwrap_or(path);
    super::package::is_import_path(path).then_some(path)
}

/// Returns true if `go test` can give this name to a test.
pub(in crate::parse) fn is_test_name(name: &str) -> bool {
    ["Test", "Benchmark", "Fuzz", "Example"]
        .iter()
        .any(|kind| name.starts_with(kind))
}
