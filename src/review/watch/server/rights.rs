//! The right to ask for another run.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::gerrit::rest::{Client, RestError, RestErrorKind};

/// The time that an answer about somebody's groups is kept.
const KEPT: Duration = Duration::from_secs(300);

/// The answer to somebody who asks for another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskRight {
    /// May ask.
    Granted,
    /// Is in none of the groups.
    Refused,
}

/// The groups whose members may ask, and what is known of members.
#[derive(Debug)]
pub struct RecheckRights {
    groups: Vec<String>,
    known: BTreeMap<u64, (Instant, AskRight)>,
}

impl RecheckRights {
    /// Grants the right to the members of groups, named by name or UUID. Without any group,
    /// everybody who can write a message may ask.
    pub fn new(groups: Vec<String>) -> Self {
        Self {
            groups,
            known: BTreeMap::new(),
        }
    }

    /// Returns the right of an account.
    pub(super) fn of(&mut self, client: &Client, account: u64) -> Result<AskRight, RestError> {
        if self.groups.is_empty() {
            return Ok(AskRight::Granted);
        }
        if let Some((at, right)) = self.known.get(&account)
            && at.elapsed() < KEPT
        {
            return Ok(*right);
        }
        let right = match self.is_member(client, account)? {
            true => AskRight::Granted,
            false => AskRight::Refused,
        };
        self.known.insert(account, (Instant::now(), right));
        Ok(right)
    }

    /// Returns true if the server shows the account in one of the groups. An account that it does
    /// not show counts as no member.
    fn is_member(&self, client: &Client, account: u64) -> Result<bool, RestError> {
        let groups = match client.groups(account) {
            Ok(groups) => groups,
            Err(error) if is_hidden(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        let is_one = |name: &str| self.groups.iter().any(|group| group == name);
        Ok(groups
            .iter()
            .any(|group| is_one(&group.id) || group.name.as_deref().is_some_and(is_one)))
    }
}

fn is_hidden(error: &RestError) -> bool {
    matches!(
        error.kind,
        RestErrorKind::NotFound | RestErrorKind::Forbidden
    )
}
