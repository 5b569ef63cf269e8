//! A burst of patch sets over three projects, while the server is killed and started again, and the
//! watcher is killed.

use std::time::{Duration, Instant};

use super::{Place, current, expect_one_verdict_each, on_current, verdicts};
use crate::support::gerrit::server_with;

/// The most changes that the server takes in one push.
const MOST_AT_ONCE: usize = 20;

/// The kills of a story.
struct Kills {
    server: usize,
    watcher: usize,
}

/// Commits changes in each clone and pushes them. Returns the number of patch sets.
fn push_burst(place: &Place, changes: usize) -> usize {
    for clone in &place.clones {
        for number in 0..changes {
            let file = format!("file{number}");
            clone.commit_with_id(&file, &format!("watched: change {number}"));
        }
    }
    push_all(place, changes)
}

/// Pushes the last commits of each clone, at most as many at once as the server takes. Returns the
/// number of patch sets.
fn push_all(place: &Place, changes: usize) -> usize {
    for clone in &place.clones {
        for behind in (0..changes)
            .step_by(MOST_AT_ONCE)
            .collect::<Vec<_>>()
            .iter()
            .rev()
        {
            let target = format!("HEAD~{behind}:refs/for/master");
            clone.git(&["push", "-q", "origin", &target]);
        }
    }
    changes * place.clones.len()
}

/// Amends the last commits of each clone, in a stack, and pushes them again.
fn push_again(place: &Place, changes: usize) -> usize {
    for clone in &place.clones {
        clone.git(&[
            "-c",
            "sequence.editor=true",
            "rebase",
            "-q",
            "-i",
            "--force-rebase",
            "--exec",
            "echo again >> again && git add again && git commit -q --amend --no-edit",
            &format!("HEAD~{changes}"),
        ]);
    }
    push_all(place, changes)
}

fn story(changes: usize, again: usize, kills: &Kills) {
    // A server that is killed loses what its index has not written yet, and nobody finds a change in
    // its lists then until it is indexed again.
    let at_once = "[index \"changes_open\"]\n\tcommitWithin = 0\n[index \"changes_closed\"]\n\tcommitWithin = 0\n";
    let Some(server) = server_with(at_once) else {
        return;
    };
    let place = Place::new(server, 3);
    let stream = place.stream();
    let options = ["--stream", &stream, "--interval", "10s", "--reviews", "3"];
    let mut watcher = place.watch(&options);
    let begun = Instant::now();
    let mut pushed = push_burst(&place, changes);
    let pieces = kills.server + kills.watcher;
    let mut killed = 0;
    // A kill after each further piece of the verdicts.
    for piece in 1..=pieces {
        let wanted = changes * place.clones.len() * piece / (pieces + 2);
        place.until("verdicts come", |all| count(all) >= wanted.min(all.len()));
        match piece % 2 == 0 && piece / 2 <= kills.server {
            true => server.restart(),
            false => {
                watcher.kill();
                killed += 1;
                watcher = place.watch(&options);
            }
        }
        if piece == pieces / 2 {
            pushed += push_again(&place, again);
        }
    }
    place.until("each current commit has a verdict", |all| {
        all.iter().all(|change| !on_current(change).is_empty())
    });
    // Nothing more comes: the lists and looks after that find nothing to do.
    std::thread::sleep(Duration::from_secs(5));
    expect_one_verdict_each(&place);
    let all: Vec<_> = place.changes();
    let superseded = all
        .iter()
        .map(|change| verdicts(change).len())
        .sum::<usize>()
        - all.len();
    println!(
        "{pushed} patch sets over {} projects, server killed {} times, watcher {killed} times: \
         {} verdicts on current commits, {superseded} on superseded ones, none twice, {:.0} s",
        place.clones.len(),
        kills.server,
        all.len(),
        begun.elapsed().as_secs_f64()
    );
    let code = watcher.terminate();
    assert_eq!(code, Some(128 + 15));
}

/// Counts the changes with a verdict on their current commit.
fn count(changes: &[serde_json::Value]) -> usize {
    let has = |change: &&serde_json::Value| !on_current(change).is_empty();
    changes.iter().filter(has).count()
}

#[test]
fn a_burst_over_kills_of_server_and_watcher_gives_each_current_commit_one_verdict() {
    story(
        8,
        5,
        &Kills {
            server: 1,
            watcher: 3,
        },
    );
}

#[test]
#[ignore = "takes many minutes: make soak"]
fn two_hundred_patch_sets_over_three_kills_of_the_server_and_five_of_the_watcher() {
    // 102 changes, and another patch set of each.
    story(
        34,
        34,
        &Kills {
            server: 3,
            watcher: 5,
        },
    );
}

#[test]
fn a_killed_watcher_takes_its_reviews_with_it() {
    let Some(server) = crate::support::gerrit::server() else {
        return;
    };
    let place = Place::new(server, 1);
    let mark = place.home().join("mark");
    place.pipeline(&format!("echo $$ > {}; exec sleep 987", mark.display()));
    let mut watcher = place.watch(&["--interval", "2s"]);
    place.clones[0].commit_with_id("file", "watched: one");
    place.push(0);
    let is_there = || std::fs::read_to_string(&mark).is_ok_and(|text| !text.trim().is_empty());
    crate::support::until("the job runs", is_there);
    watcher.kill();
    // Each of them has the home in its environment.
    let home = place.home().display().to_string();
    crate::support::until("watcher, review and job are gone", || {
        crate::support::processes::with(&home).is_empty()
    });
    // The next watcher takes the run up again, and one that is told to end records it.
    std::fs::remove_file(&mark).expect("removed");
    let mut watcher = place.watch(&["--interval", "2s"]);
    crate::support::until("the job runs again", is_there);
    assert_eq!(watcher.terminate(), Some(128 + 15));
    place.pipeline("true");
    let _watcher = place.watch(&["--interval", "2s"]);
    place.until("a verdict", |all| {
        all.iter().all(|change| !on_current(change).is_empty())
    });
    expect_one_verdict_each(&place);
    assert!(!current(&place.changes()[0]).is_empty());
}
