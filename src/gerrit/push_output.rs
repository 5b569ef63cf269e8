//! Parses the output of `git push --porcelain` and of the server behind it.
//!
//! Standard output has a line for each ref (git-push(1), "Output"). Standard error has the server's
//! words behind `remote: `, among them a line for each change: `  URL subject [WIP] [PRIVATE]
//! [NEW]`.
//!
//! The subject comes from the commit, so it may itself end with such words. Flags are read from the
//! end, and only those that Gerrit writes.

use serde::Serialize;

use crate::git::without_credentials;

/// A ref of the push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefLine {
    /// ` `, `+`, `-`, `*`, `!` or `=`.
    pub flag: char,
    /// The local and the remote ref.
    pub refs: String,
    /// `[new reference]`, `[remote rejected] (why)`, `[up to date]` …
    pub summary: String,
}

impl RefLine {
    /// Returns the reason of a rejection, if there was one.
    pub fn rejected(&self) -> Option<&str> {
        if self.flag != '!' {
            return None;
        }
        let reason = self.summary.split_once('(').map(|(_, reason)| reason);
        Some(reason.map_or(self.summary.as_str(), |reason| {
            reason.strip_suffix(')').unwrap_or(reason)
        }))
    }
}

/// A change in the server's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedChange {
    /// The number.
    pub number: u64,
    /// The URL of its page.
    pub url: String,
    /// The subject, as the server shortens it.
    pub subject: String,
    /// True if this push made it.
    pub new: bool,
    /// True for work in progress.
    pub wip: bool,
    /// True if it is private.
    pub private: bool,
}

/// The whole output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushAnswer {
    /// The refs.
    pub refs: Vec<RefLine>,
    /// The changes that the server lists.
    pub changes: Vec<PushedChange>,
    /// The lines of the server, cleaned, without its progress.
    pub remote: Vec<String>,
    /// The lines of git and ssh themselves.
    pub local: Vec<String>,
}

impl PushAnswer {
    /// Reads both streams.
    pub fn parse(output: &str, errors: &str) -> Self {
        let mut answer = Self {
            refs: ref_lines(output),
            ..Self::default()
        };
        for line in errors.lines().flat_map(|line| line.split('\r')) {
            let line = clean(line);
            match line.strip_prefix("remote:") {
                Some(said) => answer.take_remote(said.strip_prefix(' ').unwrap_or(said)),
                None if line.trim().is_empty() || is_progress(&line) => {}
                None => answer.local.push(without_credentials(&line)),
            }
        }
        while answer.remote.last().is_some_and(String::is_empty) {
            answer.remote.pop();
        }
        answer
    }

    fn take_remote(&mut self, said: &str) {
        let said = said.trim_end();
        if is_progress(said) || (said.is_empty() && self.remote.last().is_none_or(String::is_empty))
        {
            return;
        }
        match change(said) {
            Some(change) => self.changes.push(change),
            None => self.remote.push(said.to_owned()),
        }
    }

    /// Returns the reason of the first rejected ref; else the fatal error of git or ssh, else their
    /// last words.
    pub fn reason(&self) -> Option<String> {
        if let Some(rejected) = self.refs.iter().find_map(RefLine::rejected) {
            return Some(self.telling(rejected));
        }
        // Git ends every failed push with this line. If it stands alone, a local hook failed.
        let last_words = |line: &&String| line.starts_with("error: failed to push some refs");
        let all = || self.local.iter().chain(&self.remote);
        let telling = || all().filter(|line| !last_words(line));
        let known = telling().find(|line| super::rejection::is_known(line));
        let fatal =
            || telling().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
        let last = || all().find(last_words).or_else(|| self.local.last());
        known.or_else(fatal).or_else(last).cloned()
    }

