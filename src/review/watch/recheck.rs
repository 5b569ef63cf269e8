//! Finds the word `recheck` in what people write.
//!
//! Invariants: only a whole line counts, below the `Patch Set N:` that Gerrit puts first. A quoted
//! line, an indented one and one in a code block are what somebody shows, not what somebody wants.

/// A request to run the current patch set again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recheck {
    /// The component to run; `None` for all.
    pub component: Option<String>,
}

/// Returns the request in a message of a change, which begins with `Patch Set N:`.
pub fn in_message(text: &str) -> Option<Recheck> {
    let (first, rest) = text.split_once('\n')?;
    let number = first.strip_prefix("Patch Set ")?.split_once(':')?.0;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| in_comment(rest))?
}

/// Returns the request in a comment on the patch set as a whole, where the web page puts a reply.
pub fn in_comment(text: &str) -> Option<Recheck> {
    let mut in_block = false;
    text.lines().find_map(|line| {
        let is_fence = line.starts_with("```");
        in_block ^= is_fence;
        (!in_block && !is_fence).then(|| in_line(line))?
    })
}

/// Returns true if a message says that comments came with it, which may hold a request.
pub fn has_comments(text: &str) -> bool {
    let is_count = |line: &str| {
        let inner = line.trim_end().strip_prefix('(');
        let count = inner.and_then(|line| {
            line.strip_suffix(" comment)")
                .or(line.strip_suffix(" comments)"))
        });
        count.is_some_and(|count| {
            !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    text.lines().any(is_count)
}

fn in_line(line: &str) -> Option<Recheck> {
    if line.starts_with([' ', '\t']) {
        return None;
    }
    let mut words = line.split_whitespace();
    words
        .next()
        .filter(|word| word.eq_ignore_ascii_case("recheck"))?;
    let component = words.next();
    let is_request = words.next().is_none() && component.is_none_or(is_name);
    is_request.then(|| Recheck {
        component: component.map(str::to_owned),
    })
}

/// Returns true if a word can be the name of a component. One that begins with `-` would be an
/// option.
fn is_name(word: &str) -> bool {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._-/".contains(character);
    word.len() <= 100 && !word.starts_with('-') && word.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn component(text: &str) -> Option<Option<String>> {
        in_message(text).map(|recheck| recheck.component)
    }

    #[test]
    fn a_whole_line_is_a_request() {
        for text in [
            "Patch Set 3:\n\nrecheck",
            "Patch Set 3:\n\nrecheck\n",
            "Patch Set 3:\r\n\r\nrecheck  \r\n",
            "Patch Set 12: Code-Review+1\n\n(2 comments)\n\nThe network was down.\nRecheck\nthanks",
        ] {
            assert_eq!(component(text), Some(None), "{text:?}");
        }
        let one = component("Patch Set 3:\n\nrecheck src/agent");
        assert_eq!(one, Some(Some("src/agent".to_owned())));
    }

    #[test]
    fn what_is_shown_or_part_of_a_sentence_is_none() {
        for text in [
            "recheck",
            "\n\nrecheck",
            "Patch Set 3:",
            "Patch Set 3: recheck",
            "Patch Set x:\n\nrecheck",
            "Uploaded patch set 3.\n\nrecheck",
            "Abandoned\n\nrecheck",
            "Patch Set 3:\n\n> recheck",
            "Patch Set 3:\n\n>recheck",
            "Patch Set 3:\n\n  recheck",
            "Patch Set 3:\n\n* recheck",
            "Patch Set 3:\n\n```\nrecheck\n```",
            "Patch Set 3:\n\n```recheck",
            "Patch Set 3:\n\nplease recheck",
            "Patch Set 3:\n\nrecheck once more please",
            "Patch Set 3:\n\nrechecked",
            "Patch Set 3:\n\nrecheck --vote",
            "Patch Set 3:\n\nrecheck a;b",
        ] {
            assert_eq!(component(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_line_behind_a_code_block_counts_again() {
        assert!(in_comment("```\nrecheck x\n```\nrecheck").is_some());
        assert!(has_comments("Patch Set 1:\n\n(1 comment)"));
        assert!(has_comments("Patch Set 1:\n\n(12 comments)\n\nhi"));
        assert!(!has_comments("Patch Set 1:\n\n(no comment)"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_an_option_is_never_a_component(text in "(recheck|>| |-|\n|`|[a-z]|\\PC){0,40}") {
            if let Some(Recheck { component: Some(name) }) = in_comment(&text) {
                prop_assert!(!name.starts_with('-'));
            }
        }
    }
}
