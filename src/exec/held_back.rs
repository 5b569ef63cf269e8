//! Finds the variables that a job asks for and did not get.

use crate::outcome::Circumstance;
use crate::parse::variables_named;

/// Describes the variables of the caller that the output speaks of; `None` if there are none.
pub(super) fn asked_for(
    held_back: &[String],
    output: impl FnOnce() -> Vec<u8>,
) -> Option<Circumstance> {
    if held_back.is_empty() {
        return None;
    }
    let named = variables_named(&output(), held_back);
    let quoted: Vec<_> = named.iter().map(|name| format!("\"{name}\"")).collect();
    (!named.is_empty()).then(|| Circumstance {
        what: format!(
            "it speaks of {}, which is set for kata-ci and held back from jobs",
            named.join(", ")
        ),
        fix: format!(
            "pass_env = [{}] in the pipeline, or for strict jobs in the user's configuration",
            quoted.join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_held_back_and_named_is_told() {
        let output = || b"LIBC must be set".to_vec();
        assert_eq!(asked_for(&[], output), None);
        assert_eq!(asked_for(&["OTHER".to_owned()], output), None);
        let told = asked_for(&["LIBC".to_owned()], output).unwrap();
        assert!(told.fix.starts_with("pass_env = [\"LIBC\"]"), "{told:?}");
    }
}
