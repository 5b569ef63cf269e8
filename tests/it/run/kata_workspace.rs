//! Tests the main purpose: a kata v1 workspace without configuration, in each layout.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::workspace::{git, kata};
use crate::support::{Finished, KataCi, run_in};

fn counts(passed: u64, skipped: u64) -> BTreeMap<String, u64> {
    [("passed", passed), ("skipped", skipped)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| (status.to_owned(), count))
        .collect()
}

/// Expects the counts of fixtures/README.md, which `go test -json` and cargo gave.
fn has_all_cases(run: &Finished) {
    assert_eq!(run.cases("runtime.test"), counts(23, 2));
    assert_eq!(run.cases("proxy.test"), counts(9, 0));
    assert_eq!(run.cases("agent.test"), counts(13, 1));
    assert_eq!(run.cases("shim.test"), counts(9, 1));
}

#[test]
fn a_gopath_with_nothing_configured() {
    let place = kata("gopath");
    let run = run_in(place.path()).finish().expect_code(0);
    has_all_cases(&run);
    for component in ["runtime", "agent", "shim", "proxy"] {
        assert_eq!(run.outcome(&format!("{component}.check")), "passed");
        let cases = run.cases(&format!("{component}.check"));
        assert_eq!(cases.values().sum::<u64>(), 12, "{component}: {cases:?}");
        assert_eq!(
            run.result()["revisions"][component].as_str().map(str::len),
            Some(40)
        );
    }
    assert_eq!(run.result()["pipeline"], "kata-v1");
}

#[test]
fn repositories_side_by_side_are_run_and_not_touched() {
    let place = kata("side-by-side");
    let before = state(place.path());
    let run = run_in(place.path())
        .args(["-s", "test"])
        .finish()
        .expect_code(0);
    has_all_cases(&run);
    assert_eq!(state(place.path()), before);
}

/// Returns git's status with untracked files, and the head, of every repository.
fn state(place: &Path) -> Vec<String> {
    ["runtime", "agent", "shim", "proxy", "tests"]
        .iter()
        .map(|name| {
            let script = "git status --porcelain --ignored; git rev-parse HEAD; git for-each-ref; git config -l";
            let output =
                Command::new("sh").args(["-c", script]).current_dir(place.join(name)).output();
            String::from_utf8_lossy(&output.expect("git runs").stdout).into_owned()
        })
        .collect()
}

#[test]
fn standing_in_a_component_runs_that_one() {
    let place = kata("gopath");
    let proxy = place.path().join("src/github.com/kata-containers/proxy");
    let run = run_in(&proxy).args(["-s", "test"]).finish().expect_code(0);
    let result = run.result();
    let jobs: Vec<_> = result["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| &job["id"])
        .collect();
    assert_eq!(jobs, ["proxy.test"]);
}

#[test]
fn modules_on_are_prevented() {
    let place = kata("gopath");
    let run = run_in(place.path())
        .args(["proxy", "-s", "test"])
        .env("GO111MODULE", "on")
        .finish()
        .expect_code(0);
    assert_eq!(run.cases("proxy.test"), counts(9, 0));
}

#[test]
fn a_tests_clone_on_a_wrong_branch_is_an_error_with_the_fix() {
    let place = kata("gopath");
    let tests = place.path().join("src/github.com/kata-containers/tests");
    git(&tests, &["checkout", "-q", "main"]);
    let run = run_in(place.path())
        .args(["proxy", "-s", "test"])
        .finish()
        .expect_code(69);
    assert_eq!(run.outcome("proxy.test"), "error");
    for part in ["1.x-eol", "checkout"] {
        assert!(run.printed().contains(part), "{}", run.printed());
    }
}

#[test]
fn a_missing_tests_clone_is_a_requirement_not_met_with_the_fix() {
    let place = kata("gopath");
    let tests = place.path().join("src/github.com/kata-containers/tests");
    std::fs::remove_dir_all(&tests).unwrap();
    let run = run_in(place.path())
        .args(["proxy", "-s", "test"])
        .finish()
        .expect_code(4);
    assert_eq!(run.outcome("proxy.test"), "skipped");
    assert!(run.printed().contains("git clone"), "{}", run.printed());
}

#[test]
fn a_remote_of_another_name_is_an_error_with_the_fix() {
    let place = kata("gopath");
    let proxy = place.path().join("src/github.com/kata-containers/proxy");
    git(&proxy, &["remote", "rename", "origin", "upstream"]);
    let run = run_in(place.path())
        .args(["proxy", "-s", "check"])
        .finish()
        .expect_code(69);
    assert_eq!(run.outcome("proxy.check"), "error");
    assert!(run.printed().contains("upstream"), "{}", run.printed());
}

#[test]
fn a_broken_file_in_a_commit_fails_its_check() {
    let place = kata("gopath");
    let proxy = place.path().join("src/github.com/kata-containers/proxy");
    std::fs::write(proxy.join("broken.json"), "{").unwrap();
    git(&proxy, &["add", "broken.json"]);
    git(
        &proxy,
        &[
            "commit",
            "-qsm",
            "proxy: add a file\n\nIt is broken.\n\nFixes: #1",
        ],
    );
    let run = run_in(place.path())
        .args(["proxy", "-s", "check"])
        .finish()
        .expect_code(1);
    assert_eq!(run.outcome("proxy.check"), "failed");
    assert!(
        run.junit().contains("static_check_json"),
        "{}",
        run.printed()
    );
    assert!(
        run.printed().contains("static_check_json"),
        "{}",
        run.printed()
    );
}

#[test]
fn the_exit_code_does_not_depend_on_the_format() {
    let place = kata("gopath");
    for format in ["plain", "json", "progress", "auto"] {
        let run = KataCi::bare()
            .args(["run", "-C"])
            .args([place.path()])
            .args(["shim", "-s", "test", "--format", format])
            .finish();
        assert_eq!(run.code, 0, "{format}: {}", run.printed());
    }
}
