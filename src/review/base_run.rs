//! The run of the same jobs at the base, which is kept: many changes have the same base.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::dirs;
use crate::event::digest;
use crate::model::{CommandError, JobOutcome};
use crate::outcome::Run;
use crate::report::read;
use crate::run;
use crate::run::{ReportPaths, RunRequest};

/// The time that a kept run counts. Programs of the machine change meanwhile.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A run at the base, and the directory of its reports.
pub(super) struct BaseRun {
    pub run: Run,
    pub directory: PathBuf,
}

/// Returns the kept run of this key, or carries it out. `key` says everything that it depends on.
pub(super) fn run_or_take(request: &RunRequest, key: &[&str]) -> Result<BaseRun, CommandError> {
    let state = dirs::state(&request.environment)
        .ok_or_else(|| CommandError::usage("there is no directory for state: set HOME"))?;
    let place = state.join("review/base");
    let version = env!("CARGO_PKG_VERSION");
    let key = digest(key.iter().copied().chain([version]).map(str::as_bytes));
    let kept = place.join(&key);
    if let Some(run) = take(&kept) {
        return Ok(run);
    }
    remove_old(&place);
    let own = place.join(format!("{key}.{}", std::process::id()));
    let request = RunRequest {
        reports: ReportPaths {
            directory: Some(own.clone()),
            junit: None,
        },
        ..request.clone()
    };
    let run = run::carry_out(&request)?.run;
    if !is_worth_keeping(&run) {
        return Ok(BaseRun {
            run,
            directory: own,
        });
    }
    // Another review may have been faster; its run says the same.
    let directory = match fs::rename(&own, &kept) {
        Ok(()) => kept,
        Err(_) => own,
    };
    Ok(BaseRun { run, directory })
}

fn take(kept: &Path) -> Option<BaseRun> {
    let age = fs::metadata(kept.join("result.json"))
        .ok()?
        .modified()
        .ok()?;
    if SystemTime::now()
        .duration_since(age)
        .is_ok_and(|age| age > KEPT)
    {
        return None;
    }
    let run = read::run(&kept.join("events.jsonl")).ok()?;
    is_worth_keeping(&run).then(|| BaseRun {
        run,
        directory: kept.to_owned(),
    })
}

/// Returns true for a run whose jobs all came to an end of their own.
fn is_worth_keeping(run: &Run) -> bool {
    let is_own_end = |outcome: JobOutcome| {
        !matches!(
            outcome,
            JobOutcome::Error | JobOutcome::Skipped | JobOutcome::Cancelled | JobOutcome::NotRun
        )
    };
    let has_ended = run
        .finished
        .as_ref()
        .is_some_and(|end| end.signal.is_none());
    has_ended && run.jobs().all(|job| job.outcome().is_some_and(is_own_end))
}

fn remove_old(place: &Path) {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    for entry in entries {
        let age = entry.metadata().and_then(|facts| facts.modified());
        let age = age
            .ok()
            .and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_some_and(|age| age > KEPT) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
