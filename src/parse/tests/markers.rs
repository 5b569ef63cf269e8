//! No mark is missing: a line that a recogniser understands reaches it.
//!
//! Lines without a mark are passed over unread, and a recogniser is asked only about lines with a
//! mark of its own. So the cases must be the same where every recogniser is asked about every line.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Ending;
use crate::parse::{CaseContext, Finding, Parser};

/// Adds the text files below a directory.
fn texts(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => texts(&path, found),
            Some("out" | "log" | "txt") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn every_line_of_a_transcript_that_matters_has_a_mark() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
    let mut paths = Vec::new();
    texts(&directory, &mut paths);
    assert!(paths.len() >= 23, "{paths:?}");
    let context = CaseContext::default;
    let differ = |path: &&PathBuf| {
        let text = fs::read(path).unwrap();
        let asked = cases(Parser::asking_all(context()), &text);
        cases(Parser::new(context()), &text) != asked
    };
    let missing: Vec<_> = paths.iter().filter(differ).collect();
    assert!(missing.is_empty(), "cases depend on marks: {missing:#?}");
}

/// Returns `name|status` of each case. A package may be named in the last line that was passed
/// over, which `skipped` hands out, so packages may differ.
fn cases(mut parser: Parser, text: &[u8]) -> Vec<String> {
    let mut cases = Vec::new();
    let mut take = |finding: Finding| {
        if let Finding::Finished(end) = finding {
            cases.push(format!("{}|{}", end.key.name, end.status.word()));
        }
    };
    parser.feed(text, &mut take);
    parser.finish(Some(Ending::ExitCode(1)), &mut take);
    cases
}
