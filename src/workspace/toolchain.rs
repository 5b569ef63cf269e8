//! Finds out which Rust toolchain a tree asks for.
//!
//! A tree that names one by its path has rustup start a program of the tree, even for a version
//! query. Only a job may start that, in its sandbox, and not kata-ci. A toolchain that is named and
//! not installed would be downloaded by each job of its own, or fail each of them.
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

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
    let files = nearest(directory);
    let mut texts = files.iter().map(|file| text(file));
    texts.any(|text| text.is_none_or(|text| is_path(&text)))
}

fn text(file: &Path) -> Option<String> {
    String::from_utf8(fs::read(file, LARGEST).ok()?).ok()
}

/// Returns the files of the nearest directory that has one.
fn nearest(directory: &Path) -> Vec<PathBuf> {
    let candidates = directory
        .ancestors()
        .map(|above| FILES.map(|name| above.join(name)));
    candidates
        .map(|files| files.into_iter().filter(|file| file.exists()).collect())
        .find(|files: &Vec<_>| !files.is_empty())
        .unwrap_or_default()
}

/// Returns the toolchain that cargo would use in the directory, if it is rustup's and not
/// installed.
pub(super) fn missing(
    cargo: &Path,
    directory: &Path,
    environment: &Environment,
) -> Option<MissingToolchain> {
    let toolchain = match environment.variable("RUSTUP_TOOLCHAIN") {
        Some(name) => MissingToolchain {
            name: name.to_str()?.to_owned(),
            asked_by: "RUSTUP_TOOLCHAIN",
        },
        None => MissingToolchain {
            name: channel(&text(nearest(directory).first()?)?)?,
            asked_by: "rust-toolchain.toml",
        },
    };
    let is_name = !toolchain.name.contains('/') && !toolchain.name.is_empty();
    (is_name && is_of_rustup(cargo) && !is_installed(&toolchain.name, environment))
        .then_some(toolchain)
}

/// A toolchain of rustup that is asked for and not installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MissingToolchain {
    /// Its name, such as `1.69.0`.
    pub(super) name: String,
    /// The variable or the file that asks for it.
    pub(super) asked_by: &'static str,
}

/// Returns true if the cargo is the program of rustup that starts another one.
fn is_of_rustup(cargo: &Path) -> bool {
    let is_link = (cargo.canonicalize()).is_ok_and(|real| real.ends_with("rustup"));
    is_link || cargo.with_file_name("rustup").exists()
}

/// Returns true if rustup has the toolchain, with or without the name of the host in its own.
fn is_installed(name: &str, environment: &Environment) -> bool {
    let home = environment.absolute("RUSTUP_HOME").map(Path::to_owned);
    let Some(home) = home.or_else(|| Some(environment.home()?.join(".rustup"))) else {
        return true;
    };
    let Ok(entries) = std::fs::read_dir(home.join("toolchains")) else {
        return false;
    };
    let on_this_host = format!("{name}-{}", std::env::consts::ARCH);
    entries.flatten().any(|entry| {
        let entry = entry.file_name();
        let entry = entry.to_string_lossy();
        entry == name || entry.starts_with(&on_this_host)
    })
}

/// Returns the channel that a file names.
fn channel(text: &str) -> Option<String> {
    match text.parse::<toml::Table>() {
        Ok(table) => Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()),
        Err(_) => Some(text.trim().to_owned()).filter(|name| !name.contains(char::is_whitespace)),
    }
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
    fn a_toolchain_that_is_asked_for_and_not_installed_is_found() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |path: &str| temporary.path().join(path);
        let toolchain = format!("1.69.0-{}-unknown-linux-gnu", std::env::consts::ARCH);
        fs::create_dir_all(at("rustup/toolchains").join(toolchain)).unwrap();
        fs::create_dir_all(at("tree/src/agent")).unwrap();
        fs::create_dir_all(at("bin")).unwrap();
        let mut environment = Environment::default();
        environment.set("RUSTUP_HOME", at("rustup"));
        let missing = |environment: &Environment| {
            let found = missing(&at("bin/cargo"), &at("tree/src/agent"), environment);
            found.map(|toolchain| (toolchain.name, toolchain.asked_by))
        };
        let asks = |channel: &str| {
            let text = format!("[toolchain]\nchannel = \"{channel}\"\n");
            fs::write(at("tree/rust-toolchain.toml"), text).unwrap();
        };
        asks("1.96");
        assert_eq!(missing(&environment), None, "a cargo without rustup");
        fs::write(at("bin/rustup"), "").unwrap();
        let of_file = Some(("1.96".to_owned(), "rust-toolchain.toml"));
        assert_eq!(missing(&environment), of_file);
        asks("1.69.0");
        assert_eq!(missing(&environment), None);
        asks("1.69");
        assert!(missing(&environment).is_some(), "rustup keeps both apart");
        environment.set("RUSTUP_TOOLCHAIN", "nightly");
        let of_variable = Some(("nightly".to_owned(), "RUSTUP_TOOLCHAIN"));
        assert_eq!(missing(&environment), of_variable);
        environment.set("RUSTUP_TOOLCHAIN", "/some/where");
        assert_eq!(missing(&environment), None);
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
