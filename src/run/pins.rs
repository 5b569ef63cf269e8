//! The commits that a plan pins: each repository is asked once, whatever the number of its
//! components. A work tree that differs from its commit cannot be planned.

use std::collections::BTreeMap;
use std::path::{Component as Segment, Path, PathBuf};
use std::thread;

use super::source::Source;
use crate::config::Layout;
use crate::env::Environment;
use crate::git::{Git, GitError, Repository, without_credentials};
use crate::model::CommandError;
use crate::plan::TESTS_CLONE;
use crate::probe::quoted;
use crate::text::secrets;
use crate::workspace;
use crate::workspace::{Located, Placed};

/// The most paths that a message names.
const NAMED: usize = 5;

/// The sources of a plan, by component.
#[derive(Debug, Default)]
pub(super) struct Pins {
    /// The URLs of repositories that have one.
    pub sources: BTreeMap<String, String>,
    /// The tops of the repositories, relative to the workspace.
    pub repositories: BTreeMap<String, PathBuf>,
    /// The commits.
    pub revisions: BTreeMap<String, String>,
    /// The paths of the components, relative to the workspace.
    pub paths: BTreeMap<String, PathBuf>,
    /// Notes for the user.
    pub warnings: Vec<String>,
}

/// The state of a repository.
struct State {
    commit: String,
    url: Option<String>,
    changed: Vec<String>,
    untracked: Vec<PathBuf>,
}

/// Pins the selected components.
///
/// # Errors
/// Fails for a component outside of git, and for changes that are not committed.
pub(super) fn pin(
    located: &Located,
    layout: Layout,
    source: &Source,
    environment: &Environment,
) -> Result<Pins, CommandError> {
    let root = real(&source.as_user_knows(&located.root));
    let is_selected = |placed: &&Placed| located.selected.contains(&placed.component.name);
    let mut tops = Tops::default();
    let mut components = Vec::new();
    for placed in located.placed.iter().filter(is_selected) {
        let directory = real(&placed.directory);
        let top = tops
            .of(&directory)
            .ok_or_else(|| in_no_repository(placed, source))?;
        components.push((placed.component.name.as_str(), directory, top));
    }
    if layout == Layout::Gopath
        && let Some(clone) = workspace::tests_clone(&root, environment)
    {
        let directory = real(&clone);
        components.extend(tops.of(&directory).map(|top| (TESTS_CLONE, directory, top)));
    }
    let states = ask(&tops.found(), environment)?;
    let mut pins = Pins::default();
    for (name, directory, top) in components {
        let state = &states[&top];
        check(name, &directory, &top, state, source)?;
        let name = name.to_owned();
        let user_top = real(&source.as_user_knows(&top));
        let user_path = source.as_user_knows(&directory);
        (pins.revisions).insert(name.clone(), state.commit.clone());
        (pins.repositories).insert(name.clone(), relative(&root, &user_top));
        (pins.paths).insert(name.clone(), relative(&root, &user_path));
        pins.sources
            .extend(state.url.clone().map(|url| (name, url)));
    }
    for (top, state) in states
        .iter()
        .filter(|(_, state)| !state.untracked.is_empty())
    {
        pins.warnings.push(format!(
            "{} has files that are in no commit, and not in the plan: {}",
            source.as_user_knows(top).display(),
            named(
                state
                    .untracked
                    .iter()
                    .map(|path| path.display().to_string())
            )
        ));
    }
    Ok(pins)
}

/// The tops of repositories, each looked for once.
#[derive(Default)]
struct Tops(BTreeMap<PathBuf, Option<PathBuf>>);

impl Tops {
    /// Returns the nearest directory, at or above this one, that has a `.git`.
    fn of(&mut self, directory: &Path) -> Option<PathBuf> {
        if let Some(known) = self.0.get(directory) {
            return known.clone();
        }
        let top = match directory.join(".git").exists() {
            true => Some(directory.to_owned()),
            false => self.of(directory.parent()?),
        };
        self.0.insert(directory.to_owned(), top.clone());
        top
    }

    fn found(&self) -> Vec<PathBuf> {
        let mut found: Vec<_> = self.0.values().flatten().cloned().collect();
        found.sort();
        found.dedup();
        found
    }
}

