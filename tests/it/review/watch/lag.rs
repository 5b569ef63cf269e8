//! An index and a replica that lag behind the events of the server.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::{Place, expect_one_verdict_each, on_current, verdicts};
use crate::review::forwarder::{Rule, forward, status};
use crate::support::gerrit::{Transport, User, server};

/// The words of a run that waits for the index.
const WAITS: &str = "does not have the patch set";

/// Lets the watcher reach the server through a forwarder.
fn through(place: &Place, rule: Box<Rule>) {
    let server = place.server;
    let port = forward(server.value("http_port").parse().expect("a port"), rule);
    let file = place.home().join("token");
    let token = format!("admin:{}\n", server.password(User::Admin));
    std::fs::write(&file, token).expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("private");
    // git fetches from there, too.
    let store = place.home().join("credentials");
    let known = std::fs::read_to_string(&store).expect("credentials");
    let password = server.password(User::Admin);
    let known = format!("{known}http://admin:{password}@127.0.0.1:{port}\n");
    std::fs::write(&store, known).expect("written");
    let credentials = format!("credentials = \"{}\"", file.display());
    place.configure_at(&port.to_string(), &credentials);
}

/// The index in front of the real one.
#[derive(Clone, Copy, PartialEq)]
enum Index {
    /// Knows what the real one knows.
    Fresh,
    /// Knows no change yet.
    Empty,
    /// Answers as before.
    Stale,
}

/// Returns the rule of an index that is as `index` says.
fn lagging(place: &Place, index: Arc<Mutex<Index>>) -> Box<Rule> {
    let server = place.server;
    let mut answers = BTreeMap::new();
    Box::new(move |line| {
        let path = line.strip_prefix("GET ")?.split(' ').next()?.to_owned();
        if !path.starts_with("/a/changes/?") {
            return None;
        }
        let empty = || ")]}'\n[]".to_owned();
        let answer = match *index.lock().expect("nobody panicked") {
            Index::Empty => empty(),
            Index::Stale => answers.get(&path).cloned().unwrap_or_else(empty),
            Index::Fresh => {
                let user = format!("admin:{}", server.password(User::Admin));
                let curl = Command::new("curl")
                    .args(["-sS", "--noproxy", "*", "-u", &user])
                    .arg(format!("{}{path}", server.url()))
                    .output()
                    .expect("curl");
                let answer = String::from_utf8_lossy(&curl.stdout).into_owned();
                answers.insert(path, answer.clone());
                answer
            }
        };
        Some(status(200, &answer))
    })
}

#[test]
fn an_index_that_lags_delays_a_verdict_and_makes_nobody_a_stranger() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let index = Arc::new(Mutex::new(Index::Empty));
    let set = |state| *index.lock().expect("nobody panicked") = state;
    through(&place, lagging(&place, index.clone()));
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream, "--interval", "2s"]);
    place.until_logged("stream opened", 1);
    place.clones[0].commit_with_id("file", "watched: one");
    place.push(0);
    // It is known without the index, and waits for it.
    place.until_logged(WAITS, 1);
    assert!(verdicts(&place.changes()[0]).is_empty());
    set(Index::Fresh);
    place.until("a verdict", |all| on_current(&all[0]) == ["1"]);
    // It tells of the first patch set still.
    set(Index::Stale);
    let before = place.logged().matches(WAITS).count();
    let id = place.changes()[0]["change_id"].clone();
    let message = format!("watched: two\n\nChange-Id: {}", id.as_str().expect("an id"));
    place.clones[0].git(&["commit", "-q", "--amend", "-m", &message]);
    place.push(0);
    place.until_logged(WAITS, before + 1);
    set(Index::Fresh);
    place.until("a verdict on the second", |all| {
        on_current(&all[0]) == ["1"] && verdicts(&all[0]).len() == 2
    });
    expect_one_verdict_each(&place);
    assert!(!place.logged().contains("belongs to no change"));
}

#[test]
fn a_replica_that_lags_behind_the_events_delays_a_verdict_and_is_no_minus() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let replica = place
        .home()
        .join(format!("replica/{}.git", place.projects[0].name));
    let clone = &place.clones[0];
    let (from, to) = (&clone.directory, &replica);
    let made = Command::new("git")
        .args(["clone", "-q", "--bare"])
        .args([from, to])
        .status();
    assert!(made.expect("git").success());
    clone.git(&[
        "remote",
        "set-url",
        "origin",
        &replica.display().to_string(),
    ]);
    // All fetches of the first attempt are refused.
    let mut left = 4;
    let rule = move |line: &str| {
        (line.contains("/info/refs") && left > 0).then(|| {
            left -= 1;
            status(404, "not yet")
        })
    };
    through(&place, Box::new(rule));
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream]);
    // Somebody else's clone: this one must not have the commit.
    let url = place.projects[0].url(User::Admin, Transport::Http);
    let elsewhere = clone.beside(&url, "elsewhere/clone");
    elsewhere.commit_with_id("file", "watched: one");
    elsewhere.git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    place.until_logged("cannot be fetched", 1);
    assert!(verdicts(&place.changes()[0]).is_empty());
    place.until("a verdict", |all| on_current(&all[0]) == ["1"]);
    expect_one_verdict_each(&place);
}
