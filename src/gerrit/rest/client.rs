//! The client: one server, one account.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use super::{
    AccountInfo, BaseUrl, ChangeInfo, CommentInfo, CredentialSource, Credentials, FileInfo,
    GroupInfo, HttpSettings, RelatedChange, RestError, RestErrorKind, ReviewAnswer, ReviewInput,
};
use crate::text;

/// The line that keeps browsers from running an answer.
const PREFIX: &[u8] = b")]}'";

/// The most bytes of a refusal that are read.
const REFUSAL: u64 = 4096;

/// A client of one server. Without credentials it asks as anybody.
pub struct Client {
    agent: Agent,
    server: BaseUrl,
    source: Option<Box<dyn CredentialSource>>,
    /// The credentials in use; asked for once.
    known: Mutex<Option<Known>>,
    largest: u64,
}

#[derive(Clone)]
struct Known {
    credentials: Credentials,
    is_approved: bool,
}

/// A change's identity in paths: project and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeKey(String);

impl ChangeKey {
    /// Makes the key `project~number`.
    pub fn new(project: &str, number: u64) -> Self {
        Self(format!("{}~{number}", encoded(project)))
    }

    /// Makes a key of whatever names one change: a number, a Change-Id, `project~branch~Change-Id`.
    pub fn any(text: &str) -> Self {
        Self(encoded(text))
    }
}

/// A page of a query's changes.
#[derive(Debug, Clone, Default)]
pub struct QueryPage {
    /// The changes.
    pub changes: Vec<ChangeInfo>,
    /// True if there are more.
    pub has_more: bool,
}

impl Client {
    /// Makes a client that asks nothing yet.
    ///
    /// # Errors
    /// [`RestError`] if certificates or proxy cannot be used.
    pub fn new(
        server: BaseUrl,
        settings: &HttpSettings,
        source: Option<Box<dyn CredentialSource>>,
    ) -> Result<Self, RestError> {
        let agent = settings.agent(&server).map_err(|said| RestError {
            kind: RestErrorKind::Settings,
            request: server.to_string(),
            status: None,
            said,
        })?;
        Ok(Self {
            agent,
            server,
            source,
            known: Mutex::new(None),
            largest: settings.largest,
        })
    }

    /// Returns the address of the server.
    pub fn server(&self) -> &BaseUrl {
        &self.server
    }

