//! Laws that hold for any bytes.

use std::collections::HashMap;
use std::time::Instant;

use proptest::prelude::*;

use super::{Parsed, parse_in_pieces};
use crate::model::{CaseStatus, Ending};
use crate::parse::{CaseContext, Finding};
use crate::text::printable;

/// Lines that some recogniser understands, so that random texts reach deep.
const LINES: &[&str] = &[
    "=== RUN   TestA",
    "=== RUN   TestB/sub",
    "=== PAUSE TestA",
    "=== CONT  TestA",
    "=== NAME  TestB/sub",
    "--- PASS: TestA (0.00s)",
    "--- FAIL: TestB (0.01s)",
    "    --- FAIL: TestB/sub (0.01s)",
    "    a_test.go:12: boom",
    "        \tError Trace:\ta_test.go:13",
    "        \tError:      \tnot equal",
    "foo--- SKIP: TestA (0.00s)",
    "ok  \texample.com/x\t0.01s",
    "ok  \texample.com/x\t(cached)",
    "FAIL\texample.com/x\t0.01s",
    "FAIL\texample.com/y [build failed]",
    "?   \texample.com/z\t[no test files]",
    "# example.com/y [example.com/y.test]",
    "y/y.go:3:4: undefined: x",
    "panic: boom",
    "panic: test timed out after 2s",
    "\trunning tests:",
    "\t\tTestC (2s)",
    "goroutine 7 [running]:",
    "example.com/x.TestA(0x1)",
    "\t/src/x/a_test.go:7 +0x12",
    "WARNING: DATA RACE",
    "exit status 2",
    "INFO: Running 'go test' as current user on package 'example.com/x' with flags '-v'",
    "INFO: Running 'static_check_json' function",
    "INFO: No JSON files to check",
    "ERROR: bad",
    "x.sh: line 3: jq: command not found",
    "make: *** [Makefile:3: test] Error 127",
    "make: Nothing to be done for 'check'.",
    r#"{"Action":"start","Package":"example.com/j"}"#,
    r#"{"Action":"run","Package":"example.com/j","Test":"TestJ"}"#,
    r#"{"Action":"output","Package":"example.com/j","Test":"TestJ","Output":"--- PASS: TestJ (0.00s)\n"}"#,
    r#"{"Action":"pass","Package":"example.com/j","Test":"TestJ","Elapsed":0.1}"#,
    r#"{"Action":"fail","Package":"example.com/j","Elapsed":0.1}"#,
    r#"{"Action":"pass","Package":"example.com/j","#,
    "     Running unittests src/lib.rs (target/debug/deps/logging-2e863069fabb306e)",
    "   Doc-tests logging",
    "running 3 tests",
    "test a ... ok",
    "test b ... FAILED",
    "test c ... ",
    "ok",
    "noiseok",
    "test d has been running for over 60 seconds",
    "TAP version 14",
    "1..3",
    "ok 1 - a",
    "not ok 2 - b",
    "ok 3 # SKIP c",
    "    ok 1 - d",
    "    1..1",
    "# Subtest: e",
    "#   at t/a.t line 5.",
    "  ---",
    "  message: 'f'",
    "  ...",
    "Bail out! g",
    "t/a.t ..",
    "ok 2 glued...ok 2 - b",
    "not ok - c",
    "1..2",
    "PASS",
    "FAIL",
    "=== RUN   TestC",
    "--- PASS: TestC (0.00s)",
    "=== RUN   TestB",
    "--- PASS: TestB (0.00s)",
    "BenchmarkD-8   100   12.3 ns/op",
    "Ran 0 of 12 Specs in 0.001 seconds",
    "running 1 test",
    "test d ... ",
    "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
    "make[1]: *** [Makefile:3: test] Error 1",
    "make: [Makefile:3: test] Error 1 (ignored)",
    "make[1]: Entering directory '/x'",
    "make[1]: Leaving directory '/x'",
    r#"{"Action":"start","Package":"example.com/j"}{"Action":"run","Package":"example.com/j","Test":"TestK"}"#,
    r#"{"Action":"pass","Package":"example.com/j","Elapsed":0.1}"#,
    "thread 'b' (12) panicked at src/lib.rs:5:9:",
    "failures:",
    "---- b stdout ----",
    "test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
    "test result: ok. 18446744073709551615 passed; 9 failed; 1 ignored; 0 measured; 2 filtered out",
    "error: test failed, to rerun pass `--lib`",
    "  process didn't exit successfully: `x` (signal: 11, SIGSEGV: invalid memory reference)",
    "\x1b[32mtest e ... ok\x1b[0m",
    "[==========] Running 2 tests from 1 test suite.",
    "[ RUN      ] A.b",
    "x[       OK ] A.b (0 ms)",
    "[  FAILED  ] A.b (1 ms)",
    "[==========] 2 tests from 1 test suite ran. (0 ms total)",
    "[  PASSED  ] 1 test.",
    "Test project /x",
    "    Start 1: a",
    "1/1 Test #1: a ....   Passed    0.00 sec",
    "100% tests passed, 0 tests failed out of 1",
    "============================= test session starts ==============================",
    "collected 2 items",
    "a.py::b PASSED                  [ 50%]",
    "a.py::c FAILED",
    "a.py::d x",
    "a.py .F.s [100%]",
    "..F [100%]",
    ".Fatal Python error: Aborted",
    "=================================== FAILURES ===================================",
    "=========================== short test summary info ============================",
    "FAILED a.py::c - boom",
    "========================= 1 failed, 1 passed in 0.05s ==========================",
    "2 passed in 0.05s",
    "test_a (m.A.test_a) ... ok",
    "test_b (m.A.test_b) ... ",
    "FAIL: test_b (m.A.test_b)",
    "======================================================================",
    "----------------------------------------------------------------------",
    "Ran 2 tests in 0.001s",
    "OK (skipped=1)",
    "FAILED (failures=1)",
    " ✓ a",
    " ✗ b",
    " - c (skipped: why)",
    "\x1b[34;1ma.bats",
    "\x1b[0m\x1b[1G   a\x1b[K\x1b[77G1/3\x1b[2G\x1b[1G ✓ a\x1b[K",
    "3 tests, 1 failure, 1 skipped",
    "    Starting 2 tests across 1 binary",
    "        PASS [   0.004s] (1/2) demo a::b",
    "  TRY 1 FAIL [   0.004s] (───) demo a::c",
    "     Summary [   0.005s] 2 tests run: 1 passed, 1 failed, 0 skipped",
    "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 2 }",
    "{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }",
    "{ \"type\": \"test\", \"name\": \"a\", \"event\": \"ok\" }",
    "{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": 1, \"failed\": 0, \"ignored\": 0 }",
    "PASS p.TestA (0.00s)",
    "✖  p (9ms)",
    "=== FAIL: p TestB (0.00s)",
    "DONE 2 tests, 1 failure in 0.1s",
    "Running Suite: Books - /x",
    "• [0.000 seconds]",
    "[1795852000] Books - 1/2 specs •",
    "SUCCESS! -- 1 Passed | 0 Failed | 1 Pending | 0 Skipped",
    "Ginkgo ran 1 suite in 1s",
    "t is a Catch v2.13.10 host application.",
    "-------------------------------------------------------------------------------",
    "a.cc:6: FAILED:",
    "===============================================================================",
    "test cases: 4 | 1 passed | 2 failed | 1 failed as expected",
    "All tests passed (5 assertions in 2 test cases)",
    "PASS: a.sh",
    "FAIL: b.sh",
    "==========",
    "Testsuite summary for demo 1.0",
    "# PASS:  1",
    "1 of 2 tests failed",
    "y",
    "",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(LINES).prop_map(|line| line.as_bytes().to_vec());
    let junk = prop::collection::vec(any::<u8>(), 0..40);
    let end = prop::sample::select(&["\n", "\n", "\n", "\r\n", "\r", ""][..]);
    let line = (prop_oneof![9 => known, 1 => junk], end).prop_map(|(mut line, end)| {
        line.extend_from_slice(end.as_bytes());
        line
    });
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.concat())
}

