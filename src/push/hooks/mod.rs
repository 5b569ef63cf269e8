//! The git hooks: their installation, and their work when git calls them.

mod chained;
mod commit_msg;
mod configured;
mod guard;
mod hook;
mod hook_file;
mod install;
mod install_error;
mod manager;
mod place;
mod pre_push;
mod stage;

pub use chained::KeptError;
pub use commit_msg::{CommitMsgError, commit_msg};
pub use guard::Guard;
pub use hook::Hook;
pub use hook_file::{HookFile, HookState};
pub use install::{Change, install, uninstall};
pub use install_error::InstallError;
pub use manager::HookManager;
pub use place::{Status, status};
pub(crate) use pre_push::{PrePush, pre_push};
pub use pre_push::{PrePushError, PrePushVerdict, PushedRef, UncheckedRef};
