//! Accounts and groups.

use serde::{Deserialize, Serialize};

/// An account. Fields that were not asked for are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountInfo {
    /// The number of the account.
    #[serde(rename = "_account_id")]
    pub id: u64,
    /// The full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The preferred e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name for logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

impl AccountInfo {
    /// Returns the best name there is, for people.
    pub fn label(&self) -> String {
        (self.name.clone())
            .or_else(|| self.username.clone())
            .or_else(|| self.email.clone())
            .unwrap_or_else(|| format!("account {}", self.id))
    }
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GroupInfo {
    /// The UUID, URL-encoded as the server sends it.
    pub id: String,
    /// The name; some groups show none.
    pub name: Option<String>,
}
