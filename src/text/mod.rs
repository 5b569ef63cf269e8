//! Cleans text that strangers wrote: any bytes in, harmless text out. [`secrets`] masks secrets.
//!
//! Invariants: everything returned here but by [`printable`] is allowed in XML 1.0 (production
//! `Char`, less the C0 and C1 controls other than tab and newline). It holds no escape sequence.
//! One-line variants hold no newline and no tab. Characters that are not allowed become U+FFFD, so
//! that the reader sees that something was there.

pub mod secrets;

use std::borrow::Cow;

/// The replacement for a character that cannot be shown.
const REPLACEMENT: char = '\u{FFFD}';

/// The first byte of the controls U+0080 to U+009F in UTF-8; some terminals obey them.
const C1: u8 = 0xc2;

/// Turns bytes into clean text with `\n` line ends. See [`clean`].
pub fn clean_bytes(bytes: &[u8]) -> String {
    clean(&String::from_utf8_lossy(bytes))
}

/// Returns a line without its escape sequences and control characters but the tab, for those who
/// look for something in it. Nothing stands in place of what is gone. Invalid UTF-8 becomes U+FFFD.
pub fn printable(bytes: &[u8]) -> Cow<'_, str> {
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    // There is no early exit, so that the compiler can check many bytes at once.
    let dirty = text.bytes().fold(false, |dirty, byte| {
        dirty | ((byte < 0x20) & (byte != b'\t')) | (byte == 0x7f) | (byte == C1)
    });
    if !dirty {
        return text;
    }
    let mut stripped = String::with_capacity(text.len());
    anstream::adapter::strip_str(&text).for_each(|piece| stripped.push_str(piece));
    stripped.retain(|c| c == '\t' || !c.is_control());
    Cow::Owned(stripped)
}

/// Removes escape sequences, ends lines with `\n` alone, and replaces characters that must not be
/// in a report. An unterminated sequence eats the rest of its line, not of the text.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            cleaned.push('\n');
        }
        let line = line.trim_end_matches('\r');
        for (index, part) in line.split('\r').enumerate() {
            if index > 0 {
                cleaned.push('\n');
            }
            clean_line(part, &mut cleaned);
        }
    }
    cleaned
}

fn clean_line(line: &str, cleaned: &mut String) {
    if line.chars().all(allowed) {
        cleaned.push_str(line);
        return;
    }
    // BEL ends an operating system command, so it stays until the sequences are gone.
    let visible: String = line
        .chars()
        .map(|character| match character {
            '\u{1b}' | '\u{7}' => character,
            _ if allowed(character) => character,
            _ => REPLACEMENT,
        })
        .collect();
    for piece in anstream::adapter::strip_str(&visible) {
        cleaned.extend(piece.chars().map(|character| match allowed(character) {
            true => character,
            false => REPLACEMENT,
        }));
    }
}

/// Returns true if a character may stand inside a line of a report.
fn allowed(character: char) -> bool {
    character == '\t' || !(character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}'))
}

/// Returns clean text in one line of at most `cap` bytes, with `…` included if it was cut.
pub fn one_line(text: &str, cap: usize) -> String {
    // Text far behind the cap is not worth cleaning. Escape sequences before it may still shrink
    // the text.
    let head = &text[..text.floor_char_boundary(cap.saturating_mul(4).max(64))];
    let line: String = clean(head)
        .chars()
        .map(|character| if is_break(character) { ' ' } else { character })
        .collect();
    cap_bytes(line.trim(), cap, head.len() < text.len())
}

/// Works like [`one_line`], without a copy if the text is such a line already.
pub fn line(text: &str, cap: usize) -> Cow<'_, str> {
    let fits = text.len() <= cap && text.trim().len() == text.len();
    let fine = |character| allowed(character) && !is_break(character);
    if fits && text.chars().all(fine) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(one_line(text, cap))
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\t' | '\u{2028}' | '\u{2029}')
}

fn cap_bytes(line: &str, cap: usize, cut_before: bool) -> String {
    if line.len() <= cap && !cut_before {
        return line.to_owned();
    }
    let room = cap.saturating_sub('…'.len_utf8());
    format!("{}…", &line[..line.floor_char_boundary(room)])
}

/// Returns one clean line for a terminal. It also lacks the characters that reorder or hide their
/// neighbours (bidirectional controls, zero width space, word joiner, byte order mark), which a
/// file may keep.
pub fn for_terminal(text: &str, cap: usize) -> String {
    undeceptive(&one_line(text, cap))
}

