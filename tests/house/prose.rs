//! Checks the doc comments: their width, and the word that they open with.

use crate::order::{DOC_COLUMNS, OPENINGS};
use crate::source::SourceFile;

/// Finds doc comments that are too wide, or that open with a word that must be read twice. `root`
/// is the directory of the files, as findings name it.
pub fn doc_comments(root: &str, files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .flat_map(|file| {
            let path = format!("{root}/{}", file.path);
            doc_lines(&file.text)
                .into_iter()
                .flat_map(move |line| findings(&line, &path))
        })
        .collect()
}

/// A line of a doc comment.
struct DocLine<'a> {
    /// The number, from 1.
    number: usize,
    /// The columns of the whole line.
    columns: usize,
    /// The text behind the marker.
    text: &'a str,
    /// True for the first line of the comment.
    is_first: bool,
}

fn doc_lines(text: &str) -> Vec<DocLine<'_>> {
    let mut before = None;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let marked = ["///", "//!"]
            .into_iter()
            .find_map(|marker| Some((marker, line.trim_start().strip_prefix(marker)?)));
        if let Some((marker, text)) = marked {
            lines.push(DocLine {
                number: index + 1,
                columns: line.chars().count(),
                text: text.trim_start(),
                is_first: before != Some(marker),
            });
        }
        before = marked.map(|(marker, _)| marker);
    }
    lines
}

fn findings(line: &DocLine<'_>, path: &str) -> Vec<String> {
    let place = format!("{path}:{}", line.number);
    let mut findings = Vec::new();
    if line.columns > DOC_COLUMNS {
        findings.push(format!(
            "{place}: {} columns, at most {DOC_COLUMNS}",
            line.columns
        ));
    }
    let first = line
        .text
        .split(|letter: char| !letter.is_alphanumeric())
        .next();
    if let Some(word) = first.filter(|word| line.is_first && OPENINGS.contains(word)) {
        findings.push(format!(
            "{place}: opens with `{word}`; begin with a verb in the third person, or with a noun"
        ));
    }
    findings
}
