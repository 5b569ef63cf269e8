//! `kata-ci review --watch` and `--list`.

use std::io::{self, IsTerminal, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::answer_format::AnswerFormat;
use super::global::GlobalArguments;
use crate::config::{Operator, Review};
use crate::dirs;
use crate::env::Environment;
use crate::gerrit::rest::Client;
use crate::model::{CommandError, ExitCode};
use crate::review::service::Service;
use crate::review::watch::connection::{Connection, StreamAddress};
use crate::review::watch::filters::{Choice, Filters};
use crate::review::watch::health::Health;
use crate::review::watch::log::{self, LogFormat};
use crate::review::watch::process::ReviewCommand;
use crate::review::watch::server::RecheckRights;
use crate::review::watch::store::StoreError;
use crate::review::watch::watcher::Pace;
use crate::review::watch::{WatchError, WatchRequest, listing, watch};

/// The time after which an index has taken what the server told.
const LAG: Duration = Duration::from_secs(30);

/// The time that a cancelled review gets to end.
const GRACE: Duration = Duration::from_secs(30);

/// The pace of resynchronising beside a stream, and of polling without one.
const RESYNC: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(30));

#[derive(Debug, Args)]
pub(super) struct WatchArguments {
    /// Review all open changes, and keep up with new patch sets until ended by a signal. Posts.
    #[arg(long, env = "KATACI_WATCH", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          help_heading = "Watching")]
    pub watch: bool,

    /// Carry one review out for a watcher, and post nothing.
    #[arg(long, env = "KATACI_WATCHED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          hide = true)]
    pub watched: bool,

    /// List queue, running and last results of the watcher.
    #[arg(long, env = "KATACI_LIST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          conflicts_with = "watch", help_heading = "Watching")]
    pub list: bool,

    /// Review only what this query of the server chooses [default: `query` of `[review]`].
    #[arg(
        long,
        value_name = "QUERY",
        env = "KATACI_QUERY",
        help_heading = "Watching"
    )]
    query: Option<String>,

    /// Hear of changes by ssh (gerrit stream-events) at this address; without it the server is
    /// polled over HTTP.
    #[arg(
        long,
        value_name = "[USER@]HOST[:PORT]",
        env = "KATACI_STREAM",
        help_heading = "Watching"
    )]
    stream: Option<StreamAddress>,

    /// Open the stream again after this time without an event.
    #[arg(long, value_name = "DURATION", env = "KATACI_SILENCE", default_value = "10m",
          value_parser = humantime::parse_duration, help_heading = "Watching")]
    silence: Duration,

    /// Ask for all open changes this often [default: 10m with --stream, else 30s].
    #[arg(long, value_name = "DURATION", env = "KATACI_INTERVAL",
          value_parser = humantime::parse_duration, help_heading = "Watching")]
    interval: Option<Duration>,

    /// Number of reviews side by side.
    #[arg(long, value_name = "N", env = "KATACI_REVIEWS", default_value = "1",
          value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Watching")]
    reviews: u16,

    /// Pause before a review is tried again that broke; doubled for the next time.
    #[arg(long, value_name = "DURATION", env = "KATACI_RETRY_AFTER", default_value = "1m",
          value_parser = humantime::parse_duration, help_heading = "Watching")]
    retry_after: Duration,

    /// Serve a read-only web page at this address.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "KATACI_LISTEN",
        help_heading = "Watching"
    )]
    listen: Option<SocketAddr>,

    /// Let --listen use an address that other machines reach. Everybody who reaches it can read.
    #[arg(long, env = "KATACI_PUBLIC", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          help_heading = "Watching")]
    public: bool,

    /// Form of the log.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_LOG_FORMAT",
        default_value = "human",
        help_heading = "Watching"
    )]
    log_format: LogWord,

    /// Directory of the watcher's state [default: reviews in kata-ci's state directory].
    #[arg(
        long,
        value_name = "DIR",
        env = "KATACI_STATE_DIR",
        help_heading = "Watching"
    )]
    state_dir: Option<PathBuf>,

    /// Number of reviews whose reports are kept.
    #[arg(
        long,
        value_name = "N",
        env = "KATACI_KEEP_REVIEWS",
        default_value = "500",
        help_heading = "Watching"
    )]
    keep_reviews: usize,
}

/// The word for the form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogWord {
    Human,
    Json,
}

impl WatchArguments {
    /// Returns true for a watcher, and false for the reviews that it starts with its own arguments.
    pub(super) fn is_watching(&self) -> bool {
        self.watch && !self.watched
    }

