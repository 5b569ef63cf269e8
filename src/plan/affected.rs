//! Decides which components a change affects, and why the others are left out.
//!
//! A file in a component affects it. A file of the repository in no component affects all of its
//! components: the effect of a shared script or a lock file cannot be told from its path. A path
//! that `ignore` matches affects nothing.
//!
//! A component whose `needs` are affected is affected itself, whatever was selected. If the changes
//! are unknown, all components of the repository are affected.

use crate::model::Decision;
use std::path::{Path, PathBuf};

use globset::Error;

use crate::config::{Component, Ignore};

/// The most paths named in a reason.
const NAMED: usize = 3;

/// The changes in the repository of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// The changed files, relative to the top of the repository.
    Known(Vec<PathBuf>),
    /// The changes are unknown, for this reason.
    Unknown(String),
}

/// A component and its repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The component.
    pub component: Component,
    /// The top of its repository, if it is in one.
    pub repository: Option<PathBuf>,
    /// The component's directory, relative to that; empty if it is the top.
    pub prefix: PathBuf,
    /// The changes in the repository.
    pub changes: Changes,
}

/// Decides on every component, in the order given. `ignore` is the pipeline's own; see
/// [`crate::config::Pipeline::ignore`].
///
/// # Errors
///
/// An invalid pattern. Those of a loaded pipeline are all valid.
pub fn affected(candidates: &[Candidate], ignore: &[String]) -> Result<Vec<Decision>, Error> {
    let common = patterns(ignore)?;
    let mut decisions = candidates
        .iter()
        .map(|candidate| decide(candidate, candidates, &common))
        .collect::<Result<Vec<_>, _>>()?;
    while let Some((index, reason)) = next_by_need(candidates, &decisions) {
        decisions[index].is_affected = true;
        decisions[index].reason = reason;
    }
    Ok(decisions)
}

fn patterns(patterns: &[String]) -> Result<Ignore, Error> {
    Ignore::new(patterns.iter().map(String::as_str))
}

fn decide(candidate: &Candidate, all: &[Candidate], common: &Ignore) -> Result<Decision, Error> {
    let own = patterns(&candidate.component.ignore)?;
    let (is_affected, reason) = match &candidate.changes {
        Changes::Unknown(why) => (true, format!("the changes are unknown: {why}")),
        Changes::Known(paths) => {
            let (ignored, counted): (Vec<_>, Vec<_>) = paths
                .iter()
                .filter_map(|path| Some((path, below(candidate, path, all)?)))
                .partition(|(path, below)| common.matches(path) || own.matches(below));
            match (counted.as_slice(), ignored.as_slice()) {
                ([], []) => (false, "nothing changed".to_owned()),
                ([], ignored) => (
                    false,
                    format!("only ignored files changed: {}", listed(ignored)),
                ),
                (counted, _) => (true, format!("{} changed", listed(counted))),
            }
        }
    };
    Ok(Decision {
        component: candidate.component.name.clone(),
        is_affected,
        reason,
    })
}

/// Returns the path as the component's own patterns see it; `None` if it lies only in other
/// components.
fn below<'a>(candidate: &Candidate, path: &'a Path, all: &[Candidate]) -> Option<&'a Path> {
    if let Ok(below) = path.strip_prefix(&candidate.prefix) {
        return Some(below);
    }
    let mut neighbours = all
        .iter()
        .filter(|other| other.repository == candidate.repository);
    let is_anothers = neighbours.any(|other| path.starts_with(&other.prefix));
    (!is_anothers).then_some(path)
}

