//! Opens the workspace of a pipeline: finds every component, and runs the preflight of the selected
//! ones.
use std::path::{Path, PathBuf};

use super::detect::makefile_components;
use super::fs::{absolute, has_makefile, is_inside};
use super::gopath_view::GopathLayout;
use super::inspection::Inspection;
use super::machine::Machine;
use super::tree_facts::KnownTrees;
use super::{CheckoutSet, Located, Placed, Workspace, WorkspaceError, machine, v1};
use crate::config::{Layout, Pipeline};
use crate::env::Environment;
use crate::event::Notice;
use crate::git::Git;
use crate::git::strict_runs::StrictRuns;
use crate::model::Selection;
use crate::workspace::of_component;

/// Finds the pipeline's components from a directory, without inspecting them. `user` is the
/// environment that kata-ci was called with.
///
/// A shipped pipeline's components are searched at and above `directory`. If that lies inside of
/// one of them and the selection names none, only that one is selected.
///
/// Components of a user's own file lie where the file says. If none of its optional ones exists
/// there, they are searched from the file's directory like those of a shipped pipeline.
/// [`crate::plan::build`] reports unknown names of the selection.
///
/// # Errors
///
/// There is no component, or one of the user's own file is not where the file says.
pub fn locate(
    pipeline: &Pipeline,
    directory: &Path,
    selection: &Selection,
    user: &Environment,
) -> Result<Located, WorkspaceError> {
    let opening = Opening {
        machine: &Machine::this(),
        pipeline,
        directory,
        selection,
        user,
    };
    opening.locate(None)
}

/// Works like [`locate`], but with a clean checkout of a commit instead of the work trees.
/// Components of a file that lie in other repositories are checked out too, unless they are to be
/// left out.
///
/// # Errors
///
/// Those of [`locate`], and a repository that does not have the revision.
pub fn locate_checkout(
    pipeline: &Pipeline,
    checkouts: &mut CheckoutSet,
    selection: &Selection,
    user: &Environment,
) -> Result<Located, WorkspaceError> {
    let directory = checkouts.directory().to_owned();
    let opening = Opening {
        machine: &Machine::this(),
        pipeline,
        directory: &directory,
        selection,
        user,
    };
    let located = opening.locate(Some(checkouts));
    located.map_err(|error| checkouts.explain_error(error))
}

/// Makes the layout of located components and runs the preflight of those that the selection names.
/// If it names none, the workspace has those that were selected when they were located.
///
/// # Errors
///
/// No GOPATH view can be made.
pub fn open(
    pipeline: &Pipeline,
    located: Located,
    selection: &Selection,
    user: &Environment,
) -> Result<Workspace, WorkspaceError> {
    let opening = Opening {
        machine: &Machine::this(),
        pipeline,
        directory: &located.root.clone(),
        selection,
        user,
    };
    opening.open(located, None)
}

/// Works like [`open()`] for what [`locate_checkout`] found. Errors name paths as the user knows
/// them.
///
/// # Errors
///
/// Fails as [`open()`] does, and if a checkout cannot be made.
pub fn open_checkout(
    pipeline: &Pipeline,
    checkouts: &mut CheckoutSet,
    located: Located,
    selection: &Selection,
    user: &Environment,
) -> Result<Workspace, WorkspaceError> {
    let opening = Opening {
        machine: &Machine::this(),
        pipeline,
        directory: &located.root.clone(),
        selection,
        user,
    };
    let workspace = opening.open(located, Some(checkouts));
    workspace.map_err(|error| checkouts.explain_error(error))
}

/// Works like [`locate`] and then [`open`] on a given machine.
#[cfg(test)]
pub(super) fn open_on(
    machine: &Machine,
    pipeline: &Pipeline,
    directory: &Path,
    selection: &Selection,
    user: &Environment,
) -> Result<Workspace, WorkspaceError> {
    let opening = Opening {
        machine,
        pipeline,
        directory,
        selection,
        user,
    };
    opening.open(opening.locate(None)?, None)
}

/// The input of opening.
struct Opening<'a> {
    machine: &'a Machine,
    pipeline: &'a Pipeline,
    directory: &'a Path,
    selection: &'a Selection,
    user: &'a Environment,
}

