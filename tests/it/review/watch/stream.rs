//! Streams that lie: ten thousand events with lines cut, doubled, unknown and out of order. Streams
//! that are silent.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Place, expect_one_verdict_each, on_current};
use crate::support::gerrit::server;
use crate::support::until;

/// Writes a program that stands for ssh: it notes that it was called, prints a file, and is silent
/// then. Returns the command, and the notes.
fn fake_ssh(place: &Path, events: &str) -> (String, PathBuf) {
    let (file, notes, script) = (
        place.join("events"),
        place.join("calls"),
        place.join("ssh.sh"),
    );
    std::fs::write(&file, events).expect("written");
    let text = format!(
        "echo \"$@\" >> '{}'\ncat '{}'\nexec sleep 1000\n",
        notes.display(),
        file.display()
    );
    std::fs::write(&script, text).expect("written");
    (format!("sh {}", script.display()), notes)
}

/// Returns an event of a change, as the server prints it.
fn event(kind: &str, change: &Value, patch_set: u64) -> String {
    let revision = change["current_revision"].as_str().expect("a commit");
    json!({
        "type": kind,
        "change": {"project": change["project"], "branch": "master", "number": change["_number"]},
        "patchSet": {"number": patch_set, "revision": revision},
        "eventCreatedOn": 1,
        "comment": "Patch Set 1:\n\nrecheck",
        "refUpdate": {"project": change["project"], "refName": "refs/heads/master"},
    })
    .to_string()
}

/// Returns ten thousand lines about the changes, many of them damaged.
fn recorded(changes: &[Value]) -> String {
    const KINDS: [&str; 12] = [
        "patchset-created",
        "comment-added",
        "change-restored",
        "wip-state-changed",
        "ref-updated",
        "private-state-changed",
        "topic-changed",
        "change-abandoned",
        "change-merged",
        "reviewer-added",
        "dropped-output",
        "something-new",
    ];
    let mut text = String::new();
    for number in 0..10_000_usize {
        let change = &changes[number % changes.len()];
        let line = event(KINDS[number / 3 % KINDS.len()], change, 1);
        let _ = match number % 7 {
            0 => writeln!(text, "{}", &line[..line.len() / 2]),
            1 => writeln!(text, "{line}\n{line}"),
            2 => writeln!(text, "{}\u{0}\u{7}", &line[1..]),
            _ => writeln!(text, "{line}"),
        };
    }
    // A line without end is no event, however long it gets.
    text + &"x".repeat(3 << 20)
}

/// Returns the resident memory of a process in KiB.
fn memory(pid: nix::unistd::Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("its memory");
    let words = line.split_whitespace().nth(1).expect("a number");
    words.parse().expect("a number")
}

#[test]
fn ten_thousand_lying_events_change_nothing_and_memory_stays_flat() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 2);
    for at in 0..2 {
        for number in 0..3 {
            place.clones[at].commit_with_id("file", &format!("watched: {number}"));
        }
        place.push(at);
    }
    let (ssh, calls) = fake_ssh(place.home(), &recorded(&place.changes()));
    let options = [
        "--stream",
        "nobody@nowhere",
        "--silence",
        "5s",
        "--interval",
        "20s",
    ];
    let watcher = place.watch_with(&options, &[("GIT_SSH_COMMAND", &ssh)]);
    let opened = || std::fs::read_to_string(&calls).map_or(0, |text| text.lines().count());
    place.until("verdicts", |all| {
        all.iter().all(|change| !on_current(change).is_empty())
    });
    until("the first stream is read", || opened() >= 1);
    let first = memory(watcher.pid());
    // The silent stream is opened again, and all the events come again.
    until("the silent stream is opened again, twice", || opened() >= 3);
    let calls = std::fs::read_to_string(&calls).expect("calls");
    assert!(
        calls.contains("nobody@nowhere gerrit stream-events -s patchset-created"),
        "{calls}"
    );
    let last = memory(watcher.pid());
    println!("memory after 10,000 events: {first} KiB, after 30,000: {last} KiB");
    assert!(last < first + 8 * 1024, "{first} KiB grew to {last} KiB");
    expect_one_verdict_each(&place);
}

#[test]
fn what_happens_while_the_stream_is_silent_is_found_by_asking() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let (ssh, _) = fake_ssh(place.home(), "");
    let options = [
        "--stream",
        "nobody@nowhere",
        "--silence",
        "3s",
        "--interval",
        "1h",
    ];
    let _watcher = place.watch_with(&options, &[("GIT_SSH_COMMAND", &ssh)]);
    place.clones[0].commit_with_id("file", "watched: unheard");
    place.push(0);
    place.until("a verdict", |all| {
        all.iter().all(|change| !on_current(change).is_empty())
    });
    expect_one_verdict_each(&place);
}

#[test]
fn a_new_patch_set_and_an_abandon_cancel_what_runs_and_a_restore_runs_it() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let slow = place.home().join("slow");
    std::fs::write(&slow, "").expect("written");
    place.pipeline(&format!(
        "while [ -e {} ]; do sleep 0.1; done",
        slow.display()
    ));
    let stream = place.stream();
    let _watcher = place.watch(&["--stream", &stream]);
    let id = place.clones[0].commit_with_id("file", "watched: one");
    place.push(0);
    let log_has = |text: &str| place.logged().contains(text);
    until("the first patch set runs", || log_has("started"));
    place.clones[0].commit("file", "x");
    place.clones[0].git(&["reset", "-q", "--soft", "HEAD~1"]);
    place.clones[0].git(&["commit", "-q", "--amend", "--no-edit"]);
    place.push(0);
    until("it is cancelled", || log_has("patch set 2 is there"));
    let change = format!("changes/{}~master~{id}", place.projects[0].id());
    let post = |verb: &str| {
        let path = format!("{change}/{verb}");
        server.rest(
            crate::support::gerrit::User::Admin,
            "POST",
            &path,
            Some(&json!({})),
        )
    };
    until("the second runs", || {
        place.logged().matches("started").count() >= 2
    });
    post("abandon");
    until("it is cancelled, too", || log_has("the change is closed"));
    std::fs::remove_file(&slow).expect("removed");
    post("restore");
    place.until("a verdict on the second", |all| {
        on_current(&all[0]) == ["2"]
    });
    assert_eq!(super::verdicts(&place.changes()[0]).len(), 1);
}
