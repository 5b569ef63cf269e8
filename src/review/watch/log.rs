//! The log of the watcher, on standard error: lines for people, or JSON objects.
//!
//! The operator of the service reads it. Results never go through it.

use tracing::level_filters::LevelFilter;

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Human,
    /// A JSON object on each line.
    Json,
}

/// Sends the events of this process to standard error. A second call changes nothing.
pub fn begin(format: LogFormat, is_verbose: bool, is_coloured: bool) {
    let level = match is_verbose {
        true => LevelFilter::DEBUG,
        false => LevelFilter::INFO,
    };
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_target(false);
    // It fails only if a log was begun before.
    let _ = match format {
        LogFormat::Human => log.with_ansi(is_coloured).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
