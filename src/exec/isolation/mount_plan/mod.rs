//! Plans which paths a job sees differently than the host.
//!
//! Two laws hold. Everything that the job needs (its work tree, caches, programs, home) is there,
//! even if it lies in a hidden directory. And in a strict view only the job's own paths are
//! writable.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::repository::Repository;
use super::variables::{home, paths, variable};
use super::{MountPoint, View, caches};
use crate::plan::Job;
use crate::workspace::IMPORT_ROOT;

/// Directories that programs of all users share: each job gets empty ones of its own.
const SHARED: &[&str] = &["/tmp", "/var/tmp", "/run", "/var/run"];

/// Those whose entries are as good as in any other directory.
const TEMPORARY: &[&str] = &["/tmp", "/var/tmp"];

/// Directories of people, with files that are no business of a job.
const HOMES: &[&str] = &["/home", "/root"];

/// Secrets of the machine that root can read. Names with a dash hold the previous version.
const SECRETS: &[&str] = &[
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/kubernetes",
];

/// Credentials in otherwise visible directories, relative to the home directory.
const CREDENTIALS: &[&str] = &[
    ".ssh",
    ".netrc",
    ".git-credentials",
    ".gnupg",
    ".config/git/credentials",
    // The rest of this directory is visible, because it holds programs.
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".docker/config.json",
];

/// Settings that build programs read in the home directory.
const SETTINGS: &[&str] = &[".gitconfig", ".config/git", ".config/go"];

/// The wish for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    /// Not there.
    Hide,
    /// Visible.
    See,
    /// Visible, and writes stay with the job.
    Copy,
    /// The same, also in what the job may write: other jobs take its content without a look.
    Cache,
    /// Visible and writable.
    Keep,
    /// Unchanged, but cannot be moved away.
    Pin,
    /// Not writable, although its directory is.
    Protect,
}

/// The paths of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunPaths<'a> {
    /// The directory that the components were found in.
    pub workspace: &'a Path,
    /// The GOPATH view of this run.
    pub view: Option<&'a Path>,
    /// The report directory.
    pub reports: &'a Path,
    /// Directories that kata-ci trusts later: its state, cache and configuration.
    pub own: &'a [PathBuf],
}

/// Returns the mount points of a job, outer ones first.
pub(super) fn places(job: &Job, run: &RunPaths<'_>, strict: bool) -> Vec<MountPoint> {
    let mut wishes = Wishes::new(strict);
    wishes.hide_shared();
    let home = home(job);
    if strict {
        wishes.hide_private(home);
        wishes.own_places(job, run);
    }
    wishes.common_places(job, run);
    if strict {
        wishes.hide_own(run);
    }
    wishes.settle()
}

/// Returns the mount points that every job has, to try on the host without a job.
pub(super) fn of_nobody(strict: bool) -> Vec<MountPoint> {
    let mut wishes = Wishes::new(strict);
    wishes.hide_shared();
    if strict {
        wishes.hide_private(None);
    }
    wishes.settle()
}

/// Returns the paths by which the view of a strict job is made, as the pipeline and the environment
/// name them.
pub fn paths_of_strict_job(job: &Job) -> Vec<PathBuf> {
    let names = [
        "GOCACHE",
        "GOMODCACHE",
        "XDG_CACHE_HOME",
        "CARGO_HOME",
        "RUSTUP_HOME",
    ];
    let named = names.into_iter().filter_map(|name| variable(job, name));
    let lists = ["GOPATH", "PATH"];
    (job.bounds.writable.iter().cloned())
        .chain([job.directory.clone()])
        .chain(named.map(Path::to_owned))
        .chain(lists.into_iter().flat_map(|name| paths(job, name)))
        .collect()
}

/// Returns true if a strict job like this may write to an existing directory, in a run that does
/// not protect it. A run protects its own reports, but not those of other runs.
pub fn strict_job_may_write(job: &Job, workspace: &Path, directory: &Path) -> bool {
    let run = RunPaths {
        workspace,
        view: None,
        reports: Path::new(""),
        own: &[],
    };
    let places = places(job, &run, true);
    let Some(real) = canonical(directory) else {
        return false;
    };
    let view = real.ancestors().find_map(|above| {
        let mut around = places.iter().filter(|place| place.path() == above);
        around.next().map(|place| place.view)
    });
    view == Some(View::Kept)
}

