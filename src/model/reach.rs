//! How far an attempt came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often tests of each Go package were run to an end, by its import path, at most in one attempt.
///
/// The second time may be as another user, with other build tags or in another module: other tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reach(BTreeMap<String, u32>);

impl From<BTreeMap<String, u32>> for Reach {
    fn from(ends: BTreeMap<String, u32>) -> Self {
        Self(ends)
    }
}

impl Reach {
    /// Whether it came to no Go package.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes what another attempt came to.
    pub fn extend(&mut self, other: &Self) {
        for (package, count) in &other.0 {
            let most = self.0.entry(package.clone()).or_default();
            *most = (*most).max(*count);
        }
    }

    /// Whether it came to something that the other did not. If this one was narrowed and the other was whole, a part of that
    /// has never run.
    pub fn exceeds(&self, other: &Self) -> bool {
        let known = |package| other.0.get(package).copied().unwrap_or_default();
        (self.0.iter()).any(|(package, count)| *count > known(package))
    }
}
