//! Failures whose exit code was lost, and names as they are meant.

use super::parse;
use crate::model::CaseStatus;
use crate::parse::CaseContext;

fn cases(text: &str) -> Vec<String> {
    parse(&CaseContext::default(), text, 0).cases()
}

/// Returns what the text proves outside of any case; with an asterisk what no missing program
/// explains.
fn proofs(text: &str) -> Vec<String> {
    let failures = parse(&CaseContext::default(), text, 0)
        .observations
        .proven_failures;
    let mark = |is_own| if is_own { "*" } else { "" };
    let told = failures.iter();
    told.map(|failure| format!("{}{}", mark(failure.is_own), failure.what))
        .collect()
}

/// Returns true if a job that exited with 0 is not green by its cases or by proof.
fn is_red(text: &str) -> bool {
    let bad = cases(text)
        .iter()
        .any(|case| case.ends_with("|failed") || case.ends_with("|unfinished"));
    bad || !proofs(text).is_empty()
}

const GREEN: &str = "ok  \te.com/a\t0.1s\n";

#[test]
fn what_proves_a_failure_is_seen_wherever_the_exit_code_went() {
    let proofs = [
        "error: could not compile `x` (lib test) due to 1 previous error\n",
        "warning: build failed, waiting\nsomethingerror: could not compile `x` (bin \"x\") due to 2 previous errors; 1 warning emitted\n",
        "error: aborting due to 1 previous error\n",
        "error: failed to parse manifest at `/x/Cargo.toml`\n",
        "error: failed to run custom build command for `openssl-sys v0.9`\n",
        "error: no matching package named `x` found\n",
        "# e.com/b\nb/b.go:3:4: undefined: x\n",
        "# e.com/b\nvet: b/b.go:3:4: undefined: x\n",
        "b/b.go:4:2: no required module provides package e.com/q; to add it:\n",
        "go: errors parsing go.mod:\n",
        "FAIL\te.com/b\t0.1s\n",
        "FAIL\te.com/b [build failed]\n",
        "FAIL\te.com/b [setup failed]\n",
        "listening on :80FAIL\te.com/b\t0.1s\n",
        "--- FAIL: TestX (0.00s)\n",
        "waiting...--- FAIL: TestX (0.00s)\n",
        "main.c:3:5: error: expected ';'\n",
        "make[1]: *** [Makefile:5: lint] Error 1\n",
        "make[1]: *** No rule to make target 'x', needed by 'y'.  Stop.\n",
        "make[2]: *** [Makefile:5: lint] Killed\n",
        "make[1]: Entering directory '/x'\n",
        "*** Error code 1\n",
        "1..2\nok 1 - a\nnot ok 2 - b\n",
        "1..2\nok 1 - a\nwaiting...not ok 2 - b\n",
        "ok 1 - a\nnot ok 2 - b\n",
        "1..3\nok 1 - a\nok 2 - b\n",
        "1..2\nok 1 - a\nok 1 - a\n",
        "1..2\nok - a\nok - b\nok - c\n",
        "1..2\nok - a\nok - b\nnot ok - c\n",
        "1..3\nok 1 - a\nBail out! no disk\n",
        "TAP version 13\nok 1 - a\n",
        "{\"Action\":\"fail\",\"Package\":\"e.com/b\",\"Test\":\"TestX\",\"Elap\n",
        "{\"Action\":\"fail\",\"Package\":\"e.com/b\",\"Test\":\"TestX\",\"Elapsed\":0}trailing\n",
        "error: test failed, to rerun pass `--lib`\n",
    ];
    for proof in proofs {
        for text in [format!("{GREEN}{proof}"), format!("{proof}{GREEN}")] {
            assert!(is_red(&text), "{text}");
        }
    }
    for last in [
        "FAIL",
        "listening on :80FAIL",
        "FAIL\nexit status 1\nmake: done",
    ] {
        assert!(is_red(&format!("{GREEN}{last}")), "{last}");
    }
    assert!(is_red("some output\nand moreFAIL\n\n"));
}

