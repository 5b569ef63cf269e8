//! Runs inside of tests, and runs side by side.

use super::{Parsed, parse};
use crate::parse::CaseContext;

fn parsed(text: &str) -> Parsed {
    parse(&CaseContext::default(), text, 0)
}

fn cases(text: &str) -> Vec<String> {
    parsed(text).cases()
}

/// Returns what the text proves outside of any case.
fn proofs(text: &str) -> Vec<String> {
    let failures = parsed(text).observations.proven_failures;
    failures.into_iter().map(|failure| failure.what).collect()
}

/// Puts lines inside of a test of go test -v.
fn inside(inner: &str) -> String {
    format!(
        "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestOuter\n{inner}--- PASS: TestOuter (0.30s)\n=== RUN   TestZ\n--- PASS: TestZ (0.00s)\nPASS\nok  \te.com/outer\t0.4s\n"
    )
}

/// Lists output that tests are known to print or to log.
const INNER: &[&str] = &[
    "=== RUN   TestInner\n--- PASS: TestInner (0.00s)\nPASS\nok  \te.com/inner\t0.1s\n",
    "=== RUN   TestInner\n    a_test.go:3: no\n--- FAIL: TestInner (0.00s)\nFAIL\nFAIL\te.com/inner\t0.1s\nFAIL\n",
    "--- FAIL: TestBroken (0.00s)\n    a_test.go:3: no\nFAIL\nFAIL\te.com/inner\t0.1s\nFAIL\n",
    "--- FAIL: TestBroken (0.00s)\nFAIL\n",
    "--- FAIL: TestBroken (0.00s)\n",
    "=== RUN   TestInner\n--- FAIL: TestInner (0.00s)\n",
    "ok  \te.com/one\t0.1s\nok  \te.com/two\t0.1s\n?   \te.com/three\t[no test files]\n",
    "FAIL\te.com/one [build failed]\nok  \te.com/two\t0.1s\nFAIL\n",
    "# e.com/one\none.go:3:4: undefined: x\nFAIL\te.com/one [build failed]\nFAIL\n",
    // It starts itself again, with the same names.
    "=== RUN   TestOuter\n--- PASS: TestOuter (0.00s)\nPASS\n",
    "=== RUN   TestOuter\n--- FAIL: TestOuter (0.00s)\nFAIL\nexit status 1\nFAIL\te.com/outer\t0.1s\n",
    "=== RUN   TestZ\n--- PASS: TestZ (0.00s)\nPASS\nok  \te.com/outer\t0.1s\n",
    // It dies.
    "=== RUN   TestInner\npanic: boom\n\ngoroutine 7 [running]:\ne.com/inner.TestInner(0x1)\n\t/src/a_test.go:7 +0x12\nexit status 2\nFAIL\te.com/inner\t0.1s\nFAIL\n",
    "=== RUN   TestInner\npanic: boom\n\ngoroutine 7 [running]:\ne.com/inner.TestInner(0x1)\n\t/src/a_test.go:7 +0x12\n",
    "panic: test timed out after 2s\n\trunning tests:\n\t\tTestInner (2s)\n\ngoroutine 7 [running]:\n\t/src/a_test.go:7 +0x12\nexit status 2\nFAIL\te.com/inner\t2.0s\nFAIL\n",
    "=== RUN   TestHelperProcess\nhelping\n",
    // Other runners.
    "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nno\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\nerror: test failed, to rerun pass `--lib`\n",
    "1..2\nok 1 - a\nnot ok 2 - b\n",
    "{\"Action\":\"run\",\"Package\":\"e.com/j\",\"Test\":\"TestJ\"}\n{\"Action\":\"fail\",\"Package\":\"e.com/j\",\"Test\":\"TestJ\",\"Elapsed\":0}\n{\"Action\":\"fail\",\"Package\":\"e.com/j\",\"Elapsed\":0.1}\n",
    "error: could not compile `x` (lib test) due to 1 previous error\n",
    "make[1]: Entering directory '/x'\nmake[1]: *** [Makefile:2: all] Error 1\nmake[1]: Leaving directory '/x'\n",
    // What it logs is indented.
    "    a_test.go:9: printed:\n        === RUN   TestBroken\n        --- FAIL: TestBroken (0.00s)\n            --- FAIL: TestBroken/sub (0.00s)\n        FAIL\n        FAIL\te.com/inner\t0.1s\n        FAIL\n",
    "    a_test.go:9: not ok 1 - x\n    a_test.go:10: panic: no\n",
];

