//! Decides what is to be done about a change, from what the server says now and what was done.
//!
//! Invariants: the decision depends on the present alone, never on an event, so that a doubled, a
//! late or a lost event changes nothing but the time. A commit that has a verdict, or a run on the
//! way to one, gets no other, unless somebody asks or a companion has changed.
//!
//! Pure.

use super::filters::Filters;
use super::recheck::{self, Recheck};
use super::snapshot::Snapshot;
use super::store::RunState;

/// The newest run of the current commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Its state.
    pub state: RunState,
    /// Its number among the runs of the commit.
    pub number: u32,
    /// The number of the companion that is another one now, or has come since, if one is.
    pub outdated_by: Option<u64>,
}

/// A request to run again, by a message that nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the message.
    pub message: String,
    /// The number of the account that asks.
    pub author: u64,
    /// The request.
    pub recheck: Recheck,
}

/// A decision about a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Whatever waits or runs is to be cancelled.
    Withdraw(&'static str),
    /// Nothing is to be done.
    Nothing,
    /// The verdict on the server is ours, though the state has lost it: it is recorded.
    Adopt {
        /// The number of its run.
        run: u32,
    },
    /// The commit is to be run.
    Run {
        /// The reason, in words.
        why: String,
        /// The component that alone is to run.
        component: Option<String>,
    },
}

/// Returns the requests of a change. The caller leaves out those that were answered.
pub fn requests(change: &Snapshot) -> Vec<Request> {
    let asked = |message: &super::snapshot::Message| {
        let recheck = recheck::in_message(&message.text)?;
        Some(Request {
            message: message.id.clone(),
            author: message.author,
            recheck,
        })
    };
    (change.messages.iter())
        .filter(|message| !message.is_before_verdict)
        .filter_map(asked)
        .collect()
}

/// Decides. `asked` is the last request of somebody who may ask.
pub fn decide(
    change: &Snapshot,
    filters: &Filters,
    newest: Option<&Newest>,
    asked: Option<&Recheck>,
) -> Decision {
    if let Some(reason) = filters.refusal(change) {
        return Decision::Withdraw(reason);
    }
    let run = |why: String, component: Option<String>| Decision::Run { why, component };
    let state = newest.map(|newest| newest.state);
    match (state, change.verdicts.iter().max(), asked) {
        // It runs the current commit already, and that is what is asked for.
        (Some(RunState::Queued | RunState::Running), _, _) => Decision::Nothing,
        (_, _, Some(asked)) => run("recheck".to_owned(), asked.component.clone()),
        (Some(RunState::Judged | RunState::Posted), _, None) => match newest {
            Some(Newest {
                outdated_by: Some(companion),
                ..
            }) => run(
                format!("change {companion}, a companion, has changed"),
                None,
            ),
            _ => Decision::Nothing,
        },
        (Some(RunState::Broken), _, None) => Decision::Nothing,
        (None, Some(last), None) => Decision::Adopt { run: *last },
        (None, None, None) => run("new".to_owned(), None),
        (Some(RunState::Cancelled), last, None) => match last {
            // Another watcher has posted for the same account.
            Some(last) if newest.is_some_and(|newest| *last >= newest.number) => {
                Decision::Adopt { run: *last }
            }
            _ => run("open again".to_owned(), None),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::review::watch::filters::Choice;
    use crate::review::watch::snapshot::Message;

    fn change() -> Snapshot {
        Snapshot {
            number: 7,
            status: "NEW".into(),
            patch_set: 2,
            sha: "b".repeat(40),
            ..Snapshot::default()
        }
    }

    fn filters() -> Filters {
        Filters::new(Choice::default()).unwrap()
    }

    fn newest(state: RunState) -> Option<Newest> {
        Some(Newest {
            state,
            number: 1,
            outdated_by: None,
        })
    }

    fn decided(change: &Snapshot, newest: Option<&Newest>, asked: Option<&Recheck>) -> Decision {
        decide(change, &filters(), newest, asked)
    }

    fn asks() -> Recheck {
        Recheck { component: None }
    }

    #[test]
    fn a_commit_without_verdict_runs_once() {
        let runs = |newest: Option<Newest>| {
            matches!(
                decided(&change(), newest.as_ref(), None),
                Decision::Run { .. }
            )
        };
        assert!(runs(None) && runs(newest(RunState::Cancelled)));
        for state in [RunState::Queued, RunState::Running, RunState::Judged] {
            assert!(!runs(newest(state)));
        }
        assert!(!runs(newest(RunState::Posted)) && !runs(newest(RunState::Broken)));
    }

    #[test]
    fn a_verdict_on_the_server_counts_though_the_state_was_lost() {
        let change = Snapshot {
            verdicts: vec![1, 3, 2],
            ..change()
        };
        assert_eq!(decided(&change, None, None), Decision::Adopt { run: 3 });
        let asked = decided(&change, None, Some(&asks()));
        assert!(matches!(asked, Decision::Run { .. }));
        let cancelled = |number| Newest {
            number,
            ..newest(RunState::Cancelled).unwrap()
        };
        let adopted = decided(&change, Some(&cancelled(2)), None);
        assert_eq!(adopted, Decision::Adopt { run: 3 });
        // A later run was begun for a reason, which has not gone with its cancelling.
        let again = decided(&change, Some(&cancelled(4)), None);
        assert!(matches!(again, Decision::Run { .. }));
    }

    #[test]
    fn a_request_repeats_what_is_over_and_not_what_is_on_its_way() {
        for state in [RunState::Posted, RunState::Broken, RunState::Cancelled] {
            let again = decided(&change(), newest(state).as_ref(), Some(&asks()));
            assert!(matches!(again, Decision::Run { .. }), "{state:?}");
        }
        for state in [RunState::Queued, RunState::Running] {
            let again = decided(&change(), newest(state).as_ref(), Some(&asks()));
            assert_eq!(again, Decision::Nothing);
        }
    }

    #[test]
    fn a_companion_outdates_a_verdict() {
        let outdated = Newest {
            state: RunState::Posted,
            number: 1,
            outdated_by: Some(9),
        };
        let Decision::Run { why, .. } = decided(&change(), Some(&outdated), None) else {
            panic!("it runs again")
        };
        assert!(why.contains("change 9"), "{why}");
    }

    #[test]
    fn only_messages_after_the_last_verdict_ask() {
        let message = |id: &str, text: &str, is_before_verdict| Message {
            id: id.into(),
            author: 1,
            text: text.into(),
            is_before_verdict,
        };
        let change = Snapshot {
            messages: vec![
                message("a", "Patch Set 1:\n\nrecheck", true),
                message("b", "Patch Set 1:\n\n> recheck", false),
                message("c", "Patch Set 1:\n\nrecheck proxy", false),
            ],
            ..change()
        };
        let found = requests(&change);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].recheck.component.as_deref(), Some("proxy"));
    }

    proptest! {
        #[test]
        fn a_closed_change_is_never_run(
            status in "MERGED|ABANDONED", asked: bool, verdicts in proptest::collection::vec(1_u32..4, 0..3)
        ) {
            let closed = Snapshot { status, verdicts, ..change() };
            let asked = asked.then(asks);
            for state in [None, newest(RunState::Running), newest(RunState::Posted)] {
                let decision = decided(&closed, state.as_ref(), asked.as_ref());
                prop_assert!(matches!(decision, Decision::Withdraw(_)));
            }
        }
    }
}
