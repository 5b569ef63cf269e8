//! The state over kills, other writers and later versions.

use super::*;

fn new<'a>(change: u64, patch_set: u32, sha: &'a str) -> NewRun<'a> {
    NewRun {
        change,
        project: "proxy",
        patch_set,
        sha,
        why: "new",
        component: None,
    }
}

fn change(number: u64, sha: &str) -> ChangeRow {
    ChangeRow {
        number,
        project: "proxy".into(),
        branch: "master".into(),
        subject: "100%_sure\\".into(),
        owner: "Ada".into(),
        status: "NEW".into(),
        patch_set: 1,
        sha: sha.into(),
        updated: "x".into(),
        topic: String::new(),
    }
}

#[test]
fn who_joins_a_topic_later_outdates_a_run_until_it_is_repeated() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let of_topic = |number, project: &str, topic: &str| ChangeRow {
        project: project.into(),
        topic: topic.into(),
        ..change(number, "a")
    };
    let started = |store: &mut Store| {
        let run = store.queue(new(1, 1, "a")).unwrap();
        let run = store.start(run.id, "/r").unwrap();
        store.end(run.id, RunState::Posted, "").unwrap();
        run
    };
    let found = |store: &Store, run: &Run| store.newcomer(run).unwrap().map(|one| one.number);
    store.see(&of_topic(1, "proxy", "t")).unwrap();
    store.see(&of_topic(2, "agent", "t")).unwrap();
    let run = started(&mut store);
    assert_eq!(found(&store, &run), None);
    // Neither other topics, other changes of the project, nor other branches.
    store.see(&of_topic(3, "agent", "u")).unwrap();
    store.see(&of_topic(4, "proxy", "t")).unwrap();
    let elsewhere = ChangeRow {
        branch: "stable".into(),
        ..of_topic(5, "agent", "t")
    };
    store.see(&elsewhere).unwrap();
    assert_eq!(found(&store, &run), None);
    store.see(&of_topic(3, "agent", "t")).unwrap();
    assert_eq!(found(&store, &run), Some(3));
    assert_eq!(store.outdated_companion(&run).unwrap(), Some(3));
    assert_eq!(store.peers(&of_topic(3, "agent", "t")).unwrap(), [1, 4]);
    store.ran_with(run.id, &[(3, "a".to_owned())]).unwrap();
    assert_eq!(found(&store, &run), None);
    let again = started(&mut store);
    assert_eq!(found(&store, &again), None);
    // One that was seen before is no newcomer, one that is restored is.
    store.see(&of_topic(3, "agent", "t")).unwrap();
    assert_eq!(found(&store, &again), None);
    for status in ["ABANDONED", "NEW"] {
        let status = status.into();
        store
            .see(&ChangeRow {
                status,
                ..of_topic(2, "agent", "t")
            })
            .unwrap();
    }
    assert_eq!(found(&store, &again), Some(2));
    // The change itself may come to a topic that others have.
    store.see(&of_topic(1, "proxy", "")).unwrap();
    let alone = started(&mut store);
    store.see(&of_topic(1, "proxy", "t")).unwrap();
    assert_eq!(found(&store, &alone), Some(2));
}

#[test]
fn runs_of_a_commit_are_numbered_and_one_of_a_change_waits() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let first = store.queue(new(1, 1, "a")).unwrap();
    let second = store.queue(new(1, 1, "a")).unwrap();
    let other = store.queue(new(1, 2, "b")).unwrap();
    // The same commit can be a change of another branch.
    let elsewhere = store.queue(new(2, 1, "a")).unwrap();
    assert_eq!(
        [&first, &second, &other, &elsewhere].map(|run| run.number),
        [1, 2, 1, 1]
    );
    let waiting = store.runs_in(RunState::Queued).unwrap();
    assert_eq!(waiting, [other, elsewhere]);
    let replaced = store.run(first.id).unwrap();
    assert_eq!(replaced.state, RunState::Cancelled);
    assert_eq!(store.newest(1, "a").unwrap().unwrap().id, second.id);
}

#[test]
fn what_was_running_waits_again_unless_something_newer_does() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let lone = store.queue(new(1, 1, "a")).unwrap();
    store.start(lone.id, "/r/1").unwrap();
    let old = store.queue(new(2, 1, "b")).unwrap();
    store.start(old.id, "/r/2").unwrap();
    let newer = store.queue(new(2, 2, "c")).unwrap();
    drop(store);
    let mut store = Store::open(place.path()).unwrap();
    store.recover().unwrap();
    let waiting = store.runs_in(RunState::Queued).unwrap();
    let ids: Vec<_> = waiting.iter().map(|run| run.id).collect();
    assert_eq!(ids, [lone.id, newer.id]);
    assert_eq!(waiting[0].attempts, 1);
    assert_eq!(store.run(old.id).unwrap().state, RunState::Cancelled);
}

#[test]
fn a_post_is_intended_once_and_posted_once() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    assert_eq!(store.post_state("1~a~1").unwrap(), IntentState::Unknown);
    store.intend("1~a~1", 1, "a").unwrap();
    store.intend("1~a~1", 1, "a").unwrap();
    assert_eq!(store.post_state("1~a~1").unwrap(), IntentState::Intended);
    store.posted("1~a~1").unwrap();
    store.intend("1~a~1", 1, "a").unwrap();
    assert_eq!(store.post_state("1~a~1").unwrap(), IntentState::Posted);
}

