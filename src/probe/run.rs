//! Runs one probe.
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use rustix::fs::MemfdFlags;
use rustix::process::{Resource, Rlimit};

use super::stream::ProbePipe;
use crate::env::Environment;

/// The standard output that is kept, in bytes. A probe that prints more is ended with an error.
const OUTPUT_LIMIT: usize = 64 << 20;
/// The standard error that is kept, in bytes. The rest is dropped.
const ERROR_LIMIT: usize = 64 << 10;
/// The polling interval for a child that is gone while its pipes stay open.
const TICK: Duration = Duration::from_millis(50);
/// The polling interval for a child that closed its pipes and is about to end.
const SHORT_TICK: Duration = Duration::from_millis(1);

/// A command that answers a question.
#[derive(Debug, Clone)]
pub struct Probe<'a> {
    /// The absolute path of the program; see [`Environment::find_program`].
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// The directory that it runs in.
    pub directory: &'a Path,
    /// Its whole environment.
    pub environment: &'a Environment,
    /// The time after which it is killed.
    pub deadline: Duration,
}

/// The answer of a probe that ended by itself.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The exit status.
    pub status: ExitStatus,
    /// All of its standard output.
    pub output: Vec<u8>,
    /// The head of its standard error, 64 KiB.
    pub errors: Vec<u8>,
}

impl Answer {
    /// Returns the first non-empty lines of standard error as one line of text.
    pub fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.errors);
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .take(3)
            .collect();
        lines.join(" / ")
    }
}

/// A probe that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The program could not be started.
    #[error("`{command}` could not be started in {directory}: {source}")]
    Start {
        /// The command as typed.
        command: String,
        /// The directory.
        directory: String,
        /// The cause.
        source: io::Error,
    },
    /// The probe was killed at its deadline.
    #[error("`{command}` in {directory} gave no answer within {} s and was ended", deadline.as_secs())]
    Deadline {
        /// The command as typed.
        command: String,
        /// The directory.
        directory: String,
        /// The deadline.
        deadline: Duration,
    },
    /// The probe printed more than the limit.
    #[error("`{command}` printed more than {} MiB and was ended", OUTPUT_LIMIT >> 20)]
    TooMuch {
        /// The command as typed.
        command: String,
    },
    /// Waiting for the probe or reading its output failed.
    #[error("`{command}` could not be watched: {source}")]
    Watch {
        /// The command as typed.
        command: String,
        /// The cause.
        source: io::Error,
    },
}

/// The most memory that a probe may take, in bytes. One that reads a huge file ends, not the
/// machine.
const MEMORY: u64 = 4 << 30;

/// Bounds the memory of a probe that has just started. If that fails it is not bounded.
fn bound(child: &Child) {
    let limit = Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
        let _ = rustix::process::prlimit(Some(pid), Resource::Data, limit);
    }
}

/// Returns a standard input that holds these bytes, and ends after them.
///
/// They lie in memory, not in a pipe: a program that reads none of them keeps nobody waiting.
///
/// # Errors
///
/// The error of the operating system.
pub fn stdin_with(input: &[u8]) -> io::Result<Stdio> {
    if input.is_empty() {
        return Ok(Stdio::null());
    }
    let memory = rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC)?;
    let mut file = File::from(memory);
    file.write_all(input)?;
    file.rewind()?;
    Ok(file.into())
}

enum End {
    Exited,
    Deadline,
    TooMuch,
}

impl Probe<'_> {
    /// Runs the probe and waits for its end, at most until its deadline. A status other than 0 is
    /// an answer too.
    pub fn run(&self) -> Result<Answer, ProbeError> {
        self.run_with(b"")
    }

    /// Runs the probe as [`Self::run`] does, with this on its standard input.
    pub fn run_with(&self, input: &[u8]) -> Result<Answer, ProbeError> {
        let mut child = self.spawn(input)?;
        let watched = self.watch(&mut child);
        end(&child);
        let status = child.wait();
        let watch_error = |source| ProbeError::Watch {
            command: self.command(),
            source,
        };
        let (end, output, errors) = watched.map_err(watch_error)?;
        let status = status.map_err(watch_error)?;
        match end {
            End::Exited => Ok(Answer {
                status,
                output,
                errors,
            }),
            End::Deadline => Err(ProbeError::Deadline {
                command: self.command(),
                directory: self.directory.display().to_string(),
                deadline: self.deadline,
            }),
            End::TooMuch => Err(ProbeError::TooMuch {
                command: self.command(),
            }),
        }
    }

    /// Returns the command as a person would type it.
    pub fn command(&self) -> String {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str());
        std::iter::once(program)
            .chain(self.arguments.iter().map(OsString::as_os_str))
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn spawn(&self, input: &[u8]) -> Result<Child, ProbeError> {
        let start = |stdin| self.command_with(stdin).spawn();
        stdin_with(input)
            .and_then(start)
            .inspect(bound)
            .map_err(|source| ProbeError::Start {
                command: self.command(),
                directory: self.directory.display().to_string(),
                source,
            })
    }

    fn command_with(&self, stdin: Stdio) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .current_dir(self.directory)
            .env_clear()
            .envs(self.environment)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    fn watch(&self, child: &mut Child) -> io::Result<(End, Vec<u8>, Vec<u8>)> {
        let until = Instant::now() + self.deadline;
        let mut output = ProbePipe::new(child.stdout.take(), OUTPUT_LIMIT)?;
        let mut errors = ProbePipe::new(child.stderr.take(), ERROR_LIMIT)?;
        let end = loop {
            // Asked before the pipes are read: a child that is gone has written everything.
            let exited = has_exited(child)?;
            output.drain()?;
            errors.drain()?;
            let left = until.saturating_duration_since(Instant::now());
            if output.over {
                break End::TooMuch;
            }
            if exited {
                break End::Exited;
            }
            if left.is_zero() {
                break End::Deadline;
            }
            wait_for([output.open(), errors.open()], left)?;
        };
        Ok((end, output.kept, errors.kept))
    }
}

