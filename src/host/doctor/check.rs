//! One check of the doctor, and the answer of all of them.

use serde::Serialize;

use super::host::Unasked;
use crate::model::ExitCode;

/// The work that a host may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Building the components.
    Build,
    /// `make check` of the components.
    Check,
    /// `make test` of the components.
    Test,
    /// Starting a kata container.
    Run,
    /// Pushing commits for review.
    Push,
    /// Reviewing the changes of others: to fetch, to test and to vote.
    Review,
}

impl Purpose {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Build,
        Self::Check,
        Self::Test,
        Self::Run,
        Self::Push,
        Self::Review,
    ];

    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Check => "check",
            Self::Test => "test",
            Self::Run => "run",
            Self::Push => "push",
            Self::Review => "review",
        }
    }
}

/// The answer of a check. The order is that of importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum State {
    /// The host can.
    #[serde(rename = "can")]
    Can,
    /// The question has no answer.
    #[serde(rename = "could-not-be-asked")]
    CouldNotBeAsked,
    /// The host cannot.
    #[serde(rename = "cannot")]
    Cannot,
}

impl State {
    /// Returns the words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Can => "can",
            Self::Cannot => "cannot",
            Self::CouldNotBeAsked => "could not be asked",
        }
    }
}

/// One check. The names of its fields are a contract: add, never rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The subject: `kvm`, `docker`, `proxy` …
    pub subject: &'static str,
    /// The name of the rule, the same in every version.
    pub rule: &'static str,
    /// The work that it matters for.
    #[serde(rename = "for")]
    pub purposes: Vec<Purpose>,
    /// The answer.
    pub state: State,
    /// The answer in one line.
    pub text: String,
    /// A command that mends it. A check that says `can` may have one, too: something works
    /// otherwise than it looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Check {
    /// Returns true for something that works otherwise than it looks.
    pub fn is_note(&self) -> bool {
        self.state == State::Can && self.fix.is_some()
    }
}

/// The checks of one subject, as they are found.
#[derive(Debug)]
pub(super) struct Checks {
    subject: &'static str,
    purposes: Vec<Purpose>,
    found: Vec<Check>,
}

impl Checks {
    /// Begins the checks of a subject that matters for this work.
    pub fn of(subject: &'static str, purposes: &[Purpose]) -> Self {
        Self {
            subject,
            purposes: purposes.to_vec(),
            found: Vec::new(),
        }
    }

    /// Adds that the host can.
    pub fn can(&mut self, rule: &'static str, text: impl Into<String>) {
        self.add(rule, State::Can, text.into(), None);
    }

    /// Adds that the host can, but that something works otherwise than it looks.
    pub fn note(&mut self, rule: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(rule, State::Can, text.into(), Some(fix.into()));
    }

    /// Adds that the host cannot.
    pub fn cannot(&mut self, rule: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(rule, State::Cannot, text.into(), Some(fix.into()));
    }

    /// Adds that a question has no answer.
    pub fn unasked(&mut self, rule: &'static str, reason: impl Into<String>) {
        self.add(rule, State::CouldNotBeAsked, reason.into(), None);
    }

    /// Adds that a question has no answer, with what to do about it.
    pub fn unasked_but(
        &mut self,
        rule: &'static str,
        reason: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.add(
            rule,
            State::CouldNotBeAsked,
            reason.into(),
            Some(fix.into()),
        );
    }

    /// Takes the answer, or adds that there is none.
    pub fn answer<T>(&mut self, rule: &'static str, asked: Result<T, Unasked>) -> Option<T> {
        asked
            .map_err(|Unasked(reason)| self.unasked(rule, reason))
            .ok()
    }

    /// Makes the checks that are added from now on matter for this work.
    pub fn matter_for(&mut self, purposes: &[Purpose]) {
        self.purposes = purposes.to_vec();
    }

    /// Returns true if nothing was found yet.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the checks.
    pub fn done(self) -> Vec<Check> {
        self.found
    }

    fn add(&mut self, rule: &'static str, state: State, text: String, fix: Option<String>) {
        self.found.push(Check {
            subject: self.subject,
            rule,
            purposes: self.purposes.clone(),
            state,
            text,
            fix,
        });
    }
}

/// The answer to one kind of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The work.
    #[serde(rename = "for")]
    pub purpose: Purpose,
    /// The worst answer of its checks.
    pub state: State,
}

/// The answer of the doctor. The names of its fields are a contract: add, never rename.
#[derive(Debug, Clone, Serialize)]
pub struct Diagnosis {
    /// The version of this object.
    pub version: u32,
    /// The answer to each kind of work that was asked for.
    pub answers: Vec<Verdict>,
    /// The checks, by subject.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// Keeps the checks that matter for the work, and answers for each kind.
    pub(super) fn of(purposes: &[Purpose], mut checks: Vec<Check>) -> Self {
        for check in &mut checks {
            check.purposes.retain(|one| purposes.contains(one));
        }
        checks.retain(|check| !check.purposes.is_empty());
        let verdict = |&purpose: &Purpose| Verdict {
            purpose,
            state: (checks.iter())
                .filter(|check| check.purposes.contains(&purpose))
                .map(|check| check.state)
                .max()
                // Nothing was asked, so nothing is known.
                .unwrap_or(State::CouldNotBeAsked),
        };
        Self {
            version: 1,
            answers: purposes.iter().map(verdict).collect(),
            checks,
        }
    }

    /// Returns the exit code: 0 if the host can do all, 1 if it cannot do something, 75 if
    /// something could not be asked.
    pub fn exit_code(&self) -> ExitCode {
        match self.answers.iter().map(|answer| answer.state).max() {
            Some(State::Cannot) => ExitCode::Failed,
            Some(State::CouldNotBeAsked) | None => ExitCode::Error,
            Some(State::Can) => ExitCode::Success,
        }
    }
}
