//! Static checks, make, and programs that are missing.

use super::parse;
use crate::model::Ending;
use crate::parse::CaseContext;

const BANNER: &str = "INFO: Running 'static_check_";

fn section(function: &str, text: &str) -> String {
    format!("{BANNER}{function}' function\n{text}")
}

fn changed(files: &[&str]) -> CaseContext {
    CaseContext {
        changed_files: Some(files.iter().map(|file| (*file).to_owned()).collect()),
        ..CaseContext::default()
    }
}

#[test]
fn a_check_ends_at_the_next_banner_and_only_the_last_can_fail() {
    let text = section("commits", "ERROR: not fatal\n")
        + &section(
            "json",
            "INFO: Checking JSON file 'a'\nERROR: failed to check JSON file 'a'\nmake: *** [Makefile:5: check] Error 1\n",
        );
    let parsed = parse(&CaseContext::default(), &text, 2);
    assert_eq!(
        parsed.cases(),
        [
            "static-checks|static_check_commits|passed",
            "static-checks|static_check_json|failed"
        ]
    );
    assert_eq!(
        parsed.end("static_check_json").message.as_deref(),
        Some("failed to check JSON file 'a'")
    );
}

#[test]
fn the_last_line_explains_a_check_without_an_error() {
    let text = section(
        "labels",
        "first\nit is broken\nmake: *** [Makefile:5: check] Error 1\n",
    );
    assert_eq!(
        parse(&CaseContext::default(), &text, 2)
            .end("static_check_labels")
            .message
            .as_deref(),
        Some("it is broken")
    );
}

#[test]
fn a_check_that_was_killed_is_unfinished() {
    let text = section("docs", "INFO: Checking documentation\n");
    let parsed = super::parse_in_pieces(
        &CaseContext::default(),
        text.as_bytes(),
        9,
        Some(Ending::Signal(9)),
    );
    assert_eq!(
        parsed.cases(),
        ["static-checks|static_check_docs|unfinished"]
    );
}

#[test]
fn words_of_finding_nothing_are_the_cause_unless_something_was_looked_at() {
    let quiet = section(
        "xml",
        "INFO: Checking local branch for changed XML files only\nINFO: No XML files to check\n",
    );
    let parsed = parse(&CaseContext::default(), &quiet, 0);
    assert_eq!(parsed.cases(), ["static-checks|static_check_xml|skipped"]);
    assert_eq!(
        parsed.end("static_check_xml").message.as_deref(),
        Some("No XML files to check")
    );
    let looked = section("xml", "INFO: Checking XML file 'a.xml'\n");
    assert_eq!(
        parse(&CaseContext::default(), &looked, 0).cases(),
        ["static-checks|static_check_xml|passed"]
    );
    let on_base = parse(&changed(&[]), &quiet, 0);
    assert!(
        on_base
            .end("static_check_xml")
            .message
            .as_deref()
            .unwrap()
            .contains("nothing differs from the base")
    );
    assert!(on_base.observations.contradictions.is_empty());
}

#[test]
fn git_contradicts_a_check_that_found_none_of_its_kind() {
    let checks = [
        ("json", "INFO: No JSON files to check\n", "a/b.json"),
        ("xml", "INFO: No XML files to check\n", "b.xml"),
        ("docs", "INFO: No documentation to check\n", "README.md"),
        ("shell", "INFO: No scripts to check\n", "x.sh"),
        (
            "commits",
            "Found 0 commits between commit HEAD and branch master\n",
            "main.go",
        ),
    ];
    for (function, text, file) in checks {
        let text = section(function, text);
        let found = |files: &[&str]| parse(&changed(files), &text, 0).observations.contradictions;
        assert!(found(&[file])[0].contains(file), "{function}");
        assert!(found(&[]).is_empty(), "{function}");
        let other = if function == "commits" {
            vec![]
        } else {
            vec!["other.go", "vendor/a.json"]
        };
        assert!(found(&other).is_empty(), "{function}");
    }
}