    /// Replaces reasons such as `see help`, which only point to an earlier line.
    fn telling(&self, reason: &str) -> String {
        let vague = [
            "see help",
            "internal server error",
            "pre-receive hook declined",
        ];
        let error = self
            .remote
            .iter()
            .find_map(|line| line.strip_prefix("error: "));
        match error.filter(|_| vague.contains(&reason)) {
            Some(error) => format!("{reason}: {error}"),
            None => reason.to_owned(),
        }
    }
}

/// Parses the lines of refs. A reason may have several lines: a line that is neither a ref nor
/// git's own continues the one before.
fn ref_lines(output: &str) -> Vec<RefLine> {
    let mut refs: Vec<RefLine> = Vec::new();
    for line in output.lines() {
        match (ref_line(line), refs.last_mut()) {
            (Some(one), _) => refs.push(one),
            (None, Some(last)) if line != "Done" && !line.starts_with("To ") => {
                last.summary.push(' ');
                last.summary.push_str(clean(line).trim());
            }
            (None, _) => {}
        }
    }
    refs
}

/// Parses `FLAG \t FROM:TO \t SUMMARY`, but not the headline `To URL` and the last line `Done`.
fn ref_line(line: &str) -> Option<RefLine> {
    let mut parts = line.splitn(3, '\t');
    let (flag, refs, summary) = (parts.next()?, parts.next()?, parts.next()?);
    let mut letters = flag.chars();
    match (letters.next(), letters.next()) {
        (Some(flag), None) => Some(RefLine {
            flag,
            refs: refs.to_owned(),
            summary: clean(summary),
        }),
        _ => None,
    }
}

/// Removes control characters from a line of the server.
pub(crate) fn clean(line: &str) -> String {
    crate::text::printable(line.as_bytes()).replace('\t', "")
}

fn is_progress(line: &str) -> bool {
    const BEGINNINGS: [&str; 8] = [
        "Processing changes:",
        "remote: Processing changes:",
        "Counting objects:",
        "Resolving deltas:",
        "Delta compression",
        "Compressing objects:",
        "Writing objects:",
        "Enumerating objects:",
    ];
    let line = line.trim_start();
    // A server may begin a sentence so, but with no number.
    let counted = line.strip_prefix("Total ").unwrap_or_default();
    let total = counted.starts_with(|letter: char| letter.is_ascii_digit());
    total
        || BEGINNINGS
            .iter()
            .any(|beginning| line.starts_with(beginning))
}

fn change(said: &str) -> Option<PushedChange> {
    let line = said.strip_prefix("  ")?.trim();
    let (url, rest) = line.split_once(' ').unwrap_or((line, ""));
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return None;
    }
    let number = url.trim_end_matches('/').rsplit('/').next()?.parse().ok()?;
    let mut change = PushedChange {
        number,
        url: url.to_owned(),
        subject: rest.to_owned(),
        new: false,
        wip: false,
        private: false,
    };
    change.take_flags();
    Some(change)
}

