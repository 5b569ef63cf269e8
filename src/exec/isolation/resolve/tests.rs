use super::*;
use crate::model::Command;

const OFF: &str = "off";
const ENFORCED: &str = "enforced";

const EVERYTHING: fn(Tier) -> Result<(), String> = |_| Ok(());
const NOTHING: fn(Tier) -> Result<(), String> = |_| Err("making namespaces: EPERM".into());

fn job(network: NetworkPolicy, isolate: IsolatePolicy) -> Job {
    let command = Command::Script("true".into());
    Job {
        bounds: Bounds {
            network,
            isolate,
            ..Bounds::default()
        },
        ..Job::new(JobId::new("proxy", "test"), command, "/srv".into())
    }
}

/// Network, processes, files.
fn said(decision: &Decision) -> [String; 3] {
    let Isolation {
        network,
        processes,
        files,
        ..
    } = &decision.enforcement;
    [network, processes, files].map(Enforcement::to_string)
}

fn decide(
    network: NetworkPolicy,
    isolate: IsolatePolicy,
    allows: fn(Tier) -> Result<(), String>,
) -> Result<Decision, UnsatisfiableIsolation> {
    Decision::of(&job(network, isolate), allows)
}

#[test]
fn where_everything_can_be_had_all_that_is_asked_for_is_enforced() {
    use {IsolatePolicy as I, NetworkPolicy as N};
    let enforced = [ENFORCED; 3];
    for (network, isolate, expected) in [
        (N::Auto, I::Auto, enforced),
        (N::Off, I::On, enforced),
        (N::On, I::On, [OFF, ENFORCED, ENFORCED]),
        (N::Off, I::Off, [ENFORCED, OFF, OFF]),
        (N::On, I::Off, [OFF; 3]),
    ] {
        let decision = decide(network, isolate, EVERYTHING).unwrap();
        assert_eq!(said(&decision), expected, "{network:?} {isolate:?}");
    }
}

#[test]
fn auto_without_a_sandbox_leaves_the_network_and_says_so() {
    let decision = decide(NetworkPolicy::Auto, IsolatePolicy::Off, EVERYTHING).unwrap();
    assert!(!decision.tier.network);
    assert!(said(&decision)[0].starts_with("advisory: "), "{decision:?}");
}

#[test]
fn where_nothing_can_be_had_auto_runs_and_says_advisory_for_each() {
    let decision = decide(NetworkPolicy::Auto, IsolatePolicy::Auto, NOTHING).unwrap();
    assert_eq!(said(&decision), ["advisory: making namespaces: EPERM"; 3]);
    assert_eq!(
        (decision.tier.network, decision.tier.space),
        (false, Level::None)
    );
}

#[test]
fn where_nothing_can_be_had_off_and_on_are_refused_with_the_reason() {
    use {IsolatePolicy as I, NetworkPolicy as N};
    for (network, isolate, what) in [
        (N::Off, I::Auto, "network off is asked for proxy.test"),
        (N::Off, I::Off, "network off is asked for proxy.test"),
        (N::Auto, I::On, "isolate on is asked for proxy.test"),
        (N::On, I::On, "isolate on is asked for proxy.test"),
    ] {
        let unmet = decide(network, isolate, NOTHING).unwrap_err().to_string();
        assert!(unmet.starts_with(what), "{unmet}");
        assert!(
            unmet.contains("EPERM") && unmet.contains("= help: "),
            "{unmet}"
        );
    }
}

#[test]
fn a_part_that_can_be_had_is_had() {
    let only_network: fn(Tier) -> _ = |tier| match tier.space {
        Level::None => Ok(()),
        _ => Err("mounting /proc: EPERM".into()),
    };
    let decision = decide(NetworkPolicy::Off, IsolatePolicy::Auto, only_network).unwrap();
    let reason = "advisory: mounting /proc: EPERM";
    assert_eq!(said(&decision), [ENFORCED, reason, reason]);
    let only_space: fn(Tier) -> _ = |tier| match tier.network {
        false => Ok(()),
        true => Err("making namespaces: ENOSPC".into()),
    };
    let decision = decide(NetworkPolicy::Auto, IsolatePolicy::Auto, only_space).unwrap();
    let reason = "advisory: making namespaces: ENOSPC";
    assert_eq!(said(&decision), [reason, ENFORCED, ENFORCED]);
}