/// Asks all repositories, several at a time: most of the time is waiting for git.
fn ask(
    tops: &[PathBuf],
    environment: &Environment,
) -> Result<BTreeMap<PathBuf, State>, CommandError> {
    let git = Git::find(environment).map_err(|error| refused(&error))?;
    let threads = thread::available_parallelism().map_or(1, usize::from) * 2;
    let states = |part: &[PathBuf]| part.iter().map(|top| state(&git, top)).collect::<Vec<_>>();
    let answers = thread::scope(|scope| {
        let parts = tops.chunks(tops.len().div_ceil(threads).max(1));
        let asked: Vec<_> = parts
            .map(|part| {
                (
                    part,
                    thread::Builder::new().spawn_scoped(scope, || states(part)),
                )
            })
            .collect();
        let answers = asked.into_iter().flat_map(|(part, thread)| match thread {
            Ok(thread) => (thread.join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // There is no other thread to be had.
            Err(_) => states(part),
        });
        answers.collect::<Vec<_>>()
    });
    (tops.iter().cloned().zip(answers))
        .map(|(top, state)| Ok((top, state?)))
        .collect()
}

fn state(git: &Git, top: &Path) -> Result<State, CommandError> {
    let repository = git.at(top);
    let failed = |error: GitError| refused(&error);
    let commit = repository.commit("HEAD").map_err(failed)?;
    let commit = commit.ok_or_else(|| {
        CommandError::usage(format!("{} has no commit to plan", top.display()))
            .hint("commit what is to be run")
    })?;
    let status = ["status", "--porcelain", "-z", "--untracked-files=normal"];
    let status = repository.run(status).map_err(failed)?;
    let (changed, untracked) = read_status(&status);
    Ok(State {
        commit,
        url: url(&repository).map_err(failed)?,
        changed,
        untracked,
    })
}

/// Returns the URL that other machines fetch from: that of `gerrit`, of `origin`, or of the only
/// remote.
fn url(repository: &Repository) -> Result<Option<String>, GitError> {
    let urls = repository.find(["config", "--get-regexp", r"^remote\..*\.url$"])?;
    let urls: Vec<_> = (urls.as_deref().unwrap_or_default().lines())
        .filter_map(|line| line.split_once(' '))
        .collect();
    let of = |name: &str| {
        urls.iter()
            .find(|(key, _)| *key == format!("remote.{name}.url"))
    };
    let only = || urls.first().filter(|_| urls.len() == 1);
    let found = of("gerrit").or_else(|| of("origin")).or_else(only);
    Ok(found.map(|(_, url)| shown_url(url)))
}

/// Takes the credentials out of a URL, also those that are a user's name.
fn shown_url(url: &str) -> String {
    let clean = without_credentials(url);
    match secrets::mask(&clean).count {
        0 => clean,
        _ => match (clean.split_once("://"), clean.split_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
            _ => secrets::mask(&clean).text,
        },
    }
}

/// Splits the answer of `git status` into tracked files that changed, and untracked paths.
fn read_status(status: &[u8]) -> (Vec<String>, Vec<PathBuf>) {
    let (mut changed, mut untracked) = (Vec::new(), Vec::new());
    let mut entries = status.split(|byte| *byte == 0);
    while let Some(entry) = entries.next() {
        let text = String::from_utf8_lossy(entry);
        let Some((state, path)) = text.split_at_checked(3) else {
            continue;
        };
        match state.trim_end() {
            "??" => untracked.push(PathBuf::from(path)),
            state => {
                changed.push(path.to_owned());
                // The name that a renamed file had before.
                if state.contains(['R', 'C']) {
                    entries.next();
                }
            }
        }
    }
    (changed, untracked)
}

fn check(
    name: &str,
    directory: &Path,
    top: &Path,
    state: &State,
    source: &Source,
) -> Result<(), CommandError> {
    const HINT: &str = "commit it, or plan a commit as it is with --rev HEAD";
    if !state.changed.is_empty() {
        return Err(CommandError::usage(format!(
            "{} has changes that are not committed: {}",
            source.as_user_knows(top).display(),
            named(state.changed.iter().cloned())
        ))
        .hint(HINT));
    }
    let below = directory.strip_prefix(top).unwrap_or(Path::new(""));
    let is_new = |path: &PathBuf| !below.as_os_str().is_empty() && below.starts_with(path);
    match state.untracked.iter().any(is_new) {
        false => Ok(()),
        true => {
            let said = format!("component `{name}` is not committed");
            Err(CommandError::usage(said).hint(HINT))
        }
    }
}

fn named(paths: impl Iterator<Item = String>) -> String {
    let mut paths: Vec<_> = paths.collect();
    let more = paths.len().saturating_sub(NAMED);
    paths.truncate(NAMED);
    match more {
        0 => paths.join(", "),
        more => format!("{} and {more} more", paths.join(", ")),
    }
}

fn in_no_repository(placed: &Placed, source: &Source) -> CommandError {
    let directory = source.as_user_knows(&placed.directory);
    CommandError::usage(format!(
        "component `{}` is in no git repository: a plan pins commits",
        placed.component.name
    ))
    .hint(format!("git init {}, and commit", quoted(&directory)))
}

fn refused(error: &GitError) -> CommandError {
    let failed = match error.lasts() {
        true => CommandError::unavailable(error.to_string()),
        false => CommandError::machine(error.to_string()),
    };
    match error.fix() {
        Some(fix) => failed.hint(fix),
        None => failed,
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Returns a path relative to a directory; both are absolute. The directory itself is `.`.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = (from.components().zip(to.components()))
        .take_while(|(one, other)| one == other)
        .count();
    let up = from.components().skip(shared).map(|_| Segment::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_leads_there() {
        let path = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(path("/a/b", "/a/b/c/d"), Path::new("c/d"));
        assert_eq!(path("/a/b", "/a/b"), Path::new("."));
        assert_eq!(path("/a/b/c", "/a/d"), Path::new("../../d"));
    }

    #[test]
    fn status_tells_changes_from_new_files() {
        let (changed, untracked) = read_status(b" M a b\0R  new\0old\0?? dir/\0D  gone\0");
        assert_eq!(changed, ["a b", "new", "gone"]);
        assert_eq!(untracked, [Path::new("dir/")]);
    }

    #[test]
    fn urls_are_shown_without_credentials() {
        assert_eq!(shown_url("https://a:b@h/p"), "https://h/p");
        assert_eq!(shown_url("ssh://ada@h:29418/p"), "ssh://ada@h:29418/p");
        let token = "https://ghp_0123456789abcdefghijklmnopqrstuvwxyz@github.com/k/r";
        assert_eq!(shown_url(token), "https://github.com/k/r");
    }
}
