//! Takes the fingerprint of a run that begins or is resumed.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::planned::Planned;
use crate::config::Layout;
use crate::env::Environment;
use crate::event::{Fingerprint, digest};
use crate::fs;
use crate::git::{Git, GitError};
use crate::workspace::IMPORT_ROOT;
use crate::workspace::passed_with;

/// Takes the fingerprint of everything that the outcome of the run depends on. A component whose
/// repository cannot be read gets no digest, so its run cannot be resumed.
pub(super) fn take(planned: &Planned, environment: &Environment, run_id: &str) -> Fingerprint {
    let salted = |value: &OsStr| digest([run_id.as_bytes(), value.as_bytes()]);
    Fingerprint {
        pipeline: pipeline(planned),
        environment: passed_with(environment, &planned.pipeline.pass_env, false)
            .map(|(name, value)| (name.to_string_lossy().into_owned(), salted(value)))
            .collect(),
        trees: trees(planned, environment),
    }
}

/// Returns a digest of the resolved pipeline. Comments and the order of keys do not count.
fn pipeline(planned: &Planned) -> String {
    let understood = format!("{:?}", planned.pipeline);
    digest([env!("CARGO_PKG_VERSION").as_bytes(), understood.as_bytes()])
}

fn trees(planned: &Planned, environment: &Environment) -> BTreeMap<String, String> {
    let Ok(git) = Git::find(environment) else {
        return BTreeMap::new();
    };
    let mut known: BTreeMap<_, Option<String>> = BTreeMap::new();
    let is_planned = |name: &str| {
        let mut jobs = planned.plan.jobs.iter();
        jobs.any(|job| job.id.component() == name)
    };
    let components = planned.workspace.components.iter();
    let components = components
        .filter(|found| is_planned(&found.component.name))
        .map(|found| (found.component.name.clone(), found.directory.clone()));
    components
        .chain(tests_repository(planned))
        .filter_map(|(name, directory)| {
            let repository = git.at(&directory);
            let ask = || tree(&git, &repository.top_level().ok()?).ok();
            let tree = known.entry(repository.nearest()?).or_insert_with(ask);
            Some((name, tree.clone()?))
        })
        .collect()
}

/// Returns the repository that holds the scripts of kata v1's jobs.
fn tests_repository(planned: &Planned) -> Option<(String, PathBuf)> {
    if planned.pipeline.layout != Layout::Gopath {
        return None;
    }
    let gopath = (planned.workspace.environment).get("GOPATH")?;
    let clone = Path::new(gopath).join(IMPORT_ROOT).join("tests");
    Some(("tests".to_owned(), clone))
}

/// Returns a digest of the commit and of every tracked file that differs from it. New files do not
/// count, because jobs leave some behind.
fn tree(git: &Git, top: &Path) -> Result<String, GitError> {
    let commit = git.at(top).commit("HEAD")?.unwrap_or_default();
    let mut parts = vec![commit.clone().into_bytes()];
    if !commit.is_empty() {
        for path in git.at(top).differing(&commit)? {
            parts.push(path.as_os_str().as_bytes().to_vec());
            parts.push(content(&top.join(&path)).into_bytes());
        }
    }
    Ok(digest(parts.iter().map(Vec::as_slice)))
}

/// The most bytes of a file that are read. A larger one is told by its size and times.
const LARGEST: u64 = 256 << 20;

fn times(metadata: &Metadata) -> String {
    let (size, changed) = (metadata.size(), metadata.ctime());
    format!("{size} {changed}.{}", metadata.ctime_nsec())
}

/// Describes a file by mode and content, a link by its target, and anything else by the error of
/// the system.
fn content(path: &Path) -> String {
    let read = || -> io::Result<String> {
        let metadata = path.symlink_metadata()?;
        let bytes = match metadata.file_type() {
            kind if kind.is_symlink() => path.read_link()?.as_os_str().as_bytes().to_vec(),
            kind if kind.is_file() && metadata.len() <= LARGEST => fs::read(path, LARGEST)?,
            kind if kind.is_file() => times(&metadata).into_bytes(),
            _ => Vec::new(),
        };
        Ok(format!(
            "{:o} {}",
            metadata.permissions().mode(),
            digest([bytes.as_slice()])
        ))
    };
    read().unwrap_or_else(|error| error.kind().to_string())
}
