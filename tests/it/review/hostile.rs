//! A patch set whose own files want to decide about the review.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::patch_set::{Reviewed, main_go};

/// Returns a program that leaves a mark, and the mark.
fn marker(one: &Reviewed, name: &str) -> (String, std::path::PathBuf) {
    let mark = one.clone.home().join(format!("{name}-ran"));
    let program = one.clone.home().join(name);
    fs::write(
        &program,
        format!("#!/bin/sh\ntouch '{}'\ncat\n", mark.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.display().to_string(), mark)
}

#[test]
fn its_configuration_attributes_hooks_and_toolchain_decide_nothing() {
    let Some(one) = Reviewed::new("review-hostile", &["first"]) else {
        return;
    };
    let (filter, filtered) = marker(&one, "filter");
    let home = |key: &str, value: &str| one.clone.git(&["config", "--global", key, value]);
    let hook_ran = one.clone.home().join("hook-ran");
    // The commit would pass with its own pipeline, and fails with that of the target branch.
    one.write("main.go", &main_go("bad"));
    one.write(
        "kata-ci.toml",
        "version = 1\n[[component]]\nname = 'proxy'\npath = '.'\n[[step]]\nname = 'check'\nexpect = 'exit'\nrun = ['true']\nisolate = 'off'\nnetwork = 'on'\n",
    );
    one.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
    let hook = format!("#!/bin/sh\ntouch '{}'\n", hook_ran.display());
    for name in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "fsmonitor",
    ] {
        one.write(&format!("hooks/{name}"), &hook);
        let path = one.clone.directory.join("hooks").join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    one.write(
        "rust-toolchain.toml",
        "[toolchain]\npath = \"./toolchain\"\n",
    );
    one.write("toolchain/bin/cargo", &hook);
    one.write(
        "Cargo.toml",
        "[package]\nname = 'x'\nversion = '0.1.0'\nedition = '2021'\n",
    );
    one.write("src/lib.rs", "");
    one.write(
        ".cargo/config.toml",
        &format!("[build]\nrustc-wrapper = \"{filter}\"\n"),
    );
    one.write(".gitreview", "[gerrit]\nhost=evil.invalid\nproject=x\n");
    one.patch_set();
    home("core.hooksPath", "hooks");
    for key in ["smudge", "clean", "process"] {
        home(&format!("filter.evil.{key}"), &filter);
    }
    home("diff.evil.textconv", &filter);
    home("diff.evil.command", &filter);
    let answer = one.review(&["--vote"]).expect(1);
    assert_eq!(one.vote(), -1, "{answer:?}");
    assert!(
        answer.errors.contains("kata-ci.toml of master")
            || answer.output.contains("kata-ci.toml of master"),
        "{answer:?}"
    );
    assert!(!filtered.exists() && !hook_ran.exists());
}

#[test]
fn submodules_of_other_places_and_dependencies_of_no_place_are_not_fetched() {
    let Some(one) = Reviewed::new("review-submodule", &["first"]) else {
        return;
    };
    let (_, mark) = marker(&one, "transport");
    let touch = format!("touch% '{}'", mark.display());
    let evil =
        format!("[submodule \"a\"]\n\tpath = a\n\turl = ext::sh -c {touch}\n\tupdate = !{touch}\n");
    one.write(".gitmodules", &evil);
    one.clone.git(&["add", "-A"]);
    let gone = "0123456789".repeat(4);
    one.clone.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{gone},a"),
    ]);
    fs::create_dir_all(one.clone.directory.join("a")).unwrap();
    one.clone.git(&["checkout", "-q", "--detach"]);
    let message = format!(
        "proxy: change\n\nDepends-on: ext::sh -c {touch}\nChange-Id: {}\n",
        one.id
    );
    one.clone
        .git(&["commit", "-q", "--no-verify", "-m", &message]);
    one.clone
        .git(&["push", "-q", "origin", "HEAD:refs/for/master"]);
    one.clone
        .git(&["checkout", "-q", "--force", "origin/master"]);
    let answer = one.review(&["--vote"]).expect(75);
    assert_eq!(one.vote(), 0, "{answer:?}");
    let said = one.messages().remove(0);
    assert!(
        said.contains("no verdict: the submodule a is not in"),
        "{said}"
    );
    assert!(
        !said.contains(&*one.clone.home().to_string_lossy()),
        "{said}"
    );
    assert!(!mark.exists());
}