#[test]
fn tests_inside_of_a_check_are_no_cases_and_tests_after_it_are() {
    let text = section("commits", "go test .\nok  \texample.com/x\t0.1s\n")
        + "INFO: Running 'go test' as current user on package 'example.com/x' with flags '-race'\nok  \texample.com/x\t0.1s\n";
    let parsed = parse(&CaseContext::default(), &text, 0);
    assert_eq!(
        parsed.cases(),
        [
            "static-checks|static_check_commits|passed",
            "example.com/x|(package)|passed"
        ]
    );
}

#[test]
fn missing_programs_are_named_as_their_callers_say_it() {
    let missing = |text: &str| {
        parse(&CaseContext::default(), text, 2)
            .observations
            .missing_programs
    };
    let said = [
        ("make: nosuchprog: No such file or directory", "nosuchprog"),
        (
            "make[1]: ./nosuch.sh: No such file or directory",
            "./nosuch.sh",
        ),
        ("make: ./perm.sh: Permission denied", "./perm.sh"),
        ("bash: line 1: nosuchb: command not found", "nosuchb"),
        ("/build/x.sh: line 12: jq: command not found", "jq"),
        ("/bin/sh: 1: nosuchpipe: not found", "nosuchpipe"),
        ("sh: 0: cannot open nosuch.sh: No such file", "nosuch.sh"),
        ("env: ‘nosuchenv’: No such file or directory", "nosuchenv"),
        ("bash: /p/x.sh: No such file or directory", "/p/x.sh"),
        (
            "/t/.ci/lib.sh: line 142: /go/bin/yq: No such file or directory",
            "/go/bin/yq",
        ),
        (
            "timeout: failed to run command ‘nosucht’: No such file or directory",
            "nosucht",
        ),
        ("xargs: nosuchx: No such file or directory", "nosuchx"),
        ("error: no such command: `nosuch`", "cargo-nosuch"),
        (
            "error: could not execute process `/nonexist/rustc -vV` (never executed)",
            "/nonexist/rustc",
        ),
        (
            "error: 'cargo-clippy' is not installed for the toolchain '1.95'.",
            "cargo-clippy",
        ),
        (
            "make: *** [Makefile:39: test] Error 127",
            "a program that `test` (Makefile:39) runs",
        ),
    ];
    for (line, program) in said {
        assert_eq!(missing(&format!("{line}\n")), [program], "{line}");
    }
    let others = [
        "cat: /x: No such file or directory",
        "/t/.ci/lib.sh: line 142: /etc/versions.yaml: No such file or directory",
        "/t/.ci/lib.sh: line 142: cd: /go/bin: No such file or directory",
        "make: Makefile: No such file or directory",
        "make: *** No rule to make target 'x'.  Stop.",
        "error: package `x`: not found",
        "make: *** [Makefile:39: test] Error 1",
    ];
    for line in others {
        assert!(missing(&format!("{line}\n")).is_empty(), "{line}");
    }
}

#[test]
fn checkers_that_scripts_miss_are_named_whatever_their_words() {
    let missing = |text: &str| {
        parse(&CaseContext::default(), text, 2)
            .observations
            .missing_programs
    };
    let said = [
        (
            "/t/.ci/lib.sh: line 88: pushd: /go/src/github.com/golangci/golangci-lint: No such file or directory",
            "golangci-lint",
        ),
        (
            "ERROR: command golangci-lint not found. Please install it first.",
            "golangci-lint",
        ),
        (
            "ERROR: chronic command not found. You must have it installed to run this check.",
            "chronic",
        ),
        ("ERROR: need yamllint installed", "yamllint"),
        ("ERROR: Please install yamllint on alpine", "yamllint"),
        (
            "exec: \"shellcheck\": executable file not found in $PATH",
            "shellcheck",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'codespell'",
            "codespell",
        ),
        ("Error: spawn eslint ENOENT", "eslint"),
    ];
    for (line, program) in said {
        assert_eq!(missing(&format!("{line}\n")), [program], "{line}");
    }
    let others = [
        "x.sh: line 3: pushd: /go/src/x: No such file or directory",
        "INFO: yamllint not found",
        "shellcheck not found, skipping",
        "shellcheck is already installed",
        "a.sh:3: shellcheck: not found here",
        "open testdata/shellcheck/a.sh: No such file or directory",
    ];
    for line in others {
        assert!(missing(&format!("{line}\n")).is_empty(), "{line}");
    }
}

