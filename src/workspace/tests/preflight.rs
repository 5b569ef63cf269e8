//! One test for each finding; the snapshots hold the texts for people.

use std::os::unix::fs::PermissionsExt;

use super::support::{World, component, kata_v1, one, pipeline};
use crate::config::{Layout, Pipeline};
use crate::model::{Command, Readiness, Selection};
use crate::workspace::RootHalf;

const ROOT: &str = "go/src/github.com/kata-containers";

/// Makes a component with a Makefile and nothing else.
fn place() -> World {
    let world = World::new();
    world.write("place/Makefile", "check:\n\ttrue\n");
    world
}

/// Makes a sound proxy in a GOPATH.
fn proxy() -> World {
    let world = World::new();
    world.v1(&format!("{ROOT}/proxy"), "proxy");
    world.tests_clone(&format!("{ROOT}/tests"));
    // The preflight only looks whether it is there; asking the real one for packages takes its
    // time.
    world.program(
        "go",
        "test \"$1\" = version && echo go version go1.26.8 linux/amd64",
    );
    world
}

fn finding(world: &World, requires: &[&str]) -> String {
    world.finding(&world.only(&one(requires), "").readiness)
}

fn v1_finding(world: &World) -> String {
    world.finding(&world.only(&kata_v1(), "go").readiness)
}

#[test]
fn a_component_that_requires_nothing_is_ready() {
    assert_eq!(finding(&place(), &[]), "ready");
}

#[test]
fn a_missing_program_is_named() {
    insta::assert_snapshot!(finding(&place(), &["program:kata-nothing"]));
}

#[test]
fn a_version_that_is_too_old_is_told_with_the_program_that_has_it() {
    let world = place();
    world.program("go", "echo go version go1.17.2 linux/amd64");
    world.program("cargo", "echo 'cargo 1.60.0 (d1fd9fe2c 2022-03-01)'");
    insta::assert_snapshot!(finding(&world, &["go>=1.19", "cargo>=1.85.1"]));
}

#[test]
fn a_version_that_is_new_enough_is_ready() {
    let world = place();
    world.program("go", "echo go version go1.26.8 linux/amd64");
    assert_eq!(finding(&world, &["go>=1.19"]), "ready");
    world.program("go", "echo 'go version devel +2d6ee6e89a Sun Feb 11'");
    assert_eq!(finding(&world, &["go>=1.19"]), "ready");
}

#[test]
fn a_program_that_does_not_tell_its_version_is_not_trusted() {
    let world = place();
    world.program(
        "cargo",
        "echo 'error: toolchain 1.85.1 is not installed' >&2; exit 1",
    );
    world.program("jq", "echo fine");
    insta::assert_snapshot!(finding(&world, &["cargo>=1.85", "program:jq>=1.6"]));
}

#[test]
fn root_is_asked_for() {
    let mut world = place();
    assert_eq!(finding(&world, &["root"]), "ready");
    world.machine.user = 1000;
    insta::assert_snapshot!(finding(&world, &["root"]));
}

#[test]
fn kvm_must_be_there_and_open() {
    let mut world = place();
    insta::assert_snapshot!(finding(&world, &["kvm"]));
    world.write("kvm", "");
    assert_eq!(finding(&world, &["kvm"]), "ready");
    world.machine.kvm = world.path("place");
    assert!(finding(&world, &["kvm"]).starts_with("unmet: ROOT/place cannot be opened: "));
}

#[test]
fn a_kvm_of_others_is_told_apart_from_none() {
    let world = place();
    world.write("kvm", "");
    std::fs::set_permissions(world.path("kvm"), PermissionsExt::from_mode(0o000)).expect("a mode");
    let expected = match nix::unistd::geteuid().is_root() {
        // root opens it all the same.
        true => "ready",
        false => {
            "unmet: ROOT/kvm cannot be opened by this user\nfix: add the user to the group of the device (`usermod -aG kvm USER`) and log in again, or run as root"
        }
    };
    assert_eq!(finding(&world, &["kvm"]), expected);
}

#[test]
fn a_component_without_a_makefile_is_broken() {
    let mut own = one(&[]);
    let world = World::new();
    world.write("place/file", "");
    own.base = Some(world.path(""));
    own.components[0].optional = false;
    insta::assert_snapshot!(world.finding(&world.only(&own, "").readiness));
    own.steps[0].command = Command::Script("true".to_owned());
    assert_eq!(world.finding(&world.only(&own, "").readiness), "ready");
}

