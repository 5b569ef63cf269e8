//! Makes every character of a text visible.

use std::borrow::Cow;

/// Spells out characters that reorder or hide the text beside them.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(crate::report::text::is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if crate::report::text::is_deceptive(character) {
            spelled.push_str(&format!("[U+{:04X}]", u32::from(character)));
        } else {
            spelled.push(character);
        }
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_spelled_out() {
        assert_eq!(visible("a\u{202e}b\u{200b}"), "a[U+202E]b[U+200B]");
        assert_eq!(visible("שלום <b>"), "שלום <b>");
    }
}
