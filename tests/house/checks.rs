//! Holds a tree against the rules; each finding names file and line.

use crate::arrows::{Arrow, Tree};
use crate::order::{FILE_LINES, FUNCTION_LINES};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Finds the arrows that run up, and the rooms that have no place in the `order`.
pub fn arrows_up(tree: &Tree, order: &[&str]) -> Vec<String> {
    let mut findings = rooms_without_place(tree, order);
    let floor = |file: usize| {
        let room = tree.modules[file].first()?;
        order.iter().position(|known| known == room)
    };
    for arrow in &tree.arrows {
        if let (Some(from), Some(to)) = (floor(arrow.from), floor(arrow.to))
            && to < from
        {
            findings.push(format!(
                "{}: {} stands above {}",
                shown(tree, arrow),
                order[to],
                order[from]
            ));
        }
    }
    findings
}

fn rooms_without_place(tree: &Tree, order: &[&str]) -> Vec<String> {
    let rooms: BTreeSet<&String> = tree
        .modules
        .iter()
        .filter_map(|module| module.first())
        .collect();
    rooms
        .into_iter()
        .filter(|room| !order.contains(&room.as_str()))
        .map(|room| {
            format!("src/{room}: has no place in the order of the rooms (tests/house/order.rs)")
        })
        .collect()
}

/// Finds the circles between rooms.
pub fn circles_of_rooms(tree: &Tree) -> Vec<String> {
    let room = |file: usize| tree.modules[file].first().map(String::as_str);
    let steps: Vec<Step<&str>> = tree
        .arrows
        .iter()
        .filter_map(|arrow| {
            Some(Step {
                from: room(arrow.from)?,
                to: room(arrow.to)?,
                arrow,
            })
        })
        .filter(|step| step.from != step.to)
        .collect();
    circles(&steps, &steps)
        .iter()
        .map(|circle| shown_circle(tree, circle, |room| room.to_owned()))
        .collect()
}

/// Finds the circles between files of a room.
///
/// A module and its children are none: children name what the module defines, and the module uses
/// them. So a circle counts when it closes without the file of the innermost module that encloses
/// all of it.
pub fn circles_of_files(tree: &Tree) -> Vec<String> {
    let mut levels: BTreeMap<&[String], Vec<Step<usize>>> = BTreeMap::new();
    for arrow in &tree.arrows {
        let (from, to) = (&tree.modules[arrow.from], &tree.modules[arrow.to]);
        let shared = from
            .iter()
            .zip(to)
            .take_while(|(one, other)| one == other)
            .count();
        if (1..from.len().min(to.len())).contains(&shared) {
            levels.entry(&from[..shared]).or_default().push(step(arrow));
        }
    }
    let mut findings = Vec::new();
    for (module, crossing) in levels {
        let below =
            |file: usize| tree.modules[file].starts_with(module) && tree.modules[file] != module;
        let steps: Vec<Step<usize>> = tree
            .arrows
            .iter()
            .filter(|arrow| below(arrow.from) && below(arrow.to))
            .map(step)
            .collect();
        let name = |file: usize| tree.files[file].path.clone();
        findings.extend(
            circles(&crossing, &steps)
                .iter()
                .map(|circle| shown_circle(tree, circle, name)),
        );
    }
    findings
}

/// An arrow between two rooms, or two files.
#[derive(Clone, Copy)]
struct Step<'a, Node> {
    from: Node,
    to: Node,
    arrow: &'a Arrow,
}

fn step(arrow: &Arrow) -> Step<'_, usize> {
    Step {
        from: arrow.from,
        to: arrow.to,
        arrow,
    }
}

/// The shortest circle that each of `starts` is on, each circle once.
fn circles<'a, Node: Copy + Ord>(
    starts: &[Step<'a, Node>],
    steps: &[Step<'a, Node>],
) -> Vec<Vec<Step<'a, Node>>> {
    let mut found = BTreeMap::new();
    for start in starts {
        if let Some(circle) = shortest_circle(*start, steps) {
            let key: BTreeSet<Node> = circle.iter().map(|step| step.from).collect();
            found.entry(key).or_insert(circle);
        }
    }
    found.into_values().collect()
}

fn shortest_circle<'a, Node: Copy + Ord>(
    start: Step<'a, Node>,
    steps: &[Step<'a, Node>],
) -> Option<Vec<Step<'a, Node>>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut reached = BTreeSet::from([start.to]);
    while let Some(way) = ways.pop_front() {
        let at = way[way.len() - 1].to;
        if at == start.from {
            return Some(way);
        }
        for step in steps.iter().filter(|step| step.from == at) {
            if reached.insert(step.to) {
                ways.push_back(way.iter().chain([step]).copied().collect());
            }
        }
    }
    None
}

fn shown_circle<Node: Copy>(
    tree: &Tree,
    circle: &[Step<Node>],
    name: impl Fn(Node) -> String,
) -> String {
    let names: Vec<String> = circle
        .iter()
        .chain([&circle[0]])
        .map(|step| name(step.from))
        .collect();
    let arrows: Vec<String> = circle
        .iter()
        .map(|step| format!("\n    {}", shown(tree, step.arrow)))
        .collect();
    format!("a circle: {}{}", names.join(" → "), arrows.concat())
}

fn shown(tree: &Tree, arrow: &Arrow) -> String {
    let (from, to) = (&tree.files[arrow.from].path, &tree.files[arrow.to].path);
    format!("src/{from}:{}: {} → src/{to}", arrow.line, arrow.path)
}

/// Finds files and functions that are too long.
pub fn sizes(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (file, functions) in tree.files.iter().zip(&tree.functions) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            findings.push(format!(
                "src/{}:{lines}: {lines} lines, at most {FILE_LINES}",
                file.path
            ));
        }
        for function in functions
            .iter()
            .filter(|function| function.lines > FUNCTION_LINES)
        {
            findings.push(format!(
                "src/{}:{}: fn {} has {} lines, at most {FUNCTION_LINES}",
                file.path, function.line, function.name, function.lines
            ));
        }
    }
    findings
}

/// Finds modules with children in a file beside their directory, instead of its `mod.rs`.
pub fn module_style(tree: &Tree) -> Vec<String> {
    let paths: Vec<&str> = tree.files.iter().map(|file| file.path.as_str()).collect();
    paths
        .iter()
        .filter(|path| {
            let directory = format!("{}/", path.trim_end_matches(".rs"));
            paths.iter().any(|other| other.starts_with(&directory))
        })
        .map(|path| {
            format!(
                "src/{path}:1: belongs to {}/mod.rs",
                path.trim_end_matches(".rs")
            )
        })
        .collect()
}