#[test]
fn a_missing_make_is_no_error_127() {
    let mut world = place();
    world.set("PATH", world.path("bin"));
    insta::assert_snapshot!(finding(&world, &[]));
}

#[test]
fn a_sound_component_is_ready() {
    assert_eq!(v1_finding(&proxy()), "ready");
}

#[test]
fn a_missing_tests_clone_comes_with_the_command_that_makes_it() {
    let world = proxy();
    std::fs::remove_dir_all(world.path(&format!("{ROOT}/tests"))).expect("removed");
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn a_tests_clone_on_the_wrong_branch_is_broken() {
    let world = proxy();
    world.git(&format!("{ROOT}/tests"), &["checkout", "--quiet", "main"]);
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn a_tests_clone_without_the_right_branch_must_fetch_it() {
    let world = proxy();
    let clone = format!("{ROOT}/tests");
    world.git(&clone, &["checkout", "--quiet", "main"]);
    world.git(&clone, &["branch", "--quiet", "-D", "1.x-eol"]);
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn a_tests_clone_with_the_scripts_will_do_on_any_branch_or_none() {
    let world = proxy();
    world.git(
        &format!("{ROOT}/tests"),
        &["checkout", "--quiet", "--detach"],
    );
    assert_eq!(v1_finding(&world), "ready");
    world.git(
        &format!("{ROOT}/tests"),
        &["checkout", "--quiet", "-b", "mine"],
    );
    assert_eq!(v1_finding(&world), "ready");
}

#[test]
fn a_tests_clone_is_looked_for_in_the_gopath_of_the_user_when_there_is_no_layout() {
    let world = place();
    insta::assert_snapshot!(finding(&world, &["tests-clone"]));
    world.tests_clone("home/go/src/github.com/kata-containers/tests");
    assert_eq!(finding(&world, &["tests-clone"]), "ready");
}

#[test]
fn a_component_outside_of_git_has_no_origin() {
    let world = place();
    insta::assert_snapshot!(finding(&world, &["origin"]));
}

#[test]
fn a_remote_of_another_name_is_named_with_the_command_that_renames_it() {
    let world = proxy();
    world.git(
        &format!("{ROOT}/proxy"),
        &["remote", "rename", "origin", "upstream"],
    );
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn no_remote_at_all_is_broken() {
    let world = proxy();
    world.git(&format!("{ROOT}/proxy"), &["remote", "remove", "origin"]);
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn a_branch_of_origin_that_does_not_resolve_is_broken() {
    let world = proxy();
    let delete = ["update-ref", "-d", "refs/remotes/origin/master"];
    world.git(&format!("{ROOT}/proxy"), &delete);
    insta::assert_snapshot!(v1_finding(&world));
}

#[test]
fn the_branch_compared_with_is_the_one_kata_takes() {
    let world = proxy();
    let mut stable = kata_v1();
    stable
        .env
        .insert("branch".to_owned(), "stable-1.11".to_owned());
    let found = |world: &World| world.finding(&world.only(&stable, "go").readiness);
    assert!(
        found(&world).starts_with("broken: origin/stable-1.11, "),
        "{}",
        found(&world)
    );
    let create = ["update-ref", "refs/remotes/origin/stable-1.11", "HEAD"];
    world.git(&format!("{ROOT}/proxy"), &create);
    assert_eq!(found(&world), "ready");
}

#[test]
fn outside_of_v1_the_branch_is_main() {
    let world = place();
    world.repository("place", "main", "https://example.org/place");
    assert_eq!(finding(&world, &["origin"]), "ready");
}

#[test]
fn outside_of_v1_the_branch_that_changes_are_for_is_compared_with() {
    let world = place();
    world.repository("place", "develop", "https://example.org/place");
    let mut own = one(&["origin"]);
    own.gerrit.branch = Some("develop".to_owned());
    assert_eq!(world.finding(&world.only(&own, "").readiness), "ready");
}

#[test]
fn a_repository_of_another_owner_is_broken_with_gits_own_fix() {
    let world = proxy();
    let mut v1 = kata_v1();
    v1.env
        .insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
    // git's own way to test this without being root.
    v1.env
        .insert("GIT_TEST_ASSUME_DIFFERENT_OWNER".to_owned(), "1".to_owned());
    insta::assert_snapshot!(world.finding(&world.only(&v1, "go").readiness));
}

#[test]
fn without_git_a_component_that_needs_it_is_skipped() {
    let mut world = place();
    world.program("make", "");
    world.set("PATH", world.path("bin"));
    insta::assert_snapshot!(finding(&world, &["origin"]));
}

/// Returns the decision about the root half of the only component's `test`, and the notices. The
/// component must be ready.
fn root_half(world: &World, pipeline: &Pipeline) -> (Option<RootHalf>, String) {
    let workspace = world.open(pipeline, "go", &[]).expect("a workspace");
    let found = &workspace.components[0];
    assert_eq!(found.readiness, Readiness::Ready);
    let notices: Vec<_> = (workspace.notices.iter())
        .map(|notice| notice.text.clone())
        .collect();
    (found.root_half.get("test").cloned(), notices.join("\n"))
}

#[test]
fn a_user_without_sudo_runs_v1_tests_without_the_root_half_and_is_told() {
    let mut world = proxy();
    world.machine.user = 1000;
    world.program(
        "sudo",
        "test \"$*\" = '-n true' && echo 'sudo: a password is required' >&2; exit 1",
    );
    let (half, said) = root_half(&world, &kata_v1());
    assert!(matches!(half, Some(RootHalf::Impossible(_))), "{half:?}");
    assert!(
        said.starts_with("proxy.test: tested as user 1000 only")
            && said.contains("a password is required"),
        "{said}"
    );
    world.program("sudo", "test \"$*\" = '-n true'");
    let by_sudo = (Some(RootHalf::BySudo), String::new());
    assert_eq!(root_half(&world, &kata_v1()), by_sudo);
    let mut unwanted = kata_v1();
    for step in &mut unwanted.steps {
        step.without_root = true;
    }
    let (half, said) = root_half(&world, &unwanted);
    assert_eq!(half, Some(RootHalf::Unwanted));
    assert!(said.contains("are left out"), "{said}");
}

#[test]
fn sudo_matters_only_where_kata_calls_it() {
    let mut world = proxy();
    world.machine.user = 1000;
    world.program("sudo", "exit 1");
    let is_asked = |world: &World, pipeline: &Pipeline| root_half(world, pipeline).0.is_some();
    assert!(is_asked(&world, &kata_v1()));
    world.set("CI", "true");
    assert!(
        !is_asked(&world, &kata_v1()),
        "CI beside KATA_DEV_MODE leaves the run as root out"
    );
    let mut without_dev_mode = kata_v1();
    without_dev_mode.env.clear();
    assert!(is_asked(&world, &without_dev_mode), "CI alone does not");
    world.user.remove(std::ffi::OsStr::new("CI"));
    let selection = Selection {
        components: Vec::new(),
        steps: vec!["check".to_owned()],
        ..Selection::default()
    };
    let workspace = world
        .open_selection(&kata_v1(), "go", &selection)
        .expect("a workspace");
    assert!(
        workspace.components[0].root_half.is_empty(),
        "check does not call sudo"
    );
    std::fs::write(
        world.path(&format!("{ROOT}/proxy/Makefile")),
        "test:\n\tcargo test\n",
    )
    .expect("written");
    assert!(!is_asked(&world, &kata_v1()), "a component in Rust");
    world.machine.user = 0;
    assert_eq!(v1_finding(&world), "ready");
}

#[test]
fn all_findings_are_told_at_once_and_a_broken_one_makes_it_an_error() {
    let world = proxy();
    std::fs::remove_dir_all(world.path(&format!("{ROOT}/tests"))).expect("removed");
    world.git(
        &format!("{ROOT}/proxy"),
        &["remote", "rename", "origin", "gerrit"],
    );
    let requires = ["program:kata-nothing", "tests-clone", "origin"];
    let all = pipeline(
        "kata-v1",
        Layout::Gopath,
        vec![component("proxy", "proxy", &requires)],
    );
    insta::assert_snapshot!(world.finding(&world.only(&all, "go").readiness));
}

#[test]
fn a_place_with_blanks_is_quoted_in_the_fix() {
    let world = World::new();
    world.v1("my work/proxy", "proxy");
    let found = world.only(&kata_v1(), "my work");
    insta::assert_snapshot!(world.finding(&found.readiness));
}
