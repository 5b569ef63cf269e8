//! Shows entries of the journal as they come.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::command::end_with_this_process;
use super::host::Host;
use super::journal::entry;
use crate::model::CommandError;
use crate::text::secrets::mask;
use crate::text::{clean, undeceptive};

/// The most bytes of an entry.
const LINE: u64 = 1 << 20;

/// Shows the entries of a tag until journalctl ends, a signal comes, or nobody reads any more.
/// Returns the exit code of journalctl.
///
/// # Errors
/// When journalctl is not there, or cannot be read.
pub(super) fn follow(
    host: &Host,
    tag: &str,
    show: &mut dyn FnMut(&str) -> io::Result<()>,
) -> Result<i32, CommandError> {
    let program = host.environment.find_program("journalctl").ok_or_else(|| {
        CommandError::unavailable("journalctl is not there").hint("it comes with systemd")
    })?;
    let mut command = Command::new(program);
    end_with_this_process(&mut command);
    let mut child = command
        .args(host.journal.follow(tag))
        .env_clear()
        .envs(&host.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| CommandError::machine(format!("journalctl: {error}")))?;
    end_with(child.id())?;
    let shown = show_all(&mut child, show);
    let _ = child.kill();
    let status = child.wait().map_err(CommandError::machine)?;
    match shown {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(CommandError::output(error)),
        Ok(()) => Ok(status.code().unwrap_or(0)),
    }
}

/// Has a signal that ends this process end journalctl too.
fn end_with(pid: u32) -> Result<(), CommandError> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(CommandError::machine)?;
    let waiting = move || {
        if let Some(signal) = signals.forever().next() {
            let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            std::process::exit(128 + signal);
        }
    };
    let started = std::thread::Builder::new().spawn(waiting);
    started.map(|_| ()).map_err(CommandError::machine)
}

fn show_all(child: &mut Child, show: &mut dyn FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let Some(output) = child.stdout.take() else {
        return Ok(());
    };
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        if output.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        show(&shown(&String::from_utf8_lossy(&line)))?;
    }
}

/// Returns an entry for a terminal: without secrets and control characters.
fn shown(line: &str) -> String {
    let text = entry(line.trim_end()).unwrap_or_else(|| line.trim_end().to_owned());
    let masked = mask(&clean(&text)).text;
    masked
        .lines()
        .map(undeceptive)
        .collect::<Vec<_>>()
        .join("\n")
}