fn context() -> impl Strategy<Value = CaseContext> {
    let root = prop::option::of(Just("example.com".to_owned()));
    let packages = prop::option::of(Just(vec!["example.com/x".to_owned(), "logging".to_owned()]));
    let files = prop::option::of(prop::collection::vec(Just("a.json".to_owned()), 0..2));
    (root, packages, files).prop_map(|(go_root, packages, changed_files)| CaseContext {
        go_root,
        packages,
        changed_files,
        ..CaseContext::default()
    })
}

fn ending() -> impl Strategy<Value = Option<Ending>> {
    prop::sample::select(vec![
        None,
        Some(Ending::ExitCode(0)),
        Some(Ending::ExitCode(2)),
        Some(Ending::Signal(9)),
    ])
}

/// Checks that each start has exactly one end, no end comes twice, and only cases that never ran
/// have no start.
fn check_balance(parsed: &Parsed) -> Result<(), TestCaseError> {
    let mut open: HashMap<_, bool> = HashMap::new();
    for finding in &parsed.findings {
        match finding {
            Finding::Started(key, _) => {
                prop_assert_eq!(open.insert(key.clone(), true), None, "started twice");
            }
            Finding::Finished(end) => {
                let before = open.insert(end.key.clone(), false);
                let wanted = (end.status != CaseStatus::NotRun).then_some(true);
                prop_assert_eq!(before, wanted, "{:?}", end);
            }
        }
    }
    prop_assert!(open.values().all(|open| !open), "a start without an end");
    Ok(())
}

