//! `--since REV`: selects the components that a change affects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::Pipeline;
use crate::env::Environment;
use crate::event::{Notice, Since};
use crate::git::{Git, GitError};
use crate::model::{CommandError, Decision};
use crate::plan::{Candidate, Changes, affected};
use crate::probe::quoted;
use crate::workspace::{Located, Placed};

/// Decides for each selected component.
///
/// # Errors
/// Fails if a repository does not have the revision, or if git fails.
pub(crate) fn decide(
    revision: &str,
    pipeline: &Pipeline,
    located: &Located,
    environment: &Environment,
) -> Result<Since, CommandError> {
    let git = Git::find(environment).map_err(|error| refused(&error))?;
    let mut repositories = Repositories {
        git,
        revision,
        changes: BTreeMap::new(),
    };
    let candidates = (located.placed.iter())
        .map(|placed| repositories.candidate(placed))
        .collect::<Result<Vec<_>, _>>()?;
    let mut components = affected(&candidates, &pipeline.ignore)
        .map_err(|error| CommandError::usage(format!("`ignore`: {error}")))?;
    components.retain(|decision| located.selected.contains(&decision.component));
    Ok(Since {
        revision: revision.to_owned(),
        components,
    })
}

fn refused(error: &GitError) -> CommandError {
    let help = (error.fix()).unwrap_or_else(|| "without --since everything is run".to_owned());
    let text = format!("--since: {error}");
    match error.lasts() {
        true => CommandError::unavailable(text),
        false => CommandError::machine(text),
    }
    .hint(help)
}

/// The changed files, looked up once for each repository.
struct Repositories<'a> {
    git: Git,
    revision: &'a str,
    changes: BTreeMap<PathBuf, Vec<PathBuf>>,
}

impl Repositories<'_> {
    fn candidate(&mut self, placed: &Placed) -> Result<Candidate, CommandError> {
        // git prints resolved paths.
        let real = (placed.directory.canonicalize()).map_err(|error| {
            CommandError::path(
                &placed.directory,
                &error,
                "without --since it is run all the same",
            )
        })?;
        let component = placed.component.clone();
        let top = match self.git.at(&real).top_level() {
            Ok(top) => top,
            Err(GitError::NoRepository { .. }) => {
                return Ok(Candidate {
                    component,
                    repository: None,
                    prefix: real,
                    changes: Changes::Unknown("it is in no git repository".to_owned()),
                });
            }
            Err(error) => return Err(refused(&error)),
        };
        Ok(Candidate {
            component,
            prefix: real.strip_prefix(&top).unwrap_or(Path::new("")).to_owned(),
            changes: Changes::Known(self.changed(&top)?),
            repository: Some(top),
        })
    }

    fn changed(&mut self, top: &Path) -> Result<Vec<PathBuf>, CommandError> {
        if let Some(known) = self.changes.get(top) {
            return Ok(known.clone());
        }
        let paths = self.ask(top)?;
        self.changes.insert(top.to_owned(), paths.clone());
        Ok(paths)
    }

    /// Returns the files that differ from the merge base of the work tree and the revision. Without
    /// a merge base it compares with the revision itself, which finds more and never less.
    fn ask(&self, top: &Path) -> Result<Vec<PathBuf>, CommandError> {
        let failed = |error: GitError| refused(&error);
        let commit = (self.git.at(top).commit(self.revision))
            .map_err(failed)?
            .ok_or_else(|| self.unknown_revision(top))?;
        let base = self.git.at(top).merge_base(&commit).map_err(failed)?;
        let base = base.unwrap_or(commit);
        self.git.at(top).changed_since(&base).map_err(failed)
    }

    fn unknown_revision(&self, top: &Path) -> CommandError {
        CommandError::usage(format!(
            "--since: `{}` is not a revision in {}",
            self.revision,
            top.display()
        ))
        .hint(format!(
            "name one that is, or fetch it: git -C {} fetch",
            quoted(top)
        ))
    }
}

impl Since {
    /// Returns true if the component does not run.
    pub(crate) fn leaves_out(&self, name: &str) -> bool {
        let mut components = self.components.iter();
        components.any(|decision| decision.component == name && !decision.is_affected)
    }

    /// Returns notices that list what runs, what does not, and why.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let (run, left): (Vec<&Decision>, Vec<_>) = self
            .components
            .iter()
            .partition(|decision| decision.is_affected);
        let since = &self.revision;
        let mut texts = match run.as_slice() {
            [] => vec![format!(
                "no change since {since} affects a component: nothing to run"
            )],
            run => vec![format!("affected since {since}: {}", listed(run))],
        };
        if !left.is_empty() {
            texts.push(format!("left out: {}", listed(&left)));
        }
        texts.into_iter().map(Notice::fact).collect()
    }
}

/// Formats as `agent, shim (nothing changed); proxy (needs libs)`.
fn listed(decisions: &[&Decision]) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for decision in decisions {
        let name = decision.component.as_str();
        match (reasons.iter_mut()).find(|(reason, _)| *reason == decision.reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((&decision.reason, vec![name])),
        }
    }
    reasons
        .iter()
        .map(|(reason, names)| format!("{} ({reason})", names.join(", ")))
        .collect::<Vec<_>>()
        .join("; ")
}
