//! Writes a plan in the words of an engine.

use super::{EmitError, EmitOptions};
use super::{buildbot, github, gitlab, jenkins, kubernetes, slurm, zuul};
use crate::plan::PlanFile;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// GitHub Actions: a line for `$GITHUB_OUTPUT`.
    GitHub,
    /// GitLab CI: a child pipeline.
    GitLab,
    /// Jenkins: a script to load.
    Jenkins,
    /// Slurm: a script that submits an array.
    Slurm,
    /// Buildbot: the builds to trigger.
    Buildbot,
    /// Kubernetes: an Indexed Job, with all that it needs.
    Kubernetes,
    /// Zuul: jobs and their dependencies.
    Zuul,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab",
            Self::Jenkins => "Jenkins",
            Self::Slurm => "Slurm",
            Self::Buildbot => "Buildbot",
            Self::Kubernetes => "Kubernetes",
            Self::Zuul => "Zuul",
        }
    }

    /// Returns the most tasks that it takes at once.
    fn most(self) -> usize {
        match self {
            Self::GitHub => 256,
            Self::GitLab => 200,
            // The least MaxArraySize that Slurm is built with.
            Self::Slurm => 1000,
            Self::Jenkins | Self::Buildbot | Self::Zuul => 1000,
            Self::Kubernetes => 10_000,
        }
    }
}

/// Writes the plan for an engine. Shards without jobs are left out.
///
/// # Errors
/// [`EmitError`].
pub fn emit(engine: Engine, plan: &PlanFile, options: &EmitOptions) -> Result<String, EmitError> {
    let count = plan.filled().len();
    match count {
        0 => return Err(EmitError::Empty),
        count if count > engine.most() => {
            return Err(EmitError::TooMany {
                engine: engine.name(),
                most: engine.most(),
                count,
            });
        }
        _ => {}
    }
    Ok(match engine {
        Engine::GitHub => github::emit(plan),
        Engine::GitLab => gitlab::emit(plan, options),
        Engine::Jenkins => jenkins::emit(plan, options),
        Engine::Slurm => slurm::emit(plan, options),
        Engine::Buildbot => buildbot::emit(plan),
        Engine::Kubernetes => kubernetes::emit(plan, options)?,
        Engine::Zuul => zuul::emit(plan, options),
    })
}
