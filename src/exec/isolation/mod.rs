//! Isolation: what is asked for, what the host allows, and what is put around each job.
//!
//! ```text
//! plan ─▶ Host::probe (once a run: what works) ─▶ settle (a job: what is put around it, and what is said of it)
//!                                                   └▶ Sandbox ─▶ the job's helper, which carries it out
//! ```
//! Invariants: what is asked for and cannot be had is an error before the first job, never a run without it; `enforced` is
//! said only of what the probe has seen working; a sandbox that cannot be set up makes its job an error.
//!
//! How it is carried out is the business of [`super::helper`].

mod caches;
mod host;
mod mount_plan;
mod repository;
mod resolve;
mod sandbox;
mod sockets;
mod variables;

pub use mount_plan::{RunPaths, strict_job_may_write};
pub(in crate::exec) use repository::{Repository, text_of};
pub(in crate::exec) use resolve::JobIsolation;
pub use resolve::{Isolated, IsolationPlan, UnsatisfiableIsolation};
pub(in crate::exec) use sandbox::{MountPoint, Sandbox, Space, View};
pub(in crate::exec) use sockets::path_sockets;
