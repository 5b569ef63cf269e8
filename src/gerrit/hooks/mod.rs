//! git's hooks: what they do when git calls them, and how they come to where git looks for them.

mod commit_msg;
mod install;
mod kept;
mod place;
mod pre_push;

pub use commit_msg::{CommitMsgError, commit_msg};
pub use install::{Change, InstallError, Status, install, status, uninstall};
pub use kept::{KeptError, call_kept};
pub use place::{Hook, Place, State};
pub use pre_push::{PrePushError, PrePushVerdict, PushedRef, pre_push};