impl Opening<'_> {
    fn open(
        &self,
        located: Located,
        mut checkouts: Option<&mut CheckoutSet>,
    ) -> Result<Workspace, WorkspaceError> {
        let (pipeline, selection, user) = (self.pipeline, self.selection, self.user);
        let (root, mut placed) = (located.root, located.placed);
        if selection.components.is_empty() {
            placed.retain(|placed| located.selected.contains(&placed.component.name));
        }
        let is_selected = |placed: &Placed| {
            let names = &selection.components;
            names.is_empty() || names.contains(&placed.component.name)
        };
        let selected: Vec<_> = placed.iter().filter(|placed| is_selected(placed)).collect();
        let layout = match checkouts.as_deref_mut() {
            Some(checkouts) => GopathLayout::of_checkouts(pipeline.layout, checkouts, user)?,
            None => GopathLayout::prepare(pipeline.layout, &root, &selected, user)?,
        };
        let is_of_stranger = (checkouts.as_deref()).is_some_and(CheckoutSet::is_of_stranger);
        let git = Git::find(user).ok();
        let inspection = Inspection {
            is_of_stranger,
            machine: self.machine,
            pipeline,
            selection,
            user,
            git: git.as_ref(),
            strict_runs: &StrictRuns::of(user),
            layout: &layout,
            trees: KnownTrees::default(),
        };
        let components = inspection.inspect_all(&placed, is_selected);
        let mut notices = self.notices(&layout, &selected);
        notices.extend(machine::without_root(self.machine, &components));
        let workspace = Workspace {
            root,
            environment: layout.environment,
            components,
            notices,
            view: layout.view,
        };
        Ok(match checkouts {
            Some(checkouts) => checkouts.explain(workspace),
            None => workspace,
        })
    }

    fn locate(&self, mut checkouts: Option<&mut CheckoutSet>) -> Result<Located, WorkspaceError> {
        let directory = absolute(self.directory)?;
        let (root, placed) = place(
            self.pipeline,
            &directory,
            self.user,
            checkouts.as_deref_mut(),
        )?;
        let selected = match self.selection.components.as_slice() {
            [] => {
                let meant = self.meant(placed.clone(), &directory, checkouts)?;
                meant
                    .into_iter()
                    .map(|placed| placed.component.name)
                    .collect()
            }
            names => names.to_vec(),
        };
        Ok(Located {
            root,
            placed,
            selected,
        })
    }

    /// Returns the components that are meant if none is named.
    fn meant(
        &self,
        mut placed: Vec<Placed>,
        directory: &Path,
        checkouts: Option<&mut CheckoutSet>,
    ) -> Result<Vec<Placed>, WorkspaceError> {
        // A file stands for all of its components, wherever it is used from, unless it lies inside
        // of one.
        let standing = self.pipeline.base.as_deref().unwrap_or(directory);
        let standing = match checkouts {
            // The path of the file is one of the user's work tree; the components lie in the
            // checkout.
            Some(checkouts) if checkouts.knows(standing) => &checkouts.place(standing, None)?,
            _ => standing,
        };
        keep_where_the_user_stands(&mut placed, standing);
        Ok(placed)
    }

    fn notices(&self, layout: &GopathLayout, selected: &[&Placed]) -> Vec<Notice> {
        if self.pipeline.steps.iter().all(|step| step.without_root) {
            return Vec::new();
        }
        let environment =
            |component| of_component(self.user, &layout.environment, self.pipeline, component);
        let components = selected
            .iter()
            .map(|placed| (&placed.component, environment(&placed.component)));
        machine::notices(self.machine, components)
    }
}

