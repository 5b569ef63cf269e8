//! All processes of the job: the helper's descendants.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::namespaces;
use crate::exec::processes;
use crate::exec::processes::Process;
use crate::model::Ending;

/// Between two looks for children when none has ended: long enough to let the killed end, and short enough to catch
/// another generation of those who fork to get away.
const PAUSE: Duration = Duration::from_micros(200);

/// Looks for children for each look at all processes.
const LOOKS: usize = 20;

/// What is known of the job's processes.
#[derive(Debug)]
pub(super) struct Tree {
    /// The job's own process.
    job: i32,
    /// How that one ended.
    pub ending: Option<Ending>,
    /// No process is left.
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

    /// Waits for everything that has ended. Says how many that were.
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

    /// Asks every process to end. Each gets the signal once: many programs take a second one for a harder one.
    pub fn terminate(&self) {
        let group = (self.ending.is_none()).then_some(self.job);
        if let Some(group) = group {
            // The group in one call: what forks meanwhile is not missed.
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
            let _ = killpg(Pid::from_raw(group), Signal::SIGCONT);
        }
        for process in self.processes() {
            if group != Some(process.group) {
                process.signal(Signal::SIGTERM);
                // One that is stopped could not act on it.
                process.signal(Signal::SIGCONT);
            }
        }
    }

    /// Kills until nothing is left or the time is up. The killed cannot start anything again, and whatever they leave comes
    /// to this process: so there is an end to it. Most jobs are one group, and need no look at all processes.
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
                // As pid 1 of a namespace: everything in it, in one call that nobody can fork away from.
                let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
                continue;
            }
            for process in self.processes() {
                process.signal(Signal::SIGKILL);
            }
        }
    }

    /// Kills those that are or have become children of this process, with as little as possible between seeing
    /// and killing. A process that forks and exits, over and over, is gone before a look at all is over.
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

    /// What is left.
    pub fn alive(&self) -> Vec<Process> {
        let mut left = self.processes();
        left.retain(|process| !process.is_zombie);
        left
    }

    fn processes(&self) -> Vec<Process> {
        processes::descendants(processes::all(), &[Pid::this().as_raw()])
    }
}
