//! The programs that kata's static-checks.sh asks for.

use std::os::unix::fs::symlink;

use super::support::{World, kata_v1};
use crate::config::{NetworkPolicy, Pipeline};
use crate::model::{Expect, Readiness};

const PROXY: &str = "go/src/github.com/kata-containers/proxy";
const TESTS: &str = "go/src/github.com/kata-containers/tests";

/// The lines by which the script asks for programs.
const SCRIPT: &str = r#"
chronic=chronic
install_yamllint() { sudo apt-get -y install yamllint; }
local linter="golangci-lint"
local cmd="xurls"
go get github.com/golang/dep/cmd/dep
{ $chronic jq -S . "$json"; }
"#;

/// Makes a sound proxy on a machine that has nothing but git, make, go, script and apt-get.
fn proxy(script: &str) -> World {
    let mut world = World::new();
    world.v1(PROXY, "proxy");
    world.write(
        &format!("{PROXY}/Makefile"),
        "check:\n\tbash .ci/static-checks.sh\ntest:\n\tbash .ci/go-test.sh\n",
    );
    world.write(&format!("{PROXY}/Gopkg.lock"), "");
    world.git(PROXY, &["add", "--all"]);
    world.git(PROXY, &["commit", "--quiet", "--message", "more"]);
    world.git(PROXY, &["update-ref", "refs/remotes/origin/master", "HEAD"]);
    world.tests_clone(TESTS);
    world.write(&format!("{TESTS}/.ci/static-checks.sh"), script);
    for name in ["git", "make", "sh"] {
        let real = world.user.find_program(name).expect(name);
        symlink(real, world.path("bin").join(name)).expect("a link");
    }
    world.program("apt-get", "");
    world.program(
        "go",
        "test \"$1\" = version && echo go version go1.26.8 linux/amd64",
    );
    world.set("PATH", world.path("bin"));
    world
}

fn pipeline() -> Pipeline {
    let mut pipeline = kata_v1();
    pipeline.steps[0].expect = Expect::Commands;
    pipeline
}

fn of_check(world: &World, pipeline: &Pipeline) -> String {
    let found = world.only(pipeline, "go");
    assert_eq!(found.readiness_of("test"), &Readiness::Ready);
    world.finding(found.readiness_of("check"))
}

#[test]
fn what_check_lacks_is_told_with_commands_and_the_tests_run() {
    let world = proxy(SCRIPT);
    insta::assert_snapshot!(of_check(&world, &pipeline()), @r#"
    unmet: kata's static-checks.sh needs xurls, golangci-lint, yamllint, not on PATH; kata's static-checks.sh runs `go get github.com/golang/dep/cmd/dep`, which go 1.26.8 no longer does there
    fix: GOBIN=ROOT/go/bin GO111MODULE=on go install mvdan.cc/xurls/v2/cmd/xurls@v2.2.0 && GOBIN=ROOT/go/bin GO111MODULE=on go install github.com/golangci/golangci-lint/cmd/golangci-lint@v1.64.8 && apt-get install -y yamllint; PATH="$(GO111MODULE=on GOTOOLCHAIN=go1.21.13 go env GOROOT)/bin:$PATH" kata-ci run --network on
    "#);
}

#[test]
fn what_is_installed_where_the_command_says_is_found() {
    let world = proxy(&SCRIPT.replace("go get", "#"));
    for name in ["xurls", "golangci-lint", "yamllint"] {
        world.program(name, "");
    }
    std::fs::create_dir_all(world.path("go/bin")).expect("a directory");
    let (from, to) = (world.path("bin/xurls"), world.path("go/bin/xurls"));
    std::fs::rename(from, to).expect("moved");
    assert_eq!(of_check(&world, &pipeline()), "ready");
}

#[test]
fn only_what_the_script_asks_for_and_comes_to_is_asked_for() {
    let world = proxy("local cmd=\"xurls\"\n");
    assert!(of_check(&world, &pipeline()).contains("needs xurls, not"));
    assert_eq!(of_check(&proxy(""), &pipeline()), "ready");

    let world = proxy(SCRIPT);
    std::fs::remove_file(world.path(&format!("{PROXY}/Gopkg.lock"))).expect("removed");
    world.write(&format!("{PROXY}/data.json"), "{}");
    world.git(PROXY, &["add", "--all"]);
    world.git(PROXY, &["commit", "--quiet", "--message", "data"]);
    let told = of_check(&world, &pipeline());
    assert!(
        told.contains("golangci-lint, yamllint, jq, chronic"),
        "{told}"
    );
    assert!(
        told.contains("apt-get install -y yamllint jq moreutils"),
        "{told}"
    );

    let mut online = pipeline();
    online.steps[0].network = NetworkPolicy::On;
    assert_eq!(of_check(&world, &online), "ready", "the script brings it");
}

#[test]
fn a_user_who_is_not_root_is_told_to_use_sudo() {
    let mut world = proxy(SCRIPT);
    world.machine.user = 1000;
    let told = of_check(&world, &pipeline());
    assert!(
        told.contains("&& sudo apt-get install -y yamllint"),
        "{told}"
    );
}

#[test]
fn dep_is_brought_by_a_go_that_still_does_with_the_network() {
    let world = proxy("go get github.com/golang/dep/cmd/dep\ndep check\n");
    world.program("dep", "");
    let told = of_check(&world, &pipeline());
    assert!(
        told.contains("go env GOROOT)/bin:$PATH\" kata-ci run --network on"),
        "{told}"
    );
    let version = "test \"$1\" = version && echo go version go1.21.13 linux/amd64";
    world.program("go", version);
    let told = of_check(&world, &pipeline());
    assert!(
        told.contains("which needs the network\nfix: kata-ci run --network on"),
        "{told}"
    );
    let mut online = pipeline();
    online.steps[0].network = NetworkPolicy::On;
    assert_eq!(of_check(&world, &online), "ready");
    world.write(
        "go/src/github.com/golang/dep/cmd/dep/main.go",
        "package main\n",
    );
    assert_eq!(of_check(&world, &pipeline()), "ready", "it was brought");
    world.program(
        "go",
        "test \"$1\" = version && echo go version go1.26.8 linux/amd64",
    );
    assert!(of_check(&world, &pipeline()).contains("no longer does there"));
    world.write(&format!("{PROXY}/go.mod"), "module proxy\n");
    assert_eq!(of_check(&world, &pipeline()), "ready");
}
