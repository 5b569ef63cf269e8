//! Creates workspaces in temporary directories.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Returns the fixtures of the repository.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Creates the four components of kata in miniature, as git repositories with origins and a tests
/// clone.
pub fn kata(layout: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let made = Command::new(fixtures().join("make-workspace"))
        .arg(place.path())
        .args(["--layout", layout])
        .output()
        .expect("make-workspace runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    place
}

/// Creates components from `(name, Makefile)`; leading spaces of a line become its tab.
pub fn makefiles(components: &[(&str, &str)]) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    for (name, makefile) in components {
        write(
            &place.path().join(name).join("Makefile"),
            &with_tabs(makefile),
        );
    }
    place
}

/// Copies a misbehaving fixture into a workspace of its own.
pub fn misbehaving(name: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    let source = fixtures().join("misbehaving").join(name);
    let copied = Command::new("cp")
        .arg("-a")
        .arg(&source)
        .arg(place.path())
        .status();
    assert!(copied.expect("cp runs").success(), "{}", source.display());
    place
}

/// Runs git in a directory, without any configuration except for the repository's, and returns its
/// output.
pub fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

/// Writes a file, with the directories above it.
pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    std::fs::write(path, text).expect("written");
}

fn with_tabs(makefile: &str) -> String {
    makefile
        .lines()
        .map(|line| match line.trim_start_matches(' ') {
            recipe if recipe.len() < line.len() => format!("\t{recipe}\n"),
            other => format!("{other}\n"),
        })
        .collect()
}
