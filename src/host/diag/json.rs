//! Shows a JSON file for people, or its first error with line, column and a caret.
//!
//! The text is laid out anew and otherwise stays: keys in their order, duplicates, every digit of a
//! number.

use std::fmt;

use serde::de::IgnoredAny;

use crate::text::secrets::{blank, mask};
use crate::text::{is_deceptive, undeceptive, width};

/// The columns shown before and after an error.
const AROUND: usize = 60;

/// An error in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The error.
    pub what: String,
    /// The line as it is shown, without secrets.
    shown: String,
    /// The blanks before the caret.
    indent: usize,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gap = " ".repeat(number.len());
        let caret = " ".repeat(self.indent);
        write!(
            formatter,
            "{}\n{gap} |\n{number} | {}\n{gap} | {caret}^",
            self.what, self.shown
        )
    }
}

/// Returns the text laid out with two blanks a level, without its secrets.
///
/// # Errors
/// The first error of the text.
pub(crate) fn pretty(bytes: &[u8]) -> Result<String, Mistake> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let rest = String::from_utf8_lossy(&bytes[error.valid_up_to()..]);
        mistake(
            &format!("{good}{rest}"),
            good.len(),
            "these bytes are no UTF-8".to_owned(),
        )
    })?;
    if text.starts_with('\u{feff}') {
        let what = "the file begins with a byte order mark, which JSON does not have";
        return Err(mistake(text, 0, what.to_owned()));
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(harmless(&mask(&laid_out(text)).text)),
        Err(error) => {
            let at = place(text, error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            Err(mistake(text, at, what.to_owned()))
        }
    }
}

/// Escapes characters that a terminal would obey, or that hide their neighbours. They can only
/// stand in strings, where the escape means the same.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter != '\n' && (letter.is_control() || is_deceptive(letter)) {
            true => harmless.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => harmless.push(letter),
        }
    }
    harmless
}

/// Returns the byte that serde_json means: it counts bytes, and points behind the character.
fn place(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let at = text.floor_char_boundary((start + column.saturating_sub(1)).min(text.len()));
    at.max(start)
}

fn mistake(text: &str, at: usize, what: String) -> Mistake {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    // Secrets keep their length, so the caret keeps its place. Names of secrets may stand further
    // up.
    let safe = blank(&text[..end]);
    let column = text[start..at].chars().count();
    let at = safe.floor_char_boundary(at);
    let (before, after) = (&safe[start..at], safe[at..].trim_end_matches('\r'));
    let first = before
        .char_indices()
        .rev()
        .nth(AROUND)
        .map_or(0, |(at, _)| at);
    let mut head = visible(&before[first..]);
    if first > 0 {
        head.insert(0, '…');
    }
    let mut tail = visible(&after.chars().take(AROUND).collect::<String>());
    if after.chars().count() > AROUND {
        tail.push('…');
    }
    Mistake {
        line: text[..start].matches('\n').count() + 1,
        column: column + 1,
        what,
        indent: width(&head),
        shown: head + &tail,
    }
}

/// Returns a piece of a line for a terminal, each control character as a blank.
fn visible(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    undeceptive(&plain)
}

/// Lays out a text that is valid.
fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0usize;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        match first {
            '"' => {
                taken = string(rest);
                out.push_str(&rest[..taken]);
            }
            '{' | '[' => {
                let inner = rest[1..].trim_start();
                out.push(first);
                match inner
                    .chars()
                    .next()
                    .filter(|next| matches!(next, '}' | ']'))
                {
                    Some(close) => {
                        out.push(close);
                        taken = rest.len() - inner.len() + 1;
                    }
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(first);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(first),
        }
        rest = rest[taken..].trim_start();
    }
    out.push('\n');
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Returns the length of a string with its quotes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn a_text_is_laid_out_and_nothing_else() {
        let text =
            r#" {"b":[1,2.50,{}, [] ],"a":{"x":"a\"b:,","b":12345678901234567890123},"b":null}"#;
        let expected = "{\n  \"b\": [\n    1,\n    2.50,\n    {},\n    []\n  ],\n  \"a\": {\n    \"x\": \"a\\\"b:,\",\n    \"b\": 12345678901234567890123\n  },\n  \"b\": null\n}\n";
        assert_eq!(pretty(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let shown = pretty("[\"a\u{9b}31m\u{7f}\u{202e}é\"]".as_bytes()).unwrap();
        assert_eq!(shown, "[\n  \"a\\u009b31m\\u007f\\u202eé\"\n]\n");
    }

    #[test]
    fn an_error_has_its_place_and_no_secret() {
        for (text, line, column, caret) in [
            ("{\n  \"a\": 1,\n}\n", 3, 1, "3 | }\n  | ^"),
            ("{\"a\" 1}", 1, 6, "1 | {\"a\" 1}\n  |      ^"),
            ("[1,\n \"é\" x]", 2, 6, "2 |  \"é\" x]\n  |      ^"),
            ("{\"token\": \"abc123x\" x}", 1, 21, "*******"),
            ("[1] 2", 1, 5, "1 | [1] 2\n  |     ^"),
            ("", 1, 1, "1 | \n  | ^"),
        ] {
            let mistake = pretty(text.as_bytes()).unwrap_err();
            assert_eq!(
                (mistake.line, mistake.column),
                (line, column),
                "{text} {mistake}"
            );
            let shown = mistake.to_string();
            assert!(
                shown.contains(caret) && !shown.contains("abc123x"),
                "{text}\n{shown}"
            );
        }
        let long = format!("[{}x]", "1,".repeat(5000));
        let shown = pretty(long.as_bytes()).unwrap_err().to_string();
        assert!(shown.len() < 500 && shown.contains("…"), "{shown}");
        assert!(pretty(b"[\"a\xff\"]").unwrap_err().what.contains("UTF-8"));
        assert!(
            pretty("\u{feff}{}".as_bytes())
                .unwrap_err()
                .what
                .contains("byte order")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_shown_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = pretty(&bytes).map_err(|mistake| mistake.to_string());
        }

        #[test]
        fn what_is_laid_out_means_the_same(text in "[\\[\\]{},:\"a1 ]{0,12}|(\\[(\"[a-c,:\\]]*\"|[0-9]{1,3}|\\{\\})(, ?(null|true|\"x\"))*\\])") {
            if let (Ok(before), Ok(shown)) = (serde_json::from_str::<Value>(&text), pretty(text.as_bytes())) {
                prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), before);
            }
        }
    }
}
