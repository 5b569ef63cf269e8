//! Checks that fail, with the real checkers: each finding is told with its place.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::workspace::{makefiles, write};
use crate::support::{Finished, KataCi, run_in};

/// Returns the directory of a checker; `None` if it is not installed, which CI does not accept.
fn checker(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let mut directories: Vec<_> = std::env::split_paths(&path).collect();
    directories.extend(std::env::var_os("GOPATH").map(|path| PathBuf::from(path).join("bin")));
    directories.push(home.join("go/bin"));
    let found = directories
        .into_iter()
        .find(|directory| directory.join(name).is_file());
    if found.is_none() {
        let is_required = std::env::var_os("KATACI_TEST_REQUIRE_CHECKERS").is_some();
        assert!(!is_required, "{name} is not installed: scripts/setup tests");
        eprintln!("skipped: {name} is not installed (scripts/setup tests)");
    }
    found
}

fn check(place: &Path, checker: &Path) -> Finished {
    let path = std::env::var("PATH").unwrap_or_default();
    run_in(place)
        .args([
            "-p",
            "makefile",
            "-s",
            "check",
            "--isolate",
            "off",
            "--network",
            "on",
        ])
        .env("PATH", format!("{path}:{}", checker.display()))
        .finish()
}

/// Returns `file:line:column tool rule` of each finding in the journal.
fn findings(run: &Finished) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let journal = std::fs::read_to_string(run.reports.join("events.jsonl")).unwrap();
    let events = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .flat_map(|event| event["findings"].as_array().cloned().unwrap_or_default())
        .map(|finding| {
            format!(
                "{}:{}:{} {} {}",
                text(&finding["file"]),
                number(&finding["line"]),
                number(&finding["column"]),
                text(&finding["tool"]),
                text(&finding["rule"])
            )
        })
        .collect()
}

const GO: &str = "package main

import \"fmt\"

func main() {
	fmt.Printf(\"%d\\n\", \"text\")
	err := work()
	err = work()
	fmt.Println(err)
}

func work() error { return nil }

func never() {}
";

#[test]
fn three_findings_of_golangci_lint_are_three_findings_on_their_lines() {
    let Some(directory) = checker("golangci-lint") else {
        return;
    };
    let place = makefiles(&[(
        "a",
        "check:\n @golangci-lint run --enable-only=govet,unused,ineffassign\n",
    )]);
    let a = place.path().join("a");
    write(&a.join("go.mod"), "module example.com/a\n\ngo 1.21\n");
    write(&a.join("main.go"), GO);
    let run = check(place.path(), &directory).expect_code(1);
    let mut found = findings(&run);
    found.sort();
    assert_eq!(
        found,
        [
            "main.go:14:6 golangci-lint unused",
            "main.go:6:2 golangci-lint govet",
            "main.go:7:2 golangci-lint ineffassign",
        ]
    );
    let junit = run.junit();
    for place in [
        "main.go:14:6: func",
        "main.go:6:2: printf",
        "main.go:7:2: ineffectual",
    ] {
        assert!(junit.contains(place), "{junit}");
    }
    assert!(run.printed().contains("main.go:7:2: "), "{}", run.printed());
}

#[test]
fn three_findings_of_clippy_are_three_findings_on_their_lines() {
    let place = makefiles(&[("a", "check:\n cargo clippy -- -D warnings\n")]);
    let a = place.path().join("a");
    write(
        &a.join("Cargo.toml"),
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n",
    );
    write(
        &a.join("src/lib.rs"),
        "pub fn length(text: &String) -> usize {\n    let unused = 1;\n    return text.len();\n}\n",
    );
    let run = check(place.path(), Path::new("/usr/bin")).expect_code(1);
    let mut found = findings(&run);
    found.sort();
    assert_eq!(
        found,
        [
            "src/lib.rs:1:21 clippy clippy::ptr_arg",
            "src/lib.rs:2:9 clippy unused_variables",
            "src/lib.rs:3:5 clippy clippy::needless_return",
        ]
    );
    let reason = run.job("a.check")["reason"].as_str().unwrap().to_owned();
    assert!(
        reason.contains("3 findings, the first is src/lib.rs:"),
        "{reason}"
    );
    let reports = run.reports.display().to_string();
    let shown = KataCi::bare().args(["report", "annotations", &reports]);
    let annotations = shown.finish().expect_code(0).printed();
    for line in [
        "src/lib.rs,line=1,col=21,",
        "line=2,col=9,",
        "line=3,col=5,",
    ] {
        assert!(annotations.contains(line), "{annotations}");
    }
}

#[test]
fn scripts_texts_and_names_that_are_wrong_are_found_by_debians_checkers() {
    for (name, command, file, text, expected) in [
        (
            "shellcheck",
            "shellcheck a.sh",
            "a.sh",
            "#!/bin/sh\necho $1\n",
            "a.sh:2:6 shellcheck SC2086",
        ),
        (
            "yamllint",
            "yamllint a.yaml",
            "a.yaml",
            "---\na: 1\na: 2\n",
            "a.yaml:3:1 yamllint key-duplicates",
        ),
        (
            "codespell",
            "codespell a.md",
            "a.md",
            "This is teh text.\n",
            "a.md:1:0 codespell ",
        ),
    ] {
        let Some(directory) = checker(name) else {
            continue;
        };
        let place = makefiles(&[("a", &format!("check:\n @{command}\n @echo unreached\n"))]);
        write(&place.path().join("a").join(file), text);
        let run = check(place.path(), &directory).expect_code(1);
        assert_eq!(findings(&run), [expected], "{name}");
        let place = expected.split(" ").next().unwrap().trim_end_matches(":0");
        let said = format!("message=\"{place}: ");
        assert!(run.junit().contains(&said), "{}", run.junit());
    }
}

#[test]
fn a_finding_beside_a_missing_checker_is_a_failure() {
    let place = makefiles(&[
        (
            "a",
            "check:\n @echo 'a.c:3:1: error: broken'; nosuchlinter a.c\n",
        ),
        (
            "b",
            "check:\n @echo 'ERROR: command golangci-lint not found. Please install it first.'; exit 1\n",
        ),
    ]);
    let run = check(place.path(), Path::new("/usr/bin"));
    assert_eq!(run.job("a.check")["outcome"], "failed");
    assert_eq!(run.job("b.check")["outcome"], "error");
}
