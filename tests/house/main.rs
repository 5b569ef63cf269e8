//! Holds the source tree against the rules of the house: arrows run down, nothing goes in a circle,
//! everything has a size that fits in the eye. The rules stand in `order.rs`; there is no list of
//! exceptions.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tree that cannot be read ends the test"
)]

mod arrows;
mod checks;
mod made_up;
mod order;
mod prose;
mod source;
mod syntax;

use arrows::Tree;
use std::path::Path;
use std::sync::LazyLock;

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    Tree::new(source::read_tree(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
    ))
});

fn expect_none(findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{} found:\n{}\n",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn no_arrow_runs_up() {
    expect_none(&checks::arrows_up(&TREE, order::ROOMS));
}

#[test]
fn rooms_do_not_go_in_a_circle() {
    expect_none(&checks::circles_of_rooms(&TREE));
}

#[test]
fn files_do_not_go_in_a_circle() {
    expect_none(&checks::circles_of_files(&TREE));
}

#[test]
fn files_and_functions_fit_in_the_eye() {
    expect_none(&checks::sizes(&TREE));
}

#[test]
fn modules_with_children_are_in_their_directory() {
    expect_none(&checks::module_style(&TREE));
}

#[test]
fn doc_comments_are_narrow_and_open_well() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = ["src", "tests", "benches", "fuzz/fuzz_targets"];
    let findings = roots.map(|root| {
        let files = source::read_tree(&manifest.join(root));
        prose::doc_comments(root, &files)
    });
    expect_none(&findings.concat());
}
