//! The GOPATH view of checkouts side by side.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::support::{World, kata_v1, names};
use crate::model::ExitCode;
use crate::probe::Probe;

fn side_by_side() -> World {
    let world = World::new();
    world.v1("work/proxy", "proxy");
    world.v1("work/kata-shim", "shim");
    world.tests_clone("work/tests");
    world
}

/// Lists every file below a directory with its size and time.
fn inventory(directory: &Path) -> BTreeMap<PathBuf, (u64, std::time::SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let metadata = entry.metadata().expect("metadata");
        found.insert(
            entry.path(),
            (metadata.len(), metadata.modified().expect("a time")),
        );
        if metadata.is_dir() {
            found.extend(inventory(&entry.path()));
        }
    }
    found
}

#[test]
fn a_view_is_a_gopath_for_the_run_and_gone_after_it() {
    let world = side_by_side();
    let before = inventory(&world.path("work"));
    let workspace = world.open(&kata_v1(), "work", &[]).expect("a workspace");
    assert_eq!(names(&workspace), ["shim", "proxy"]);
    let gopath = PathBuf::from(&workspace.environment.get("GOPATH").unwrap());
    assert!(
        gopath.starts_with(world.path("home/.cache/kata-ci")),
        "{gopath:?}"
    );
    let [shim, proxy] = workspace.components.as_slice() else {
        panic!("{workspace:#?}");
    };
    assert_eq!(
        shim.directory,
        gopath.join("src/github.com/kata-containers/shim")
    );
    assert_eq!(world.finding(&shim.readiness), "ready");
    assert_eq!(
        shim.revision,
        Some(world.git("work/kata-shim", &["rev-parse", "HEAD"]))
    );
    assert_eq!(
        proxy.packages.as_deref().unwrap_or_default(),
        ["github.com/kata-containers/proxy"]
    );
    assert!(
        gopath
            .join("src/github.com/kata-containers/tests/.ci/go-test.sh")
            .is_file()
    );
    fs::write(proxy.directory.join("coverage.txt"), "").expect("a file");
    drop(workspace);
    assert!(!gopath.exists());
    assert_eq!(inventory(&world.path("work")), before);
}

#[test]
fn a_view_shows_what_is_not_committed_and_keeps_times_and_links() {
    let world = side_by_side();
    world.write("work/proxy/VERSION", "2");
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let makefile = world.path("work/proxy/Makefile");
    let file = fs::File::options()
        .append(true)
        .open(&makefile)
        .expect("the Makefile");
    file.set_modified(old).expect("a time");
    std::os::unix::fs::symlink("Makefile", world.path("work/proxy/link")).expect("a link");
    let workspace = world
        .open(&kata_v1(), "work/proxy", &[])
        .expect("a workspace");
    let proxy = &workspace.components[0].directory;
    assert_eq!(fs::read(proxy.join("VERSION")).expect("VERSION"), b"2");
    let copied = proxy.join("Makefile").metadata().expect("the Makefile");
    assert_eq!(copied.modified().expect("a time"), old);
    assert_eq!(
        fs::read_link(proxy.join("link")).expect("a link"),
        Path::new("Makefile")
    );
}

#[test]
fn a_checkout_that_shares_its_repository_gets_one_of_its_own() {
    let world = World::new();
    world.v1("main/proxy", "proxy");
    world.tests_clone("work/tests");
    world.git(
        "main/proxy",
        &[
            "worktree",
            "add",
            "--quiet",
            "-b",
            "mine",
            "../../work/proxy",
        ],
    );
    world.write("work/proxy/new.json", "{}");
    world.git("work/proxy", &["add", "new.json"]);
    world.git("work/proxy", &["commit", "--quiet", "--message", "mine"]);
    let before = (
        inventory(&world.path("work")),
        inventory(&world.path("main")),
    );
    let workspace = world.open(&kata_v1(), "work", &[]).expect("a workspace");
    let proxy = &workspace.components[0];
    assert_eq!(world.finding(&proxy.readiness), "ready");
    assert_eq!(
        proxy.changed_files.as_deref().unwrap_or_default(),
        ["new.json"]
    );
    let inside = proxy.directory.to_str().expect("a path");
    assert_eq!(
        world.git(inside, &["symbolic-ref", "--short", "HEAD"]),
        "mine"
    );
    assert_eq!(world.git(inside, &["rev-parse", "--show-toplevel"]), inside);
    assert_eq!(world.git(inside, &["status", "--porcelain"]), "");
    assert_eq!(
        world
            .git(inside, &["rev-parse", "--verify", "origin/master^{commit}"])
            .len(),
        40
    );
    world.git(
        inside,
        &[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "by a job",
        ],
    );
    assert_eq!(
        (
            inventory(&world.path("work")),
            inventory(&world.path("main"))
        ),
        before
    );
}

