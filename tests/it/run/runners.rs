//! Tests jobs of further test runners, with the installed programs.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::run_in;
use crate::support::workspace::{fixtures, write};

/// One job: its name, its recipe, its outcome, and its cases by status.
type Job = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, u64)],
);

/// Returns the search path, with the place of programs that `go install` built.
fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let go = Command::new("go").args(["env", "GOPATH"]).output();
    let go = go.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!("{path}:{}/bin", go.unwrap_or_default())
}

/// Returns true if a command works. A machine that is to have all runners fails instead.
fn has(command: &str) -> bool {
    let works = Command::new("sh")
        .args(["-c", command])
        .env("PATH", search_path())
        .output()
        .is_ok_and(|output| output.status.success());
    let required = std::env::var_os("KATACI_TEST_REQUIRE_RUNNERS").is_some();
    assert!(
        works || !required,
        "missing: {command}; run scripts/setup tests"
    );
    if !works {
        eprintln!("skipped: {command} does not work; scripts/setup tests installs it");
    }
    works
}

/// Makes a component of a fixture's files for each job.
fn components(runner: &str, prepare: &str, jobs: &[Job]) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let ready = place.path().join("ready");
    let copy = |from: &Path, to: &Path| {
        let copied = Command::new("cp").arg("-r").arg(from).arg(to).status();
        assert!(copied.expect("cp runs").success());
    };
    copy(&fixtures().join("runners").join(runner), &ready);
    let prepared = Command::new("sh")
        .args(["-euc", prepare])
        .current_dir(&ready)
        .output();
    let prepared = prepared.expect("sh runs");
    assert!(
        prepared.status.success(),
        "{prepare}: {}",
        String::from_utf8_lossy(&prepared.stderr)
    );
    for (name, recipe, ..) in jobs {
        copy(&ready, &place.path().join(name));
        let makefile = format!("test:\n\t@{recipe}\n.PHONY: test\n");
        write(&place.path().join(name).join("Makefile"), &makefile);
    }
    std::fs::remove_dir_all(ready).expect("removed");
    place
}

/// Runs the jobs and compares outcomes and cases.
fn check(runner: &str, prepare: &str, jobs: &[Job]) {
    let place = components(runner, prepare, jobs);
    let run = run_in(place.path())
        .args(["-p", "makefile", "-s", "test"])
        .env("PATH", search_path())
        .env("TERM", "xterm")
        .finish();
    for (name, recipe, outcome, cases) in jobs {
        let job = format!("{name}.test");
        let expected = cases.iter();
        let expected = expected.map(|(status, count)| ((*status).to_owned(), *count));
        let said = format!("{runner}: {recipe}\n{}", run.log(&job));
        assert_eq!(run.outcome(&job), *outcome, "{said}");
        assert_eq!(run.cases(&job), expected.collect(), "{said}");
    }
}

#[test]
fn bats() {
    if !has("bats --version") {
        return;
    }
    check(
        "bats",
        "",
        &[
            (
                "good",
                "bats --pretty good.bats",
                "passed",
                &[("passed", 2), ("skipped", 1)],
            ),
            (
                "bad",
                "bats --pretty bad.bats",
                "failed",
                &[("passed", 2), ("failed", 1)],
            ),
            (
                "crash",
                "bats --pretty crash.bats || true",
                "failed",
                &[("passed", 2), ("unfinished", 1)],
            ),
            ("none", "bats --pretty none.bats", "vacuous", &[]),
        ],
    );
}

#[test]
fn prove() {
    if !has("prove --version") {
        return;
    }
    check(
        "prove",
        "",
        &[
            (
                "good",
                "prove good.t skip.t",
                "passed",
                &[("passed", 1), ("skipped", 1)],
            ),
            (
                "bad",
                "prove good.t bad.t",
                "failed",
                &[("passed", 1), ("failed", 1)],
            ),
            (
                "crash",
                "prove good.t crash.t exits.t || true",
                "failed",
                &[("passed", 1), ("failed", 2)],
            ),
            ("none", "prove none.t || true", "failed", &[("failed", 1)]),
            (
                "quiet",
                "prove -Q good.t bad.t",
                "failed",
                &[("passed", 1), ("failed", 1)],
            ),
        ],
    );
}