/// Returns a line of clean text for a terminal, with the blanks at its beginning.
pub(crate) fn undeceptive(line: &str) -> String {
    line.chars()
        .map(|character| match is_deceptive(character) {
            true => REPLACEMENT,
            false => character,
        })
        .collect()
}

/// Returns true if a character reorders or hides its neighbours.
pub(crate) fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{61C}'
            | '\u{200B}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}

/// Returns the columns that the text takes on a terminal. Colours take none.
pub fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// Cuts the text to at most `columns` columns of a terminal. A cut text ends in `tail`.
pub fn truncate<'a>(text: &'a str, columns: usize, tail: &str) -> Cow<'a, str> {
    let tail = if width(tail) <= columns { tail } else { "" };
    console::truncate_str(text, columns, tail)
}

/// Pads the text with spaces to `columns` columns.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escape_sequences_go_and_an_unterminated_one_eats_its_line_only() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}[0m plain"), "red plain");
        assert_eq!(clean("a\u{1b}]0;title\u{7}b"), "ab");
        assert_eq!(clean("a\u{1b}]0;never ended\nnext"), "a\nnext");
        assert_eq!(clean("a\u{1b}P1;2 device control\nnext"), "a\nnext");
    }

    #[test]
    fn what_xml_forbids_is_replaced_and_the_rest_is_kept() {
        assert_eq!(clean("a\0b\u{8}c\u{7f}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(clean("\u{85}\u{9b}31m"), "\u{fffd}\u{fffd}31m");
        assert_eq!(clean("\u{fffe}\u{ffff}"), "\u{fffd}\u{fffd}");
        assert_eq!(clean("]]> <&> \t é 漢 🎉"), "]]> <&> \t é 漢 🎉");
        assert_eq!(clean_bytes(b"a\xffb\xc3"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_printable_line_has_no_control_but_the_tab() {
        assert_eq!(printable(b"a\tb \xc3\xa9\xff"), "a\tb \u{e9}\u{fffd}");
        for line in ["a\u{1b}[31mb\u{7}", "a\u{9b}31mb", "\u{85}\u{7f}\0\u{b0}"] {
            let line = printable(line.as_bytes());
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }

    #[test]
    fn line_ends_become_newlines() {
        assert_eq!(clean("a\r\nb\r\r\nc"), "a\nb\nc");
        assert_eq!(clean("10%\r20%\rdone\n"), "10%\n20%\ndone\n");
    }

    #[test]
    fn one_line_is_one_and_short() {
        assert_eq!(one_line(" a\n\tb\u{2028}c ", 100), "a  b c");
        assert_eq!(one_line("éééé", 8), "éééé");
        assert_eq!(one_line("ééééé", 8), "éé…");
        let long = "x".repeat(1 << 20);
        assert_eq!(one_line(&long, 1024).len(), 1024);
    }

    #[test]
    fn a_terminal_gets_no_reordering() {
        assert_eq!(
            for_terminal("a\u{202e}b\u{2066}c", 100),
            "a\u{fffd}b\u{fffd}c"
        );
        assert_eq!(clean("a\u{202e}b"), "a\u{202e}b");
    }

    #[test]
    fn widths_are_columns() {
        assert_eq!(width("漢字"), 4);
        assert_eq!(truncate("漢字漢字", 5, "…"), "漢字…");
        assert_eq!(truncate("abc", 0, "…"), "");
        assert_eq!(pad("漢", 4), "漢  ");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_harmless_text_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let cleaned = clean_bytes(&bytes);
            prop_assert!(std::str::from_utf8(cleaned.as_bytes()).is_ok());
            prop_assert!(cleaned.split('\n').all(|line| line.chars().all(allowed)));
            prop_assert_eq!(clean(&cleaned), cleaned);
        }

        #[test]
        fn one_line_keeps_its_cap(text in "\\PC*|[\\x00-\\x1f\\x7f-\u{9f}é漢\u{fffe}a\\]]*", cap in 0usize..40) {
            let line = one_line(&text, cap);
            prop_assert!(line.len() <= cap.max('…'.len_utf8()));
            prop_assert_eq!(&super::line(&text, cap), &line);
            prop_assert!(line.chars().all(|character| character != '\t' && allowed(character)));
        }
    }
}
