//! The server that commits are pushed to: does it answer, does it know this user, and may this user
//! vote there.

mod vote;

use super::check::{Check, Checks, Purpose};
use super::git::add_error;
use super::host::Said;
use crate::config::Gerrit;
use crate::gerrit::remote::{self, Destination, DestinationError, PushUrl, Request, Transport};
use crate::git::context::GitContext;
use crate::git::{Git, GitError, Repository, without_credentials};
use crate::probe::ProbeError;
use crate::run::{RunRequest, pipeline};

/// The work that talks to the server.
const PURPOSES: [Purpose; 2] = [Purpose::Push, Purpose::Review];

/// The time limit of the server, in seconds.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// The answers about a destination.
#[derive(Debug)]
pub(super) struct Facts {
    /// The address.
    pub url: PushUrl,
    /// The branch.
    pub branch: String,
    /// The answer to `git ls-remote`.
    pub listed: Result<Said, GitError>,
}

/// Examines the server of the repository in the request's directory, if the work needs it.
pub(super) fn examine(request: &RunRequest, purposes: &[Purpose]) -> Vec<Check> {
    if !purposes.iter().any(|one| PURPOSES.contains(one)) {
        return Vec::new();
    }
    let mut checks = Checks::of("gerrit", &PURPOSES);
    // A mistake in the pipeline is told with the components.
    let asked = request.pipeline.as_deref();
    let (table, network) = match pipeline::anywhere(asked, &request.directory, &request.environment)
    {
        Ok(pipeline) => (pipeline.gerrit, pipeline.network),
        Err(_) => Default::default(),
    };
    let mut environment = request.environment.clone();
    network.set_variables(&mut environment);
    network.tell_git(&mut environment);
    let git = Git::of_user(&environment).with_deadline(PATIENCE);
    let repository = git.at(&request.directory);
    let context = match GitContext::of(&repository) {
        Ok(context) => context,
        // Told by the subject git.
        Err(GitError::NoRepository { .. } | GitError::DubiousOwnership { .. }) => {
            return checks.done();
        }
        Err(error) => {
            add_error(&mut checks, "destination", &error);
            return checks.done();
        }
    };
    let (web, label) = (table.url.clone(), table.label.clone());
    match destination(&context, table) {
        Ok(destination) => {
            let repository = mute(&context);
            let (url, branch) = (&destination.url, &destination.branch);
            let question = vote::Question::of(web.as_deref(), label.as_deref(), url, branch);
            judge(&ask(&repository, destination), &mut checks);
            if let Some(question) = question.filter(|_| purposes.contains(&Purpose::Review)) {
                vote::examine(repository, &question, &mut checks);
            }
        }
        Err(error) => no_destination(&error, &mut checks),
    }
    checks.done()
}

fn destination(context: &GitContext, table: Gerrit) -> Result<Destination, DestinationError> {
    let request = Request {
        table,
        ..Request::default()
    };
    remote::resolve(context, &request)
}

fn no_destination(error: &DestinationError, checks: &mut Checks) {
    let fix = match error {
        DestinationError::Git(error) => return add_error(checks, "destination", error),
        DestinationError::Ambiguous(_) => {
            "git remote && printf 'remote: ' && read -r it && git config gitreview.remote \"$it\""
        }
        DestinationError::NoBranch(_) => "git remote set-head --auto origin",
        DestinationError::NoRemote { .. } => {
            "printf 'URL: ' && read -r it && git remote add origin \"$it\""
        }
        _ => "git remote --verbose",
    };
    checks.cannot("destination", error.to_string(), fix);
}

/// Returns the repository with a git that cannot ask for a password or a passphrase.
fn mute(context: &GitContext) -> Repository {
    let repository = context.repository.clone();
    let has_own = context.configuration.get("core.sshcommand").is_some()
        || repository.environment().get("GIT_SSH_COMMAND").is_some()
        || repository.environment().get("GIT_SSH").is_some();
    let repository = match has_own {
        true => repository,
        false => repository.with_variable(
            "GIT_SSH_COMMAND",
            "ssh -o BatchMode=yes -o ConnectTimeout=10",
        ),
    };
    repository.with_variable("GIT_ASKPASS", "true")
}

/// Asks the server for the branch.
fn ask(repository: &Repository, destination: Destination) -> Facts {
    let reference = format!("refs/heads/{}", destination.branch);
    let url = destination.url.for_git();
    let listed = repository.answer(["ls-remote", "--", url, &reference]);
    Facts {
        listed: listed.map(|answer| Said::of(&answer)),
        url: destination.url,
        branch: destination.branch,
    }
}

/// Signs in git's complaint that the server, or a proxy before it, does not know the user.
const UNKNOWN: [&str; 7] = [
    "Permission denied",
    "Authentication failed",
    "terminal prompts disabled",
    "could not read Username",
    "could not read Password",
    "error: 401",
    "error: 403",
];

/// Signs that there is no server.
const UNREACHABLE: [&str; 8] = [
    "Could not resolve host",
    "Could not resolve proxy",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Connection refused",
    "Network is unreachable",
    "No route to host",
    "Failed to connect",
];

