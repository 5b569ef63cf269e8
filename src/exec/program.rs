//! Resolves a job's command to an absolute program and its arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::isolation::Sandbox;
use super::protocol::Spec;
use crate::model::Command;
use crate::plan::Job;

/// Returns everything that the helper needs to start the job.
///
/// # Errors
/// If the program or the directory is missing; the failure says which and how to mend it.
pub(super) fn resolve(job: &Job) -> Result<Spec, Failure> {
    check_directory(&job.directory)?;
    let (name, arguments) = match &job.command {
        Command::Run(words) => match words.split_first() {
            Some((name, arguments)) => (name.as_str(), arguments.to_vec()),
            None => return Err(Failure::lasting("the step's command is empty")),
        },
        Command::Script(text) => ("sh", vec!["-eu".into(), "-c".into(), text.clone()]),
    };
    Ok(Spec {
        program: find(name, job)?.into(),
        arguments: arguments.into_iter().map(OsString::from).collect(),
        directory: job.directory.clone().into(),
        environment: job.environment.clone().into_iter().collect(),
        sandbox: Sandbox::default(),
    })
}

fn check_directory(directory: &Path) -> Result<(), Failure> {
    match std::fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Failure::lasting(format!(
            "{} is not a directory",
            directory.display()
        ))),
        Err(error) => Err(Failure::of_path(
            "cannot run in the directory",
            directory,
            &error,
        )),
    }
}

/// Finds a program where the job itself would: in the job's PATH, or from the job's directory if
/// the name has a slash.
fn find(name: &str, job: &Job) -> Result<PathBuf, Failure> {
    let path = job.environment.get("PATH");
    if let Ok(found) = which::which_in(name, path, &job.directory) {
        return Ok(found);
    }
    let failure = match (name.contains('/'), path) {
        (true, _) => {
            let place = job.directory.join(name);
            let what = if place.exists() {
                "not an executable file"
            } else {
                "no such program"
            };
            Failure::lasting(format!("{what}: {}", place.display()))
                .fix("make it, make it executable, or correct `run` of the step")
        }
        (false, None) => Failure::lasting(format!("program `{name}`: PATH is not set"))
            .fix("set PATH where kata-ci is called, or in `[env]` of the pipeline"),
        (false, Some(path)) => Failure::lasting(format!(
            "program `{name}` is not in PATH ({})",
            path.display()
        ))
        .fix(format!("install {name}, or add its directory to PATH")),
    };
    Err(failure)
}
