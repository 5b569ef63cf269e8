//! Writes the output of jobs that did not pass into the log, folded in the way of the CI system.
//!
//! - GitHub: `::group::TITLE` to `::endgroup::`. Between them commands are stopped with a token
//!   that nobody can guess (docs.github.com, Workflow commands: "Grouping log lines", "Stopping and
//!   starting workflow commands").
//! - GitLab: `section_start:TIME:NAME[collapsed=true]\r\e[0KTITLE` to
//!   `section_end:TIME:NAME\r\e[0K`, names of letters, digits, `_`, `.` and `-` (docs.gitlab.com,
//!   CI/CD job logs, "Custom collapsible sections"). GitLab shows the time between the two, so they
//!   carry the times at which the job began and ended.
//!
//! The other systems fold nothing. Their logs get no output, and the summary names the log files.
//! The output is bounded, because GitLab cuts a log at 4 MiB (docs.gitlab.com, `output_limit` of a
//! runner).

use super::Ci;
use crate::event::JobFinished;
use crate::fs::Directory;
use crate::model::JobOutcome;
use crate::report::LogReader;
use crate::report::Style;
use crate::report::annotations::data;
use crate::report::excerpt::is_inside;
use crate::report::format::LINE_CAP;
use crate::text;

/// The most output shown of a job, in bytes.
const JOB: usize = 64 * 1024;

/// The most output shown of all jobs, in bytes.
const ALL: usize = 1024 * 1024;

/// The output of one job, ready to be written.
pub(in crate::report) struct Fold {
    /// Commands of the CI system, to be written unchanged.
    pub open: Vec<String>,
    /// Lines of the job, which are untrusted.
    pub lines: Vec<String>,
    /// Commands of the CI system, to be written unchanged.
    pub close: Vec<String>,
}

/// Folds the output of one job after another.
pub(in crate::report) struct Folds {
    system: Ci,
    directory: Directory,
    token: String,
    room: usize,
    count: usize,
}

impl Folds {
    /// Makes the folds of a system; `None` if it has none. The logs lie in `directory`.
    pub fn new(system: Ci, directory: Directory) -> Option<Self> {
        let folds = matches!(system, Ci::GitHub | Ci::GitLab);
        folds.then(|| Self {
            system,
            directory,
            token: token(),
            room: ALL,
            count: 0,
        })
    }

    /// Folds the output of a job that has just ended; `None` for a job that passed or never ran.
    pub fn of(&mut self, job: &JobFinished, now: jiff::Timestamp, style: &Style) -> Option<Fold> {
        let is_shown = matches!(
            job.outcome,
            JobOutcome::Failed | JobOutcome::TimedOut | JobOutcome::Error | JobOutcome::Vacuous
        );
        let log = job.log.as_deref().filter(|_| is_shown)?;
        let lines = self.excerpt(log);
        self.count += 1;
        let (name, log) = (
            style.foreign(job.job.as_str(), LINE_CAP),
            style.foreign(log, LINE_CAP),
        );
        let title = format!("output of {name} ({log})");
        let (open, close) = self.marks(job, now, &title);
        Some(Fold { open, lines, close })
    }

    fn excerpt(&mut self, log: &str) -> Vec<String> {
        if self.room == 0 {
            return vec!["left out: there is too much in this log already".to_owned()];
        }
        if !is_inside(log) {
            return Vec::new();
        }
        let cap = self.room.min(JOB);
        let opened = LogReader::open(&self.directory, log);
        match opened.and_then(|mut log| log.whole(cap)) {
            Ok(output) => {
                self.room -= output.len().min(self.room);
                let line = |line| format!("    | {}", text::undeceptive(line));
                output.lines().map(line).collect()
            }
            Err(error) => vec![format!("    the log cannot be read: {error}")],
        }
    }

    fn marks(
        &self,
        job: &JobFinished,
        now: jiff::Timestamp,
        title: &str,
    ) -> (Vec<String>, Vec<String>) {
        if self.system == Ci::GitHub {
            let token = &self.token;
            return (
                vec![
                    format!("::group::{}", data(title)),
                    format!("::stop-commands::{token}"),
                ],
                vec![format!("::{token}::"), "::endgroup::".to_owned()],
            );
        }
        let (end, name) = (now.as_second(), section(self.count, job.job.as_str()));
        let start = end - job.seconds.max(0.0) as i64;
        (
            vec![format!(
                "\u{1b}[0Ksection_start:{start}:{name}[collapsed=true]\r\u{1b}[0K{title}"
            )],
            vec![format!("\u{1b}[0Ksection_end:{end}:{name}\r\u{1b}[0K")],
        )
    }
}

/// Returns a unique name for a section: `kata-ci-1-agent.test`.
fn section(number: usize, job: &str) -> String {
    let allowed = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        '.' | '_' => letter,
        _ => '-',
    };
    let job: String = job.chars().map(allowed).collect();
    format!("kata-ci-{number}-{job}")
}

/// Returns 128 random bits. A job cannot know them, and so cannot start the commands again.
fn token() -> String {
    let mut bytes = [0; 16];
    // The call blocks at boot only, and briefly. A signal does not interrupt it for so few bytes.
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(16) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        // Without randomness the lines are still harmless by themselves.
        _ => format!("kata-ci-{}", std::process::id()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_the_same_and_none_is_a_command() {
        let (one, other) = (token(), token());
        assert_ne!(one, other);
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_section_has_a_name_of_what_is_allowed() {
        assert_eq!(section(3, "é[x].test"), "kata-ci-3---x-.test");
    }
}