#[test]
fn what_proves_nothing_is_left_alone() {
    let others = [
        "make[1]: *** [Makefile:5: lint] Error 1\nmake: [Makefile:2: test] Error 2 (ignored)\n",
        "make[2]: *** [x] Error 1\nmake[1]: *** [y] Error 2\nmake: [Makefile:2: test] Error 2 (ignored)\n",
        "make: [Makefile:2: test] Error 1 (ignored)\n",
        "make[1]: Entering directory '/x'\nhello\nmake[1]: Leaving directory '/x'\n",
        "it may FAIL\nXFAIL\nFAILED?\nfail\n",
        "error: this is said by a program\n",
        "    error: could not compile `x` (quoted)\n",
        "# error: could not compile `x` (a comment)\n",
        "# e.com/cgo\n./a.go:5:12: warning: implicit declaration of function\n",
        "go: downloading e.com/x v1.0.0\n",
        "1..2\nok 2 - b\nok 1 - a\n",
        "1..3\nok 1 a\nok b\nok 3 c\n",
        "ok - a\nok - b\n1..2\n",
        "1..2\nok 1 - a\nwaiting...ok 2 - b\n",
        "not okay\nok then\n",
    ];
    for other in others {
        for text in [format!("{GREEN}{other}"), format!("{other}{GREEN}")] {
            assert!(
                !is_red(&text),
                "{text}\n{:?} {:?}",
                cases(&text),
                proofs(&text)
            );
        }
    }
}

#[test]
fn an_ignored_error_covers_no_other() {
    let text = "make[1]: *** [a] Error 1\nmake[1]: *** [b] Error 1\nmake: [Makefile:2: test] Error 2 (ignored)\n";
    assert_eq!(proofs(text), ["*make says: *** [a] Error 1"]);
}

#[test]
fn a_missing_program_explains_its_own_error_alone() {
    let missing = "/bin/sh: 1: golangci-lint: not found\nmake: *** [Makefile:3: lint] Error 127\n";
    assert_eq!(
        proofs(missing),
        ["make says: *** [Makefile:3: lint] Error 127"]
    );
    let nested = format!(
        "{}make: *** [Makefile:9: all] Error 2\n",
        missing.replace("make:", "make[1]:")
    );
    assert!(
        proofs(&nested).iter().all(|said| !said.starts_with('*')),
        "{:?}",
        proofs(&nested)
    );
    let both = format!("{missing}make: *** [Makefile:6: test] Error 1\n");
    assert_eq!(
        proofs(&both)[1],
        "*make says: *** [Makefile:6: test] Error 1"
    );
    let crash = format!(
        "{missing}running 1 test\ntest a ... error: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `x` (signal: 6, SIGABRT: process abort signal)\nmake: *** [Makefile:6: test] Error 101\n"
    );
    assert!(
        proofs(&crash).iter().any(|said| said.starts_with('*')),
        "{:?}",
        proofs(&crash)
    );
}

#[test]
fn names_are_kept_without_kinds_and_times() {
    let mimic = "running 3 tests\ntest [toml] empty config  ... ok\ntest [toml] unknown key   ... FAILED\ntest it waits ... then stops ... ok\n\nfailures:\n\n---- unknown key ----\nline 3\n\nfailures:\n    unknown key\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
    assert_eq!(
        cases(mimic),
        [
            "|empty config|passed",
            "|it waits ... then stops|passed",
            "|unknown key|failed"
        ]
    );
    for (line, name) in [
        ("ok 1 sandbox stops in 87ms", "sandbox stops"),
        ("ok 1 sandbox stops in 2sec", "sandbox stops"),
        ("ok 1 [vm] stops (at once) in 87ms", "[vm] stops (at once)"),
        ("ok 1 answers in 20ms in 3ms", "answers in 20ms"),
        ("ok 1 works in parallel", "works in parallel"),
    ] {
        assert_eq!(
            cases(&format!("1..1\n{line}\n")),
            [format!("|{name}|passed")]
        );
    }
    assert_eq!(cases("t/net.sh .. ok\n"), ["|t/net.sh|passed"]);
    let timer = "[10:22:33] t/a.t ..\nok 1 - adds\n1..1\nok       12 ms ( 0.00 usr  0.00 sys +  0.01 cusr  0.00 csys =  0.01 CPU)\n";
    assert_eq!(cases(timer), ["t/a.t|adds|passed"]);
}

