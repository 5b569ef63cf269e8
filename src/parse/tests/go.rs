//! Forms of `go test` output that no recorded file has.

use super::{Parsed, parse, parse_in_pieces};
use crate::model::CaseStatus;
use crate::parse::{CaseContext, Finding};

fn rooted() -> CaseContext {
    CaseContext {
        go_root: Some("example.com/demo".into()),
        ..CaseContext::default()
    }
}

fn cases(text: &str) -> Vec<String> {
    parse(&rooted(), text, 0).cases()
}

fn starts(parsed: &Parsed) -> Vec<&str> {
    parsed
        .findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::Started(key, _) => Some(key.package.as_str()),
            Finding::Finished(_) => None,
        })
        .collect()
}

#[test]
fn packages_are_named_below_the_component_and_others_are_none_of_it() {
    let text = "ok  \texample.com/demo\t0.1s\nok  \texample.com/demo/pkg/uevent\t0.1s\nok  \tgithub.com/kata-containers/tests/cmd/x\t0.1s\n";
    assert_eq!(
        cases(text),
        ["|(package)|passed", "pkg/uevent|(package)|passed"]
    );
    let unknown = parse(&CaseContext::default(), text, 0).cases();
    assert_eq!(
        unknown,
        [
            "example.com/demo|(package)|passed",
            "example.com/demo/pkg/uevent|(package)|passed"
        ]
    );
}

#[test]
fn the_announced_package_is_known_at_once() {
    let text = "INFO: Running 'go test' as current user on package 'example.com/demo/a' with flags '-v'\n=== RUN   TestX\n";
    let mut parser = crate::parse::Parser::new(rooted());
    let mut findings = Vec::new();
    parser.feed(text.as_bytes(), &mut |finding| findings.push(finding));
    assert!(
        matches!(&findings[..], [Finding::Started(key, 88)] if key.package == "a"),
        "{findings:?}"
    );
    let observations = parser.finish(None, &mut |finding| findings.push(finding));
    assert!(matches!(&findings[1], Finding::Finished(end) if end.status == CaseStatus::Unfinished));
    assert!(!observations.is_unclear);
}

#[test]
fn without_an_announcement_the_package_comes_with_its_own_line() {
    let text = "=== RUN   TestX\n--- PASS: TestX (0.00s)\nok  \texample.com/demo/b\t0.1s\n=== RUN   TestY\n";
    let parsed = parse(&rooted(), text, 1);
    assert_eq!(parsed.cases(), ["b|TestX|passed", "|TestY|unfinished"]);
    assert_eq!(starts(&parsed), ["b", ""]);
}

#[test]
fn two_users_are_two_executions() {
    let run = |user: &str| {
        format!(
            "INFO: Running 'go test' as {user} user on package 'example.com/demo' with flags '-v'\n=== RUN   TestX\n--- PASS: TestX (0.00s)\nPASS\nok  \texample.com/demo\t0.1s\n"
        )
    };
    let text = run("current") + &run("root");
    assert_eq!(cases(&text), ["|TestX|passed", "|TestX #2|passed"]);
}

#[test]
fn a_redrawn_line_and_colours_hide_nothing() {
    let text = "=== RUN   TestX\n10%\r50%\r\x1b[32m--- PASS: TestX (0.00s)\x1b[0m\r\nok  \texample.com/demo\t0.1s\r\n";
    assert_eq!(cases(text), ["|TestX|passed"]);
}

#[test]
fn invalid_bytes_hide_nothing() {
    let text =
        b"=== RUN   TestX\n\xff\xfe\x00--- PASS: TestX (0.00s)\nok  \texample.com/demo\t0.1s\n";
    let parsed = parse_in_pieces(&rooted(), text, 3, None);
    assert_eq!(parsed.cases(), ["|TestX|passed"]);
}

#[test]
fn quoted_results_are_not_results() {
    let text = "=== RUN   TestX\nit prints --- FAIL: TestOther (0.00s)\nor --- FAIL: TestX\n--- PASS: TestX (0.00s)\nok  \texample.com/demo\t0.1s\n";
    assert_eq!(cases(text), ["|TestX|passed"]);
}

