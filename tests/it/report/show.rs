//! Tests `kata-ci report show`, and the other forms of a report.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in, until};

#[test]
fn a_run_is_shown_again_as_it_was_and_its_cases_with_their_output() {
    let workspace = tempfile::tempdir().expect("a directory");
    let makefile = "check:\n\t@echo fine\ntest:\n\t@echo 'the reason'; false\n";
    fs::write(workspace.path().join("Makefile"), makefile).expect("written");
    let run = run_in(workspace.path()).finish();
    let show = |arguments: &[&str]| {
        let shown = KataCi::bare()
            .args(["report", "show"])
            .args([&run.reports])
            .args(arguments)
            .finish();
        (shown.code, shown.stdout)
    };
    let (code, summary) = show(&[]);
    assert_eq!(code, 0);
    let last = summary.lines().next_back().expect("a line");
    assert!(
        run.printed().contains(last) && summary.contains("failed"),
        "{summary}"
    );
    let (code, case) = show(&["--case", "test"]);
    assert_eq!(code, 0);
    assert!(case.contains("    | the reason"), "{case}");
    assert_eq!(show(&["--case", "nothing like it"]).0, 4);
    for (form, text) in [
        ("markdown", "## makefile"),
        ("html", "<!DOCTYPE html>"),
        ("annotations", "::error title="),
    ] {
        let made = KataCi::bare()
            .args(["report", form])
            .args([&run.reports])
            .finish();
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(made.stdout.contains(text), "{form}: {}", made.stdout);
    }
    let live = fs::read_to_string(run.reports.join("report.html")).expect("report.html");
    let later = KataCi::bare()
        .args(["report", "html"])
        .args([&run.reports])
        .finish();
    assert_eq!(later.stdout, live, "made later equals made live");
}

