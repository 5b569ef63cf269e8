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

/// The capacity of the output pipe, so that a flood of output needs few reads. An unprivileged
/// process may ask for no more, see pipe(7).
pub(super) const PIPE_SIZE: usize = 1024 * 1024;

/// The time that a helper gets to end its namespace, which is empty by then.
const END_TIME: Duration = Duration::from_secs(5);

/// The time that killed orphans get to end.
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
    /// Starts a helper and hands it the job. The pipe carries standard output and error together.
    pub fn start(program: &Path, spec: Spec) -> Result<(Self, PipeReader), Failure> {
        let system = |error: &io::Error| Failure::of_system("the job's pipe or socket", error);
        let (ours, theirs) = UnixStream::pair().map_err(|error| system(&error))?;
        let (output, input) = output_pipe().map_err(|error| system(&error))?;
        let (handle, pid) = orphans::start_known(|| {
            let expression = duct::cmd(program, [ARGUMENT])
                .stdin_file(theirs)
                // duct applies the last redirection first: standard error becomes a copy of the
                // pipe.
                .stderr_to_stdout()
                .stdout_file(input)
                .full_env::<_, String, String>([])
                .unchecked()
                .before_spawn(|command| {
                    command.arg0("kata-ci");
                    // Keeps the terminal's signals away until the helper has a session of its own.
                    // A process whose group lies outside of this pid namespace could not leave it
                    // later, and making a session needs that.
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

    /// Sends an order. The end of its reports shows a helper that is gone.
    pub fn order(&mut self, order: &Order) {
        let _ = self.channel.send(order);
    }

    /// Takes the reports that are there, and waits if there are none.
    pub fn receive(&mut self) -> io::Result<Received<Report>> {
        self.channel.receive()
    }

    /// Ends the helper after it reported that no process is left. Returns the processes that even
    /// KILL did not end in time.
    pub fn finish(&mut self) -> Vec<String> {
        if self.is_out_of_reach {
            // The helper sees the end of the connection and ends the namespace, unless it was
            // stopped.
            self.channel.shut_down();
            if !matches!(self.handle.wait_timeout(END_TIME), Ok(Some(_))) {
                return self.end_by_force();
            }
        } else {
            // The helper is about to end by itself. KILL makes sure that nobody can prevent it.
            let _ = self.handle.kill();
        }
        self.wait();
        Vec::new()
    }

    fn wait(&mut self) {
        let _ = self.handle.wait();
        orphans::forget(self.pid);
    }

    /// Ends by force a helper that did not end in time, and all processes that it leaves. Returns
    /// the processes that even KILL did not end in time.
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

/// Makes a pipe whose reading end never waits, so it can be emptied while others hold the other
/// end.
fn output_pipe() -> io::Result<(PipeReader, os_pipe::PipeWriter)> {
    let (reader, writer) = os_pipe::pipe()?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    // A system with a lower limit keeps its own size.
    let _ = fcntl(&reader, FcntlArg::F_SETPIPE_SZ(PIPE_SIZE as i32));
    Ok((reader, writer))
}
