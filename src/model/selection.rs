//! The components and steps of a run: those that the user chose, and those that `--since` chose.

use serde::{Deserialize, Serialize};

/// The components and steps that the user asked to run. An empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of components.
    pub components: Vec<String>,
    /// Names of steps. The steps that they need come along.
    pub steps: Vec<String>,
}

/// The decision about one component, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The component's name.
    pub component: String,
    /// True if the change affects the component.
    #[serde(rename = "affected")]
    pub is_affected: bool,
    /// The reason, for people: `cli/main.go changed`, `needs libs`, `nothing changed`.
    pub reason: String,
}
