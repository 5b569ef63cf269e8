//! Turns the bytes of a line into text that can be shown: valid UTF-8, no escape sequences, no
//! control characters but the tab.

use std::borrow::Cow;

/// The most bytes of a message.
const LONGEST: usize = 1024;

/// Returns the text of a line. Invalid UTF-8 becomes U+FFFD.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(bytes);
    // There is no early exit, so that the compiler can check many bytes at once.
    let dirty = text.bytes().fold(false, |dirty, byte| {
        dirty | ((byte < 0x20) & (byte != b'\t')) | (byte == 0x7f)
    });
    if !dirty {
        return text;
    }
    let stripped = anstream::adapter::strip_str(&text).to_string();
    Cow::Owned(
        stripped
            .chars()
            .filter(|c| *c == '\t' || !c.is_control())
            .collect(),
    )
}

/// Makes a message of one line: blanks run together, at most 1 KiB, cut at a character's end.
/// Returns `None` if nothing is left.
pub(super) fn message(text: &str) -> Option<String> {
    let mut message = String::new();
    for word in text.split_whitespace() {
        if message.len() + word.len() + 1 > LONGEST {
            push_cut(&mut message, word);
            break;
        }
        if !message.is_empty() {
            message.push(' ');
        }
        message.extend(word.chars().filter(|c| !c.is_control()));
    }
    (!message.is_empty()).then_some(message)
}

/// Appends the part of the word that still fits, and an ellipsis.
fn push_cut(message: &mut String, word: &str) {
    let room = (LONGEST - 4).saturating_sub(message.len());
    if message.len() > LONGEST - 4 {
        message.truncate(message.floor_char_boundary(LONGEST - 4));
    } else if room > 1 {
        if !message.is_empty() {
            message.push(' ');
        }
        let kept = &word[..word.floor_char_boundary(room - 1)];
        message.extend(kept.chars().filter(|c| !c.is_control()));
    }
    message.push('…');
}