#[test]
fn unittest() {
    if !has("python3 --version") {
        return;
    }
    check(
        "unittest",
        "",
        &[
            (
                "good",
                "python3 -m unittest -v test_good",
                "passed",
                &[("passed", 2), ("skipped", 2)],
            ),
            (
                "letters",
                "python3 -m unittest test_good",
                "passed",
                &[("passed", 2), ("skipped", 2)],
            ),
            (
                "bad",
                "python3 -m unittest test_bad || true",
                "failed",
                &[("passed", 2), ("failed", 4)],
            ),
            (
                "crash",
                "python3 -m unittest -v test_crash || true",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            (
                "exit",
                "python3 -m unittest -v test_exit",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            ("untold", "python3 -m unittest test_exit", "vacuous", &[]),
            (
                "none",
                "python3 -m unittest test_none || true",
                "vacuous",
                &[],
            ),
        ],
    );
}

#[test]
fn pytest() {
    if !has("python3 -m pytest --version") {
        return;
    }
    check(
        "pytest",
        "",
        &[
            (
                "good",
                "python3 -m pytest -v test_good.py",
                "passed",
                &[("passed", 4), ("skipped", 2)],
            ),
            (
                "quiet",
                "python3 -m pytest -q test_good.py",
                "passed",
                &[("passed", 4), ("skipped", 2)],
            ),
            (
                "all",
                "python3 -m pytest -rA test_good.py",
                "passed",
                &[("passed", 4), ("skipped", 2)],
            ),
            (
                "bad",
                "python3 -m pytest -q test_bad.py || true",
                "failed",
                &[("passed", 4), ("failed", 4)],
            ),
            (
                "crash",
                "python3 -m pytest -v test_crash.py || true",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            (
                "exit",
                "python3 -m pytest test_exit.py",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            (
                "none",
                "python3 -m pytest test_none.py || true",
                "vacuous",
                &[],
            ),
        ],
    );
}

#[test]
fn ctest() {
    if !has("ctest --version") {
        return;
    }
    check(
        "ctest",
        "",
        &[
            (
                "good",
                "cmake -S . -B b -DGOOD=1 >/dev/null 2>&1 && ctest --test-dir b",
                "passed",
                &[("passed", 2)],
            ),
            (
                "bad",
                "cmake -S . -B b -DBAD=1 >/dev/null 2>&1 && ctest --test-dir b -j2 || true",
                "failed",
                &[("passed", 3), ("failed", 6), ("skipped", 2)],
            ),
            (
                "crash",
                "cmake -S . -B b -DCRASH=1 >/dev/null 2>&1 && ctest --test-dir b || true",
                "failed",
                &[("passed", 2), ("unfinished", 1)],
            ),
            (
                "none",
                "cmake -S . -B b >/dev/null 2>&1 && ctest --test-dir b -R nosuch",
                "vacuous",
                &[],
            ),
        ],
    );
}

#[test]
fn automake() {
    if !has("automake --version && autoconf --version") {
        return;
    }
    let prepare = "for test in good:0 skip:77 xfail:1 xpass:0 bad:1 err:99; do
        printf '#!/bin/sh\\nexit %s\\n' ${test#*:} > ${test%:*}.sh; done
        printf '#!/bin/sh\\nkill -11 $$\\n' > segv.sh; chmod +x *.sh; autoreconf -i >/dev/null 2>&1";
    check(
        "automake",
        prepare,
        &[
            (
                "good",
                "mkdir b && cd b && ../configure >/dev/null && $(MAKE) check",
                "passed",
                &[("passed", 1), ("skipped", 1)],
            ),
            (
                "bad",
                "mkdir b && cd b && ../configure >/dev/null && $(MAKE) check MYTESTS='good.sh skip.sh xfail.sh xpass.sh bad.sh err.sh segv.sh'",
                "failed",
                &[("passed", 1), ("failed", 4), ("skipped", 2)],
            ),
            (
                "none",
                "mkdir b && cd b && ../configure >/dev/null && $(MAKE) check MYTESTS=",
                "vacuous",
                &[],
            ),
        ],
    );
}

#[test]
fn gotestsum() {
    if !has("gotestsum --version") {
        return;
    }
    check(
        "gotestsum",
        "",
        &[
            (
                "good",
                "gotestsum -- ./good ./none",
                "passed",
                &[("passed", 3), ("skipped", 1)],
            ),
            (
                "bad",
                "gotestsum -f testname -- ./good ./bad || true",
                "failed",
                &[("passed", 4), ("failed", 2), ("skipped", 1)],
            ),
            (
                "crash",
                "gotestsum -- ./crash || true",
                "failed",
                &[("passed", 1), ("failed", 1)],
            ),
            ("none", "gotestsum -- ./none", "vacuous", &[]),
        ],
    );
}

#[test]
fn a_form_that_nobody_knows_is_told_so() {
    let place = crate::support::workspace::makefiles(&[("a", "test:\n @seq 1 312\n.PHONY: test")]);
    let run = run_in(place.path())
        .args(["-p", "makefile", "-s", "test"])
        .finish();
    let job = run.job("a.test");
    assert_eq!(
        job["reason"],
        "the command passed, but no case was recognised in 312 lines"
    );
    assert!(job["fix"].as_str().unwrap().contains("`junit`"), "{job}");
}

#[test]
fn googletest() {
    if !has("echo '#include <gtest/gtest.h>' | g++ -x c++ -fsyntax-only -") {
        return;
    }
    check(
        "gtest",
        "g++ -O0 demo.cc -o demo -lgtest -lgtest_main",
        &[
            (
                "good",
                "./demo '--gtest_filter=Good.*'",
                "passed",
                &[("passed", 2), ("skipped", 1)],
            ),
            (
                "bad",
                "./demo '--gtest_filter=-Crash.*' || true",
                "failed",
                &[("passed", 4), ("failed", 2), ("skipped", 1)],
            ),
            (
                "crash",
                "CRASH=abort ./demo '--gtest_filter=Crash.*' || true",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            (
                "exit",
                "CRASH=exit ./demo '--gtest_filter=Crash.*'",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            ("none", "./demo '--gtest_filter=None.*'", "vacuous", &[]),
        ],
    );
}

#[test]
fn catch2() {
    if !has("test -e /usr/include/catch2/catch.hpp && g++ --version") {
        return;
    }
    check(
        "catch2",
        "g++ -O0 demo.cc -o demo",
        &[
            ("good", "./demo '[good]'", "passed", &[("passed", 2)]),
            (
                "bad",
                "./demo '[bad]' || true",
                "failed",
                &[("passed", 1), ("failed", 2), ("skipped", 1)],
            ),
            (
                "crash",
                "CRASH=abort ./demo '[crash]' || true",
                "failed",
                &[("failed", 1)],
            ),
            ("exit", "CRASH=exit ./demo '[crash]'", "vacuous", &[]),
            ("none", "./demo '[none]'", "vacuous", &[]),
        ],
    );
}

#[test]
fn ginkgo() {
    if !has("ginkgo version") {
        return;
    }
    check(
        "ginkgo",
        "",
        &[
            (
                "good",
                "ginkgo good",
                "passed",
                &[("passed", 2), ("skipped", 2)],
            ),
            (
                "bad",
                "ginkgo -v bad || true",
                "failed",
                &[("passed", 1), ("failed", 3)],
            ),
            (
                "crash",
                "ginkgo crash",
                "failed",
                &[("passed", 1), ("unfinished", 1)],
            ),
            ("none", "ginkgo none", "vacuous", &[]),
        ],
    );
}

#[test]
fn nextest() {
    // It is in no registry as a program, and takes long to build, so nobody demands it.
    let output = Command::new("cargo")
        .args(["nextest", "--version"])
        .output();
    if !output.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: cargo-nextest is not installed; its transcripts are read all the same");
        return;
    }
    check(
        "nextest",
        "",
        &[
            (
                "good",
                "cargo nextest run",
                "passed",
                &[("passed", 2), ("skipped", 1)],
            ),
            (
                "bad",
                "cargo nextest run --features bad,crash --no-fail-fast || true",
                "failed",
                &[("passed", 4), ("failed", 2), ("skipped", 1)],
            ),
            (
                "none",
                "cargo nextest run --no-tests pass -E 'test(nosuch)'",
                "vacuous",
                &[("skipped", 3)],
            ),
        ],
    );
}

#[test]
fn libtest_s_events() {
    check(
        "nextest",
        "",
        &[
            (
                "good",
                "RUSTC_BOOTSTRAP=1 cargo test --lib -- -Z unstable-options --format json",
                "passed",
                &[("passed", 2), ("skipped", 1)],
            ),
            (
                "bad",
                "RUSTC_BOOTSTRAP=1 cargo test --lib --features bad -- -Z unstable-options --format json || true",
                "failed",
                &[("passed", 2), ("failed", 1), ("skipped", 1)],
            ),
            (
                "none",
                "RUSTC_BOOTSTRAP=1 cargo test --lib -- -Z unstable-options --format json nosuch",
                "vacuous",
                &[],
            ),
        ],
    );
}
