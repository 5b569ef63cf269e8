//! The evidence that a step must show.

use serde::{Deserialize, Serialize};

/// What a step must show to count as passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// At least one case passed or failed.
    Cases,
    /// make ran at least one recipe.
    Commands,
    /// Exit code 0 is enough.
    Exit,
}