#[test]
fn what_a_running_test_prints_changes_neither_number_nor_state() {
    let expected = ["TestA", "TestOuter", "TestZ"].map(|name| format!("e.com/outer|{name}|passed"));
    for one in INNER {
        for other in INNER {
            let text = inside(&format!("{one}{other}"));
            assert_eq!(cases(&text), expected, "{text}");
            assert!(proofs(&text).is_empty(), "{:?}\n{text}", proofs(&text));
        }
    }
}

#[test]
fn what_events_hold_as_output_changes_neither_number_nor_state() {
    let event = |action: &str, test: &str, more: &str| {
        format!(
            "{{\"Action\":\"{action}\",\"Package\":\"e.com/outer\",\"Test\":\"{test}\"{more}}}\n"
        )
    };
    for inner in INNER {
        let output: String = inner
            .split_inclusive('\n')
            .map(|line| {
                let line = serde_json::to_string(line).unwrap();
                event("output", "TestOuter", &format!(",\"Output\":{line}"))
            })
            .collect();
        let text = event("run", "TestOuter", "")
            + &output
            + &event("pass", "TestOuter", ",\"Elapsed\":0.1")
            + "{\"Action\":\"pass\",\"Package\":\"e.com/outer\",\"Elapsed\":0.2}\n";
        assert_eq!(cases(&text), ["e.com/outer|TestOuter|passed"], "{text}");
        assert!(proofs(&text).is_empty(), "{:?}\n{text}", proofs(&text));
    }
}

#[test]
fn before_go_1_20_lines_of_an_inner_run_became_events() {
    let event = |action: &str, test: &str| {
        format!("{{\"Action\":\"{action}\",\"Package\":\"e.com/outer\",\"Test\":\"{test}\"}}\n")
    };
    let text = [
        event("run", "TestOuter"),
        event("run", "TestInner"),
        event("fail", "TestInner"),
        event("pass", "TestOuter"),
        event("run", "TestZ"),
        event("pass", "TestZ"),
        "{\"Action\":\"output\",\"Package\":\"e.com/outer\",\"Output\":\"ok  \\te.com/inner\\t0.1s [no tests to run]\\n\"}\n".into(),
        "{\"Action\":\"pass\",\"Package\":\"e.com/outer\"}\n".into(),
    ]
    .concat();
    assert_eq!(
        cases(&text),
        ["e.com/outer|TestOuter|passed", "e.com/outer|TestZ|passed"]
    );
}

#[test]
fn a_test_that_ends_its_process_after_an_inner_run_keeps_its_package() {
    let text = "=== RUN   TestOuter\n=== RUN   TestInner\n--- PASS: TestInner (0.00s)\nPASS\nok  \te.com/inner\t0.1s\npanic: boom\n\ngoroutine 7 [running]:\nexit status 2\nFAIL\te.com/outer\t0.1s\n=== RUN   TestB\n--- FAIL: TestB (0.00s)\nFAIL\nFAIL\te.com/p\t0.1s\nFAIL\n";
    let found = cases(text);
    assert!(
        found.contains(&"e.com/p|TestB|failed".to_owned()),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|case| case.contains("|TestOuter|unfinished")),
        "{found:?}"
    );
}

#[test]
fn a_failure_after_an_inner_run_has_its_message() {
    let text = "=== RUN   TestOuter\nok  \te.com/inner\t0.1s\n    a_test.go:20: it passed\n--- FAIL: TestOuter (0.30s)\nFAIL\nFAIL\te.com/outer\t0.4s\n";
    let parsed = parse(&CaseContext::default(), text, 1);
    let end = parsed.end("TestOuter");
    assert_eq!(end.key.package, "e.com/outer");
    assert_eq!(
        (end.message.as_deref(), end.line),
        (Some("it passed"), Some(20))
    );
}

