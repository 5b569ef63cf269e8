//! Runs `git push`, a second time if the server does not accept push options.

use crate::env::Environment;
use crate::gerrit::push_options::{NotInReference, PushOptions, suffix};
use crate::gerrit::push_output::PushAnswer;
use crate::gerrit::remote::Destination;
use crate::git::{GitError, Repository};

/// The environment variable that tells the hook pre-push which commit was checked, by its hash.
pub const CHECKED: &str = "KATACI_PUSH_CHECKED";

/// The result of `git push`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// True if git succeeded.
    pub success: bool,
    /// The output of git and the server.
    pub answer: PushAnswer,
    /// True if the options went after the `%` of the ref, because the server accepts no push
    /// options.
    pub in_reference: bool,
}

/// An error before the push.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server accepts no push options, and a ref cannot hold them.
    #[error(transparent)]
    Options(#[from] NotInReference),
    /// git could not be started.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Pushes this commit to this ref. git finds credentials, keys and proxies, and may ask on the
/// terminal.
///
/// # Errors
/// [`SendError`]; a rejection is not an error but a result.
pub fn send(
    repository: &Repository,
    destination: &Destination,
    commit: &str,
    reference: &str,
    options: &PushOptions,
) -> Result<Sent, SendError> {
    let shared = Attempt {
        repository,
        destination,
        commit,
    };
    let sent = shared.attempt(reference, &[], &options.arguments())?;
    if sent.success || !takes_no_options(&sent) {
        return Ok(sent);
    }
    let reference = format!("{reference}{}", suffix(options)?);
    // Configured push options would make the server refuse again.
    let sent = shared.attempt(&reference, &["-c", "push.pushOption="], &[])?;
    Ok(Sent {
        in_reference: true,
        ..sent
    })
}

fn takes_no_options(sent: &Sent) -> bool {
    let says = |line: &String| line.contains("does not support push options");
    sent.answer.local.iter().any(says)
}

/// The parts that both attempts share.
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
        // `ext::` runs programs, and the configuration of the repository must not do that.
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
        let checked = Environment::from([(CHECKED.into(), self.commit.into())]);
        let answer = self.repository.interactive(arguments, b"", &checked)?;
        Ok(Sent {
            success: answer.status.success(),
            answer: PushAnswer::parse(
                &String::from_utf8_lossy(&answer.output),
                &String::from_utf8_lossy(&answer.errors),
            ),
            in_reference: false,
        })
    }
}