/// Returns the directory of each component. Components of a shipped pipeline that do not exist are
/// left out.
fn place(
    pipeline: &Pipeline,
    directory: &Path,
    user: &Environment,
    checkouts: Option<&mut CheckoutSet>,
) -> Result<(PathBuf, Vec<Placed>), WorkspaceError> {
    let base = pipeline.base.as_deref().map(absolute).transpose()?;
    let root = base.as_deref().unwrap_or(directory);
    let mut found = match &base {
        _ if pipeline.components.is_empty() => Some((root.to_owned(), any_makefile(root)?)),
        Some(base) => Some((base.clone(), listed(pipeline, base, checkouts)?)),
        None => None,
    };
    // The file lies inside of a component and extends a shipped pipeline, whose components it uses.
    if found.as_ref().is_none_or(|(_, placed)| placed.is_empty()) {
        found = match pipeline.layout {
            Layout::Gopath => repositories(pipeline, root, user)?,
            Layout::Plain => below(pipeline, root),
        };
    }
    match found {
        Some((root, placed)) if !placed.is_empty() => Ok((root, placed)),
        _ => Err(WorkspaceError::NoComponents {
            pipeline: pipeline.name.clone(),
            directory: root.to_owned(),
            known: known(pipeline),
        }),
    }
}

fn known(pipeline: &Pipeline) -> String {
    let names: Vec<_> = pipeline
        .components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    match names.as_slice() {
        [] => "a Makefile there or one level below".to_owned(),
        names => names.join(", "),
    }
}

fn any_makefile(root: &Path) -> Result<Vec<Placed>, WorkspaceError> {
    let components = makefile_components(root)?;
    Ok(components
        .into_iter()
        .map(|component| Placed {
            directory: component.path.clone(),
            component,
        })
        .collect())
}

/// Returns the components of a file, relative to its directory.
fn listed(
    pipeline: &Pipeline,
    base: &Path,
    mut checkouts: Option<&mut CheckoutSet>,
) -> Result<Vec<Placed>, WorkspaceError> {
    let mut placed = Vec::new();
    for component in &pipeline.components {
        let path = base.join(&component.path);
        let directory = match checkouts.as_deref_mut() {
            Some(checkouts) if checkouts.leaves_out(&path) => continue,
            Some(checkouts) => {
                absolute(&checkouts.place_component(pipeline.layout, component, &path)?)
            }
            None => absolute(&path),
        };
        match directory {
            Ok(directory) if !component.optional || has_makefile(&directory) => {
                placed.push(Placed {
                    component: component.clone(),
                    directory,
                });
            }
            Err(_) if !component.optional => {
                return Err(WorkspaceError::MissingComponent {
                    pipeline: pipeline.name.clone(),
                    component: component.name.clone(),
                    path,
                });
            }
            Ok(_) | Err(_) => {}
        }
    }
    Ok(placed)
}

/// Finds kata v1's repositories, whatever their directories are called.
fn repositories(
    pipeline: &Pipeline,
    directory: &Path,
    user: &Environment,
) -> Result<Option<(PathBuf, Vec<Placed>)>, WorkspaceError> {
    // Without git a checkout is known only by its directory's name. The preflight reports a missing
    // git.
    let git = Git::find(user).ok();
    let Some(place) = v1::locate(directory, git.as_ref())? else {
        return Ok(None);
    };
    let placed = pipeline
        .components
        .iter()
        .filter_map(|component| {
            Some(Placed {
                component: component.clone(),
                directory: place.directories.get(&component.name)?.clone(),
            })
        })
        .collect();
    Ok(Some((place.root, placed)))
}

/// Returns the components below the nearest directory, at or above the given one, that has any of
/// them.
fn below(pipeline: &Pipeline, directory: &Path) -> Option<(PathBuf, Vec<Placed>)> {
    directory.ancestors().find_map(|root| {
        let placed: Vec<_> = pipeline
            .components
            .iter()
            .map(|component| Placed {
                component: component.clone(),
                directory: root.join(&component.path),
            })
            .filter(|placed| has_makefile(&placed.directory))
            .collect();
        (!placed.is_empty()).then(|| (root.to_owned(), placed))
    })
}

fn keep_where_the_user_stands(placed: &mut Vec<Placed>, directory: &Path) {
    let innermost = placed
        .iter()
        .filter(|placed| is_inside(directory, &placed.directory))
        .max_by_key(|placed| placed.directory.components().count())
        .map(|placed| placed.component.name.clone());
    if let Some(name) = innermost {
        placed.retain(|placed| placed.component.name == name);
    }
}
