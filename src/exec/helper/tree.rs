//! The processes of the job: all descendants of the helper.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::namespaces;
use crate::exec::processes;
use crate::exec::processes::Process;
use crate::model::Ending;

/// Pause between two searches for children if none has ended. It is long enough for killed
/// processes to end, and short enough to catch the next generation of processes that fork to
/// escape.
const PAUSE: Duration = Duration::from_micros(200);

/// Number of searches for children for each scan of all processes.
const LOOKS: usize = 20;

/// The processes of the job.
#[derive(Debug)]
pub(super) struct Tree {
    /// The job's own process.
    job: i32,
    /// The end of the job's own process.
    pub ending: Option<Ending>,
    /// True if no process is left.
    pub is_empty: bool,
}

impl Tree {
    pub fn new(job: i32) -> Self {
        Self {
            job,
            ending: None,
            is_empty: false,
        }
    }

    /// Reaps every process that has ended, and returns their number.
    pub fn reap(&mut self) -> usize {
        let mut reaped = 0;
        loop {
            match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => self.ended(pid, Ending::ExitCode(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    self.ended(pid, Ending::Signal(signal as i32));
                }
                Err(Errno::ECHILD) => {
                    self.is_empty = true;
                    return reaped;
                }
                Err(Errno::EINTR) => continue,
                _ => return reaped,
            }
            reaped += 1;
        }
    }

    fn ended(&mut self, pid: Pid, ending: Ending) {
        if pid.as_raw() == self.job {
            self.ending.get_or_insert(ending);
        }
    }

    /// Asks every process to end. Each gets the signal once, because many programs end harder on a
    /// second one.
    pub fn terminate(&self) {
        let group = (self.ending.is_none()).then_some(self.job);
        if let Some(group) = group {
            // One call for the group does not miss what forks meanwhile.
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
            let _ = killpg(Pid::from_raw(group), Signal::SIGCONT);
        }
        for process in self.processes() {
            if group != Some(process.group) {
                process.signal(Signal::SIGTERM);
                // A stopped process could not react.
                process.signal(Signal::SIGCONT);
            }
        }
    }

    /// Kills until nothing is left or the time is up. Killed processes cannot start others, and
    /// their children come to this process, so it ends. Most jobs are one group, and need no scan
    /// of all processes.
    pub fn kill(&mut self, deadline: Instant) {
        if self.ending.is_none() {
            let _ = killpg(Pid::from_raw(self.job), Signal::SIGKILL);
        }
        loop {
            self.kill_children();
            if self.is_empty || Instant::now() >= deadline {
                return;
            }
            if namespaces::is_init() {
                // For pid 1 of a namespace, one call kills everything in it, and nothing can fork
                // away.
                let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
                continue;
            }
            for process in self.processes() {
                process.signal(Signal::SIGKILL);
            }
        }
    }

    /// Kills the children of this process, with as little time as possible between finding and
    /// killing. A process that forks and exits over and over is gone before a scan of all processes
    /// ends.
    fn kill_children(&mut self) {
        for _ in 0..LOOKS {
            for child in processes::children_of_this_thread() {
                let _ = kill(child, Signal::SIGKILL);
            }
            let reaped = self.reap();
            if self.is_empty {
                return;
            }
            if reaped == 0 {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// Returns the processes that are left.
    pub fn alive(&self) -> Vec<Process> {
        let mut left = self.processes();
        left.retain(|process| !process.is_zombie);
        left
    }

    fn processes(&self) -> Vec<Process> {
        processes::descendants(processes::all(), &[Pid::this().as_raw()])
    }
}
