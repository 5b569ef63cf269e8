//! How commands that answer at once write their answer.

use clap::ValueEnum;

/// For people or for programs. `KATACI_FORMAT` is shared with `run`, so its words for showing a run count as `human` here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum AnswerFormat {
    /// For people.
    #[default]
    #[value(aliases = ["auto", "progress", "plain"])]
    Human,
    /// One JSON object or array.
    Json,
}
