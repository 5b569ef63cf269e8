//! Finds errors of the system that isolation can cause, in the output of a test.
//!
//! Pure and total. A find is no proof: the same errors have many other causes.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// EPERM, EROFS, ENODEV and ENETUNREACH (errno(3)), as libc, Go and Rust write them, and by name.
const PATTERNS: &str = r"(?i-u)\b(?:operation not permitted|read-only file system|no such device|network is unreachable|EPERM|EROFS|ENODEV|ENETUNREACH)\b";

static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERNS).ok());

/// Returns the first such error in an output.
pub fn isolation_symptom(output: &[u8]) -> Option<String> {
    let found = WORDS.as_ref()?.find(output)?;
    Some(String::from_utf8_lossy(found.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_system_are_found_as_programs_write_them() {
        for (output, expected) in [
            (
                "mknod /dev/x: operation not permitted",
                "operation not permitted",
            ),
            (
                "Os { code: 1, kind: PermissionDenied, message: \"Operation not permitted\" }",
                "Operation not permitted",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: EPERM",
                "EPERM",
            ),
            (
                "open /sys/x: read-only file system",
                "read-only file system",
            ),
            ("ioctl: No such device", "No such device"),
            ("connect: network is unreachable", "network is unreachable"),
        ] {
            assert_eq!(
                isolation_symptom(output.as_bytes()).as_deref(),
                Some(expected)
            );
        }
        for output in ["permission denied", "no such devices", "HYPERMEDIA", ""] {
            assert_eq!(isolation_symptom(output.as_bytes()), None, "{output}");
        }
    }
}