#[test]
fn a_companion_outdates_a_run_once_for_each_commit_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    store.see(&change(1, "a")).unwrap();
    let run = store.queue(new(1, 1, "a")).unwrap();
    store.start(run.id, "/r").unwrap();
    store.judge(run.id, "passed", "").unwrap();
    store.ran_with(run.id, &[(9, "old".to_owned())]).unwrap();
    store.end(run.id, RunState::Posted, "").unwrap();
    assert_eq!(store.awaited_companions().unwrap(), [(9, 1)]);
    assert_eq!(store.dependents(9).unwrap(), [1]);
    let status = |status: &str, sha| ChangeRow {
        status: status.into(),
        ..change(9, sha)
    };
    for (companion, outdates) in [
        (status("NEW", "old"), false),
        (status("NEW", "new"), true),
        (status("ABANDONED", "old"), true),
        (status("MERGED", "rebased"), false),
    ] {
        store.see(&companion).unwrap();
        let found = store.outdated_companion(&run).unwrap();
        assert_eq!(found.is_some(), outdates, "{companion:?}");
        let cause = companion.cause_for("a");
        store.answer(&cause, 1, "runs again").unwrap();
        assert_eq!(store.outdated_companion(&run).unwrap(), None);
    }
    store.see(&status("NEW", "newer")).unwrap();
    assert_eq!(store.outdated_companion(&run).unwrap(), Some(9));
    let closed = ChangeRow {
        status: "MERGED".into(),
        ..change(1, "a")
    };
    store.see(&closed).unwrap();
    assert_eq!(store.dependents(9).unwrap(), [0_u64; 0]);
    assert_eq!(store.open_changes().unwrap(), [9]);
    store.unlist(9).unwrap();
    assert_eq!(store.open_changes().unwrap(), [0_u64; 0]);
}

#[test]
fn a_verdict_found_on_the_server_counts_in_the_numbers() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    store.adopt(new(1, 1, "a"), 3).unwrap();
    assert_eq!(store.queue(new(1, 1, "a")).unwrap().number, 4);
    store.cancel_waiting(1, "closed").unwrap();
    store.adopt(new(1, 1, "a"), 4).unwrap();
    let newest = store.newest(1, "a").unwrap().unwrap();
    assert_eq!((newest.number, newest.state), (4, RunState::Posted));
}

#[test]
fn old_report_directories_are_named_and_those_of_running_runs_are_not() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    let ids: Vec<i64> = (1..=4)
        .map(|number| {
            let run = store.queue(new(number, 1, "a")).unwrap();
            store.start(run.id, &format!("/r/{number}")).unwrap();
            run.id
        })
        .collect();
    for id in &ids[1..] {
        store.end(*id, RunState::Posted, "").unwrap();
    }
    assert_eq!(
        store.beyond(1).unwrap(),
        [(ids[2], "/r/3".into()), (ids[1], "/r/2".into())]
    );
    store.forget_directory(ids[2]).unwrap();
    assert_eq!(store.beyond(1).unwrap(), [(ids[1], "/r/2".to_owned())]);
}

#[test]
fn one_process_writes_and_others_read() {
    let place = tempfile::tempdir().unwrap();
    assert!(View::open(place.path()).unwrap().is_none());
    std::fs::write(database(place.path()), "").unwrap();
    assert!(View::open(place.path()).unwrap().is_none());
    let mut store = Store::open(place.path()).unwrap();
    assert!(matches!(
        Store::open(place.path()),
        Err(StoreError::Busy(_))
    ));
    let view = View::open(place.path()).unwrap().unwrap();
    let run = store.queue(new(1, 1, "abcdef")).unwrap();
    store.see(&change(1, "abcdef")).unwrap();
    assert_eq!(view.active().unwrap(), std::slice::from_ref(&run));
    for words in ["1", "bcde", "prox", "100%_", "\\", "ada", " Ada "] {
        let found = view.search(words, 9).unwrap();
        assert_eq!(found, std::slice::from_ref(&run), "{words}");
    }
    for words in ["2", "100%%", "' OR 1=1 --", "100xxsure"] {
        assert_eq!(view.search(words, 9).unwrap(), [], "{words}");
    }
    let written = view.connection.execute("DELETE FROM runs", []);
    assert!(written.is_err());
    drop(store);
    Store::open(place.path()).unwrap();
}

#[test]
fn the_state_of_a_later_version_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(place.path()).unwrap();
    store
        .connection
        .pragma_update(None, "user_version", 99)
        .unwrap();
    drop(store);
    assert!(matches!(
        Store::open(place.path()),
        Err(StoreError::Newer { version: 99 })
    ));
}

#[test]
fn what_was_returned_is_on_the_disk() {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open(place.path()).unwrap();
    let synchronous: i64 = store
        .connection
        .query_row("PRAGMA synchronous", [], |row| row.get(0))
        .unwrap();
    let journal: String = store
        .connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[test]
fn a_state_of_the_first_version_is_upgraded_with_what_it_holds() {
    let place = tempfile::tempdir().unwrap();
    let mut store = Store::open(place.path()).unwrap();
    store.see(&change(1, "a")).unwrap();
    store.queue(new(1, 1, "a")).unwrap();
    drop(store);
    let connection = Connection::open(database(place.path())).unwrap();
    let back = "DROP INDEX changes_by_topic; ALTER TABLE changes DROP COLUMN topic;
        ALTER TABLE changes DROP COLUMN joined_at; PRAGMA user_version = 1;";
    connection.execute_batch(back).unwrap();
    drop(connection);
    assert!(View::open(place.path()).unwrap().is_none());
    let store = Store::open(place.path()).unwrap();
    assert_eq!(store.change(1).unwrap(), Some(change(1, "a")));
    assert_eq!(store.runs_in(RunState::Queued).unwrap().len(), 1);
}
