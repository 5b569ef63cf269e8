//! Isolation: the request, the abilities of the host, and the sandbox of each job.
//!
//! ```text
//! plan ─▶ IsolationPlan::of (once a run; Host::allows tries what works)
//!            └▶ settle ─▶ JobIsolation (its sandbox, and how far it is enforced)
//!                            └▶ Sandbox ─▶ the job's helper, which sets it up
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

pub use host::try_sandbox;
pub use mount_plan::{RunPaths, paths_of_strict_job, strict_job_may_write};
pub(in crate::exec) use repository::{Repository, text_of};
pub(in crate::exec) use resolve::JobIsolation;
pub use resolve::{Isolated, IsolationPlan, UnsatisfiableIsolation};
pub(in crate::exec) use sandbox::{MountPoint, Sandbox, Space, View};
pub(in crate::exec) use sockets::path_sockets;