#[test]
fn a_job_that_calls_sudo_is_left_alone_by_auto_and_by_nothing_else() {
    let mut sudo = job(NetworkPolicy::Auto, IsolatePolicy::Auto);
    sudo.bounds.calls_sudo = true;
    let decision = Decision::of(&sudo, EVERYTHING).unwrap();
    assert!(
        said(&decision).iter().all(|said| said.contains("sudo")),
        "{decision:?}"
    );
    sudo.bounds.isolate = IsolatePolicy::On;
    assert_eq!(
        said(&Decision::of(&sudo, EVERYTHING).unwrap()),
        [ENFORCED; 3]
    );
}

#[test]
fn a_component_that_is_a_shared_directory_cannot_be_isolated() {
    let mut shared = job(NetworkPolicy::Auto, IsolatePolicy::Auto);
    shared.directory = "/tmp".into();
    let decision = Decision::of(&shared, EVERYTHING).unwrap();
    assert_eq!(said(&decision)[0], ENFORCED);
    assert!(
        said(&decision)[2].starts_with("advisory: the component lies in /tmp"),
        "{decision:?}"
    );
    shared.bounds.isolate = IsolatePolicy::On;
    let unmet = Decision::of(&shared, EVERYTHING).unwrap_err().to_string();
    assert!(unmet.contains("= help: see to what"), "{unmet}");
    // Its network is refused for a reason of its own.
    shared.bounds.isolate = IsolatePolicy::Auto;
    shared.bounds.network = NetworkPolicy::Off;
    let unmet = Decision::of(&shared, NOTHING).unwrap_err().to_string();
    assert!(
        unmet.contains("EPERM") && unmet.contains("= help: run where"),
        "{unmet}"
    );
}

#[test]
fn of_the_run_as_a_whole_the_least_is_said_that_holds_for_a_job() {
    let paths = RunPaths {
        workspace: Path::new("/srv"),
        view: None,
        reports: Path::new("/srv/r"),
        own: &[],
    };
    let settled = |network, isolate, allows| {
        decide(network, isolate, allows)
            .unwrap()
            .settled(&job(network, isolate), &paths)
    };
    let run = |jobs: Vec<JobIsolation>| Isolated {
        jobs: (jobs.into_iter().enumerate())
            .map(|(number, settled)| (JobId::new(&format!("c{number}"), "test"), settled))
            .collect(),
        ..Isolated::default()
    };
    let fetch = || settled(NetworkPolicy::On, IsolatePolicy::Auto, EVERYTHING);
    let test = || settled(NetworkPolicy::Auto, IsolatePolicy::Auto, EVERYTHING);
    let weak = || settled(NetworkPolicy::Auto, IsolatePolicy::Auto, NOTHING);
    assert_eq!(run(vec![fetch()]).overall().network.to_string(), "off");
    assert_eq!(run(vec![test()]).overall().network.to_string(), "enforced");
    assert_eq!(
        run(vec![fetch(), test(), fetch()])
            .overall()
            .network
            .to_string(),
        "enforced: but off for c0.test, c2.test"
    );
    let many = (0..6).map(|_| fetch()).chain([test()]).collect();
    assert_eq!(
        run(many).overall().network.to_string(),
        "enforced: but off for c0.test, c1.test, c2.test and 3 more"
    );
    assert_eq!(run(Vec::new()).overall().network.to_string(), "off");
    let overall = run(vec![fetch(), weak(), test()]).overall();
    assert!(overall.network.is_advisory(), "{overall:?}");
    assert_eq!(overall.mode, "auto");
}