#[test]
fn tap_counts_without_numbers_and_each_number_once() {
    assert_eq!(cases("ok - a\nok - b\n1..2\n"), ["|a|passed", "|b|passed"]);
    let twice = cases("1..4\nok 1 a\nok 2 b\nok 2 b\nok 3 c\n");
    assert!(twice.contains(&"|(plan)|failed".to_owned()), "{twice:?}");
    assert!(twice.contains(&"|test 4|not-run".to_owned()), "{twice:?}");
    assert_eq!(cases("ok then\nit goes on\n"), [""; 0]);
    // Which of many numbers is named does not depend on their order in memory.
    let beyond = "1..20\n".to_owned()
        + &(21..41)
            .map(|n| format!("ok {n} - t\n"))
            .collect::<String>();
    let parsed = parse(&CaseContext::default(), &beyond, 0);
    let plan = parsed.end("(plan)").message.as_deref();
    assert_eq!(plan, Some("20 planned, and number 21 came"));
}

#[test]
fn benchmarks_and_fuzz_targets_are_counted_once() {
    let bench = "BenchmarkSum\nBenchmarkSum-8   \t     100\t  12.3 ns/op\nBenchmarkSum-8   \t     100\t  12.1 ns/op\nBenchmarkSum/small-8  \t 1\t 5 ns/op\nPASS\nok  \te.com/p\t0.1s\n";
    assert_eq!(
        cases(bench),
        [
            "e.com/p|BenchmarkSum|passed",
            "e.com/p|BenchmarkSum/small|passed"
        ]
    );
    let fuzz = "=== RUN   FuzzParse\nfuzz: elapsed: 0s, gathering baseline coverage: 0/2 completed\n--- FAIL: FuzzParse (0.02s)\n    --- FAIL: FuzzParse (0.00s)\n        parse_test.go:9: length 0\nFAIL\nexit status 1\nFAIL\te.com/p\t0.1s\n";
    assert_eq!(cases(fuzz), ["e.com/p|FuzzParse|failed"]);
    assert_eq!(
        cases(&fuzz.replace("=== RUN   FuzzParse\n", "")),
        ["e.com/p|FuzzParse|failed"]
    );
}

#[test]
fn events_are_found_wherever_they_stand_in_a_line() {
    let run = r#"{"Action":"run","Package":"e.com/p","Test":"TestX"}"#;
    let glued = r#"{"Action":"output","Package":"e.com/p","Test":"TestX","Output":"text--- PASS: TestX (0.00s)\n"}"#;
    let pass = r#"{"Action":"pass","Package":"e.com/p","Test":"TestX","Elapsed":0}"#;
    let end = r#"{"Action":"pass","Package":"e.com/p","Elapsed":0.1}"#;
    for text in [
        format!("{run}\n{glued}\n{end}\n"),
        format!("{run}{pass}{end}\n"),
        format!("noise{run} noise\n{pass}noise\nnoise{end}\n"),
    ] {
        assert_eq!(cases(&text), ["e.com/p|TestX|passed"], "{text}");
    }
}

#[test]
fn a_brace_that_ends_an_escape_sequence_hides_no_event() {
    let fail = r#"{"Action":"fail","Package":"e.com/x","Elapsed":0.01}"#;
    for before in ["\x1b", " \x1b", "\t\x1b", "\x1b[", "text \x1b", "\x1b\x1b"] {
        let text = format!("{before}{fail}\n{GREEN}");
        assert!(is_red(&text), "{text:?}");
    }
}

