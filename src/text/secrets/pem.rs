//! Finds PEM blocks: whole ones, cut ones, and those that a log has in a line each.

use std::ops::Range;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// The most lines of a block.
const LINES: usize = 400;

/// The number of lines without a part of the block after which the block counts as cut off.
const OTHERS: usize = 3;

/// The least length of a line of base64 that counts without a `BEGIN` above it.
const LONE: usize = 60;

/// Adds the spans of all blocks.
pub(super) fn find(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut open: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let begins = line.rfind(BEGIN);
        let ends = line.rfind(END);
        match (begins, ends) {
            (Some(begin), Some(end)) if begin < end => one_line(line, start, spans),
            (Some(begin), _) => {
                spans.push(body(line, begin + BEGIN.len(), line.len(), start));
                open = Some((0, 0));
            }
            (None, Some(end)) => {
                spans
                    .push(body(line, 0, end, start).start.max(word(line, end, start))..start + end);
                open = None;
            }
            (None, None) => open = inner(line, start, open, spans),
        }
    }
    spans.retain(|span| !span.is_empty());
}

/// Takes a line that may belong to the block that is open.
fn inner(
    line: &str,
    start: usize,
    open: Option<(usize, usize)>,
    spans: &mut Vec<Range<usize>>,
) -> Option<(usize, usize)> {
    let end = line.trim_end().len();
    let from = word(line, end, 0);
    let piece = &line[from..end];
    let is_lone = from == 0 && piece.len() >= LONE && is_mixed(piece);
    let is_inside = open.is_some() && !piece.is_empty() && is_base64(piece);
    if is_lone || is_inside {
        spans.push(start + from..start + end);
    }
    match open {
        Some((lines, _)) if is_inside && lines < LINES => Some((lines + 1, 0)),
        Some((lines, others)) if others < OTHERS && lines < LINES => Some((lines + 1, others + 1)),
        _ => None,
    }
}

/// Adds the blocks of a line that holds whole ones, such as a JSON string.
fn one_line(line: &str, start: usize, spans: &mut Vec<Range<usize>>) {
    let mut from = 0;
    while let Some(begin) = line[from..].find(BEGIN).map(|at| from + at) {
        let Some(end) = line[begin..].find(END).map(|at| begin + at) else {
            spans.push(body(line, begin + BEGIN.len(), line.len(), start));
            return;
        };
        spans.push(body(line, begin + BEGIN.len(), end, start));
        from = end + END.len();
    }
}

/// Returns the span between the label of a `BEGIN` and `end`.
fn body(line: &str, from: usize, end: usize, start: usize) -> Range<usize> {
    let label = line[from..end]
        .find("-----")
        .map_or(from, |at| from + at + 5);
    let end = label + line[label..end].trim_end_matches(['\n', '\r']).len();
    start + label..start + end
}

/// Returns the beginning of the last word before `end`.
fn word(line: &str, end: usize, start: usize) -> usize {
    let blank = |letter: char| letter.is_whitespace() || "\"'|".contains(letter);
    let letters = line[..end].char_indices().rev();
    let mut blanks = letters.filter(|(_, letter)| blank(*letter));
    start
        + blanks
            .next()
            .map_or(0, |(at, letter)| at + letter.len_utf8())
}

fn is_base64(word: &str) -> bool {
    let word = word.trim_end_matches(['\\', 'n', 'r', '"', ',', '=']);
    word.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

/// Returns true for base64 that is no hexadecimal number.
fn is_mixed(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    is_base64(word)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}
