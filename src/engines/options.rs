//! The names and places of an engine, and the reasons why it cannot take a plan.

use std::path::PathBuf;

use crate::model::CommandError;

/// The places and names that a plan does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmitOptions {
    /// The path of the plan file on the machines.
    pub plan: String,
    /// The absolute path of the workspace.
    pub workspace: PathBuf,
    /// The image with kata-ci, for pods.
    pub image: String,
    /// The runtime class of the pods.
    pub runtime_class: String,
    /// The claim of the volume that all pods share.
    pub claim: String,
    /// The most attempts of a shard.
    pub attempts: u32,
}

/// A plan that an engine cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// There is nothing to run.
    #[error("the plan is empty, and an engine takes no empty one")]
    Empty,
    /// There are more shards than the engine takes.
    #[error("{engine} takes at most {most} shards, and the plan has {count}")]
    TooMany {
        /// The engine's name.
        engine: &'static str,
        /// The most shards.
        most: usize,
        /// The number of shards with jobs.
        count: usize,
    },
    /// The plan is larger than what carries it.
    #[error("{what} holds at most {most} bytes, and the plan has {size}")]
    TooLarge {
        /// The thing that carries the plan.
        what: &'static str,
        /// The most bytes.
        most: usize,
        /// The bytes of the plan.
        size: usize,
    },
}

impl From<EmitError> for CommandError {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Empty => Self::nothing_to_do(error)
                .hint("let the engine leave out its shards, or plan without --since"),
            EmitError::TooMany { most, .. } => {
                Self::usage(error).hint(format!("plan at most --shards {most}"))
            }
            EmitError::TooLarge { .. } => {
                Self::usage(error).hint("put the plan on the volume, or plan fewer components")
            }
        }
    }
}
