//! The answer to a request.

/// The content security policy of our own pages: own style and script, and nothing else.
const OWN: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer to a request.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub kind: &'static str,
    pub policy: &'static str,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            kind,
            policy: OWN,
            body: body.into(),
        }
    }

    /// An answer of one line.
    pub fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{text}\n"))
    }

    /// The answer for everything that is not there, or nobody's business.
    pub fn not_found() -> Self {
        Self::text(404, "not found")
    }
}
