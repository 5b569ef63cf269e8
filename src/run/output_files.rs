//! The files of a run outside of its report directory.

use std::path::Path;

use super::request::RunRequest;
use super::show::Screen;
use crate::fs::Place;
use crate::model::CommandError;
use crate::report;

/// Files outside of the report directory. They are resolved before the jobs, because a job can
/// change where a path leads.
pub(super) struct OutputFiles {
    /// The further copy of the JUnit file.
    pub junit: Option<Place>,
    /// The summary of the step, for a CI system that has one.
    pub summary: Option<Place>,
}

impl OutputFiles {
    /// Resolves the paths of the files.
    ///
    /// # Errors
    /// Fails for a path that no file can be written to.
    pub(super) fn find(request: &RunRequest, screen: &Screen) -> Result<Self, CommandError> {
        let junit = request
            .reports
            .junit
            .as_deref()
            .map(junit_place)
            .transpose()?;
        let summary = match &screen.system {
            Some(system) => report::ci::summary_place(system, &request.environment),
            None => Ok(None),
        };
        let summary = summary.map_err(|error| {
            CommandError::usage(format!(
                "GITHUB_STEP_SUMMARY names no place for a file: {error}"
            ))
        })?;
        Ok(Self { junit, summary })
    }
}

fn junit_place(path: &Path) -> Result<Place, CommandError> {
    report::check_place(path).map_err(CommandError::usage)?;
    Place::of(path)
        .map_err(|error| CommandError::usage(format!("--junit {}: {error}", path.display())))
}
