//! Tests of the checks themselves, on made-up trees.

use crate::arrows::Tree;
use crate::checks;
use crate::prose;
use crate::source::SourceFile;

/// The order of the rooms in all made-up trees.
const ORDER: &[&str] = &["main", "roof", "middle", "ground"];

fn tree(files: &[(&str, &str)]) -> Tree {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    Tree::new(files.iter().map(file).collect())
}

fn up(files: &[(&str, &str)]) -> Vec<String> {
    checks::arrows_up(&tree(files), ORDER)
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    checks::circles_of_files(&tree(files))
}

const LIB: (&str, &str) = (
    "lib.rs",
    "pub mod ground;\npub mod middle;\npub mod roof;\n",
);
const ROOF: (&str, &str) = ("roof.rs", "pub struct Tile;\npub fn lay() {}\n");

/// A tree whose room `ground` has this text, below a roof.
fn ground(text: &str) -> Vec<String> {
    up(&[LIB, ROOF, ("ground.rs", text)])
}

const UP: &str = "→ src/roof.rs: roof stands above ground";

#[test]
fn an_arrow_down_is_none() {
    assert!(
        up(&[
            LIB,
            ("ground.rs", "pub struct Stone;"),
            ("roof.rs", "use crate::ground::Stone;")
        ])
        .is_empty()
    );
}

#[test]
fn an_arrow_up_is_found_with_file_and_line() {
    assert_eq!(
        ground("\nuse crate::roof::Tile;\n"),
        [format!("src/ground.rs:2: crate::roof::Tile {UP}")]
    );
}

#[test]
fn an_arrow_up_is_found_in_every_form_of_a_path() {
    let forms = [
        ("use super::roof::Tile;", "super::roof::Tile"),
        ("use crate::{roof::{Tile as T}};", "crate::roof::Tile"),
        ("use crate::roof::{self};", "crate::roof"),
        ("use crate::roof::*;", "crate::roof"),
        ("fn f() { use crate::roof::lay; }", "crate::roof::lay"),
        ("fn f() { crate::roof::lay() }", "crate::roof::lay"),
        (
            "fn f() -> Option<self::super::roof::Tile> { None }",
            "self::super::roof::Tile",
        ),
        (
            "fn f() { match g() { crate::roof::Tile => {} } }",
            "crate::roof::Tile",
        ),
        (
            "impl Iterator for crate::roof::Tile {}",
            "crate::roof::Tile",
        ),
        (
            "fn f() { assert_eq!(1, crate::roof::lay()); }",
            "crate::roof::lay",
        ),
        (
            "fn f() { vec![g(&[crate::roof::Tile])]; }",
            "crate::roof::Tile",
        ),
        (
            "#[derive(crate::roof::Tile)] struct S;",
            "crate::roof::Tile",
        ),
        (
            "#[serde(with = \"crate::roof::lay\")] struct S;",
            "crate::roof::lay",
        ),
        (
            "#[cfg(test)] mod tests { use super::super::roof::Tile; }",
            "super::super::roof::Tile",
        ),
        (
            "macro_rules! m { () => { $crate::roof::lay() } }",
            "crate::roof::lay",
        ),
    ];
    for (text, path) in forms {
        assert_eq!(
            ground(text),
            [format!("src/ground.rs:1: {path} {UP}")],
            "{text}"
        );
    }
}

#[test]
fn an_arrow_up_is_found_behind_a_re_export() {
    let found = up(&[
        LIB,
        ROOF,
        ("ground.rs", "pub mod cellar;\npub use crate::roof::Tile;\n"),
        ("ground/cellar.rs", "fn f() {}\nuse super::Tile;\n"),
    ]);
    assert_eq!(
        found,
        [
            format!("src/ground.rs:2: crate::roof::Tile {UP}"),
            format!("src/ground/cellar.rs:2: super::Tile {UP}")
        ]
    );
}

#[test]
fn words_that_are_no_paths_are_no_arrows() {
    let texts = [
        "// crate::roof::Tile",
        "/// [`crate::roof::Tile`]\npub struct S;",
        "#[doc = \"crate::roof::Tile\"] pub struct S;",
        "const C: &str = \"crate::roof::Tile\";",
        "pub(in crate::roof) struct S;",
        "use std::roof::Tile;",
        "use ::roof::Tile;",
        "fn f(roof: u8) { println!(\"{}\", roof); }",
        "fn f(s: S) { s.roof(); println!(\"{}\", s.roof); }",
    ];
    for text in texts {
        assert!(ground(text).is_empty(), "{text}: {:?}", ground(text));
    }
}

#[test]
fn a_room_without_a_place_is_found() {
    let found = up(&[("lib.rs", "mod attic;"), ("attic/mod.rs", "")]);
    assert_eq!(
        found,
        ["src/attic: has no place in the order of the rooms (tests/house/order.rs)"]
    );
}

#[test]
fn the_program_may_name_what_it_starts() {
    let main = ("main.rs", "fn main() { kata_ci::roof::lay() }");
    assert!(up(&[LIB, ROOF, main]).is_empty());
    let names_the_program = ("ground.rs", "use crate::roof::lay;");
    assert_eq!(up(&[LIB, ROOF, main, names_the_program]).len(), 1);
}

#[test]
fn a_circle_between_rooms_is_found_with_files_and_lines() {
    let found = checks::circles_of_rooms(&tree(&[
        LIB,
        ("roof.rs", "use crate::middle::Beam;\npub struct Tile;"),
        ("middle.rs", "use crate::ground::Stone;\npub struct Beam;"),
        ("ground/mod.rs", "mod stone;\npub use stone::Stone;"),
        (
            "ground/stone.rs",
            "pub struct Stone;\n\nfn f(_: crate::roof::Tile) {}",
        ),
    ]));
    let expected = "a circle: roof → middle → ground → roof
    src/roof.rs:1: crate::middle::Beam → src/middle.rs
    src/middle.rs:1: crate::ground::Stone → src/ground/stone.rs
    src/ground/stone.rs:3: crate::roof::Tile → src/roof.rs";
    assert_eq!(found, [expected]);
}

