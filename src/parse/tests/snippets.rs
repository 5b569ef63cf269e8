//! Output of go, cargo and writers of TAP in every supported form, with the cases found in it.
//!
//! The files in `fixtures/transcripts/snippets` were made by go 1.26, rust 1.95, perl 5.36 (prove
//! -v --merge), bats 1.8 (-F tap, -F tap13 -T) and node 20 (--test --test-reporter tap) from small
//! packages; only the name of their directory was changed. The snapshots were compared with the
//! files by hand.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Parsed, parse};
use crate::parse::CaseContext;

pub(super) fn shown(parsed: &Parsed) -> String {
    let mut shown = String::new();
    for end in parsed.ends() {
        let cached = if end.cached { " cached" } else { "" };
        let _ = write!(
            shown,
            "{:10} {} {}{cached}",
            end.status.word(),
            end.key.package,
            end.key.name
        );
        if let Some(seconds) = end.seconds {
            let _ = write!(shown, " {seconds}s");
        }
        if let (Some(file), Some(line)) = (&end.file, end.line) {
            let _ = write!(shown, " {file}:{line}");
        }
        let _ = writeln!(
            shown,
            "{}",
            end.message
                .as_deref()
                .map(|text| format!(" | {text}"))
                .unwrap_or_default()
        );
    }
    for (cause, fix) in &parsed.observations.vacuous_causes {
        let _ = writeln!(
            shown,
            "vacuous: {cause} -> {}",
            fix.as_deref().unwrap_or("-")
        );
    }
    shown
}

fn snippet(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/transcripts/snippets")
        .join(format!("{name}.out"));
    fs::read_to_string(file).unwrap()
}

#[test]
fn snippets_of_go_and_cargo() {
    let context = CaseContext {
        go_root: Some("example.com/demo".into()),
        ..CaseContext::default()
    };
    let names = [
        "go-verbose",
        "go-plain",
        "go-json",
        "go-cached-json",
        "go-many-verbose",
        "go-many-plain",
        "go-many-json",
        "go-race",
        "go-race-json",
        "go-parallel-panic",
        "go-twice",
        "go-cover",
        "cargo-captured",
        "cargo-nocapture",
        "cargo-crash",
        "cargo-quiet",
        "cargo-filtered",
        "tap-prove",
        "tap-prove-bail-out",
        "tap-prove-quiet",
        "tap-bats",
        "tap-bats-13",
        "tap-node",
    ];
    for name in names {
        insta::assert_snapshot!(name, shown(&parse(&context, &snippet(name), 1)));
    }
}

#[test]
fn a_test_s_output_is_its_own_part_of_the_log() {
    let text = snippet("go-verbose");
    let parsed = parse(&CaseContext::default(), &text, 1);
    let span = parsed.end("TestSkip").output[0];
    let part = &text[span.start as usize..span.end as usize];
    assert_eq!(
        part,
        "=== RUN   TestSkip\n    a_test.go:5: not today\n--- SKIP: TestSkip (0.00s)\n"
    );
}
