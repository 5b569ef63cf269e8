//! Tests files of real writers (fixtures/junit/make-corpus): merge → junit → html keeps every case
//! and state, as counted by another parser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use roxmltree::Node;
use serde_json::Value;

use crate::support::KataCi;

/// The number of cases of each name and state.
type Cases = BTreeMap<(String, &'static str), usize>;

/// The writers, each with a dialect of its own.
const WRITERS: [&str; 14] = [
    "bats",
    "ctest",
    "go-junit-report",
    "googletest",
    "gotestsum",
    "jest-junit",
    "mocha-junit-reporter",
    "nextest",
    "node",
    "phpunit",
    "pytest",
    "surefire",
    "tap-formatter-junit",
    "vitest",
];

fn corpus() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/junit/corpus");
    let entries = fs::read_dir(directory).expect("the corpus");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Returns the state by the child elements, in the order in which consumers check them.
fn state(case: Node<'_, '_>) -> &'static str {
    let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
    let status = [case.attribute("status"), case.attribute("result")];
    let not_run = ["notrun", "disabled", "suppressed"];
    if has("failure") {
        "failed"
    } else if has("error") {
        "error"
    } else if has("skipped") || status.iter().flatten().any(|word| not_run.contains(word)) {
        "skipped"
    } else if has("flakyFailure") || has("flakyError") {
        "flaky"
    } else {
        "passed"
    }
}

/// Normalises a name: control characters and blanks at its ends may be lost.
fn name(text: &str) -> String {
    let plain = |one: &char| !one.is_control() && *one != '\u{fffd}';
    let name: String = text.chars().filter(plain).collect();
    name.trim().replace(' ', "")
}

/// Removes characters that XML does not allow, which some writers use (bats, node), for the strict
/// parser.
fn strict(xml: &str) -> String {
    let references = regex::Regex::new("&#(x?[0-9a-fA-F]+);").expect("a pattern");
    let allowed = |one: char| !one.is_control() || matches!(one, '\n' | '\r' | '\t');
    let kept = references.replace_all(xml, |found: &regex::Captures<'_>| {
        let number = match found[1].strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => found[1].parse(),
        };
        let character = number.ok().and_then(char::from_u32);
        match character.filter(|one| allowed(*one)) {
            Some(_) => found[0].to_owned(),
            None => String::new(),
        }
    });
    let kept: String = kept.chars().filter(|one| allowed(*one)).collect();
    match kept.contains("<![CDATA[") {
        true => kept,
        false => kept.replace("]]>", "]]&gt;"),
    }
}

fn of_xml(xml: &str) -> Cases {
    let xml = strict(xml);
    let document = roxmltree::Document::parse(&xml).expect("well-formed");
    let mut cases = Cases::new();
    for case in document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
    {
        let key = (
            name(case.attribute("name").unwrap_or_default()),
            state(case),
        );
        *cases.entry(key).or_default() += 1;
    }
    // A broken suite has an element for itself, which becomes a case.
    for suite in document
        .descendants()
        .filter(|node| node.has_tag_name("testsuite"))
    {
        for problem in suite.children().filter(|node| {
            ["failure", "error", "skipped"]
                .iter()
                .any(|name| node.has_tag_name(*name))
        }) {
            let state = match problem.tag_name().name() {
                "failure" => "failed",
                "error" => "error",
                _ => "skipped",
            };
            let key = (name(suite.attribute("name").unwrap_or_default()), state);
            *cases.entry(key).or_default() += 1;
        }
    }
    cases
}

fn of_html(page: &str) -> Cases {
    let (_, rest) = page
        .split_once("<script type=\"application/json\" id=\"data\">")
        .expect("the data");
    let (json, _) = rest.split_once("</script>").expect("its end");
    let data: Value = serde_json::from_str(json).expect("JSON");
    let mut cases = Cases::new();
    for case in data["cases"].as_array().expect("cases") {
        let states = ["failed", "error", "flaky", "skipped", "passed"];
        let state = states[case[3].as_u64().expect("a state") as usize];
        let key = (name(case[2].as_str().expect("a name")), state);
        *cases.entry(key).or_default() += 1;
    }
    cases
}

fn report(arguments: &[&str], path: &Path) -> String {
    let finished = KataCi::bare()
        .args(["report"])
        .args(arguments)
        .args([path])
        .finish();
    assert_eq!(finished.code, 0, "{}: {}", path.display(), finished.stderr);
    finished.stdout
}

/// Returns the cases in a style. For GitLab, cases of the same name get numbers, which are not
/// compared.
fn in_style(style: &str, cases: &Cases) -> Cases {
    if style != "gitlab" {
        return cases.clone();
    }
    let number = regex::Regex::new("#[0-9]+$").expect("a pattern");
    let mut plain = Cases::new();
    for ((name, state), count) in cases {
        let name = number.replace(name, "").into_owned();
        *plain.entry((name, state)).or_default() += count;
    }
    plain
}

/// Expects unique pairs of class and name, because GitLab only shows the first of equal cases.
fn assert_unique(xml: &str) {
    let document = roxmltree::Document::parse(xml).expect("well-formed");
    let mut seen = BTreeSet::new();
    let all = document.descendants();
    for case in all.filter(|node| node.has_tag_name("testcase")) {
        let key = (case.attribute("classname"), case.attribute("name"));
        assert!(seen.insert(key), "twice: {key:?}");
    }
}

#[test]
fn every_case_and_state_survives_merge_junit_and_html() {
    let place = tempfile::tempdir().expect("a directory");
    let files = corpus();
    for writer in WRITERS {
        let of = |file: &PathBuf| file.to_string_lossy().contains(&format!("/{writer}"));
        assert!(files.iter().any(of), "nothing of {writer}");
    }
    let mut all = Cases::new();
    for file in &files {
        let expected = of_xml(&fs::read_to_string(file).expect("read"));
        assert!(!expected.is_empty(), "{}", file.display());
        for (case, count) in &expected {
            *all.entry(case.clone()).or_default() += count;
        }
        let merged = place.path().join("merged.xml");
        fs::write(&merged, report(&["merge"], file)).expect("written");
        assert_eq!(
            of_xml(&fs::read_to_string(&merged).expect("read")),
            expected,
            "merge {}",
            file.display()
        );
        for style in ["jenkins", "github", "gitlab"] {
            let junit = place.path().join("junit.xml");
            fs::write(&junit, report(&["junit", "--style", style], &merged)).expect("written");
            let read = fs::read_to_string(&junit).expect("read");
            let page = report(&["html"], &junit);
            let expected = in_style(style, &expected);
            let of_junit = in_style(style, &of_xml(&read));
            assert_eq!(of_junit, expected, "junit {style} {}", file.display());
            let of_page = in_style(style, &of_html(&page));
            assert_eq!(of_page, expected, "html {style} {}", file.display());
            if style == "gitlab" {
                assert_unique(&read);
            }
        }
    }
    let directory = files[0].parent().expect("a directory");
    assert_eq!(of_xml(&report(&["merge"], directory)), all);
    for state in ["failed", "error", "flaky", "skipped", "passed"] {
        assert!(all.keys().any(|(_, known)| *known == state), "{state}");
    }
}