#[test]
fn a_circle_between_files_is_found_behind_re_exports() {
    let found = circles(&[
        LIB,
        (
            "ground/mod.rs",
            "mod clay;\nmod stone;\npub use {clay::Clay, stone::Stone};",
        ),
        (
            "ground/clay.rs",
            "use super::Stone;\npub struct Clay(Stone);",
        ),
        (
            "ground/stone.rs",
            "pub struct Stone;\nfn f() { super::Clay; }",
        ),
    ]);
    let expected = "a circle: ground/clay.rs → ground/stone.rs → ground/clay.rs
    src/ground/clay.rs:1: super::Stone → src/ground/stone.rs
    src/ground/stone.rs:2: super::Clay → src/ground/clay.rs";
    assert_eq!(found, [expected]);
}

#[test]
fn a_circle_of_files_is_found_through_a_module_and_its_children() {
    let found = circles(&[
        LIB,
        ("ground/mod.rs", "mod clay;\nmod stone;"),
        (
            "ground/clay/mod.rs",
            "mod red;\npub struct Clay;\npub use red::Red;\nuse red::Red as Brick;",
        ),
        (
            "ground/clay/red.rs",
            "use crate::ground::stone::Stone;\npub struct Red;",
        ),
        (
            "ground/stone.rs",
            "pub struct Stone;\nuse super::clay::Clay;",
        ),
    ]);
    let expected =
        "a circle: ground/clay/red.rs → ground/stone.rs → ground/clay/mod.rs → ground/clay/red.rs
    src/ground/clay/red.rs:1: crate::ground::stone::Stone → src/ground/stone.rs
    src/ground/stone.rs:2: super::clay::Clay → src/ground/clay/mod.rs
    src/ground/clay/mod.rs:3: red::Red → src/ground/clay/red.rs";
    assert_eq!(found, [expected]);
}

#[test]
fn modules_that_lean_on_each_other_by_different_files_are_no_circle_of_files() {
    let found = circles(&[
        LIB,
        ("ground/mod.rs", "mod clay;\nmod stone;"),
        ("ground/clay/mod.rs", "mod red;\nmod white;"),
        ("ground/clay/red.rs", "use crate::ground::stone::Stone;"),
        ("ground/clay/white.rs", "pub struct White;"),
        (
            "ground/stone.rs",
            "pub struct Stone;\nuse super::clay::white::White;",
        ),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_module_and_its_children_are_no_circle() {
    let found = circles(&[
        LIB,
        (
            "ground/mod.rs",
            "mod clay;\npub use clay::Clay;\npub struct Ground;",
        ),
        (
            "ground/clay.rs",
            "use super::Ground;\npub struct Clay(Ground);\nmod tests { use super::*; fn f(_: Clay) {} }",
        ),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_name_that_is_a_function_and_a_module_leads_to_both() {
    let found = circles(&[
        LIB,
        (
            "ground/mod.rs",
            "mod clay;\nmod stone;\npub use stone::stone;",
        ),
        (
            "ground/clay.rs",
            "use super::stone;\nuse super::stone::Stone;",
        ),
        (
            "ground/stone.rs",
            "pub fn stone() {}\npub struct Stone;\nuse super::clay::Clay;",
        ),
    ]);
    assert_eq!(found.len(), 1);
}

#[test]
fn long_files_and_functions_are_found() {
    let body = "    f();\n".repeat(78);
    let fits = format!("fn fits() {{\n{body}}}\n");
    let long = format!("\nimpl S {{\n    fn long(\n    ) {{\n{body}    }}\n}}\n");
    let lines = |count: usize| "// A line.\n".repeat(count);
    let tree = tree(&[
        ("ground.rs", &format!("{fits}{long}")),
        ("middle.rs", &lines(600)),
        ("roof.rs", &lines(601)),
    ]);
    assert_eq!(
        checks::sizes(&tree),
        [
            "src/ground.rs:83: fn long has 81 lines, at most 80",
            "src/roof.rs:601: 601 lines, at most 600"
        ]
    );
}

#[test]
fn a_module_beside_its_directory_is_found() {
    let tree = tree(&[
        LIB,
        ("ground.rs", ""),
        ("ground/clay.rs", ""),
        ("roof/mod.rs", ""),
        ("roof/tile.rs", ""),
    ]);
    assert_eq!(
        checks::module_style(&tree),
        ["src/ground.rs:1: belongs to ground/mod.rs"]
    );
}

#[test]
fn a_doc_comment_that_is_too_wide_or_opens_badly_is_found() {
    let wide = format!("/// {}", "é".repeat(97));
    let text = format!(
        "//! What it is.\n\n/// Fits.\n/// What stands inside may stay.\nfn a() {{}}\n{wide}\nfn b() {{}}\n    /// It's so.\n"
    );
    let file = SourceFile {
        path: "ground.rs".to_owned(),
        text,
    };
    let advice = "begin with a verb in the third person, or with a noun";
    assert_eq!(
        prose::doc_comments("src", &[file]),
        [
            format!("src/ground.rs:1: opens with `What`; {advice}"),
            "src/ground.rs:6: 101 columns, at most 100".to_owned(),
            format!("src/ground.rs:8: opens with `It`; {advice}"),
        ]
    );
}
