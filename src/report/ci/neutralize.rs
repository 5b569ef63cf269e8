//! Makes untrusted text harmless in a log that a CI system reads: none of it may be executed as a
//! command.
//!
//! A job is somebody's code. Its output and the names of its tests come into a log whose lines
//! GitHub's runner takes for commands: `::add-mask::`, `::set-output …::`, `::stop-commands::` at
//! the beginning of a line, blanks before it allowed, and the older `##[add-mask]` anywhere in it
//! (actions/runner, `ActionCommand.cs`; both standard output and standard error are read).
//!
//! GitLab's sections (`section_start:…\r\e[0K`) need control characters, which
//! [`crate::text`] removes from all untrusted text. Annotated steps of Buildbot read lines
//! that begin with `@@@`.
//!
//! The protection is always on: a line must not become dangerous because a system was not detected.

use std::borrow::Cow;

/// Returns the line with a space inside everything that a CI system would execute.
pub fn harmless(line: &str) -> Cow<'_, str> {
    let line = match line.contains("##[") {
        true => Cow::Owned(line.replace("##[", "## [")),
        false => Cow::Borrowed(line),
    };
    let begin = line.len() - line.trim_start().len();
    let text = &line[begin..];
    // Without the second pair it is no command, but perhaps an address: `::1`.
    let is_command = text
        .strip_prefix("::")
        .is_some_and(|rest| rest.contains("::"));
    if is_command || text.starts_with("@@@") {
        let (blank, text) = line.split_at(begin);
        let (first, rest) = text.split_at(1);
        return Cow::Owned(format!("{blank}{first} {rest}"));
    }
    line
}

/// Makes JSON harmless without changing its meaning. `##[` can only stand in a text, where `\u0023`
/// is another way to write `#`. Lines of JSON begin with its own punctuation.
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    match json.contains("##[") {
        true => Cow::Owned(json.replace("##[", "#\\u0023[")),
        false => Cow::Borrowed(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns true for a line that `ActionCommand.cs` takes for a command of any name.
    fn is_command(line: &str) -> bool {
        let newer = regex::Regex::new(r"^\s*::[^:]*(:[^:]+)*::").unwrap();
        newer.is_match(line) || line.contains("##[") || line.trim_start().starts_with("@@@")
    }

    #[test]
    fn commands_get_a_space_and_other_text_stays() {
        for (line, expected) in [
            ("::error::no", ": :error::no"),
            ("    ::add-mask::x", "    : :add-mask::x"),
            (
                "\u{a0}\u{3000}::set-output name=a::b",
                "\u{a0}\u{3000}: :set-output name=a::b",
            ),
            ("a ##[add-mask]b ##[group]c", "a ## [add-mask]b ## [group]c"),
            ("###[[x]", "### [[x]"),
            ("@@@STEP_FAILURE@@@", "@ @@STEP_FAILURE@@@"),
            ("::1 is an address", "::1 is an address"),
            ("module::tests::name", "module::tests::name"),
            ("", ""),
        ] {
            assert_eq!(harmless(line), expected);
        }
    }

    #[test]
    fn json_says_the_same_without_a_command_in_it() {
        let json = serde_json::to_string("##[a] ###[b] \\##[c]").unwrap();
        let guarded = harmless_json(&json);
        assert!(!guarded.contains("##["), "{guarded}");
        let read: String = serde_json::from_str(&guarded).unwrap();
        assert_eq!(read, "##[a] ###[b] \\##[c]");
    }

    proptest! {
        #[test]
        fn no_line_is_a_command(line in "[ \t#\\[\\]:@a]{0,12}") {
            let guarded = harmless(&line);
            prop_assert!(!is_command(&guarded), "{line:?} -> {guarded:?}");
            let squeezed = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeezed(&guarded), squeezed(&line));
            prop_assert_eq!(harmless(&guarded), guarded.clone());
        }
    }
}
