//! Reads `.gitreview`, the file of git-review: an INI file with one section `[gerrit]`.

use std::collections::BTreeMap;

/// The keys that are used here. The others of git-review do not concern a push (`defaultrebase`,
/// `track`, …).
const KEYS: [&str; 7] = [
    "host",
    "port",
    "project",
    "scheme",
    "username",
    "defaultbranch",
    "defaultremote",
];

/// The keys of the file with their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitReview(BTreeMap<String, String>);

/// A line that is neither section, key nor comment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(".gitreview:{line}: `{text}` is neither `[section]` nor `key = value`")]
pub struct MalformedGitReview {
    /// The number of the line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl GitReview {
    /// Reads the file's text. Other sections and keys are ignored: they are git-review's.
    ///
    /// # Errors
    ///
    /// [`MalformedGitReview`].
    pub fn parse(text: &str) -> Result<Self, MalformedGitReview> {
        let mut values = BTreeMap::new();
        let mut in_section = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                in_section = section.trim() == "gerrit";
                continue;
            }
            let (key, value) = line.split_once(['=', ':']).ok_or(MalformedGitReview {
                line: index + 1,
                text: line.to_owned(),
            })?;
            let key = key.trim().to_ascii_lowercase();
            if in_section && KEYS.contains(&key.as_str()) {
                values.insert(key, value.trim().to_owned());
            }
        }
        Ok(Self(values))
    }

    /// Returns the value of a key, if it is not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_as_opendev_has_it() {
        let text = "[gerrit]\nhost=review.example.com\nport=29418\nproject=kata/proxy.git\n# a comment\ndefaultbranch = stable\n";
        let file = GitReview::parse(text).unwrap();
        assert_eq!(file.get("host"), Some("review.example.com"));
        assert_eq!(file.get("port"), Some("29418"));
        assert_eq!(file.get("defaultbranch"), Some("stable"));
        assert_eq!(file.get("defaultremote"), None);
    }

    #[test]
    fn other_sections_are_left_alone_and_nonsense_is_said() {
        let file = GitReview::parse("[other]\nhost=a\n[gerrit]\nHost: b\ntrack=1\n").unwrap();
        assert_eq!(file.get("host"), Some("b"));
        assert_eq!(file.get("track"), None);
        let error = GitReview::parse("[gerrit]\nnonsense\n").unwrap_err();
        assert_eq!(error.line, 2);
    }
}
