//! Changes that belong together: whenever one of them is another one, those that ran with it run
//! again.

use serde_json::{Value, json};

use super::{Place, on_current, verdicts, vote};
use crate::support::gerrit::{User, server};

/// Jobs of the first project that has a file `needs` pass if the second one is good.
fn place() -> Option<Place> {
    let place = Place::new(server()?, 2);
    let other = place.projects[1].name.clone();
    place.pipeline(&format!(
        "if [ -e needs ]; then grep -q good ../{other}/verdict; fi"
    ));
    Some(place)
}

impl Place {
    /// Commits a file in a clone, with this message, above the last commit of master.
    fn commit_file(&self, at: usize, file: &str, text: &str, message: &str) {
        let clone = &self.clones[at];
        clone.git(&["checkout", "-q", "--force", "--detach", "origin/master"]);
        std::fs::write(clone.directory.join(file), text).expect("written");
        clone.commit("unrelated", message);
    }

    /// Pushes with options of the server.
    fn push_with(&self, at: usize, options: &str) {
        let target = format!("HEAD:refs/for/master{options}");
        self.clones[at].git(&["push", "-q", "origin", &target]);
    }

    /// Returns the change of a project.
    fn change_of(&self, all: &[Value], at: usize) -> Value {
        let is_own = |change: &&Value| change["project"] == self.projects[at].name.as_str();
        all.iter().find(is_own).cloned().unwrap_or_default()
    }

    /// Waits until the current commit of a project's change has the verdicts of these runs, and the
    /// vote of the last one.
    fn until_verdicts(&self, at: usize, runs: &[&str], wanted: i64) {
        self.until(&format!("runs {runs:?} with {wanted:+}"), |all| {
            let change = self.change_of(all, at);
            change["current_revision"].is_string()
                && on_current(&change) == runs
                && vote(&change) == wanted
        });
    }

    fn post_to(&self, at: usize, id: &str, verb: &str) {
        let path = format!("changes/{}~master~{id}/{verb}", self.projects[at].id());
        self.server
            .rest(User::Admin, "POST", &path, Some(&json!({})));
    }
}

const FIRST: &str = "I00000000000000000000000000000000000000a1";

fn second() -> String {
    crate::support::gerrit::fresh_id()
}

#[test]
fn a_change_that_joins_the_topic_later_heals_the_one_before_it() {
    let Some(place) = place() else { return };
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream, "--reviews", "2"]);
    let (topic, id) = (format!("topic-{}", place.projects[0].name), second());
    let options = format!("%topic={topic}");
    let (first, message) = (
        format!("watched: needs\n\nChange-Id: {FIRST}\n"),
        format!("watched: good\n\nChange-Id: {id}\n"),
    );
    place.commit_file(0, "needs", "", &first);
    place.push_with(0, &options);
    place.until_verdicts(0, &["1"], -1);
    place.commit_file(1, "verdict", "good", &message);
    place.push_with(1, &options);
    place.until_verdicts(0, &["1", "2"], 1);
    place.until_verdicts(1, &["1"], 1);
    // A new patch set of it, and an abandon, outdate what was said with it.
    place.commit_file(1, "verdict", "bad", &message);
    place.push_with(1, &options);
    place.until_verdicts(0, &["1", "2", "3"], -1);
    place.until_verdicts(1, &["1"], -1);
    place.commit_file(1, "verdict", "good", &message);
    place.push_with(1, &options);
    place.until_verdicts(0, &["1", "2", "3", "4"], 1);
    place.post_to(1, &id, "abandon");
    place.until_verdicts(0, &["1", "2", "3", "4", "5"], -1);
    let all = place.changes();
    assert_eq!(verdicts(&place.change_of(&all, 0)).len(), 5, "none twice");
}

#[test]
fn a_new_patch_set_of_what_a_commit_depends_on_outdates_its_verdict() {
    let Some(place) = place() else { return };
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream, "--reviews", "2"]);
    let id = second();
    let good = format!("watched: good\n\nChange-Id: {id}\n");
    place.commit_file(1, "verdict", "good", &good);
    place.push_with(1, "");
    place.until_verdicts(1, &["1"], 1);
    // The operator's clone does not stand on it.
    place.clones[1].git(&["checkout", "-q", "--force", "--detach", "origin/master"]);
    let needs = format!("watched: needs\n\nDepends-on: {id}\nChange-Id: {FIRST}\n");
    place.commit_file(0, "needs", "", &needs);
    place.push_with(0, "");
    place.until_verdicts(0, &["1"], 1);
    place.commit_file(1, "verdict", "bad", &good);
    place.push_with(1, "");
    place.clones[1].git(&["checkout", "-q", "--force", "--detach", "origin/master"]);
    place.until_verdicts(0, &["1", "2"], -1);
    // That nobody depends on: its own jobs pass.
    place.until_verdicts(1, &["1"], 1);
}
