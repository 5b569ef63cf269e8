//! Tests retries of tests and jobs: a job never passes with tests that did not run.

use std::path::Path;

use serde_json::Value;

use crate::support::workspace::{git, makefiles, write};
use crate::support::{Finished, run_in};

/// Creates a Go module with two packages. `TestFlaky` fails until the file `tried` exists, which it
/// creates.
fn go_module() -> tempfile::TempDir {
    let place = makefiles(&[("tool", "test:\n go test -v -count=1 ./...\n.PHONY: test")]);
    let tool = place.path().join("tool");
    write(&tool.join("go.mod"), "module example.com/tool\n\ngo 1.19\n");
    write(
        &tool.join("a/a_test.go"),
        r#"package a

import (
	"os"
	"testing"
)

func TestGood(t *testing.T) {}

func TestFlaky(t *testing.T) {
	t.Run("sub case", func(t *testing.T) {
		if _, err := os.Stat("../tried"); err != nil {
			os.WriteFile("../tried", nil, 0o644)
			t.Fatal("the first time it fails")
		}
	})
}
"#,
    );
    write(
        &tool.join("b/b_test.go"),
        "package b\n\nimport \"testing\"\n\nfunc TestOther(t *testing.T) {}\n",
    );
    place
}

fn retry(place: &Path, more: &[&str]) -> Finished {
    run_in(place)
        .args(["-p", "makefile", "-s", "test"])
        .args(more)
        .finish()
}

