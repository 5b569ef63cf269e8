//! No marker is missing: a line that a recogniser understands reaches it.
//!
//! Lines without a marker are passed over unread. An escape sequence is a marker, and is cleaned
//! away before a line is read. So with one in every line nothing is passed over, and the cases must
//! be the same.

use std::fs;
use std::path::{Path, PathBuf};

use super::parse;
use crate::parse::CaseContext;

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
fn every_line_of_a_transcript_that_matters_has_a_marker() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts");
    let mut paths = Vec::new();
    texts(&directory, &mut paths);
    assert!(paths.len() >= 23, "{paths:?}");
    let differ = |path: &&PathBuf| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let marked: String = text
            .split_inclusive('\n')
            .map(|line| format!("\x1b[0m{line}"))
            .collect();
        cases(&text) != cases(&marked)
    };
    let missing: Vec<_> = paths.iter().filter(differ).collect();
    assert!(missing.is_empty(), "cases depend on markers: {missing:#?}");
}

/// Returns `name|status` of each case. A package may be named in the last line that was passed
/// over, which `skipped` hands out, so packages may differ.
fn cases(text: &str) -> Vec<String> {
    let parsed = parse(&CaseContext::default(), text, 1);
    parsed
        .ends()
        .map(|end| format!("{}|{}", end.key.name, end.status.word()))
        .collect()
}
