//! Gerrit's REST interface: who this user is there, and may this user vote.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::super::check::{Checks, Purpose};
use crate::gerrit::remote::{PushUrl, Transport};
use crate::gerrit::rest::{
    BaseUrl, ChangeInfo, Client, CredentialError, CredentialSource, Credentials, HttpSettings,
    RestError, RestErrorKind,
};
use crate::git::{Repository, without_credentials};

/// The time limit of all questions together: a helper of credentials has none.
const PATIENCE: Duration = Duration::from_secs(30);

/// The label that is voted on unless the pipeline names another one.
const LABEL: &str = "Verified";

/// The options with which servers tell what an account may vote.
const OPTIONS: [&str; 2] = ["DETAILED_LABELS", "DETAILED_ACCOUNTS"];

/// The user's credentials, of which nothing is stored or forgotten.
struct ReadOnly(Repository);

impl CredentialSource for ReadOnly {
    fn fill(&self, server: &BaseUrl) -> Result<Option<Credentials>, CredentialError> {
        let found = self.0.fill(server)?;
        Ok(found.filter(|credentials| !credentials.user.is_empty()))
    }

    fn approve(&self, _: &BaseUrl, _: &Credentials) {}

    fn reject(&self, _: &BaseUrl, _: &Credentials) {}
}

/// The question: server, project, branch and label.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The web address.
    pub server: BaseUrl,
    /// The project.
    pub project: String,
    /// The branch.
    pub branch: String,
    /// The label.
    pub label: String,
}

impl Question {
    /// Makes the question of a destination; `None` if no web address is known.
    pub fn of(web: Option<&str>, label: Option<&str>, url: &PushUrl, branch: &str) -> Option<Self> {
        let is_web = matches!(url.transport, Transport::Http | Transport::Https);
        let server = match web {
            Some(web) => web.parse().ok()?,
            None if is_web => {
                let is_https = url.transport == Transport::Https;
                BaseUrl::new(is_https, &url.host, url.port, url.user.as_deref())
            }
            None => return None,
        };
        Some(Self {
            server,
            project: url.project(),
            branch: branch.to_owned(),
            label: label.unwrap_or(LABEL).to_owned(),
        })
    }
}

/// The answers of a server.
#[derive(Debug)]
pub(super) struct Answers {
    /// The name of the account.
    account: Result<String, RestError>,
    /// An open change of the project, if there is one.
    change: Result<Option<ChangeInfo>, RestError>,
}

/// Asks the server and judges its answers.
pub(super) fn examine(repository: Repository, question: &Question, checks: &mut Checks) {
    checks.matter_for(&[Purpose::Review]);
    let (sender, receiver) = mpsc::channel();
    let asked = question.clone();
    let asking = thread::Builder::new().spawn(move || {
        let _ = sender.send(ask(repository, &asked));
    });
    match asking.map(|_| receiver.recv_timeout(PATIENCE)) {
        Ok(Ok(Ok(answers))) => judge(&answers, question, checks),
        Ok(Ok(Err(reason))) => checks.unasked("vote", reason),
        _ => checks.unasked(
            "vote",
            format!(
                "{} gave no answer within {} s",
                question.server,
                PATIENCE.as_secs()
            ),
        ),
    }
}

fn ask(repository: Repository, question: &Question) -> Result<Answers, String> {
    let repository = repository.with_variable("GIT_TERMINAL_PROMPT", "0");
    let settings = HttpSettings::of_git(&repository, &question.server);
    let settings = settings.map_err(|error| without_credentials(&error.to_string()))?;
    let source = Some(Box::new(ReadOnly(repository)) as Box<dyn CredentialSource>);
    let client = Client::new(question.server.clone(), &settings, source);
    let client = client.map_err(|error| error.to_string())?;
    let account = client.self_account().map(|account| account.label());
    let query = format!(
        "status:open project:{} branch:{}",
        question.project, question.branch
    );
    let change = match &account {
        Ok(_) => {
            (client.query_page(&query, &OPTIONS, 0, 1)).map(|page| page.changes.into_iter().next())
        }
        Err(_) => Ok(None),
    };
    Ok(Answers { account, change })
}

