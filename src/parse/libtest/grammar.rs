//! The grammar of the lines that cargo and libtest print about tests.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::model::CaseStatus;

/// A search for the dots behind the name of a test.
static DOTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(" ... "));

/// The end of a test, as its line tells it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::parse) struct TestEnd {
    pub status: CaseStatus,
    /// The duration in seconds, with `--report-time`.
    pub seconds: Option<f64>,
    /// The reason why it was ignored.
    pub reason: Option<String>,
}

/// The totals that close a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::parse) struct Totals {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
    pub measured: u64,
    pub filtered: u64,
}

/// Parses the line that names a target: `Running unittests src/lib.rs (…/logging-2e86…)`, `Running
/// tests/x.rs (…/x-…)`, `Running target/debug/deps/logging-2e86…` or `Doc-tests logging`.
///
/// Returns the package of the cases that follow: the name of the crate or of the test target, as
/// cargo names the file without its hash. Tests in documentation get `NAME (doc)`, so that they are
/// not mixed with the crate's own.
pub(in crate::parse) fn target(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if let Some(name) = trimmed.strip_prefix("Doc-tests ") {
        return is_crate_name(name).then(|| format!("{name} (doc)"));
    }
    let rest = trimmed.strip_prefix("Running ")?;
    let path = match rest.rsplit_once(" (") {
        Some((_, path)) => path.strip_suffix(')')?,
        None => rest.trim_start_matches('`').split([' ', '`']).next()?,
    };
    let (directory, file) = path.rsplit_once('/')?;
    let (name, hash) = match file.rsplit_once('-') {
        Some((name, hash)) if is_hash(hash) => (name, hash),
        _ if has_hash(directory) => return is_crate_name(file).then(|| file.to_owned()),
        parts => parts?,
    };
    let hashed = is_hash(hash);
    let own = directory.contains("/deps") || directory.ends_with("deps") || has_hash(directory);
    (hashed && own && is_crate_name(name)).then(|| name.to_owned())
}

