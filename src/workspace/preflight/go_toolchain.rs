//! Finds out which toolchain of Go a tree asks for, if it is not there.
//!
//! A go that is older than the `go` line of its module starts another toolchain, or downloads it,
//! or fails, as `GOTOOLCHAIN` says. See "Go Toolchains" in Go's documentation. Jobs without a
//! network cannot download, so that each of them would fail by itself.
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::gopath;
use crate::env::Environment;
use crate::fs;
use crate::probe::{Probe, at_least, dotted, version_in};
use crate::workspace::packages::{named_go, offline};
use crate::workspace::toolchain::MissingToolchain;

/// The time limit of a question to go, which takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most bytes of a `go.mod` or a `go.work`.
const LARGEST: u64 = 1 << 20;

/// A go, and what its jobs may do.
#[derive(Debug)]
pub(super) struct GoQuery<'a> {
    /// The directory of the component.
    pub directory: &'a Path,
    /// The environment of its jobs.
    pub environment: &'a Environment,
    /// The go on PATH.
    pub program: &'a Path,
    /// True if a job has the network, so that go can download.
    pub can_download: bool,
}

impl GoQuery<'_> {
    /// Returns the toolchain that a variable asks for by its name, and that is not there. Such a go
    /// is no other one, whatever the tree asks for.
    pub fn named_missing(&self) -> Option<MissingToolchain> {
        let name = named_go(self.environment).filter(|_| !self.has_modules_off())?;
        let is_there = self.can_download || self.has(name, false);
        (!is_there).then(|| missing(name, "GOTOOLCHAIN"))
    }

    /// Returns the toolchain that the tree asks for, and that a go of this version cannot start.
    pub fn missing(&self, version: &[u32]) -> Option<MissingToolchain> {
        let asked = self.asked_by_tree()?;
        let newer = |line: &String| version_in(line).is_some_and(|it| !at_least(version, &it));
        let newest = asked
            .toolchain
            .filter(newer)
            .or(asked.language.clone())
            .filter(newer)?;
        let (line, is_there) = match self.choice().as_str() {
            "local" => (asked.language.filter(newer)?, false),
            _ => {
                let is_there = self.can_download || self.has(&newest, true);
                (newest, is_there)
            }
        };
        (!is_there).then(|| missing(&release(&line), asked.file))
    }

    /// Returns the value of `GOTOOLCHAIN`. Settings of the user and of the program count, too.
    fn choice(&self) -> String {
        let set = self.environment.variable("GOTOOLCHAIN");
        let asked = || {
            let mut environment = offline(self.environment, Path::new("/"));
            environment.remove("GOTOOLCHAIN");
            let probe = Probe {
                program: self.program,
                arguments: vec!["env".into(), "GOTOOLCHAIN".into()],
                directory: Path::new("/"),
                environment: &environment,
                deadline: DEADLINE,
            };
            let answer = probe.run().ok()?;
            Some(String::from_utf8_lossy(&answer.output).trim().to_owned())
        };
        let set = set.map(|value| value.to_string_lossy().into_owned());
        set.or_else(asked).unwrap_or_default()
    }

    /// Returns true if a toolchain was downloaded, or is a program on PATH. With `of_line`, a
    /// version without its last number means any such release.
    fn has(&self, name: &str, of_line: bool) -> bool {
        let begin = format!("toolchain@v0.0.1-{name}.");
        let is_it = |entry: &str| {
            let rest = entry.strip_prefix(&begin);
            rest.is_some_and(|rest| {
                of_line || !rest.starts_with(|next: char| next.is_ascii_digit())
            })
        };
        let downloaded = (self.module_cache())
            .and_then(|cache| std::fs::read_dir(cache.join("golang.org")).ok())
            .into_iter()
            .flatten();
        self.environment.find_program(name).is_some()
            || (downloaded.flatten()).any(|entry| entry.file_name().to_str().is_some_and(is_it))
    }

    fn module_cache(&self) -> Option<PathBuf> {
        let set = self.environment.absolute("GOMODCACHE").map(Path::to_owned);
        set.or_else(|| Some(gopath(self.environment)?.join("pkg/mod")))
    }

    /// Such a go reads no module, and is no other one.
    fn has_modules_off(&self) -> bool {
        (self.environment.get("GO111MODULE")).is_some_and(|value| value == "off")
    }

    /// Reads the nearest workspace file, else the nearest module file.
    fn asked_by_tree(&self) -> Option<Asked> {
        let value = |name: &str| self.environment.get(name).and_then(OsStr::to_str);
        if self.has_modules_off() {
            return None;
        }
        let nearest = |name: &str| {
            let mut above = self.directory.ancestors().map(|above| above.join(name));
            above.find(|file| file.is_file())
        };
        let workspace = match value("GOWORK") {
            Some("off") => None,
            Some(file) if !file.is_empty() => Some(PathBuf::from(file)),
            _ => nearest("go.work"),
        };
        let (file, name) = match workspace {
            Some(file) => (file, "go.work"),
            None => (nearest("go.mod")?, "go.mod"),
        };
        let text = String::from_utf8(fs::read(&file, LARGEST).ok()?).ok()?;
        Some(asked(&text, name))
    }
}

/// The lines of a file that ask for a toolchain, as its names.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    file: &'static str,
    language: Option<String>,
    toolchain: Option<String>,
}