/// Returns why the view is impossible: a component, or a path of the pipeline, is itself one of the
/// hidden directories.
pub(super) fn conflict(job: &Job, strict: bool) -> Option<String> {
    let hidden = SHARED.iter().map(Path::new);
    let hidden: Vec<_> = match strict {
        true => (hidden.chain(HOMES.iter().map(Path::new)))
            .chain(home(job))
            .collect(),
        false => hidden.collect(),
    };
    let held = |path: &Path| {
        let path = canonical(path)?;
        let is_held = |hidden: &Path| canonical(hidden).is_some_and(|it| it.starts_with(&path));
        hidden.iter().find(|hidden| is_held(hidden))
    };
    if let Some(found) = held(&job.directory) {
        return Some(format!(
            "the component lies in {} itself, of which a job gets its own",
            found.display()
        ));
    }
    let mut named = job.bounds.writable.iter().filter(|_| strict);
    named.find_map(|path| {
        Some(format!(
            "`writable` names {}, and of {} a job gets its own: name what is needed in it",
            path.display(),
            held(path)?.display()
        ))
    })
}

fn canonical(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Resolves a path, even if its end does not exist.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        Some(canonical(above)?.join(rest))
    });
    found.unwrap_or_else(|| path.to_owned())
}

struct Wishes {
    strict: bool,
    all: Vec<(PathBuf, Wish)>,
}

impl Wishes {
    fn new(strict: bool) -> Self {
        Self {
            strict,
            all: Vec::new(),
        }
    }

    fn add(&mut self, path: impl Into<PathBuf>, wish: Wish) {
        let path = path.into();
        let Some(real) = canonical(&path) else {
            return;
        };
        // A link into a hidden directory would lead nowhere.
        if real != path {
            self.all.push((self.lifted(path), wish));
        }
        self.all.push((self.lifted(real), wish));
    }

    /// Without strictness, neighbours below /tmp may see each other: such a path is visible
    /// together with its surroundings.
    fn lifted(&self, path: PathBuf) -> PathBuf {
        if self.strict {
            return path;
        }
        let above = TEMPORARY
            .iter()
            .find_map(|directory| Some((directory, path.strip_prefix(directory).ok()?)));
        match above.and_then(|(directory, rest)| Some((directory, rest.components().next()?))) {
            Some((directory, first)) => Path::new(directory).join(first),
            None => path,
        }
    }

    fn hide_shared(&mut self) {
        for path in SHARED {
            self.all.extend(
                canonical(Path::new(path))
                    .filter(|real| real == Path::new(path))
                    .map(|real| (real, Wish::Hide)),
            );
        }
    }

    fn hide_private(&mut self, home: Option<&Path>) {
        let homes = HOMES.iter().map(Path::new).chain(home);
        let of_the_user = nix::unistd::User::from_uid(nix::unistd::getuid());
        let of_the_user = of_the_user.ok().flatten().map(|user| user.dir);
        let of_the_user = of_the_user.filter(|directory| *directory != Path::new("/"));
        let known: Vec<_> = homes.chain(of_the_user.as_deref()).collect();
        for path in known {
            self.add(path, Wish::Hide);
        }
        for path in SECRETS {
            self.add(path, Wish::Hide);
        }
    }

    /// Adds the paths that a job may write in a strict view, and those that it reads in its home.
    fn own_places(&mut self, job: &Job, run: &RunPaths<'_>) {
        let home = home(job).unwrap_or(Path::new("/"));
        for name in CREDENTIALS {
            self.add(home.join(name), Wish::Hide);
        }
        for name in SETTINGS {
            self.add(home.join(name), Wish::See);
        }
        self.work_tree(job, home);
        self.caches(job, home);
        for path in &job.bounds.writable {
            self.add(path, Wish::Keep);
        }
        // The view is a copy for this run.
        if let Some(view) = run.view {
            self.add(view, Wish::Keep);
        }
        self.add(run.reports, Wish::Protect);
    }

