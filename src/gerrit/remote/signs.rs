//! Tells whether a repository has to do with a Gerrit at all.

use super::resolve::push_urls;
use crate::config::Gerrit;
use crate::git::GitError;
use crate::git::configuration::Configuration;
use crate::git::context::GitContext;

/// The port of Gerrit's SSH server.
const PORT: u16 = 29418;

/// Returns the sign that the repository's commits go to a Gerrit: `.gitreview`, git's
/// configuration, a URL in the pipeline's table, or the port of a remote. Without one, `None`.
///
/// # Errors
///
/// [`GitError`].
pub fn sign_of_gerrit(context: &GitContext, table: &Gerrit) -> Result<Option<String>, GitError> {
    if context.root.join(".gitreview").exists() {
        return Ok(Some(".gitreview".to_owned()));
    }
    let configuration = &context.configuration;
    let mut sections = ["gerrit", "gitreview"].into_iter();
    if let Some(section) = sections.find(|one| configuration.has_section(one)) {
        return Ok(Some(format!("{section}.* in git's configuration")));
    }
    if table.url.is_some() {
        return Ok(Some("[gerrit] url in the pipeline".to_owned()));
    }
    for name in configuration.remotes() {
        if has_port(configuration, name)
            || push_urls(context, name)?.iter().any(|url| is_gerrit(url))
        {
            return Ok(Some(format!("port {PORT} of the remote {name}")));
        }
        let key = format!("remote.{name}.push");
        let mut refspecs = configuration.all(&key);
        if refspecs.any(|refspec| refspec.contains(":refs/for/")) {
            return Ok(Some(format!("remote.{name}.push in git's configuration")));
        }
    }
    Ok(None)
}

fn has_port(configuration: &Configuration, remote: &str) -> bool {
    let key = format!("remote.{remote}.url");
    let mut urls = configuration.all(&key);
    urls.any(is_gerrit)
}

fn is_gerrit(url: &str) -> bool {
    let parsed = url.parse::<super::PushUrl>();
    parsed.is_ok_and(|url| url.port == Some(PORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Repository;
    use crate::git::test_repository::{TestRepository, environment};

    fn sign(set: &[(&str, &str)], table: &Gerrit) -> Option<String> {
        let place = TestRepository::with_a_commit();
        for (key, value) in set {
            match key.strip_prefix('/') {
                Some(file) => std::fs::write(place.path().join(file), value).unwrap(),
                None => drop(place.git(&["config", key, value])),
            }
        }
        let repository = Repository::at(place.path(), &environment());
        sign_of_gerrit(&GitContext::of(&repository).unwrap(), table).unwrap()
    }

    #[test]
    fn each_sign_is_enough_and_a_hub_is_none() {
        let hub = ("remote.origin.url", "git@hub.example.com:kata/proxy.git");
        let none = Gerrit::default();
        assert_eq!(sign(&[hub], &none), None);
        assert_eq!(
            sign(&[("remote.origin.url", "ssh://h:2222/p")], &none),
            None
        );
        for one in [
            ("/.gitreview", "[gerrit]\n"),
            ("gerrit.createChangeId", "true"),
            ("gitreview.remote", "origin"),
            (
                "remote.review.url",
                "ssh://ada@review.example.com:29418/kata/proxy",
            ),
            (
                "remote.review.pushurl",
                "ssh://ada@review.example.com:29418/kata/proxy",
            ),
            ("remote.origin.push", "HEAD:refs/for/master"),
        ] {
            assert!(sign(&[hub, one], &none).is_some(), "{one:?}");
        }
        let table = Gerrit {
            url: Some("https://review.example.com".to_owned()),
            ..Gerrit::default()
        };
        assert!(sign(&[hub], &table).is_some());
    }
}
