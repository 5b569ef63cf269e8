//! The supervisor's loop: one job from its start to the end of its last process.

use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, poll};
use os_pipe::PipeReader;

use super::child::{Child, PIPE_SIZE};
use super::failure::Failure;
use super::output::Output;
use super::poll::poll_timeout;
use super::protocol::{JobEnded, Order, Report};
use super::stop::{Stop, Stops};
use crate::outcome::Trouble;

/// The time that the helper gets from KILL to its report, a little more than it gives the killed
/// processes. After it, a helper that was stopped, or whose job the kernel does not let go, is
/// ended by force.
const REPORT_TIME: Duration = Duration::from_millis(650);

/// The bytes taken from the pipe at once.
const CHUNK: usize = 128 * 1024;

/// The wait if no deadline can be computed.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The limits of a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The time from the start to TERM.
    pub timeout: Duration,
    /// The time from TERM to KILL.
    pub grace: Duration,
}

/// The end of a job's processes.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The helper's report, if it gave one.
    pub ended: Option<JobEnded>,
    /// The first failure that kept the job from its own end.
    pub failure: Option<Failure>,
    /// The reason why its sandbox could not be set up.
    pub refused: Option<String>,
    /// The processes that could not be ended.
    pub survivors: Vec<String>,
}

impl Watched {
    /// Returns true if the job was ended on purpose.
    pub fn is_cancelled(&self) -> bool {
        let failure = self.failure.as_ref();
        failure.is_some_and(|failure| matches!(failure.trouble, Trouble::Cancelled(_)))
    }
}

/// The phase of a job, with the deadline after which the next phase begins.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Running(Instant),
    Terminated(Instant),
    Killed(Instant),
}

impl Phase {
    fn deadline(self) -> Instant {
        match self {
            Self::Running(time) | Self::Terminated(time) | Self::Killed(time) => time,
        }
    }
}

/// The watch over one running job.
#[derive(Debug)]
pub(super) struct JobWatch<'job, 'run> {
    child: Child,
    pipe: PipeReader,
    /// The receiver of the output; `None` if it is thrown away.
    output: Option<&'job mut Output<'run>>,
    stops: &'job mut Stops,
    limits: TimeLimits,
    phase: Phase,
    watched: Watched,
    chunk: Vec<u8>,
    /// True if the log cannot be written. Further output is thrown away, so that the job can end.
    is_deaf: bool,
}

/// The sources that [`poll`] found ready.
struct Ready {
    reports: bool,
    stops: bool,
    output: bool,
}

impl<'job, 'run> JobWatch<'job, 'run> {
    pub fn new(
        (child, pipe): (Child, PipeReader),
        output: Option<&'job mut Output<'run>>,
        stops: &'job mut Stops,
        limits: TimeLimits,
    ) -> Self {
        Self {
            child,
            pipe,
            output,
            stops,
            limits,
            phase: Phase::Running(after(limits.timeout)),
            watched: Watched::default(),
            chunk: vec![0; CHUNK],
            is_deaf: false,
        }
    }

    /// Watches until no process of the job is left and all its output is taken.
    pub fn run(mut self) -> Watched {
        loop {
            let is_sent = self.send();
            let ready = self.wait(is_sent);
            if ready.reports && self.take_reports() {
                return self.finish();
            }
            if ready.stops {
                self.take_stops();
            }
            if ready.output {
                self.take_output();
            }
            if self.pass_deadline() {
                return self.finish();
            }
        }
    }

    /// Sends the findings. Returns true if more may be read.
    fn send(&mut self) -> bool {
        match self
            .output
            .as_mut()
            .map_or(Ok(true), |output| output.send())
        {
            Ok(is_sent) => is_sent,
            Err(_) => {
                self.output = None;
                self.kill(Failure::infrastructure(
                    "nobody listens to the run any more",
                ));
                true
            }
        }
    }

    fn wait(&mut self, reads_output: bool) -> Ready {
        let output = if reads_output {
            PollFlags::POLLIN
        } else {
            PollFlags::empty()
        };
        let mut sources = [
            PollFd::new(self.child.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.stops.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.pipe.as_fd(), output),
        ];
        // Waiting findings are tried again at once, because sending itself waits.
        let deadline = if reads_output {
            self.phase.deadline()
        } else {
            Instant::now()
        };
        let found = poll(&mut sources, poll_timeout(Some(deadline)));
        let is_ready = |index: usize| found.is_ok() && sources[index].any() == Some(true);
        Ready {
            reports: is_ready(0),
            stops: is_ready(1),
            output: reads_output && is_ready(2),
        }
    }