/// Waits until one of the pipes is readable, for one tick at most.
fn wait_for(pipes: [Option<std::os::fd::BorrowedFd<'_>>; 2], left: Duration) -> io::Result<()> {
    let mut wanted: Vec<_> = pipes
        .into_iter()
        .flatten()
        .map(|pipe| PollFd::new(pipe, PollFlags::POLLIN))
        .collect();
    let tick = if wanted.is_empty() { SHORT_TICK } else { TICK };
    let timeout = PollTimeout::try_from(tick.min(left)).unwrap_or(PollTimeout::ZERO);
    match poll(&mut wanted, timeout) {
        Ok(_) | Err(nix::Error::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Returns true if the child ended. The child is not reaped: its process id, which also names the
/// group, is not given to another process until then.
fn has_exited(child: &Child) -> io::Result<bool> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(pid(child)), flags) {
        Ok(WaitStatus::StillAlive) | Err(nix::Error::EINTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Kills the rest of the process group. Call it before the child is reaped; see [`has_exited`].
fn end(child: &Child) {
    // The only possible error is that nothing is left.
    let _ = killpg(pid(child), Signal::SIGKILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        std::env::vars_os()
            .filter(|(name, _)| name == "PATH")
            .collect()
    }

    fn shell(script: &str, deadline: Duration) -> Result<Answer, ProbeError> {
        let environment = environment();
        Probe {
            program: Path::new("/bin/sh"),
            arguments: vec!["-c".into(), script.into()],
            directory: Path::new("/"),
            environment: &environment,
            deadline,
        }
        .run()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn an_answer_has_status_output_and_errors() -> Result<(), ProbeError> {
        let answer = shell(
            "printf out; echo err >&2; echo >&2; echo more >&2; exit 3",
            LONG,
        )?;
        assert_eq!(answer.status.code(), Some(3));
        assert_eq!(answer.output, b"out");
        assert_eq!(answer.complaint(), "err / more");
        Ok(())
    }

    #[test]
    fn nothing_can_be_read_and_nothing_is_inherited() -> Result<(), ProbeError> {
        let answer = shell("read line || echo end; echo \"${HOME-none}\"", LONG)?;
        assert_eq!(answer.output, b"end\nnone\n");
        Ok(())
    }

    #[test]
    fn an_input_of_any_size_is_read_or_left() -> Result<(), ProbeError> {
        let environment = environment();
        let input = vec![b'x'; 3_000_000];
        let shell = |script: &str| {
            Probe {
                program: Path::new("/bin/sh"),
                arguments: vec!["-c".into(), script.into()],
                directory: Path::new("/"),
                environment: &environment,
                deadline: LONG,
            }
            .run_with(&input)
        };
        assert_eq!(shell("cat")?.output, input);
        assert!(shell("exit 0")?.status.success());
        Ok(())
    }

    #[test]
    fn more_than_a_pipe_holds_is_read_whole() -> Result<(), ProbeError> {
        let answer = shell(
            "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2",
            LONG,
        )?;
        assert_eq!(answer.output.len(), 3_000_000);
        assert_eq!(answer.errors.len(), ERROR_LIMIT);
        Ok(())
    }

    #[test]
    fn a_probe_that_hangs_is_ended_with_its_group() {
        let start = Instant::now();
        let result = shell(
            "trap '' TERM; sleep 1000 & echo $!; wait",
            Duration::from_millis(300),
        );
        assert!(
            matches!(result, Err(ProbeError::Deadline { .. })),
            "{result:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_flood_of_errors_does_not_outlast_the_deadline() {
        let result = shell("yes >&2", Duration::from_millis(300));
        assert!(
            matches!(result, Err(ProbeError::Deadline { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn a_flood_of_output_ends_the_probe() {
        let result = shell("yes", LONG);
        assert!(
            matches!(result, Err(ProbeError::TooMuch { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn a_child_that_keeps_the_pipe_is_not_waited_for_and_ended() -> Result<(), ProbeError> {
        let answer = shell("sleep 1000 & echo $!", LONG)?;
        let left = String::from_utf8_lossy(&answer.output).trim().to_owned();
        let until = Instant::now() + LONG;
        // Killed, it may still wait for its new parent to take note of it.
        while is_running(&left) {
            assert!(Instant::now() < until, "{left} is still there");
            std::thread::yield_now();
        }
        Ok(())
    }

    fn is_running(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let environment = environment();
        let probe = Probe {
            program: Path::new("/nonexistent/tool"),
            arguments: vec!["--version".into()],
            directory: Path::new("/"),
            environment: &environment,
            deadline: LONG,
        };
        let message = probe.run().map_err(|error| error.to_string()).err();
        assert_eq!(
            message.as_deref(),
            Some(
                "`tool --version` could not be started in /: No such file or directory (os error 2)"
            )
        );
    }
}
