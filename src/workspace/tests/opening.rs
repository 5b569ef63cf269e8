//! The directories of components.

use super::support::{World, any_makefile, component, kata_monorepo, kata_v1, names, pipeline};
use crate::config::{Layout, Overrides, PipelineSource, load};
use crate::model::ExitCode;
use crate::model::{Readiness, Selection};
use crate::workspace::detect;

const ROOT: &str = "go/src/github.com/kata-containers";

fn gopath() -> World {
    let world = World::new();
    world.v1(&format!("{ROOT}/proxy"), "proxy");
    world.v1(&format!("{ROOT}/shim"), "shim");
    world.tests_clone(&format!("{ROOT}/tests"));
    world
}

#[test]
fn a_gopath_is_opened_where_it_is() {
    let mut world = gopath();
    world.set("GO111MODULE", "on");
    world.set("GOPATH", "/elsewhere");
    let workspace = world.open(&kata_v1(), "go", &[]).expect("a workspace");
    assert_eq!(names(&workspace), ["shim", "proxy"]);
    assert!(workspace.view.is_none());
    let variable = |name: &str| workspace.environment.get(name).unwrap().to_string_lossy();
    assert_eq!(world.told(variable("GOPATH")), "ROOT/go");
    assert_eq!(variable("GO111MODULE"), "off");
    assert!(
        world
            .told(variable("PATH"))
            .starts_with("ROOT/go/bin:ROOT/bin:")
    );
    let proxy = &workspace.components[1];
    assert_eq!(proxy.directory, world.path(&format!("{ROOT}/proxy")));
    assert_eq!(world.finding(&proxy.readiness), "ready");
    assert_eq!(
        proxy.revision,
        Some(world.git(&format!("{ROOT}/proxy"), &["rev-parse", "HEAD"]))
    );
}

#[test]
fn go_tells_packages_and_the_import_path() {
    let world = gopath();
    let proxy = format!("{ROOT}/proxy");
    world.write(&format!("{proxy}/pkg/a.go"), "package pkg\n");
    world.write(&format!("{proxy}/vendor/example.org/x/x.go"), "package x\n");
    let found = world.only(&kata_v1(), &proxy);
    assert_eq!(
        found.go_root.as_deref(),
        Some("github.com/kata-containers/proxy")
    );
    assert_eq!(
        found.packages.unwrap_or_default(),
        [
            "github.com/kata-containers/proxy",
            "github.com/kata-containers/proxy/pkg"
        ]
    );
}

#[test]
fn packages_that_go_cannot_tell_are_unknown() {
    let world = gopath();
    world.program("go", "echo broken >&2; exit 1");
    let found = world.only(&kata_v1(), &format!("{ROOT}/proxy"));
    assert_eq!((found.packages, found.go_root), (None, None));
}

#[test]
fn a_package_is_known_although_it_or_what_it_imports_is_broken() {
    let world = gopath();
    let proxy = format!("{ROOT}/proxy");
    world.write(&format!("{proxy}/broken/a.go"), "package one\n");
    world.write(&format!("{proxy}/broken/b.go"), "package two\n");
    world.write(
        &format!("{proxy}/lost/a.go"),
        "package lost\n\nimport _ \"example.org/x\"\n",
    );
    let found = world.only(&kata_v1(), &proxy);
    let package = |name: &str| format!("github.com/kata-containers/proxy{name}");
    assert_eq!(
        found.packages,
        Some(vec![package(""), package("/broken"), package("/lost")])
    );
    assert_eq!(found.go_root, Some(package("")));
}

#[test]
fn a_component_without_go_at_its_top_has_an_import_path_too() {
    let world = World::new();
    world.write("place/Makefile", "");
    world.write("place/go.mod", "module example.org/kata\n");
    world.write("place/cmd/main.go", "package main\n");
    let found = world.only(&any_makefile(), "place");
    assert_eq!(found.go_root.as_deref(), Some("example.org/kata"));
    assert_eq!(found.packages.unwrap_or_default(), ["example.org/kata/cmd"]);
}

