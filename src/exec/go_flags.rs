//! Tells if `go test` in a job is known to name its tests, by `-v` or `-json` in `GOFLAGS`.
//!
//! The variable alone proves nothing: a recipe can set another value, take it away, or run the
//! tests where it does not arrive (in a container, through sudo). So the command, the make files
//! and the scripts of the component have to run `go test`, and none of them may do anything of the
//! kind. What cannot be read is not known. Without proof a package that only says `ok` has
//! passed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::model::Command;
use crate::plan::Job;

/// The most files that are read, their largest size in bytes, and the depth of directories.
const MOST_FILES: usize = 256;
const LARGEST: u64 = 256 << 10;
const DEEPEST: usize = 4;

/// Directories whose files are no recipes of the component.
const FOREIGN: &[&str] = &["vendor", "node_modules", "target", "testdata"];

/// The forms in which a recipe runs the tests.
const TESTS: &[&str] = &[
    "go test",
    "$(GO) test",
    "${GO} test",
    "$GO test",
    "\"$GO\" test",
];

/// Texts by which the variable is lost, or its flag is taken back.
const LOSSES: &[&str] = &[
    "-v=f",
    "-v=0",
    "-v=F",
    "-test.v=",
    "unexport",
    "env -",
    "sudo ",
    "su -",
    "doas ",
    "docker run",
    "docker exec",
    "docker build",
    "docker compose",
    "docker-compose",
    "podman run",
    "podman exec",
    "podman build",
    "nerdctl ",
    "kubectl ",
    "ssh ",
    "chroot ",
    "systemd-run",
    "GOENV",
];

/// The forms in which a line about the variable keeps its value.
const KEPT: &[&str] = &[
    "GOFLAGS ?=",
    "GOFLAGS?=",
    "GOFLAGS +=",
    "GOFLAGS+=",
    "$(GOFLAGS)",
    "${GOFLAGS}",
    "$GOFLAGS",
];

/// Returns true if each `go test` of the job is known to name its tests.
pub(super) fn lists_go_tests(job: &Job) -> bool {
    let flags = job.environment.get("GOFLAGS");
    let has_flag = flags.is_some_and(|flags| {
        let flags = flags.to_string_lossy();
        let mut flags = flags.split_whitespace();
        flags.any(|flag| matches!(flag, "-v" | "-v=true" | "-json" | "-json=true"))
    });
    has_flag && arrives(&job.command, &job.directory)
}

/// Returns true if a variable of the job's environment arrives at the tests as it is.
fn arrives(command: &Command, directory: &Path) -> bool {
    let mut recipes = Recipes::default();
    recipes.take(&match command {
        Command::Run(words) => words.join(" "),
        Command::Script(text) => text.clone(),
    });
    recipes.read(directory, 0).is_some() && recipes.tests && !recipes.loses
}

/// The recipes that were read.
#[derive(Debug, Default)]
struct Recipes {
    files: usize,
    /// True if one runs `go test`.
    tests: bool,
    /// True if one may change the variable.
    loses: bool,
}

impl Recipes {
    /// Reads the make files and scripts below a directory. Returns `None` if they are too many, too
    /// large, or cannot be read.
    fn read(&mut self, directory: &Path, depth: usize) -> Option<()> {
        for entry in directory.read_dir().ok()? {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = entry.path();
            let kind = entry.file_type().ok()?;
            if kind.is_dir() {
                let is_foreign = name.starts_with(".git") || FOREIGN.contains(&name.as_ref());
                if depth < DEEPEST && !is_foreign {
                    self.read(&path, depth + 1)?;
                }
            } else if is_recipe(&name) && path.metadata().ok()?.is_file() {
                self.files += 1;
                let text = text(&path).filter(|_| self.files <= MOST_FILES)?;
                self.take(&text);
            }
        }
        Some(())
    }

    fn take(&mut self, text: &str) {
        self.tests |= TESTS.iter().any(|words| text.contains(words));
        self.loses |= text.lines().any(loses);
    }
}

