//! Tests `kata-ci report merge`: all readable files become one, and the others are named.

use std::fs;
use std::path::Path;

use crate::support::{Finished, KataCi};

fn merge(directory: &Path, paths: &[&str]) -> Finished {
    KataCi::bare()
        .args(["report", "merge", "-o", "out.xml", "-C"])
        .args([directory])
        .args(paths)
        .finish()
}

/// Returns the names of all cases of `out.xml`, in order.
fn names(directory: &Path) -> Vec<String> {
    let xml = fs::read_to_string(directory.join("out.xml")).expect("out.xml");
    let document = roxmltree::Document::parse(&xml).expect("well-formed");
    let cases = document.descendants();
    cases
        .filter(|node| node.has_tag_name("testcase"))
        .map(|node| node.attribute("name").unwrap_or_default().to_owned())
        .collect()
}

fn good(name: &str) -> String {
    format!(r#"<testsuite name="{name}"><testcase name="{name}-case"/></testsuite>"#)
}

#[test]
fn bad_files_are_named_and_the_others_are_merged() {
    let place = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).expect("written");
    write("good.xml", &good("one"));
    write(
        "cut.xml",
        "<testsuites><testsuite name=\"s\"><testcase name=\"lost\"/>",
    );
    write("text.xml", "no XML at all");
    write(
        "bomb.xml",
        "<!DOCTYPE l [<!ENTITY a \"b\">]><testsuite name=\"&a;\"/>",
    );
    write("deep.xml", &"<testsuite>".repeat(100_000));
    write(
        "long.xml",
        &format!("<testsuite name=\"{}\"/>", "x".repeat(3 << 20)),
    );
    write("other.xml", "<project/>");
    write("also.xml", &good("two"));
    let files = [
        "good.xml",
        "cut.xml",
        "text.xml",
        "bomb.xml",
        "deep.xml",
        "long.xml",
        "other.xml",
        "gone.xml",
        "also.xml",
    ];
    let finished = merge(place.path(), &files);
    assert_eq!(finished.code, 75, "{}", finished.stderr);
    for (file, what) in [
        ("cut.xml", "is truncated"),
        ("text.xml", "is neither JUnit nor a kata-ci journal"),
        ("bomb.xml", "declares a document type"),
        ("deep.xml", "nests elements deeper"),
        ("long.xml", "has a tag longer than"),
        ("other.xml", "its root is <project>"),
        ("gone.xml", "No such file"),
    ] {
        let said = finished
            .stderr
            .lines()
            .any(|line| line.starts_with("error: ") && line.contains(file) && line.contains(what));
        assert!(said, "{file}: {}", finished.stderr);
    }
    assert_eq!(names(place.path()), ["one-case", "two-case"]);
}

#[test]
fn a_directory_is_searched_and_the_order_makes_no_difference() {
    let place = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(place.path().join("shards/deep")).expect("made");
    fs::write(place.path().join("shards/deep/TEST-b.xml"), good("b")).expect("written");
    fs::write(place.path().join("shards/TEST-a.xml"), good("a")).expect("written");
    fs::write(place.path().join("c.xml"), good("c")).expect("written");
    let read = || fs::read(place.path().join("out.xml")).expect("out.xml");
    assert_eq!(merge(place.path(), &["shards", "c.xml"]).code, 0);
    let first = read();
    assert_eq!(names(place.path()), ["a-case", "b-case", "c-case"]);
    assert_eq!(merge(place.path(), &["c.xml", "shards"]).code, 0);
    assert_eq!(read(), first);
}

#[test]
fn with_nothing_to_read_nothing_is_written() {
    let place = tempfile::tempdir().expect("a directory");
    fs::write(place.path().join("out.xml"), "mine").expect("written");
    let finished = merge(place.path(), &["gone.xml"]);
    assert_eq!(finished.code, 75);
    assert!(finished.stderr.contains("nothing left to report on"));
    let kept = fs::read_to_string(place.path().join("out.xml")).expect("still there");
    assert_eq!(kept, "mine");
}

#[test]
fn a_run_merges_from_its_journal_and_from_its_junit_alike() {
    let workspace = tempfile::tempdir().expect("a directory");
    fs::write(
        workspace.path().join("Makefile"),
        "check:\n\t@echo fine\ntest:\n\tfalse\n",
    )
    .expect("written");
    let run = crate::support::run_in(workspace.path()).finish();
    assert_eq!(run.code, 1, "{}", run.printed());
    let from = |path: &Path| {
        let merged = KataCi::bare()
            .args(["report", "merge"])
            .args([path])
            .finish();
        assert_eq!(merged.code, 0, "{}", merged.stderr);
        merged.stdout
    };
    let journal = from(&run.reports);
    assert!(journal.contains("<testsuite"), "{journal}");
    assert_eq!(from(&run.reports.join("events.jsonl")), journal);
    assert_eq!(from(&run.reports.join("junit.xml")), journal);
    let both = [run.reports.clone(), run.reports.join("junit.xml")];
    let both = KataCi::bare().args(["report", "merge"]).args(both).finish();
    assert_eq!((both.stdout, both.stderr.as_str()), (journal, ""));
}

#[test]
fn where_there_is_no_place_for_long_texts_that_is_what_is_said() {
    let place = tempfile::tempdir().expect("a directory");
    let long = format!(
        "<testsuite><system-out>{}</system-out></testsuite>",
        "x".repeat(2000)
    );
    fs::write(place.path().join("long.xml"), long).expect("written");
    fs::write(place.path().join("one.xml"), good("one")).expect("written");
    let merge = KataCi::bare()
        .env("TMPDIR", "/nonexistent")
        .args(["report", "merge", "-o", "out.xml", "-C"]);
    let finished = merge
        .args([place.path()])
        .args(["long.xml", "one.xml"])
        .finish()
        .expect_code(75);
    let said = "long.xml has long texts, which /nonexistent does not take: No such file";
    assert!(finished.stderr.contains(said), "{}", finished.stderr);
    assert_eq!(names(place.path()), ["one-case"]);
}

#[test]
fn standard_input_and_pipes_are_read_and_a_pipe_is_written_to() {
    let place = tempfile::tempdir().expect("a directory");
    fs::write(place.path().join("one.xml"), good("one")).expect("written");
    fs::write(place.path().join("two.xml"), good("two")).expect("written");
    // A pipe that is opened a second time has lost its data.
    let script = r#"cd "$0" && mkfifo in out && (cat two.xml >in & cat out >out.xml & "$@" report merge - in -o out <one.xml && wait) && [ -p out ]"#;
    let words = ["sh", "-c", script, place.path().to_str().expect("text")];
    let call = KataCi::bare().through(&words, Path::new(env!("CARGO_BIN_EXE_kata-ci")));
    call.finish().expect_code(0);
    assert_eq!(names(place.path()), ["one-case", "two-case"]);
}
