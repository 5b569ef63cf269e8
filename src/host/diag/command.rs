//! Runs one program within bounds: of time, of bytes, and without waiting for what cannot be ended.
//!
//! A [`crate::probe::Probe`] that prints too much, or takes too long, has no answer. Here the part
//! that came is kept, since a bug report is better off with half an answer.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::raw::{Bounded, End, Keep, Raw};
use crate::env::Environment;

/// The most bytes of standard error that are kept.
const ERRORS: usize = 16 << 10;

/// The time that a killed program has to be gone. One that waits for a device is left.
const PATIENCE: Duration = Duration::from_millis(500);

/// The polling interval.
const TICK: Duration = Duration::from_millis(20);

/// The number of reads after which the time is looked at again.
const READS: usize = 64;

/// A program with its bounds.
pub(super) struct Call<'a> {
    /// The absolute path of the program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Its environment.
    pub environment: &'a Environment,
    /// The time at which it is killed.
    pub until: Instant,
    /// The most bytes of its output, and the end of it that is kept.
    pub keep: Keep,
}

/// Runs a program to its end, or to its bounds.
pub(super) fn run(call: &Call<'_>) -> Raw {
    let started = Instant::now();
    let mut child = match spawn(call) {
        Ok(child) => child,
        Err(error) => return Raw::ended(End::NotStarted(error.to_string())),
    };
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut output = Pipe::new(out, call.keep);
    let mut errors = Pipe::new(err, Keep::Head(ERRORS));
    let end = watch(&mut child, call, &mut output, &mut errors);
    // The only possible error is that nothing is left.
    let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
    let end = end.unwrap_or_else(|| reap(&mut child));
    output.drain();
    errors.drain();
    Raw {
        output: output.kept,
        errors: errors.kept.into_bytes(),
        end: match end {
            End::Killed => End::TimedOut(started.elapsed()),
            end => end,
        },
        seconds: started.elapsed().as_secs_f64(),
    }
}

fn spawn(call: &Call<'_>) -> io::Result<Child> {
    let mut command = Command::new(call.program);
    end_with_this_process(&mut command);
    command
        .args(call.arguments)
        .current_dir("/")
        .env_clear()
        .envs(call.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Has a program killed when the thread that starts it is gone, as after Ctrl-C.
pub(super) fn end_with_this_process(command: &mut Command) {
    let ask = || {
        let killed = Some(rustix::process::Signal::KILL);
        Ok(rustix::process::set_parent_process_death_signal(killed)?)
    };
    // SAFETY: between fork and exec it makes one system call, and uses no memory of other threads.
    unsafe { command.pre_exec(ask) };
}

/// Reads until the program is gone, its time is over, or no more of its output is kept.
fn watch(
    child: &mut Child,
    call: &Call<'_>,
    output: &mut Pipe<impl Read + AsFd>,
    errors: &mut Pipe<impl Read + AsFd>,
) -> Option<End> {
    loop {
        let ended = child.try_wait().ok().flatten();
        output.drain();
        errors.drain();
        if let Some(status) = ended {
            return Some(exited(status));
        }
        if Instant::now() >= call.until {
            return None;
        }
        if output.kept.is_full() {
            return Some(End::Cut);
        }
        wait([output.open(), errors.open()]);
    }
}

/// Waits a moment for a killed program.
fn reap(child: &mut Child) -> End {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Ok(Some(_)) = child.try_wait() {
            return End::Killed;
        }
        std::thread::sleep(TICK);
    }
    End::Killed
}

fn exited(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

fn wait(pipes: [Option<std::os::fd::BorrowedFd<'_>>; 2]) {
    let mut wanted: Vec<_> = pipes
        .into_iter()
        .flatten()
        .map(|pipe| PollFd::new(pipe, PollFlags::POLLIN))
        .collect();
    let timeout = PollTimeout::try_from(TICK).unwrap_or(PollTimeout::ZERO);
    let _ = poll(&mut wanted, timeout);
}

/// A pipe, and the part of what came through it that is kept.
struct Pipe<R> {
    pipe: Option<R>,
    kept: Bounded,
}

impl<R: Read + AsFd> Pipe<R> {
    fn new(pipe: Option<R>, keep: Keep) -> Self {
        if let Some(pipe) = &pipe {
            let _ = fcntl(pipe.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK));
        }
        Self {
            pipe,
            kept: Bounded::new(keep),
        }
    }

    fn open(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    fn drain(&mut self) {
        let mut buffer = [0; 16 << 10];
        for _ in 0..READS {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => self.kept.add(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// Reads a file up to a bound. No pipe or device is waited for.
pub(super) fn read(path: &Path, keep: Keep) -> io::Result<Bounded> {
    let mut file: File = crate::fs::open(path)?;
    let mut kept = Bounded::new(keep);
    if let (Keep::Tail(most), Ok(about)) = (keep, file.metadata())
        && about.len() > most as u64
    {
        kept.skip(about.len() - most as u64);
        io::Seek::seek(&mut file, io::SeekFrom::End(-(most as i64)))?;
    }
    let mut buffer = [0; 16 << 10];
    // One byte more than is kept says that there is more.
    while !kept.is_full() {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => kept.add(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(kept)
}
