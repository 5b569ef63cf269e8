//! A terminal in raw mode, which is restored whatever happens.
//!
//! The end, a panic, and the signals that end or stop the process restore it. A thread waits for
//! those signals, because the main thread may be waiting for a slow screen. Only SIGKILL leaves the
//! terminal raw (`stty sane` helps then).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{Pid, getpgrp, isatty, tcgetpgrp};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;

/// The terminal that is to be restored, with its settings before.
static SAVED: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

/// A terminal in raw mode. It is restored when this is dropped.
#[derive(Debug)]
pub(super) struct RawTerminal(());

impl RawTerminal {
    /// Sets a terminal to raw mode; `None` if it is none. One terminal can be held at a time.
    ///
    /// # Errors
    /// When its settings cannot be changed, or signals cannot be waited for.
    pub fn enter(input: BorrowedFd<'_>) -> io::Result<Option<Self>> {
        if !isatty(input).unwrap_or(false) {
            return Ok(None);
        }
        let before = tcgetattr(input)?;
        let held = input.try_clone_to_owned()?;
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = Some((held, before));
        let terminal = Self(());
        restore_on_panic();
        restore_on_signals()?;
        set_raw()?;
        Ok(Some(terminal))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        restore();
        *SAVED.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Restores the terminal. The only possible error is that it is gone.
fn restore() {
    let saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((terminal, before)) = &*saved {
        undisturbed(|| {
            let _ = tcsetattr(terminal, SetArg::TCSADRAIN, before);
        });
    }
}

fn set_raw() -> io::Result<()> {
    let saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((terminal, before)) = &*saved {
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(terminal, SetArg::TCSADRAIN, &raw)?;
    }
    Ok(())
}

/// Calls it with SIGTTOU blocked, which would stop a process in the background.
fn undisturbed(call: impl FnOnce()) {
    let mut blocked = SigSet::empty();
    blocked.add(Signal::SIGTTOU);
    let before = blocked.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
    call();
    if let Ok(before) = before {
        let _ = before.thread_set_mask();
    }
}

/// Has a panic restore the terminal before it is told.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            usual(panic);
        }));
    });
}

fn restore_on_signals() -> io::Result<()> {
    let signals = [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT];
    let mut signals = Signals::new(signals)?;
    let wait = move || {
        for signal in signals.forever() {
            match signal {
                SIGTSTP => {
                    restore();
                    // SIGSTOP, since the handler of SIGTSTP is this thread. SIGCONT follows.
                    let _ = kill(Pid::this(), Signal::SIGSTOP);
                }
                SIGCONT => {
                    if is_in_front() {
                        let _ = set_raw();
                    }
                }
                ending => {
                    restore();
                    std::process::exit(128 + ending);
                }
            }
        }
    };
    std::thread::Builder::new().spawn(wait).map(|_| ())
}

/// Returns true if the terminal belongs to this process, and not to a shell before it.
fn is_in_front() -> bool {
    let saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    let group = saved
        .as_ref()
        .map(|(terminal, _)| tcgetpgrp(terminal.as_fd()));
    matches!(group, Some(Ok(group)) if group == getpgrp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::openpty;
    use nix::sys::termios::LocalFlags;

    /// One test, since there is one terminal at a time.
    #[test]
    fn a_terminal_is_raw_for_a_while_and_restored_on_a_panic_too() {
        let pty = openpty(None, None).unwrap();
        let flags = || tcgetattr(&pty.slave).unwrap().local_flags;
        let is_raw =
            || !flags().contains(LocalFlags::ICANON) && !flags().contains(LocalFlags::ECHO);
        let before = flags();
        assert!(!is_raw());
        let held = RawTerminal::enter(pty.slave.as_fd()).unwrap();
        assert!(held.is_some() && is_raw());
        drop(held);
        assert_eq!(flags(), before);
        let panicked = panic::catch_unwind(|| {
            let _held = RawTerminal::enter(pty.slave.as_fd()).unwrap();
            assert!(is_raw());
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        assert_eq!(flags(), before);
        let file = tempfile::tempfile().unwrap();
        assert!(RawTerminal::enter(file.as_fd()).unwrap().is_none());
    }
}