fn is_hash(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns true for cargo's new layout of the build directory: `build/NAME/HASH/out`.
fn has_hash(directory: &str) -> bool {
    directory.contains("build/") && directory.split('/').any(is_hash)
}

fn is_crate_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

/// Parses `running 9 tests`.
pub(in crate::parse) fn running(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("running ")?;
    let (number, word) = rest.trim_end().split_once(' ')?;
    matches!(word, "tests" | "test").then(|| number.parse().ok())?
}

/// Parses `test NAME ... RESULT` into the name and the text behind the dots.
pub(in crate::parse) fn test(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("test ")?;
    let (name, rest) = parted(rest).or_else(|| Some((rest.strip_suffix(" ...")?, "")))?;
    let name = without_kind(bare_name(name));
    let documentation = name.contains(" - ") && name.ends_with(')');
    // A harness of its own gives any name to a test, and the whole line at once.
    let plain = documentation || !name.contains([' ', '\t']) || end(rest).is_some();
    (!name.is_empty() && plain).then_some((name, rest))
}

/// Separates a name from what stands behind its dots. A name with blanks may hold such dots itself.
fn parted(text: &str) -> Option<(&str, &str)> {
    let dots = DOTS.find(text.as_bytes())?;
    let (name, rest) = (&text[..dots], &text[dots + DOTS.needle().len()..]);
    if !name.contains(' ') {
        return Some((name, rest));
    }
    let parts = text.match_indices(" ... ");
    let mut parts = parts.map(|(at, dots)| (&text[..at], &text[at + dots.len()..]));
    let whole = parts.find(|(_, rest)| end(rest).is_some());
    whole.or(Some((name, rest)))
}

/// Strips the kind that libtest-mimic writes before a name: `[toml] empty config`.
fn without_kind(name: &str) -> &str {
    let kind = name
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    kind.map_or(name, |(_, name)| name.trim())
}

/// Parses the whole line of a test behind other output (`hellotest a ... ok`), or the line of
/// `--quiet` (`a --- FAILED`).
pub(in crate::parse) fn glued_test(text: &str) -> Option<(&str, &str)> {
    if let Some(name) = text.trim_end().strip_suffix(" --- FAILED") {
        return (!name.is_empty() && !name.contains(' ')).then_some((name, "FAILED"));
    }
    let dots = text.rfind(" ... ")?;
    let begin = text[..dots].rfind("test ")?;
    let (name, rest) = test(&text[begin..])?;
    (begin > 0 && !name.contains(' ') && end(rest).is_some()).then_some((name, rest))
}

/// Parses `test NAME has been running for over 60 seconds`.
pub(in crate::parse) fn long_running(text: &str) -> Option<&str> {
    let (name, _) = text
        .strip_prefix("test ")?
        .split_once(" has been running for over ")?;
    Some(bare_name(name))
}

/// Parses `---- NAME stdout ----`, the header of a failed test's output.
pub(in crate::parse) fn output_header(text: &str) -> Option<&str> {
    let name = text.strip_prefix("---- ")?.strip_suffix(" ----")?;
    Some(
        name.strip_suffix(" stdout")
            .or(name.strip_suffix(" stderr"))
            .unwrap_or(name),
    )
}

/// Parses how a process died: `process didn't exit successfully: `…` (signal: 11, SIGSEGV: invalid
/// memory reference)`.
pub(in crate::parse) fn death(text: &str) -> Option<&str> {
    let rest = text
        .trim()
        .strip_prefix("process didn't exit successfully: ")?;
    let (_, how) = rest.rsplit_once(" (")?;
    how.strip_suffix(')')
}

/// Recognises ``error: test failed, to rerun pass `--test x` ``: cargo reports that the last target
/// failed.
pub(in crate::parse) fn is_failed_target(text: &str) -> bool {
    [
        "error: test failed, to rerun pass ",
        "error: doctest failed, to rerun pass ",
    ]
    .iter()
    .any(|words| text.starts_with(words))
}

/// Parses `thread 'tests::a' has overflowed its stack` into the test, unless it is the main thread.
pub(in crate::parse) fn overflowed(text: &str) -> Option<&str> {
    let (thread, rest) = text.strip_prefix("thread '")?.split_once('\'')?;
    (rest.ends_with(" has overflowed its stack") && thread != "main" && !thread.contains(' '))
        .then_some(thread)
}

/// Strips the parts that libtest adds to a name; `failures:` and `--exact` use the bare name.
fn bare_name(name: &str) -> &str {
    [" - should panic", " - compile fail", " - compile"]
        .iter()
        .find_map(|mode| name.strip_suffix(mode))
        .unwrap_or(name)
        .trim()
}

/// Parses `ok`, `FAILED`, `ignored, reason` or `bench: …`, possibly with a time.
pub(in crate::parse) fn end(text: &str) -> Option<TestEnd> {
    let text = text.trim();
    let (text, seconds) = match text
        .rsplit_once(" <")
        .and_then(|(text, time)| Some((text, time.strip_suffix("s>")?)))
    {
        Some((text, time)) => (text.trim_end(), time.trim().parse().ok()),
        None => (text, None),
    };
    let (status, reason) = match text {
        "ok" => (CaseStatus::Passed, None),
        "FAILED" => (CaseStatus::Failed, None),
        "FAILED (time limit exceeded)" => {
            (CaseStatus::Failed, Some("time limit exceeded".to_owned()))
        }
        "ignored" => (CaseStatus::Skipped, None),
        _ if text.starts_with("bench: ") => (CaseStatus::Passed, None),
        _ => (
            CaseStatus::Skipped,
            Some(text.strip_prefix("ignored, ")?.to_owned()),
        ),
    };
    Some(TestEnd {
        status,
        seconds,
        reason,
    })
}

/// Parses a result behind output that lacks its own line feed: `hellook`.
pub(in crate::parse) fn trailing_end(text: &str) -> Option<TestEnd> {
    let ends = [
        ("ok", CaseStatus::Passed),
        ("FAILED", CaseStatus::Failed),
        ("ignored", CaseStatus::Skipped),
    ];
    let (_, status) = ends
        .into_iter()
        .find(|(word, _)| text.trim_end().ends_with(word))?;
    Some(TestEnd {
        status,
        seconds: None,
        reason: None,
    })
}

/// Parses `test result: ok. 9 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in
/// 0.00s`.
pub(in crate::parse) fn totals(text: &str) -> Option<Totals> {
    let rest = text.strip_prefix("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    let mut totals = Totals::default();
    for part in rest.split("; ") {
        let (number, word) = part.trim().split_once(' ')?;
        let Ok(number) = number.parse() else {
            continue;
        };
        match word {
            "passed" => totals.passed = number,
            "failed" => totals.failed = number,
            "ignored" => totals.ignored = number,
            "measured" => totals.measured = number,
            "filtered out" => totals.filtered = number,
            _ => {}
        }
    }
    Some(totals)
}

/// The head of a panic: thread, file, line, and the message if an old Rust prints it on the same
/// line.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::parse) struct PanicHead<'a> {
    pub thread: &'a str,
    pub file: &'a str,
    pub line: Option<u32>,
    pub message: &'a str,
}

/// Parses `thread 'tests::a' (12) panicked at src/lib.rs:5:9:`, or `thread 'tests::a' panicked at
/// 'text', src/lib.rs:5:9` of a Rust before 1.73.
pub(in crate::parse) fn panic_head(text: &str) -> Option<PanicHead<'_>> {
    let begin = text.find("thread '")?;
    let (thread, rest) = text[begin + 8..].split_once('\'')?;
    let (_, rest) = rest.split_once("panicked at ")?;
    let (message, place) = match rest
        .strip_prefix('\'')
        .and_then(|rest| rest.rsplit_once("', "))
    {
        Some((message, place)) => (message, place),
        None => ("", rest.trim_end().trim_end_matches(':')),
    };
    let mut parts = place.trim_end().rsplitn(3, ':');
    let (_column, line, file) = (parts.next()?, parts.next()?, parts.next()?);
    Some(PanicHead {
        thread,
        file,
        line: line.parse().ok(),
        message,
    })
}

impl Totals {
    /// Subtracts the tests that were counted by name. Benchmarks count as passed.
    pub(in crate::parse) fn less(self, counted: Self) -> Self {
        Self {
            passed: (self.passed.saturating_add(self.measured)).saturating_sub(counted.passed),
            failed: self.failed.saturating_sub(counted.failed),
            ignored: self.ignored.saturating_sub(counted.ignored),
            ..Self::default()
        }
    }

    /// Returns the number of tests.
    pub(in crate::parse) fn sum(self) -> u64 {
        self.passed
            .saturating_add(self.failed)
            .saturating_add(self.ignored)
    }

    /// Returns each status that occurs with its count, the best first.
    pub(in crate::parse) fn statuses(self) -> Vec<(CaseStatus, u64)> {
        [
            (CaseStatus::Passed, self.passed),
            (CaseStatus::Skipped, self.ignored),
            (CaseStatus::Failed, self.failed),
        ]
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .collect()
    }
}
