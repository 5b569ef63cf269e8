//! Finds out if a tree names its own Rust toolchain. Rustup then starts a program of the tree, even
//! for a version query. Only a job may start that, in its sandbox, and not kata-ci.
use std::ffi::OsStr;
use std::path::Path;

use crate::env::Environment;
use crate::fs;

/// The files that rustup searches for, from a directory upwards; the nearest counts. See the rustup
/// book, "Overrides".
const FILES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The most bytes of such a file; it has a few lines.
const LARGEST: u64 = 64 << 10;

/// Returns true if cargo, started in the directory, would be a program at a path that a file of the
/// tree names. A file that cannot be read counts as such.
pub(super) fn is_named_by_path(directory: &Path, environment: &Environment) -> bool {
    // The variable comes before any file.
    if environment.contains(OsStr::new("RUSTUP_TOOLCHAIN")) {
        return false;
    }
    let nearest = directory
        .ancestors()
        .map(|above| FILES.map(|name| above.join(name)))
        .find(|files| files.iter().any(|file| file.exists()));
    nearest.is_some_and(|files| {
        let there = files.iter().filter(|file| file.exists());
        let mut texts = there.map(|file| String::from_utf8(fs::read(file, LARGEST).ok()?).ok());
        texts.any(|text| text.is_none_or(|text| is_path(&text)))
    })
}

/// Returns true for a toolchain given as a path: in a table, or in a file of the old kind with a
/// single name.
fn is_path(text: &str) -> bool {
    match text.parse::<toml::Table>() {
        Ok(table) => (table.get("toolchain")).is_some_and(|named| named.get("path").is_some()),
        Err(_) => Path::new(text.trim()).is_absolute(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_cannot_be_read_counts_and_keeps_nobody_waiting() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("rust-toolchain.toml");
        let is_named = || is_named_by_path(place.path(), &Environment::default());
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(is_named());
        fs::remove_file(&file).unwrap();
        fs::File::create(&file).unwrap().set_len(10 << 30).unwrap();
        assert!(is_named());
    }

    #[test]
    fn the_nearest_file_counts_and_a_variable_comes_before_it() {
        let temporary = tempfile::tempdir().unwrap();
        let below = temporary.path().join("src/agent");
        fs::create_dir_all(&below).unwrap();
        let mut environment = Environment::default();
        let write = |name: &str, text: &str| fs::write(temporary.path().join(name), text).unwrap();
        write("rust-toolchain.toml", "[toolchain]\npath = \"tool\"\n");
        assert!(is_named_by_path(&below, &environment));
        write("src/agent/rust-toolchain", "1.69.0\n");
        assert!(!is_named_by_path(&below, &environment));
        write(
            "src/agent/rust-toolchain.toml",
            "[toolchain]\npath = \"/t\"",
        );
        assert!(is_named_by_path(&below, &environment));
        environment.set("RUSTUP_TOOLCHAIN", "stable");
        assert!(!is_named_by_path(&below, &environment));
    }

    #[test]
    fn a_channel_is_no_path() {
        for (text, expected) in [
            ("stable", false),
            (
                "[toolchain]\nchannel = \"1.69.0\"\ncomponents = [\"clippy\"]\n",
                false,
            ),
            ("/tmp/toolchain\n", true),
            ("toolchain = { path = \"tool\" }\n", true),
            ("", false),
        ] {
            assert_eq!(is_path(text), expected, "{text}");
        }
    }
}
