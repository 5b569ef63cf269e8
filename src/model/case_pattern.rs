//! The pattern of `--case`: a glob over the whole name of a case, or `PACKAGE::NAME`.

use std::fmt;

use regex::Regex;

/// A pattern for names of cases. `*` stands for any text, `?` for a character, `[ab]` for one of
/// several.
#[derive(Debug, Clone)]
pub struct CasePattern {
    text: String,
    whole: Regex,
}

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern for names of cases")]
pub struct InvalidCasePattern(String);

impl PartialEq for CasePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for CasePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl CasePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Fails for an empty or a very long text.
    pub fn new(text: &str) -> Result<Self, InvalidCasePattern> {
        let invalid = || InvalidCasePattern(text.to_owned());
        let is_usable = !text.trim().is_empty() && !text.contains(['\0', '\n']);
        let whole = Regex::new(&format!("(?s)^{}$", regex_of(text)));
        match whole {
            Ok(whole) if is_usable => Ok(Self {
                text: text.to_owned(),
                whole,
            }),
            _ => Err(invalid()),
        }
    }

    /// Returns the text of a pattern that matches this case and no other.
    pub fn of_case(package: &str, name: &str) -> String {
        let name = escaped(without_number(name));
        match package {
            "" => name,
            package => format!("{}::{name}", escaped(package)),
        }
    }

    /// Returns true if the case has such a name. The number of a repetition does not count.
    pub fn matches(&self, package: &str, name: &str) -> bool {
        let bare = without_number(name);
        [name, bare].iter().any(|name| {
            self.whole.is_match(name) || self.whole.is_match(&format!("{package}::{name}"))
        })
    }

    /// Returns the names that the pattern can mean if it is none: the whole text, and what stands
    /// behind a package.
    pub fn exact_names(&self) -> Vec<String> {
        if self.text.contains(['*', '?', '[']) {
            return Vec::new();
        }
        let behind = self.text.split_once("::").map(|(_, name)| name.to_owned());
        [self.text.clone()].into_iter().chain(behind).collect()
    }

    /// Returns the pattern for `go test -run`, whose parts between slashes are matched on their
    /// own. It has no blanks, which go writes as `_` in names.
    pub fn go_run(&self) -> String {
        let name = self.text.rsplit("::").next().unwrap_or_default();
        let parts = name.split('/').map(|part| {
            let part = regex_of(part).replace(char::is_whitespace, "_");
            format!("^{part}$")
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Strips the number of a repetition: `TestA #2`.
pub fn without_number(name: &str) -> &str {
    match name.rsplit_once(" #") {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// Translates a glob into a regular expression.
fn regex_of(glob: &str) -> String {
    let mut regex = String::new();
    let mut rest = glob;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match rest
                .split_once(']')
                .filter(|(inside, _)| !inside.is_empty())
            {
                Some((inside, after)) => {
                    regex.push_str(&class(inside));
                    rest = after;
                }
                None => regex.push_str("\\["),
            },
            letter => regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    regex
}

/// Translates what stands between brackets. A range and a leading `!` keep their meaning.
fn class(inside: &str) -> String {
    let (not, inside) = match inside.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => ("^", rest),
        _ => ("", inside),
    };
    let mut class = format!("[{not}");
    for letter in inside.chars() {
        if matches!(letter, '\\' | '[' | ']' | '^' | '&' | '~') {
            class.push('\\');
        }
        class.push(letter);
    }
    class.push(']');
    class
}

/// Escapes the letters that mean something in a pattern.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '*' | '?' | '[' => escaped.extend(['[', letter, ']']),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, package: &str, name: &str) -> bool {
        CasePattern::new(pattern).unwrap().matches(package, name)
    }

    #[test]
    fn a_pattern_is_about_the_whole_name() {
        assert!(matches("TestUpdate*", "pkg", "TestUpdateRoute"));
        assert!(matches("TestUpdate*", "pkg", "TestUpdate/sub case"));
        assert!(matches("TestUpdate", "pkg", "TestUpdate #2"));
        assert!(!matches("Update*", "pkg", "TestUpdate"));
        assert!(matches("pkg::TestUpdate", "pkg", "TestUpdate"));
        assert!(matches("pkg/*::Test?", "pkg/a", "TestX"));
        assert!(!matches("other::TestUpdate", "pkg", "TestUpdate"));
        assert!(matches("tests::a", "logging", "tests::a"));
        assert!(matches("logging::tests::a", "logging", "tests::a"));
        assert!(matches("Test[AB]", "", "TestB") && !matches("Test[!AB]", "", "TestB"));
        assert!(matches("a.b(c)", "", "a.b(c)") && !matches("a.b", "", "axb"));
    }

    #[test]
    fn what_is_made_of_a_case_matches_it_and_no_other() {
        for name in ["TestA", "a [x] *?", "TestA/b c", "[", "]", "a::b"] {
            let pattern = CasePattern::of_case("p/q", name);
            assert!(matches(&pattern, "p/q", name), "{pattern}");
            assert!(!matches(&pattern, "p", name) && !matches(&pattern, "p/q", "TestAB"));
        }
        assert!(CasePattern::new("").is_err() && CasePattern::new(" ").is_err());
    }

    #[test]
    fn go_matches_the_parts_between_slashes() {
        let go = |text| CasePattern::new(text).unwrap().go_run();
        assert_eq!(go("TestUpdate*"), "^TestUpdate.*$");
        assert_eq!(go("pkg/a::TestA/b c"), "^TestA$/^b_c$");
    }
}
