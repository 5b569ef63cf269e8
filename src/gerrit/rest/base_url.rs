//! The web address of a Gerrit.

use std::fmt;
use std::str::FromStr;

/// The web address of a Gerrit: scheme, host, port and the prefix of its paths. It holds no
/// password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    is_https: bool,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    /// Without a slash at its end; empty at the root of the host.
    prefix: String,
}

impl BaseUrl {
    /// Makes the address of a host.
    pub fn new(is_https: bool, host: &str, port: Option<u16>, user: Option<&str>) -> Self {
        Self {
            is_https,
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            prefix: String::new(),
        }
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.is_https { 443 } else { 80 })
    }

    /// The user that the address names.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// True for https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The prefix of all paths, without a slash at its end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    /// Parses `http[s]://[USER@]HOST[:PORT][/PREFIX][/]`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || crate::git::without_credentials(&text.escape_debug().to_string());
        let refused = |why: &str| format!("`{}` is no address of a Gerrit: {why}", shown());
        let plain = |letter: char| letter.is_ascii_graphic() && !"\"'<>\\^`{|}?#".contains(letter);
        if !text.chars().all(plain) {
            return Err(refused("it has characters that no address has"));
        }
        let (is_https, rest) = match text.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(refused("it does not begin with https:// or http://")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                return Err(refused(
                    "it holds a password; keep that in git's credential helper or in a file",
                ));
            }
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, authority),
        };
        let (host, port) = match place
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port.filter(|port| !port.is_empty()).map(str::parse) {
            None => None,
            Some(Ok(port)) => Some(port),
            Some(Err(_)) => return Err(refused("its port is no number from 0 to 65535")),
        };
        if host.is_empty() {
            return Err(refused("it has no host"));
        }
        let path = path.trim_matches('/');
        let path = path.strip_suffix("/a").unwrap_or(path);
        Ok(Self {
            is_https,
            user,
            host: host.to_ascii_lowercase(),
            port,
            prefix: match path {
                "" | "a" => String::new(),
                path => format!("/{path}"),
            },
        })
    }
}

/// Formats the address without the user, and without a slash at its end.
impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        match self.host.contains(':') {
            true => write!(formatter, "{scheme}://[{}]", self.host)?,
            false => write!(formatter, "{scheme}://{}", self.host)?,
        }
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        formatter.write_str(&self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_stays_and_the_login_part_goes() {
        for (text, shown, port, prefix) in [
            (
                "https://Review.example.com/",
                "https://review.example.com",
                443,
                "",
            ),
            (
                "http://ada@[::1]:8080/r/a/",
                "http://[::1]:8080/r",
                8080,
                "/r",
            ),
            ("https://h/gerrit", "https://h/gerrit", 443, "/gerrit"),
            ("http://h/a", "http://h", 80, ""),
        ] {
            let url: BaseUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.port()), (shown, port));
            assert_eq!(url.prefix(), prefix);
        }
    }

    #[test]
    fn a_password_and_what_is_no_address_are_refused() {
        for text in [
            "https://ada:s3cret@h/",
            "ssh://h",
            "h",
            "https://",
            "https://h:99999",
            "https://h/\nHost: x",
            "https://h/?x",
        ] {
            let error = text.parse::<BaseUrl>().unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
