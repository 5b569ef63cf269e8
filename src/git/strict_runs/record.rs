//! The record of a work tree in which strict jobs have run.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::tree::StrictTree;
use crate::git::own::Own;

/// The version of the format.
const VERSION: u32 = 1;

/// The most times of runs that are kept. Older ones are joined into one.
const MOST_TIMES: usize = 16;

/// The facts about a work tree in which strict jobs have run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// The top of the work tree, or a directory outside of any repository.
    pub top: PathBuf,
    /// The directories that the jobs can write to.
    directories: Vec<PathBuf>,
    /// The directories of submodules and of other repositories in these, filled or not.
    inner: Vec<PathBuf>,
    /// The paths that git's configuration led to before the jobs.
    #[serde(default)]
    led: Vec<PathBuf>,
    /// Git's own files before the jobs; `None` if they could not be told.
    before: Option<Own>,
    /// The files that differ since the jobs, as they were then. `None` until the jobs have ended.
    left: Option<BTreeMap<PathBuf, String>>,
    /// The times of the runs, from before the first job to after the last.
    times: Vec<Span>,
}

/// A span of time in microseconds since 1970, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    from: i64,
    /// `None` until the jobs have ended.
    to: Option<i64>,
    /// The process that runs the jobs.
    process: u32,
}

impl Span {
    /// Returns true if the jobs may still be running.
    fn is_open(&self) -> bool {
        self.to.is_none() && Path::new("/proc").join(self.process.to_string()).exists()
    }

    /// Returns true if the file was last changed in this time. No job can set the time of change
    /// (ctime), unlike that of modification.
    fn covers(self, metadata: &Metadata) -> bool {
        let changed = metadata.ctime() * 1_000_000 + metadata.ctime_nsec() / 1000;
        self.from <= changed && self.to.is_none_or(|to| changed <= to)
    }
}

impl Record {
    /// Notes git's own files before the jobs. What is known of earlier runs stays, and what was
    /// noted before another run that still goes on.
    pub fn begin(tree: StrictTree, earlier: Option<Self>, now: i64) -> Self {
        let StrictTree {
            top,
            mut directories,
            inner,
            mut led,
        } = tree;
        let (mut times, mut before) = (Vec::new(), None);
        if let Some(mut earlier) = earlier {
            directories.append(&mut earlier.directories);
            directories.sort();
            directories.dedup();
            led.append(&mut earlier.led);
            led.sort();
            led.dedup();
            match earlier.times.iter().any(Span::is_open) {
                true => before = earlier.before,
                false => earlier.times.iter_mut().for_each(|span| {
                    span.to.get_or_insert(now);
                }),
            }
            times = earlier.times;
        }
        while times.len() >= MOST_TIMES {
            let first = times.remove(0);
            times[0].from = first.from;
        }
        times.push(Span {
            from: now,
            to: None,
            process: std::process::id(),
        });
        Self {
            version: VERSION,
            before: before.or_else(|| look(&top, &inner, &led)),
            top,
            directories,
            inner,
            led,
            left: None,
            times,
        }
    }

    /// Ends the run of this process, and notes what the jobs left, unless others still go on.
    pub fn end(&mut self, now: i64) {
        let own = |span: &&mut Span| span.to.is_none() && span.process == std::process::id();
        if let Some(span) = self.times.iter_mut().find(own) {
            span.to = Some(now);
        }
        if self.times.iter().any(Span::is_open) {
            return;
        }
        self.left = match (&self.before, self.look()) {
            (Some(before), Some(now)) => Some(before.differences(&now)),
            _ => None,
        };
    }

    /// Returns true if the record is of a known version.
    pub fn is_known(&self) -> bool {
        self.version == VERSION && !self.times.is_empty()
    }

    /// Returns the files that the jobs left and that may lead git to run a program, as far as they
    /// still lie there. For git called below the top there is [`Self::nearer`], too.
    pub fn suspects(&self) -> Vec<PathBuf> {
        let mut suspects = match (&self.before, self.look()) {
            (Some(before), Some(now)) => before.differences(&now),
            _ => return vec![self.top.join(".git")],
        };
        // Files that were changed since then are the user's.
        if let Some(left) = &self.left {
            suspects.retain(|path, is| left.get(path) == Some(is));
        }
        suspects.into_keys().collect()
    }

    fn look(&self) -> Option<Own> {
        look(&self.top, &self.inner, &self.led)
    }