#[test]
fn a_package_of_which_no_test_started_is_vacuous_where_tests_are_listed() {
    let other = "=== RUN   TestB\n--- PASS: TestB (0.00s)\nPASS\nok  \te.com/b\t0.1s\n";
    let listed = format!("ok  \te.com/a\t0.1s\n{other}ok  \te.com/c\t0.1s\n");
    assert_eq!(
        cases(&listed),
        [
            "e.com/a|(package)|skipped",
            "e.com/b|TestB|passed",
            "e.com/c|(package)|skipped"
        ]
    );
    // Another run of go test: nothing shows that it lists its tests.
    let apart = format!("{other}ok  \te.com/a\t0.1s\n");
    assert_eq!(
        cases(&apart),
        ["e.com/b|TestB|passed", "e.com/a|(package)|passed"]
    );
    assert_eq!(cases("PASS\n"), ["|(package)|passed"]);
    let json = "{\"Action\":\"start\",\"Package\":\"e.com/p\"}\n{\"Action\":\"pass\",\"Package\":\"e.com/p\",\"Elapsed\":0}\n";
    assert_eq!(cases(json), ["e.com/p|(package)|skipped"]);
}

#[test]
fn a_failure_in_an_open_suite_of_ginkgo_is_nobodys_and_counts() {
    let suite = |line: &str| {
        format!(
            "Running Suite: Books - /x\n{line}\n\u{1b}[\nSUCCESS! -- 1 Passed | 0 Failed | 1 Pending | 0 Skipped\n{GREEN}"
        )
    };
    assert!(!is_red(&suite("a line")), "{:?}", proofs(&suite("a line")));
    for line in [
        "error: could not compile `x` (lib) due to 1 previous error",
        "--- FAIL: TestX (0.01s)",
        "FAIL\te.com/x\t0.01s",
        "{\"Action\":\"fail\",\"Package\":\"e.com/x\",\"Elapsed\":0.01}",
    ] {
        assert!(is_red(&suite(line)), "{line}");
    }
}

#[test]
fn a_suite_of_ginkgo_that_ran_nothing_is_skipped_and_no_other() {
    let text = "=== RUN   TestSuite\nRan 0 of 12 Specs in 0.001 seconds\n--- PASS: TestSuite (0.00s)\n=== RUN   TestOther\n--- PASS: TestOther (0.00s)\nPASS\nok  \te.com/p\t0.1s\n";
    assert_eq!(
        cases(text),
        ["e.com/p|TestSuite|skipped", "e.com/p|TestOther|passed"]
    );
}

#[test]
fn a_bare_ok_is_vacuous_where_the_job_has_every_test_named() {
    let ok = "ok  \texample.com/x\t0.01s\n";
    let silent = CaseContext {
        lists_go_tests: true,
        ..CaseContext::default()
    };
    let status =
        |context: &CaseContext, text: &str| parse(context, text, 0).end("(package)").status;
    assert_eq!(status(&CaseContext::default(), ok), CaseStatus::Passed);
    assert_eq!(status(&silent, ok), CaseStatus::Skipped);
    // Its tests passed, and it named none: the flag did not arrive.
    assert_eq!(status(&silent, &format!("PASS\n{ok}")), CaseStatus::Passed);
    let empty = format!("testing: warning: no tests to run\nPASS\n{ok}");
    assert_eq!(status(&silent, &empty), CaseStatus::Skipped);
    let alone = "testing: warning: no tests to run\nPASS\n";
    assert_eq!(status(&CaseContext::default(), alone), CaseStatus::Skipped);
    let shown = format!("=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\n{ok}");
    assert_eq!(
        parse(&silent, &shown, 0).cases(),
        ["example.com/x|TestA|passed"]
    );
}

#[test]
fn a_failed_test_between_lines_of_another_runner_is_nobodys_and_fails_the_job() {
    let text = "1..2\nok 1 - a\nok\nRunning Suite: Books - /x\n\nnot ok 2 - b\nSUCCESS! -- 1 Passed | 0 Failed | 1 Pending | 0 Skipped\n\nok  \te.com/w\t0.1s\n";
    let proven = parse(&CaseContext::default(), text, 0)
        .observations
        .proven_failures;
    assert!(
        proven[0].what.contains("`not ok 2 - b` stands in"),
        "{proven:?}"
    );
    let text = "Running Suite: Books - /x\n\nFAIL\te.com/x\t0.01s\nSUCCESS! -- 1 Passed | 0 Failed | 1 Pending | 0 Skipped\n\nok  \te.com/w\t0.1s\n";
    let parsed = parse(&CaseContext::default(), text, 0);
    let proven = &parsed.observations.proven_failures;
    assert!(proven[0].what.contains("e.com/x"), "{proven:?}");
}
