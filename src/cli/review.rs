//! `kata-ci review`: arguments become a request, and the result is shown or posted.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, ValueEnum};

use super::answer_format::AnswerFormat;
use super::global::GlobalArguments;
use super::run::given;
use super::settings::SettingsArguments;
use super::watch;
use super::watch::WatchArguments;
use crate::config;
use crate::config::{Operator, Overrides};
use crate::env::Environment;
use crate::gerrit::rest::{
    BaseUrl, Client, CredentialFile, CredentialSource, HttpSettings, RestErrorKind,
};
use crate::git::Repository;
use crate::model::CommandError;
use crate::review;
use crate::review::{
    ChangeName, MessagesOnly, Patchset, PostError, PostReport, Posted, ReviewRequest, ReviewResult,
};
use crate::{run, say};

#[derive(Debug, Args)]
pub(super) struct ReviewArguments {
    /// The change: its number (1234, or 1234,2 for patch set 2), its Change-Id, a commit, or the
    /// URL of its page.
    #[arg(value_name = "CHANGE", required_unless_present_any = ["watch", "list"])]
    change: Option<ChangeName>,

    /// Components to run [default: those of the change; with fewer there is no +1].
    #[arg(value_name = "COMPONENT")]
    components: Vec<String>,

    /// The operator's pipeline: kata-v1, kata-monorepo, makefile or a file [default: that of the
    /// target branch; never that of the change].
    #[arg(short, long, value_name = "NAME|FILE", env = "KATACI_PIPELINE")]
    pipeline: Option<String>,

    /// Web address of the Gerrit [default: that of CHANGE if it is a URL, else `[gerrit] url` of
    /// the configuration, else that of the clone's remote].
    #[arg(long, value_name = "URL", env = "KATACI_SERVER")]
    server: Option<String>,

    /// Post the verdict with its vote; without it nothing is posted.
    #[arg(long, env = "KATACI_VOTE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    vote: bool,

    /// Label to vote on [default: `[gerrit] label` of the configuration, else Verified].
    #[arg(long, value_name = "LABEL", env = "KATACI_LABEL")]
    label: Option<String>,

    /// Compare with the same jobs at the merge base [default with --vote and --dry-run].
    #[arg(long, env = "KATACI_BASE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(),
          overrides_with = "no_base")]
    base: bool,

    /// Do not compare: then every failure counts as new.
    #[arg(long, env = "KATACI_NO_BASE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    no_base: bool,

    /// Post nothing, and print the review that would be posted, as JSON.
    #[arg(long, env = "KATACI_DRY_RUN", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    dry_run: bool,

    /// Directory for the reports and review.json, relative to the current directory [default:
    /// $XDG_STATE_HOME/kata-ci/runs/ID].
    #[arg(long, value_name = "DIR", env = "KATACI_REPORT_DIR")]
    report_dir: Option<PathBuf>,

    /// Number of this run among those of the commit, for callers that count them.
    #[arg(long, value_name = "N", env = "KATACI_RUN_NUMBER", hide = true)]
    run_number: Option<u32>,

    /// Format of the result.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "KATACI_FORMAT",
        default_value = "human"
    )]
    format: Format,

    #[command(flatten)]
    settings: SettingsArguments,

    #[command(flatten)]
    watching: WatchArguments,
}

/// The format of the result. `KATACI_FORMAT` is shared with `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[value(alias = "auto")]
    Human,
    /// For people, with a live display of the jobs.
    #[value(hide = true)]
    Progress,
    /// For people, with a line for each event of the jobs.
    #[value(hide = true)]
    Plain,
    /// The content of review.json.
    Json,
}

/// The server of a review and the account there.
struct Server {
    client: Client,
    account: Option<u64>,
}

