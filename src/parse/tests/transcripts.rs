//! Real output of kata components. The cases found are those counted by hand before.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Parsed, parse_in_pieces};
use crate::model::{CaseStatus, Ending};
use crate::parse::CaseContext;

/// A file of `fixtures/transcripts/expected`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    transcript: String,
    go_root: Option<String>,
    exit: i32,
    missing_programs: Vec<String>,
    vacuous_cause: Option<String>,
    cases: Vec<Case>,
}

/// A case that was counted. Its message is compared if one was written down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    package: String,
    name: String,
    status: CaseStatus,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    message: Option<String>,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts")
}

fn expectations() -> Vec<Expected> {
    let mut files: Vec<_> = fs::read_dir(directory().join("expected"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |file: &PathBuf| serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    files.iter().map(read).collect()
}

fn parsed(expected: &Expected, size: usize) -> Parsed {
    let bytes = fs::read(directory().join(&expected.transcript)).unwrap();
    let context = CaseContext {
        go_root: expected.go_root.clone(),
        ..CaseContext::default()
    };
    parse_in_pieces(
        &context,
        &bytes,
        size,
        Some(Ending::ExitCode(expected.exit)),
    )
}

/// Returns the cases found, in the order of the expected ones, because tests of a package end in
/// any order.
fn found(parsed: &Parsed, expected: &[Case]) -> Vec<Case> {
    let told = |case: &Case| {
        expected
            .iter()
            .any(|other| other.name == case.name && other.message.is_some())
    };
    let mut cases: Vec<Case> = parsed
        .ends()
        .map(|end| Case {
            package: end.key.package.clone(),
            name: end.key.name.clone(),
            status: end.status,
            cached: end.cached,
            message: end.message.clone(),
        })
        .map(|case| Case {
            message: case.message.clone().filter(|_| told(&case)),
            ..case
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn the_cases_of_every_transcript_are_those_counted_by_hand() {
    let expectations = expectations();
    assert!(expectations.len() >= 21, "expectations were lost");
    for mut expected in expectations {
        let parsed = parsed(&expected, usize::MAX);
        expected.cases.sort();
        let found = found(&parsed, &expected.cases);
        assert_eq!(found, expected.cases, "{}", expected.transcript);
        let missing = &parsed.observations.missing_programs;
        assert_eq!(
            *missing, expected.missing_programs,
            "{}",
            expected.transcript
        );
        let proven = &parsed.observations.proven_failures;
        assert!(expected.exit != 0 || proven.is_empty(), "{proven:?}");
        let cause = parsed.observations.vacuous_causes.first();
        match &expected.vacuous_cause {
            Some(words) => assert!(cause.unwrap().0.contains(words), "{cause:?}"),
            None => assert_eq!(cause, None, "{}", expected.transcript),
        }
    }
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    for expected in expectations() {
        let whole = parsed(&expected, usize::MAX);
        for size in [1, 7, 4096] {
            assert!(
                parsed(&expected, size) == whole,
                "{} in pieces of {size}",
                expected.transcript
            );
        }
    }
}

#[test]
fn every_transcript_has_an_expectation() {
    let expected: Vec<_> = expectations()
        .into_iter()
        .map(|expected| expected.transcript)
        .collect();
    let apart = "monorepo-libs.test.libtest.stderr";
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = expected.contains(&name)
            || [
                apart,
                "README.md",
                "expected",
                "findings",
                "runners",
                "snippets",
            ]
            .contains(&name.as_str());
        assert!(known, "{name} has no expectation");
    }
}

#[test]
fn failures_carry_what_the_output_says_of_them() {
    let all = expectations();
    let of = |name: &str| {
        parsed(
            all.iter()
                .find(|expected| expected.transcript == name)
                .unwrap(),
            usize::MAX,
        )
    };
    let json = of("proxy.test.gojson-failed.out");
    let end = json.end("TestSignalBacktrace");
    assert_eq!(
        (end.message.as_deref(), end.file.as_deref(), end.line),
        (Some("Should be true"), Some("signals_test.go"), Some(126))
    );
    assert_eq!(end.seconds, Some(0.01));
    let text = of("monorepo-runtime.test.failed.out");
    let panicked = text.end("TestNewSystemLogHook");
    assert_eq!(
        panicked.message.as_deref(),
        Some(
            "panic: runtime error: invalid memory address or nil pointer dereference [recovered, repanicked]"
        )
    );
    assert!(
        panicked
            .file
            .as_deref()
            .unwrap()
            .ends_with("katautils/logger_test.go")
    );
    assert_eq!(panicked.line, Some(88));
    let minimal = text.end("TestMinimalRuntimeConfig");
    assert_eq!(
        minimal.message.as_deref(),
        Some("Unix syslog delivery error")
    );
    let skipped = of("shim.test.gotext.out");
    let skipped = skipped.end("TestSetupTerminalSuccess");
    assert!(
        skipped
            .message
            .as_deref()
            .unwrap()
            .starts_with("Skipping this test: Failed to open tty")
    );
}
