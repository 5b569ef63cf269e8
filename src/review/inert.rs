//! Foreign text for a message: harmless in whatever way the web page shows it.

use crate::text;

/// Returns a text as a piece of code: in one line, without markup, mentions and control
/// characters, of at most `cap` bytes.
pub(super) fn code(foreign: &str, cap: usize) -> String {
    let line = plain(foreign, cap);
    match line.is_empty() {
        true => "(empty)".to_owned(),
        false => format!("`{line}`"),
    }
}

/// Returns a text in one line for a block of code, without mentions and control characters.
pub(super) fn plain(foreign: &str, cap: usize) -> String {
    // A fullwidth at-sign mentions nobody, and an apostrophe ends no code.
    let line = text::for_terminal(foreign, cap).replace('`', "'");
    let line = line.replace('@', "\u{ff20}");
    text::one_line(&line, cap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_mentions_and_controls_are_gone() {
        for (foreign, expected) in [
            ("**bold** [x](http://h)", "`**bold** [x](http://h)`"),
            ("end` @admin <img>", "`end' \u{ff20}admin <img>`"),
            ("a\nb\r\n\u{1b}[31mc\u{202e}", "`a b c\u{fffd}`"),
            ("", "(empty)"),
        ] {
            assert_eq!(code(foreign, 100), expected);
        }
        assert!(code(&"x".repeat(1 << 20), 300).len() <= 302);
    }

    proptest! {
        #[test]
        fn nothing_ends_the_code(text in "(?s).{0,60}", cap in 8usize..50) {
            let shown = code(&text, cap);
            let inner = shown.trim_matches('`');
            let bad = inner.contains(['`', '@', '\n', '\u{1b}']);
            prop_assert!(!bad);
            prop_assert!(inner.len() <= cap.max(7));
        }
    }
}
