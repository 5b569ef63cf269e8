//! Quotes paths in commands that a person copies into a shell.

use std::path::Path;

/// Returns the path as a shell takes it, in single quotes where it needs them.
pub fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,@:=".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted(Path::new("/go/src/a_b-1.2")), "/go/src/a_b-1.2");
        assert_eq!(quoted(Path::new("/my files/it's")), r"'/my files/it'\''s'");
        assert_eq!(quoted(Path::new("~")), "'~'");
        assert_eq!(quoted(Path::new("")), "''");
    }
}
