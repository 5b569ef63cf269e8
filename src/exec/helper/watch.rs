//! The helper's loop, from the start of the job to the end of its last process.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::leftovers;
use super::leftovers::Before;
use super::tree::Tree;
use crate::event::LeftBehind;
use crate::exec::protocol::{Channel, Ended, Order, Report};
use crate::exec::watch::poll_timeout;

/// How long what is left when the job's own process has ended may take to end by itself: a `tee` behind a shell's process
/// substitution is still writing the last lines then. Only who is still there afterwards was left behind.
const SETTLE: Duration = Duration::from_millis(100);

/// How long KILL may take. Longer is a process in the kernel's hands: it is reported, not waited for.
const KILL_TIME: Duration = Duration::from_millis(500);

/// The same, when nobody waits for the report.
const KILL_TIME_ALONE: Duration = Duration::from_secs(60);

/// The helper of one job, while the job runs.
pub(super) struct Watch<'control> {
    control: &'control mut Channel,
    children: UnixStream,
    tree: Tree,
    before: Before,
    /// When what the job has left behind is killed; none while its own process runs.
    settled: Option<Instant>,
}

/// Why the job is killed now.
enum Kill {
    /// It was ordered, or the job is over and something is left.
    Due,
    /// The supervisor is gone.
    Alone,
}

impl<'control> Watch<'control> {
    /// `before` is what there was before the job.
    pub fn new(
        job: i32,
        control: &'control mut Channel,
        children: UnixStream,
        before: Before,
    ) -> Self {
        Self {
            before,
            control,
            children,
            tree: Tree::new(job),
            settled: None,
        }
    }

    /// Returns when no process of the job is left, and that is reported; an error when that could not be reported.
    pub fn run(mut self) -> io::Result<()> {
        let watched = self.watch();
        if watched.is_err() {
            self.tree.kill(Instant::now() + KILL_TIME_ALONE);
        }
        let left = watched?.unwrap_or_else(|| self.before.compare(&[]));
        let ended = self.ended(left)?;
        self.control.send(&Report::Ended(ended))
    }

    /// Returns when no process of the job is left, or even KILL did not end it in time; with what it had left behind, should
    /// processes be among that.
    fn watch(&mut self) -> io::Result<Option<LeftBehind>> {
        while !self.tree.is_empty {
            match self.step()? {
                None => {}
                Some(Kill::Alone) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Kill::Due) => {
                    let is_over = self.tree.ending.is_some();
                    let left = is_over.then(|| self.before.compare(&self.tree.alive()));
                    self.tree.kill(Instant::now() + KILL_TIME);
                    return Ok(left);
                }
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> io::Result<Option<Kill>> {
        let is_ordered = self.wait()?;
        self.reap();
        if is_ordered && let Some(kill) = self.take_orders() {
            return Ok(Some(kill));
        }
        let is_settled = self.settled.is_some_and(|time| Instant::now() >= time);
        Ok((is_settled && !self.tree.is_empty).then_some(Kill::Due))
    }

    /// Waits for an order, for the end of a child or for what is left to settle. Says whether there are orders.
    fn wait(&mut self) -> io::Result<bool> {
        let mut sources = [
            PollFd::new(self.control.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.children.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut sources, poll_timeout(self.settled)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [control, children] = sources.map(|source| source.any() == Some(true));
        if children {
            let _ = self.children.read(&mut [0; 64]);
        }
        Ok(control)
    }

    fn reap(&mut self) {
        self.tree.reap();
        if self.tree.ending.is_some() {
            self.settled.get_or_insert(Instant::now() + SETTLE);
        }
    }

    fn take_orders(&mut self) -> Option<Kill> {
        let Ok(received) = self.control.receive::<Order>() else {
            return Some(Kill::Alone);
        };
        for order in received.messages {
            match order {
                Order::Start(_) => {}
                Order::Term => self.tree.terminate(),
                Order::Kill => return Some(Kill::Due),
            }
        }
        received.is_last.then_some(Kill::Alone)
    }

    fn ended(&self, left: LeftBehind) -> io::Result<Ended> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        Ok(Ended {
            ending: self.tree.ending,
            cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
            // The kernel counts in KiB, see getrusage(2).
            peak_memory: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024,
            left,
            survivors: if self.tree.is_empty {
                Vec::new()
            } else {
                leftovers::described(&self.tree.alive())
            },
        })
    }
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}