fn judge(answers: &Answers, question: &Question, checks: &mut Checks) {
    let Question { server, label, .. } = question;
    match &answers.account {
        Ok(name) => checks.can("account", format!("{server} knows this user as {name}")),
        Err(error) => return refused(error, server, checks),
    }
    let change = match &answers.change {
        Ok(change) => change,
        Err(error) => return refused(error, server, checks),
    };
    let Some(change) = change else {
        let what = format!(
            "{} has no open change on {}, so who may vote could not be asked",
            question.project, question.branch
        );
        return checks.unasked("vote", what);
    };
    match change.may_vote(label, 1) {
        Some(true) => checks.can("vote", format!("this user may vote {label}+1 on {server}")),
        Some(false) => checks.cannot(
            "vote",
            format!("this user may not vote {label}+1 on {server}"),
            format!(
                "xdg-open {}  # Access: Label {label} for a group of this user",
                access(question)
            ),
        ),
        None => checks.unasked(
            "vote",
            format!("{server} does not tell who may vote {label}"),
        ),
    }
}

/// Returns the page of the project's permissions.
fn access(question: &Question) -> String {
    let base = question.server.to_string();
    let project = question.project.replace('/', "%2F");
    format!(
        "{}/admin/repos/{project},access",
        base.trim_end_matches('/')
    )
}

fn refused(error: &RestError, server: &BaseUrl, checks: &mut Checks) {
    let text = format!("{server}: {error}");
    match error.kind {
        RestErrorKind::NoCredentials | RestErrorKind::Unauthorized | RestErrorKind::Forbidden => {
            let scheme = if server.is_https() { "https" } else { "http" };
            let place = format!(
                "protocol={scheme}\\nhost={}:{}\\n",
                server.host(),
                server.port()
            );
            checks.cannot(
                "account",
                text,
                format!("printf '{place}' | git credential fill | git credential approve  # with a password or token of Gerrit's settings"),
            );
        }
        _ => checks.unasked("vote", text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::check::State;
    use super::*;

    fn question() -> Question {
        let url: PushUrl = "ssh://ada@review.example.com:29418/kata/runtime"
            .parse()
            .unwrap();
        Question::of(Some("https://review.example.com/r/"), None, &url, "master").unwrap()
    }

    fn judged(
        account: Result<&str, RestErrorKind>,
        change: Option<&str>,
    ) -> Vec<(State, &'static str)> {
        let error = |kind| RestError {
            kind,
            request: "GET /accounts/self".to_owned(),
            status: None,
            said: "no".to_owned(),
        };
        let answers = Answers {
            account: account.map(str::to_owned).map_err(error),
            change: Ok(change.map(|text| serde_json::from_str(text).unwrap())),
        };
        let mut checks = Checks::of("gerrit", &[Purpose::Review]);
        judge(&answers, &question(), &mut checks);
        (checks.done().iter())
            .map(|check| (check.state, check.rule))
            .collect()
    }

    #[test]
    fn who_may_vote_is_told_from_who_is_not_known() {
        let change = |values: &str| format!(r#"{{"permitted_labels":{{"Verified":[{values}]}}}}"#);
        let may = change(r#""-1"," 0","+1""#);
        assert_eq!(
            judged(Ok("Ada"), Some(&may)),
            [(State::Can, "account"), (State::Can, "vote")]
        );
        let may_not = change(r#"" 0""#);
        assert_eq!(
            judged(Ok("Ada"), Some(&may_not))[1],
            (State::Cannot, "vote")
        );
        assert_eq!(judged(Ok("Ada"), None)[1], (State::CouldNotBeAsked, "vote"));
        assert_eq!(
            judged(Err(RestErrorKind::Unauthorized), None),
            [(State::Cannot, "account")]
        );
        assert_eq!(
            judged(Err(RestErrorKind::Unavailable), None),
            [(State::CouldNotBeAsked, "vote")]
        );
        assert!(access(&question()).ends_with("/admin/repos/kata%2Fruntime,access"));
    }

    #[test]
    fn without_a_web_address_there_is_no_question() {
        let url: PushUrl = "ssh://review.example.com:29418/runtime".parse().unwrap();
        assert!(Question::of(None, None, &url, "master").is_none());
        let url: PushUrl = "https://review.example.com/a/runtime".parse().unwrap();
        let question = Question::of(None, Some("CI"), &url, "master").unwrap();
        assert_eq!(
            (question.project.as_str(), question.label.as_str()),
            ("runtime", "CI")
        );
    }
}
