//! Forms of libtest output that no recorded file has.

use super::parse;
use crate::parse::CaseContext;

const CRATE: &str =
    "     Running unittests src/lib.rs (target/debug/deps/logging-2e863069fabb306e)\n";

fn cases(text: &str) -> Vec<String> {
    parse(&CaseContext::default(), text, 0).cases()
}

#[test]
fn targets_in_all_their_forms() {
    let block = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
    let text = format!(
        "{CRATE}{block}     Running target/debug/deps/old_style-0123456789abcdef\n{block}     Running tests/x.rs (target/debug/deps/x-0123456789abcdef)\n{block}   Doc-tests logging\n{block}"
    );
    assert_eq!(
        cases(&text),
        [
            "logging|a|passed",
            "old_style|a|passed",
            "x|a|passed",
            "logging (doc)|a|passed"
        ]
    );
    assert_eq!(cases(block), ["|a|passed"]);
}

#[test]
fn debug_and_release_both_count() {
    let text = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n".repeat(2);
    assert_eq!(
        cases(&(CRATE.to_owned() + &text)),
        ["logging|a|passed", "logging|a #2|passed"]
    );
}

#[test]
fn totals_give_lost_results_to_the_tests_that_wait_for_them() {
    let text = "running 2 tests\ntest a ... noise\ntest b ... noise\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(cases(text), ["|a|passed", "|b|passed"]);
}

#[test]
fn what_totals_cannot_tell_is_unfinished() {
    let text = "running 2 tests\ntest a ... noise\ntest b ... noise\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(cases(text), ["|a|unfinished", "|b|unfinished"]);
}

#[test]
fn lost_names_are_cases_without_one_or_taken_from_the_list_of_failures() {
    let text = "running 3 tests\ntest a ... ok\n\nfailures:\n\nfailures:\n    b\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(cases(text), ["|a|passed", "|b|failed", "|(unnamed)|passed"]);
}

#[test]
fn what_a_failed_test_printed_is_not_libtest_s() {
    let text = concat!(
        "running 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\nrunning 7 tests\ntest z ... ok\n",
        "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n\n\nfailures:\n    a\n\n",
        "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
    assert_eq!(cases(text), ["|a|failed"]);
}

#[test]
fn a_long_test_and_glued_ones() {
    let text = "running 3 tests\ntest a has been running for over 60 seconds\nnoisetest b ... ok\ntest a ... ok\nbench test\ntest c ... bench:         123 ns/iter (+/- 5)\ntest result: ok. 2 passed; 0 failed; 0 ignored; 1 measured; 0 filtered out\n";
    assert_eq!(cases(text), ["|b|passed", "|a|passed", "|c|passed"]);
}

#[test]
fn an_ok_printed_by_a_test_that_dies_is_no_result() {
    let text = "running 1 test\ntest a ... \nok\nerror: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `x` (signal: 11, SIGSEGV: invalid memory reference)\n";
    let parsed = parse(&CaseContext::default(), text, 101);
    assert_eq!(parsed.cases(), ["|a|unfinished"]);
    assert!(
        parsed
            .end("a")
            .message
            .as_deref()
            .unwrap()
            .contains("signal: 11")
    );
}

#[test]
fn an_old_panic_tells_its_message_on_its_own_line() {
    let text = "running 1 test\nthread 'a' panicked at 'no: luck', src/lib.rs:5:9\ntest a ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    let parsed = parse(&CaseContext::default(), text, 101);
    let end = parsed.end("a");
    assert_eq!(
        (end.message.as_deref(), end.file.as_deref(), end.line),
        (Some("no: luck"), Some("src/lib.rs"), Some(5))
    );
}

#[test]
fn a_stack_overflow_leaves_its_test_unfinished() {
    let text = "running 1 test\n\nthread 'tests::deep' has overflowed its stack\nfatal runtime error: stack overflow, aborting\n";
    let parsed = parse(&CaseContext::default(), text, 101);
    assert_eq!(parsed.cases(), ["|tests::deep|unfinished"]);
}

#[test]
fn crates_never_seen_are_not_run_unless_it_cannot_be_told() {
    let context = CaseContext {
        packages: Some(vec!["logging".into(), "safe-path".into()]),
        ..CaseContext::default()
    };
    let block = "running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n";
    let known = parse(&context, &(CRATE.to_owned() + block), 101);
    assert_eq!(known.cases(), ["safe-path|(package)|not-run"]);
    assert!(parse(&context, block, 101).cases().is_empty());
}

#[test]
fn filtered_tests_are_told_with_their_cause() {
    let text = "cargo test -p logging -- --nocapture --ignored\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out; finished in 0.00s\n";
    let causes = parse(&CaseContext::default(), text, 0)
        .observations
        .vacuous_causes;
    assert!(
        causes[0].0.starts_with("9 filtered out: as root"),
        "{causes:?}"
    );
    assert!(causes[0].1.as_ref().unwrap().contains("USERID=1000"));
}

#[test]
fn a_target_that_failed_without_a_failed_test_is_a_case() {
    let block = |result: &str, word: &str, totals: &str| {
        format!(
            "running 1 test\ntest a ... {result}\n\ntest result: {word}. {totals}; 0 ignored; 0 measured; 0 filtered out\n"
        )
    };
    let bad = block("FAILED", "FAILED", "0 passed; 1 failed");
    let good = block("ok", "ok", "1 passed; 0 failed");
    let said = |target: &str| format!("error: test failed, to rerun pass `{target}`\n");
    let custom =
        "     Running tests/custom.rs (target/debug/deps/custom-0123456789abcdef)\nbroken\n";
    let text = [
        CRATE,
        &bad,
        &said("--lib"),
        custom,
        &said("--test custom"),
        "   Doc-tests logging\n",
        &good,
        "error: 2 targets failed:\n",
    ]
    .concat();
    let parsed = parse(&CaseContext::default(), &text, 101);
    assert_eq!(
        parsed.cases(),
        [
            "logging|a|failed",
            "logging (doc)|a|passed",
            "custom|(package)|failed"
        ]
    );
    let span = parsed.end("(package)").output[0];
    let part = &text[span.start as usize..span.end as usize];
    assert_eq!(part, [custom, &said("--test custom")].concat());
    // Without cargo's names of the targets.
    let quiet = [&*bad, &said("--lib"), &said("--test custom")].concat();
    assert_eq!(cases(&quiet), ["|a|failed", "|(package)|failed"]);
    // cargo's lines, on their own stream, come behind those of the tests.
    let apart = [&*bad, CRATE, &said("--lib")].concat();
    assert_eq!(cases(&apart), ["|a|failed"]);
}