    /// Hides kata-ci's own directories. One that the job could create is created before.
    fn hide_own(&mut self, run: &RunPaths<'_>) {
        for own in run.own.iter().map(|own| real(own)) {
            let is_kept = |(path, wish): &(PathBuf, Wish)| {
                matches!(wish, Wish::Keep) && own.starts_with(path)
            };
            if self.all.iter().any(is_kept) {
                let _ = std::fs::create_dir_all(&own);
            }
            self.add(own, Wish::Hide);
        }
    }

    /// Keeps the repository, because git writes to it, except for files that make git run programs.
    fn work_tree(&mut self, job: &Job, home: &Path) {
        let repository = Repository::of(&job.directory, home);
        self.add(&repository.top, Wish::Keep);
        for git in &repository.git_directories {
            self.add(git, Wish::Keep);
            self.add(git, Wish::Pin);
        }
        for path in repository.settings() {
            self.add(path, Wish::Protect);
        }
    }

    /// Adds the caches whose content the next build of anybody takes without a look. A job sees
    /// them, and what it writes there is gone with it.
    fn caches(&mut self, job: &Job, home: &Path) {
        let or_home =
            |name, rest: &str| variable(job, name).map_or_else(|| home.join(rest), Path::to_owned);
        if let Some(cache) = caches::of_go(job) {
            self.add(cache, Wish::Cache);
        }
        for gopath in paths(job, "GOPATH").chain([home.join("go")]) {
            self.add(&gopath, Wish::See);
            // A volume of its own in many a container, which a layer over `pkg` does not show.
            for name in ["pkg", "pkg/mod"] {
                self.add(gopath.join(name), Wish::Cache);
            }
            self.tests_clone(&gopath);
        }
        if let Some(cache) = variable(job, "GOMODCACHE") {
            self.add(cache, Wish::Cache);
        }
        let cargo = or_home("CARGO_HOME", ".cargo");
        self.add(&cargo, Wish::See);
        for name in ["registry", "git"] {
            self.add(cargo.join(name), Wish::Cache);
        }
        for name in ["credentials", "credentials.toml"] {
            self.add(cargo.join(name), Wish::Hide);
        }
        self.add(or_home("RUSTUP_HOME", ".rustup"), Wish::See);
    }

    /// Copies kata's tests clone and the tools beside it, because v1's checks build and install
    /// tools there. Nobody else may run the tools of a stranger's job. Other jobs do without,
    /// because each such layer takes time.
    fn tests_clone(&mut self, gopath: &Path) {
        let clone = gopath.join(IMPORT_ROOT).join("tests");
        if clone.is_dir() {
            self.add(clone, Wish::Copy);
            self.add(gopath.join("bin"), Wish::Copy);
        }
    }

    /// Adds the paths that every job needs.
    fn common_places(&mut self, job: &Job, run: &RunPaths<'_>) {
        self.add(&job.directory, Wish::Keep);
        if !self.strict {
            for name in ["HOME", "GOCACHE", "GOMODCACHE", "CARGO_HOME", "RUSTUP_HOME"] {
                self.add_variable(job, name);
            }
            for path in paths(job, "GOPATH") {
                self.add(path, Wish::Keep);
            }
            self.add(
                Repository::of(&job.directory, Path::new("/")).top,
                Wish::Keep,
            );
        }
        self.add(run.workspace, Wish::See);
        for entry in paths(job, "PATH") {
            self.add(installation(&entry, home(job)), Wish::See);
        }
        if let crate::model::Command::Run(words) = &job.command
            && let Some(program) = words.first().map(Path::new)
            && program.is_absolute()
        {
            self.add(program, Wish::See);
        }
        // With the machine's own resolver it is a link into /run.
        self.add("/etc/resolv.conf", Wish::See);
    }

    fn add_variable(&mut self, job: &Job, name: &str) {
        if let Some(path) = variable(job, name) {
            self.add(path, Wish::Keep);
        }
    }

