//! Writes the files and commands for the CI system at the end of a run.
use std::io::{self, Write};
use std::path::Path;

use super::system::{CODE_QUALITY, GITLAB_JUNIT, ZUUL_RETURN};
use super::{Ci, DetectedCi, SourceTree, code_quality, step_summary, zuul};
use crate::env::Environment;
use crate::fs::{Directory, Place};
use crate::report::files::{FileError, write_in};
use crate::report::model::Document;
use crate::report::{Dialect, fit, write_annotations, write_document};

/// The result of publishing.
#[derive(Debug, Default)]
pub struct Published {
    /// Commands for the log, to be written unchanged.
    pub commands: Vec<u8>,
    /// Reports that could not be written.
    pub errors: Vec<FileError>,
    /// Other failures, and parts that had to be left out.
    pub warnings: Vec<String>,
}

/// Finds the file that the system wants its summary in. Jobs could lead the name elsewhere, so this
/// comes before them.
///
/// # Errors
/// The name cannot be resolved.
pub fn summary_place(
    detected: &DetectedCi,
    environment: &Environment,
) -> io::Result<Option<Place>> {
    match environment.get("GITHUB_STEP_SUMMARY") {
        Some(path) if detected.system == Ci::GitHub => Place::of_target(Path::new(path)).map(Some),
        _ => Ok(None),
    }
}

/// Writes everything that the system reads. The run ran in `workspace`, its reports are in
/// `directory`, and [`summary_place`] found `summary`.
pub fn publish(
    detected: &DetectedCi,
    document: &Document,
    workspace: &Path,
    directory: &Directory,
    summary: Option<&Place>,
    environment: &Environment,
) -> Published {
    let checkout = SourceTree::on(detected, workspace);
    let variable = |name: &str| environment.get(name);
    match detected.system {
        Ci::GitHub => github(document, &checkout, summary),
        Ci::GitLab => gitlab(document, &checkout, directory),
        Ci::Zuul => {
            let project = ["ZUUL_SHORT_PROJECT_NAME", "ZUUL_PROJECT"]
                .into_iter()
                .find_map(variable)
                .and_then(|name| Path::new(name).file_name()?.to_str());
            one_file(directory, ZUUL_RETURN, |file| {
                zuul::write(document, &checkout, project, file)
            })
        }
        Ci::Jenkins | Ci::Buildbot => Published::default(),
    }
}

fn github(document: &Document, checkout: &SourceTree, summary: Option<&Place>) -> Published {
    let mut published = Published::default();
    if let Err(error) = write_annotations(document, checkout, &mut published.commands) {
        published
            .warnings
            .push(format!("the annotations cannot be made: {error}"));
    }
    match summary {
        Some(place) => published
            .warnings
            .extend(step_summary::append(document, place).err().map(|error| {
                format!(
                    "the step summary {} cannot be written: {error}",
                    place.named().display()
                )
            })),
        None => published
            .warnings
            .push("there is no step summary: GITHUB_STEP_SUMMARY is not set".to_owned()),
    }
    published
}

fn gitlab(document: &Document, checkout: &SourceTree, directory: &Directory) -> Published {
    let mut published = one_file(directory, CODE_QUALITY, |file| {
        code_quality::write(document, checkout, file)
    });
    let junit = one_file(directory, GITLAB_JUNIT, |file| {
        let (document, said) = fit(document.clone(), Dialect::GitLab)?;
        write_document(&document, Dialect::GitLab, file)?;
        published.warnings.extend(said);
        Ok(())
    });
    published.errors.extend(junit.errors);
    published
}

fn one_file(
    directory: &Directory,
    name: &str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Published {
    Published {
        errors: write_in(directory, name, write).err().into_iter().collect(),
        ..Published::default()
    }
}

#[cfg(test)]
mod tests;
