//! A push to review (or, `--direct`, to a branch): plan, preflight, check, and only then the connection.
//!
//! ```text
//! destination ─▶ facts ─▶ preflight (─▶ reword ─▶ again) ─▶ confirm ─▶ check ─▶ send ─▶ report
//! ```
//! Invariants: what is sent is the commit that was looked at, by its hash; nothing of the user's repository changes but
//! what `--fix` rewrites and git's own tracking refs; nobody is asked without a terminal.

mod check;
mod deliver;
mod history;
pub mod hooks;
pub mod multi;
pub(crate) mod multi_places;
pub mod preflight;
mod report;
pub mod reword;
mod run;
pub(crate) mod run_check;
mod send;
mod session;
mod view;

pub use check::{Check, CheckRequest, CheckResult};
pub use history::Known;
pub use report::{ChangeReport, CommitRow, CommitState, Outcome, PushReport};
pub use run::{PushError, PushRequest, push};
pub use send::{SendError, Sent, send};
pub use view::{outcome, plan, render};

/// Environment variable by which a push tells the hook pre-push what it has checked: the commit's hash.
pub const CHECKED: &str = "KATACI_PUSH_CHECKED";

/// Who started the push.
pub trait PushUi {
    /// Hears what would go, before anything is asked, checked or sent.
    fn plan(&mut self, report: &PushReport);
    /// Whether to go on. None where there is nobody to ask.
    fn confirm(&mut self, question: &str) -> Option<bool>;
}
