//! The table of the server's words with their meanings and fixes.
//!
//! The first rule that matches wins: put a new one above the more general rules of its subject.
//! Each rule needs a sample in `tests.rs`.
//!
//! Cause and fix may hold placeholders. `$1` is the first group of the pattern that matched. The
//! others are those of `PLACEHOLDERS`.
//!
//! Source: Gerrit 3.10 (`ReceiveCommits`, `CommitValidators`), its documentation, and git's and
//! ssh's own messages.

use AnswerKind::{Lost, NothingNew, Refused, Said, Transient};

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// The user must change something first.
    Refused,
    /// Everything is there already.
    NothingNew,
    /// Another try may help.
    Transient,
    /// There was no connection to the server, or it was lost. Words of the server itself never mean
    /// that, because it has answered.
    Lost,
    /// The user must change something first, which other lines of the output describe.
    Said,
}

/// The names that cause and fix may hold, for the test that finds others. Each is replaced by a
/// fact of the push.
#[cfg(test)]
pub const PLACEHOLDERS: [&str; 5] = [
    // The commit that the server names, else the one that was pushed.
    "{commit}",
    // The command that opens the message of that commit for editing.
    "{reword}",
    // Fields of `RejectionContext`.
    "{remote}",
    "{branch}",
    "{project}",
];

/// A rule: words of the server with their meaning.
#[derive(Debug)]
pub struct RejectionRule {
    /// A regular expression on the answer, without the `commit …: ` before it.
    pub pattern: &'static str,
    /// The kind of the answer.
    pub kind: AnswerKind,
    /// The meaning.
    pub cause: &'static str,
    /// The fix.
    pub fix: &'static str,
}

const fn rule(
    pattern: &'static str,
    kind: AnswerKind,
    cause: &'static str,
    fix: &'static str,
) -> RejectionRule {
    RejectionRule {
        pattern,
        kind,
        cause,
        fix,
    }
}