#[test]
fn parallel_tests_run_beside_the_one_that_prints() {
    let text = "=== RUN   TestA\n=== PAUSE TestA\n=== RUN   TestB\n=== PAUSE TestB\n=== CONT  TestA\n=== CONT  TestB\n=== RUN   TestInner\n--- PASS: TestA (0.10s)\n--- FAIL: TestInner (0.00s)\nFAIL\n--- PASS: TestB (0.20s)\nPASS\nok  \te.com/outer\t0.4s\n";
    assert_eq!(
        cases(text),
        ["e.com/outer|TestA|passed", "e.com/outer|TestB|passed"]
    );
}

#[test]
fn two_runs_side_by_side_keep_their_cases() {
    let text = "=== RUN   TestL\n=== RUN   TestL\n--- PASS: TestL (1.50s)\n=== RUN   TestS\n--- PASS: TestL (1.50s)\n=== RUN   TestS\n--- PASS: TestS (0.70s)\nPASS\nok  \te.com/a\t2.2s\n--- PASS: TestS (0.70s)\nPASS\nok  \te.com/b\t2.2s\n";
    let other = "=== RUN   TestA\n=== RUN   TestB\n--- PASS: TestA (0.50s)\n=== RUN   TestC\n--- PASS: TestB (0.70s)\n=== RUN   TestD\n--- PASS: TestD (0.10s)\nPASS\nok  \te.com/b\t0.9s\n--- PASS: TestC (0.70s)\nPASS\nok  \te.com/a\t1.2s\n";
    for text in [text, other] {
        let cases = cases(text);
        assert_eq!(cases.len(), 4, "{cases:?}");
        assert!(
            cases.iter().all(|case| case.ends_with("|passed")),
            "{cases:?}"
        );
        // One of them fails.
        let (before, after) = text.rsplit_once("--- PASS").unwrap();
        let failed = format!("{before}--- FAIL{after}");
        assert!(
            super::parse(&CaseContext::default(), &failed, 0)
                .cases()
                .iter()
                .any(|case| case.ends_with("|failed")),
            "{failed}"
        );
    }
}

/// Puts lines inside of a test of libtest that runs alone.
fn inside_rust(inner: &str) -> String {
    format!(
        "running 3 tests\ntest a ... {inner}test helper ... ignored, run by a\ntest z ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
    )
}

#[test]
fn an_inner_libtest_is_output() {
    let inner = [
        "\nrunning 1 test\ntest helper ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\nok\n",
        "\nrunning 2 tests\ntest helper ... FAILED\ntest z ... ok\n\nfailures:\n\n---- helper stdout ----\nboom\n\nfailures:\n    helper\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s\n\nok\n",
        "\ntest tests/ui/a.rs ... ok\ntest tests/ui/b.rs ... ok\n\nok\n",
        "\nall look ok\ntest tests/ui/b.rs ... mismatch\nok\n",
        "\n     Running unittests src/lib.rs (target/debug/deps/inner-2e863069fabb306e)\n\nrunning 1 test\ntest x ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\nok\n",
        "\ntest result: FAILED. 0 passed; 7 failed; 0 ignored; 0 measured; 0 filtered out\nok\n",
        "\n=== RUN   TestX\n--- FAIL: TestX (0.00s)\nFAIL\te.com/x\t0.1s\nFAIL\nok\n",
        "=== RUN   TestX\n--- FAIL: TestX (0.00s)\nFAIL\nok\n",
        "\n1..2\nok 1 - a\nnot ok 2 - b\nok\n",
        "\nerror: could not compile `x` (lib) due to 1 previous error\nok\n",
    ];
    for inner in inner {
        let text = inside_rust(inner);
        assert_eq!(
            cases(&text),
            ["|a|passed", "|helper|skipped", "|z|passed"],
            "{inner}"
        );
        assert!(proofs(&text).is_empty(), "{:?}\n{text}", proofs(&text));
    }
}

