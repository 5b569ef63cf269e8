//! The definition of `kata-ci report`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::engine::ArgValueCompleter;

use crate::cli::candidates;

const EXIT_CODES: &str = "\
Exit code: 0 the report is made, also of tests that failed; 75 something could not be read or
written (it is named, the rest is in the report); 4 no case has the name of --case; 2 usage.";

const COMPARE_CODES: &str = "\
Exit code: 0 no case of the classes of --fail-on; 1 there is one; 75 something could not be read or
written (it is named; what was read is compared); 2 usage.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ReportArguments {
    #[command(subcommand)]
    pub command: ReportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReportCommand {
    /// Merge reports into one JUnit file, whatever their order.
    ///
    /// Takes report directories, journals, JUnit files of other programs, and directories of them.
    /// Executions are combined only if they name the same run or plan, the same job and an attempt;
    /// a case that failed and passed in a later attempt is flaky. A file that cannot be read is
    /// named, the others are merged, and the exit code is 75.
    Merge {
        /// Reports to merge; - for a JUnit file from standard input.
        #[arg(value_name = "FILE|DIR", required = true)]
        paths: Vec<PathBuf>,

        /// Output file [default: standard output].
        #[arg(short, long, value_name = "OUT", env = "KATACI_OUTPUT")]
        output: Option<PathBuf>,

        /// Merge the shards of this plan. Of each, the latest complete attempt counts; a shard
        /// without one is an error for each of its jobs. The exit code is that of one run of all.
        #[arg(long, value_name = "FILE", env = "KATACI_PLAN")]
        plan: Option<PathBuf>,
    },
    /// Make one self-contained HTML page: totals, timeline, every case.
    Html(From),
    /// Make a summary in Markdown, below 1 MiB.
    Markdown(From),
    /// Print GitHub's annotations of failures, with file and line.
    Annotations(From),
    /// Make a JUnit file within the limits of a consumer.
    Junit {
        #[command(flatten)]
        from: From,

        /// Consumer of the file.
        #[arg(long, env = "KATACI_STYLE", default_value = "jenkins")]
        style: Consumer,
    },
    /// Show an earlier run, one of its cases, or the kept runs.
    Show(Show),
    /// Open the page of a run in the browser, and print its path.
    Open {
        /// Run: an id, or a report directory [default: the latest run of this workspace].
        #[arg(value_name = "RUN", add = ArgValueCompleter::new(candidates::runs))]
        run: Option<PathBuf>,
    },
    /// Compare two runs: what fails newly, what is gone, skipped, fixed, new or slower.
    ///
    /// Takes runs, report directories, journals and JUnit files. A case that was tested and is not
    /// there any more is named: it passes by not being there.
    #[command(after_help = COMPARE_CODES)]
    Compare(Compare),
}

/// The options of `report compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The earlier run: an id, a report directory, a journal, a JUnit file or a directory of them.
    #[arg(value_name = "OLD", add = ArgValueCompleter::new(candidates::runs))]
    pub old: PathBuf,

    /// The later run [default: the latest run].
    #[arg(value_name = "NEW", add = ArgValueCompleter::new(candidates::runs))]
    pub new: Option<PathBuf>,

    /// Further earlier runs: a case is slower only beyond the durations of all of them.
    #[arg(
        long,
        value_name = "FROM",
        env = "KATACI_EARLIER",
        value_delimiter = ','
    )]
    pub earlier: Vec<PathBuf>,

    /// Classes of which no case may be there, or the exit code is 1.
    #[arg(
        long,
        value_name = "CLASS,…",
        env = "KATACI_FAIL_ON",
        value_delimiter = ','
    )]
    #[arg(default_value = "new")]
    pub fail_on: Vec<FailOn>,

    /// Format of the output.
    #[arg(long, env = "KATACI_FORMAT", default_value = "human")]
    pub format: CompareFormat,

    /// Output file [default: standard output].
    #[arg(short, long, value_name = "OUT", env = "KATACI_OUTPUT")]
    pub output: Option<PathBuf>,
}

/// A class that makes the comparison fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Bad now, and not before.
    New,
    /// Tested before, and not there any more.
    Vanished,
    /// Tested before, and skipped now.
    Silenced,
    /// Bad now and before.
    Known,
    /// Flaky.
    Flaky,
    /// Slower than before.
    Slower,
    /// Nothing fails.
    None,
}

/// The format of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// For people.
    Human,
    /// For a comment or the summary of a CI system.
    Markdown,
    /// For programs: every case.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A run's id, a report directory, a journal or a JUnit file [default: the latest run].
    #[arg(value_name = "RUN", add = ArgValueCompleter::new(candidates::runs))]
    pub run: Option<PathBuf>,

    /// List the kept runs, the newest first.
    #[arg(long, env = "KATACI_LIST", conflicts_with = "case")]
    pub list: bool,

    /// Show the cases with NAME in their name or class, with their output.
    #[arg(long, value_name = "NAME", env = "KATACI_CASE")]
    pub case: Option<String>,

    /// Format of the output.
    #[arg(long, env = "KATACI_FORMAT", default_value = "human")]
    pub format: ListFormat,
}

/// The format of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// The consumer of a JUnit file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Consumer {
    /// Valid under junit-10.xsd; output as long as Jenkins keeps it.
    Jenkins,
    /// File and line; output in the failure; at most 500,000 cases and 30 MB.
    Gitlab,
    /// File and line; texts that fit into an annotation.
    Github,
}

/// A report and the file for its other form.
#[derive(Debug, Args)]
pub(crate) struct From {
    /// A report directory, a journal, a JUnit file (- for one from standard input), a directory of
    /// them, or the id of a run [default: the latest run].
    #[arg(value_name = "FROM")]
    pub from: Option<PathBuf>,

    /// Output file [default: standard output].
    #[arg(short, long, value_name = "OUT", env = "KATACI_OUTPUT")]
    pub output: Option<PathBuf>,
}
