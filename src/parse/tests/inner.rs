//! Runs inside of tests, runs side by side, and failures whose exit code was lost.

use super::parse;
use crate::parse::CaseContext;

fn cases(text: &str) -> Vec<String> {
    parse(&CaseContext::default(), text, 0).cases()
}

#[test]
fn an_inner_go_test_is_output() {
    let inner = "=== RUN   TestInner\n--- PASS: TestInner (0.00s)\nPASS\nok  \te.com/inner\t0.1s\n";
    let failing =
        "--- FAIL: TestBroken (0.00s)\n    a_test.go:3: no\nFAIL\nFAIL\te.com/inner\t0.1s\nFAIL\n";
    let logged = "    a_test.go:9: printed:\n        === RUN   TestBroken\n        --- FAIL: TestBroken (0.00s)\n        FAIL\n        FAIL\te.com/inner\t0.1s\n";
    for inner in [inner, failing, logged] {
        let text = format!(
            "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestOuter\n{inner}--- PASS: TestOuter (0.30s)\n=== RUN   TestZ\n--- PASS: TestZ (0.00s)\nPASS\nok  \te.com/outer\t0.4s\n"
        );
        let expected = ["TestA", "TestOuter", "TestZ"];
        assert_eq!(
            cases(&text),
            expected.map(|name| format!("e.com/outer|{name}|passed")),
            "{inner}"
        );
        let proven = parse(&CaseContext::default(), &text, 0)
            .observations
            .proven_failures;
        assert!(proven.is_empty(), "{proven:?}");
    }
}

#[test]
fn two_runs_side_by_side_keep_their_cases() {
    let text = "=== RUN   TestL\n=== RUN   TestL\n--- PASS: TestL (1.50s)\n=== RUN   TestS\n--- PASS: TestL (1.50s)\n=== RUN   TestS\n--- PASS: TestS (0.70s)\nPASS\nok  \te.com/a\t2.2s\n--- PASS: TestS (0.70s)\nPASS\nok  \te.com/b\t2.2s\n";
    let cases = cases(text);
    assert_eq!(cases.len(), 4, "{cases:?}");
    assert!(
        cases.iter().all(|case| case.ends_with("|passed")),
        "{cases:?}"
    );
}

#[test]
fn an_inner_libtest_is_output() {
    let inner = "\nrunning 1 test\ntest helper ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.00s\n\nok\n";
    let trybuild = "\ntest tests/ui/a.rs ... ok\ntest tests/ui/b.rs ... ok\n\nok\n";
    for inner in [inner, trybuild] {
        let text = format!(
            "running 3 tests\ntest a ... {inner}test helper ... ignored, run by a\ntest z ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n"
        );
        assert_eq!(
            cases(&text),
            ["|a|passed", "|helper|skipped", "|z|passed"],
            "{inner}"
        );
    }
}

#[test]
fn names_may_have_blanks_kinds_and_times() {
    let mimic = "running 2 tests\ntest [toml] empty config  ... ok\ntest [toml] unknown key   ... FAILED\n\nfailures:\n\n---- unknown key ----\nline 3\n\nfailures:\n    unknown key\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(
        cases(mimic),
        ["|empty config|passed", "|unknown key|failed"]
    );
    assert_eq!(
        cases("1..1\nok 1 sandbox stops in 87ms\n"),
        ["|sandbox stops|passed"]
    );
    assert_eq!(cases("t/net.sh .. ok\n"), ["|t/net.sh|passed"]);
}

#[test]
fn tap_counts_without_numbers_and_each_number_once() {
    assert_eq!(cases("ok - a\nok - b\n1..2\n"), ["|a|passed", "|b|passed"]);
    let twice = cases("1..4\nok 1 a\nok 2 b\nok 2 b\nok 3 c\n");
    assert!(twice.contains(&"|(plan)|failed".to_owned()), "{twice:?}");
    assert!(twice.contains(&"|test 4|not-run".to_owned()), "{twice:?}");
    assert_eq!(cases("ok then\nit goes on\n"), [""; 0]);
}

#[test]
fn go_is_read_where_its_words_are_glued_or_few() {
    assert_eq!(
        cases("listening on :0FAIL\te.com/p\t0.1s\n"),
        ["e.com/p|(package)|failed"]
    );
    assert_eq!(cases("PASS\n"), ["|(package)|passed"]);
    let bench = "BenchmarkSum-8   \t     100\t  12.3 ns/op\nPASS\nok  \te.com/p\t0.1s\n";
    assert_eq!(cases(bench), ["e.com/p|BenchmarkSum|passed"]);
    let left = "ok  \te.com/a\t0.1s\n=== RUN   TestB\n--- PASS: TestB (0.00s)\nPASS\nok  \te.com/b\t0.1s\n";
    assert_eq!(
        cases(left),
        ["e.com/a|(package)|skipped", "e.com/b|TestB|passed"]
    );
}
