//! `--case`: narrows a plan to the cases that a pattern names.

use std::path::{Path, PathBuf};

use crate::event::{Notice, read_journal};
use crate::model::{CasePattern, CommandError, Expect, JobId};
use crate::outcome::Run;
use crate::plan;
use crate::plan::{Job, Plan};
use crate::run::store::start;

/// Narrows the plan. Steps that do not test are left out unless they were named or are needed.
/// Returns a notice that lists what runs in whole.
pub(super) fn narrow(
    mut plan: Plan,
    pattern: &CasePattern,
    has_named_steps: bool,
    last: Option<&Run>,
) -> Result<(Plan, Option<Notice>), CommandError> {
    let needed: Vec<JobId> = (plan.jobs.iter())
        .filter(|job| job.expect == Expect::Cases)
        .flat_map(|job| job.needs.clone())
        .collect();
    plan.jobs
        .retain(|job| has_named_steps || job.expect == Expect::Cases || needed.contains(&job.id));
    if !plan
        .jobs
        .iter()
        .any(|job| job.expect == Expect::Cases || has_named_steps)
    {
        return Err(CommandError::nothing_to_do(format!(
            "--case {pattern}: none of the selected steps runs tests"
        )));
    }
    let mut whole = Vec::new();
    for job in &mut plan.jobs {
        if needed.contains(&job.id) && job.expect != Expect::Cases {
            continue;
        }
        match plan::narrow(job, pattern, &known(job, last)) {
            Ok(narrowed) => *job = narrowed,
            Err(why) => whole.push(format!("{} ({why})", job.id)),
        }
        job.asked = Some(pattern.clone());
    }
    let notice = (!whole.is_empty()).then(|| {
        let whole = whole.join(", ");
        Notice::warning(format!(
            "--case {pattern}: could not narrow, and runs in whole: {whole}"
        ))
    });
    Ok((plan, notice))
}

/// Returns the cases that the job had in the last run.
fn known(job: &Job, last: Option<&Run>) -> Vec<(String, String)> {
    let result = last.and_then(|run| run.jobs.get(&job.id));
    result.map_or_else(Vec::new, |result| {
        let cases = result.cases.iter();
        cases
            .map(|case| (case.package.clone(), case.name.clone()))
            .collect()
    })
}

/// Returns the last run of the workspace that had jobs.
pub(super) fn last_run(workspace: &Path, directories: &[PathBuf]) -> Option<Run> {
    let directory = directories.iter().find(|directory| {
        start(directory).is_some_and(|started| {
            Path::new(&started.workspace) == workspace && !started.jobs.is_empty()
        })
    })?;
    let mut run = Run::default();
    let records = read_journal(&directory.join("events.jsonl")).ok()?;
    records.iter().for_each(|record| run.apply(record));
    Some(run)
}
