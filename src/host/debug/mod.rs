//! Remote debugging of runtimes: a swapper for kata 1 and other runtimes with the command line of
//! runc, kata's own script for the Go shim of kata 2 and later, and words for the one in Rust.
//!
//! Invariants: the runtime's process, exit code, standard output and descriptors stay its own. What
//! goes wrong with the debugger never keeps a container from running. dlv listens on this machine
//! only, unless it was told another address.

mod binary;
mod checks;
mod clients;
mod connections;
mod enable;
mod exec;
mod katadbg;
mod log;
mod run_dir;
mod subcommand;
mod swapper;

pub use checks::{Check, CheckResult};
pub use clients::settings;
pub use enable::{
    DebugError, DebugPlan, DebugRequest, DebugWay, Enabled, Script, disable, enable, enabled,
    plan_debug,
};
pub use exec::debug_exec;
pub use katadbg::words as katadbg_words;
pub use swapper::{DEBUG_EXEC, LISTEN, Swapper};