impl PushedChange {
    /// Removes the flags. Gerrit writes `[PRIVATE]`, `[WIP]`, `[NEW]` (and `[EDIT]`) each at most
    /// once; a further one belongs to the subject.
    fn take_flags(&mut self) {
        let mut edit = false;
        loop {
            let (rest, flag) = match self.subject.rsplit_once(" [") {
                Some((rest, flag)) => (rest.to_owned(), flag),
                None => return,
            };
            let seen = match flag {
                "NEW]" => &mut self.new,
                "WIP]" => &mut self.wip,
                "PRIVATE]" => &mut self.private,
                "EDIT]" => &mut edit,
                _ => return,
            };
            if std::mem::replace(seen, true) {
                return;
            }
            self.subject = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAKEN: &str = "Total 2 (delta 0), reused 0 (delta 0)\n\
        remote: \rremote: Processing changes: new: 2 (\\)        \rremote: Processing changes: refs: 1, new: 2, done            \n\
        remote: warning: 0f424b7: no files changed, message updated        \nremote: \nremote: SUCCESS        \nremote: \n\
        remote:   http://127.0.0.1:29954/c/p1/+/1 a: b [WIP] [NEW]        \n\
        remote:   http://127.0.0.1:29954/c/p1/+/2 c: new [WIP] x [PRIVATE]        \nremote: \n";

    #[test]
    fn changes_and_words_of_a_push_that_was_taken() {
        let answer = PushAnswer::parse(
            "To ssh://127.0.0.1:1/p1\n*\tHEAD:refs/for/master\t[new reference]\nDone\n",
            TAKEN,
        );
        assert_eq!(answer.refs.len(), 1);
        assert_eq!(answer.refs[0].rejected(), None);
        let changes: Vec<_> = answer
            .changes
            .iter()
            .map(|one| {
                (
                    one.number,
                    one.subject.as_str(),
                    one.new,
                    one.wip,
                    one.private,
                )
            })
            .collect();
        assert_eq!(
            changes,
            [
                (1, "a: b", true, true, false),
                (2, "c: new [WIP] x", false, false, true)
            ]
        );
        assert_eq!(
            answer.remote,
            [
                "warning: 0f424b7: no files changed, message updated",
                "",
                "SUCCESS"
            ]
        );
        assert_eq!(answer.local, [""; 0]);
    }

    #[test]
    fn the_reason_of_a_rejection() {
        let output = "To x\n!\tHEAD:refs/for/master\t[remote rejected] (commit f4b61a4: missing Change-Id (in message))\nDone\n";
        let answer = PushAnswer::parse(output, "error: failed to push some refs to 'ssh://x'\n");
        assert_eq!(
            answer.reason().unwrap(),
            "commit f4b61a4: missing Change-Id (in message)"
        );
    }

    #[test]
    fn a_reason_of_several_lines_is_read_whole() {
        let output = "To x\n!\tHEAD:refs/for/master\t[remote rejected] (Account 'x' not found\nx is no group)\nDone\n";
        let answer = PushAnswer::parse(output, "");
        assert_eq!(
            answer.reason().unwrap(),
            "Account 'x' not found x is no group"
        );
    }

    #[test]
    fn where_nothing_was_pushed_the_telling_line_is_the_reason() {
        let said = "ada@h: Permission denied (publickey).\nfatal: Could not read from remote repository.\n";
        assert!(
            PushAnswer::parse("", said)
                .reason()
                .unwrap()
                .contains("publickey")
        );
        let said = "fatal: the moon is full\nmore words\n";
        assert_eq!(
            PushAnswer::parse("", said).reason().unwrap(),
            "fatal: the moon is full"
        );
        let said = "fatal: the moon is full\nerror: failed to push some refs to 'x'\n";
        assert_eq!(
            PushAnswer::parse("", said).reason().unwrap(),
            "fatal: the moon is full"
        );
        assert_eq!(PushAnswer::parse("", "").reason(), None);
    }

    #[test]
    fn words_of_a_server_neither_steer_the_terminal_nor_show_passwords() {
        let said = "remote: \x1b[2Jhello\x07\nfatal: unable to access 'http://a:s3cret@h/x'\n";
        let answer = PushAnswer::parse("", said);
        assert_eq!(answer.remote, ["hello"]);
        assert!(!answer.local[0].contains("s3cret"));
    }

    #[test]
    fn a_subject_keeps_words_in_brackets_that_are_its_own() {
        let change = change("  http://h/c/p/+/7 a: b [NEW] [WIP] [NEW]").unwrap();
        assert_eq!(
            (change.subject.as_str(), change.new, change.wip),
            ("a: b [NEW]", true, true)
        );
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(output in "([!*=\t ()a-z\n]){0,60}", errors in "(remote:|  http://h/|[0-9 \\[\\]A-Z\n\r])*") {
            PushAnswer::parse(&output, &errors).reason();
        }
    }
}