#[test]
fn caches_and_what_was_not_selected_are_not_copied() {
    let world = side_by_side();
    world.write(
        "work/proxy/target/CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55\n# cargo\n",
    );
    world.write("work/proxy/target/large", "");
    world.write("work/proxy/other/CACHEDIR.TAG", "no signature");
    let workspace = world
        .open(&kata_v1(), "work", &["proxy"])
        .expect("a workspace");
    let proxy = &workspace.components[1].directory;
    assert!(proxy.join("other").exists());
    assert!(!proxy.join("target").exists());
    assert!(!proxy.with_file_name("shim").exists());
}

#[test]
fn the_tests_clone_comes_from_the_users_gopath_where_none_lies_beside() {
    let mut world = side_by_side();
    fs::rename(world.path("work/tests"), world.path("work/elsewhere")).expect("moved");
    let missing = world.only(&kata_v1(), "work/proxy");
    insta::assert_snapshot!(world.finding(&missing.readiness));
    world.tests_clone("go/src/github.com/kata-containers/tests");
    world.set("GOPATH", world.path("go"));
    assert_eq!(
        world.finding(&world.only(&kata_v1(), "work/proxy").readiness),
        "ready"
    );
}

#[test]
fn programs_of_the_users_gopath_are_found_after_those_of_path() {
    let mut world = side_by_side();
    world.set("GOPATH", world.path("go"));
    let workspace = world.open(&kata_v1(), "work", &[]).expect("a workspace");
    let path = workspace.environment.get("PATH").unwrap().to_string_lossy();
    assert!(
        path.ends_with(&*format!(":{}", world.path("go/bin").display())),
        "{path}"
    );
    let cache = &workspace.environment.get("GOMODCACHE").unwrap();
    assert_eq!(Path::new(cache), world.path("go/pkg/mod"));
}

#[test]
fn go_works_below_make_in_a_view() {
    let world = side_by_side();
    // As `make checkcommits` in kata's tests repository: a make that goes down with -C, and go
    // there.
    world.write("work/proxy/Makefile", "test:\n\t$(MAKE) -C cmd/tool\n");
    world.write("work/proxy/cmd/tool/Makefile", "all:\n\tgo list .\n");
    world.write(
        "work/proxy/cmd/tool/main.go",
        "package main\n\nfunc main() {}\n",
    );
    let workspace = world
        .open(&kata_v1(), "work/proxy", &[])
        .expect("a workspace");
    let proxy = &workspace.components[0];
    let environment = crate::workspace::of_component(
        &world.user,
        &workspace.environment,
        &kata_v1(),
        &proxy.component,
    );
    let answer = Probe {
        program: &environment.find_program("make").expect("make"),
        arguments: vec!["-s".into(), "test".into()],
        directory: &proxy.directory,
        environment: &environment,
        deadline: std::time::Duration::from_secs(60),
    }
    .run()
    .expect("an answer");
    let output = String::from_utf8_lossy(&answer.output);
    assert!(
        output.contains("\ngithub.com/kata-containers/proxy/cmd/tool\n")
            || output.starts_with("github.com/kata-containers/proxy/cmd/tool\n"),
        "{output} {}",
        answer.complaint()
    );
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_worth_another_try() {
    let mut world = side_by_side();
    world.write("file", "");
    world.set("XDG_CACHE_HOME", world.path("file"));
    let error = world
        .open(&kata_v1(), "work", &[])
        .expect_err("no place for a view");
    assert_eq!(
        world.told(&error),
        "a GOPATH view of the checkouts could not be made at ROOT/file/kata-ci: Not a directory (os error 20)"
    );
    assert_eq!(error.exit_code(), ExitCode::Error);
}
