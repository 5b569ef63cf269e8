//! Asking make whether it had anything to do, where a job's output does not tell.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::child::Child;
use super::failure::Failure;
use super::protocol::Spec;
use super::stop::Stops;
use super::watch::{Limits, Watch};
use crate::model::Command;
use crate::model::{Ending, Expect};
use crate::outcome::Trouble;
use crate::plan::Job;

/// How long make may think about it.
const LONGEST: Duration = Duration::from_secs(10);

/// `make -q` with the job's own arguments, environment and directory; none when the job is no make, or does not have to
/// have run a recipe.
pub(super) fn question(job: &Job, spec: &Spec) -> Option<Spec> {
    let is_make = matches!(&job.command, Command::Run(words) if words.first().is_some_and(|word| is_make(word)));
    (job.expect == Expect::Commands && is_make).then(|| {
        let mut question = spec.clone();
        question.arguments.insert(0, "-q".into());
        // They are gone when it is asked.
        question.sandbox.groups.clear();
        question
    })
}

fn is_make(word: &str) -> bool {
    let name = Path::new(word).file_name();
    name == Some(OsStr::new("make")) || name == Some(OsStr::new("gmake"))
}

/// Whether make says that there is nothing to do: exit code 0, see "Options Summary" in its manual. Anything else, no answer
/// included, is no sign against the job. An error when it could not be asked, or when the run was ended meanwhile.
pub(super) fn ask(
    program: &Path,
    question: Spec,
    left: Duration,
    stops: &mut Stops,
) -> Result<bool, Failure> {
    let limits = Limits {
        timeout: left.min(LONGEST),
        grace: Duration::ZERO,
    };
    let watched = Watch::new(Child::start(program, question)?, None, stops, limits).run();
    match watched.failure {
        Some(failure) if matches!(failure.trouble, Trouble::Cancelled(_)) => Err(failure),
        Some(_) => Ok(false),
        None => Ok((watched.ended.and_then(|ended| ended.ending)).is_some_and(Ending::is_success)),
    }
}
