//! User and password (or token) for a server.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base64::Engine;

use super::BaseUrl;

/// A text that nobody sees: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for the one who sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// User and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name for logins.
    pub user: String,
    /// The password or token.
    pub password: Secret,
}

impl Credentials {
    /// Returns the value of the header `Authorization`.
    pub(super) fn header(&self) -> Secret {
        let pair = format!("{}:{}", self.user, self.password.reveal());
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        Secret(format!("Basic {encoded}"))
    }
}

/// A place that credentials come from.
pub trait CredentialSource: Send + Sync {
    /// Returns the credentials for a server; `None` if there are none.
    ///
    /// # Errors
    /// [`CredentialError`] if the place cannot be used.
    fn fill(&self, server: &BaseUrl) -> Result<Option<Credentials>, CredentialError>;

    /// Takes note that the server took them.
    fn approve(&self, server: &BaseUrl, credentials: &Credentials);

    /// Takes note that the server refused them.
    fn reject(&self, server: &BaseUrl, credentials: &Credentials);
}

/// Credentials that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct CredentialError {
    /// The description, without any secret.
    pub what: String,
    /// The way out.
    pub fix: Option<String>,
}

/// The most bytes of a file of credentials.
const LARGEST: u64 = 64 << 10;

/// A file with one line `USER:TOKEN`, which only its owner can read.
#[derive(Debug, Clone)]
pub struct CredentialFile(PathBuf);

impl CredentialFile {
    /// Names the file. It is read when it is needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`CredentialError`] if it cannot be read, others can read it, or it is no `USER:TOKEN`.
    pub fn read(&self) -> Result<Credentials, CredentialError> {
        let path = &self.0;
        let failed = |error: io::Error| CredentialError {
            what: format!("the credentials in {}: {error}", path.display()),
            fix: Some("write USER:TOKEN into it, with mode 600".to_owned()),
        };
        // The file that is checked must be the one that is read.
        let file = crate::fs::open(path).map_err(failed)?;
        let facts = file.metadata().map_err(failed)?;
        let own = rustix::process::geteuid().as_raw();
        if facts.mode() & 0o077 != 0 || ![own, 0].contains(&facts.uid()) {
            return Err(others_can_read(path, facts.mode() & 0o777));
        }
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(file, LARGEST), &mut text).map_err(failed)?;
        parse(&text).ok_or_else(|| failed(io::Error::other("no line USER:TOKEN is in it")))
    }
}

fn others_can_read(path: &Path, mode: u32) -> CredentialError {
    CredentialError {
        what: format!(
            "others can read or own the credentials in {} (mode {mode:o})",
            path.display()
        ),
        fix: Some(format!("chmod 600 {}", path.display())),
    }
}

fn parse(text: &str) -> Option<Credentials> {
    let mut lines = text.lines().map(str::trim);
    let line = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let (user, password) = line.split_once(':')?;
    let sendable = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    (sendable(user) && sendable(password)).then(|| Credentials {
        user: user.to_owned(),
        password: Secret::new(password),
    })
}

impl CredentialSource for CredentialFile {
    fn fill(&self, _: &BaseUrl) -> Result<Option<Credentials>, CredentialError> {
        self.read().map(Some)
    }

    fn approve(&self, _: &BaseUrl, _: &Credentials) {}

    fn reject(&self, _: &BaseUrl, _: &Credentials) {}
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, CredentialFile) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (directory, CredentialFile::new(path))
    }

    #[test]
    fn a_file_of_ones_own_is_read_and_never_shown() {
        let (_directory, file) = file("# the token\nci:s3:cret\n", 0o600);
        let found = file.read().unwrap();
        assert_eq!(
            (found.user.as_str(), found.password.reveal()),
            ("ci", "s3:cret")
        );
        assert!(!format!("{found:?} {file:?}").contains("s3:cret"));
        assert!(!format!("{:?}", found.header()).contains("Basic"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o644, 0o620] {
            let (_directory, file) = file("ci:s3cret", mode);
            let error = file.read().unwrap_err();
            assert!(!error.what.contains("s3cret"));
            assert!(error.fix.unwrap().starts_with("chmod 600"));
        }
        let (_directory, file) = file("s3cret", 0o600);
        assert!(!file.read().unwrap_err().to_string().contains("s3cret"));
    }
}
