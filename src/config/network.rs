//! The table `[network]`: the way to other networks, and the variables that tell programs about it.
//!
//! Everything is passed in the environment of started programs, to git too (`GIT_CONFIG_COUNT`, git
//! 2.31 or newer). No configuration of git is ever written.
//!
//! A proxy's URL may hold a password, so it is never shown; see [`Proxy`].
use std::ffi::{OsStr, OsString};
use std::fmt;

use crate::env::Environment;

/// The variables that name a proxy. curl reads some in lower case only, other programs in upper
/// case.
const PROXY_VARIABLES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
];

/// Variables beside them that may hold a user and a password: a list of URLs, and the values that
/// [`Network::tell_git`] sets.
const GO_PROXY: &str = "GOPROXY";
const GIT_CONFIG_VALUE: &str = "GIT_CONFIG_VALUE_";

/// The variables that are set: those that a proxy for HTTP can serve.
const CARRIED: [&str; 4] = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];

/// The variable for the number of pairs `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`.
const GIT_CONFIG_COUNT: &str = "GIT_CONFIG_COUNT";

/// The URL of a proxy. The empty one means "no proxy at all". It is shown without user and
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy(String);

impl Proxy {
    /// Parses `SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/]`, or an empty text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
        if text.is_empty() {
            return Some(Self(String::new()));
        }
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let plain = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '/';
        let good = SCHEMES.contains(&scheme) && authority.chars().all(plain) && is_place(place);
        good.then(|| Self(text.to_owned()))
    }
}

/// Returns true for `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
fn is_place(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok());
    !host.is_empty() && is_port
}

impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once("://") {
            None => formatter.write_str("none"),
            Some((scheme, rest)) => {
                let place = rest.rsplit('@').next().unwrap_or_default();
                write!(formatter, "{scheme}://{place}")
            }
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Proxy({self})")
    }
}

/// The table `[network]`. Values that are not given stay as the user's environment has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// The proxy for HTTP and HTTPS.
    pub proxy: Option<Proxy>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: Option<Vec<String>>,
}

impl Network {
    /// Lays this table over another.
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            proxy: self.proxy.or(under.proxy),
            no_proxy: self.no_proxy.or(under.no_proxy),
        }
    }

    /// Sets the variables that most programs read. A proxy given here replaces every other.
    pub fn set_variables(&self, environment: &mut Environment) {
        if let Some(Proxy(url)) = &self.proxy {
            for name in PROXY_VARIABLES {
                environment.remove(name);
            }
            let carried = CARRIED.iter().filter(|_| !url.is_empty());
            environment.extend(carried.map(|name| (name.into(), url.into())));
        }
        if let Some(hosts) = &self.no_proxy {
            for name in ["no_proxy", "NO_PROXY"] {
                environment.set(name, hosts.join(","));
            }
        }
    }

    /// Sets git's `http.proxy` to the value of `http_proxy` in this environment, because git reads
    /// its configuration before that variable.
    ///
    /// The setting is added behind those that `GIT_CONFIG_COUNT` already has. A proxy configured
    /// for one URL or one remote stays stronger, as always in git.
    pub fn tell_git(&self, environment: &mut Environment) {
        if self.proxy.is_none() {
            return;
        }
        let count = match environment.get(GIT_CONFIG_COUNT) {
            None => Some(0),
            Some(text) => text.to_str().and_then(|text| text.parse::<u32>().ok()),
        };
        // Git itself complains about a count that is no number.
        let Some(count) = count else { return };
        let proxy = environment.get("http_proxy").map(OsStr::to_owned);
        let (key, value) = (
            format!("GIT_CONFIG_KEY_{count}"),
            format!("GIT_CONFIG_VALUE_{count}"),
        );
        environment.set(key, "http.proxy");
        environment.set(value, proxy.unwrap_or_default());
        environment.set(GIT_CONFIG_COUNT, (count + 1).to_string());
    }
}

/// Returns the texts that must not be shown: `user:password@` of every proxy in this environment,
/// and the form that HTTP makes of it.
pub fn proxy_credentials(environment: &Environment) -> Vec<String> {
    let mut secrets: Vec<String> = PROXY_VARIABLES
        .iter()
        .chain([&GO_PROXY])
        .filter_map(|name| Some((*name, environment.get(name)?.to_str()?)))
        .flat_map(|(name, value)| urls(name, value).filter_map(credentials))
        .collect();
    secrets.sort();
    secrets.dedup();
    secrets
}

/// The value of a variable without the credentials that its URLs hold, where this is one that is
/// passed for the sake of the network and holds any. A user without a password counts: it may be a
/// token.
pub fn without_credentials(name: &OsStr, value: &OsStr) -> Option<OsString> {
    let name = name.to_str()?;
    let is_for_network =
        PROXY_VARIABLES.contains(&name) || name == GO_PROXY || name.starts_with(GIT_CONFIG_VALUE);
    if !is_for_network || !value.as_encoded_bytes().contains(&b'@') {
        return None;
    }
    // What is no text is not told apart.
    let value = value.to_str().unwrap_or_default();
    Some(urls(name, value).map(bare).collect::<String>().into())
}

/// The URLs of a variable, each of `GOPROXY` with what stands between it and the next.
fn urls<'a>(name: &str, value: &'a str) -> impl Iterator<Item = &'a str> {
    let is_list = name == GO_PROXY;
    value.split_inclusive(move |letter| is_list && matches!(letter, ',' | '|'))
}

fn bare(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    scheme + place
}

