//! The definition of `kata-ci report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArguments {
    #[command(subcommand)]
    pub command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReportCommand {
    /// Merge reports into one JUnit file, whatever their order.
    ///
    /// Takes report directories, journals, JUnit files of any writer, and directories of them. Executions of one job are
    /// made one only where run or plan, job and an attempt number say that they are; a case that failed and passed in a
    /// later attempt is flaky. What cannot be read is named, the rest is merged, and the exit code is 75.
    Merge {
        /// What to merge.
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<PathBuf>,

        /// Where to write [default: standard output].
        #[arg(short, long, value_name = "OUT", env = "KATACI_OUTPUT")]
        output: Option<PathBuf>,
    },
}
