//! Asks make if it had anything to do, for a job whose output does not tell.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::child::Child;
use super::failure::Failure;
use super::job_watch::{JobWatch, TimeLimits};
use super::protocol::Spec;
use super::stop::Stops;
use crate::model::Command;
use crate::model::{Ending, Expect};
use crate::outcome::Trouble;
use crate::plan::Job;

/// The time that make gets to answer.
const LONGEST: Duration = Duration::from_secs(10);

/// Returns `make -q` with the job's own arguments, environment and directory. Returns `None` if the
/// job is not make, or need not run a recipe.
pub(super) fn question(job: &Job, spec: &Spec) -> Option<Spec> {
    let is_make = matches!(&job.command, Command::Run(words) if words.first().is_some_and(|word| is_make(word)));
    (job.expect == Expect::Commands && is_make).then(|| {
        let mut question = spec.clone();
        question.arguments.insert(0, "-q".into());
        // The job's control groups are gone by then.
        question.sandbox.groups.clear();
        question
    })
}

fn is_make(word: &str) -> bool {
    let name = Path::new(word).file_name();
    name == Some(OsStr::new("make")) || name == Some(OsStr::new("gmake"))
}

/// Returns true if make says that there is nothing to do, with exit code 0 (see "Options Summary"
/// in its manual). Any other answer, or none, is no sign against the job.
///
/// # Errors
/// If make cannot be started, or the run was cancelled meanwhile.
pub(super) fn ask(
    program: &Path,
    question: Spec,
    left: Duration,
    stops: &mut Stops,
) -> Result<bool, Failure> {
    let limits = TimeLimits {
        timeout: left.min(LONGEST),
        grace: Duration::ZERO,
    };
    let watched = JobWatch::new(Child::start(program, question)?, None, stops, limits).run();
    match watched.failure {
        Some(failure) if matches!(failure.trouble, Trouble::Cancelled(_)) => Err(failure),
        Some(_) => Ok(false),
        None => Ok((watched.ended.and_then(|ended| ended.ending)).is_some_and(Ending::is_success)),
    }
}