    /// Returns the repositories that git may enter from the top, as far as they are there.
    pub fn repositories(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.top].into_iter().chain(&self.inner);
        all.map(PathBuf::as_path).filter(|top| is_repository(top))
    }

    /// Returns the first of these submodules that was none before the jobs and whose repository
    /// they changed: by the index they can have git enter any repository in the tree.
    pub fn further(&self, submodules: &[PathBuf]) -> Option<PathBuf> {
        let mut further = submodules
            .iter()
            .filter(|path| !self.inner.contains(path) && is_repository(path));
        further.find(|path| self.is_theirs(path)).cloned()
    }

    /// Returns true if the jobs changed one of git's own files of a repository, or if that cannot
    /// be told.
    fn is_theirs(&self, repository: &Path) -> bool {
        match Own::look(repository) {
            Some(own) => own.paths().any(|path| self.changed(path)),
            None => true,
        }
    }

    /// Returns a repository between the directory and the top that came while the jobs ran.
    pub fn nearer(&self, directory: &Path) -> Option<PathBuf> {
        let mut between = directory.ancestors().take_while(|above| *above != self.top);
        between.find_map(|above| {
            let entry = above.join(".git");
            let is_known = self.before.as_ref().is_some_and(|own| own.has(&entry));
            // A bare repository has no directory `.git`.
            let is_bare = ["objects", "refs"]
                .iter()
                .all(|name| above.join(name).is_dir());
            let bare = is_bare.then(|| above.join("HEAD"));
            let entry = (!is_known).then_some(entry);
            let is_theirs = |path: &PathBuf| self.changed(path);
            entry.into_iter().chain(bare).find(is_theirs)
        })
    }

    /// Returns true if the jobs could write to the file or directory, and it was last changed while
    /// they ran.
    pub fn changed(&self, path: &Path) -> bool {
        let metadata = path.symlink_metadata();
        self.directories
            .iter()
            .any(|directory| path.starts_with(directory))
            && metadata.is_ok_and(|metadata| self.covers(&metadata))
    }

    /// Returns the file, if the jobs wrote it, or the first link of theirs on the way to it.
    pub fn made_on_the_way(&self, path: &Path) -> Option<PathBuf> {
        let is_link = |path: &Path| path.is_symlink();
        let mut ways = path.ancestors();
        let found = ways.find(|above| {
            let is_it = is_link(above) || (*above == path && path.is_file());
            is_it && real(above).is_some_and(|above| self.changed(&above))
        });
        found.map(Path::to_owned)
    }

    fn covers(&self, metadata: &Metadata) -> bool {
        self.times.iter().any(|span| span.covers(metadata))
    }

    /// Returns true if no job of the record still runs, as far as that is known.
    pub fn is_over(&self) -> bool {
        !self.times.iter().any(Span::is_open)
    }

    /// Returns the first file below a directory that was last changed while strict jobs ran that
    /// could write to it. Git's own files do not count.
    pub fn first_changed(&self, below: &Path) -> Option<PathBuf> {
        let common = self.directories.iter().filter_map(|directory| {
            let is_below = directory.starts_with(below);
            match below.starts_with(directory) {
                true => Some(below.to_owned()),
                false => is_below.then(|| directory.clone()),
            }
        });
        self.first_in(common.collect())
    }

    fn first_in(&self, mut directories: Vec<PathBuf>) -> Option<PathBuf> {
        let own = self.top.join(".git");
        while let Some(directory) = directories.pop() {
            // A directory that cannot be read counts as changed; one that is gone does not.
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => return Some(directory),
            };
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                match path.symlink_metadata() {
                    _ if path == own => {}
                    Ok(metadata) if metadata.is_dir() => directories.push(path),
                    Ok(metadata) if self.covers(&metadata) => return Some(path),
                    _ => {}
                }
            }
        }
        None
    }
}

fn is_repository(top: &Path) -> bool {
    top.join(".git").symlink_metadata().is_ok()
}

/// Returns a path without links, but for the last part of it.
fn real(path: &Path) -> Option<PathBuf> {
    Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?))
}

/// Looks at git's own files of the work tree and of the repositories in it, and at the paths that
/// the configuration leads to.
fn look(top: &Path, inner: &[PathBuf], led: &[PathBuf]) -> Option<Own> {
    let mut own = Own::look(top)?;
    for path in led {
        own.add(Own::of(path)?);
    }
    for repository in inner {
        own.add(Own::look(repository)?);
    }
    Some(own)
}
