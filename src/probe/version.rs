//! Reads versions from the output of programs.

/// Finds the first version in the output of a program: `go version go1.26.8 linux/amd64`, `cargo
/// 1.95.0 (f2d3ce0bd 2026-03-21)`, `git version 2.39.5`, `jq-1.6`.
///
/// Returns `None` for `go version devel +a3c1`, which has no number.
pub fn version_in(text: &str) -> Option<Vec<u32>> {
    text.split_whitespace().find_map(number)
}

/// Reads a word as a version: letters (`go`, `v`, `jq-`), then numbers separated by dots, then
/// anything (`rc1`, `-abc`).
fn number(word: &str) -> Option<Vec<u32>> {
    let digits =
        word.trim_start_matches(|letter: char| letter.is_ascii_alphabetic() || letter == '-');
    let end = digits
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(digits.len());
    let version = digits[..end].trim_end_matches('.');
    if !version.contains('.') {
        return None;
    }
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Returns true if `version` is `least` or newer. Missing numbers count as 0.
pub fn at_least(version: &[u32], least: &[u32]) -> bool {
    let length = version.len().max(least.len());
    let part = |numbers: &[u32], index| numbers.get(index).copied().unwrap_or(0);
    (0..length)
        .map(|index| part(version, index).cmp(&part(least, index)))
        .find(|order| order.is_ne())
        .is_none_or(|order| order.is_gt())
}

/// Formats a version: `1.26.8`.
pub fn dotted(version: &[u32]) -> String {
    version
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let cases = [
            ("go version go1.26.8 linux/amd64", Some(vec![1, 26, 8])),
            ("go version go1.19 linux/amd64", Some(vec![1, 19])),
            ("go version go1.22rc1 linux/amd64", Some(vec![1, 22])),
            ("go version devel go1.21-a7b1cd Thu", Some(vec![1, 21])),
            ("go version devel +2d6ee6e89a Sun Feb 11", None),
            ("cargo 1.95.0 (f2d3ce0bd 2026-03-21)", Some(vec![1, 95, 0])),
            ("git version 2.39.GIT", Some(vec![2, 39])),
            ("jq-1.6", Some(vec![1, 6])),
            ("v1.2..3", None),
            ("99999999999.1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(version_in(text), expected, "{text}");
        }
    }

    #[test]
    fn a_shorter_version_counts_as_ending_in_zeros() {
        assert!(at_least(&[1, 19], &[1, 19, 0]));
        assert!(at_least(&[1, 19, 1], &[1, 19]));
        assert!(at_least(&[2], &[1, 99]));
        assert!(!at_least(&[1, 9], &[1, 19]));
        assert!(!at_least(&[1, 19], &[1, 19, 1]));
    }
}
