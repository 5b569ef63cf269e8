//! Isolation: the request, the abilities of the host, and the sandbox of each job.
//!
//! ```text
//! plan ─▶ Host::probe (once a run: what works) ─▶ settle (a job: what is put around it, and what is said of it)
//!                                                   └▶ Sandbox ─▶ the job's helper, which carries it out
//! ```
//! Invariants: isolation that is required and cannot be had is an error before the first job.
//! `enforced` is only said of what the probe has seen working. A sandbox that cannot be set up
//! makes its job an error.
//!
//! [`super::helper`] carries it out.

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