    /// Pins the directories above protected and hidden paths. If one could be moved away and
    /// created again, the protection would be gone.
    fn pin_above(&mut self) {
        let above: BTreeSet<_> = (self.all.iter())
            .filter(|(_, wish)| matches!(wish, Wish::Protect | Wish::Hide))
            .flat_map(|(path, _)| path.ancestors().skip(1).map(Path::to_owned))
            .collect();
        self.all
            .extend(above.into_iter().map(|path| (path, Wish::Pin)));
    }

    /// Returns each path and its view, if that differs from the view around it.
    fn settle(mut self) -> Vec<MountPoint> {
        self.pin_above();
        self.all
            .sort_by_key(|(path, wish)| (path.components().count(), *wish));
        let mut views: BTreeMap<PathBuf, View> = BTreeMap::new();
        let mut order = Vec::new();
        for (path, wish) in self.all {
            let around = path.ancestors().find_map(|above| views.get(above)).copied();
            // What a layer lies over is one file system, without what is mounted in it.
            let around = around.filter(|_| wish != Wish::Cache || !is_mounted(&path));
            let Some(view) = view(wish, around, self.strict) else {
                continue;
            };
            if is_whole(&path, wish, &views) {
                continue;
            }
            if views.insert(path.clone(), view).is_none() {
                order.push(path);
            }
        }
        order
            .into_iter()
            .filter_map(|path| Some(MountPoint::new(path.clone(), *views.get(&path)?)))
            .collect()
    }
}

/// Returns the view for a wish within another view; `None` if it is the same.
fn view(wish: Wish, around: Option<View>, strict: bool) -> Option<View> {
    match (wish, around) {
        (Wish::Hide, _) => Some(View::Hidden),
        (Wish::See, Some(View::Hidden)) if strict => Some(View::ReadOnly),
        (Wish::Copy | Wish::Cache, Some(View::Copied)) | (Wish::Copy, Some(View::Kept)) => None,
        (Wish::Copy | Wish::Cache, _) if strict => Some(View::Copied),
        (Wish::See | Wish::Copy | Wish::Cache | Wish::Keep, Some(View::Hidden)) => Some(View::Kept),
        (Wish::Keep, Some(View::Kept)) => None,
        (Wish::Keep, _) if strict => Some(View::Kept),
        (Wish::Pin, Some(View::Kept)) if strict => Some(View::Kept),
        (Wish::Protect, Some(View::Kept)) => Some(View::ReadOnly),
        (Wish::See | Wish::Copy | Wish::Cache | Wish::Keep | Wish::Pin | Wish::Protect, _) => None,
    }
}

/// Returns true if another file system begins at the path.
fn is_mounted(path: &Path) -> bool {
    let device = |path: &Path| Some(path.metadata().ok()?.dev());
    path.parent().and_then(device) != device(path)
}

/// Returns true for a hidden directory that is wished for as a whole. It stays hidden; wishes for
/// paths in it count by themselves.
fn is_whole(path: &Path, wish: Wish, views: &BTreeMap<PathBuf, View>) -> bool {
    matches!(wish, Wish::See | Wish::Cache | Wish::Keep) && views.get(path) == Some(&View::Hidden)
}

/// Returns the directory that belongs to a directory of programs: all of `~/.pyenv` for
/// `~/.pyenv/shims`, all of `~/go` for `~/go/bin`. It is never the home directory itself, nor
/// `~/.local`, where people keep more than programs.
fn installation(entry: &Path, home: Option<&Path>) -> PathBuf {
    let is_programs = ["bin", "sbin", "shims"]
        .iter()
        .any(|name| entry.file_name() == Some(OsStr::new(name)));
    let Some(parent) = entry.parent().filter(|_| is_programs) else {
        return entry.to_owned();
    };
    let is_more =
        home.is_some_and(|home| home.starts_with(parent) || parent == home.join(".local"));
    let is_top = parent.components().count() < 3;
    match is_more || is_top {
        true => entry.to_owned(),
        false => parent.to_owned(),
    }
}

#[cfg(test)]
mod tests;
