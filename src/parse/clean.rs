//! Makes messages of what a test said.

/// The most bytes of a message.
const LONGEST: usize = 1024;

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