#[test]
fn cargo_tells_the_crates_of_the_component_alone() {
    let world = World::new();
    world.write(
        "place/Cargo.toml",
        "[workspace]\nmembers = [\"libs/*\", \"other\"]\nresolver = \"2\"\n",
    );
    for (path, name) in [
        ("libs/one", "kata-one"),
        ("libs/two", "two"),
        ("other", "other"),
    ] {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n");
        world.write(&format!("place/{path}/Cargo.toml"), &manifest);
        world.write(&format!("place/{path}/src/lib.rs"), "");
    }
    world.write("place/libs/two/src/main.rs", "fn main() {}\n");
    world.write("place/libs/two/tests/more.rs", "");
    world.write("place/libs/Makefile", "");
    // The manifest of the workspace lies above the component, as in the monorepo.
    let libs = pipeline(
        "file",
        Layout::Plain,
        vec![component("libs", "place/libs", &["cargo"])],
    );
    assert_eq!(
        world.only(&libs, "").packages.unwrap_or_default(),
        ["kata_one", "two"]
    );
}

#[test]
fn changed_files_are_those_kata_would_look_at() {
    let world = gopath();
    let proxy = format!("{ROOT}/proxy");
    assert_eq!(
        world.only(&kata_v1(), &proxy).changed_files,
        Some(Vec::new())
    );
    world.write(&format!("{proxy}/broken.json"), "{");
    world.write(&format!("{proxy}/vendor/x.json"), "{");
    world.git(&proxy, &["add", "--all"]);
    world.git(&proxy, &["commit", "--quiet", "--message", "more"]);
    assert_eq!(
        world
            .only(&kata_v1(), &proxy)
            .changed_files
            .unwrap_or_default(),
        ["broken.json"]
    );
    world.git(&proxy, &["update-ref", "-d", "refs/remotes/origin/master"]);
    assert_eq!(world.only(&kata_v1(), &proxy).changed_files, None);
}

#[test]
fn who_stands_in_a_component_gets_that_one_unless_others_are_named() {
    let world = gopath();
    let inside = format!("{ROOT}/proxy/.ci");
    let open = |components: &[&str]| {
        world
            .open(&kata_v1(), &inside, components)
            .expect("a workspace")
    };
    assert_eq!(names(&open(&[])), ["proxy"]);
    assert_eq!(names(&open(&["shim"])), ["shim", "proxy"]);
}

#[test]
fn only_selected_components_are_looked_at() {
    let world = gopath();
    std::fs::remove_dir_all(world.path(&format!("{ROOT}/tests"))).expect("removed");
    let workspace = world
        .open(&kata_v1(), "go", &["proxy"])
        .expect("a workspace");
    let [shim, proxy] = workspace.components.as_slice() else {
        panic!("{workspace:#?}");
    };
    assert_eq!(
        (&shim.readiness, &shim.revision),
        (&Readiness::Ready, &None)
    );
    assert!(matches!(proxy.readiness, Readiness::Unmet { .. }));
}

#[test]
fn the_monorepos_components_are_those_that_are_there() {
    let world = World::new();
    world.monorepo("kata");
    let open = |directory: &str| {
        world
            .open(&kata_monorepo(), directory, &[])
            .expect("a workspace")
    };
    let all = ["libs", "agent", "runtime", "kata-ctl"];
    assert_eq!(names(&open("kata")), all);
    assert_eq!(names(&open("kata/src/tools")), all);
    assert_eq!(names(&open("kata/src/runtime/pkg")), ["runtime"]);
    assert_eq!(
        world.told(open("kata/src/runtime/pkg").root.display()),
        "ROOT/kata"
    );
}

#[test]
fn every_directory_with_a_makefile_is_a_component() {
    let world = World::new();
    for name in ["b", "a.b", "a b"] {
        world.write(&format!("place/{name}/Makefile"), "");
    }
    world.write("place/Makefile", "");
    world.write("place/none/file", "");
    let workspace = world
        .open(&any_makefile(), "place", &[])
        .expect("a workspace");
    assert_eq!(names(&workspace), ["a-b", "a-b-2", "b"]);
    assert_eq!(
        names(
            &world
                .open(&any_makefile(), "place/b", &[])
                .expect("a workspace")
        ),
        ["b"]
    );
}

