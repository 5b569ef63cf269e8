//! The id of a job.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `COMPONENT.STEP`. A component's name holds no dot, so the first dot parts the two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// The id of a component's step.
    pub fn new(component: &str, step: &str) -> Self {
        Self(format!("{component}.{step}"))
    }

    /// The component's name.
    pub fn component(&self) -> &str {
        self.0
            .split_once('.')
            .map_or(&self.0, |(component, _)| component)
    }

    /// The step's name.
    pub fn step(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, step)| step)
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}
