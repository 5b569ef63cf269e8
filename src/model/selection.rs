//! The user's choice of components and steps.

/// What the user asked to run; empty lists mean everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of components.
    pub components: Vec<String>,
    /// Names of steps. Steps they need come along.
    pub steps: Vec<String>,
}
