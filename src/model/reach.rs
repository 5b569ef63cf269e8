//! The Go packages that an attempt tested.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The number of times that the tests of each Go package ran to an end in one attempt, by import
/// path. Of several attempts the largest number counts.
///
/// A package can be tested a second time as another user, with other build tags or in another
/// module. Those are other tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reach(BTreeMap<String, u32>);

impl From<BTreeMap<String, u32>> for Reach {
    fn from(ends: BTreeMap<String, u32>) -> Self {
        Self(ends)
    }
}

impl Reach {
    /// Returns true if the attempt tested no Go package.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the packages that another attempt tested.
    pub fn extend(&mut self, other: &Self) {
        for (package, count) in &other.0 {
            let most = self.0.entry(package.clone()).or_default();
            *most = (*most).max(*count);
        }
    }

    /// Returns true if this attempt tested something that `other` did not. If this one was narrowed
    /// to some tests and the other was whole, a part of those packages has never been tested.
    pub fn exceeds(&self, other: &Self) -> bool {
        let known = |package| other.0.get(package).copied().unwrap_or_default();
        (self.0.iter()).any(|(package, count)| *count > known(package))
    }
}
