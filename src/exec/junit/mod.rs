//! Takes the cases of a job from the JUnit files that it writes.
//!
//! Only files that the job wrote count, and every one of them has to be whole. They are read by the
//! reader of `report merge`. Nothing is followed on the way: no link, and no pipe is waited for.

mod cases;
mod files;

use std::path::Path;

use crate::config::proxy_credentials;
use crate::model::Tally;
use crate::outcome::Circumstance;
use crate::plan::Job;
use crate::report::model::Spool;
use crate::report::read::read_junit;
use crate::text::secrets::KnownSecrets;

use cases::Cases;
pub(in crate::exec) use cases::JunitCase;
use files::{Found, Look};

/// The matching files before a job.
#[derive(Debug)]
pub(super) struct JunitFiles {
    look: Look,
    /// The state before the job, or the reason why it is not known.
    before: Result<Found, Circumstance>,
}

/// The cases of the files that a job wrote.
#[derive(Debug, Default)]
pub(super) struct JunitResult {
    pub cases: Vec<JunitCase>,
    /// The files that were read.
    pub files: usize,
    /// The reason why they do not vouch for the job.
    pub problem: Option<Circumstance>,
}

impl JunitFiles {
    /// Looks at the files before the job; `None` if its step names none.
    pub fn before(job: &Job) -> Option<Self> {
        if job.junit.is_empty() {
            return None;
        }
        let look = Look::new(&job.directory, &job.junit);
        let before = look.find();
        Some(Self { look, before })
    }

    /// Reads the files that were written since. The secrets of the job are masked.
    pub fn read(&self, job: &Job) -> JunitResult {
        let mut cases = Cases::default();
        let mut files = 0;
        let problem = self.read_into(job, &mut cases, &mut files).err();
        JunitResult {
            cases: cases.found,
            files,
            problem,
        }
    }

    fn read_into(
        &self,
        job: &Job,
        cases: &mut Cases,
        files: &mut usize,
    ) -> Result<(), Circumstance> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        let after = self.look.find()?;
        if after.is_empty() {
            return Err(missing(&job.junit));
        }
        for (path, file) in &after {
            if !file.was_written_since(before.get(path), self.look.began()) {
                return Err(stale(path));
            }
            let bytes = masked(job, file.bytes());
            let document =
                read_junit(&bytes[..], &Spool::default()).map_err(|error| broken(path, &error))?;
            cases.add(document);
            *files += 1;
        }
        Ok(())
    }
}

/// Compares the cases of the files with those that the output tells. The files may have more that
/// were skipped: googletest lists disabled tests there alone.
pub(super) fn contradiction(files: &Tally, output: &Tally) -> Option<Circumstance> {
    let bad_files = files.bad() > 0;
    let bad_output = output.bad() > 0;
    let same = files.passed == output.passed && files.skipped >= output.skipped;
    if output.total() == 0 || bad_files || same && !bad_output {
        return None;
    }
    Some(Circumstance {
        what: format!(
            "its output tells of {}, and its JUnit files of {}",
            told(output),
            told(files)
        ),
        fix: "see that `junit` names the files of all its tests and of nothing else".to_owned(),
    })
}

fn told(tally: &Tally) -> String {
    format!(
        "{} passed, {} failed, {} skipped cases",
        tally.passed,
        tally.bad(),
        tally.skipped
    )
}

fn missing(patterns: &[String]) -> Circumstance {
    Circumstance {
        what: format!("it wrote no JUnit file ({})", patterns.join(", ")),
        fix: "see where its tests write their report, and name that in `junit` of its step"
            .to_owned(),
    }
}

fn stale(path: &Path) -> Circumstance {
    Circumstance {
        what: format!("{} is older than the job", path.display()),
        fix: "have the step remove old reports before its tests, or name only those that it writes"
            .to_owned(),
    }
}

fn broken(path: &Path, why: &dyn std::fmt::Display) -> Circumstance {
    Circumstance {
        what: format!("{} {why}", path.display()),
        fix: "see in the log why its writer did not come to the end".to_owned(),
    }
}

fn masked(job: &Job, bytes: &[u8]) -> Vec<u8> {
    let mut mask = KnownSecrets::new(&proxy_credentials(&job.environment));
    let mut masked = mask.pass(bytes).into_owned();
    masked.extend(mask.finish());
    masked
}

#[cfg(test)]
mod tests;
