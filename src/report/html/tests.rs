//! The content of the page, as another HTML parser sees it.

use super::*;
use crate::report::model::{Case, CaseState, Details, Suite, Text};
use crate::report::tests::sample;
use crate::report::{from_run, read};
use crate::text;

fn page(document: &Document) -> String {
    let mut bytes = Vec::new();
    write_html(document, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Returns the data block of a page.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page
        .split_once(r#"<script type="application/json" id="data">"#)
        .unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

const NASTY: [&str; 6] = [
    "<script>alert(1)</script>",
    "]]><!--",
    "</script><img src=x onerror=alert(1)>",
    "\"'&amp;`${x}",
    "a\u{202e}b\u{2066}c",
    "--!></noscript></style></title>",
];

fn nasty() -> Document {
    let cases = NASTY.iter().map(|name| format!(
        "<testcase classname=\"{0}\" name=\"{0}\" file=\"{0}\" line=\"1\"><failure message=\"{0}\" type=\"{0}\">{0}</failure><system-out>{0}</system-out></testcase>",
        quick_xml::escape::escape(*name)
    ));
    let xml = format!(
        "<testsuite name=\"{}\">{}</testsuite>",
        quick_xml::escape::escape(NASTY[0]),
        cases.collect::<String>()
    );
    let mut document = read::read_junit(xml.as_bytes(), &Default::default()).unwrap();
    document.title = NASTY[2].to_owned();
    document.facts.push(("run", NASTY[2].to_owned()));
    document
}

#[test]
fn no_text_of_a_test_is_markup() {
    let page = page(&nasty());
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the data and the page's own"
    );
    for tag in ["<img", "</noscript></style", "<!--", "]]>"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(!page.contains(text::is_deceptive));
    let data = data(&page);
    assert_eq!(data["cases"].as_array().unwrap().len(), NASTY.len());
    assert_eq!(data["cases"][0][2], NASTY[0]);
    assert_eq!(data["cases"][4][2], "a[U+202E]b[U+2066]c");
}

#[test]
fn the_policy_names_the_digests_of_what_is_in_the_page() {
    use base64::Engine;
    use sha2::Digest;
    let page = page(&Document::default());
    for (from, to) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let inside = page.split_once(from).unwrap().1.split_once(to).unwrap().0;
        let digest = sha2::Sha256::digest(inside.as_bytes());
        let digest = base64::engine::general_purpose::STANDARD.encode(digest);
        assert!(page.contains(&format!("'sha256-{digest}'")), "{from}");
    }
    // Attributes would need `unsafe-inline`, and other places a network.
    for word in [" style=\"", "unsafe", "http://", "https://", " onclick"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn a_run_without_scripts() {
    let document = from_run(&sample::everything().run(), &sample::nowhere());
    let page = page(&document);
    let plain = page
        .split_once("<noscript>")
        .unwrap()
        .1
        .split_once("</noscript>")
        .unwrap()
        .0;
    for suite in &document.suites {
        for case in &suite.cases {
            let told = plain.contains(&*case.name) || case.state == CaseState::Passed;
            assert!(told, "{} {}", case.name, suite.name);
        }
    }
    for text in [
        "no such device",
        "network_test.go:148",
        "kata-ci run -p kata-v1 agent -s test",
    ] {
        assert!(plain.contains(text), "{text}");
    }
    assert!(
        page.contains("2 failed, 1 timed out, 2 vacuous"),
        "the totals"
    );
}

#[test]
fn long_text_keeps_its_ends() {
    let long = format!("first{}last", "x".repeat(1 << 20));
    let mut document = Document::default();
    let details = Details {
        out: Text::here(long),
        ..Details::default()
    };
    document.suites.push(Suite {
        cases: vec![Case {
            class: "c".into(),
            name: "n".into(),
            state: CaseState::Failed,
            seconds: None,
            details: Some(Box::new(details)),
        }],
        ..Suite::default()
    });
    let page = page(&document);
    assert!(page.len() < 200_000, "{}", page.len());
    let text = data(&page)["details"][0]["texts"][0][1]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.starts_with("first") && text.ends_with("last") && text.contains("bytes left out"));
}

#[test]
fn what_jobs_left_behind_is_a_section_and_without_any_there_is_none() {
    let shown = |run| page(&from_run(&run, &sample::nowhere()));
    let everything = shown(sample::everything().run());
    for text in [
        "<h2 id=\"left\">Left behind</h2>",
        "coverage.txt (created), go.sum (changed), pkg/name with a newline (created)",
        "/run/vc/vm/template (tmpfs)",
        "tcp 127.0.0.1:8080",
    ] {
        assert!(everything.contains(text), "{text}");
    }
    assert!(!shown(sample::success().run()).contains("id=\"left\""));
}