    fn directory(&self, environment: &Environment) -> Result<PathBuf, CommandError> {
        let state = || Some(dirs::state(environment)?.join("reviews"));
        let directory = self.state_dir.clone().or_else(state).ok_or_else(|| {
            let said = "there is no place for the state: neither HOME nor XDG_STATE_HOME is set";
            CommandError::usage(said).hint("name one with --state-dir")
        })?;
        std::path::absolute(directory).map_err(CommandError::machine)
    }
}

/// Prints the list.
pub(super) fn list(
    arguments: &WatchArguments,
    format: AnswerFormat,
) -> Result<ExitCode, CommandError> {
    let directory = arguments.directory(&Environment::current())?;
    let found = listing::listing(&directory).map_err(CommandError::machine)?;
    let listing = found.ok_or_else(|| {
        CommandError::nothing_to_do(format!("no watcher has begun in {}", directory.display()))
            .hint("kata-ci review --watch begins one; --state-dir names its directory")
    })?;
    let text = match format {
        AnswerFormat::Human => listing.lines().join("\n"),
        AnswerFormat::Json => {
            serde_json::to_string_pretty(&listing).map_err(CommandError::machine)?
        }
    };
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::output(error)),
        _ => Ok(ExitCode::Success),
    }
}

/// Watches until a signal comes, and returns the exit code. Each review gets the arguments of this
/// process, so that all settings hold for it.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &WatchArguments,
    operator: &Operator,
    client: Client,
    label: String,
) -> Result<i32, CommandError> {
    let environment = Environment::current();
    let directory = arguments.directory(&environment)?;
    let is_coloured = match global.color() {
        anstream::ColorChoice::Auto => io::stderr().is_terminal(),
        choice => choice != anstream::ColorChoice::Never,
    };
    let format = match arguments.log_format {
        LogWord::Human => LogFormat::Human,
        LogWord::Json => LogFormat::Json,
    };
    let filters = Filters::new(choice(&operator.review, arguments.query.clone()))
        .map_err(CommandError::usage)?;
    log::begin(format, global.verbose(), is_coloured);
    let health = Arc::new(Health::default());
    if let Some(address) = arguments.listen {
        let service = Service::new(
            directory.clone(),
            Arc::clone(&health),
            client.server().to_string(),
        );
        serve(service, address, arguments.public)?;
    }
    let server = client.server().to_string();
    let request = WatchRequest {
        directory,
        client,
        label,
        filters,
        rights: RecheckRights::new(operator.review.recheck.clone()),
        stream: arguments.stream.clone().map(|address| Connection {
            address,
            silence: arguments.silence,
            environment: environment.clone(),
        }),
        pace: pace(arguments),
        command: ReviewCommand {
            program: PathBuf::from("/proc/self/exe"),
            arguments: std::env::args_os()
                .skip(1)
                .chain(["--watched".into()])
                .collect(),
            environment: of_review(environment),
            server,
        },
        health,
    };
    watch(request).map(|signal| 128 + signal).map_err(failed)
}

fn serve(service: Service, address: SocketAddr, is_public: bool) -> Result<(), CommandError> {
    if !address.ip().is_loopback() && !is_public {
        return Err(
            CommandError::usage(format!("{address} can be reached from other machines"))
                .hint("use 127.0.0.1 behind a web server that asks who reads, or add --public"),
        );
    }
    let address = service
        .serve_in_thread(address)
        .map_err(|error| CommandError::machine(format!("{address}: {error}")))?;
    tracing::info!(%address, "the page is served");
    Ok(())
}

fn choice(review: &Review, query: Option<String>) -> Choice {
    Choice {
        query: query
            .or_else(|| review.query.clone())
            .filter(|query| !query.is_empty()),
        projects: review.projects.clone(),
        branches: review.branches.clone(),
        owner_groups: review.owners.clone(),
        paths: review.paths.clone(),
        wip: review.wip,
        private: review.private,
    }
}

fn pace(arguments: &WatchArguments) -> Pace {
    let resync = match arguments.stream {
        Some(_) => RESYNC.0,
        None => RESYNC.1,
    };
    Pace {
        slots: arguments.reviews.into(),
        resync: arguments.interval.unwrap_or(resync),
        lag: LAG,
        grace: GRACE,
        retry: arguments.retry_after,
        keep: arguments.keep_reviews,
    }
}

/// Returns the environment of a review: without what would make it another watcher, or post.
fn of_review(mut environment: Environment) -> Environment {
    for name in [
        "WATCH",
        "LIST",
        "VOTE",
        "DRY_RUN",
        "REPORT_DIR",
        "FORMAT",
        "LISTEN",
        "QUERY",
    ] {
        environment.remove(format!("KATACI_{name}"));
    }
    environment
}

fn failed(error: WatchError) -> CommandError {
    match &error {
        WatchError::Store(StoreError::Busy(_)) => {
            CommandError::usage(error).hint("each watcher needs a --state-dir of its own")
        }
        _ => CommandError::machine(error),
    }
}
