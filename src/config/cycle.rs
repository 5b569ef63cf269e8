//! Finds a cycle in `needs`.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Diagnostic, quote};
use super::source::Located;

/// The needs of each name, each located where it is written.
pub(super) type Graph<'a> = BTreeMap<&'a str, &'a [Located<String>]>;

/// Finds a cycle, as the needs that close it, in their order; `None` if there is an order in which
/// all can run.
///
/// Needs that are not in the graph are ignored. The depth-first walk uses no recursion, because a
/// file can name thousands of steps.
pub(super) fn find<'a>(graph: &Graph<'a>) -> Option<Vec<&'a Located<String>>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| walk(graph, start, &mut done))
}

/// A name on the current path, and the number of its needs that have been visited.
struct Visit<'a> {
    name: &'a str,
    looked_at: usize,
}

fn walk<'a>(
    graph: &Graph<'a>,
    start: &'a str,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a Located<String>>> {
    let enter = |name| Visit { name, looked_at: 0 };
    let mut path = vec![enter(start)];
    let mut open = BTreeSet::from([start]);
    while let Some(stop) = path.last_mut() {
        let needs = graph.get(stop.name).copied().unwrap_or_default();
        let Some(need) = needs.get(stop.looked_at) else {
            open.remove(stop.name);
            done.insert(stop.name);
            path.pop();
            continue;
        };
        stop.looked_at += 1;
        if open.contains(&*need.value) {
            return Some(closed(graph, &path, &need.value));
        }
        if !done.contains(&*need.value) {
            open.insert(&need.value);
            path.push(enter(&need.value));
        }
    }
    None
}

/// Returns the part of the path that leads back to `name`.
fn closed<'a>(graph: &Graph<'a>, path: &[Visit<'a>], name: &str) -> Vec<&'a Located<String>> {
    path.iter()
        .skip_while(|stop| stop.name != name)
        .filter_map(|stop| graph.get(stop.name)?.get(stop.looked_at - 1))
        .collect()
}

/// Makes the diagnostic: the names in a row, and every line that has a part in the cycle.
pub(super) fn diagnostic(what: &str, cycle: &[&Located<String>]) -> Diagnostic {
    let mut row: Vec<_> = cycle.iter().map(|need| quote(&need.value)).collect();
    row.extend(row.first().cloned());
    let mut diagnostic = Diagnostic::new(format!(
        "a cycle in the needs of {what}s: {}",
        row.join(" needs ")
    ));
    for (index, need) in cycle.iter().enumerate() {
        let label = format!("needs {}", quote(&need.value));
        diagnostic = match index {
            0 => diagnostic.at(&need.place, label),
            _ => diagnostic.also(&need.place, label),
        };
    }
    diagnostic.help("take one of these needs out: none of them could ever start")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::config::source::{Document, Location, PipelineSource};

    fn located(names: &[usize]) -> Vec<Located<String>> {
        let document = Arc::new(Document {
            source: PipelineSource::Shipped("test"),
            text: String::new(),
        });
        names
            .iter()
            .map(|name| Located {
                value: name.to_string(),
                place: Location::new(&document, 0..0),
            })
            .collect()
    }

    /// Returns true if `from` reaches itself, found by the slow and plain way.
    fn reaches_itself(needs: &[Vec<usize>], from: usize) -> bool {
        let mut reached = vec![false; needs.len()];
        let mut next = needs[from].clone();
        while let Some(name) = next.pop() {
            if name < needs.len() && !std::mem::replace(&mut reached[name], true) {
                next.extend(&needs[name]);
            }
        }
        reached[from]
    }

    proptest! {
        #[test]
        fn a_cycle_is_found_exactly_when_something_reaches_itself(
            needs in prop::collection::vec(prop::collection::vec(0_usize..8, 0..3), 0..8)
        ) {
            let names: Vec<_> = (0..needs.len()).map(|name| name.to_string()).collect();
            let lists: Vec<_> = needs.iter().map(|needs| located(needs)).collect();
            let graph: Graph = names.iter().map(String::as_str).zip(lists.iter().map(Vec::as_slice)).collect();
            let expected = (0..needs.len()).any(|name| reaches_itself(&needs, name));
            let found = find(&graph);
            prop_assert_eq!(found.is_some(), expected);
            // The needs of a cycle follow each other: each is named by the one before it, and the
            // first by the last.
            if let Some(cycle) = found {
                for (index, need) in cycle.iter().enumerate() {
                    let before: usize = cycle[(index + cycle.len() - 1) % cycle.len()].value.parse().unwrap();
                    prop_assert!(needs[before].contains(&need.value.parse().unwrap()));
                }
            }
        }
    }
}