#[test]
fn what_a_test_prints_is_no_missing_program() {
    let text = "=== RUN   TestX\nbash: line 1: foo: command not found\n--- FAIL: TestX (0.00s)\nFAIL\texample.com/x\t0.1s\n";
    assert!(
        parse(&CaseContext::default(), text, 1)
            .observations
            .missing_programs
            .is_empty()
    );
    let passed =
        section("docs", "x.sh: line 3: hunspell: command not found\n") + &section("xml", "");
    assert!(
        parse(&CaseContext::default(), &passed, 0)
            .observations
            .missing_programs
            .is_empty()
    );
}

#[test]
fn a_check_whose_program_is_missing_is_unfinished() {
    let text = section(
        "docs",
        "x.sh: line 3: xurls: command not found\nERROR: check failed\nmake: *** [Makefile:5: check] Error 1\n",
    );
    let parsed = parse(&CaseContext::default(), &text, 2);
    assert_eq!(
        parsed.cases(),
        ["static-checks|static_check_docs|unfinished"]
    );
    assert_eq!(parsed.observations.missing_programs, ["xurls"]);
    assert_eq!(
        parsed.end("static_check_docs").message.as_deref(),
        Some("x.sh: line 3: xurls: command not found")
    );
}

#[test]
fn a_check_that_ends_while_it_installs_its_program_is_unfinished() {
    let died = |more: &str| {
        let text = format!(
            "INFO: Installing xurls utility\nINFO: Installing example.com/xurls\n{more}x.sh: line 1: /go/bin/yq: No such file or directory\nx.sh: line 1: /go/bin/yq: No such file or directory\nERROR: need version\nmake: *** [Makefile:5: check] Error 1\n"
        );
        parse(&CaseContext::default(), &section("docs", &text), 2)
    };
    let parsed = died("");
    assert_eq!(
        parsed.cases(),
        ["static-checks|static_check_docs|unfinished"]
    );
    assert_eq!(
        parsed.observations.missing_programs,
        ["xurls", "/go/bin/yq"]
    );
    assert_eq!(
        parsed.end("static_check_docs").message.as_deref(),
        Some("xurls is missing, and installing it failed")
    );
    let parsed = died("INFO: Checking documentation\n");
    assert_eq!(parsed.observations.missing_programs, ["/go/bin/yq"]);
}

#[test]
fn a_linter_that_could_not_be_installed_is_missing() {
    let text = section(
        "go_arch_specific",
        "INFO: Installing golangci-lint\nINFO: Forcing golangci-lint version v1.18.0\n/t/.ci/lib.sh: line 88: pushd: /go/src/github.com/golangci/golangci-lint: No such file or directory\nmake: *** [Makefile:5: check] Error 1\n",
    );
    let parsed = parse(&CaseContext::default(), &text, 2);
    assert_eq!(
        parsed.cases(),
        ["static-checks|static_check_go_arch_specific|unfinished"]
    );
    assert_eq!(parsed.observations.missing_programs, ["golangci-lint"]);
}

#[test]
fn make_s_own_words_tell_that_nothing_ran() {
    let observed = |text: &str| parse(&CaseContext::default(), text, 0).observations;
    let told = |text: &str| (observed(text).ran_nothing, observed(text).is_unclear);
    assert_eq!(
        told("make: Nothing to be done for 'check'.\n"),
        (true, false)
    );
    assert_eq!(told("make: 'test' is up to date.\n"), (true, false));
    assert_eq!(told(""), (false, true));
    assert_eq!(told("INFO: yq was not found\n"), (false, true));
    assert_eq!(
        told("INFO: parse time\nmake: Nothing to be done for 'check'.\n"),
        (false, true)
    );
    assert_eq!(
        told("make -C sub check\nmake[1]: Nothing to be done for 'check'.\n"),
        (false, false)
    );
    assert_eq!(told("cargo fmt -- --check\n"), (false, false));
    let up_to_date = observed("make: 'test' is up to date.\n");
    assert!(
        up_to_date.vacuous_causes[0]
            .1
            .as_ref()
            .unwrap()
            .contains(".PHONY")
    );
}
