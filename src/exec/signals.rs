//! Turns the user's signals into orders to the run: the first cancels, the second kills.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use crossbeam_channel::Sender;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};

use super::Control;

/// A listener for signals; it ends when it is dropped.
#[derive(Debug)]
pub struct Guard {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Turns SIGINT, SIGTERM and SIGHUP into orders for [`super::run`]. An ignored SIGINT or SIGHUP
/// stays ignored, so `nohup` and a shell's `&` keep their meaning.
///
/// Once the guard is dropped, these signals do nothing, so that the reports are written to the end.
pub fn listen(control: Sender<Control>) -> io::Result<Guard> {
    let mut signals = Signals::new(wanted())?;
    let handle = signals.handle();
    let thread = thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for (count, signal) in signals.forever().enumerate() {
                let word = match count {
                    0 => Control::Cancel(signal),
                    _ => Control::Kill(signal),
                };
                if control.send(word).is_err() {
                    return;
                }
            }
        })?;
    Ok(Guard {
        handle,
        thread: Some(thread),
    })
}

/// Restores the default action of the signals that [`listen`] took, for the time after the run.
pub fn let_go() -> io::Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    for signal in wanted() {
        flag::register_conditional_default(signal, Arc::clone(&always))?;
    }
    Ok(())
}

/// Returns the signals to listen for: SIGTERM, and those of the others that are not ignored.
fn wanted() -> impl Iterator<Item = i32> {
    let ignored = ignored();
    [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(move |signal| *signal == SIGTERM || ignored & (1 << (signal - 1)) == 0)
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Returns the ignored signals, bit n-1 for signal n, see proc_pid_status(5).
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
