//! Tests `kata-ci report compare`: what differs between two runs, for people and programs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::workspace::makefiles;
use crate::support::{Finished, KataCi, run_in};

const OLD: &str = r#"<testsuites><testsuite name="agent">
<testcase classname="m" name="stays" time="0.5"/><testcase classname="m" name="breaks" time="1"/>
<testcase classname="m" name="bad"><failure message="always"/></testcase>
<testcase classname="m" name="mended"><failure message="then"/></testcase>
<testcase classname="m" name="removed"/><testcase classname="m" name="silenced"/>
<testcase classname="m" name="slow" time="2"/></testsuite>
<testsuite name="removed_test.go"><testcase name="one"/><testcase name="two"/></testsuite></testsuites>"#;

const NEW: &str = r#"<testsuites><testsuite name="agent">
<testcase classname="m" name="stays" time="0.6"/>
<testcase classname="m" name="breaks" time="1" file="a_test.go" line="7"><failure message="expected 3&#10;got 4"/></testcase>
<testcase classname="m" name="bad"><failure message="always"/></testcase>
<testcase classname="m" name="mended"/><testcase classname="m" name="silenced"><skipped/></testcase>
<testcase classname="m" name="slow" time="9"/><testcase classname="m" name="added &lt;b&gt;@all"/>
</testsuite></testsuites>"#;

fn compare(place: &Path, arguments: &[&str]) -> Finished {
    KataCi::bare()
        .args(["report", "compare", "-C"])
        .args([place])
        .args(arguments)
        .finish()
}

fn place(files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(place.path().join(name), text).expect("written");
    }
    place
}

#[test]
fn every_class_is_told_and_what_fails_can_be_chosen() {
    let place = place(&[("old.xml", OLD), ("new.xml", NEW)]);
    let told = compare(place.path(), &["old.xml", "new.xml"]);
    assert_eq!(told.code, 1, "{}", told.stderr);
    insta::assert_snapshot!(told.stdout);
    let code = |arguments: &[&str]| {
        compare(place.path(), &[&["old.xml", "new.xml"], arguments].concat()).code
    };
    assert_eq!(code(&["--fail-on", "none"]), 0);
    assert_eq!(code(&["--fail-on", "flaky"]), 0);
    for class in ["vanished", "silenced", "known", "slower", "flaky,new"] {
        assert_eq!(code(&["--fail-on", class]), 1, "{class}");
    }
    assert_eq!(code(&["--fail-on", "nonsense"]), 2);
    // The same twice.
    assert_eq!(compare(place.path(), &["new.xml", "new.xml"]).code, 0);
}

#[test]
fn programs_get_all_and_a_page_gets_no_markup_of_tests() {
    let place = place(&[("old.xml", OLD), ("new.xml", NEW), ("before.xml", NEW)]);
    let told = compare(place.path(), &["old.xml", "new.xml", "--format", "json"]);
    let json: Value = serde_json::from_str(&told.stdout).expect("JSON");
    assert_eq!(json["version"], 1);
    assert_eq!(json["old"]["cases"], 9);
    let names = |class: &str| {
        let all = json[class].as_array().into_iter().flatten();
        all.map(|case| case["name"].as_str().expect("a name"))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("new_failures"), ["breaks"]);
    assert_eq!(json["new_failures"][0]["line"], 7);
    assert_eq!(names("vanished"), ["removed", "one", "two"]);
    assert_eq!(json["slower"][0]["now"], 9.0);
    let out = place.path().join("out.md");
    let arguments = ["old.xml", "new.xml", "--format", "markdown", "-o", "out.md"];
    assert_eq!(compare(place.path(), &arguments).code, 1);
    let page = fs::read_to_string(out).expect("out.md");
    assert!(
        page.contains(
            "**newly failing (1)**\n\n- agent m breaks (a&#95;test.go:7): expected 3 got 4"
        ),
        "{page}"
    );
    assert!(!page.contains("<b>") && !page.contains("@all"), "{page}");
    // What took as long before is not slower.
    let arguments = [
        "old.xml",
        "new.xml",
        "--earlier",
        "before.xml",
        "--fail-on",
        "slower",
    ];
    assert_eq!(compare(place.path(), &arguments).code, 0);
}

#[test]
fn what_cannot_be_read_is_no_difference() {
    let place = place(&[("old.xml", OLD), ("bad.xml", "no XML"), ("new.xml", NEW)]);
    let told = compare(place.path(), &["old.xml", "bad.xml"]);
    assert_eq!((told.code, &*told.stdout), (75, ""), "{}", told.stderr);
    fs::create_dir(place.path().join("all")).expect("a directory");
    fs::write(place.path().join("all/a.xml"), NEW).expect("written");
    fs::write(place.path().join("all/b.xml"), "no XML").expect("written");
    let told = compare(place.path(), &["new.xml", "all"]);
    assert_eq!(told.code, 75, "{}", told.stderr);
    assert!(told.stderr.contains("b.xml"), "{}", told.stderr);
    let told = compare(place.path(), &["old.xml", "none.xml"]);
    assert_eq!(told.code, 2, "{}", told.stderr);
}

#[test]
fn runs_are_compared_and_a_removed_test_file_shows_up() {
    let workspace = makefiles(&[(
        "agent",
        "check:\n    @echo checked\ntest:\n    @echo '--- PASS: TestOne (0.00s)'; echo '--- PASS: TestTwo (0.00s)'; echo PASS; echo 'ok  \tagent\t0.1s'\n",
    )]);
    let old = run_in(workspace.path()).finish();
    assert_eq!(old.code, 0, "{}", old.stderr);
    let makefile = workspace.path().join("agent/Makefile");
    let text = fs::read_to_string(&makefile).expect("a Makefile");
    let without = text.replace("echo '--- PASS: TestTwo (0.00s)';", "");
    fs::write(&makefile, without).expect("written");
    let new = run_in(workspace.path()).finish();
    let told = KataCi::bare()
        .args(["report", "compare", "--fail-on", "vanished"])
        .args([&old.reports, &new.reports])
        .finish();
    assert_eq!(told.code, 1, "{}", told.stderr);
    assert!(
        told.stdout
            .contains("not there any more (1)\n  agent.test agent TestTwo\n"),
        "{}",
        told.stdout
    );
}