#[test]
fn a_test_that_vanished_in_an_ok_package_is_unfinished() {
    let text = "=== RUN   TestX\nok  \texample.com/demo\t0.1s\n";
    assert_eq!(cases(text), ["|TestX|unfinished"]);
}

#[test]
fn a_cut_event_loses_only_itself() {
    let text = concat!(
        r#"{"Action":"start","Package":"example.com/demo"}"#,
        "\n",
        r#"noise{"Action":"run","Package":"example.com/demo","Test":"TestX"}"#,
        "\n",
        r#"{"Action":"output","Package":"example.com/demo","Test":"TestX","Output":"--- PASS: TestX (0.20s)\n"}"#,
        "\n",
        r#"{"Action":"pass","Package":"example.com/demo","Test":"Te"#,
        "\n",
        r#"{"Action":"pa{"Action":"run","Package":"example.com/demo","Test":"TestY"}"#,
        "\n",
        r#"{"Action":"pass","Package":"example.com/demo","Elapsed":0.3}"#,
        "\n",
    );
    let parsed = parse(&rooted(), text, 0);
    assert_eq!(parsed.cases(), ["|TestX|passed", "|TestY|unfinished"]);
    assert_eq!(parsed.end("TestX").seconds, Some(0.2));
}

#[test]
fn events_of_several_packages_are_kept_apart() {
    let event = |action: &str, package: &str, test: &str| {
        format!(
            "{{\"Action\":\"{action}\",\"Package\":\"example.com/demo/{package}\",\"Test\":\"{test}\"}}\n"
        )
    };
    let end = |action: &str, package: &str| {
        format!("{{\"Action\":\"{action}\",\"Package\":\"example.com/demo/{package}\"}}\n")
    };
    let text = event("run", "a", "TestX")
        + &event("run", "b", "TestX")
        + &event("fail", "b", "TestX")
        + &event("pass", "a", "TestX")
        + &end("fail", "b")
        + &end("pass", "a")
        + &end("skip", "c");
    assert_eq!(
        cases(&text),
        ["b|TestX|failed", "a|TestX|passed", "c|(package)|skipped"]
    );
}

#[test]
fn a_long_package_hands_out_its_ends_as_they_come() {
    let event = |second: u32, action: &str, test: &str| {
        format!(
            "{{\"Time\":\"2026-11-23T06:00:{second:02}Z\",\"Action\":\"{action}\",\"Package\":\"example.com/demo\",\"Test\":\"{test}\"}}\n"
        )
    };
    let mut parser = crate::parse::Parser::new(rooted());
    let mut ended = 0;
    let mut feed = |text: String| {
        parser.feed(text.as_bytes(), &mut |finding| {
            ended += u32::from(matches!(finding, Finding::Finished(_)))
        });
        ended
    };
    assert_eq!(
        feed(event(0, "run", "TestA") + &event(1, "pass", "TestA")),
        0
    );
    assert_eq!(feed(event(5, "run", "TestB")), 1);
    assert_eq!(feed(event(6, "pass", "TestB")), 2);
}

#[test]
fn packages_never_seen_are_not_run() {
    let context = CaseContext {
        packages: Some(vec![
            "example.com/demo".into(),
            "example.com/demo/late".into(),
        ]),
        ..rooted()
    };
    let parsed = parse(&context, "FAIL\texample.com/demo [build failed]\n", 2);
    assert_eq!(
        parsed.cases(),
        ["|(package)|failed", "late|(package)|not-run"]
    );
    assert_eq!(parse(&context, "nothing of Go\n", 0).cases(), [""; 0]);
    assert_eq!(parse(&context, "nothing of Go\n", 2).cases().len(), 2);
}

#[test]
fn a_longer_assertion_is_one_line() {
    let text = concat!(
        "--- FAIL: TestX (0.00s)\n    x_test.go:5: \n        \tError Trace:\t/src/x_test.go:5\n",
        "        \tError:      \tNot equal: \n        \t            \texpected: 1\n        \t            \tactual  : 2\n",
        "        \tTest:       \tTestX\nFAIL\nFAIL\texample.com/demo\t0.1s\n"
    );
    let parsed = parse(&rooted(), text, 1);
    let end = parsed.end("TestX");
    assert_eq!(
        end.message.as_deref(),
        Some("Not equal: expected: 1 actual : 2")
    );
    assert_eq!(
        (end.file.as_deref(), end.line),
        (Some("/src/x_test.go"), Some(5))
    );
}

