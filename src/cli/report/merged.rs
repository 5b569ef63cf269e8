//! `kata-ci report merge --plan FILE DIR…`: the shards of a plan as one run.

use std::io;
use std::path::{Path, PathBuf};

use super::deliver;
use super::paths::PathResolver;
use crate::cli::global::GlobalArguments;
use crate::model::CommandError;
use crate::report;
use crate::report::{Dialect, MergeError, MergedPlan, Style};
use crate::{run, say};

/// Calls the command and returns the exit code: that of one run of all jobs.
pub(super) fn call(
    global: &GlobalArguments,
    resolver: &PathResolver<'_>,
    plan: &Path,
    paths: &[PathBuf],
    output: Option<&Path>,
) -> Result<i32, CommandError> {
    let plan = run::read_plan(&global.directory.join(plan))?;
    let merged = report::merge_plan(&plan, &resolver.all(paths)).map_err(refused)?;
    deliver(resolver.output(output).as_deref(), |out| {
        report::write_document(&merged.document, Dialect::Full, out)
    })?;
    summarise(&merged, global);
    Ok(merged.code.code())
}

fn refused(error: MergeError) -> CommandError {
    match error {
        MergeError::Foreign { .. } => CommandError::usage(error)
            .hint("name the directories of this plan's results, and no others"),
        MergeError::Unread { .. } => CommandError::machine(error),
    }
}

/// Prints the summary as a run does, on standard error: standard output may have the report.
pub(in crate::cli) fn summarise(merged: &MergedPlan, global: &GlobalArguments) {
    let style = Style::of(&io::stderr(), global.color());
    let place = merged.directory.path();
    let summary = report::summarise(&merged.run, &merged.directory, place, &style);
    say::aside(summary.trim_end());
}
