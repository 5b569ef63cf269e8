//! Helps on a kata host: says what this machine can do, collects what a bug report needs, and
//! prepares docker, consoles and debuggers.
//!
//! Invariants: each command calls the program that exists for its purpose. Nothing on the host is
//! changed unless the command is there to change it, and says so.

pub(crate) mod console;
pub mod debug;
pub(crate) mod diag;
pub mod docker;
pub mod doctor;
pub(crate) mod kernel_config;
pub(crate) mod kernel_options;
pub mod root;
