//! The components and steps of a run: those that the user chose, and those that `--since` chose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The components and steps that the user asked to run. An empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of components; before they are resolved also paths, globs and jobs.
    pub components: Vec<String>,
    /// Names of steps. The steps that they need come along.
    pub steps: Vec<String>,
    /// The steps of the components of which single jobs are asked for, by component.
    pub jobs: BTreeMap<String, BTreeSet<String>>,
}

impl Selection {
    /// Returns true if a component runs in some of its steps only.
    pub fn has_some_steps(&self) -> bool {
        !self.steps.is_empty() || !self.jobs.is_empty()
    }

    /// Returns true if the step was asked for in the component, not only needed by another.
    pub fn asks_for(&self, component: &str, step: &str) -> bool {
        match self.jobs.get(component) {
            Some(steps) => steps.contains(step),
            None => self.steps.is_empty() || self.steps.iter().any(|one| one == step),
        }
    }

    /// Returns true if the words may select a component of this name. Paths are not looked up.
    pub fn may_select(&self, component: &str) -> bool {
        let fits = |word: &String| {
            let name = word.split('.').next().unwrap_or_default();
            word == component
                || name == component
                || word.contains(['/', '*', '?', '[', '{'])
                || name.is_empty()
        };
        self.components.is_empty() || self.components.iter().any(fits)
    }
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
