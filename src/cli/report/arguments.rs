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
    /// Make one self-contained HTML page: totals, timeline, every case.
    Html(From),
}

/// A report, and where its other form goes.
#[derive(Debug, Args)]
pub(in crate::cli) struct From {
    /// A report directory, a journal, a JUnit file, a directory of them, or the id of a run [default: the latest run].
    #[arg(value_name = "FROM")]
    pub from: Option<PathBuf>,

    /// Where to write [default: standard output].
    #[arg(short, long, value_name = "OUT", env = "KATACI_OUTPUT")]
    pub output: Option<PathBuf>,
}