/// Validates the report, and returns the violations of the schema.
fn invalid(run: &Finished) -> String {
    let schema = crate::support::workspace::fixtures().join("junit/junit.xsd");
    let output = std::process::Command::new("xmllint")
        .args(["--noout", "--schema"])
        .args([&schema, &run.reports.join("junit.xml")])
        .output()
        .expect("xmllint runs: scripts/setup installs it");
    match output.status.success() {
        true => String::new(),
        false => String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn count(run: &Finished, job: &str) -> Vec<(String, u64)> {
    run.cases(job).into_iter().collect()
}

fn one(status: &str, count: u64) -> (String, u64) {
    (status.to_owned(), count)
}

#[test]
fn a_flaky_go_test_is_run_again_alone_and_told() {
    let place = go_module();
    let run = retry(place.path(), &["--retries", "2"]).expect_code(0);
    let job = run.job("tool.test");
    assert_eq!(job["outcome"], "passed");
    assert_eq!(job["attempt"], 2);
    assert_eq!(job["reason"], "2 flaky: passed in attempt 2");
    assert_eq!(
        count(&run, "tool.test"),
        [one("flaky", 2), one("passed", 2)]
    );
    assert_eq!(job["earlier_attempts"][0]["outcome"], "failed");
    assert_eq!(job["earlier_attempts"][0]["log"], "logs/tool.test.log");
    assert_eq!(job["log"], "logs/tool.test.2.log");
    let again = run.log("tool.test.2");
    assert!(
        again.contains("TestFlaky") && !again.contains("TestGood"),
        "{again}"
    );
    let junit = run.junit();
    assert_eq!(
        junit.matches("<flakyFailure type=\"failed\"").count(),
        2,
        "{junit}"
    );
    assert!(junit.contains("the first time it fails"), "{junit}");
    assert!(!junit.contains("<failure"), "{junit}");
    assert_eq!(invalid(&run), "");
    let printed = run.printed();
    assert!(printed.contains("attempt 1 failed: 2 failed"), "{printed}");
    assert!(printed.contains("attempt 2 runs TestFlaky"), "{printed}");
    assert!(printed.contains("2 flaky"), "{printed}");
}

/// Creates the module with a second test command with a tag; the tests behind the tag fail.
fn tested_twice() -> tempfile::TempDir {
    let place = go_module();
    let tool = place.path().join("tool");
    let makefile = "test:\n\tgo test -v ./...\n\tgo test -v -tags more ./...\n.PHONY: test\n";
    write(&tool.join("Makefile"), makefile);
    write(
        &tool.join("b/more_test.go"),
        "//go:build more\n\npackage b\n\nimport \"testing\"\n\nfunc TestMore(t *testing.T) { t.Fatal(\"never good\") }\n",
    );
    place
}

#[test]
fn tests_that_only_a_narrowed_attempt_came_to_are_run_whole() {
    let place = tested_twice();
    let run = retry(place.path(), &["--retries", "1"]).expect_code(1);
    let job = run.job("tool.test");
    assert_eq!(job["outcome"], "failed");
    assert_eq!(job["attempt"], 3);
    assert!(run.log("tool.test.3").contains("--- FAIL: TestMore"));
    let printed = run.printed();
    assert!(
        printed.contains("attempt 2 passed: it came to tests"),
        "{printed}"
    );
    assert!(printed.contains("attempt 3 runs all of it"), "{printed}");
}

#[test]
fn without_v_a_flaky_go_test_is_one_too() {
    let place = go_module();
    let makefile = "test:\n\tgo test ./...\n.PHONY: test\n";
    write(&place.path().join("tool/Makefile"), makefile);
    let run = retry(place.path(), &["--retries", "1"]).expect_code(0);
    assert_eq!(run.job("tool.test")["attempt"], 2);
    assert_eq!(run.cases("tool.test")["flaky"], 2);
}

#[test]
fn a_test_that_exits_without_v_does_not_hide_those_after_it() {
    let place = go_module();
    let makefile = "test:\n\tgo test ./...\n.PHONY: test\n";
    write(&place.path().join("tool/Makefile"), makefile);
    write(
        &place.path().join("tool/a/b_test.go"),
        "package a\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestX(t *testing.T) { os.Exit(1) }\n\nfunc TestY(t *testing.T) {}\n",
    );
    let run = retry(place.path(), &["--retries", "1"]).expect_code(1);
    let again = run.printed();
    assert!(again.contains("attempt 2 runs all of it"), "{again}");
}

#[test]
fn without_retries_it_has_failed() {
    let place = go_module();
    let run = retry(place.path(), &[]).expect_code(1);
    assert_eq!(run.job("tool.test")["attempt"], 1);
}

#[test]
fn a_pipeline_can_have_flaky_fail() {
    let place = go_module();
    write(
        &place.path().join("kata-ci.toml"),
        "version = 1\nextends = \"makefile\"\n[[step]]\nname = \"test\"\nretries = 1\nflaky = \"fail\"\n[[component]]\nname = \"tool\"\n",
    );
    let run = run_in(place.path())
        .args(["-s", "test"])
        .finish()
        .expect_code(1);
    assert_eq!(run.outcome("tool.test"), "failed");
    assert_eq!(run.cases("tool.test")["flaky"], 2);
    assert!(
        run.printed().contains("flaky = \"fail\""),
        "{}",
        run.printed()
    );
    assert!(
        run.junit().contains("<failure type=\"failed\""),
        "{}",
        run.junit()
    );
}

#[test]
fn what_fails_each_time_has_failed_with_every_attempt_told() {
    let makefile = "test:\n @echo 'running 1 test'; echo 'test a ... FAILED'; echo; echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 101\n.PHONY: test";
    let place = makefiles(&[("bad", makefile)]);
    let run = retry(place.path(), &["--retries", "2"]).expect_code(1);
    let job = run.job("bad.test");
    assert_eq!(job["attempt"], 3);
    assert_eq!(job["reason"], "1 failed in 3 attempts");
    assert_eq!(job["cases"]["failed"], 1);
    assert_eq!(job["earlier_attempts"].as_array().map(Vec::len), Some(2));
    let junit = run.junit();
    assert_eq!(
        junit.matches("<rerunFailure type=\"failed\"").count(),
        2,
        "{junit}"
    );
    assert_eq!(junit.matches("<failure ").count(), 1, "{junit}");
    assert_eq!(invalid(&run), "");
}

#[test]
fn an_attempt_that_does_not_run_what_failed_proves_nothing() {
    let passes = "echo 'running 1 test'; echo 'test b ... ok'; echo; echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'";
    let fails = "echo 'running 1 test'; echo 'test a ... FAILED'; echo; echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 101";
    let makefile = format!(
        "test:\n @if [ -e tried ]; then {passes}; else touch tried; {fails}; fi\n.PHONY: test"
    );
    let place = makefiles(&[("sly", &makefile)]);
    let run = retry(place.path(), &["--retries", "1"]).expect_code(1);
    let job = run.job("sly.test");
    assert_eq!(job["outcome"], "failed");
    assert_eq!(job["reason"], "1 failed, which attempt 2 passed without");
    assert_eq!(
        count(&run, "sly.test"),
        [one("failed", 1), one("passed", 1)]
    );
}

#[test]
fn what_no_test_explains_is_run_again_as_a_whole() {
    let place = makefiles(&[(
        "shaky",
        "check:\n @echo ran; test -e tried || { touch tried; exit 3; }\n.PHONY: check",
    )]);
    let run = run_in(place.path())
        .args(["-s", "check", "--retries", "3"])
        .finish()
        .expect_code(0);
    let job = run.job("shaky.check");
    assert_eq!(job["attempt"], 2);
    assert_eq!(job["reason"], "flaky: passed in attempt 2");
    let junit = run.junit();
    assert!(junit.contains("<flakyFailure type=\"failed\""), "{junit}");
    assert!(
        run.printed().contains("! shaky.check flaky: "),
        "{}",
        run.printed()
    );
    assert_eq!(invalid(&run), "");
}

#[test]
fn what_is_vacuous_or_an_error_is_not_run_again() {
    let place = makefiles(&[
        ("idle", "test:\n @true\n.PHONY: test"),
        (
            "lacking",
            "test:\n @no-such-program-of-kata-ci\n.PHONY: test",
        ),
    ]);
    let run = retry(place.path(), &["--retries", "2"]).expect_code(1);
    for (job, outcome) in [("idle.test", "vacuous"), ("lacking.test", "error")] {
        assert_eq!(run.outcome(job), outcome);
        assert_eq!(run.job(job)["attempt"], 1);
    }
}

/// Returns the ids of the jobs of a result.
fn jobs(result: &Value) -> Vec<&str> {
    let jobs = result["jobs"].as_array().expect("jobs").iter();
    jobs.map(|job| job["id"].as_str().expect("an id")).collect()
}

#[test]
fn rerun_failed_takes_the_failures_of_the_last_run_and_says_which_that_was() {
    let place = go_module();
    let good = "test:\n @echo 'running 1 test'; echo 'test b ... ok'; echo; echo 'test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'\n.PHONY: test";
    write(
        &place.path().join("good/Makefile"),
        &good.replace("\n @", "\n\t@"),
    );
    let reports = place.path().join(".reports");
    let run = |more: &[&str]| {
        crate::support::KataCi::bare()
            .args(["run", "-p", "makefile", "-s", "test", "-C"])
            .args([place.path()])
            .args(["--report-dir"])
            .args([&reports])
            .args(more)
            .finish()
    };
    let result = || -> Value {
        let text = std::fs::read_to_string(reports.join("result.json")).expect("result.json");
        serde_json::from_str(&text).expect("JSON")
    };
    let never = run(&["--rerun-failed"]).expect_code(2);
    assert!(
        never.stderr.contains("there is no earlier run"),
        "{}",
        never.stderr
    );
    run(&[]).expect_code(1);
    let first = result();
    assert_eq!(jobs(&first), ["good.test", "tool.test"]);
    let again = run(&["--rerun-failed"]).expect_code(0);
    let second = result();
    assert_eq!(jobs(&second), ["tool.test"]);
    assert_eq!(second["rerun_of"], first["run_id"]);
    assert_eq!(second["jobs"][0]["cases"]["passed"], 2);
    let id = first["run_id"].as_str().expect("an id");
    assert!(again.printed().contains(id), "{}", again.printed());
    assert!(
        again.printed().contains("tool.test (TestFlaky)"),
        "{}",
        again.printed()
    );
    let nothing = run(&["--rerun-failed"]).expect_code(4);
    assert!(nothing.stderr.contains("nothing"), "{}", nothing.stderr);
}

#[test]
fn rerun_failed_is_no_pass_where_it_came_to_tests_that_never_ran() {
    let place = tested_twice();
    let reports = place.path().join(".reports");
    let run = |more: &[&str]| {
        crate::support::KataCi::bare()
            .args(["run", "-p", "makefile", "-s", "test", "-C"])
            .args([place.path()])
            .args(["--report-dir"])
            .args([&reports])
            .args(more)
            .finish()
    };
    run(&[]).expect_code(1);
    let again = run(&["--rerun-failed"]).expect_code(1);
    let printed = again.printed();
    assert!(printed.contains("had not been reached before"), "{printed}");
    assert!(printed.contains("without --rerun-failed"), "{printed}");
    // Now the whole job has failed.
    let whole = run(&["--rerun-failed"]).expect_code(1);
    assert!(whole.printed().contains("TestMore"), "{}", whole.printed());
}

#[test]
fn rerun_failed_names_what_is_not_selected_and_passes_over_runs_without_a_job() {
    let bad = "test:\n @echo 'running 1 test'; echo 'test a ... FAILED'; echo; echo 'test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out'; exit 101\n.PHONY: test";
    let place = makefiles(&[("one", bad), ("two", bad)]);
    git(place.path(), &["init", "--quiet"]);
    git(place.path(), &["add", "--all"]);
    git(place.path(), &["commit", "--quiet", "--message", "all"]);
    let state = tempfile::tempdir().expect("a directory");
    let run = |more: &[&str]| {
        crate::support::KataCi::bare()
            .env("XDG_STATE_HOME", state.path())
            .args(["run", "-p", "makefile", "-s", "test", "-C"])
            .args([place.path()])
            .args(more)
            .finish()
    };
    run(&[]).expect_code(1);
    run(&["--since", "HEAD"]).expect_code(0);
    let again = run(&["--rerun-failed", "one"]).expect_code(1).printed();
    assert!(
        again.contains(": one.test; not selected: two.test"),
        "{again}"
    );
}

#[test]
fn a_package_that_did_not_come_to_its_tests_once_is_flaky() {
    let place = makefiles(&[("tool", "test:\n go test -v ./...\n.PHONY: test")]);
    let tool = place.path().join("tool");
    write(&tool.join("go.mod"), "module example.com/tool\n\ngo 1.19\n");
    write(
        &tool.join("a_test.go"),
        r#"package a

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if _, err := os.Stat("tried"); err != nil {
		os.WriteFile("tried", nil, 0o644)
		panic("not ready")
	}
	os.Exit(m.Run())
}

func TestGood(t *testing.T) {}
"#,
    );
    let run = retry(place.path(), &["--retries", "1"]).expect_code(0);
    assert_eq!(
        count(&run, "tool.test"),
        [one("flaky", 1), one("passed", 1)]
    );
    assert!(run.junit().contains("panic: not ready"), "{}", run.junit());
}

#[test]
fn a_target_of_cargo_that_fails_without_a_test_is_not_left_out() {
    let place = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| write(&place.path().join("crate").join(name), text);
    write(
        "Cargo.toml",
        "[package]\nname = \"shaky\"\nedition = \"2021\"\n[[test]]\nname = \"own\"\nharness = false\n[workspace]\n",
    );
    write(
        "src/lib.rs",
        "#[test]\nfn flaky() {\n    if std::fs::File::create_new(\"tried\").is_ok() {\n        panic!(\"once\");\n    }\n}\n",
    );
    write(
        "tests/own.rs",
        "fn main() {\n    if std::env::args().count() == 1 {\n        std::process::exit(1);\n    }\n}\n",
    );
    crate::support::workspace::write(
        &place.path().join("kata-ci.toml"),
        "version = 1\n[[step]]\nname = \"test\"\nrun = [\"cargo\", \"test\", \"--no-fail-fast\", \"--offline\"]\nexpect = \"cases\"\nretries = 1\n[[component]]\nname = \"crate\"\n",
    );
    let run = run_in(place.path()).finish().expect_code(1);
    assert_eq!(
        count(&run, "crate.test"),
        [one("failed", 1), one("flaky", 1)]
    );
    assert!(
        run.junit().contains("name=\"(package)\""),
        "{}",
        run.junit()
    );
}

#[test]
fn kata_s_own_go_test_script_is_narrowed_too() {
    let place = crate::support::workspace::kata("gopath");
    let proxy = place.path().join("src/github.com/kata-containers/proxy");
    write(
        &proxy.join("flaky_test.go"),
        r#"package main

import (
	"os"
	"testing"
)

func TestFlakyOne(t *testing.T) {
	if _, err := os.Stat("tried"); err != nil {
		t.Error("the first time it fails")
	}
}

func TestFlakyTwo(t *testing.T) {
	if _, err := os.Stat("tried"); err != nil {
		os.WriteFile("tried", nil, 0o644)
		t.Error("so does this")
	}
}
"#,
    );
    let run = run_in(place.path())
        .args(["proxy", "-s", "test", "--retries", "1"])
        .finish()
        .expect_code(0);
    assert_eq!(
        count(&run, "proxy.test"),
        [one("flaky", 2), one("passed", 9)]
    );
    let again = run.log("proxy.test.2");
    let ran = again.matches(r#""Action":"run""#).count();
    assert_eq!(ran, 2, "{again}");
}

#[test]
fn a_signal_ends_an_attempt_as_it_ends_a_job() {
    let makefile = "check:\n @if [ -e tried ]; then echo again; sleep 60; else touch tried; exit 3; fi\n.PHONY: check";
    let place = makefiles(&[("shaky", makefile)]);
    let run = run_in(place.path())
        .args(["-s", "check", "--retries", "3"])
        .start();
    run.wait_for_log("shaky.check.2", "again");
    run.signal(nix::sys::signal::Signal::SIGINT);
    let run = run.finish().expect_code(130);
    assert_eq!(run.outcome("shaky.check"), "cancelled");
    assert_eq!(run.job("shaky.check")["attempt"], 2);
}
