//! Gerrit's REST interface over HTTP.
//!
//! ```text
//! BaseUrl, HttpSettings (git's http.*), CredentialSource ─▶ Client ─▶ ChangeInfo, ReviewInput …
//! ```
//! Nothing here starts a program: git's settings and credentials come from a [`Repository`] of the
//! room `git`, or from a file.
//!
//! Invariants: a password or token is in no argument, log, error or `Debug` output. Redirects are
//! not followed, so credentials reach the named host only. Answers have a bound and a deadline.
//!
//! [`Repository`]: crate::git::Repository

mod account;
mod base_url;
mod change;
mod client;
mod credentials;
mod error;
mod from_git;
mod review_input;
mod settings;

pub use account::{AccountInfo, GroupInfo};
pub use base_url::BaseUrl;
pub use change::{
    ApprovalInfo, ChangeInfo, ChangeMessageInfo, CommentInfo, CommitInfo, FileInfo, LabelInfo,
    ParentInfo, RelatedChange, RevisionInfo,
};
pub use client::{ChangeKey, Client, QueryPage};
pub use credentials::{CredentialError, CredentialFile, CredentialSource, Credentials, Secret};
pub use error::{RestError, RestErrorKind};
pub use review_input::{
    AttentionInput, CommentInput, Drafts, Notify, PATCHSET_LEVEL, ReviewAnswer, ReviewInput,
};
pub use settings::HttpSettings;
