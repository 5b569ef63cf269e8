//! Ends kata-ci with words if it cannot go on: with exit code 70 for a bug of its own, with 75 if
//! the machine lacks memory, threads or space. No job outlives it, because each helper notices that
//! its socket is closed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::io::{self, Write};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use signal_hook::consts::SIGXFSZ;

use crate::model::ExitCode;

/// The system's allocator, with a flag that is set when memory runs out.
struct Noting;

#[global_allocator]
static MEMORY: Noting = Noting;

/// Set when an allocation failed.
static IS_SHORT: AtomicBool = AtomicBool::new(false);

/// Set when a panic was caused by the machine.
static IS_MACHINE: AtomicBool = AtomicBool::new(false);

const OUT_OF_MEMORY: &str = "error: there is no memory left for kata-ci itself\n  = help: see to the limits of this process (ulimit -v) and to what else runs here, then try again\n";

const REPORT: &str =
    "error: this is a fault of kata-ci's own: please report it, with the lines above\n";

/// Texts of the standard library's panics for resources that the machine does not provide.
const OF_THE_MACHINE: [&str; 3] = [
    "failed to spawn thread",
    "failed printing to stdout",
    "failed printing to stderr",
];

// SAFETY: every call is passed on to the system's allocator unchanged, and so is its result.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function.
        noted(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function.
        noted(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function.
        noted(unsafe { System.realloc(pointer, layout, size) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn noted(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        IS_SHORT.store(true, Ordering::Relaxed);
    }
    memory
}

/// Has an abort for want of memory end in words. It comes first of all and asks for no memory
/// itself.
pub(super) fn catch_aborts() {
    let action = SigAction::new(
        SigHandler::Handler(on_abort),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler calls write(2) and _exit(2) and nothing else.
    let _ = unsafe { sigaction(Signal::SIGABRT, &action) };
}

extern "C" fn on_abort(_: i32) {
    aborted();
}

/// Installs the handlers that explain every end of the process.
///
/// A write beyond the limit of a file's size becomes an error instead of ending the process.
/// Started programs have the signal's default again, because exec(2) resets handlers.
pub(super) fn prepare() {
    let nobody_looks = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(SIGXFSZ, nobody_looks);
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if is_of_the_machine(panic.payload()) {
            IS_MACHINE.store(true, Ordering::Relaxed);
            let _ = writeln!(io::stderr(), "error: {}", words(panic.payload()));
        } else {
            usual(panic);
            let _ = io::stderr().write_all(REPORT.as_bytes());
        }
    }));
}

/// Explains an abort. The standard library aborts if it gets no memory, and if it cannot panic.
fn aborted() {
    let (words, code) = match IS_SHORT.load(Ordering::Relaxed) {
        true => (OUT_OF_MEMORY, ExitCode::Error),
        false => (REPORT, ExitCode::Bug),
    };
    // SAFETY: both calls are allowed in a handler, and the text has the given length.
    unsafe {
        libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len());
        libc::_exit(code.code());
    }
}

/// Calls the command and returns its exit code, or that of a bug if it panics.
pub(super) fn guarded(command: impl FnOnce() -> i32 + panic::UnwindSafe) -> i32 {
    panic::catch_unwind(command).unwrap_or_else(|_| {
        let code = match IS_MACHINE.load(Ordering::Relaxed) {
            true => ExitCode::Error,
            false => ExitCode::Bug,
        };
        code.code()
    })
}

fn is_of_the_machine(payload: &dyn Any) -> bool {
    let words = words(payload);
    OF_THE_MACHINE.iter().any(|begin| words.starts_with(begin))
}

fn words(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_cannot_be_had_is_the_machines_fault_and_an_index_is_ours() {
        let thread = "failed to spawn thread: Os { code: 11 }".to_owned();
        assert!(is_of_the_machine(&thread));
        assert!(!is_of_the_machine(&"index out of bounds"));
        assert!(!is_of_the_machine(&7));
        assert_eq!(guarded(|| 4), 4);
        assert_eq!(guarded(|| panic!("on purpose")), 70);
    }
}