/// Calls the command and returns the exit code.
pub(super) fn call(
    global: &GlobalArguments,
    arguments: &ReviewArguments,
) -> Result<i32, CommandError> {
    let watching = &arguments.watching;
    if watching.list {
        return watch::list(watching, arguments.answer_format()).map(|code| code.code());
    }
    if watching.is_watching() {
        refuse_beside_watch(arguments)?;
    }
    let called_with = Environment::current();
    let operator = config::operator(config::user_file(&called_with).as_deref())?;
    let named = named_pipeline(arguments, &called_with)?;
    let mut environment = called_with.clone();
    let network = named
        .as_ref()
        .map_or(&operator.network, |named| &named.network);
    network.set_variables(&mut environment);
    network.tell_git(&mut environment);
    let git = Repository::at(&global.directory, &environment);
    let table = named
        .as_ref()
        .map(|named| &named.gerrit)
        .unwrap_or(&operator.gerrit);
    let address = address(arguments, &operator, table.url.as_deref(), &git)?;
    let server = connect(arguments, &operator, address, &git)?;
    let label = given(arguments.label.as_ref()).or_else(|| table.label.clone());
    let label = label.unwrap_or_else(|| "Verified".to_owned());
    let Some(change) = arguments.change.clone().filter(|_| !watching.is_watching()) else {
        return watch::call(global, watching, &operator, server.client, label);
    };
    let votes = arguments.vote && !arguments.dry_run && !watching.watched;
    let posts = arguments.vote || arguments.dry_run || watching.watched;
    let request = ReviewRequest {
        change,
        directory: global.directory.clone(),
        environment: called_with,
        pipeline: given(arguments.pipeline.as_ref()),
        components: arguments.components.clone(),
        label,
        votes,
        with_base: !arguments.no_base && (arguments.base || posts),
        run: arguments.run_number,
        hidden: (operator.review.credentials.iter())
            .map(|file| expanded(file, &environment))
            .filter(|file| file.is_file())
            .collect(),
        reports: arguments.report_dir.clone(),
        settings: (arguments.settings).settings(global, shown(arguments)),
        operator,
    };
    let result = review::carry_out(&request, &server.client, &git, server.account)?;
    show(arguments, &result)?;
    if votes {
        posted(&server.client, &result)?;
    }
    Ok(result.exit)
}

impl ReviewArguments {
    fn answer_format(&self) -> AnswerFormat {
        match self.format {
            Format::Json => AnswerFormat::Json,
            Format::Human | Format::Progress | Format::Plain => AnswerFormat::Human,
        }
    }
}

