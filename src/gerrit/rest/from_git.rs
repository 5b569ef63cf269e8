//! Git's settings and credentials for a server: `http.*` of the configuration, `git credential`.

use std::path::PathBuf;

use super::{BaseUrl, CredentialError, CredentialSource, Credentials, HttpSettings, Secret};
use crate::env::Environment;
use crate::git::{GitError, Repository};

impl HttpSettings {
    /// Reads the settings that git would use for this server: `http.proxy`, `http.sslCAInfo` and
    /// `http.sslVerify`, also those of `http.URL`, and the variables that curl reads.
    ///
    /// # Errors
    /// [`GitError`] if git cannot be asked.
    pub fn of_git(repository: &Repository, server: &BaseUrl) -> Result<Self, GitError> {
        let url = server.to_string();
        let listed = repository.answer(["config", "-z", "--get-urlmatch", "http", &url])?;
        let listed = String::from_utf8_lossy(&listed.output).into_owned();
        let value = |key: &str| {
            let mut fields = listed
                .split('\0')
                .filter_map(|field| field.split_once('\n'));
            fields.find_map(|(name, value)| (name == key).then(|| value.to_owned()))
        };
        let environment = repository.environment();
        let variable =
            |name: &str| Some(environment.variable(name)?.to_string_lossy().into_owned());
        let certificates = variable("GIT_SSL_CAINFO").or_else(|| value("http.sslcainfo"));
        let refused = |value: &str| matches!(value, "false" | "no" | "off" | "0");
        let verify = value("http.sslverify");
        Ok(Self {
            proxy: proxy(value("http.proxy"), environment, server).map(Secret::new),
            certificates: certificates.map(|path| expanded(&path, environment)),
            is_verified: !environment.contains("GIT_SSL_NO_VERIFY")
                && !verify.is_some_and(|value| refused(&value.to_ascii_lowercase())),
            ..Self::default()
        })
    }
}

/// Returns the path with `~/` replaced by the home directory.
fn expanded(path: &str, environment: &Environment) -> PathBuf {
    match (path.strip_prefix("~/"), environment.home()) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(path),
    }
}

/// Returns the proxy: git's own setting (an empty one means none), else that of the variables that
/// curl reads.
fn proxy(set: Option<String>, environment: &Environment, server: &BaseUrl) -> Option<String> {
    let variable = |name: &str| Some(environment.variable(name)?.to_string_lossy().into_owned());
    let of_variables = || match server.is_https() {
        true => variable("https_proxy").or_else(|| variable("HTTPS_PROXY")),
        // A web server's own HTTP_PROXY is a header of a stranger: curl reads the small one only.
        false => variable("http_proxy"),
    };
    let found = match set {
        Some(set) => set,
        None => of_variables()
            .or_else(|| variable("all_proxy"))
            .or_else(|| variable("ALL_PROXY"))?,
    };
    let excluded = variable("no_proxy").or_else(|| variable("NO_PROXY"));
    if found.is_empty() || excluded.is_some_and(|list| is_excluded(&list, server.host())) {
        return None;
    }
    Some(match found.contains("://") {
        true => found,
        false => format!("http://{found}"),
    })
}

/// Returns true if a host is in a list of hosts and domains to reach without the proxy.
fn is_excluded(list: &str, host: &str) -> bool {
    let words = list.split([',', ' ']).filter(|word| !word.is_empty());
    let of = |word: &str| {
        let word = word.trim_start_matches("*.").trim_start_matches('.');
        let word = word.to_ascii_lowercase();
        let below = host.strip_suffix(&word);
        word == "*" || below.is_some_and(|head| head.is_empty() || head.ends_with('.'))
    };
    words.into_iter().any(of)
}

impl CredentialSource for Repository {
    fn fill(&self, server: &BaseUrl) -> Result<Option<Credentials>, CredentialError> {
        let failed = |error: GitError| CredentialError {
            what: error.to_string(),
            fix: None,
        };
        let answer = self
            .credential("fill", &question(server, None))
            .map_err(failed)?;
        let value = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key));
        let pair = value("username=").zip(value("password="));
        Ok(pair.map(|(user, password)| Credentials {
            user: user.to_owned(),
            password: Secret::new(password),
        }))
    }

    fn approve(&self, server: &BaseUrl, credentials: &Credentials) {
        // A helper that keeps nothing is none of the request's business.
        let _ = self.credential("approve", &question(server, Some(credentials)));
    }

    fn reject(&self, server: &BaseUrl, credentials: &Credentials) {
        let _ = self.credential("reject", &question(server, Some(credentials)));
    }
}

fn question(server: &BaseUrl, credentials: Option<&Credentials>) -> String {
    let user = credentials.map(|known| known.user.as_str());
    let mut question = format!("url={server}\n");
    if let Some(user) = user.or(server.user()) {
        question.push_str(&format!("username={user}\n"));
    }
    if let Some(known) = credentials {
        question.push_str(&format!("password={}\n", known.password.reveal()));
    }
    question + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let owned = |(name, value): &(&str, &str)| (name.into(), value.into());
        variables.iter().map(owned).collect()
    }

    #[test]
    fn gits_proxy_comes_before_that_of_variables_and_hosts_can_be_left_out() {
        let server: BaseUrl = "https://review.example.com".parse().unwrap();
        let variables = environment(&[("https_proxy", "http://v:1"), ("no_proxy", "other.org")]);
        let of = |set: Option<&str>, variables: &Environment| {
            proxy(set.map(str::to_owned), variables, &server)
        };
        assert_eq!(of(None, &variables).as_deref(), Some("http://v:1"));
        assert_eq!(
            of(Some("p:3128"), &variables).as_deref(),
            Some("http://p:3128")
        );
        assert_eq!(of(Some(""), &variables), None);
        for list in [".example.com", "example.com", "a, *.example.com", "*"] {
            assert!(is_excluded(list, server.host()), "{list}");
        }
        assert!(!is_excluded(
            "ample.com,review.example.com.org",
            server.host()
        ));
    }
}