/// Judges the answers.
pub(super) fn judge(facts: &Facts, checks: &mut Checks) {
    let (url, branch) = (&facts.url, &facts.branch);
    let has = |signs: &[&str], text: &str| signs.iter().any(|sign| text.contains(sign));
    let said = match &facts.listed {
        Ok(said) => said,
        Err(GitError::Probe(ProbeError::Deadline { .. })) => {
            let seconds = PATIENCE.as_secs();
            checks.unasked(
                "reachable",
                format!("{url} gave no answer within {seconds} s"),
            );
            return;
        }
        Err(error) => return add_error(checks, "reachable", error),
    };
    let complaint = without_credentials(&said.complaint);
    match said.is_success {
        true if said.output.contains("refs/heads/") => {
            checks.can(
                "reachable",
                format!("{url} answers, and has the branch {branch}"),
            );
        }
        true => checks.cannot(
            "branch",
            format!("{url} answers, and has no branch {branch}"),
            "git remote set-head --auto origin",
        ),
        false if complaint.contains("Host key verification failed") => checks.cannot(
            "host-key",
            format!("ssh does not know the key of {}", url.host),
            known_hosts(url),
        ),
        false if has(&UNKNOWN, &complaint) => checks.cannot(
            "authenticated",
            format!("{url} does not know this user: {complaint}"),
            log_in(url),
        ),
        false if has(&UNREACHABLE, &complaint) => checks.cannot(
            "reachable",
            format!("{url} cannot be reached: {complaint}"),
            format!("git ls-remote {}", shown(url)),
        ),
        false if complaint.contains("timed out") => {
            checks.unasked("reachable", format!("{url} gave no answer: {complaint}"));
        }
        false => checks.cannot(
            "project",
            format!("{url} refuses: {complaint}"),
            format!("git ls-remote {}", shown(url)),
        ),
    }
}

fn shown(url: &PushUrl) -> String {
    let text = url.to_string();
    shlex::try_quote(&text).map_or(text.clone(), std::borrow::Cow::into_owned)
}

fn known_hosts(url: &PushUrl) -> String {
    let port = url
        .port
        .map(|port| format!("-p {port} "))
        .unwrap_or_default();
    format!(
        "ssh-keyscan {port}{} >> ~/.ssh/known_hosts  # then compare the key with the server's",
        url.host
    )
}

/// Returns the command that makes the user known.
fn log_in(url: &PushUrl) -> String {
    match url.transport {
        Transport::Ssh => "ssh-keygen -y -f ~/.ssh/id_ed25519 || ssh-keygen -t ed25519; cat ~/.ssh/id_ed25519.pub  # add it to the server's settings, SSH keys".to_owned(),
        // Asks for the password, and lets the credential helper keep it.
        _ => format!("git ls-remote {}", shown(url)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn judged(url: &str, is_success: bool, output: &str, complaint: &str) -> (State, &'static str) {
        let facts = Facts {
            url: url.parse().unwrap(),
            branch: "master".to_owned(),
            listed: Ok(Said {
                is_success,
                output: output.to_owned(),
                complaint: complaint.to_owned(),
            }),
        };
        let mut checks = Checks::of("gerrit", &PURPOSES);
        judge(&facts, &mut checks);
        let check = checks.done().remove(0);
        (check.state, check.rule)
    }

    #[test]
    fn each_answer_of_a_server_is_told_apart() {
        let ssh = "ssh://ada@review.example.com:29418/runtime";
        let https = "https://review.example.com/a/runtime";
        let cannot = |rule| (State::Cannot, rule);
        assert_eq!(
            judged(ssh, true, "0123\trefs/heads/master\n", ""),
            (State::Can, "reachable")
        );
        assert_eq!(judged(ssh, true, "", ""), cannot("branch"));
        for (url, complaint, rule) in [
            (
                ssh,
                "ada@review.example.com: Permission denied (publickey).",
                "authenticated",
            ),
            (ssh, "Host key verification failed.", "host-key"),
            (
                ssh,
                "ssh: connect to host review.example.com port 29418: Connection refused",
                "reachable",
            ),
            (
                ssh,
                "ssh: Could not resolve hostname x: Name or service not known",
                "reachable",
            ),
            (
                https,
                "fatal: Authentication failed for 'https://review.example.com/a/runtime/'",
                "authenticated",
            ),
            (
                https,
                "fatal: could not read Username for 'https://x': terminal prompts disabled",
                "authenticated",
            ),
            (
                https,
                "fatal: unable to access 'https://x/': Could not resolve host: x",
                "reachable",
            ),
            (
                https,
                "fatal: unable to access 'https://x/': The requested URL returned error: 403",
                "authenticated",
            ),
            (https, "fatal: repository 'https://x/' not found", "project"),
        ] {
            assert_eq!(
                judged(url, false, "", complaint),
                cannot(rule),
                "{complaint}"
            );
        }
        let late = "ssh: connect to host x port 22: Connection timed out";
        assert_eq!(
            judged(ssh, false, "", late),
            (State::CouldNotBeAsked, "reachable")
        );
    }
}