    /// Returns a change. `options` are those of `o=`.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn change(&self, change: &ChangeKey, options: &[&str]) -> Result<ChangeInfo, RestError> {
        let options: Vec<_> = options.iter().map(|one| ("o", (*one).to_owned())).collect();
        self.get(&format!("changes/{}", change.0), &options)
    }

    /// Returns a page of a query's changes, from the number `start` on.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn query_page(
        &self,
        query: &str,
        options: &[&str],
        start: usize,
        limit: usize,
    ) -> Result<QueryPage, RestError> {
        let mut parameters = vec![
            ("q", query.to_owned()),
            ("S", start.to_string()),
            ("n", limit.to_string()),
        ];
        parameters.extend(options.iter().map(|one| ("o", (*one).to_owned())));
        let changes: Vec<ChangeInfo> = self.get("changes/", &parameters)?;
        let has_more = changes.last().is_some_and(|last| last.more_changes);
        Ok(QueryPage { changes, has_more })
    }

    /// Returns the changes of a query, page by page, at most `most`.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn query(
        &self,
        query: &str,
        options: &[&str],
        most: usize,
    ) -> Result<Vec<ChangeInfo>, RestError> {
        const PAGE: usize = 100;
        let mut found: BTreeMap<(String, u64), ChangeInfo> = BTreeMap::new();
        let mut start = 0;
        while start < most {
            let page = self.query_page(query, options, start, PAGE.min(most - start))?;
            start += page.changes.len();
            let is_empty = page.changes.is_empty();
            // Pages shift while changes are updated: one can come twice.
            found.extend(
                (page.changes.into_iter()).map(|one| ((one.project.clone(), one.number), one)),
            );
            if !page.has_more || is_empty {
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    /// Returns the inline comments of a change, by path.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn comments(
        &self,
        change: &ChangeKey,
    ) -> Result<BTreeMap<String, Vec<CommentInfo>>, RestError> {
        self.get(&format!("changes/{}/comments", change.0), &[])
    }

    /// Returns the files of a revision, by path.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn files(
        &self,
        change: &ChangeKey,
        sha: &str,
    ) -> Result<BTreeMap<String, FileInfo>, RestError> {
        let path = format!("changes/{}/revisions/{}/files/", change.0, encoded(sha));
        self.get(&path, &[])
    }

    /// Returns the changes of the stack that a revision is in.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn related(&self, change: &ChangeKey, sha: &str) -> Result<Vec<RelatedChange>, RestError> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Related {
            changes: Vec<RelatedChange>,
        }
        let path = format!("changes/{}/revisions/{}/related", change.0, encoded(sha));
        Ok(self.get::<Related>(&path, &[])?.changes)
    }

    /// Posts a review to a revision.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn review(
        &self,
        change: &ChangeKey,
        sha: &str,
        review: &ReviewInput,
    ) -> Result<ReviewAnswer, RestError> {
        let path = format!("changes/{}/revisions/{}/review", change.0, encoded(sha));
        let body = serde_json::to_vec(review).unwrap_or_default();
        self.request("POST", &path, &[], Some(&body))
    }

    /// Returns the account that asks.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn self_account(&self) -> Result<AccountInfo, RestError> {
        self.get("accounts/self", &[])
    }

    /// Returns the groups of an account, as far as the asking account may see them.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn groups(&self, account: u64) -> Result<Vec<GroupInfo>, RestError> {
        self.get(&format!("accounts/{account}/groups"), &[])
    }

    /// Returns the answer to a question: a path without the login part, and its parameters.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<T, RestError> {
        self.request("GET", path, parameters, None)
    }

    fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        parameters: &[(&str, String)],
        body: Option<&[u8]>,
    ) -> Result<T, RestError> {
        let address = self.address(path, parameters);
        let request = format!("{method} {address}");
        let failed = |kind, status: Option<u16>, said: &str| RestError {
            kind,
            request: request.clone(),
            status,
            said: text::one_line(said, 512),
        };
        let known = self.credentials(&failed)?;
        let answer = self.send(&address, body, known.as_ref());
        let mut answer =
            answer.map_err(|error| failed(kind_of(&error), None, &error.to_string()))?;
        let status = answer.status();
        self.take_note(status, known);
        if !status.is_success() {
            let said = refusal(&mut answer);
            return Err(failed(kind_of_status(status), Some(status.as_u16()), &said));
        }
        let bytes = answer.body_mut().with_config().limit(self.largest);
        let bytes = bytes.read_to_vec();
        let bytes = bytes.map_err(|error| failed(kind_of(&error), None, &error.to_string()))?;
        let unexpected = |said: String| failed(RestErrorKind::Unexpected, None, &said);
        let json = bytes.strip_prefix(PREFIX).ok_or_else(|| {
            unexpected(
                "another answer than a Gerrit's: is the address that of its web page?".into(),
            )
        })?;
        serde_json::from_slice(json).map_err(|error| unexpected(format!("the answer: {error}")))
    }

    fn address(&self, path: &str, parameters: &[(&str, String)]) -> String {
        let login = if self.source.is_some() { "a/" } else { "" };
        let mut address = format!("{}/{login}{path}", self.server);
        for (index, (name, value)) in parameters.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            address.push_str(&format!("{sign}{name}={}", encoded(value)));
        }
        address
    }

    /// Returns the credentials, which are asked for once.
    fn credentials(
        &self,
        failed: &dyn Fn(RestErrorKind, Option<u16>, &str) -> RestError,
    ) -> Result<Option<Known>, RestError> {
        let Some(source) = &self.source else {
            return Ok(None);
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            let none = |said: &str| failed(RestErrorKind::NoCredentials, None, said);
            let found = source.fill(&self.server);
            let found = found.map_err(|error| none(&error.to_string()))?;
            *known = Some(Known {
                credentials: found.ok_or_else(|| none("there are no credentials for it"))?,
                is_approved: false,
            });
        }
        Ok(known.clone())
    }

    fn send(
        &self,
        address: &str,
        body: Option<&[u8]>,
        known: Option<&Known>,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let header = known.map(|known| known.credentials.header());
        let value = header.as_ref().map(super::Secret::reveal);
        match body {
            None => {
                let request = self.agent.get(address);
                let request = match value {
                    Some(value) => request.header("Authorization", value),
                    None => request,
                };
                request.call()
            }
            Some(body) => {
                let request = self.agent.post(address);
                let request = match value {
                    Some(value) => request.header("Authorization", value),
                    None => request,
                };
                request
                    .header("Content-Type", "application/json; charset=UTF-8")
                    .send(body)
            }
        }
    }

    /// Tells the source once that the credentials are good, or that they are not.
    fn take_note(&self, status: StatusCode, used: Option<Known>) {
        let (Some(source), Some(used)) = (&self.source, used) else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if status == StatusCode::UNAUTHORIZED {
            source.reject(&self.server, &used.credentials);
            *known = None;
        } else if status.is_success() && !used.is_approved {
            source.approve(&self.server, &used.credentials);
            *known = Some(Known {
                is_approved: true,
                ..used
            });
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Client({})", self.server)
    }
}

fn kind_of_status(status: StatusCode) -> RestErrorKind {
    match status.as_u16() {
        300..=399 => RestErrorKind::Redirected,
        400 => RestErrorKind::BadRequest,
        401 => RestErrorKind::Unauthorized,
        403 => RestErrorKind::Forbidden,
        404 => RestErrorKind::NotFound,
        408 | 429 | 500..=599 => RestErrorKind::Unavailable,
        409 => RestErrorKind::Conflict,
        _ => RestErrorKind::Unexpected,
    }
}

fn kind_of(error: &ureq::Error) -> RestErrorKind {
    use ureq::Error;
    match error {
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => RestErrorKind::Unexpected,
        Error::BadUri(_)
        | Error::Http(_)
        | Error::InvalidProxyUrl
        | Error::Pem(_)
        | Error::Rustls(_)
        | Error::Tls(_)
        | Error::TlsRequired => RestErrorKind::Settings,
        // A certificate that is not trusted stays so.
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            RestErrorKind::Settings
        }
        _ => RestErrorKind::Unavailable,
    }
}

/// Reads the head of a refusal: the target of a redirect, else the words of the server.
fn refusal(answer: &mut Response<ureq::Body>) -> String {
    let target = answer.headers().get("location");
    if let Some(target) = target.and_then(|target| target.to_str().ok()) {
        let target = crate::git::without_credentials(target);
        return format!("it leads to {target}");
    }
    let mut head = Vec::new();
    let mut reader = std::io::Read::take(answer.body_mut().as_reader(), REFUSAL);
    let _ = std::io::Read::read_to_end(&mut reader, &mut head);
    String::from_utf8_lossy(&head).into_owned()
}

/// Encodes a text for a path or a parameter.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
