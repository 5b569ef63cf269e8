//! `--case` and `kata-ci list`.

use serde_json::Value;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in};

fn go(place: &std::path::Path, name: &str, text: &str) {
    let component = place.join(name);
    write(
        &component.join("go.mod"),
        &format!("module example.com/{name}\n\ngo 1.19\n"),
    );
    write(&component.join("a.go"), "package a\n");
    write(
        &component.join("a_test.go"),
        &format!("package a\n\nimport \"testing\"\n\n{text}"),
    );
}

const TESTS: &str = "func TestUpdateRoute(t *testing.T) { t.Run(\"a b\", func(t *testing.T) {}) }
func TestUpdateLink(t *testing.T) { t.Error(\"no link\") }
func TestOther(t *testing.T) { t.Error(\"not asked for\") }
";

/// Returns the names of the cases that the journal has an end of.
fn cases(run: &Finished) -> Vec<String> {
    let journal = std::fs::read_to_string(run.reports.join("events.jsonl")).unwrap();
    let mut names: Vec<_> = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "case-finished")
        .map(|event| event["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn only_the_cases_that_match_run_and_the_failed_one_says_its_command() {
    let place = makefiles(&[("a", "test:\n @go test ./...\n.PHONY: test")]);
    go(place.path(), "a", TESTS);
    let run = run_in(place.path())
        .args(["-p", "makefile", "-s", "test", "--case", "TestUpdate*"])
        .finish()
        .expect_code(1);
    assert_eq!(
        cases(&run),
        ["TestUpdateLink", "TestUpdateRoute", "TestUpdateRoute/a_b"]
    );
    assert!(
        run.printed().contains(" a -s test --case TestUpdateLink"),
        "{}",
        run.printed()
    );
    let page = std::fs::read_to_string(run.reports.join("report.html")).unwrap();
    assert!(page.contains("--case TestUpdateLink"));
    let one = run_in(place.path())
        .args([
            "-p",
            "makefile",
            "-s",
            "test",
            "--case",
            "TestUpdateRoute/a_b",
        ])
        .finish()
        .expect_code(0);
    assert_eq!(cases(&one), ["TestUpdateRoute", "TestUpdateRoute/a_b"]);
}

#[test]
fn a_pattern_that_nothing_matches_selects_nothing() {
    let place = makefiles(&[
        ("a", "test:\n @go test ./...\n.PHONY: test"),
        ("b", "test:\n @echo 1..1; echo ok 1 - alone\n.PHONY: test"),
    ]);
    go(place.path(), "a", TESTS);
    let asked = |pattern: &str| {
        run_in(place.path())
            .args(["-p", "makefile", "-s", "test", "--case", pattern])
            .finish()
    };
    let run = asked("TestNothing").expect_code(4);
    assert!(
        run.printed().contains("no case matches `TestNothing`"),
        "{}",
        run.printed()
    );
    assert!(
        run.printed().contains("could not narrow"),
        "{}",
        run.printed()
    );
    let run = asked("alone").expect_code(0);
    assert_eq!(
        (run.outcome("a.test"), run.outcome("b.test")),
        ("skipped".into(), "passed".into())
    );
}

#[test]
fn a_step_that_only_prepares_is_no_case_that_matches() {
    let place = makefiles(&[]);
    write(
        &place.path().join("kata-ci.toml"),
        "version = 1\n[[step]]\nname = \"fetch\"\nrun = [\"true\"]\nexpect = \"exit\"\n[[step]]\nname = \"test\"\nneeds = [\"fetch\"]\nrun = [\"go\", \"test\", \"./...\"]\nexpect = \"cases\"\n[[component]]\nname = \"a\"\n",
    );
    go(place.path(), "a", TESTS);
    let asked = |pattern: &str| run_in(place.path()).args(["--case", pattern]).finish();
    asked("TestNothing").expect_code(4);
    asked("TestUpdateRoute").expect_code(0);
}

#[test]
fn cargo_gets_the_exact_names_of_the_last_run() {
    let place = makefiles(&[]);
    let pipeline = place.path().join("kata-ci.toml");
    write(
        &pipeline,
        "version = 1\n[[step]]\nname = \"test\"\nrun = [\"cargo\", \"test\", \"--lib\"]\nexpect = \"cases\"\n[[component]]\nname = \"a\"\n",
    );
    let a = place.path().join("a");
    write(
        &a.join("Cargo.toml"),
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    );
    write(
        &a.join("src/lib.rs"),
        "#[test]\nfn one() {}\n#[test]\nfn one_more() {}\n#[test]\nfn two() {}\n",
    );
    let reports = place.path().join("reports");
    let run = |arguments: &[&str]| run_in(place.path()).args(arguments).finish();
    let first = run(&["--case", "one"]).expect_code(0);
    assert_eq!(cases(&first), ["one"]);
    let reports = reports.display().to_string();
    let named = |arguments: &[&str]| {
        KataCi::bare()
            .args([
                "run",
                "-C",
                &place.path().display().to_string(),
                "--report-dir",
                &reports,
            ])
            .args(arguments)
            .reports_in(reports.as_ref())
            .finish()
    };
    named(&[]).expect_code(0);
    assert_eq!(
        cases(&named(&["--case", "one*"]).expect_code(0)),
        ["one", "one_more"]
    );
}

#[test]
fn what_a_pipeline_has_is_listed_with_the_cases_of_the_last_run() {
    let place = makefiles(&[("b", "test:\n @echo 1..1; echo ok 1 - alone\n.PHONY: test")]);
    let reports = place.path().join("reports").display().to_string();
    let directory = place.path().display().to_string();
    KataCi::bare()
        .args([
            "run",
            "-C",
            &directory,
            "-p",
            "makefile",
            "-s",
            "test",
            "--report-dir",
            &reports,
        ])
        .finish()
        .expect_code(0);
    let list = |arguments: &[&str]| {
        KataCi::bare()
            .args([
                "list",
                "-C",
                &directory,
                "-p",
                "makefile",
                "--report-dir",
                &reports,
            ])
            .args(arguments)
            .finish()
            .expect_code(0)
            .stdout
    };
    let json: Value = serde_json::from_str(&list(&["--format", "json", "--cases"])).unwrap();
    assert_eq!(json["components"][0]["name"], "b");
    assert_eq!(json["components"][0]["last"]["test"], "passed");
    assert_eq!(json["steps"][1]["command"], "make test");
    assert_eq!(json["cases"][0]["name"], "alone");
    assert_eq!(json["cases"][0]["status"], "passed");
    let text = list(&["--cases"]);
    assert!(text.contains("  b.test  alone  passed"), "{text}");
    assert!(list(&[]).contains("  test  make test"), "{text}");
}