#[test]
fn without_runs_the_list_says_so() {
    let listed = KataCi::bare().args(["report", "show", "--list"]).finish();
    assert_eq!(listed.code, 0);
    assert!(
        listed.stdout.starts_with("no run is kept in "),
        "{}",
        listed.stdout
    );
    let latest = KataCi::bare().args(["report", "show"]).finish();
    assert_eq!(latest.code, 2);
    assert!(
        latest.stderr.contains("there is no run yet"),
        "{}",
        latest.stderr
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_what_it_warns_of_is_said() {
    let place = tempfile::tempdir().expect("a directory");
    let show = |xml: &str| {
        let file = place.path().join("junit.xml");
        fs::write(&file, xml).expect("written");
        KataCi::bare()
            .args(["report", "show"])
            .args([file])
            .finish()
    };
    let cut = show("<testsuite>").expect_code(75);
    assert_eq!(cut.stdout, "");
    assert!(
        cut.stderr.contains("is truncated") && cut.stderr.contains("nothing left"),
        "{}",
        cut.stderr
    );
    let short = show("<testsuite name='s' tests='2'/>").expect_code(0);
    assert_eq!(short.stdout, "no cases\n");
    assert!(
        short.stderr.contains("s says 2 cases, holds 0"),
        "{}",
        short.stderr
    );
}

/// Returns a call whose runs are kept in `state`.
fn kept_in(state: &Path) -> KataCi {
    KataCi::bare().env("XDG_STATE_HOME", state)
}

fn run_kept(state: &Path, workspace: &Path, arguments: &[&str]) -> Finished {
    kept_in(state)
        .args(["run", "-C"])
        .args([workspace])
        .args(arguments)
        .finish()
}

/// Returns the listed runs as JSON.
fn listed(state: &Path) -> Vec<Value> {
    let list = kept_in(state).args(["report", "show", "--list", "--format", "json"]);
    let list: Value = serde_json::from_str(&list.finish().expect_code(0).stdout).expect("JSON");
    list.as_array().expect("a list").clone()
}

#[test]
fn the_runs_that_are_kept_are_listed_newest_first_and_each_can_be_shown() {
    let good = makefiles(&[(
        "a",
        "test:\n @echo '1..1'; echo 'ok 1 - fine'\n.PHONY: test",
    )]);
    let bad = makefiles(&[(
        "b",
        "test:\n @echo '1..1'; echo 'not ok 1 - broken'; exit 1\n.PHONY: test",
    )]);
    let state = tempfile::tempdir().expect("a directory");
    run_kept(state.path(), good.path(), &["-s", "test"]).expect_code(0);
    run_kept(state.path(), bad.path(), &["-s", "test"]).expect_code(1);
    let list = listed(state.path());
    let facts = |run: &Value| (run["exit"].clone(), run["workspace"].clone());
    let of = |place: &TempDir| {
        place
            .path()
            .canonicalize()
            .expect("its path")
            .display()
            .to_string()
    };
    assert_eq!(list.len(), 2, "{list:#?}");
    assert_eq!(facts(&list[0]), (1.into(), of(&bad).into()));
    assert_eq!(facts(&list[1]), (0.into(), of(&good).into()));
    let show = |arguments: &[&str]| {
        let shown = kept_in(state.path())
            .args(["report", "show"])
            .args(arguments);
        shown.finish().expect_code(0).stdout
    };
    let ids: Vec<_> = list
        .iter()
        .map(|run| run["run_id"].as_str().expect("an id"))
        .collect();
    let lines = show(&["--list"]);
    let firsts: Vec<_> = lines
        .lines()
        .map(|line| line.split("  ").next().expect("an id"))
        .collect();
    assert_eq!(firsts, ids);
    assert!(lines.starts_with(&format!("{}  exit 1", ids[0])), "{lines}");
    assert!(show(&[ids[1]]).contains("1 passed"));
    // In a workspace its own run comes first, and the run says whose it is.
    let inside = |place: &TempDir| {
        let shown = kept_in(state.path()).args(["report", "show", "-C"]);
        shown
            .args([place.path().join(".")])
            .finish()
            .expect_code(0)
            .stdout
    };
    let (own, other) = (inside(&good), inside(&bad));
    assert!(
        own.starts_with(&format!("run {} of {}, 20", ids[1], of(&good))),
        "{own}"
    );
    assert!(
        other.starts_with(&format!("run {} of {}, 20", ids[0], of(&bad))),
        "{other}"
    );
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_str(&show(&[arguments, &["--format", "json"]].concat())).expect("JSON")
    };
    let latest = json(&[]);
    assert_eq!(
        (&latest["run_id"], &latest["exit"]),
        (&ids[0].into(), &1.into())
    );
    assert_eq!(json(&[ids[1]])["run_id"], ids[1]);
    let cases = json(&["--case", "broken"]);
    assert_eq!(
        (&cases[0]["suite"], &cases[0]["state"]),
        (&"b.test".into(), &"failed".into())
    );
    assert!(
        cases[0]["output"]
            .as_str()
            .expect("text")
            .contains("not ok 1"),
        "{cases}"
    );
    let junit = Path::new(list[0]["directory"].as_str().expect("a path")).join("junit.xml");
    let of_file = json(&[junit.to_str().expect("text")]);
    assert_eq!(of_file.as_array().expect("a list").len(), 1, "{of_file}");
}

#[test]
fn runs_are_removed_when_there_are_too_many_and_that_is_said() {
    let place = makefiles(&[("a", "test:\n @exit 1\n.PHONY: test")]);
    let state = tempfile::tempdir().expect("a directory");
    let run = |arguments: &[&str]| run_kept(state.path(), place.path(), arguments).expect_code(1);
    let removed = "removed 1 earlier run: more than 2 were kept";
    for _ in 0..2 {
        let run = run(&["-s", "test", "--keep-runs", "2"]);
        assert!(!run.printed().contains("removed"), "{}", run.printed());
    }
    let before = listed(state.path());
    let third = run(&["-s", "test", "--keep-runs", "2", "-v"]);
    assert!(third.stdout.contains(removed), "{}", third.stdout);
    let after = listed(state.path());
    assert_eq!((after.len(), &after[1]), (2, &before[0]));
    // The run is gone completely; reports in a named directory are never removed.
    let runs = state.path().join("kata-ci/runs");
    assert_eq!(
        fs::read_dir(&runs).expect("the runs").count(),
        3,
        "two and the link"
    );
    let elsewhere = tempfile::tempdir().expect("a directory");
    let named = elsewhere.path().to_str().expect("text");
    run(&["-s", "test", "--keep-runs", "1", "--report-dir", named]);
    assert_eq!(listed(state.path()), after);
    run(&["-s", "test", "--keep-runs", "all"]);
    assert_eq!(listed(state.path()).len(), 3);
}

#[test]
fn a_run_that_goes_on_is_neither_removed_nor_disturbed() {
    let waiting = "test:\n @while [ ! -e go ]; do sleep 0.02; done; echo '1..1'; echo 'ok 1 - end'\n.PHONY: test";
    let place = makefiles(&[("slow", waiting)]);
    let other = makefiles(&[("a", "test:\n @exit 1\n.PHONY: test")]);
    let state = tempfile::tempdir().expect("a directory");
    let slow = kept_in(state.path())
        .args(["run", "-s", "test", "-C"])
        .args([place.path()])
        .start();
    until("the run has begun", || listed(state.path()).len() == 1);
    assert_eq!(listed(state.path())[0]["exit"], Value::Null);
    // Run ids have whole seconds. Whichever run is newer, the slow one is locked, and `latest`
    // names the other.
    for _ in 0..2 {
        run_kept(
            state.path(),
            other.path(),
            &["-s", "test", "--keep-runs", "1"],
        )
        .expect_code(1);
    }
    write(&place.path().join("slow/go"), "");
    slow.finish().expect_code(0);
    let list = listed(state.path());
    let passed = list.iter().filter(|run| run["exit"] == 0).count();
    assert_eq!((list.len(), passed), (2, 1), "{list:#?}");
}

#[test]
fn the_page_is_opened_by_the_desktop_or_named_where_there_is_none() {
    let place = makefiles(&[("a", "test:\n @echo '1..1'; echo 'ok 1 - a'\n.PHONY: test")]);
    let run = run_in(place.path()).args(["-s", "test"]).finish();
    let bin = tempfile::tempdir().expect("a directory");
    let told = bin.path().join("told");
    let opener = format!(
        "#!/bin/sh\necho \"$1\" > {0}.new && mv {0}.new {0}\n",
        told.display()
    );
    let program = bin.path().join("xdg-open");
    write(&program, &opener);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let path = format!(
        "{}:{}",
        bin.path().display(),
        std::env::var("PATH").expect("a PATH")
    );
    let open = |display: &[(&str, &str)]| {
        let mut call = KataCi::bare()
            .args(["report", "open"])
            .args([&run.reports])
            .env("PATH", &path);
        for (name, value) in display {
            call = call.env(name, value);
        }
        call.finish().expect_code(0)
    };
    let page = run
        .reports
        .join("report.html")
        .canonicalize()
        .expect("a page");
    let without = open(&[]);
    assert_eq!(without.stdout, format!("{}\n", page.display()));
    assert!(without.stderr.contains("no desktop"), "{}", without.stderr);
    assert!(!told.exists());
    open(&[("DISPLAY", ":0")]);
    until("the page to be opened", || told.exists());
    assert_eq!(
        fs::read_to_string(&told).expect("told").trim(),
        page.display().to_string()
    );
}
