//! The format of commands that only print a result.

use clap::ValueEnum;

/// The format of a result. `KATACI_FORMAT` is shared with `run`, so the formats of a run count as
/// `human` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum AnswerFormat {
    /// For people.
    #[default]
    #[value(aliases = ["auto", "progress", "plain"])]
    Human,
    /// One JSON object or array.
    Json,
}
