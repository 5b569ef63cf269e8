//! Each fault on a made-up host, alone and together with others.

use super::fault::Fault;
use super::healthy::{
    CONFIGURATION, bare, cloud_hypervisor, containerd_1_6, containerd_2, crio, developer,
    docker_20_10, docker_27, k3s, monolithic, nested, pvm, without_flags,
};
use super::made_up::{MadeUp, findings};
use super::of_developer::OF_DEVELOPER;
use super::of_engines::{OF_CRIO, OF_DOCKER, OF_DOCKER_27, OF_K3S};
use super::of_kata::OF_CONTAINERD_1_6;
use super::of_machine::OF_MACHINE;
use crate::host::doctor::Purpose;
use crate::host::doctor::State::Cannot as No;

fn check_alone(healthy: &MadeUp, faults: &[Fault], purposes: &[Purpose]) {
    let baseline = healthy.examine(purposes);
    let before: Vec<_> = (findings(&baseline).into_iter())
        .map(|(rule, _)| rule)
        .collect();
    for fault in faults {
        let host = (fault.change)(healthy.clone());
        let diagnosis = host.examine(purposes);
        let found = findings(&diagnosis);
        let of_rule: Vec<_> = found
            .iter()
            .filter(|(rule, _)| rule == fault.rule)
            .collect();
        let states: Vec<_> = of_rule.iter().map(|(_, check)| check.state).collect();
        assert!(
            states.contains(&fault.state),
            "{} on {}: {found:#?}",
            fault.name,
            healthy.name
        );
        // Nothing else is said but what follows from it.
        let more: Vec<_> = (found.iter())
            .filter(|(rule, check)| check.state == No && !before.contains(rule))
            .filter(|(rule, _)| !follows(fault, rule))
            .collect();
        assert!(
            more.is_empty(),
            "{} on {}: {more:#?}",
            fault.name,
            healthy.name
        );
        for (_, check) in &found {
            assert!(!check.text.contains('\n'), "{}", check.text);
            assert!(check.state != No || check.fix.is_some(), "{check:#?}");
        }
    }
}

/// Returns true if a fault may bring this finding along.
fn follows(fault: &Fault, rule: &str) -> bool {
    const MORE: [(&str, &str); 6] = [
        ("no sandbox", "isolation.strict-sandbox"),
        ("kata is not installed", "engines.handler-program"),
        ("no qemu", "kata.path"),
        ("no configuration", "engines.handler-configuration"),
        (
            "an unreadable configuration",
            "engines.handler-configuration",
        ),
        ("docker's kata is gone", "kata.programs"),
    ];
    let subject = |rule: &str| rule.split('.').next().map(str::to_owned);
    subject(fault.rule) == subject(rule) || MORE.contains(&(fault.name, rule))
}

#[test]
fn each_fault_of_a_developers_machine_is_found_alone() {
    let purposes = [
        Purpose::Build,
        Purpose::Check,
        Purpose::Test,
        Purpose::Push,
        Purpose::Review,
    ];
    check_alone(&developer("a developer's machine"), OF_DEVELOPER, &purposes);
}

#[test]
fn each_fault_of_the_machine_itself_is_found_alone() {
    let machine = bare("a machine");
    let found = machine.examine(&[Purpose::Run]);
    let of_machine = |rule: &str| {
        ["kvm.", "kernel.", "cgroups."]
            .iter()
            .any(|one| rule.starts_with(one))
    };
    let found: Vec<_> = (findings(&found).into_iter())
        .filter(|(rule, _)| of_machine(rule))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    check_alone(&machine, OF_MACHINE, &[Purpose::Run]);
}

#[test]
fn each_fault_of_docker_is_found_alone() {
    let run = [Purpose::Run];
    check_alone(&docker_20_10("docker 20.10"), OF_DOCKER, &run);
    check_alone(&docker_27("docker 27"), OF_DOCKER_27, &run);
}

/// A `daemon.json` that was changed somehow makes no panic, and is never taken for nothing.
#[test]
fn a_mutated_file_makes_no_panic() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let hosts = [
        docker_20_10("docker 20.10"),
        containerd_1_6("containerd 1.6"),
    ];
    let mut runner = TestRunner::new(Config::with_cases(200));
    let mutation = (
        0..2usize,
        any::<prop::sample::Index>(),
        0..40usize,
        "\\PC{0,4}",
    );
    runner
        .run(&mutation, |(host, file, cut, with)| {
            let mut host = hosts[host].clone();
            let paths: Vec<_> = host.files.keys().cloned().collect();
            let path = &paths[file.index(paths.len())];
            let mut text = String::from_utf8_lossy(&host.files[path]).into_owned();
            let at = text.floor_char_boundary(file.index(text.len() + 1));
            let end = text.floor_char_boundary((at + cut).min(text.len()));
            text.replace_range(at..end, &with);
            host.files.insert(path.clone(), text.into_bytes());
            prop_assert!(!host.examine(&[Purpose::Run]).checks.is_empty());
            Ok(())
        })
        .unwrap();
}

