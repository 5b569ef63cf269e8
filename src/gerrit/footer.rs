//! Reads footers as the *server* does, which differs from `git interpret-trailers`.
//!
//! JGit takes the lines of the last paragraph that look like `Key: value`, whatever stands between
//! them. A line that begins with a space continues the one before. The first line is never a
//! footer; the one right below it may be.
//!
//! Only an empty line without any character separates paragraphs: a message with CRLF has but one.
//! Source: JGit 6.10, `FooterLine.fromMessage`; compared with the server in the tests.

/// A footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// The line of the message, from 1.
    pub line: usize,
    /// The text before the colon, as written.
    pub key: String,
    /// The text behind the colon, without surrounding space.
    pub value: String,
}

impl Footer {
    /// Returns true if it has this key. The server ignores case.
    pub fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

/// Returns the footers of a message, in order.
pub fn footers(message: &[u8]) -> Vec<Footer> {
    let end = message
        .iter()
        .rposition(|byte| !matches!(byte, b'\n' | b' '))
        .map_or(0, |at| at + 1);
    // The subject ends before its newline, so that newline alone does not make an empty line.
    let below = next_line(message, 0);
    let subject = below - usize::from(message[..below].ends_with(b"\n"));
    let mut start = end;
    while start > subject && !message[..start].ends_with(b"\n\n") {
        start -= 1;
    }
    let mut found = Vec::new();
    let mut at = start;
    while at < end {
        let Some(colon) = end_of_key(message, at) else {
            at = plain_next_line(message, at);
            continue;
        };
        let next = next_line(message, at);
        found.push(footer(message, at, colon, next));
        at = next;
    }
    found
}

fn footer(message: &[u8], start: usize, colon: usize, end: usize) -> Footer {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Footer {
        line: line_of(message, start),
        key: text(&message[start..colon]),
        value: text(&message[colon + 1..end]),
    }
}

/// Returns the end of the line, behind its newline.
fn plain_next_line(message: &[u8], from: usize) -> usize {
    message[from..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(message.len(), |at| from + at + 1)
}

/// Returns the end of the line with its continuations.
fn next_line(message: &[u8], from: usize) -> usize {
    let mut at = plain_next_line(message, from);
    while message.get(at) == Some(&b' ') {
        at = plain_next_line(message, at);
    }
    at
}

/// Finds the colon behind a key of letters, digits and `-`.
fn end_of_key(message: &[u8], from: usize) -> Option<usize> {
    let rest = &message[from..];
    let length = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'-')?;
    (rest[length] == b':').then_some(from + length)
}

/// Returns the number of the line that holds a byte, from 1.
fn line_of(message: &[u8], at: usize) -> usize {
    message[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Returns the lines that begin like a Change-Id anywhere in the message, with their numbers from
/// 1.
pub fn change_id_lines(message: &[u8]) -> Vec<(usize, String)> {
    String::from_utf8_lossy(message)
        .lines()
        .enumerate()
        .filter(|(_, line)| line.to_ascii_lowercase().starts_with("change-id:"))
        .map(|(index, line)| (index + 1, line["change-id:".len()..].trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(message: &str) -> Vec<(usize, String, String)> {
        footers(message.as_bytes())
            .into_iter()
            .map(|footer| (footer.line, footer.key, footer.value))
            .collect()
    }

    fn one(line: usize, key: &str, value: &str) -> (usize, String, String) {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn the_last_paragraph_whatever_stands_between() {
        let message = "a: b\n\nNote: x\n\nFixes: #1\nprose\n go\nChange-Id: I1\n on\nBy: me\n\n";
        let expected = [
            one(5, "Fixes", "#1"),
            one(8, "Change-Id", "I1\n on"),
            one(10, "By", "me"),
        ];
        assert_eq!(read(message), expected);
    }

    #[test]
    fn the_subject_is_no_footer() {
        assert_eq!(read("Change-Id: I1\n"), []);
        assert_eq!(read("Change-Id: I1"), []);
        assert_eq!(read("a\nChange-Id: I1\n"), [one(2, "Change-Id", "I1")]);
        assert_eq!(read("a\n \nChange-Id: I1\n"), [one(3, "Change-Id", "I1")]);
        assert_eq!(read("a\nb\nChange-Id: I1\n"), [one(3, "Change-Id", "I1")]);
        assert_eq!(read("a\n\nChange-Id: I1"), [one(3, "Change-Id", "I1")]);
        assert_eq!(read(""), []);
    }

    #[test]
    fn with_crlf_there_is_one_paragraph() {
        let message = "a: b\r\n\r\nKey: value\r\n\r\nChange-Id: I1\r\n";
        assert_eq!(
            read(message),
            [one(3, "Key", "value"), one(5, "Change-Id", "I1")]
        );
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(message in "([a-zA-Z:\n \r-]|Change-Id: I1\n){0,60}") {
            let lines = message.lines().count();
            for footer in footers(message.as_bytes()) {
                prop_assert!(footer.line > 1 && footer.line <= lines);
            }
        }
    }
}
