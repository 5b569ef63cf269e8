//! The supervisor's end of a helper.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::getpgrp;
use os_pipe::PipeReader;

use super::failure::Failure;
use super::orphans;
use super::protocol::{ARGUMENT, Channel, Order, Received, Report, Spec};

/// What the output pipe holds: the most an unprivileged process may ask for (see pipe(7)), so that a flood needs few turns.
pub(super) const PIPE_SIZE: usize = 1024 * 1024;

/// How long a helper may take to end the namespace it guards, which is empty by then.
const END_TIME: Duration = Duration::from_secs(5);

/// How long orphans may take to end once killed.
const SWEEP_TIME: Duration = Duration::from_millis(250);

/// A job that was handed to a helper of its own.
#[derive(Debug)]
pub(super) struct Child {
    channel: Channel,
    handle: duct::Handle,
    pid: i32,
    /// The job cannot reach its helper.
    is_out_of_reach: bool,
}

impl Child {
    /// Starts a helper and hands it the job. Standard output and error come out of the pipe as one.
    pub fn start(program: &Path, spec: Spec) -> Result<(Self, PipeReader), Failure> {
        let system = |error: &io::Error| Failure::of_system("the job's pipe or socket", error);
        let (ours, theirs) = UnixStream::pair().map_err(|error| system(&error))?;
        let (output, input) = output_pipe().map_err(|error| system(&error))?;
        let (handle, pid) = orphans::start_known(|| {
            let expression = duct::cmd(program, [ARGUMENT])
                .stdin_file(theirs)
                // duct applies the last redirection first: standard error becomes a copy of the pipe.
                .stderr_to_stdout()
                .stdout_file(input)
                .full_env::<_, String, String>([])
                .unchecked()
                .before_spawn(|command| {
                    command.arg0("kata-ci");
                    // Out of the way of the terminal's signals until it has a session of its own. Out of a group that
                    // lies outside of this namespace of processes there is no way back, which making a session needs.
                    if getpgrp().as_raw() != 0 {
                        command.process_group(0);
                    }
                    Ok(())
                });
            let handle = expression.start()?;
            let pid = handle.pids().first().copied().unwrap_or_default() as i32;
            Ok(((handle, pid), pid))
        })
        .map_err(|error: io::Error| Failure::of_path("cannot start", program, &error))?;
        let mut child = Self {
            channel: Channel::new(ours),
            handle,
            pid,
            is_out_of_reach: spec.sandbox.space.is_some(),
        };
        match child.channel.send(&Order::Start(Box::new(spec))) {
            Ok(()) => Ok((child, output)),
            Err(error) => {
                child.end_by_force();
                Err(Failure::of_system("handing over the job", &error))
            }
        }
    }

    /// Sends an order. A helper that is gone is seen as the end of its reports.
    pub fn order(&mut self, order: &Order) {
        let _ = self.channel.send(order);
    }

    /// Takes the reports that are there; waits when there are none.
    pub fn receive(&mut self) -> io::Result<Received<Report>> {
        self.channel.receive()
    }

    /// Ends the helper, which has reported that nothing is left. Returns what even KILL did not end in time.
    pub fn finish(&mut self) -> Vec<String> {
        if self.is_out_of_reach {
            // It sees the end of the connection, and has the namespace ended by then; unless somebody has stopped it.
            self.channel.shut_down();
            if !matches!(self.handle.wait_timeout(END_TIME), Ok(Some(_))) {
                return self.end_by_force();
            }
        } else {
            // It is about to end by itself; this way nobody can keep it from it.
            let _ = self.handle.kill();
        }
        self.wait();
        Vec::new()
    }

    fn wait(&mut self) {
        let _ = self.handle.wait();
        orphans::forget(self.pid);
    }

    /// Ends a helper that did not come to its end, and all that it leaves. Returns what even KILL did not end in time.
    pub fn end_by_force(&mut self) -> Vec<String> {
        let _ = self.handle.kill();
        self.wait();
        orphans::sweep(Instant::now() + SWEEP_TIME)
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// A pipe whose reading end never waits, so that it can be emptied without waiting for who still holds the other.
fn output_pipe() -> io::Result<(PipeReader, os_pipe::PipeWriter)> {
    let (reader, writer) = os_pipe::pipe()?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    // A system with a lower limit keeps its own size.
    let _ = fcntl(&reader, FcntlArg::F_SETPIPE_SZ(PIPE_SIZE as i32));
    Ok((reader, writer))
}