#[test]
fn each_fault_of_kata_and_its_engines_is_found_alone() {
    let run = [Purpose::Run];
    check_alone(&containerd_1_6("containerd 1.6"), OF_CONTAINERD_1_6, &run);
    check_alone(&containerd_1_6("containerd 1.6"), OF_MACHINE, &run);
    check_alone(&k3s("k3s"), OF_K3S, &run);
    check_alone(&crio("CRI-O"), OF_CRIO, &run);
}

#[test]
fn healthy_hosts_of_all_kinds_have_no_finding() {
    let hosts = [
        docker_20_10("kata 1 with docker 20.10"),
        docker_27("kata 4 with docker 27"),
        containerd_1_6("kata 4 with containerd 1.6"),
        containerd_2("kata 4 with containerd 2"),
        k3s("k3s"),
        crio("CRI-O"),
        nested("a nested virtual machine"),
        pvm("a kernel with PVM"),
        without_flags("another processor"),
        monolithic("a kernel without modules"),
        cloud_hypervisor("cloud hypervisor"),
    ];
    for host in hosts {
        let diagnosis = host.examine(&[Purpose::Run]);
        let found = findings(&diagnosis);
        assert!(found.is_empty(), "{}: {found:#?}", host.name);
        assert_eq!(diagnosis.exit_code().code(), 0, "{}", host.name);
    }
    let diagnosis = developer("a developer's machine").examine(&Purpose::ALL[..3]);
    let found = findings(&diagnosis);
    assert!(found.is_empty(), "{found:#?}");
}

/// Expects each fault of the machine to be found together with some of another kind.
fn check_together(healthy: &MadeUp, others: &[Fault]) {
    // Those of a guest are in the kernel of kata's own packages.
    let has_guest = healthy.files.contains_key(CONFIGURATION);
    let of_machine =
        (OF_MACHINE.iter()).filter(|fault| has_guest || !fault.name.starts_with("a guest"));
    for (at, one) in of_machine.enumerate() {
        for step in 0..others.len().min(3) {
            let other = &others[(at * 3 + step) % others.len()];
            let host = (other.change)((one.change)(healthy.clone()));
            let diagnosis = host.examine(&[Purpose::Run]);
            let found = findings(&diagnosis);
            for fault in [one, other] {
                let is_found = found
                    .iter()
                    .any(|(rule, check)| rule == fault.rule && check.state == fault.state);
                assert!(
                    is_found,
                    "{} of {} and {} on {}: {found:#?}",
                    fault.name, one.name, other.name, healthy.name
                );
            }
        }
    }
}

#[test]
fn faults_of_different_subjects_are_found_together() {
    check_together(&containerd_1_6("containerd 1.6"), OF_CONTAINERD_1_6);
    check_together(&docker_20_10("docker 20.10"), OF_DOCKER);
    check_together(&docker_27("docker 27"), OF_DOCKER_27);
    check_together(&k3s("k3s"), OF_K3S);
    check_together(&crio("CRI-O"), OF_CRIO);
}

/// Everything that is wrong with a machine at once: each subject finds its fault all the same.
#[test]
fn all_subjects_find_their_faults_at_once() {
    let named = |faults: &'static [Fault], name: &str| {
        let found = faults.iter().find(|fault| fault.name == name);
        found.unwrap_or_else(|| panic!("{name}"))
    };
    let faults = [
        named(OF_MACHINE, "a container without the device"),
        named(OF_MACHINE, "a kernel without tun"),
        named(OF_MACHINE, "no memory controller"),
        named(OF_CONTAINERD_1_6, "an image that is gone"),
        named(OF_CONTAINERD_1_6, "a qemu without q35"),
        named(OF_CONTAINERD_1_6, "a shim that is gone"),
        named(OF_CONTAINERD_1_6, "a containerd that does not run"),
    ];
    let host = containerd_1_6("containerd 1.6");
    let host = (faults.iter()).fold(host, |host, fault| (fault.change)(host));
    let diagnosis = host.examine(&[Purpose::Run]);
    let found = findings(&diagnosis);
    for fault in faults {
        let is_found = (found.iter()).any(|(rule, _)| rule == fault.rule);
        assert!(is_found, "{}: {found:#?}", fault.name);
    }
    let all = [
        OF_MACHINE,
        OF_CONTAINERD_1_6,
        OF_DOCKER,
        OF_DOCKER_27,
        OF_K3S,
        OF_CRIO,
        OF_DEVELOPER,
    ];
    assert!(all.iter().map(|faults| faults.len()).sum::<usize>() >= 60);
}