/// Formats `a.go, b.go and 3 more`.
fn listed(paths: &[(&PathBuf, &Path)]) -> String {
    let mut text = paths
        .iter()
        .take(NAMED)
        .map(|(path, _)| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    if paths.len() > NAMED {
        text.push_str(&format!(" and {} more", paths.len() - NAMED));
    }
    text
}

/// Returns a component that is not affected yet and needs one that is.
fn next_by_need(candidates: &[Candidate], decisions: &[Decision]) -> Option<(usize, String)> {
    let is_affected = |name: &String| {
        (decisions.iter()).any(|decision| decision.is_affected && decision.component == *name)
    };
    candidates
        .iter()
        .enumerate()
        .find_map(|(index, candidate)| {
            let mut needs = candidate.component.needs.iter();
            let need = needs.find(|need| is_affected(need))?;
            (!decisions[index].is_affected).then(|| (index, format!("needs {need}")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, prefix: &str, needs: &[&str], changed: &[&str]) -> Candidate {
        let mut component = Component::new(name);
        component.needs = needs.iter().map(|need| (*need).to_owned()).collect();
        Candidate {
            component,
            repository: Some(PathBuf::from("/repository")),
            prefix: PathBuf::from(prefix),
            changes: Changes::Known(changed.iter().map(PathBuf::from).collect()),
        }
    }

    fn monorepo(changed: &[&str]) -> Vec<Candidate> {
        vec![
            candidate("libs", "src/libs", &[], changed),
            candidate("agent", "src/agent", &["libs"], changed),
            candidate("ctl", "src/tools/ctl", &["agent"], changed),
            candidate("runtime", "src/runtime", &[], changed),
        ]
    }

    fn reasons(candidates: &[Candidate], ignore: &[&str]) -> Vec<String> {
        let ignore: Vec<_> = ignore.iter().map(|one| (*one).to_owned()).collect();
        affected(candidates, &ignore)
            .unwrap()
            .into_iter()
            .map(|decision| {
                let mark = if decision.is_affected { '+' } else { '-' };
                format!("{mark}{}: {}", decision.component, decision.reason)
            })
            .collect()
    }

    #[test]
    fn what_changed_runs_with_all_that_need_it() {
        assert_eq!(
            reasons(&monorepo(&["src/libs/a.rs"]), &[]),
            [
                "+libs: src/libs/a.rs changed",
                "+agent: needs libs",
                "+ctl: needs agent",
                "-runtime: nothing changed",
            ]
        );
        assert_eq!(
            reasons(&monorepo(&["src/runtime/a.go"]), &[])[..3],
            [
                "-libs: nothing changed",
                "-agent: nothing changed",
                "-ctl: nothing changed",
            ]
        );
    }

    #[test]
    fn a_file_of_no_component_affects_all_of_its_repository_and_no_other() {
        let mut candidates = monorepo(&["Cargo.lock"]);
        candidates.push(Candidate {
            repository: Some(PathBuf::from("/other")),
            ..candidate("other", "", &[], &[])
        });
        let reasons = reasons(&candidates, &[]);
        assert!(
            reasons[..4]
                .iter()
                .all(|reason| reason.ends_with(": Cargo.lock changed"))
        );
        assert_eq!(reasons[4], "-other: nothing changed");
    }

    #[test]
    fn a_directory_beside_a_component_of_a_like_name_is_not_in_it() {
        let candidates = monorepo(&["src/runtime-rs/a.rs"]);
        assert_eq!(
            reasons(&candidates, &[])[3],
            "+runtime: src/runtime-rs/a.rs changed"
        );
        let mut candidates = candidates;
        candidates.push(candidate(
            "runtime-rs",
            "src/runtime-rs",
            &[],
            &["src/runtime-rs/a.rs"],
        ));
        assert_eq!(reasons(&candidates, &[])[3], "-runtime: nothing changed");
    }

    #[test]
    fn what_is_ignored_is_said() {
        let changed = [
            "README.md",
            "src/libs/docs/a.png",
            "src/libs/docs/b.png",
            "a.md",
            "b.md",
        ];
        let mut candidates = monorepo(&changed);
        candidates[0].component.ignore = vec!["/docs".to_owned()];
        assert_eq!(
            reasons(&candidates, &["*.md"]),
            [
                "-libs: only ignored files changed: README.md, src/libs/docs/a.png, \
                 src/libs/docs/b.png and 2 more",
                "-agent: only ignored files changed: README.md, a.md, b.md",
                "-ctl: only ignored files changed: README.md, a.md, b.md",
                "-runtime: only ignored files changed: README.md, a.md, b.md",
            ]
        );
    }

    #[test]
    fn where_it_is_not_known_something_changed() {
        let mut alone = candidate("proxy", "", &[], &[]);
        alone.changes = Changes::Unknown("it is in no git repository".to_owned());
        assert_eq!(
            reasons(&[alone], &["*"]),
            ["+proxy: the changes are unknown: it is in no git repository"]
        );
    }

    #[test]
    fn a_component_at_the_top_holds_all_files() {
        let changed = ["sub/a.c"];
        let candidates = [
            candidate("whole", "", &[], &changed),
            candidate("sub", "sub", &[], &changed),
        ];
        assert_eq!(
            reasons(&candidates, &[]),
            ["+whole: sub/a.c changed", "+sub: sub/a.c changed"]
        );
    }

    /// Returns what the shipped pipeline of the monorepo runs after a change to these files.
    fn monorepo_runs(changed: &[&str]) -> Vec<String> {
        let source = crate::config::PipelineSource::Shipped("kata-monorepo");
        let pipeline = crate::config::load(&source, &Default::default(), None).unwrap();
        let candidates: Vec<_> = (pipeline.components.iter())
            .map(|component| Candidate {
                component: component.clone(),
                ..candidate(
                    &component.name,
                    &component.path.to_string_lossy(),
                    &[],
                    changed,
                )
            })
            .collect();
        let decisions = affected(&candidates, &pipeline.ignore).unwrap();
        let run = decisions
            .into_iter()
            .filter(|decision| decision.is_affected);
        run.map(|decision| decision.component).collect()
    }

    #[test]
    fn the_monorepo_runs_what_a_change_can_reach() {
        let none: [&str; 0] = [];
        for ignored in [
            "README.md",
            "docs/design/a.svg",
            "src/agent/README.md",
            "tools/packaging/x",
        ] {
            assert_eq!(monorepo_runs(&[ignored]), none, "{ignored}");
        }
        assert_eq!(
            monorepo_runs(&["src/tools/log-parser/main.go"]),
            ["log-parser"]
        );
        assert_eq!(monorepo_runs(&["src/runtime/cli/main.go"]), ["runtime"]);
        assert_eq!(
            monorepo_runs(&["src/libs/logging/src/lib.rs"]),
            [
                "libs",
                "agent",
                "dragonball",
                "runtime-rs",
                "agent-ctl",
                "kata-ctl",
                "trace-forwarder",
                "genpolicy"
            ]
        );
        assert_eq!(
            monorepo_runs(&["src/agent/tests/a.rs"]),
            ["agent", "agent-ctl", "genpolicy"]
        );
        assert_eq!(monorepo_runs(&["Cargo.lock"]).len(), 11);
    }
}
