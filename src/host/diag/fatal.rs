//! Holds logs against the rule of kata's own tests: `fatal error`, `fatal signal` or `segfault at`
//! in a log is a failure, whatever the tests say.

use std::sync::LazyLock;

use regex::Regex;

/// The most lines that are shown.
pub(super) const SHOWN: usize = 20;

static FATAL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("fatal error|fatal signal|segfault at").ok());

/// Words of a line that tells of a problem, as `kata-collect-data.sh` looks for them.
static PROBLEM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:bugs?|could not|cannot|died|errors?|fail(?:ed|ure)?|fatal|goroutine \d+|invalid|panic|segv|segfault|unable|unexpected|warning|denied|timed out)\b",
    )
    .ok()
});

/// Returns the lines that the rule holds against a log.
pub(super) fn lines(text: &str) -> Vec<&str> {
    matching(&FATAL, text)
}

/// Returns the last lines that tell of a problem.
pub(super) fn problems(text: &str, most: usize) -> Vec<&str> {
    let mut lines = matching(&PROBLEM, text);
    lines.drain(..lines.len().saturating_sub(most));
    lines
}

fn matching<'a>(form: &LazyLock<Option<Regex>>, text: &'a str) -> Vec<&'a str> {
    let is_match = |line: &&str| form.as_ref().is_some_and(|form| form.is_match(line));
    text.lines().filter(is_match).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_katas_own() {
        let text = "fatal error: all goroutines are asleep\nqemu[1]: segfault at 0 ip 1\n\
                    fatal signal 11\nFatal: no\nnon-fatal\nsegfaulted";
        assert_eq!(lines(text).len(), 3);
        assert_eq!(
            problems("one error\nfine\nanother failure\nerroneous", 1),
            ["another failure"]
        );
    }
}