#[test]
fn a_child_of_a_harness_with_threads_loses_nothing_of_the_outer_run() {
    let text = "running 3 tests\ntest helper ... ignored\n\nrunning 1 test\ntest z ... ok\ntest helper ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";
    let found = cases(text);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        !found.iter().any(|case| case.contains("unnamed")),
        "{found:?}"
    );
    assert!(proofs(text).is_empty());
    let failed = text
        .replace("test helper ... ok", "test helper ... FAILED")
        .replace(
            "ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out",
            "FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out",
        );
    assert_eq!(
        cases(&failed),
        ["|helper|skipped", "|z|passed", "|a|passed"]
    );
    assert!(proofs(&failed)[0].contains("does not tell which"));
}

#[test]
fn two_runs_of_cargo_side_by_side_keep_their_cases() {
    let text = "     Running unittests src/lib.rs (target/debug/deps/one-2e863069fabb306e)\n\nrunning 2 tests\ntest a1 ... ok\n     Running unittests src/lib.rs (target/debug/deps/two-3e863069fabb306e)\n\nrunning 3 tests\ntest b1 ... ok\ntest a2 ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\ntest b2 ... FAILED\ntest b3 ... ok\n\nfailures:\n\n---- b2 stdout ----\nno\n\nfailures:\n    b2\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    let found = cases(text);
    assert_eq!(found.len(), 5, "{found:?}");
    let failed: Vec<_> = found
        .iter()
        .filter(|case| !case.ends_with("|passed"))
        .collect();
    assert_eq!(failed, ["two|b2|failed"]);
}

#[test]
fn a_go_test_and_a_cargo_test_side_by_side_keep_their_cases() {
    let text = "=== RUN   TestA\n     Running unittests src/lib.rs (target/debug/deps/one-2e863069fabb306e)\n\nrunning 2 tests\ntest a1 ... ok\n--- PASS: TestA (0.00s)\n=== RUN   TestB\ntest a2 ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n--- PASS: TestB (0.00s)\nPASS\nok  \te.com/p\t0.1s\n";
    let mut found = cases(text);
    found.sort();
    assert_eq!(
        found,
        [
            "e.com/p|TestA|passed",
            "e.com/p|TestB|passed",
            "one|a1|passed",
            "one|a2|passed"
        ]
    );
}

#[test]
fn two_streams_of_tap_side_by_side_keep_their_cases() {
    let first = "1..2\n1..3\nok 1 - a\nok 1 - b\nok 2 - b\nok 2 - a\nok 3 - b\n";
    let last = "ok 1 - a\nok 1 - b\nok 2 - b\nok 2 - a\n1..2\n1..2\n";
    for (text, number) in [(first, 5), (last, 4)] {
        let found = cases(text);
        assert_eq!(found.len(), number, "{found:?}");
        assert!(
            found.iter().all(|case| case.ends_with("|passed")),
            "{found:?}"
        );
        let failed = text.replacen("ok 2 - a", "not ok 2 - a", 1);
        assert!(cases(&failed).contains(&"|a #2|failed".to_owned()));
        let lost = text.replacen("ok 2 - a\n", "", 1);
        assert!(cases(&lost).iter().any(|case| case.ends_with("|failed")));
    }
}

#[test]
fn a_failure_between_the_tests_of_a_suite_of_events_is_no_output_of_a_test() {
    let suite = |tests: &str| {
        format!(
            "{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }}\n{tests}\
             {{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": 1, \"failed\": 0, \"ignored\": 0 }}\n"
        )
    };
    let started = "{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\n";
    let ended = "{ \"type\": \"test\", \"event\": \"ok\", \"name\": \"a\" }\n";
    let fail = "FAIL\te.com/x\t0.01s\n";
    let inside = suite(&format!("{started}{fail}{ended}"));
    assert_eq!(cases(&inside), ["|a|passed"]);
    for tests in [
        format!("{fail}{started}{ended}"),
        format!("{started}{ended}{fail}"),
    ] {
        let mut found = cases(&suite(&tests));
        found.sort();
        assert_eq!(found, ["e.com/x|(package)|failed", "|a|passed"], "{tests}");
    }
    // A suite that counts fewer tests than it announced has lost one.
    let fewer = suite(&format!("{started}{ended}")).replace("test_count\": 1", "test_count\": 2");
    assert_eq!(cases(&fewer), ["|a|passed", "|(summary)|failed"]);
}
