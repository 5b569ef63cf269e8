//! Laws of the queue, over any order of patch sets, ends and withdrawals.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PROJECTS: u64 = 3;

/// Creates a ticket; the change decides the project, change and patch set the commit.
fn ticket(run: i64, change: u64, patch_set: u32) -> Ticket {
    Ticket {
        run,
        change,
        project: format!("p{}", change % PROJECTS),
        patch_set,
        sha: format!("{change}-{patch_set}"),
    }
}

#[derive(Debug, Clone)]
enum Act {
    Offer(u64, u32),
    Withdraw(u64),
    Start,
    End(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0_u64..9, 1_u32..5).prop_map(|(change, patch_set)| Act::Offer(change, patch_set)),
        1 => (0_u64..9).prop_map(Act::Withdraw),
        4 => Just(Act::Start),
        2 => (0_usize..4).prop_map(Act::End),
    ];
    proptest::collection::vec(act, 1..120)
}

/// Returns the projects that could start a run, with the number of runs they have running.
fn eligible(queue: &Queue) -> Vec<(String, usize)> {
    let may = |ticket: &Ticket| queue.running_for(ticket.change).is_none();
    (queue.lines.iter())
        .filter(|(_, line)| line.waiting.iter().any(may))
        .map(|(project, line)| (project.clone(), line.running))
        .collect()
}

fn check_each_change_once(queue: &Queue) {
    let waiting: Vec<_> = queue
        .lines
        .values()
        .flat_map(|line| &line.waiting)
        .collect();
    let changes: BTreeSet<_> = waiting.iter().map(|ticket| ticket.change).collect();
    assert_eq!(changes.len(), waiting.len(), "a change waits twice");
    for ticket in waiting {
        if let Some(running) = queue.running_for(ticket.change) {
            assert!(running.patch_set < ticket.patch_set);
        }
    }
    let running: usize = queue.lines.values().map(|line| line.running).sum();
    assert_eq!(running, queue.running.len());
}

fn check_offer(queue: &mut Queue, new: Ticket) {
    let before = [queue.waiting_for(new.change), queue.running_for(new.change)]
        .map(|ticket| ticket.cloned());
    let newest = before.iter().flatten().map(|ticket| ticket.patch_set).max();
    let offered = queue.offer(new.clone());
    match newest {
        Some(known) if known == new.patch_set => assert_eq!(offered, Offered::Known),
        Some(known) if known > new.patch_set => assert_eq!(offered, Offered::Late),
        _ => {
            let [replaced, cancel] = before;
            assert_eq!(offered, Offered::Waits { replaced, cancel });
            assert_eq!(queue.waiting_for(new.change), Some(&new));
            return;
        }
    }
    let after = [queue.waiting_for(new.change), queue.running_for(new.change)]
        .map(|ticket| ticket.cloned());
    assert_eq!(before, after, "a late or known patch set changed something");
}

fn check_start(queue: &mut Queue) {
    let eligible = eligible(queue);
    let free = queue.running.len() < queue.slots;
    let Some(started) = queue.start() else {
        assert!(!free || eligible.is_empty(), "a slot stays empty");
        return;
    };
    assert!(free);
    let of = |project: &str| eligible.iter().find(|(name, _)| name == project).unwrap().1;
    let own = of(&started.project);
    assert!(
        eligible.iter().all(|(_, running)| *running >= own),
        "passed over"
    );
}

proptest! {
    #[test]
    fn no_change_runs_twice_and_nothing_late_cancels(acts in acts(), slots in 1_usize..4) {
        let mut queue = Queue::new(slots);
        for (run, act) in acts.into_iter().enumerate() {
            match act {
                Act::Offer(change, patch_set) => {
                    check_offer(&mut queue, ticket(run as i64, change, patch_set));
                }
                Act::Withdraw(change) => {
                    let withdrawn = queue.withdraw(change);
                    prop_assert_eq!(withdrawn.running.as_ref(), queue.running_for(change));
                    prop_assert_eq!(queue.waiting_for(change), None);
                }
                Act::Start => check_start(&mut queue),
                Act::End(index) => {
                    let running = queue.running().nth(index).cloned();
                    running.iter().for_each(|ticket| queue.ended(ticket));
                }
            }
            check_each_change_once(&queue);
        }
        // Whatever happened, everything that waits gets its turn.
        let mut left = queue.waiting();
        while left > 0 {
            let running: Vec<_> = queue.running().cloned().collect();
            running.iter().for_each(|ticket| queue.ended(ticket));
            prop_assert!(queue.start().is_some());
            left -= 1;
        }
    }

    #[test]
    fn with_one_slot_projects_take_turns(sizes in proptest::collection::vec(1_u64..8, PROJECTS as usize)) {
        let mut queue = Queue::new(1);
        for (project, size) in sizes.iter().enumerate() {
            for change in 0..*size {
                queue.offer(ticket(0, change * PROJECTS + project as u64, 1));
            }
        }
        let mut left = sizes;
        while left.iter().any(|left| *left > 0) {
            // Each project with something left is served once in a round.
            let mut round = BTreeSet::new();
            for _ in 0..left.iter().filter(|left| **left > 0).count() {
                let started = queue.start().unwrap();
                queue.ended(&started);
                prop_assert!(round.insert(started.project.clone()));
                left[(started.change % PROJECTS) as usize] -= 1;
            }
        }
    }
}

#[test]
fn an_end_that_is_told_twice_frees_one_slot() {
    let mut queue = Queue::new(1);
    queue.offer(ticket(1, 0, 1));
    let first = queue.start().unwrap();
    queue.offer(ticket(2, 0, 2));
    assert_eq!(queue.start(), None);
    queue.ended(&first);
    let second = queue.start().unwrap();
    queue.ended(&first);
    assert_eq!(queue.running_for(0), Some(&second));
}
