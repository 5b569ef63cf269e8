//! Chooses the topic that joins the changes of several repositories.

use std::collections::BTreeSet;

use crate::gerrit::push_options::{Key, PushOption};
use crate::push::session::Push;

/// Chooses the topic of these pushes, all of which have commits. It is the requested one, else that
/// of an earlier push of the same changes, else a new one if there are several pushes.
pub(super) fn choose(pushes: &[&Push<'_>]) -> Option<PushOption> {
    if pushes.iter().any(|push| push.request.destination.direct) {
        return None;
    }
    let find = |topic: fn(&Push<'_>) -> Option<String>| pushes.iter().find_map(|push| topic(push));
    let known = find(asked).or_else(|| find(|push| push.known_topic()));
    match known {
        Some(topic) => option(&topic),
        None if pushes.len() > 1 => common_branch(pushes)
            .and_then(option)
            .or_else(|| option(&of_this_moment())),
        None => None,
    }
}

/// Returns the option; `None` if Gerrit would not accept the topic.
fn option(topic: &str) -> Option<PushOption> {
    PushOption::new(Key::Topic, Some(topic)).ok()
}

fn asked(push: &Push<'_>) -> Option<String> {
    push.request.options.value(Key::Topic).map(str::to_owned)
}

/// Returns the branch that all of them are on, unless it has the name of their target.
fn common_branch<'a>(pushes: &[&'a Push<'_>]) -> Option<&'a str> {
    let branches: BTreeSet<_> = pushes
        .iter()
        .map(|push| push.facts.branch.as_deref())
        .collect();
    let branch = branches.first().copied().flatten()?;
    let is_target = |push: &&Push<'_>| push.destination.branch == branch;
    let says_nothing = ["master", "main"].contains(&branch) || pushes.iter().any(is_target);
    (branches.len() == 1 && !says_nothing).then_some(branch)
}

/// Returns a unique topic of time and process.
fn of_this_moment() -> String {
    let now = crate::clock::now().strftime("%Y%m%dT%H%M%SZ");
    format!("kata-ci-{now}-{}", std::process::id())
}
