//! The commits of a range, as git stores them.

use super::{GitError, Repository};

/// Name, e-mail and time as in a commit: `Ada <ada@example.com> 1795424400 +0000`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The address between `<` and `>`.
    pub email: String,
}

impl Person {
    /// Returns true for an address that git makes up if it is not configured: `ada@host.(none)`,
    /// `root@localhost`.
    pub fn has_made_up_address(&self) -> bool {
        let (user, host) = self.email.split_once('@').unwrap_or_default();
        let host = host.trim_end_matches('.');
        user.is_empty()
            || !host.contains('.')
            || host.ends_with("(none)")
            || host.ends_with(".localdomain")
    }
}

/// A whole commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// Its hash.
    pub oid: String,
    /// Hashes of its parents.
    pub parents: Vec<String>,
    /// Hash of its tree.
    pub tree: String,
    /// The author.
    pub author: Person,
    /// The committer.
    pub committer: Person,
    /// True if it carries a signature, which a rewritten message would break.
    pub signed: bool,
    /// Everything before the message, with the empty line.
    pub header: Vec<u8>,
    /// The message, byte for byte.
    pub message: Vec<u8>,
}

impl Commit {
    /// Takes a commit object's content apart.
    pub fn parse(oid: &str, content: &[u8]) -> Self {
        let end = content
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .map_or(content.len(), |at| at + 2);
        let (header, message) = content.split_at(end);
        let mut commit = Self {
            oid: oid.to_owned(),
            header: header.to_owned(),
            message: message.to_owned(),
            ..Self::default()
        };
        for line in String::from_utf8_lossy(header).lines() {
            match line.split_once(' ') {
                Some(("tree", oid)) => commit.tree = oid.to_owned(),
                Some(("parent", oid)) => commit.parents.push(oid.to_owned()),
                Some(("author", person)) => commit.author = Person::parse(person),
                Some(("committer", person)) => commit.committer = Person::parse(person),
                Some(("gpgsig" | "gpgsig-sha256", _)) => commit.signed = true,
                _ => {}
            }
        }
        commit
    }

    /// Returns the first seven digits, as people quote it.
    pub fn short(&self) -> &str {
        self.oid.get(..7).unwrap_or(&self.oid)
    }

    /// Returns the first line of the message that is not empty.
    pub fn subject(&self) -> String {
        let text = String::from_utf8_lossy(&self.message);
        let line = text.lines().find(|line| !line.trim().is_empty());
        line.unwrap_or_default().trim_end().to_owned()
    }
}

impl Person {
    /// Takes `NAME <ADDRESS> …` apart. What is not there is empty.
    pub fn parse(text: &str) -> Self {
        let (name, rest) = text.split_once('<').unwrap_or((text, ""));
        Self {
            name: name.trim().to_owned(),
            email: rest.split('>').next().unwrap_or_default().to_owned(),
        }
    }
}

/// Returns the hashes of the commits that `tip` has and the remote does not, as far as this
/// repository knows, oldest first. Without a remote: those that no remote has.
///
/// # Errors
/// [`GitError`].
pub fn unpublished(
    repository: &Repository,
    tip: &str,
    remote: Option<&str>,
) -> Result<Vec<String>, GitError> {
    let known = match remote {
        Some(remote) => format!("--remotes={remote}"),
        None => "--remotes".to_owned(),
    };
    above(repository, tip, &[&known])
}

/// Returns the hashes of the commits that `tip` has and none of the bases has, oldest first.
///
/// # Errors
/// [`GitError`]; a base that is no commit is a failed call.
pub fn above(repository: &Repository, tip: &str, bases: &[&str]) -> Result<Vec<String>, GitError> {
    let words = ["rev-list", "--reverse", "--topo-order", tip, "--not"];
    let arguments = [&words[..], bases].concat();
    Ok(repository
        .text(arguments)?
        .lines()
        .map(str::to_owned)
        .collect())
}

/// Reads commits by their hashes, in this order.
///
/// # Errors
/// [`GitError`]; a hash that is no commit is a failed call.
pub fn read(repository: &Repository, oids: &[String]) -> Result<Vec<Commit>, GitError> {
    let mut asked = oids.join("\n");
    asked.push('\n');
    // What is pushed is the commit itself, whatever `git replace` shows in its place.
    let arguments = ["--no-replace-objects", "cat-file", "--batch"];
    let answer = repository.bytes(arguments, asked.as_bytes())?;
    let mut commits = Vec::with_capacity(oids.len());
    let mut rest = answer.as_slice();
    for oid in oids {
        match object(rest) {
            Some((content, tail)) => {
                commits.push(Commit::parse(oid, content));
                rest = tail;
            }
            None => return Err(no_commit(repository, oid)),
        }
    }
    Ok(commits)
}

/// Takes the next object of `git cat-file --batch`: `OID commit SIZE`, the content, a newline.
fn object(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&answer[..end]).ok()?;
    let mut words = line.split(' ').skip(1);
    let size = match (words.next(), words.next()) {
        (Some("commit"), Some(size)) => size.parse::<usize>().ok()?,
        _ => return None,
    };
    let rest = &answer[end + 1..];
    Some((rest.get(..size)?, rest.get(size + 1..)?))
}

fn no_commit(repository: &Repository, oid: &str) -> GitError {
    GitError::Failed {
        command: "git cat-file --batch".to_owned(),
        directory: repository.directory().to_owned(),
        status: "an answer that was not understood".to_owned(),
        complaint: format!("{oid} is no commit here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_taken_apart_and_nothing_is_lost() {
        let content = b"tree aaaa\nparent bbbb\nparent cccc\nauthor Ada L <ada@example.com> 1 +0100\n\
            committer Bob <bob@example.com> 2 +0000\ngpgsig -----BEGIN\n tree evil\n -----END\n\nsubject\n\nparent of it\n";
        let commit = Commit::parse("0123456789", content);
        assert_eq!(commit.tree, "aaaa");
        assert_eq!(commit.parents, ["bbbb", "cccc"]);
        assert_eq!(commit.author.name, "Ada L");
        assert_eq!(commit.committer.email, "bob@example.com");
        assert!(commit.signed);
        assert_eq!(commit.subject(), "subject");
        assert_eq!([commit.header, commit.message].concat(), content);
    }

    #[test]
    fn objects_of_a_batch_are_read_by_their_size() {
        let answer = b"a1 commit 5\na\nb\nc\nb2 blob 1\nx\n";
        let (content, rest) = object(answer).unwrap();
        assert_eq!(content, b"a\nb\nc");
        assert_eq!(object(rest), None);
        assert_eq!(object(b"a1 missing\n"), None);
        assert_eq!(object(b"a1 commit 50\nshort"), None);
    }
}
