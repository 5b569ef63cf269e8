//! Real outputs of the real checkers, and text that only looks like a finding.
//!
//! The files in `fixtures/transcripts/findings` were made by golangci-lint 1.64.8, go 1.26,
//! staticcheck 2026.1, rust 1.95, shellcheck 0.9, yamllint 1.29, codespell 2.2, gcc 12 and kata's
//! checkcommits from small sources; only the name of their directory was changed. The snapshots
//! were compared with the files by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{MOST, NAME_CAP, check_findings};
use crate::model::{CheckFindings, FindingLevel};

fn shown(findings: &CheckFindings) -> String {
    let mut shown = String::new();
    for finding in &findings.list {
        let level = match finding.level {
            FindingLevel::Error => "",
            FindingLevel::Warning => " (warning)",
        };
        let _ = writeln!(shown, "{finding} <{}>{level}", finding.origin());
    }
    shown
}

fn of(text: &str) -> String {
    shown(&check_findings(text.as_bytes()))
}

#[test]
fn real_outputs_of_the_real_checkers() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts/findings");
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.sort();
    assert_eq!(names.len(), 16, "outputs were lost");
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let findings = check_findings(&fs::read(&path).unwrap());
        insta::assert_snapshot!(name, shown(&findings));
    }
}

#[test]
fn a_line_that_is_no_finding_is_none() {
    for line in [
        "example.com:443: connection refused",
        "10.0.0.1:80: refused",
        "http://example.com/x.go:80: no",
        "12:30:45: it is late",
        "2026/01/01 10:00:00 main.go:12: message",
        "goroutine 1 [running]:",
        "\t/usr/local/go/src/runtime/panic.go:617 +0x72",
        "make: *** [Makefile:3: check] Error 1",
        "make[1]: Leaving directory '/x'",
        "x.sh: line 1103: pop_var_context: head of shell_variables not a function context",
        "error: could not compile `demo` (lib) due to 4 previous errors",
        "a.c:6:16: note: each undeclared identifier is reported only once",
        "  at Object.<anonymous> (/x/a.js:3:5)",
        "level=info msg=\"a.go:1:1: x\"",
    ] {
        assert_eq!(of(line), "", "{line}");
    }
}

#[test]
fn checkers_that_write_as_compilers_do() {
    for (line, finding) in [
        (
            "./a.py:1:1: F401 'os' imported but unused",
            "a.py:1:1: F401 'os' imported but unused < F401>",
        ),
        (
            "a.py:3: error: Name \"x\" is not defined  [name-defined]",
            "a.py:3: Name \"x\" is not defined < name-defined>",
        ),
        (
            "Makefile:3: *** missing separator.  Stop.",
            "Makefile:3: *** missing separator. Stop. <make>",
        ),
        (
            "src/a.rs:1:2: error[E0425]: cannot find value `x`",
            "src/a.rs:1:2: cannot find value `x` <rustc E0425>",
        ),
        (
            "vet: ./main.go:5:2: undefined: x",
            "main.go:5:2: undefined: x <go>",
        ),
        (
            "# [example.com/x]\n./main.go:5:2: unreachable code",
            "main.go:5:2: unreachable code <go vet>",
        ),
        (
            "go vet ./...\nmain.go:5:2: unreachable code",
            "main.go:5:2: unreachable code <go vet>",
        ),
        (
            "bash -n a.sh\na.sh: line 3: syntax error near unexpected token `fi'",
            "a.sh:3: syntax error near unexpected token `fi' <sh>",
        ),
        (
            "a.h:7:1: fatal error: x.h: No such file or directory",
            "a.h:7:1: x.h: No such file or directory <gcc>",
        ),
        (
            "clang -c a.c\na.c:7:1: warning: x [-Wx]",
            "a.c:7:1: x <clang -Wx> (warning)",
        ),
        (
            "cargo clippy -- -D warnings\nsrc/a.rs:1:2: error: x",
            "src/a.rs:1:2: x <clippy>",
        ),
        (
            "a.go:1:1: x should be y (wsl_v5)",
            "a.go:1:1: x should be y <golangci-lint wsl_v5>",
        ),
    ] {
        assert_eq!(of(line).trim_end(), finding.replace("< ", "<"), "{line}");
    }
}

#[test]
fn errors_come_first_and_each_once() {
    let text = "a.c:1:1: warning: w\na.c:2:1: error: e\r\na.c:2:1: error: e\na.c:3:1: error: f\n";
    let findings = check_findings(text.as_bytes());
    assert_eq!(findings.count(), "3 findings");
    assert_eq!(findings.first_error().unwrap().line, Some(2));
    assert_eq!(check_findings(b"a.c:1:1: warning: w\n").first_error(), None);
}

#[test]
fn names_of_files_alone_are_findings_only_without_others() {
    assert_eq!(of("main.go\n"), "main.go: is not formatted <gofmt>\n");
    assert!(!of("main.go\na.go:1:2: broken\n").contains("formatted"));
    assert_eq!(of("see main.go\nmain.go: it\n"), "");
}

#[test]
fn many_are_counted_and_few_are_kept() {
    let text: String = (1..=1000)
        .map(|line| format!("a.go:{line}:1: broken\n"))
        .collect();
    let findings = check_findings(text.as_bytes());
    assert_eq!((findings.list.len(), findings.more), (MOST, 900));
    let long = format!("a.go:1:1: {}\n", "x".repeat(1 << 20));
    assert!(check_findings(long.as_bytes()).list[0].message.len() <= 1024);
    let file = format!("{}.go:1:1: x\n", "d/".repeat(NAME_CAP));
    assert!(check_findings(file.as_bytes()).is_empty());
}

#[test]
fn hostile_text_is_text() {
    let findings = check_findings(b"a\x1b[31m.go:1:2: x\x1b]0;title\x07y\x00 ::error::z\n");
    let finding = &findings.list[0];
    assert_eq!(finding.to_string(), "a.go:1:2: xy ::error::z");
    assert_eq!(of("a.go:99999999999:1: x\n"), "");
}

proptest! {
    #[test]
    fn no_output_breaks_the_reader(
        lines in proptest::collection::vec(
            "(In |diff a.orig | *--> |@@ -|Diff in |  1:2 error |error: |ERROR: Commit )?[a-z./:0-9 `^\\[\\]()-]{0,30}\\PC{0,5}",
            0..30,
        ),
    ) {
        let findings = check_findings(lines.join("\n").as_bytes());
        prop_assert!(findings.list.len() <= MOST);
        for finding in &findings.list {
            prop_assert!(!finding.message.is_empty() && finding.message.len() <= 1024);
            prop_assert!(!finding.to_string().contains(char::is_control));
        }
    }
}
