//! The one error of requests.

use std::fmt;

/// The kind of a failed request, which decides about what is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestErrorKind {
    /// There are no credentials, or they cannot be read.
    NoCredentials,
    /// 401: the credentials are refused.
    Unauthorized,
    /// 403: the account may not do that.
    Forbidden,
    /// 404: it is not there, or hidden.
    NotFound,
    /// 409: it is closed, or was changed meanwhile.
    Conflict,
    /// 400: the server does not take the request as it is.
    BadRequest,
    /// 5xx, 408, 429, a timeout or a lost connection: another try may go well.
    Unavailable,
    /// The server leads to another place, which is not followed.
    Redirected,
    /// Another answer than a Gerrit gives, or one that is too large.
    Unexpected,
    /// The request cannot be made: settings, certificates or proxy.
    Settings,
}

/// A failed request. It holds no credentials.
#[derive(Debug, Clone, thiserror::Error)]
pub struct RestError {
    /// The kind.
    pub kind: RestErrorKind,
    /// The request: method and address.
    pub request: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The words of the server or of the connection, in one clean line.
    pub said: String,
}

impl RestError {
    /// Returns true if another try may go well.
    pub fn is_worth_another_try(&self) -> bool {
        self.kind == RestErrorKind::Unavailable
    }

    /// Returns the way out, if one is known.
    pub fn fix(&self) -> Option<&'static str> {
        Some(match self.kind {
            RestErrorKind::NoCredentials => {
                "name a file with USER:TOKEN (mode 600) as [review] credentials, or store them with git credential approve"
            }
            RestErrorKind::Unauthorized => {
                "make a new HTTP password or token in Gerrit's settings, and store that"
            }
            RestErrorKind::Redirected => "configure the address that it leads to, if that is right",
            RestErrorKind::Settings => {
                "name the certificate of the authority as git's http.sslCAInfo, and the proxy as http.proxy"
            }
            RestErrorKind::Unavailable => "worth another try",
            _ => return None,
        })
    }
}

impl fmt::Display for RestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.request)?;
        match self.status {
            Some(status) if self.said.is_empty() => write!(formatter, "{status}"),
            Some(status) => write!(formatter, "{status}: {}", self.said),
            None => formatter.write_str(&self.said),
        }
    }
}