fn asked(text: &str, file: &'static str) -> Asked {
    let line = |word: &str| {
        let mut lines = text.lines().map(str::split_whitespace);
        let line = lines.find_map(|mut line| (line.next()? == word).then(|| line.next())?);
        line.filter(|version| is_version(version.trim_start_matches("go")))
    };
    Asked {
        file,
        language: line("go").map(|version| format!("go{version}")),
        toolchain: line("toolchain").map(str::to_owned),
    }
}

/// Returns true for what can be a version, and nothing that a shell or a path takes for something
/// else.
fn is_version(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(is_plain)
}

fn missing(name: &str, asked_by: &'static str) -> MissingToolchain {
    MissingToolchain {
        name: name.to_owned(),
        asked_by,
    }
}

/// Returns the name of the first release of a version: that of `go1.27` is `go1.27.0`.
fn release(name: &str) -> String {
    match version_in(name) {
        Some(numbers) if numbers.len() == 2 && name == format!("go{}", dotted(&numbers)) => {
            format!("{name}.0")
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with a `go.mod`, and an environment with a GOPATH.
    struct Tree {
        place: tempfile::TempDir,
        environment: Environment,
    }

    impl Tree {
        fn new(module: &str) -> Self {
            let place = tempfile::tempdir().unwrap();
            let mut environment = Environment::default();
            environment.set("GOPATH", place.path().join("go"));
            std::fs::create_dir_all(place.path().join("src/runtime")).unwrap();
            std::fs::write(place.path().join("src/go.mod"), module).unwrap();
            Self { place, environment }
        }

        fn missing(&self, choice: &str, can_download: bool) -> Option<(String, &'static str)> {
            let mut environment = self.environment.clone();
            environment.set("GOTOOLCHAIN", choice);
            let query = GoQuery {
                directory: &self.place.path().join("src/runtime"),
                environment: &environment,
                program: Path::new("/nonexistent"),
                can_download,
            };
            let found = match choice.starts_with("go1") {
                true => query.named_missing(),
                false => query.missing(&[1, 26, 8]),
            };
            found.map(|found| (found.name, found.asked_by))
        }

        fn download(&self, name: &str) {
            let cache = format!("go/pkg/mod/golang.org/toolchain@v0.0.1-{name}.linux-amd64");
            std::fs::create_dir_all(self.place.path().join(cache)).unwrap();
        }
    }

    fn of_module(name: &str) -> Option<(String, &'static str)> {
        Some((name.to_owned(), "go.mod"))
    }

    #[test]
    fn a_go_that_may_start_no_other_has_to_be_new_enough() {
        let tree = Tree::new("module x\n\ngo 1.27 // new\ntoolchain go1.27.3\n");
        assert_eq!(tree.missing("local", true), of_module("go1.27.0"));
        tree.download("go1.27.0");
        assert_eq!(tree.missing("local", false), of_module("go1.27.0"));
        let tree = Tree::new("module x\ngo 1.26.8\ntoolchain go1.27.3\n");
        assert_eq!(tree.missing("local", false), None, "that line only asks");
        assert_eq!(Tree::new("module x\n").missing("local", false), None);
    }

    #[test]
    fn what_is_there_or_can_be_downloaded_is_not_missing() {
        let tree = Tree::new("module x\ngo 1.27\n");
        assert_eq!(tree.missing("auto", true), None);
        assert_eq!(tree.missing("auto", false), of_module("go1.27.0"));
        tree.download("go1.27.4");
        assert_eq!(tree.missing("auto", false), None);
        let tree = Tree::new("module x\ngo 1.20\ntoolchain go1.27.1\n");
        tree.download("go1.27.12");
        assert_eq!(tree.missing("auto", false), of_module("go1.27.1"));
        tree.download("go1.27.1");
        assert_eq!(tree.missing("auto", false), None);
    }

    #[test]
    fn a_variable_comes_before_the_tree_and_modules_can_be_off() {
        let mut tree = Tree::new("module x\ngo 1.99\n");
        tree.environment.set("GO111MODULE", "off");
        assert_eq!(tree.missing("local", false), None);
        assert_eq!(tree.missing("go1.21.13", false), None);
        tree.environment.remove("GO111MODULE");
        let of_variable = Some(("go1.21.13".to_owned(), "GOTOOLCHAIN"));
        assert_eq!(tree.missing("go1.21.13", false), of_variable);
        tree.download("go1.21.13");
        assert_eq!(tree.missing("go1.21.13", false), None);
    }

    #[test]
    fn a_workspace_file_comes_before_the_module() {
        let mut tree = Tree::new("module x\ngo 1.20\n");
        let file = tree.place.path().join("go.work");
        std::fs::write(file, "go 1.28.2\nuse ./src\n").unwrap();
        let of_workspace = Some(("go1.28.2".to_owned(), "go.work"));
        assert_eq!(tree.missing("local", false), of_workspace);
        tree.environment.set("GOWORK", "off");
        assert_eq!(tree.missing("local", false), None);
    }

    #[test]
    fn what_is_no_version_asks_for_nothing() {
        let asks = |text: &str| asked(text, "go.mod").language;
        assert_eq!(asks("go 1.27rc1\n").as_deref(), Some("go1.27rc1"));
        assert_eq!(asks("go $(id)\n"), None);
        assert_eq!(asks("go ../../x\n"), None);
        assert_eq!(asks("gopher 1.2\n"), None);
    }
}
