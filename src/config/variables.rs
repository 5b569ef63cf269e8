//! Interprets kata's own variables.
//!
//! Kata's scripts test `[ -n "$KATA_DEV_MODE" ]`: a variable with any value is on. `false`, `0` and
//! `no` are *on*; off is unset or empty.

use std::ffi::OsStr;

/// The variables that kata reads like this.
const SWITCHES: &[&str] = &["KATA_DEV_MODE", "KATA_CI_NO_NETWORK"];

/// Returns true if kata takes a variable with this value as on. `None` is a variable that is not
/// set.
pub fn is_set(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty())
}

/// Returns true if a value that says off would switch a variable of kata's on.
pub(super) fn is_misleading(name: &str, value: &str) -> bool {
    const SAYS_OFF: &[&str] = &["0", "false", "no", "off", "n"];
    SWITCHES.contains(&name) && SAYS_OFF.contains(&value.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_and_not_empty_is_on_whatever_it_says() {
        for value in ["true", "false", "0", "no", " "] {
            assert!(is_set(Some(OsStr::new(value))), "{value:?}");
        }
        assert!(!is_set(Some(OsStr::new(""))));
        assert!(!is_set(None));
    }

    #[test]
    fn only_kata_switches_mislead() {
        assert!(is_misleading("KATA_DEV_MODE", "False"));
        assert!(is_misleading("KATA_CI_NO_NETWORK", "0"));
        assert!(!is_misleading("KATA_DEV_MODE", ""));
        assert!(!is_misleading("KATA_DEV_MODE", "yes"));
        assert!(!is_misleading("VERBOSE", "0"));
    }
}
