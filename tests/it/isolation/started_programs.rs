//! Keeps a map of all places in the code that start a program, with the time of each. It guards a
//! rule: after a job has run in a tree, no program that reads the tree's configuration is started
//! on it outside of the sandbox.
//!
//! A new place fails here. Add it with its time; after jobs only an `Onlooker` may ask.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use When::{After, Before, Elsewhere, Inside, Means};

/// The time at which a program is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Before the first job of the run, when the tree is as the user has it.
    Before,
    /// In a repository without jobs: the user's own, while jobs run in a checkout.
    Elsewhere,
    /// After jobs, only for the questions of an onlooker.
    After,
    /// In the sandbox as a part of the job, or to set the sandbox up.
    Inside,
    /// By its callers.
    Means,
}

/// A file below `src`, the word that starts programs, its number and its time.
const MAP: &[(&str, &str, usize, When)] = &[
    ("engines/submit/slurm.rs", "Probe {", 1, Elsewhere),
    ("run/pins.rs", "Git::find(", 1, Before),
    ("run/plan_sources.rs", "Git::find(", 1, Before),
    ("workspace/checkout/pinned.rs", "Git::find(", 1, Before),
    ("stamp/key.rs", "Repository::at(", 2, Elsewhere),
    ("cli/hook.rs", "Repository::at(", 1, Elsewhere),
    ("cli/push.rs", "Repository::at(", 1, Elsewhere),
    ("cli/review.rs", "Repository::at(", 1, Elsewhere),
    ("cli/report/open.rs", "open::that_detached(", 1, Elsewhere),
    ("run/depends.rs", "Repository::at(", 1, Before),
    ("run/fingerprint.rs", "Git::find(", 1, Before),
    ("run/pins.rs", "Git::find(", 1, Before),
    ("run/since.rs", "Git::find(", 1, Before),
    ("run/strict.rs", "Git::find(", 2, Before),
    ("stamp/recorder.rs", "Git::find(", 1, Before),
    ("exec/child.rs", "duct::cmd", 1, Inside),
    ("exec/helper/launch.rs", "Command::new(", 1, Inside),
    ("exec/leftover_files/mod.rs", "Onlooker::find(", 1, After),
    ("host/debug/checks.rs", "Probe {", 1, Elsewhere),
    ("host/debug/exec.rs", "Command::new(", 2, Elsewhere),
    ("host/docker/facts.rs", "Probe {", 1, Elsewhere),
    ("host/docker/kata.rs", "Probe {", 1, Elsewhere),
    ("push/hooks/chained.rs", "Command::new(", 2, Elsewhere),
    ("host/console/names.rs", "Probe {", 1, Elsewhere),
    ("host/diag/command.rs", "Command::new(", 1, Elsewhere),
    ("host/diag/follow.rs", "Command::new(", 1, Elsewhere),
    ("review/watch/connection.rs", "Command::new(", 2, Elsewhere),
    ("review/watch/process.rs", "Command::new(", 1, Elsewhere),
    ("host/doctor/gerrit/mod.rs", "Git::of_user(", 1, Elsewhere),
    ("host/doctor/install.rs", "Probe {", 1, Elsewhere),
    ("host/doctor/host/ask.rs", "Git::of_user(", 1, Elsewhere),
    ("host/doctor/host/ask.rs", "Probe {", 1, Elsewhere),
    ("git/onlooker.rs", "Git::find(", 1, Means),
    ("git/program.rs", "Command::new(", 1, Means),
    ("git/program.rs", "Probe {", 1, Means),
    ("git/repository.rs", "Git::of_user(", 1, Means),
    ("probe/run.rs", "Command::new(", 1, Means),
    ("workspace/checkout/mod.rs", "Git::find(", 2, Before),
    ("workspace/detect.rs", "Git::find(", 1, Before),
    ("workspace/inspection.rs", "Git::find(", 1, Before),
    ("workspace/inspection.rs", "git.find_in(", 1, Before),
    ("workspace/open.rs", "Git::find(", 2, Before),
    ("workspace/packages.rs", "Probe {", 1, Before),
    ("workspace/preflight/go_toolchain.rs", "Probe {", 1, Before),
    ("workspace/preflight/host.rs", "Probe {", 1, Before),
    ("workspace/preflight/programs.rs", "Probe {", 1, Before),
    ("workspace/gopath_view.rs", "Git::find(", 1, Before),
];

/// The words that start a program, or return something that can.
const STARTS: [&str; 11] = [
    "Command::new(",
    "Probe {",
    "Git::find(",
    "git.find_in(",
    "Git::of_user(",
    "Onlooker::find(",
    "Repository::at(",
    "duct::cmd",
    "open::that_detached(",
    "execve(",
    "posix_spawn",
];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap();
        match path.is_dir() {
            _ if ["tests", "plants", "test_repository"]
                .iter()
                .any(|one| name == *one) => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// Counts a word outside of comments and tests.
fn count(text: &str, word: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = code
        .split("#[cfg(test)]\npub(crate) mod tests {")
        .next()
        .unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let whole = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        let is_defined = line[..at].trim_end().ends_with("impl");
        !is_defined && !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    (code.lines().filter(is_code))
        .map(|line| {
            let found = line.match_indices(word);
            found.filter(|(at, _)| whole(line, *at)).count()
        })
        .sum()
}

#[test]
fn every_place_that_starts_a_program_is_on_the_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut found = BTreeMap::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for word in STARTS {
            let count = count(&text, word);
            if count > 0 {
                found.insert((name.clone(), word), count);
            }
        }
    }
    let map: BTreeMap<_, _> = (MAP.iter())
        .map(|(file, word, count, _)| (((*file).to_owned(), *word), *count))
        .collect();
    assert_eq!(found, map);
}

#[test]
fn what_is_asked_after_jobs_is_an_onlookers_question() {
    for (file, word, _, when) in MAP {
        let is_of_exec = file.starts_with("exec/");
        assert_eq!(*when == After, *word == "Onlooker::find(", "{file}");
        assert!(!is_of_exec || matches!(when, After | Inside), "{file}");
    }
}

/// Each question of an onlooker was checked for programs that git starts by itself. A new one needs
/// the same check.
#[test]
fn an_onlooker_has_three_questions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/git/onlooker.rs");
    let text = fs::read_to_string(path).unwrap();
    let names: Vec<_> = (text.lines())
        .filter_map(|line| line.trim().strip_prefix("pub fn "))
        .map(|line| line.split(['(', '<']).next().unwrap())
        .collect();
    assert_eq!(names, ["find", "files", "objects", "head"]);
}
