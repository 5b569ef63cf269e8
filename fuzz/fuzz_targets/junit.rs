//! A JUnit file of any bytes is an error or a document, and in whatever form the document is
//! written, it is read as the same one.
//!
//! `cargo +nightly fuzz run junit` from the repository; `fixtures/junit/corpus` makes a good
//! corpus.

#![no_main]

use std::path::Path;

use kata_ci::report::ci::SourceTree;
use kata_ci::report::model::{Document, CaseState, Spool};
use kata_ci::report::{
    Dialect, fit, harmless, read, write_annotations, write_document, write_html, write_markdown,
};
use libfuzzer_sys::fuzz_target;

/// Returns what has to survive: suites, and the class, name and state of their cases, in order.
fn essence(document: &Document) -> Vec<(String, Vec<(String, String, CaseState)>)> {
    let suites = document.suites.iter();
    suites
        .map(|suite| {
            let cases = suite.cases.iter();
            let essence =
                cases.map(|case| (case.class.to_string(), case.name.to_string(), case.state));
            (suite.name.to_string(), essence.collect())
        })
        .collect()
}

fn written(document: &Document, dialect: Dialect) -> Document {
    let mut xml = Vec::new();
    write_document(document, dialect, &mut xml).expect("memory");
    read::read_junit(xml.as_slice(), &Spool::default()).expect("what was written is read")
}

fuzz_target!(|input: &[u8]| {
    let Ok(document) = read::read_junit(input, &Spool::default()) else {
        return;
    };
    assert_eq!(
        essence(&written(&document, Dialect::Full)),
        essence(&document)
    );
    for dialect in [Dialect::Jenkins, Dialect::GitHub, Dialect::GitLab] {
        let (fitted, _) = fit(document.clone(), dialect).expect("memory");
        assert_eq!(fitted.counts(), document.counts());
        assert_eq!(essence(&written(&fitted, dialect)), essence(&fitted));
    }
    let mut markdown = Vec::new();
    write_markdown(&document, &mut markdown).expect("memory");
    assert!(markdown.len() < 1 << 20);
    write_html(&document, &mut Vec::new()).expect("memory");
    let mut commands = Vec::new();
    write_annotations(
        &document,
        &SourceTree::at(Path::new("/nonexistent")),
        &mut commands,
    )
    .expect("memory");
    for line in String::from_utf8(commands).expect("text").lines() {
        assert!(line.starts_with("::error ") && harmless(line) != line);
    }
});
