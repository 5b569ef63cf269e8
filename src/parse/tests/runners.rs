//! Output of real test runners. The cases found are those that each runner's own summary counts.
//!
//! `fixtures/runners/record` made the transcripts.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Parsed, parse_in_pieces};
use crate::model::{CaseStatus, Ending};
use crate::parse::CaseContext;

/// A transcript, with the numbers of passed, failed and skipped tests that its own summary counts.
type Counted = (&'static str, [u64; 3]);

/// Runs that end with their summary.
const SUMMARIES: &[Counted] = &[
    ("bats-good", [2, 0, 1]),
    ("bats-bad", [2, 1, 0]),
    ("bats-timing", [4, 1, 1]),
    ("bats-plain", [4, 1, 1]),
    ("bats-none", [0, 0, 0]),
    ("unittest-good", [2, 0, 2]),
    ("unittest-good-v", [2, 0, 2]),
    ("unittest-bad", [2, 4, 0]),
    ("unittest-bad-v", [2, 4, 0]),
    ("unittest-setup", [1, 1, 0]),
    ("unittest-setup-v", [1, 1, 0]),
    ("unittest-import", [0, 1, 0]),
    ("unittest-import-v", [0, 1, 0]),
    ("unittest-none", [0, 0, 0]),
    ("unittest-none-v", [0, 0, 0]),
    ("pytest-good", [4, 0, 2]),
    ("pytest-good-v", [4, 0, 2]),
    ("pytest-good-q", [4, 0, 2]),
    ("pytest-good-rA", [4, 0, 2]),
    ("pytest-good-vs", [4, 0, 2]),
    ("pytest-bad", [4, 4, 0]),
    ("pytest-bad-v", [4, 4, 0]),
    ("pytest-bad-q", [4, 4, 0]),
    ("pytest-bad-rA", [4, 4, 0]),
    ("pytest-bad-vs", [4, 4, 0]),
    ("pytest-import", [0, 1, 0]),
    ("pytest-import-v", [0, 1, 0]),
    ("pytest-import-q", [0, 1, 0]),
    ("pytest-import-rA", [0, 1, 0]),
    ("pytest-import-vs", [0, 1, 0]),
    ("pytest-none", [0, 0, 0]),
    ("pytest-none-v", [0, 0, 0]),
    ("pytest-none-q", [0, 0, 0]),
    ("pytest-none-rA", [0, 0, 0]),
    ("pytest-none-vs", [0, 0, 0]),
    ("gtest-good", [2, 0, 1]),
    ("gtest-bad", [4, 2, 1]),
    ("gtest-color", [4, 2, 1]),
    ("gtest-brief", [7, 2, 1]),
    ("gtest-none", [0, 0, 0]),
    ("gtest-suite", [0, 1, 1]),
    ("ctest-good", [2, 0, 0]),
    ("ctest-good-v", [2, 0, 0]),
    ("ctest-bad", [3, 6, 2]),
    ("ctest-parallel", [3, 6, 2]),
    ("ctest-repeat", [0, 1, 0]),
    ("ctest-none", [0, 0, 0]),
    ("nextest-good", [2, 0, 1]),
    ("nextest-bad", [2, 1, 1]),
    ("nextest-crash", [4, 2, 1]),
    ("nextest-retries", [2, 1, 1]),
    ("nextest-all", [2, 1, 1]),
    ("nextest-none", [0, 0, 3]),
    ("json-good", [2, 0, 1]),
    ("json-bad", [2, 1, 1]),
    ("json-none", [0, 0, 0]),
    ("catch2-good", [2, 0, 0]),
    ("catch2-bad", [1, 2, 1]),
    ("catch2-verbose", [3, 2, 1]),
    ("catch2-durations", [2, 0, 0]),
    ("catch2-none", [0, 0, 0]),
    ("catch2-crash", [0, 1, 0]),
    ("gotestsum-good-pkgname", [3, 0, 1]),
    ("gotestsum-good-testname", [3, 0, 1]),
    ("gotestsum-good-testdox", [3, 0, 1]),
    ("gotestsum-good-dots", [3, 0, 1]),
    ("gotestsum-bad-pkgname", [4, 2, 1]),
    ("gotestsum-bad-testname", [4, 2, 1]),
    ("gotestsum-bad-testdox", [4, 2, 1]),
    ("gotestsum-bad-dots", [4, 2, 1]),
    ("gotestsum-bad-verbose", [4, 2, 1]),
    ("gotestsum-crash-pkgname", [1, 1, 0]),
    ("gotestsum-crash-testname", [1, 1, 0]),
    ("gotestsum-crash-testdox", [1, 1, 0]),
    ("gotestsum-crash-dots", [1, 1, 0]),
    ("gotestsum-exit-pkgname", [1, 1, 0]),
    ("gotestsum-exit-testname", [1, 1, 0]),
    ("gotestsum-exit-testdox", [1, 1, 0]),
    ("gotestsum-exit-dots", [1, 1, 0]),
    ("gotestsum-nobuild-pkgname", [3, 1, 1]),
    ("gotestsum-nobuild-testname", [3, 1, 1]),
    ("gotestsum-nobuild-testdox", [3, 1, 1]),
    ("gotestsum-nobuild-dots", [3, 1, 1]),
    ("gotestsum-none-pkgname", [0, 0, 0]),
    ("gotestsum-none-testname", [0, 0, 0]),
    ("gotestsum-none-testdox", [0, 0, 0]),
    ("gotestsum-none-dots", [0, 0, 0]),
    ("ginkgo-good", [2, 0, 2]),
    ("ginkgo-good-v", [2, 0, 2]),
    ("ginkgo-bad", [1, 3, 0]),
    ("ginkgo-bad-v", [1, 3, 0]),
    ("ginkgo-none", [0, 0, 0]),
    ("ginkgo-none-v", [0, 0, 0]),
    ("ginkgo-filtered", [0, 0, 4]),
    ("prove-good", [1, 0, 1]),
    ("prove-all", [1, 4, 1]),
    ("prove-none", [0, 1, 0]),
    ("prove-quiet", [1, 1, 0]),
    ("prove-timer", [1, 1, 0]),
    // Its files hold six tests. A plan of three that ends after one is a failure more.
    ("prove-verbose", [5, 2, 0]),
    ("automake-good", [1, 0, 1]),
    ("automake-bad", [1, 4, 2]),
    ("automake-verbose", [1, 4, 2]),
    ("automake-none", [0, 0, 0]),
    ("automake-serial-good", [1, 0, 1]),
    ("automake-serial-bad", [1, 4, 2]),
    ("automake-serial-none", [0, 0, 0]),
];

/// Runs that ended in the middle, with the numbers of those that ended before.
const CRASHES: &[Counted] = &[
    ("bats-crash", [2, 0, 0]),
    ("unittest-crash-v", [1, 0, 0]),
    ("unittest-exit-v", [1, 0, 0]),
    ("pytest-crash", [1, 0, 0]),
    ("pytest-crash-v", [1, 0, 0]),
    ("pytest-crash-q", [1, 0, 0]),
    ("pytest-crash-rA", [1, 0, 0]),
    ("pytest-crash-vs", [1, 0, 0]),
    ("pytest-exit", [1, 0, 0]),
    ("pytest-exit-v", [1, 0, 0]),
    ("pytest-exit-rA", [1, 0, 0]),
    ("pytest-exit-vs", [1, 0, 0]),
    ("gtest-crash", [1, 0, 0]),
    ("gtest-exit", [1, 0, 0]),
    ("ctest-crash", [2, 0, 0]),
    ("json-crash", [0, 0, 0]),
    ("automake-crash", [1, 0, 0]),
    ("automake-serial-crash", [2, 0, 0]),
    ("ginkgo-crash", [1, 0, 0]),
    ("ginkgo-crash-v", [1, 0, 0]),
    ("ginkgo-all", [4, 3, 2]),
];

/// Runs whose output holds nothing that proves a test. Their process ended badly, or the job is
/// vacuous.
const UNTOLD: &[&str] = &[
    "unittest-crash",
    "unittest-exit",
    "pytest-exit-q",
    "catch2-exit",
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts/runners")
}

/// Returns the transcript of this name and its exit code.
fn transcript(name: &str) -> (Vec<u8>, i32) {
    let start = format!("{name}.");
    let names = fs::read_dir(directory()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let file = names
        .filter(|file| file.starts_with(&start))
        .collect::<Vec<_>>();
    let [file] = &file[..] else {
        panic!("{name}: {file:?}");
    };
    let code = file.split('.').nth(1).unwrap().parse().unwrap();
    (fs::read(directory().join(file)).unwrap(), code)
}

fn parsed(name: &str, size: usize) -> Parsed {
    let (bytes, code) = transcript(name);
    let ending = Some(Ending::ExitCode(code));
    parse_in_pieces(&CaseContext::default(), &bytes, size, ending)
}

fn count(parsed: &Parsed, status: CaseStatus) -> u64 {
    parsed.ends().filter(|end| end.status == status).count() as u64
}

fn counts(parsed: &Parsed) -> [u64; 3] {
    [CaseStatus::Passed, CaseStatus::Failed, CaseStatus::Skipped]
        .map(|status| count(parsed, status))
}

#[test]
fn cases_are_as_many_as_the_summary_counts() {
    let mut wrong = Vec::new();
    for (name, expected) in SUMMARIES {
        let parsed = parsed(name, usize::MAX);
        let others = parsed.ends().count() as u64 - counts(&parsed).iter().sum::<u64>();
        let planned = count(&parsed, CaseStatus::NotRun);
        if counts(&parsed) != *expected || others > planned {
            wrong.push(format!(
                "{name}: {expected:?}, and found {:#?}",
                parsed.cases()
            ));
        }
        if *expected == [0, 0, 0] {
            let cause = parsed.observations.vacuous_causes.first();
            assert!(cause.is_some(), "{name} does not say that nothing ran");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_run_that_ends_in_the_middle_is_not_green() {
    let mut wrong = Vec::new();
    for (name, expected) in CRASHES {
        let parsed = parsed(name, usize::MAX);
        if counts(&parsed) != *expected || count(&parsed, CaseStatus::Unfinished) == 0 {
            wrong.push(format!(
                "{name}: {expected:?}, and found {:#?}",
                parsed.cases()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in UNTOLD {
        assert_eq!(parsed(name, usize::MAX).cases(), [""; 0], "{name}");
    }
}

#[test]
fn every_transcript_is_listed_and_says_the_same_in_any_pieces() {
    for entry in fs::read_dir(directory()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let name = file.split('.').next().unwrap();
        let tables = SUMMARIES.iter().chain(CRASHES).map(|(name, _)| name);
        let known = tables.chain(UNTOLD).any(|known| *known == name);
        assert!(known, "{name} is in no table");
        let whole = parsed(name, usize::MAX);
        for size in [1, 13] {
            assert!(parsed(name, size) == whole, "{name} in pieces of {size}");
        }
    }
}

/// Runs that die inside of a run of the same kind, by the beginning of that. Their outer test stays
/// without a result.
const UNCERTAIN: &[(&str, &str)] = &[
    ("unittest-bad-v", "test"),
    ("unittest-crash-v", "test"),
    ("unittest-exit-v", "test"),
    ("json-crash", "{ \"t"),
    ("ctest-crash", "Test"),
    ("gtest-crash", "[==="),
    ("gtest-exit", "[==="),
    ("pytest-crash", "===="),
    ("pytest-crash-v", "===="),
    ("pytest-crash-q", "===="),
    ("pytest-crash-rA", "===="),
    ("pytest-crash-vs", "===="),
    ("pytest-exit", "===="),
    ("pytest-exit-v", "===="),
    ("pytest-exit-rA", "===="),
    ("pytest-exit-vs", "===="),
];

/// A run inside of a running test: every transcript, printed by a test of each kind of outer run.
#[test]
fn a_run_inside_of_a_test_changes_nothing() {
    let outer = [
        (
            "[==========] Running 1 test from 1 test suite.\n[ RUN      ] O.uter\n",
            "[       OK ] O.uter (3 ms)\n[==========] 1 test from 1 test suite ran. (0 ms total)\n[  PASSED  ] 1 test.\n",
        ),
        (
            "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }\n{ \"type\": \"test\", \"event\": \"started\", \"name\": \"outer\" }\n",
            "{ \"type\": \"test\", \"name\": \"outer\", \"event\": \"ok\" }\n{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": 1, \"failed\": 0, \"ignored\": 0, \"measured\": 0, \"filtered_out\": 0 }\n",
        ),
        (
            "============================= test session starts ==============================\ncollected 1 item\n\na.py::outer ",
            "\nPASSED\n\n============================== 1 passed in 0.05s ===============================\n",
        ),
        (
            "test_outer (m.A.test_outer) ... ",
            "\nok\n\n----------------------------------------------------------------------\nRan 1 test in 0.001s\n\nOK\n",
        ),
        (
            "Test project /x\n    Start 1: outer\n",
            "1/1 Test #1: outer ............................   Passed    0.01 sec\n\n100% tests passed, 0 tests failed out of 1\n",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, _) in SUMMARIES.iter().chain(CRASHES) {
        let (inner, _) = transcript(name);
        // An inner run of the same kind that dies: the lines do not tell whose the result is.
        let is_told = |before: &str| !UNCERTAIN.contains(&(name, &before[..4]));
        for (before, after) in outer.into_iter().filter(|(before, _)| is_told(before)) {
            let text = [before.as_bytes(), &inner, b"\n", after.as_bytes()].concat();
            let ending = Some(Ending::ExitCode(0));
            let parsed = parse_in_pieces(&CaseContext::default(), &text, usize::MAX, ending);
            if counts(&parsed) != [1, 0, 0] || parsed.ends().count() != 1 {
                wrong.push(format!("{name} in {before:?}: {:?}", parsed.cases()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn gotestsum_names_no_package_for_the_current_directory() {
    let text = "PASS TestA (0.00s)\nPASS TestV/v1.Test (0.00s)\nPASS sub.TestC (0.00s)\n=== RUN   TestB\n    a_test.go:7: x\n--- FAIL: TestB (0.00s)\nFAIL TestB (0.00s)\nFAIL .\n\n=== Failed\n=== FAIL: . TestB (0.00s)\n    a_test.go:7: x\n\nDONE 4 tests, 1 failure in 0.024s\n";
    let ending = Some(Ending::ExitCode(1));
    let parsed = parse_in_pieces(&CaseContext::default(), text.as_bytes(), usize::MAX, ending);
    assert_eq!(
        parsed.cases(),
        [
            ".|TestA|passed",
            ".|TestV/v1.Test|passed",
            "sub|TestC|passed",
            ".|TestB|failed"
        ]
    );
}

#[test]
fn suites_of_ginkgo_that_nothing_else_tells_are_cases() {
    let (output, _) = transcript("ginkgo-bad");
    let text = String::from_utf8(output).unwrap();
    let (suites, _) = text.split_once("Ginkgo ran ").unwrap();
    let suites = suites
        .lines()
        .filter(|line| !line.contains("--- FAIL") && *line != "FAIL");
    let alone = suites.collect::<Vec<_>>().join("\n");
    let ending = Some(Ending::ExitCode(0));
    let parsed = parse_in_pieces(
        &CaseContext::default(),
        alone.as_bytes(),
        usize::MAX,
        ending,
    );
    assert_eq!(counts(&parsed), [1, 3, 0]);
}

#[test]
fn names_places_and_messages() {
    let names = [
        "bats-bad",
        "unittest-bad-v",
        "unittest-bad",
        "pytest-bad-v",
        "pytest-bad-rA",
        "pytest-good-rA",
        "gtest-bad",
        "gtest-suite",
        "ctest-bad",
        "ctest-parallel",
        "nextest-crash",
        "json-bad",
        "json-crash",
        "catch2-bad",
        "catch2-verbose",
        "automake-bad",
        "automake-serial-bad",
        "gotestsum-bad-testname",
        "gotestsum-bad-testdox",
        "gotestsum-crash-pkgname",
        "gotestsum-nobuild-pkgname",
        "ginkgo-good-v",
        "ginkgo-bad",
        "ginkgo-bad-v",
        "ginkgo-all",
        "bats-timing",
        "bats-crash",
        "bats-plain",
        "pytest-import",
        "pytest-crash-v",
    ];
    for name in names {
        insta::assert_snapshot!(
            format!("runner-{name}"),
            super::snippets::shown(&parsed(name, 1))
        );
    }
}
