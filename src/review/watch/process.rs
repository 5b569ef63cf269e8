//! A review in a process of its own.
//!
//! Invariants: it is in a process group of its own. It ends with the watcher, however that ends. It
//! has no right to post: it only writes `review.json`.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getppid};

use super::store::Run;
use crate::env::Environment;
use crate::text;

/// The bytes of its output that are looked at for the last words.
const LAST_WORDS: u64 = 4096;

/// The directory of the reports, in that of an attempt.
const REPORT: &str = "report";

/// The command of a review, without the patch set.
#[derive(Debug, Clone)]
pub struct ReviewCommand {
    /// The program.
    pub program: PathBuf,
    /// The arguments before the patch set.
    pub arguments: Vec<OsString>,
    /// The environment.
    pub environment: Environment,
    /// The address of the server's web page, without a slash at its end.
    pub server: String,
}

impl ReviewCommand {
    /// Returns the name of a patch set, with its project: so the server finds it without its index,
    /// which may lag.
    fn name(&self, run: &Run) -> String {
        let (server, project) = (&self.server, &run.project);
        format!("{server}/c/{project}/+/{}/{}", run.change, run.patch_set)
    }
}

/// A running review.
#[derive(Debug)]
pub struct ReviewProcess {
    /// The run.
    pub run: Run,
    /// The reason why it was cancelled, if it was.
    pub cancelled: Option<String>,
    child: Child,
    place: PathBuf,
    /// The time at which it is killed.
    kill_at: Option<Instant>,
}

/// Returns the report directory of an attempt that has this place.
pub fn report_directory(place: &Path) -> PathBuf {
    place.join(REPORT)
}

impl ReviewProcess {
    /// Starts the review of a patch set. It writes into a new directory, `place`.
    ///
    /// The process ends when the calling thread does.
    ///
    /// # Errors
    /// When directory or process cannot be made.
    pub fn start(command: &ReviewCommand, run: Run, place: PathBuf) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&place)?;
        let output = File::create(place.join("output.log"))?;
        let mut started = Command::new(&command.program);
        started
            .arg0("kata-ci")
            .args(&command.arguments)
            .arg(command.name(&run))
            .args(run.component.as_deref())
            .arg("--report-dir")
            .arg(report_directory(&place))
            .args(["--run-number", &run.number.to_string()])
            .env_clear()
            .envs(command.environment.iter())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        end_with_parent(&mut started);
        Ok(Self {
            run,
            cancelled: None,
            child: started.spawn()?,
            place,
            kill_at: None,
        })
    }

    /// Tells it to end, and kills it after `grace`. A second reason changes nothing.
    pub fn cancel(&mut self, why: &str, grace: Duration) {
        if self.cancelled.is_none() {
            self.cancelled = Some(why.to_owned());
            self.kill_at = Some(Instant::now() + grace);
            // Its jobs are ended by the process itself, in order.
            let _ = kill(self.pid(), Signal::SIGTERM);
        }
    }

    /// Kills its process group.
    pub fn kill(&self) {
        let _ = killpg(self.pid(), Signal::SIGKILL);
    }

    /// Returns its end, if it has ended. One that was told to end and does not is killed.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = self.child.try_wait()?;
        if ended.is_none() && self.kill_at.is_some_and(|at| at <= Instant::now()) {
            self.kill();
        }
        Ok(ended)
    }

    /// Returns its report directory.
    pub fn report(&self) -> PathBuf {
        report_directory(&self.place)
    }

    /// Returns its last error, or else the last line that it printed, cleaned.
    pub fn last_words(&self) -> String {
        let words = tail(&self.place.join("output.log")).unwrap_or_default();
        last_words(&text::clean_bytes(&words))
    }

    /// Returns its id, which is its own until [`Self::poll`] has returned its end.
    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }
}

/// Has the kernel kill the process when the thread that starts it ends.
pub fn end_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let set = move || {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have ended before.
        match getppid() == parent {
            true => Ok(()),
            false => Err(io::Error::from(nix::errno::Errno::ESRCH)),
        }
    };
    // SAFETY: prctl and getppid are system calls without memory of their own.
    unsafe {
        command.pre_exec(set);
    }
}

fn last_words(text: &str) -> String {
    let lines = || text.lines().rev().filter(|line| !line.trim().is_empty());
    // The way out of an error, which is for people at a terminal, stands below it.
    let error = lines().find(|line| line.starts_with("error"));
    let last = error.or_else(|| lines().next());
    text::one_line(last.unwrap_or("it printed nothing"), 300)
}

fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LAST_WORDS)))?;
    let mut words = Vec::new();
    file.take(LAST_WORDS).read_to_end(&mut words)?;
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::last_words;

    #[test]
    fn the_last_error_is_told_and_not_its_help() {
        let text = "error: older\nrunning\nerror: the index lags\n  = help: wait\n\n";
        assert_eq!(last_words(text), "error: the index lags");
        assert_eq!(last_words("one\n two \n"), "two");
        assert_eq!(last_words(""), "it printed nothing");
    }
}
