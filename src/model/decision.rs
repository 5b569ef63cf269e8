//! A component's verdict under `--since`.

use serde::{Deserialize, Serialize};

/// What became of a component, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its name.
    pub component: String,
    /// Whether the change affects it.
    #[serde(rename = "affected")]
    pub is_affected: bool,
    /// The reason, for people: `cli/main.go changed`, `needs libs`, `nothing changed`.
    pub reason: String,
}