fn check_limits(parsed: &Parsed, length: u64) -> Result<(), TestCaseError> {
    for end in parsed.ends() {
        let message = end.message.as_deref().unwrap_or("x");
        prop_assert!(!message.is_empty() && message.len() <= 1024);
        prop_assert!(!message.chars().any(char::is_control), "{message:?}");
        prop_assert!(end.output.len() <= 64);
        prop_assert!(
            end.output
                .iter()
                .all(|span| span.start < span.end && span.end <= length)
        );
        let in_order = end
            .output
            .windows(2)
            .all(|pair| pair[0].end < pair[1].start);
        prop_assert!(in_order, "{:?}", end.output);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn findings_are_balanced_bounded_and_do_not_depend_on_the_pieces(
        text in text(), context in context(), ending in ending(), size in 1usize..200,
    ) {
        let whole = parse_in_pieces(&context, &text, usize::MAX, ending);
        check_balance(&whole)?;
        check_limits(&whole, text.len() as u64)?;
        let pieces = parse_in_pieces(&context, &text, size, ending);
        prop_assert_eq!(pieces, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), size in 1usize..50) {
        let parsed = parse_in_pieces(&CaseContext::default(), &bytes, size, None);
        check_balance(&parsed)?;
    }
}

/// The beginnings of escape sequences, and ends of lines.
const CONTROLS: &[&[u8]] = &[
    b"\x1b",
    b" \x1b",
    b"\x1b[",
    b"\x1b]0;",
    b"\xc2\x9b",
    b"\x1b[31m",
    b"\x1bP",
    b"\n",
    b"\r",
    b"text\n",
    b"\0",
];

/// Bytes that a program may print around a line, without the words that end a test.
fn around() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..30),
        prop::sample::select(CONTROLS).prop_map(<[u8]>::to_vec),
        prop::sample::select(LINES).prop_map(|line| {
            let mut line = line.as_bytes().to_vec();
            line.push(b'\n');
            line
        }),
    ];
    let pieces = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    // Blanks alone before a result quote it, also where colours stand between, and a test that runs
    // prints what it wants.
    pieces.prop_filter("a quotation", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        !text.contains("=== ")
            && !text.contains("\"run\"")
            && !text.ends_with(['"', '\'', '`'])
            && !printable(bytes).ends_with([' ', '\t'])
            && !bytes.ends_with(b"... ")
            && !text.contains("running ")
            && !text.contains("INFO: ")
    })
}

