//! The git hooks: their installation, and their work when git calls them.

mod chained;
mod commit_msg;
mod hook_file;
mod install;
mod pre_push;

pub use chained::KeptError;
pub use commit_msg::{CommitMsgError, commit_msg};
pub use hook_file::{Hook, HookFile, HookState};
pub use install::{Change, InstallError, Status, install, status, uninstall};
pub(crate) use pre_push::pre_push;
pub use pre_push::{PrePushError, PrePushVerdict, PushedRef, UncheckedRef};
