//! `kata-ci report show`, and the forms a report can be had in.

use std::fs;

use crate::support::{KataCi, run_in};

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