fn is_red(parsed: &Parsed) -> bool {
    let is_bad = |status| matches!(status, CaseStatus::Failed | CaseStatus::Unfinished);
    parsed.ends().any(|end| is_bad(end.status)) || !parsed.observations.proven_failures.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bytes_hide_a_failure_of_the_outer_run(
        before in around(), after in around(), form in prop::sample::select(FORMS), size in 1usize..50,
    ) {
        let (run, failed) = form;
        let rest = "\nok  \texample.com/w\t0.1s\n";
        let text = [run.as_bytes(), &before, failed.as_bytes(), &after, rest.as_bytes()].concat();
        let parsed = parse_in_pieces(&CaseContext::default(), &text, size, Some(Ending::ExitCode(0)));
        prop_assert!(is_red(&parsed), "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn what_a_running_test_prints_changes_no_case(
        lines in prop::collection::vec(prop::sample::select(OUTPUT), 0..20), json in any::<bool>(), indented in any::<bool>(),
    ) {
        let with = outer(&lines, json, indented);
        let without = outer(&[], json, indented);
        let parsed = |text: &str| super::parse(&CaseContext::default(), text, 0);
        prop_assert_eq!(parsed(&with).cases(), parsed(&without).cases(), "{}", with);
        prop_assert!(parsed(&with).observations.proven_failures.is_empty());
    }
}

/// The start of a test, where it is told, and its failure.
const FORMS: &[(&str, &str)] = &[
    ("", "--- FAIL: TestX (0.01s)"),
    ("=== RUN   TestX\n", "--- FAIL: TestX (0.01s)"),
    (
        "{\"Action\":\"run\",\"Package\":\"e.com/x\",\"Test\":\"TestX\"}\n",
        "{\"Action\":\"fail\",\"Package\":\"e.com/x\",\"Test\":\"TestX\",\"Elapsed\":0.01}",
    ),
    (
        "",
        "{\"Action\":\"fail\",\"Package\":\"e.com/x\",\"Elapsed\":0.01}",
    ),
    ("1..2\nok 1 - a\n", "\nnot ok 2 - b\n"),
    ("", "\nFAIL\te.com/x\t0.01s\n"),
    (
        "",
        "\nerror: could not compile `x` (lib) due to 1 previous error\n",
    ),
];

/// Lines of runs inside of a test.
const OUTPUT: &[&str] = &[
    "--- PASS: TestInner (0.00s)",
    "--- FAIL: TestInner (0.00s)",
    "    --- FAIL: TestInner/sub (0.00s)",
    "    a_test.go:12: boom",
    "FAIL",
    "PASS",
    "ok  \texample.com/inner\t0.01s",
    "ok  \texample.com/inner\t(cached)",
    "FAIL\texample.com/inner\t0.01s",
    "FAIL\texample.com/other [build failed]",
    "?   \texample.com/none\t[no test files]",
    "exit status 1",
    "# example.com/other",
    "other.go:3:4: undefined: x",
    "running 2 tests",
    "test a ... ok",
    "test b ... FAILED",
    "failures:",
    "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
    "error: test failed, to rerun pass `--lib`",
    "error: could not compile `x` (lib) due to 1 previous error",
    "1..2",
    "ok 1 - a",
    "not ok 2 - b",
    "Bail out! no",
    "make[1]: *** [Makefile:3: test] Error 1",
    "make[1]: Entering directory '/x'",
    r#"{"Action":"run","Package":"example.com/j","Test":"TestJ"}"#,
    r#"{"Action":"fail","Package":"example.com/j","Test":"TestJ","Elapsed":0.1}"#,
    r#"{"Action":"fail","Package":"example.com/j","Elapsed":0.1}"#,
    "",
];

/// Returns a run of two tests, the first of which prints these lines.
fn outer(lines: &[&str], json: bool, indented: bool) -> String {
    let lines = lines.iter().map(|line| match indented {
        true => format!("        {line}\n"),
        false => format!("{line}\n"),
    });
    let package = r#""Package":"example.com/p""#;
    let event = |action: &str, test: &str, more: &str| {
        format!("{{\"Action\":\"{action}\",{package},\"Test\":\"{test}\"{more}}}\n")
    };
    if !json {
        let lines: String = lines.collect();
        return format!(
            "=== RUN   TestX\n{lines}--- PASS: TestX (0.01s)\n=== RUN   TestY\n--- PASS: TestY (0.00s)\nPASS\nok  \texample.com/p\t0.1s\n"
        );
    }
    let output = lines.map(|line| {
        let line = serde_json::to_string(&line).unwrap();
        event("output", "TestX", &format!(",\"Output\":{line}"))
    });
    let output: String = output.collect();
    [
        event("run", "TestX", ""),
        output,
        event("pass", "TestX", ""),
        event("run", "TestY", ""),
        event("pass", "TestY", ""),
        format!("{{\"Action\":\"pass\",{package}}}\n"),
    ]
    .concat()
}

#[test]
fn a_result_behind_a_flood_without_a_line_feed_is_found() {
    let mut text = b"=== RUN   TestFlood\n".to_vec();
    text.resize(3 << 20, b'x');
    text.extend_from_slice(b"--- PASS: TestFlood (0.50s)\nok  \texample.com/x\t0.51s\n");
    let parsed = parse_in_pieces(
        &CaseContext::default(),
        &text,
        1000,
        Some(Ending::ExitCode(0)),
    );
    assert_eq!(parsed.cases(), ["example.com/x|TestFlood|passed"]);
}

/// A flood in one line with a result in its middle, far from both ends.
fn flood_around(result: &str) -> Vec<u8> {
    let mut text = vec![b'x'; 3 << 20];
    text.extend_from_slice(result.as_bytes());
    text.resize(5 << 20, b'y');
    text.push(b'\n');
    text
}

#[test]
fn a_failure_in_the_middle_of_a_line_that_is_too_long_fails_the_job() {
    let endings = [
        "--- FAIL: TestA (0.00s)",
        "FAIL\texample.com/x\t0.1s ",
        "make[1]: *** [Makefile:5: lint] Error 1 ",
        "error: could not compile `x` ",
        "\"Action\":\"fail\",",
    ];
    for result in endings {
        let text = flood_around(result);
        let ending = Some(Ending::ExitCode(0));
        let parsed = parse_in_pieces(&CaseContext::default(), &text, 1 << 16, ending);
        let is_bad = parsed.ends().any(|end| end.status == CaseStatus::Failed);
        assert!(
            is_bad || !parsed.observations.proven_failures.is_empty(),
            "{result}"
        );
        for size in [1000, 65_537, usize::MAX] {
            let other = parse_in_pieces(&CaseContext::default(), &text, size, ending);
            assert_eq!(
                other.cases(),
                parsed.cases(),
                "{result} in pieces of {size}"
            );
        }
    }
}

#[test]
fn results_in_a_line_that_is_too_long_are_those_of_the_running_test() {
    let middle = flood_around("--- PASS: TestFlood (0.50s)--- FAIL: TestInner (0.10s)");
    let text = [
        b"=== RUN   TestFlood\n".as_slice(),
        &middle,
        b"ok  \texample.com/x\t0.51s\n",
    ]
    .concat();
    let ending = Some(Ending::ExitCode(0));
    let parsed = parse_in_pieces(&CaseContext::default(), &text, 1 << 16, ending);
    let cases = [
        "example.com/x|TestFlood|passed",
        "example.com/x|TestInner|failed",
    ];
    assert_eq!(parsed.cases(), cases);
    let quoted = flood_around("\\n--- FAIL: TestInner (0.10s)");
    let event = b"{\"Action\":\"output\",\"Output\":\"".as_slice();
    let parsed = parse_in_pieces(
        &CaseContext::default(),
        &[event, &quoted].concat(),
        1 << 16,
        ending,
    );
    assert_eq!(parsed.cases(), [""; 0]);
}

#[test]
fn a_flood_takes_neither_memory_nor_long() {
    let piece = b"y\n".repeat(1 << 19);
    let mut parser = crate::parse::Parser::new(CaseContext::default());
    let begin = Instant::now();
    for _ in 0..100 {
        parser.feed(&piece, &mut |finding| panic!("{finding:?}"));
    }
    // 100 MiB; generous, since tests are built with little optimisation and machines are shared.
    assert!(begin.elapsed().as_secs() < 20);
}
