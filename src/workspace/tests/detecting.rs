//! The detection of the shipped pipeline.

use super::support::World;
use crate::model::ExitCode;
use crate::workspace::{Detected, WorkspaceError, detect};

fn detected(world: &World, directory: &str) -> (String, String, Option<String>) {
    let Detected {
        pipeline,
        root,
        component,
    } = detect(&world.path(directory)).expect("something");
    (pipeline.to_owned(), world.told(root.display()), component)
}

fn found(pipeline: &str, root: &str, component: Option<&str>) -> (String, String, Option<String>) {
    (
        pipeline.to_owned(),
        root.to_owned(),
        component.map(str::to_owned),
    )
}

#[test]
fn a_gopath_is_known_from_above_and_from_below() {
    let world = World::new();
    world.v1("go/src/github.com/kata-containers/proxy", "proxy");
    world.v1("go/src/github.com/kata-containers/shim", "shim");
    world.write("go/src/github.com/kata-containers/proxy/deep/er/file", "");
    let root = "ROOT/go/src/github.com/kata-containers";
    for above in [
        "go",
        "go/src",
        "go/src/github.com",
        "go/src/github.com/kata-containers",
    ] {
        assert_eq!(
            detected(&world, above),
            found("kata-v1", root, None),
            "{above}"
        );
    }
    for below in ["", "/deep/er"] {
        let directory = format!("go/src/github.com/kata-containers/proxy{below}");
        assert_eq!(
            detected(&world, &directory),
            found("kata-v1", root, Some("proxy")),
            "{below}"
        );
    }
}

#[test]
fn what_lies_beside_a_gopaths_repositories_is_none_of_them() {
    let world = World::new();
    world.v1("src/github.com/kata-containers/proxy", "proxy");
    world.write("project/Makefile", "");
    assert_eq!(
        detected(&world, "project"),
        found("makefile", "ROOT/project", Some("project"))
    );
}

#[test]
fn repositories_side_by_side_are_known_by_name_or_origin() {
    let world = World::new();
    world.v1("work/proxy", "fork-of-proxy");
    world.v1("work/kata-shim", "shim");
    world.write("work/notes/file", "");
    assert_eq!(
        detected(&world, "work"),
        found("kata-v1", "ROOT/work", None)
    );
    assert_eq!(
        detected(&world, "work/proxy"),
        found("kata-v1", "ROOT/work", Some("proxy"))
    );
    assert_eq!(
        detected(&world, "work/kata-shim/.ci"),
        found("kata-v1", "ROOT/work", Some("shim"))
    );
}

#[test]
fn a_name_alone_makes_no_kata_repository() {
    let world = World::new();
    world.write("work/proxy/Makefile", "");
    assert_eq!(
        detected(&world, "work"),
        found("makefile", "ROOT/work", None)
    );
}

#[test]
fn two_checkouts_of_one_repository_are_refused_unless_the_user_stands_in_one() {
    let world = World::new();
    world.v1("work/old", "proxy");
    world.v1("work/new", "proxy");
    let error = detect(&world.path("work")).expect_err("it is ambiguous");
    assert_eq!(
        world.told(&error),
        "component `proxy` could be ROOT/work/new or ROOT/work/old"
    );
    assert_eq!(error.exit_code(), ExitCode::Usage);
    assert_eq!(
        detected(&world, "work/old"),
        found("kata-v1", "ROOT/work", Some("proxy"))
    );
}

#[test]
fn the_monorepo_is_known_from_anywhere_inside() {
    let world = World::new();
    world.monorepo("kata");
    let cases = [
        ("kata", None),
        ("kata/src", None),
        ("kata/src/tools", None),
        ("kata/src/libs", Some("libs")),
        ("kata/src/runtime/pkg", Some("runtime")),
        ("kata/src/tools/kata-ctl", Some("kata-ctl")),
    ];
    for (directory, component) in cases {
        let expected = found("kata-monorepo", "ROOT/kata", component);
        assert_eq!(detected(&world, directory), expected, "{directory}");
    }
}

#[test]
fn the_monorepo_in_a_gopath_beside_v1_stays_the_monorepo() {
    let world = World::new();
    world.v1("go/src/github.com/kata-containers/proxy", "proxy");
    world.monorepo("go/src/github.com/kata-containers/kata-containers");
    let root = "go/src/github.com/kata-containers/kata-containers";
    let expected = found("kata-monorepo", &format!("ROOT/{root}"), Some("libs"));
    assert_eq!(detected(&world, &format!("{root}/src/libs")), expected);
}

#[test]
fn any_makefile_will_do_at_last() {
    let world = World::new();
    world.write("one/Makefile", "");
    world.write("many/a/GNUmakefile", "");
    world.write("many/b/makefile", "");
    world.write("many/.hidden/Makefile", "");
    assert_eq!(
        detected(&world, "one"),
        found("makefile", "ROOT/one", Some("one"))
    );
    assert_eq!(
        detected(&world, "many"),
        found("makefile", "ROOT/many", None)
    );
}

#[test]
fn nothing_is_an_error_that_tells_what_was_looked_for() {
    let world = World::new();
    let error = detect(&world.path("home")).expect_err("nothing is there");
    insta::assert_snapshot!(format!("{}\nfix: {}", world.told(&error), error.fix()));
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let world = World::new();
    world.write("file", "");
    let missing = detect(&world.path("missing")).expect_err("it is not there");
    assert_eq!(
        world.told(&missing),
        "ROOT/missing: No such file or directory (os error 2)"
    );
    let file = detect(&world.path("file")).expect_err("it is a file");
    assert!(matches!(file, WorkspaceError::Directory { .. }), "{file:?}");
}
