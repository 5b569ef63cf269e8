//! The connection: `git push`, once, or twice where the server takes no push options.

use std::collections::BTreeMap;

use crate::gerrit::push_options::{NotInReference, PushOptions, suffix};
use crate::gerrit::push_output::PushAnswer;
use crate::gerrit::remote::Destination;
use crate::git::plumbing::{GitError, Repository};

/// Environment variable by which a push tells the hook pre-push what it has checked: the commit's hash.
pub const CHECKED: &str = "KATACI_PUSH_CHECKED";

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Whether git says all went well.
    pub success: bool,
    /// What it and the server said.
    pub answer: PushAnswer,
    /// Options went behind the `%` of the ref, since the server takes no push options.
    pub in_reference: bool,
}

/// Why it could not even be tried.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server takes no push options, and a ref cannot hold them.
    #[error(transparent)]
    Options(#[from] NotInReference),
    /// git could not be started.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Pushes this commit to this ref. Credentials, keys and proxies are git's to find; it may ask on the terminal.
///
/// # Errors
/// [`SendError`]; that the server refuses is no error but an answer.
pub fn send(
    repository: &Repository,
    destination: &Destination,
    commit: &str,
    reference: &str,
    options: &PushOptions,
) -> Result<Sent, SendError> {
    let place = Attempt {
        repository,
        destination,
        commit,
    };
    let sent = place.attempt(reference, &[], &options.arguments())?;
    if sent.success || !takes_no_options(&sent) {
        return Ok(sent);
    }
    let reference = format!("{reference}{}", suffix(options)?);
    // Push options that are configured would end it again.
    let sent = place.attempt(&reference, &["-c", "push.pushOption="], &[])?;
    Ok(Sent {
        in_reference: true,
        ..sent
    })
}

fn takes_no_options(sent: &Sent) -> bool {
    let says = |line: &String| line.contains("does not support push options");
    sent.answer.local.iter().any(says)
}

/// What stays the same in both attempts.
struct Attempt<'a> {
    repository: &'a Repository,
    destination: &'a Destination,
    commit: &'a str,
}

impl Attempt<'_> {
    fn attempt(
        &self,
        reference: &str,
        configuration: &[&str],
        options: &[String],
    ) -> Result<Sent, GitError> {
        // `ext::` runs programs: no configuration of the repository may lead there.
        let mut arguments = vec!["-c", "protocol.ext.allow=never"];
        arguments.extend(configuration);
        arguments.extend([
            "push",
            "--porcelain",
            "--no-follow-tags",
            // `push.recurseSubmodules` would push other repositories, or refuse this one.
            "--recurse-submodules=no",
        ]);
        arguments.extend(options.iter().flat_map(|option| ["-o", option]));
        let refspec = format!("{}:{reference}", self.commit);
        arguments.extend(["--", self.destination.repository(), &refspec]);
        let environment = BTreeMap::from([(CHECKED, self.commit)]);
        let output = self.repository.interactive(arguments, &environment)?;
        Ok(Sent {
            success: output.status.success(),
            answer: PushAnswer::parse(
                &String::from_utf8_lossy(&output.stdout),
                &String::from_utf8_lossy(&output.stderr),
            ),
            in_reference: false,
        })
    }
}