    /// Takes the reports that are there. Returns true if the last one has come.
    fn take_reports(&mut self) -> bool {
        let Ok(received) = self.child.receive() else {
            return true;
        };
        for report in received.messages {
            match report {
                Report::Started { .. } => {}
                Report::SpawnFailed { errno, what } => {
                    self.fail(spawn_failure(errno, &what));
                    self.watched.ended = Some(JobEnded::default());
                    return true;
                }
                Report::Refused { what } => {
                    self.fail(
                        Failure::infrastructure(format!("the job could not be isolated: {what}"))
                            .fix("run it with --isolate off --network on, if it may run without"),
                    );
                    self.watched.refused = Some(what);
                    self.watched.ended = Some(JobEnded::default());
                    return true;
                }
                Report::Ended(ended) => {
                    self.watched.ended = Some(*ended);
                    return true;
                }
            }
        }
        received.is_last
    }

    fn take_stops(&mut self) {
        while let Some(stop) = self.stops.next() {
            match stop {
                Stop::Term(why) => self.terminate(Failure::cancelled(why)),
                Stop::Kill(why) => self.kill(Failure::cancelled(why)),
            }
        }
    }

    /// Takes the output of one read, and returns its length; 0 if there is none.
    fn take_output(&mut self) -> usize {
        loop {
            match self.pipe.read(&mut self.chunk) {
                Ok(length) => {
                    self.feed(length);
                    return length;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return 0,
                Err(error) => {
                    self.is_deaf = true;
                    self.terminate(Failure::of_system("reading the job's output", &error));
                    return 0;
                }
            }
        }
    }

    fn feed(&mut self, length: usize) {
        let Some(output) = self.output.as_mut().filter(|_| !self.is_deaf) else {
            return;
        };
        if let Err(failure) = output.feed(&self.chunk[..length]) {
            self.is_deaf = true;
            self.terminate(failure);
        }
    }

    /// Acts on a deadline that has passed. Returns true if nothing more can be done.
    fn pass_deadline(&mut self) -> bool {
        if Instant::now() < self.phase.deadline() {
            return false;
        }
        match self.phase {
            Phase::Running(_) => {
                let seconds = self.limits.timeout.as_secs_f64();
                self.terminate(Failure {
                    trouble: Trouble::Timeout(seconds),
                    fix: None,
                });
                false
            }
            Phase::Terminated(_) => {
                self.order_kill();
                false
            }
            Phase::Killed(_) => true,
        }
    }

    fn terminate(&mut self, failure: Failure) {
        self.fail(failure);
        if let Phase::Running(_) = self.phase {
            self.phase = Phase::Terminated(after(self.limits.grace));
            self.child.order(&Order::Term);
        }
    }

    fn kill(&mut self, failure: Failure) {
        self.fail(failure);
        if !matches!(self.phase, Phase::Killed(_)) {
            self.order_kill();
        }
    }

    fn order_kill(&mut self) {
        self.phase = Phase::Killed(after(REPORT_TIME));
        self.child.order(&Order::Kill);
    }

    fn fail(&mut self, failure: Failure) {
        self.watched.failure.get_or_insert(failure);
    }

    /// Ends what is left of the job by force, and takes the output that is still in the pipe.
    fn finish(mut self) -> Watched {
        if (self.watched.ended.as_ref()).is_some_and(|ended| ended.survivors.is_empty()) {
            self.watched.survivors = self.child.finish();
        } else {
            let survivors = self.child.end_by_force();
            self.fail(forced(self.watched.ended.is_some(), &survivors));
            self.watched.survivors = survivors;
        }
        self.drain();
        self.watched
    }

    /// Takes the rest of the output, at most one pipe full. All processes of the job are gone, but
    /// one outside of the job may hold the other end and go on writing.
    fn drain(&mut self) {
        let mut taken = 0;
        while taken < PIPE_SIZE {
            match self.take_output() {
                0 => return,
                length => taken += length,
            }
        }
    }
}

fn forced(is_reported: bool, survivors: &[String]) -> Failure {
    let what = if is_reported {
        "processes of the job did not end when killed"
    } else {
        "the process that watches the job was stopped or killed, by the job or from outside; the job was ended"
    };
    match survivors {
        [] => Failure::infrastructure(what),
        survivors => Failure::infrastructure(format!("{what}; left: {}", survivors.join(", ")))
            .fix("end them by hand: they belong to another user (sudo), or wait in the kernel"),
    }
}

fn spawn_failure(errno: i32, what: &str) -> Failure {
    use nix::errno::Errno;
    let what = format!("cannot start {what}");
    let errno = Errno::from_raw(errno);
    let failure = match errno {
        Errno::ENOENT | Errno::ENOEXEC | Errno::E2BIG | Errno::EACCES => Failure::lasting(what),
        _ => Failure::infrastructure(what),
    };
    match errno {
        Errno::ENOENT => failure.fix("is the interpreter named in its first line installed?"),
        Errno::ENOEXEC => failure.fix("it is no program: does a script lack its `#!` line?"),
        Errno::E2BIG => failure.fix("shorten the step's script: put it into a file"),
        _ => failure,
    }
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now + FOREVER)
}