/// Refuses what says something about one review only.
fn refuse_beside_watch(arguments: &ReviewArguments) -> Result<(), CommandError> {
    let given = [
        ("CHANGE", arguments.change.is_some()),
        ("--dry-run", arguments.dry_run),
        ("--report-dir", arguments.report_dir.is_some()),
        ("--run-number", arguments.run_number.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(CommandError::usage(format!(
            "{name} cannot be used with --watch"
        ))),
        None => Ok(()),
    }
}

/// Returns the output during the jobs. A result for programs has standard output to itself.
fn shown(arguments: &ReviewArguments) -> run::Format {
    match (arguments.dry_run, arguments.format) {
        (true, _) | (_, Format::Json) => run::Format::Errors,
        (_, Format::Human) => run::Format::Auto,
        (_, Format::Progress) => run::Format::Progress,
        (_, Format::Plain) => run::Format::Plain,
    }
}

/// Loads the pipeline that the operator names, for its tables.
fn named_pipeline(
    arguments: &ReviewArguments,
    environment: &Environment,
) -> Result<Option<config::Pipeline>, CommandError> {
    let Some(name) = given(arguments.pipeline.as_ref()) else {
        return Ok(None);
    };
    let Some(source) = config::locate(Some(&name), std::path::Path::new("."))? else {
        return Ok(None);
    };
    let user = config::user_file(environment);
    Ok(Some(config::load(
        &source,
        &Overrides::default(),
        user.as_deref(),
    )?))
}

/// Returns the address of the server, and whether the operator's file of credentials is for it.
fn address(
    arguments: &ReviewArguments,
    operator: &Operator,
    configured: Option<&str>,
    git: &Repository,
) -> Result<(BaseUrl, bool), CommandError> {
    let parsed = |text: &str| text.parse::<BaseUrl>().map_err(CommandError::usage);
    let own = configured
        .or(operator.gerrit.url.as_deref())
        .map(parsed)
        .transpose()?;
    // A watcher's review has the settings of the watcher, and so its server.
    let named = (arguments.change.as_ref()).filter(|_| !arguments.watching.watched);
    if let Some(url) = named.and_then(|change| change.server.as_ref()) {
        let is_own = own
            .as_ref()
            .is_some_and(|own| own.to_string() == url.to_string());
        return Ok((url.clone(), is_own));
    }
    if let Some(url) = given(arguments.server.as_ref()) {
        return Ok((parsed(&url)?, true));
    }
    if let Some(url) = own {
        return Ok((url, true));
    }
    let remotes = git.remotes().unwrap_or_default();
    let names = ["gerrit", "origin"]
        .into_iter()
        .filter(|name| remotes.iter().any(|one| one == name));
    let mut urls = names.filter_map(|name| git.remote_url(name).ok()?);
    let found = urls.find_map(|url| of_remote(&url));
    let found = found.ok_or_else(|| {
        CommandError::usage("the address of the Gerrit is not known").hint(
            "give it with --server URL, or as `url` in [gerrit] of ~/.config/kata-ci/config.toml",
        )
    })?;
    Ok((found, false))
}

/// Returns the web address for the URL of a remote: what is before `/a/`, else the host.
fn of_remote(url: &str) -> Option<BaseUrl> {
    let url = crate::git::without_credentials(url);
    let (scheme, rest) = url.split_once("://")?;
    let place = match rest.split_once("/a/") {
        Some((place, _)) => place,
        None => rest.split('/').next()?,
    };
    matches!(scheme, "http" | "https").then(|| format!("{scheme}://{place}").parse().ok())?
}

/// Connects with the operator's credentials. Without any, a review that posts nothing asks as
/// anybody.
fn connect(
    arguments: &ReviewArguments,
    operator: &Operator,
    (address, is_own): (BaseUrl, bool),
    git: &Repository,
) -> Result<Server, CommandError> {
    let settings = HttpSettings::of_git(git, &address).map_err(CommandError::machine)?;
    let source: Box<dyn CredentialSource> = match &operator.review.credentials {
        Some(file) if is_own => Box::new(CredentialFile::new(expanded(file, git.environment()))),
        _ => Box::new(git.clone()),
    };
    let client = |source| {
        let client = Client::new(address.clone(), &settings, source);
        client.map_err(CommandError::unavailable)
    };
    let own = client(Some(source))?;
    let posts = arguments.vote || arguments.watching.is_watching();
    match own.self_account() {
        Ok(account) => Ok(Server {
            client: own,
            account: Some(account.id),
        }),
        Err(error) if error.kind == RestErrorKind::NoCredentials && !posts => Ok(Server {
            client: client(None)?,
            account: None,
        }),
        Err(error) => Err(match error.is_worth_another_try() {
            true => CommandError::machine(error.clone()),
            false => CommandError::unavailable(error.clone()),
        }
        .hint(error.fix().unwrap_or("see whether the address is right"))),
    }
}

fn expanded(path: &std::path::Path, environment: &Environment) -> PathBuf {
    match (path.strip_prefix("~"), environment.home()) {
        (Ok(below), Some(home)) => home.join(below),
        _ => path.to_owned(),
    }
}

fn show(arguments: &ReviewArguments, result: &ReviewResult) -> Result<(), CommandError> {
    let pretty = |text: serde_json::Result<String>| text.map_err(CommandError::machine);
    let text = match (arguments.dry_run, arguments.format) {
        (true, _) => pretty(serde_json::to_string_pretty(&result.input))?,
        (_, Format::Json) => pretty(serde_json::to_string_pretty(result))?,
        _ => format!("\n{}", result.input.message),
    };
    say::text(&(text + "\n"));
    Ok(())
}

/// Posts the result, and says how that ended.
fn posted(client: &Client, result: &ReviewResult) -> Result<(), CommandError> {
    let report = review::post(client, result, &mut MessagesOnly);
    let report = report.map_err(|error: PostError| match error.is_worth_another_try() {
        true => CommandError::machine(error),
        false => CommandError::unavailable(error),
    })?;
    let PostReport {
        posted,
        remarks,
        taken_back,
    } = report;
    say::aside(told(&posted, &result.label, &result.patch_set));
    for remark in remarks {
        say::aside(format_args!("warning: {remark}"));
    }
    for vote in taken_back {
        say::aside(format_args!(
            "took back {:+} on {}, which did not run",
            vote.value,
            vote.sha.get(..7).unwrap_or(&vote.sha)
        ));
    }
    Ok(())
}

fn told(posted: &Posted, label: &str, patch_set: &Patchset) -> String {
    let place = format!(
        "change {}, patch set {}",
        patch_set.number, patch_set.patch_set
    );
    match posted {
        Posted::Voted(vote) => format!("posted {label} {vote:+} to {place}"),
        Posted::Message => format!("posted a message without a vote to {place}"),
        Posted::Already => format!("this run was posted to {place} before"),
        Posted::Superseded(run) => format!("not posted: run {run} of {place} is newer"),
        Posted::Outdated(sha) => {
            format!("not posted: {} is current now", sha.get(..7).unwrap_or(sha))
        }
        Posted::Closed(status) => format!("not posted: the change is {}", status.to_lowercase()),
    }
}

/// The exit codes of a review, for its help.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0   +1: every job passed (or those that were named)
  1   -1, or failures that the base has too
  69  no verdict, and the cause lasts: a requirement, a sandbox that cannot be had, nothing to run
  75  no verdict: worth another try
  2   usage or configuration";
