//! Inspects the selected components: revision, preflight, packages and changed files of each.
//!
//! It inspects the user's own directories under the environment that the jobs will have. It does
//! not find components ([`mod@super::open`] does) and changes nothing.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::thread;

use super::gopath_view::GopathLayout;
use super::machine::Machine;
use super::packages::{Packages, packages};
use super::preflight::{Preflight, gopath, joined};
use super::tree_facts::{KnownTrees, TreeQuestion};
use super::{FoundComponent, Located, Placed, Workspace};
use crate::config::{Component, Layout, Pipeline, Step};
use crate::env::Environment;
use crate::git::Git;
use crate::git::strict_runs::StrictRuns;
use crate::model::Expect;
use crate::model::{Readiness, Selection};
use crate::workspace::of_component;

/// The input that all inspections share.
pub(super) struct Inspection<'a> {
    /// True if no program may read the trees.
    pub is_of_stranger: bool,
    pub machine: &'a Machine,
    pub pipeline: &'a Pipeline,
    pub selection: &'a Selection,
    pub user: &'a Environment,
    /// The user's git, if there is one.
    pub git: Option<&'a Git>,
    pub strict_runs: &'a StrictRuns,
    pub layout: &'a GopathLayout,
    pub trees: KnownTrees,
}

impl Inspection<'_> {
    /// Inspects the selected components in parallel, because most of the time is waiting for git,
    /// go and cargo.
    pub fn inspect_all(
        &self,
        placed: &[Placed],
        is_selected: impl Fn(&Placed) -> bool,
    ) -> Vec<FoundComponent> {
        thread::scope(|scope| {
            let threads: Vec<_> = placed
                .iter()
                .map(|placed| {
                    let begin =
                        || thread::Builder::new().spawn_scoped(scope, || self.inspect(placed));
                    (placed, is_selected(placed).then(begin))
                })
                .collect();
            threads
                .into_iter()
                .map(
                    |(placed, thread)| match thread.map(|thread| thread.map(|it| it.join())) {
                        None => not_looked_at(placed),
                        // There is no other thread to be had.
                        Some(Err(_)) => self.inspect(placed),
                        Some(Ok(Ok(found))) => found,
                        Some(Ok(Err(panic))) => std::panic::resume_unwind(panic),
                    },
                )
                .collect()
        })
    }

    fn inspect(&self, placed: &Placed) -> FoundComponent {
        let (component, source) = (&placed.component, &placed.directory);
        let environment = of_component(
            self.user,
            &self.layout.environment,
            self.pipeline,
            component,
        );
        // The environment of the jobs: their git will answer as this one does.
        let git = match self.git {
            Some(git) => git.find_in(&environment),
            None => Git::find(&environment),
        };
        // Jobs are told no state directory of kata-ci's, which is the user's.
        let git = git.map(|git| git.remembering(self.strict_runs));
        let branch = self.branch(&environment);
        let steps = self.steps(component);
        let question = TreeQuestion {
            environment: &environment,
            branch: &branch,
            layout: self.pipeline.layout,
        };
        let facts = (git.as_ref().ok()).map(|git| self.trees.facts(git, source, &question));
        let facts = facts.unwrap_or_default();
        let go_bin = self.go_bin(&environment);
        let preflight = Preflight {
            machine: self.machine,
            git: git.as_ref(),
            component,
            steps: &steps,
            directory: source,
            environment: &environment,
            branch: &branch,
            tests_clone: &self.layout.tests_clone,
            changed_files: facts.changed_files.as_deref(),
            go_bin: go_bin.as_deref(),
        };
        let directory = self.layout.directory(placed);
        let Packages { names, go_root } =
            match !self.is_of_stranger && steps.iter().any(|step| step.expect == Expect::Cases) {
                true => packages(component, &directory, &environment),
                false => Packages::default(),
            };
        let problems = preflight.problems();
        FoundComponent {
            component: component.clone(),
            readiness: joined(problems.clone()),
            problems,
            unready_steps: preflight.unready_steps(),
            root_half: preflight.root_half(),
            revision: facts.revision,
            packages: names,
            go_root,
            changed_files: facts.changed_files,
            directory,
        }
    }

    /// Returns the directory of the user's programs of Go. It is on the PATH of the jobs, also in a
    /// view, whose own GOPATH is gone after the run.
    fn go_bin(&self, environment: &Environment) -> Option<PathBuf> {
        let gopath = match self.layout.view {
            Some(_) => gopath(self.user),
            None => gopath(environment),
        };
        gopath.map(|gopath| gopath.join("bin"))
    }

    fn steps(&self, component: &Component) -> Vec<&Step> {
        self.pipeline
            .steps
            .iter()
            .filter(|step| self.selection.asks_for(&component.name, &step.name))
            .filter(|step| {
                component
                    .steps
                    .as_ref()
                    .is_none_or(|steps| steps.contains(&step.name))
            })
            .collect()
    }

    /// Returns the branch that changed files are compared with. It is `branch` in the environment,
    /// which kata's static-checks.sh reads; else in v1 the default of that script (`master`),
    /// elsewhere the target branch of changes, or the monorepo's.
    fn branch(&self, environment: &Environment) -> String {
        let asked = environment
            .get(OsStr::new("branch"))
            .filter(|branch| !branch.is_empty());
        match (asked, self.pipeline.layout, &self.pipeline.gerrit.branch) {
            (Some(branch), _, _) => branch.to_string_lossy().into_owned(),
            (None, Layout::Gopath, _) => "master".to_owned(),
            (None, Layout::Plain, Some(branch)) => branch.clone(),
            (None, Layout::Plain, None) => "main".to_owned(),
        }
    }
}

/// Makes the workspace of located components without inspecting any: its jobs are known, and
/// nothing of the machine.
pub fn uninspected(located: &Located) -> Workspace {
    let is_selected = |placed: &&Placed| located.selected.contains(&placed.component.name);
    Workspace {
        components: (located.placed.iter().filter(is_selected))
            .map(not_looked_at)
            .collect(),
        ..Workspace::empty(located.root.clone())
    }
}

fn not_looked_at(placed: &Placed) -> FoundComponent {
    FoundComponent {
        component: placed.component.clone(),
        directory: placed.directory.clone(),
        readiness: Readiness::Ready,
        problems: Vec::new(),
        unready_steps: BTreeMap::new(),
        revision: None,
        packages: None,
        go_root: None,
        changed_files: None,
        root_half: BTreeMap::new(),
    }
}
