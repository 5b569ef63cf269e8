//! Finds variables that a failed job asks for and did not get.
//!
//! Pure and total. A name that is also a plain word counts only where the output treats it as a
//! variable: after `$`, or before words such as `is not set`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// Names that programs print with other meanings, besides those without an upper-case letter.
const PLAIN_WORDS: &[&str] = &[
    "ARCH", "COLOR", "COLUMNS", "DEBUG", "DISPLAY", "EDITOR", "ERROR", "HOST", "HOSTNAME", "INFO",
    "LANGUAGE", "LINES", "LOGNAME", "MAIL", "MODE", "NAME", "OUTPUT", "PAGER", "SHELL", "TARGET",
    "TEST", "TEMP", "TMP", "TMPDIR", "USERNAME", "VERBOSE", "VERSION", "VISUAL",
];

/// The shortest name that counts without a sign that it is a variable.
const SHORTEST: usize = 4;

/// A name, with the signs that it is a variable.
const PATTERN: &str = r#"(?-u)(?<dollar>\$[{(]?)?\b(?<name>[A-Za-z_][A-Za-z0-9_]*)\b(?<unset>["'`}]?:? (?:is |must be |be |was )?(?:unbound|not set|unset|undefined|not defined|set\b|required|missing|not found|not present|parameter null))?"#;

static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERN).ok());

/// Returns those of the names that an output speaks of as variables, in their order.
pub fn variables_named(output: &[u8], names: &[String]) -> Vec<String> {
    let Some(pattern) = NAMES.as_ref() else {
        return Vec::new();
    };
    let known: BTreeSet<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
    let mut found = BTreeSet::new();
    for captures in pattern.captures_iter(output) {
        let Some(name) = captures.name("name").map(|name| name.as_bytes()) else {
            continue;
        };
        let is_variable = ["dollar", "unset"]
            .iter()
            .any(|sign| captures.name(sign).is_some());
        if known.contains(name) && (is_variable || is_telling(name)) {
            found.insert(name);
        }
    }
    (names.iter())
        .filter(|name| found.contains(name.as_bytes()))
        .cloned()
        .collect()
}

/// Returns true for a name that is hardly anything but a variable.
fn is_telling(name: &[u8]) -> bool {
    let is_upper = name.iter().all(|byte| !byte.is_ascii_lowercase());
    is_upper && name.len() >= SHORTEST && !PLAIN_WORDS.iter().any(|word| word.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(output: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        variables_named(output.as_bytes(), &names)
    }

    #[test]
    fn a_variable_that_the_output_speaks_of_is_found() {
        for output in [
            "Makefile:3: *** LIBC must be gnu or musl.  Stop.",
            "sh: line 1: LIBC: unbound variable",
            "environment variable `LIBC` not defined at compile time",
            "please export $LIBC first",
            "LIBC: parameter null or not set",
            "LIBC=musl is needed",
        ] {
            assert_eq!(named(output, &["HOST", "LIBC"]), ["LIBC"], "{output}");
        }
        assert_eq!(named("branch: unbound variable", &["branch"]), ["branch"]);
        assert_eq!(named("${DEBUG} is empty", &["DEBUG"]), ["DEBUG"]);
    }

    #[test]
    fn a_plain_word_or_another_name_is_none() {
        for output in [
            "MYLIBC LIBC2 libc",
            "VERSION 1.2 DEBUG: branch main HOST",
            "CC ok",
        ] {
            let names = ["LIBC", "VERSION", "DEBUG", "branch", "HOST", "CC"];
            assert!(named(output, &names).is_empty(), "{output}");
        }
        assert!(named("LIBC", &[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_output_is_too_strange(output in prop::collection::vec(any::<u8>(), 0..200)) {
            let names = ["A".to_owned(), "LIBC".to_owned()];
            prop_assert!(variables_named(&output, &names).len() <= names.len());
        }
    }
}