/// Returns true for the names of make files and scripts.
fn is_recipe(name: &str) -> bool {
    let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_make = stem.eq_ignore_ascii_case("makefile") || name == "GNUmakefile";
    // Scripts often have no ending.
    is_make
        || matches!(
            end,
            "" | "mk" | "make" | "sh" | "bash" | "py" | "in" | "env" | "envrc"
        )
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).ok()?;
    // A program is no recipe.
    if bytes.iter().take(512).any(|byte| *byte == 0) {
        return Some(String::new());
    }
    let is_whole = bytes.len() as u64 <= LARGEST;
    is_whole.then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns true if a line may change the variable, or include a file that does.
fn loses(line: &str) -> bool {
    let line = line.trim();
    if line.starts_with('#') {
        return false;
    }
    let is_other = line.contains("GOFLAGS") && !KEPT.iter().any(|form| line.contains(form));
    let include = line.trim_start_matches(['-', 's']).strip_prefix("include ");
    // A file elsewhere, or one whose name is worked out, is not read.
    let is_outside = include.is_some_and(|path| path.contains("..") || path.contains(['$', '/']));
    is_other || is_outside || LOSSES.iter().any(|text| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(makefile: &str, script: &str) -> bool {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("Makefile"), makefile).unwrap();
        std::fs::create_dir(directory.path().join("ci")).unwrap();
        std::fs::write(directory.path().join("ci/test"), script).unwrap();
        let make = Command::Run(vec!["make".to_owned(), "test".to_owned()]);
        arrives(&make, directory.path())
    }

    #[test]
    fn a_plain_recipe_keeps_the_flag() {
        for makefile in [
            "test:\n\t@go test ./...\n",
            "GO ?= go\ntest:\n\t@$(GO) test -race ./...\n",
            "GOFLAGS += -mod=vendor\ntest:\n\tcd x && go test ./...\n",
            "# GOFLAGS= is for others\ntest:\n\tGOFLAGS=\"$(GOFLAGS) -mod=mod\" go test ./...\n",
            "include rules.mk\ntest:\n\tgo test ./...\n",
        ] {
            assert!(with(makefile, ""), "{makefile}");
        }
        assert!(with("test:\n\t./ci/test\n", "#!/bin/sh\ngo test ./...\n"));
    }

    #[test]
    fn a_recipe_that_overrides_or_loses_the_flag_proves_nothing() {
        for makefile in [
            "test:\n\t@GOFLAGS= go test ./...\n",
            "test:\n\t@GOFLAGS=-mod=vendor go test ./...\n",
            "test:\n\t@unset GOFLAGS; go test ./...\n",
            "test:\n\t@env -u GOFLAGS go test ./...\n",
            "test:\n\t@env -i PATH=$$PATH go test ./...\n",
            "test:\n\t@go test -v=false ./...\n",
            "test:\n\t@go test -v=0 ./...\n",
            "test:\n\t@go test ./... -args -test.v=false\n",
            "export GOFLAGS := -mod=vendor\ntest:\n\t@go test ./...\n",
            "unexport GOFLAGS\ntest:\n\t@go test ./...\n",
            "test: export GOFLAGS =\ntest:\n\t@go test ./...\n",
            "include ../common.mk\ntest:\n\t@go test ./...\n",
            "-include $(TOP)/x.mk\ntest:\n\t@go test ./...\n",
            "test:\n\t@docker run --rm golang go test ./...\n",
            "test:\n\t@sudo go test ./...\n",
            "test:\n\t@mage test\n",
        ] {
            assert!(!with(makefile, ""), "{makefile}");
        }
        let plain = "test:\n\t@./ci/test && go test ./...\n";
        assert!(!with(plain, "#!/bin/sh\nexport GOFLAGS=\ngo test ./...\n"));
    }

    #[test]
    fn the_command_of_a_step_counts_as_well() {
        let directory = tempfile::tempdir().unwrap();
        let script = |text: &str| arrives(&Command::Script(text.to_owned()), directory.path());
        assert!(script("go test ./..."));
        assert!(!script("GOFLAGS= go test ./..."));
        assert!(!script("true"));
    }
}
