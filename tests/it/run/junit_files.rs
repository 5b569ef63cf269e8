//! Tests steps whose cases stand in JUnit files.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::workspace::{fixtures, git, write};
use crate::support::{Finished, run_in};

const GOOD: &str = r#"<testsuite name="s" tests="2"><testcase classname="c" name="a" time="0.5"/><testcase classname="c" name="b"/></testsuite>"#;

/// Makes a component whose step runs a script and names JUnit files.
fn component(script: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let pipeline = format!(
        "version = 1\n[[step]]\nname = \"test\"\nscript = '''\n{script}\n'''\njunit = [\"build/reports/**/*.xml\"]\n[[component]]\nname = \"a\"\n"
    );
    write(&place.path().join("kata-ci.toml"), &pipeline);
    write(&place.path().join("a/good.txt"), GOOD);
    place
}

fn run(place: &TempDir) -> Finished {
    run_in(place.path()).args(["-s", "test"]).finish()
}

fn reason(run: &Finished) -> String {
    run.job("a.test")["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn cases_come_from_the_files_and_the_log_keeps_both() {
    let bad = r#"<testsuite name="s" tests="2" failures="1"><testcase classname="c" name="a"/><testcase classname="c" name="b" file="b.py"><failure message="no way">at b.py:3</failure></testcase></testsuite>"#;
    let place = component(&format!(
        "echo said; mkdir -p build/reports/deep; echo '{bad}' > build/reports/deep/x.xml"
    ));
    let run = run(&place).expect_code(1);
    assert_eq!(run.outcome("a.test"), "failed");
    let cases = run.cases("a.test");
    assert_eq!((cases["passed"], cases["failed"]), (1, 1));
    let log = run.log("a.test");
    assert!(log.contains("said") && log.contains("at b.py:3"), "{log}");
    assert!(run.printed().contains("no way"), "{}", run.printed());
    assert!(run.junit().contains("at b.py:3"), "{}", run.junit());
}

#[test]
fn files_that_prove_nothing_are_an_error() {
    let stories = [
        ("true", "it wrote no JUnit file"),
        (
            "mkdir -p build/reports; head -c 40 good.txt > build/reports/x.xml",
            "is truncated",
        ),
        (
            "mkdir -p build/reports; mkfifo build/reports/x.xml",
            "is no regular file",
        ),
        (
            "mkdir -p build/reports; ln -s ../../good.txt build/reports/x.xml",
            "is a symbolic link",
        ),
        (
            "mkdir -p build/reports; cp good.txt build/reports/x.xml; echo '1..3'; echo ok 1; echo ok 2; echo ok 3",
            "its output tells of 3 passed",
        ),
    ];
    for (script, words) in stories {
        let place = component(script);
        let run = run(&place).expect_code(75);
        assert_eq!(run.outcome("a.test"), "error", "{script}");
        assert!(reason(&run).contains(words), "{script}: {}", reason(&run));
    }
}

#[test]
fn a_file_from_before_is_stale() {
    let place = component("touch -d tomorrow build/reports/x.xml");
    write(&place.path().join("a/build/reports/x.xml"), GOOD);
    let run = run(&place).expect_code(75);
    assert_eq!(run.outcome("a.test"), "error");
    assert!(
        reason(&run).contains("older than the job"),
        "{}",
        reason(&run)
    );
}

#[test]
fn a_job_that_failed_anyway_has_failed() {
    let place = component("echo broken; exit 2");
    let run = run(&place).expect_code(1);
    assert_eq!(run.outcome("a.test"), "failed");
    assert!(
        reason(&run).starts_with("exited with 2"),
        "{}",
        reason(&run)
    );
    assert!(
        reason(&run).contains("wrote no JUnit file"),
        "{}",
        reason(&run)
    );
}

#[test]
fn files_without_cases_are_vacuous() {
    let place = component("mkdir -p build/reports; echo '<testsuites/>' > build/reports/x.xml");
    let run = run(&place);
    assert_eq!(run.outcome("a.test"), "vacuous");
    assert!(reason(&run).contains("hold no case"), "{}", reason(&run));
}

#[test]
fn pytest_and_googletest_write_them() {
    let has = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let required = std::env::var_os("KATACI_TEST_REQUIRE_RUNNERS").is_some();
    let stories = [
        (
            "pytest",
            "python3 -m pytest --version",
            "python3 -m pytest -v -p no:cacheprovider --junitxml=build/reports/p.xml test_good.py",
            (4, 2),
        ),
        (
            "gtest",
            "echo '#include <gtest/gtest.h>' | g++ -x c++ -fsyntax-only -",
            "g++ -O0 demo.cc -o demo -lgtest -lgtest_main; ./demo '--gtest_filter=Good.*' --gtest_output=xml:build/reports/g.xml",
            (2, 2),
        ),
    ];
    for (runner, works, script, (passed, skipped)) in stories {
        if !has(works) {
            assert!(!required, "missing: {works}; run scripts/setup tests");
            eprintln!("skipped: {works} does not work; scripts/setup tests installs it");
            continue;
        }
        let place = component(script);
        copy(
            &fixtures().join("runners").join(runner),
            &place.path().join("a"),
        );
        git(place.path(), &["init", "-q"]);
        git(place.path(), &["add", "."]);
        git(place.path(), &["commit", "-qm", "all"]);
        for isolate in ["off", "on"] {
            let run = run_in(place.path())
                .args(["-s", "test", "--isolate", isolate])
                .finish();
            if isolate == "on" && run.outcome("a.test") == "skipped" {
                continue;
            }
            let said = format!("{isolate}: {}\n{}", reason(&run), run.log("a.test"));
            assert_eq!(run.outcome("a.test"), "passed", "{said}");
            let cases = run.cases("a.test");
            assert_eq!(
                (cases["passed"], cases["skipped"]),
                (passed, skipped),
                "{said}"
            );
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-r")
        .arg(from.join("."))
        .arg(to)
        .status();
    assert!(copied.expect("cp runs").success());
}
