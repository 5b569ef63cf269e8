//! A review as it is posted, and the server's answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The path of comments about a patch set as a whole.
pub const PATCHSET_LEVEL: &str = "/PATCHSET_LEVEL";

/// A review: message, votes and comments on one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReviewInput {
    /// The message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The tag of message, votes and comments.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// The votes by label.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, i32>,
    /// The comments by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub comments: BTreeMap<String, Vec<CommentInput>>,
    /// True to leave out comments that are there already.
    pub omit_duplicate_comments: bool,
    /// The people who get mail.
    pub notify: Notify,
    /// The fate of the account's own drafts.
    pub drafts: Drafts,
    /// True to leave the attention set as it is, but for [`Self::add_to_attention_set`].
    pub ignore_automatic_attention_set_rules: bool,
    /// The accounts whose turn it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_to_attention_set: Vec<AttentionInput>,
}

/// A comment on a line, or on a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommentInput {
    /// The line, from 1; `None` for the file as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The text.
    pub message: String,
    /// True if somebody has to resolve it.
    pub unresolved: bool,
}

/// The people who get mail about a review.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Notify {
    /// Nobody.
    #[default]
    None,
    /// The owner.
    Owner,
}

/// The fate of the account's own drafts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Drafts {
    /// They stay.
    #[default]
    Keep,
}

/// An account whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttentionInput {
    /// The number of the account.
    pub user: u64,
    /// The reason.
    pub reason: String,
}

/// The server's answer to a review.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ReviewAnswer {
    /// The votes that were taken.
    pub labels: BTreeMap<String, i32>,
}
