//! Gathers the parts of a stamp's key: repository, pipeline, machine and user. It makes few calls
//! of git, because a hook has to answer at once.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{geteuid, gethostname};

use crate::config;
use crate::config::{Overrides, PipelineSource};
use crate::env::Environment;
use crate::event::digest;
use crate::git::Repository;
use crate::stamp::{Stamp, Store, Subject, job_key, job_list_key};
use crate::workspace::passed;
use crate::workspace::tests_clone;

/// The name of a pipeline's file at the top of a repository.
pub(crate) const FILE: &str = "kata-ci.toml";

/// The most bytes of the user's configuration, as many as a pipeline may have.
const LARGEST: u64 = 1 << 20;

/// Variables of jobs that decide nothing, or that differ between a view, a checkout and a hook.
const LEFT_OUT: [&str; 4] = ["PATH", "TERM", "GOPATH", "GOCACHE"];
/// Variables that point git to a repository; in a hook, always to that of the hook.
const OF_GIT: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
];

/// The question for the stamps of a commit.
pub(crate) struct StampQuery<'a> {
    /// The top of a work tree that has the commit.
    pub top: &'a Path,
    /// The directory above the user's repository.
    pub parent: &'a Path,
    /// The revision.
    pub commit: &'a str,
    /// The branch to compare with.
    pub branch: &'a str,
    /// The pipeline as given with `-p`.
    pub asked: Option<&'a str>,
    /// Options that change the pipeline. They include the isolation, and the pipeline's text has
    /// its own isolation, so strict runs have stamps of their own.
    pub overrides: &'a Overrides,
    /// The account that owns the commits, where that matters.
    pub author: Option<&'a str>,
    /// kata-ci's own directory for what outlives a run.
    pub state: &'a Path,
    /// The environment that kata-ci was called with.
    pub environment: &'a Environment,
}

/// The common part of the keys of a commit's stamps.
pub(crate) struct StampScope {
    pub store: Store,
    pub subject: Subject,
    /// The setting; see [`crate::stamp`].
    pub setting: String,
    /// True if the commit has the file of the pipeline.
    pub has_file: bool,
    /// The commit of kata's tests repository, if there is one.
    pub tests: Option<String>,
}

impl StampScope {
    /// Returns the scope; `None` if git cannot tell, or if other commits matter (`Depends-on:`).
    pub fn of(question: &StampQuery<'_>) -> Option<Self> {
        let mut environment = question.environment.clone();
        for name in OF_GIT {
            environment.remove(name);
        }
        let git = Repository::at(question.top, &environment);
        let (subject, has_file) = subject(&git, question)?;
        if depends(&git, &subject.commit)? {
            return None;
        }
        let tests = tests_clone(question.parent, question.environment)
            .and_then(|clone| head(&Repository::at(clone, &environment)));
        Some(Self {
            store: Store::new(question.state),
            subject,
            setting: setting(question, has_file)?,
            has_file,
            tests,
        })
    }

    /// Returns the stamps of all jobs of the tree; `None` if one is missing.
    pub fn all(&self, environment: &Environment) -> Option<Vec<Stamp>> {
        let list = self
            .store
            .job_list(&job_list_key(&self.setting, &self.subject))?;
        list.jobs()
            .map(|(job, reads)| {
                let key = job_key(&self.setting, job, reads, &self.subject)?;
                self.stamp(&key, environment)
            })
            .collect()
    }

    /// Returns the stamp of this key, if its facts still hold.
    pub fn stamp(&self, key: &str, environment: &Environment) -> Option<Stamp> {
        let stamp = self.store.stamp(key)?;
        stamp
            .facts
            .hold(self.tests.as_deref(), environment)
            .then_some(stamp)
    }
}

/// Returns commit, tree and base, and whether the commit has the pipeline's file.
fn subject(git: &Repository, question: &StampQuery<'_>) -> Option<(Subject, bool)> {
    let (commit, branch) = (question.commit, question.branch);
    let asked = format!(
        "{commit}^{{commit}}\n{commit}^{{tree}}\nrefs/remotes/origin/{branch}^{{commit}}\n{commit}:{FILE}\n"
    );
    let arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype)"];
    let answer = git.bytes(arguments, asked.as_bytes()).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let mut found = answer.lines().map(|line| match line.split_once(' ') {
        Some((oid, "commit" | "tree" | "blob")) => Some(oid.to_owned()),
        _ => None,
    });
    let subject = Subject {
        commit: found.next()??,
        tree: found.next()??,
        base: found.next()?,
    };
    Some((subject, found.next()?.is_some()))
}

/// Returns true if an unpublished commit names others to be tested with.
fn depends(git: &Repository, commit: &str) -> Option<bool> {
    let arguments = [
        "log",
        "-1",
        "-i",
        "--grep=^depends-on:",
        "--format=%H",
        commit,
        "--not",
        "--remotes",
    ];
    Some(!git.text(arguments).ok()?.is_empty())
}

fn head(clone: &Repository) -> Option<String> {
    let told = clone.text(["rev-parse", "--show-toplevel", "HEAD"]).ok()?;
    let (top, commit) = told.split_once('\n')?;
    let own = clone.directory().canonicalize().ok()?;
    (own == Path::new(top)).then(|| commit.to_owned())
}

/// Returns a digest of everything besides the commit.
fn setting(question: &StampQuery<'_>, has_file: bool) -> Option<String> {
    let mut parts: Vec<Vec<u8>> = vec![
        program().into_bytes(),
        gethostname().ok()?.as_bytes().to_vec(),
        geteuid().to_string().into_bytes(),
        format!("{:?} {:?}", question.overrides, question.author).into_bytes(),
        pipeline(question, has_file)?.into_bytes(),
        user_settings(question.environment)?,
    ];
    let left_out =
        |name: &OsStr| LEFT_OUT.iter().any(|one| name == *one) || is_proxy(&name.to_string_lossy());
    for (name, value) in passed(question.environment).filter(|(name, _)| !left_out(name)) {
        parts.push(name.as_bytes().to_vec());
        parts.push(value.as_bytes().to_vec());
    }
    Some(digest(parts.iter().map(Vec::as_slice)))
}

/// Returns the text of the user's configuration, empty if there is none; `None` if it cannot be
/// read.
fn user_settings(environment: &Environment) -> Option<Vec<u8>> {
    let Some(file) = config::user_file(environment) else {
        return Some(Vec::new());
    };
    match crate::fs::read(&file, LARGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Vec::new()),
        read => read.ok(),
    }
}

fn is_proxy(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("_proxy")
}

/// Identifies this build of kata-ci, because another build may find other cases in the same output.
fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let file = std::env::current_exe().and_then(|path| path.metadata());
    match file {
        Ok(file) => format!(
            "{version} {} {}.{}",
            file.len(),
            file.mtime(),
            file.mtime_nsec()
        ),
        Err(_) => version.to_owned(),
    }
}

/// Identifies the pipeline. The tree identifies one that is in the commit.
fn pipeline(question: &StampQuery<'_>, has_file: bool) -> Option<String> {
    let understood = |source: &PipelineSource| {
        let pipeline = config::load(source, &Overrides::default(), None).ok()?;
        Some(format!("{source} {pipeline:?}"))
    };
    match question.asked.filter(|name| !name.is_empty()) {
        Some(name) => understood(&config::locate(Some(name), question.top).ok()??),
        None if has_file => Some("in the commit".to_owned()),
        None => match config::locate(None, question.parent).ok()? {
            Some(source) => understood(&source),
            None => Some("what is found".to_owned()),
        },
    }
}