#[test]
fn nothing_to_test_is_said_with_its_fix() {
    let vacuous = |text: &str| parse(&rooted(), text, 0).observations.vacuous_causes;
    assert!(
        vacuous("INFO: no golang code to test\n")[0]
            .1
            .as_ref()
            .unwrap()
            .contains("GO111MODULE=off")
    );
    let files = vacuous("?   \texample.com/demo\t[no test files]\n");
    assert!(
        files[0].0.starts_with("[no test files] in every package"),
        "{files:?}"
    );
    let filter = vacuous("ok  \texample.com/demo\t0.1s [no tests to run]\n");
    assert!(filter[0].0.starts_with("[no tests to run]"), "{filter:?}");
    assert!(
        vacuous("?   \texample.com/demo/x\t[no test files]\nok  \texample.com/demo\t0.1s\n")
            .is_empty()
    );
}

#[test]
fn a_panic_of_no_test_is_told_beside_a_test_that_failed() {
    let text = concat!(
        "=== RUN   TestA\n    a_test.go:7: no\n--- FAIL: TestA (0.00s)\n",
        "=== RUN   TestB\n--- PASS: TestB (0.00s)\n",
        "panic: too late\n\ngoroutine 7 [running]:\nexample.com/demo.TestB.func1()\n\t/src/demo/a_test.go:9 +0x25\n",
        "exit status 2\nFAIL\texample.com/demo\t0.005s\n",
    );
    let parsed = parse(&rooted(), text, 1);
    assert_eq!(
        parsed.cases(),
        ["|TestA|failed", "|TestB|passed", "|(package)|failed"]
    );
    let message = parsed.end("(package)").message.as_deref();
    assert_eq!(message, Some("panic: too late"));
}

#[test]
fn tests_that_an_exit_kept_from_running_are_told_without_v_too() {
    let text = |word: &str| {
        format!(
            "--- FAIL: TestA (0.00s)\n    a_test.go:7: no\n2026/11/25 19:06:09 cannot go on\n{word}FAIL\texample.com/demo\t0.003s\nFAIL\n"
        )
    };
    let exited = parse(&rooted(), &text(""), 1);
    assert_eq!(exited.cases(), ["|TestA|failed", "|(package)|failed"]);
    let message = exited.end("(package)").message.as_deref();
    assert_eq!(
        message,
        Some("its process ended before all of its tests had run")
    );
    for word in ["FAIL\n", "FAIL\r\n", "no line feedFAIL\nexit status 1\n"] {
        assert_eq!(cases(&text(word)), ["|TestA|failed"], "{word}");
    }
    // Go's word on all packages is none on the next.
    let twice = text("FAIL\n") + &text("");
    assert_eq!(
        cases(&twice),
        ["|TestA|failed", "|TestA #2|failed", "|(package)|failed"]
    );
}

#[test]
fn how_often_a_package_ended_is_counted_in_text_and_in_events() {
    let texts = [
        "ok  \texample.com/demo/a\t0.1s\n?   \texample.com/demo/b\t[no test files]\n".repeat(2),
        concat!(
            r#"{"Action":"pass","Package":"example.com/demo/a"}"#,
            "\n",
            r#"{"Action":"skip","Package":"example.com/demo/b"}"#,
            "\n"
        )
        .repeat(2),
    ];
    let expected = ["a", "b"].map(|name| (format!("example.com/demo/{name}"), 2));
    for text in texts {
        let observations = parse(&rooted(), &text, 0).observations;
        assert_eq!(observations.go_ends, expected.clone().into(), "{text}");
    }
}

#[test]
fn packages_without_a_single_test_are_counted() {
    let count = |text: &str| {
        let context = CaseContext::default();
        parse(&context, text, 0).observations.packages_alone
    };
    let packages = "ok  \texample.com/a\t0.1s\nok  \texample.com/b\t0.1s\n";
    assert_eq!(count(packages), 2);
    let test = "=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\nok  \texample.com/c\t0.1s\n";
    assert_eq!(count(&format!("{packages}{test}")), 0);
    assert_eq!(count("?   \texample.com/a\t[no test files]\n"), 0);
}
