//! Git's configuration, read at once: a push looks at a dozen keys, and each call of git takes
//! time.

use super::{GitError, Repository};

/// All that is configured for a repository, in git's order: the last entry of a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// True if it is in the repository's own file, not in the user's or the machine's.
    own: bool,
    key: String,
    value: String,
}

impl Configuration {
    /// Reads it. A git older than 2.26 does not tell which file a value is in; then no value counts
    /// as the repository's own.
    ///
    /// # Errors
    /// [`GitError`] where the configuration cannot be read.
    pub fn of(repository: &Repository) -> Result<Self, GitError> {
        let scoped = repository.answer(["config", "--list", "-z", "--show-scope"])?;
        if scoped.status.success() {
            return Ok(Self::scoped(&scoped.output));
        }
        let plain = repository.run(["config", "--list", "-z"])?;
        let entries = fields(&plain).map(|field| entry(false, &field));
        Ok(Self(entries.collect()))
    }

    /// `SCOPE \0 KEY \n VALUE \0 …`
    fn scoped(listed: &[u8]) -> Self {
        let mut entries = Vec::new();
        let mut all = fields(listed);
        while let (Some(scope), Some(field)) = (all.next(), all.next()) {
            entries.push(entry(
                matches!(scope.as_str(), "local" | "worktree"),
                &field,
            ));
        }
        Self(entries)
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.all(key).last()
    }

    /// Returns the value of a key that is in the repository's own file.
    pub fn own(&self, key: &str) -> Option<&str> {
        let key = normal(key);
        let found = self
            .0
            .iter()
            .rev()
            .find(|entry| entry.own && entry.key == key);
        found.map(|entry| entry.value.as_str())
    }

    /// Returns all values of a key.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        let key = normal(key);
        self.0
            .iter()
            .filter(move |entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    }

    /// Returns true if a key of the section is set: `gerrit` for `gerrit.createChangeId`.
    pub fn has_section(&self, section: &str) -> bool {
        let begin = format!("{section}.");
        self.0.iter().any(|entry| entry.key.starts_with(&begin))
    }

    /// Returns name and value of each `SECTION.NAME.KEY`, in order.
    pub fn named(&self, section: &str, key: &str) -> Vec<(&str, &str)> {
        let (begin, end) = (format!("{section}."), format!(".{key}"));
        self.0
            .iter()
            .filter_map(|entry| {
                let rest = entry.key.strip_prefix(&begin)?;
                Some((rest.strip_suffix(&end)?, entry.value.as_str()))
            })
            .collect()
    }

    /// Returns the names of the remotes, in order.
    pub fn remotes(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for entry in &self.0 {
            let name = entry
                .key
                .strip_prefix("remote.")
                .and_then(|rest| rest.strip_suffix(".url").or(rest.strip_suffix(".pushurl")));
            if let Some(name) = name.filter(|name| !names.contains(name)) {
                names.push(name);
            }
        }
        names
    }

    /// Returns true if URLs are rewritten (`url.*.insteadOf`), so that git has to be asked for
    /// them.
    pub fn rewrites_urls(&self) -> bool {
        let rewrites = |key: &str| key.ends_with(".insteadof") || key.ends_with(".pushinsteadof");
        self.0
            .iter()
            .any(|entry| entry.key.starts_with("url.") && rewrites(&entry.key))
    }
}

fn fields(listed: &[u8]) -> impl Iterator<Item = String> {
    listed
        .split(|byte| *byte == 0)
        .filter(|field| !field.is_empty())
        .map(|field| String::from_utf8_lossy(field).into_owned())
}

/// Reads `KEY \n VALUE`. A key without a value means `true`.
fn entry(own: bool, field: &str) -> Entry {
    let (key, value) = field.split_once('\n').unwrap_or((field, "true"));
    Entry {
        own,
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

/// Returns the key as git lists it: section and variable in lower case, the name between them as it
/// is.
fn normal(key: &str) -> String {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    let section = section.to_ascii_lowercase();
    match rest.rsplit_once('.') {
        Some((middle, name)) => format!("{section}.{middle}.{}", name.to_ascii_lowercase()),
        None => format!("{section}.{}", rest.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &[u8] = b"global\0user.email\nada@example.com\0global\0gitreview.host\na\0local\0gitreview.host\nb\0\
        local\0remote.Or.i.gin.url\nx\ny\0local\0remote.two.pushurl\nz\0local\0core.bare\0command\0gitreview.host\nc\0";

    #[test]
    fn the_last_wins_and_ones_own_is_told_apart() {
        let all = Configuration::scoped(LISTED);
        assert_eq!(all.get("gitreview.host"), Some("c"));
        assert_eq!(all.own("gitreview.HOST"), Some("b"));
        assert_eq!(all.own("user.email"), None);
        assert_eq!(all.get("core.bare"), Some("true"));
        assert_eq!(all.get("remote.Or.i.gin.URL"), Some("x\ny"));
        assert_eq!(all.get("remote.or.i.gin.url"), None);
        assert_eq!(all.remotes(), ["Or.i.gin", "two"]);
        assert!(!all.rewrites_urls());
    }
}