/// Returns the part before the host, if it holds a password.
fn credentials(url: &str) -> Option<String> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (user, _) = authority.rsplit_once('@')?;
    user.contains(':').then(|| format!("{user}@"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(proxy: &str, no_proxy: &[&str]) -> Network {
        Network {
            proxy: Proxy::parse(proxy),
            no_proxy: Some(no_proxy.iter().map(|host| (*host).to_owned()).collect()),
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| (name.into(), value.into());
        pairs.iter().map(owned).collect()
    }

    fn set(network: &Network, before: &[(&str, &str)]) -> Environment {
        let mut environment = environment(before);
        network.set_variables(&mut environment);
        network.tell_git(&mut environment);
        environment
    }

    #[test]
    fn urls_of_proxies_and_what_is_none() {
        for good in [
            "http://proxy:3128",
            "http://proxy/",
            "https://ada:s3:cr@t@proxy.example.com:3128",
            "socks5h://[::1]:1080",
            "",
        ] {
            assert!(Proxy::parse(good).is_some(), "{good}");
        }
        for bad in [
            "proxy:3128",
            "ftp://proxy",
            "http://",
            "http://ada@",
            "http://proxy:port",
            "http://proxy:99999",
            "http://pro xy",
            "http://proxy/path",
            "http://proxy\n",
        ] {
            assert!(Proxy::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", network("http://ada:s3:cr@t@proxy:3128", &[]));
        assert!(
            shown.contains("http://proxy:3128") && !shown.contains("s3") && !shown.contains("ada"),
            "{shown}"
        );
    }

    #[test]
    fn a_proxy_takes_the_place_of_every_other_and_git_is_told() {
        let before = [
            ("all_proxy", "socks5://old:1"),
            ("HTTPS_PROXY", "http://old:2"),
            ("no_proxy", "old"),
            ("PATH", "/bin"),
        ];
        let after = set(
            &network("http://new:3", &["localhost", ".example.com"]),
            &before,
        );
        let hosts = "localhost,.example.com";
        let expected = environment(&[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "http.proxy"),
            ("GIT_CONFIG_VALUE_0", "http://new:3"),
            ("HTTPS_PROXY", "http://new:3"),
            ("HTTP_PROXY", "http://new:3"),
            ("NO_PROXY", hosts),
            ("PATH", "/bin"),
            ("http_proxy", "http://new:3"),
            ("https_proxy", "http://new:3"),
            ("no_proxy", hosts),
        ]);
        assert_eq!(after, expected);
    }

    #[test]
    fn the_empty_proxy_is_none_for_git_too() {
        let after = set(
            &Network {
                proxy: Proxy::parse(""),
                no_proxy: None,
            },
            &[("http_proxy", "http://old:1"), ("no_proxy", "a")],
        );
        let expected = environment(&[
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "http.proxy"),
            ("GIT_CONFIG_VALUE_0", ""),
            ("no_proxy", "a"),
        ]);
        assert_eq!(after, expected);
    }

    #[test]
    fn what_git_is_told_already_stays() {
        let before = [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "user.name"),
            ("GIT_CONFIG_VALUE_0", "Ada"),
        ];
        let after = set(&network("http://new:3", &[]), &before);
        assert_eq!(after.get("GIT_CONFIG_COUNT").unwrap(), "2");
        assert_eq!(after.get("GIT_CONFIG_VALUE_0").unwrap(), "Ada");
        assert_eq!(after.get("GIT_CONFIG_VALUE_1").unwrap(), "http://new:3");
        let bogus = [("GIT_CONFIG_COUNT", "many")];
        let after = set(&network("http://new:3", &[]), &bogus);
        assert_eq!(after.get("GIT_CONFIG_COUNT").unwrap(), "many");
    }

    #[test]
    fn without_the_table_nothing_changes() {
        let before = [("http_proxy", "http://old:1"), ("no_proxy", "a")];
        assert_eq!(set(&Network::default(), &before), environment(&before));
    }

    #[test]
    fn what_is_for_the_network_comes_without_credentials() {
        let bare = |name: &str, value: &str| {
            let bare = without_credentials(OsStr::new(name), OsStr::new(value))?;
            Some(bare.into_string().unwrap())
        };
        for (name, value, expected) in [
            ("http_proxy", "http://ada:p@ss@proxy:1/", "http://proxy:1/"),
            ("ALL_PROXY", "eve:p,w@proxy", "proxy"),
            ("https_proxy", "http://token@proxy", "http://proxy"),
            ("GIT_CONFIG_VALUE_0", "http://a:b@proxy", "http://proxy"),
            (
                "GOPROXY",
                "https://a:b@one/go,http://two|https://t@three,direct",
                "https://one/go,http://two|https://three,direct",
            ),
        ] {
            assert_eq!(bare(name, value).as_deref(), Some(expected));
        }
        assert_eq!(bare("http_proxy", "http://proxy:1"), None);
        assert_eq!(bare("OTHER", "http://x:y@z"), None);
    }

    #[test]
    fn credentials_are_found_wherever_a_proxy_is_named() {
        let found = proxy_credentials(&environment(&[
            ("http_proxy", "http://ada:s3:cr@t@proxy:3128"),
            ("HTTP_PROXY", "http://ada:s3:cr@t@proxy:3128"),
            ("ALL_PROXY", "eve:pw@proxy"),
            ("https_proxy", "http://user@proxy"),
            ("GOPROXY", "https://go:secret@one,direct"),
            ("OTHER", "http://x:y@z"),
        ]));
        assert_eq!(found, ["ada:s3:cr@t@", "eve:pw@", "go:secret@"]);
    }
}
