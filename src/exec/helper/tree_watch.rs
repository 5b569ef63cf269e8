//! The loop of the helper, from the start of the job to the end of its last process.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::leftover_processes;
use super::leftover_processes::{Before, NAMED};
use super::set_id;
use super::set_id::Tripwire;
use super::tree::Tree;
use crate::event::LeftBehind;
use crate::exec::isolation::Space;
use crate::exec::poll::poll_timeout;
use crate::exec::protocol::{Channel, JobEnded, Order, Report};

/// Time for the other processes to end after the job's own process. A `tee` behind a shell's
/// process substitution still writes the last lines then. Only later processes count as left
/// behind.
const SETTLE: Duration = Duration::from_millis(100);

/// Time limit for KILL. A process that takes longer hangs in the kernel: it is reported, not waited
/// for.
const KILL_TIME: Duration = Duration::from_millis(500);

/// The same limit, if nobody waits for the report.
const KILL_TIME_ALONE: Duration = Duration::from_secs(60);

/// The helper of one job, while the job runs.
pub(super) struct TreeWatch<'control> {
    control: &'control mut Channel,
    children: UnixStream,
    tree: Tree,
    before: Before,
    /// Notices set-user-ID programs of the job, and knows where it can write them; `None` if they
    /// do not matter.
    tripwire: Option<(Tripwire, &'control Space)>,
    started: SystemTime,
    /// Time to kill what the job has left behind; `None` while its own process runs.
    settled: Option<Instant>,
}

/// The reason to kill the job.
enum Kill {
    /// An order, or the job has ended and left processes.
    Due,
    /// The supervisor is gone.
    Alone,
}

impl<'control> TreeWatch<'control> {
    /// Creates the watch. `before` is the state before the job.
    pub fn new(
        job: i32,
        control: &'control mut Channel,
        children: UnixStream,
        before: Before,
    ) -> Self {
        Self {
            before,
            tripwire: None,
            started: SystemTime::now(),
            control,
            children,
            tree: Tree::new(job),
            settled: None,
        }
    }

    /// Adds the tripwire, so that the noticed programs are searched for.
    pub fn with_tripwire(self, tripwire: Option<(Tripwire, &'control Space)>) -> Self {
        Self { tripwire, ..self }
    }

    /// Returns when no process of the job is left and that is reported. Fails if it cannot be
    /// reported.
    pub fn run(mut self) -> io::Result<()> {
        let watched = self.watch();
        if watched.is_err() {
            self.tree.kill(Instant::now() + KILL_TIME_ALONE);
        }
        let mut left = watched?.unwrap_or_else(|| self.before.compare(&[]));
        self.take_bits_away(&mut left);
        let ended = self.ended(left)?;
        self.control.send(&Report::Ended(Box::new(ended)))
    }

    /// Returns when no process of the job is left, or when even KILL did not end it in time. If
    /// processes were left behind, returns everything that was.
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

    fn take_bits_away(&self, left: &mut LeftBehind) {
        let Some((_, space)) = (self.tripwire.as_ref()).filter(|(wire, _)| wire.is_tripped())
        else {
            return;
        };
        let (mut taken, unknown) = set_id::take_away(space, self.started);
        left.more_set_id = taken.len().saturating_sub(NAMED) as u64;
        taken.truncate(NAMED);
        left.set_id = taken;
        left.unknown.extend(unknown.into_iter().take(NAMED));
    }

    /// Waits for an order, the end of a child, a call that waits for this process, or a deadline.
    /// Returns true if there are orders.
    fn wait(&mut self) -> io::Result<bool> {
        let (control, children) = (self.control.as_fd(), self.children.as_fd());
        let wire = self.tripwire.as_ref().and_then(|(wire, _)| wire.as_fd());
        let mut sources: Vec<_> = ([Some(control), Some(children), wire].into_iter().flatten())
            .map(|source| PollFd::new(source, PollFlags::POLLIN))
            .collect();
        match poll(&mut sources, poll_timeout(self.settled)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_ready = |index: usize| {
            let source: Option<&PollFd<'_>> = sources.get(index);
            source.is_some_and(|source| source.any() == Some(true))
        };
        let (control, children, call) = (is_ready(0), is_ready(1), is_ready(2));
        if children {
            let _ = self.children.read(&mut [0; 64]);
        }
        if call && let Some((wire, _)) = &mut self.tripwire {
            wire.take_notice();
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

    fn ended(&self, left: LeftBehind) -> io::Result<JobEnded> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        Ok(JobEnded {
            ending: self.tree.ending,
            cpu_seconds: seconds(usage.user_time()) + seconds(usage.system_time()),
            // The kernel counts in KiB, see getrusage(2).
            peak_memory: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024,
            left,
            survivors: if self.tree.is_empty {
                Vec::new()
            } else {
                leftover_processes::described(&self.tree.alive())
            },
        })
    }
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}