#[test]
fn a_path_in_the_users_own_file_must_be_there() {
    let world = World::new();
    world.write("place/a/Makefile", "");
    let mut own = pipeline(
        "kata-ci.toml",
        Layout::Plain,
        vec![component("a", "a", &[]), component("b", "sub/b", &[])],
    );
    own.base = Some(world.path("place"));
    own.components[1].optional = false;
    let error = world.open(&own, "", &[]).expect_err("b is missing");
    assert_eq!(
        world.told(&error),
        "kata-ci.toml: component `b` is not at ROOT/place/sub/b"
    );
    assert_eq!(error.exit_code(), ExitCode::Usage);
    own.components.pop();
    assert_eq!(
        names(&world.open(&own, "home", &[]).expect("a workspace")),
        ["a"]
    );
}

#[test]
fn a_file_inside_of_a_component_that_extends_what_is_shipped_finds_that_component() {
    let world = gopath();
    let proxy = format!("{ROOT}/proxy");
    let mut own = kata_v1();
    own.base = Some(world.path(&proxy));
    assert_eq!(
        names(&world.open(&own, &proxy, &[]).expect("a workspace")),
        ["proxy"]
    );
    own.base = Some(world.path(ROOT));
    let all = world.open(&own, &proxy, &[]).expect("a workspace");
    assert_eq!(
        names(&all),
        ["shim", "proxy"],
        "a file beside them stands for all"
    );
}

#[test]
fn the_shipped_pipelines_find_what_is_detected() {
    let world = gopath();
    world.monorepo("kata");
    world.write("other/Makefile", "");
    let cases = [
        ("go", vec!["shim", "proxy"]),
        ("kata/src/libs", vec!["libs"]),
        ("other", vec!["other"]),
    ];
    for (directory, components) in cases {
        let detected = detect(&world.path(directory)).expect("something");
        let shipped = PipelineSource::Shipped(detected.pipeline);
        let pipeline = load(&shipped, &Overrides::default(), None).expect("a pipeline");
        let workspace = world.open(&pipeline, directory, &[]).expect("a workspace");
        assert_eq!(names(&workspace), components, "{directory}");
        assert_eq!(workspace.root, detected.root);
    }
}

#[test]
fn no_component_at_all_is_an_error() {
    let world = World::new();
    for pipeline in [kata_v1(), kata_monorepo(), any_makefile()] {
        let error = world
            .open(&pipeline, "home", &[])
            .expect_err("nothing is there");
        insta::assert_snapshot!(
            format!("none of {}", pipeline.name),
            format!("{}\nfix: {}", world.told(&error), error.fix())
        );
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}

#[test]
fn ci_beside_dev_mode_is_noticed_for_what_it_does_to_this_user() {
    let mut world = gopath();
    world.program("sudo", "exit 0");
    let notices = |world: &World| {
        let workspace = world.open(&kata_v1(), "go", &[]).expect("a workspace");
        let lines = workspace.notices.iter().map(|notice| format!("{notice:?}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(notices(&world), "");
    world.set("CI", "true");
    insta::assert_snapshot!("ci as root", notices(&world));
    world.machine.user = 1000;
    insta::assert_snapshot!("ci as a user", notices(&world));
    world.set("CI", "1");
    assert_eq!(notices(&world), "", "kata compares with `true`");
}

#[test]
fn a_step_that_expects_no_cases_needs_no_packages() {
    let world = gopath();
    let selection = Selection {
        components: Vec::new(),
        steps: vec!["check".to_owned()],
        ..Selection::default()
    };
    let workspace = world
        .open_selection(&kata_v1(), "go", &selection)
        .expect("a workspace");
    assert!(
        workspace
            .components
            .iter()
            .all(|found| found.packages.is_none())
    );
}