/// All rules.
pub const RULES: &[RejectionRule] = &[
    // Change-Ids.
    rule(
        r"^missing subject; Change-Id must be in message footer",
        Refused,
        "the first line of {commit} is its Change-Id: it has no subject",
        "{reword}: write a subject and an empty line above the Change-Id",
    ),
    rule(
        r"^Change-Id must be in message footer",
        Refused,
        "the Change-Id of {commit} is not in the last paragraph of its message",
        "{reword}: move the line into the last paragraph, with an empty line above that",
    ),
    rule(
        r"^missing Change-Id in message footer",
        Refused,
        "{commit} has no Change-Id",
        "kata-ci push --fix adds it; kata-ci hook install gives new commits theirs",
    ),
    rule(
        r"^multiple Change-Id lines in message footer",
        Refused,
        "{commit} has several Change-Ids, as after a squash",
        "{reword}: keep the one of the change to be updated",
    ),
    rule(
        r"^invalid Change-Id(?: line format in message footer)?",
        Refused,
        "the Change-Id of {commit} is not I and 40 hexadecimal digits, not all of them 0",
        "{reword}: delete the line, then kata-ci push --fix",
    ),
    rule(
        r"^Change-Id in message footer does not match",
        Refused,
        "{commit} was pushed to a change whose Change-Id is another",
        "push to refs/for/{branch}: the Change-Id in the message finds the change",
    ),
    rule(
        r"^same Change-Id in multiple changes",
        Refused,
        "two commits have the same Change-Id: a new commit was made where one should have been amended, or a message was copied",
        "if they are one change, squash them (git rebase -i); if two, delete the line in one, then kata-ci push --fix",
    ),
    rule(
        r"(I[0-9a-f]{40}) has duplicates",
        Refused,
        "several changes of branch {branch} have the Change-Id $1",
        "abandon all but one of them in the web page; or delete the line, then kata-ci push --fix, for a new change",
    ),
    // Nothing to do.
    rule(
        r"^no new changes",
        NothingNew,
        "the server has all of these commits already",
        "nothing needs to be done",
    ),
    rule(
        r"^commit\(s\) already exists \(as current patchset\)",
        NothingNew,
        "the server has all of these commits already, as the current patch sets",
        "nothing needs to be done",
    ),
    rule(
        r"commit already exists \(in the change\)",
        Refused,
        "{commit} is an older patch set of its change",
        "git commit --amend --no-edit makes a new commit of it, if it is meant to be the newest again",
    ),
    rule(
        r"commit already exists \(in the project\)",
        Refused,
        "{commit} is a patch set of another change of this project",
        "git commit --amend --no-edit makes a new commit of it",
    ),
    rule(
        r"commit (\S+) already exists in change (\S+)",
        Refused,
        "$1 is a patch set of change $2 already, and not its newest",
        "git commit --amend --no-edit --date=now makes a new commit of it, if it is meant to be the newest again",
    ),
    // The change.
    rule(
        r"change (?:\S*/)?(\d+) closed",
        Refused,
        "{commit} carries the Change-Id of change $1, which was merged or abandoned",
        "restore change $1 in the web page; or for a new change {reword}, delete the Change-Id, then kata-ci push --fix",
    ),
    rule(
        r"cannot add patch set to (\d+)",
        Refused,
        "change $1 is locked, or belongs to somebody whose changes you may not add to",
        "ask its owner for the right \"Add Patch Set\"; or for a change of your own {reword}, delete the Change-Id, then kata-ci push --fix",
    ),
    rule(
        r"only users with Toggle-Wip-State permission can modify Work-in-Progress",
        Refused,
        "the change belongs to somebody else: only they, and the project's owners, say whether it is ready",
        "leave --wip and --ready out",
    ),
    rule(
        r"change (\d+) not found|change (\d+) missing revisions",
        Refused,
        "the server has no such change, or not all of it",
        "push to refs/for/{branch}",
    ),
    rule(
        r"edit is not supported for new changes",
        Refused,
        "an edit needs a change to edit",
        "leave `-o edit` out",
    ),
    // Where it goes.
    rule(
        r"branch (\S+) not found|^(refs/heads/\S+) not found",
        Refused,
        "{project} has no branch `{branch}`",
        "git ls-remote --heads {remote} lists its branches; --branch names one",
    ),
    rule(
        r"no common ancestry",
        Refused,
        "the commits have nothing in common with `{branch}` of {project}: another repository, or a history that was made anew",
        "look at the remote (git remote -v); cherry-pick the commits onto a branch made from {remote}/{branch}",
    ),
    rule(
        r"implicit merges detected",
        Refused,
        "the commits are based on another branch than {branch}: submitting them would merge that branch",
        "git rebase --onto {remote}/{branch} OLD-BASE; or push to that other branch: --branch",
    ),
    rule(
        r"you are not allowed to upload merges",
        Refused,
        "{commit} is a merge commit, and you lack the right \"Push Merge Commit\"",
        "git fetch {remote}, then git rebase {remote}/{branch}",
    ),
    rule(
        r"the number of pushed changes in a batch exceeds the max limit (\d+)|changes exceeds limit of (\d+)",
        Refused,
        "more changes than the server takes in one push ($1)",
        "git log {remote}/{branch}..HEAD shows them: most likely the base is wrong; else push the oldest first (git push {remote} COMMIT:refs/for/{branch})",
    ),
    rule(
        r"[Nn]umber of new commits exceeds limit|more than (\d+) commits, and skip-validation not set",
        Refused,
        "more new commits than the server looks at in one push",
        "git log {remote}/{branch}..HEAD shows them: most likely the base is wrong",
    ),
    rule(
        r"Branch is unborn",
        Refused,
        "`{branch}` of {project} has no commit yet",
        "a project owner pushes the first: kata-ci push --direct",
    ),
    // People.
    rule(
        r"invalid author",
        Refused,
        "the author's e-mail address of {commit} is not registered in your account, and you lack the right \"Forge Author\"",
        "register the address in the web page's settings; or git commit --amend --reset-author with your own",
    ),
    rule(
        r"invalid committer",
        Refused,
        "the committer's e-mail address of {commit} is not registered in your account, and you lack the right \"Forge Committer\"",
        "register the address in the web page's settings; or git config user.email YOURS, then git rebase --force-rebase {remote}/{branch}",
    ),
    rule(
        r"not Signed-off-by author/committer/uploader",
        Refused,
        "{commit} is not signed off by its author, its committer or you",
        "git rebase --signoff {remote}/{branch}",
    ),
    rule(
        r"pushing merge commit \S+ by \S+ requires '([^']+)' permission",
        Refused,
        "the merge commit {commit} was made by the server itself",
        "git commit --amend --reset-author --no-edit makes it yours",
    ),
    // Rights.
    rule(
        r"project state does not permit write",
        Refused,
        "{project} is read-only or hidden",
        "ask the server's administrators whether it has moved",
    ),
    rule(
        r"prohibited by Gerrit: not permitted: update by submit",
        Refused,
        "you may not submit on push to {branch} of {project}",
        "leave `-o submit` out; or ask a project owner for the right \"Submit\" on refs/for/refs/heads/{branch}",
    ),
    rule(
        r"prohibited by Gerrit: not permitted: create signed tag|prohibited by Gerrit: not permitted: create(?: |$)",
        Refused,
        "you may not make this branch or tag in {project}",
        "push to a branch that exists; or ask a project owner for the right \"Create Reference\"",
    ),
    rule(
        r"prohibited by Gerrit: not permitted: (.+)",
        Refused,
        "you lack the right for `$1` on {branch} of {project}",
        "push for review (without --direct); or ask a project owner for the right",
    ),
    rule(
        r"prohibited by Gerrit: (.+)",
        Refused,
        "you lack a right on {branch} of {project}: $1",
        "git ls-remote {remote} shows what you may see; ask a project owner for the right",
    ),
    rule(
        r"contains banned commit (\S+)",
        Refused,
        "the administrators banned commit $1 from {project}",
        "git rebase -i $1~ and drop it",
    ),
    rule(
        r#"label "?([^"]+?)"? is not a configured label"#,
        Refused,
        "{project} has no label `$1`",
        "look at the votes of a change of the project; labels are written Name+1",
    ),
    rule(
        r#"label "?([^":]+)"?: (\S+) is not a valid value"#,
        Refused,
        "the label has no such value",
        "the change's page lists the values of each label",
    ),
    rule(
        r#"(?:applying|Applying) label "?([^":]+)"?: (\S+) is restricted|[Nn]ot permitted: label"#,
        Refused,
        "you may not vote so",
        "leave --label out, or vote what you may",
    ),
    // Options.
    rule(
        r"the options '?([\w-]+)'? and '?([\w-]+)'? are mutually exclusive",
        Refused,
        "`$1` and `$2` contradict each other",
        "give one of them",
    ),
    rule(
        r"private changes are disabled",
        Refused,
        "this server has no private changes",
        "leave --private out",
    ),
    rule(
        r"topic length exceeds the limit(?: \((\d+)\))?",
        Refused,
        "the topic is longer than the server takes ($1 characters)",
        "give a shorter one",
    ),
    rule(
        r"base not found",
        Refused,
        "the commit given as `base` is not on the server, or you may not see it",
        "give one that git branch -r --contains COMMIT shows",
    ),
    rule(
        r"base must be a commit",
        Refused,
        "what is given as `base` is no commit",
        "give a commit: git rev-list -1 NAME shows the one that a name stands for",
    ),
    rule(
        r"cannot use merged with base",
        Refused,
        "`merged` and `base` contradict each other",
        "give one of them",
    ),
    rule(
        r"not merged into branch",
        Refused,
        "`merged` is for commits that are on {branch} already",
        "leave `-o merged` out",
    ),
    rule(
        r#""(\S+)" is not a valid option|see help"#,
        Refused,
        "this server does not know an option of the push",
        "leave it out; ssh HOST gerrit version tells the server's version",
    ),
    rule(
        r#""([^"]+)" is not a valid value for "--([\w-]+)"|^Invalid (deadline)\. "#,
        Refused,
        "the server does not take this value of an option",
        "give another value, or leave it out",
    ),
    rule(
        r"Account '(.+?)' not found|'(.+?)' is (?:ambiguous|inactive)|does not identify a registered user",
        Refused,
        "the server knows no account or group `$1` (or it is inactive, or stands for several)",
        "give the e-mail address as the account's page shows it",
    ),
    rule(
        r"topic can't contain quotation marks",
        Refused,
        "the server takes no quotation marks in topics",
        "leave them out",
    ),
    rule(
        r"invalid Hashtag|hashtags may not contain commas|Invalid hashtag",
        Refused,
        "the server does not take this hashtag",
        "give hashtags without a comma, one option each",
    ),
    rule(
        r"Comment validation failure: (.*)",
        Refused,
        "the message of the push is refused: $1",
        "give a shorter --message",
    ),
    rule(
        r"cannot combine normal pushes and magic pushes|duplicate request",
        Refused,
        "one push goes to one refs/for/…, and to nothing else",
        "push one after the other",
    ),
    rule(
        r"Exceeding maximum number of files per change \((\d+) > (\d+)\)",
        Refused,
        "{commit} touches $1 files; the server takes $2",
        "split it",
    ),
    // Before Gerrit has a say.
    rule(
        r"does not support push options",
        Refused,
        "the server takes no push options",
        "options without spaces and commas go behind the ref's name, which is tried next",
    ),
    rule(
        r"[Pp]ermission denied \((?:publickey|[\w,-]+)\)",
        Refused,
        "the server knows none of your ssh keys, or not for this user",
        "ssh-add -l lists your keys: one of them must be in the web page's settings; the user stands before the @ of git remote get-url --push {remote}",
    ),
    rule(
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        Refused,
        "ssh does not know the server's key, or knew another",
        "compare it with what the administrators publish, then ssh to the host once and accept it",
    ),
    rule(
        r"[Pp]roject (?:\S+ )?not found|[Rr]epository (?:'\S+' )?not found|fatal: repository '.*' not found|does not appear to be a git repository|not visible|returned error: (?:403|404)",
        Refused,
        "the server has no project {project}, or you may not see it (over http Gerrit then says 403)",
        "look at the name (git remote get-url --push {remote}); ask for the right to read",
    ),
    rule(
        r"Authentication failed|could not read (?:Username|Password)|HTTP(?: code)? 401|returned error: 401|Unauthorized|Invalid username or password",
        Refused,
        "the server does not take the password, or got none",
        "make an HTTP password in the web page's settings, and give it to git credential (git help credentials); the URL has /a/ before the project",
    ),
    rule(
        r"Could not resolve host(?:name)?:? (\S+?):?(?: |$)|Name or service not known|Temporary failure in name resolution",
        Lost,
        "the server's name is not known to this machine",
        "look at the URL and the network, then try again",
    ),
    rule(
        r"Connection refused|Failed to connect|Couldn't connect|Network is unreachable|No route to host|timed out|Connection reset|Connection closed|unexpected disconnect|remote end hung up|Broken pipe|early EOF",
        Lost,
        "there is no connection to the server, or it was lost",
        "try again",
    ),
    rule(
        r"internal server error|internal auth error|returned error: 5\d\d|error during submit|lock failure|LOCK_FAILURE|failed to lock|n/a \(unpacker error\)|unpack error",
        Transient,
        "something went wrong inside the server",
        "try again; its administrators find more in its log",
    ),
    rule(
        r"stale info|fetch first|non-fast-forward|failed to update ref|rejected: .*behind",
        Refused,
        "`{branch}` has commits that you have not",
        "git fetch {remote}, then git rebase {remote}/{branch}",
    ),
    rule(
        r"hook declined|pre-receive hook",
        Said,
        "a hook of the server refused it",
        "see what it says",
    ),
    rule(
        // Git prints only this line if its hook ends the push.
        r"^error: failed to push some refs",
        Said,
        "the hook pre-push of this repository refused it",
        "see what it says; git push --no-verify goes without it",
    ),
];
