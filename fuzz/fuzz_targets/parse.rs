//! Any bytes, cut in any way, lead to the same findings, and each start to exactly one end.
//!
//! `cargo +nightly fuzz run parse` from the repository; `fixtures/transcripts` makes a good corpus.

#![no_main]

use std::collections::HashMap;

use kata_ci::model::{CaseStatus, Ending};
use kata_ci::parse::{CaseContext, Finding, Observations, Parser};
use libfuzzer_sys::fuzz_target;

fn parse(bytes: &[u8], size: usize) -> (Vec<Finding>, Observations) {
    let mut findings = Vec::new();
    let mut parser = Parser::new(CaseContext::default());
    for piece in bytes.chunks(size) {
        parser.feed(piece, &mut |finding| findings.push(finding));
    }
    let ending = Some(Ending::ExitCode(2));
    let observations = parser.finish(ending, &mut |finding| findings.push(finding));
    (findings, observations)
}

fn assert_balanced(findings: &[Finding]) {
    let mut open = HashMap::new();
    for finding in findings {
        match finding {
            Finding::Started(key, _) => assert_eq!(open.insert(key, true), None),
            Finding::Finished(end) => {
                let before = open.insert(&end.key, false);
                assert_eq!(before, (end.status != CaseStatus::NotRun).then_some(true));
            }
        }
    }
    assert!(open.values().all(|open| !open));
}

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let whole = parse(bytes, bytes.len().max(1));
    assert_balanced(&whole.0);
    assert_eq!(parse(bytes, usize::from(*size).max(1)), whole);
});
