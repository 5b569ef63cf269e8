//! The options that Gerrit knows, and the kind of value of each.

use std::fmt;

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// No value.
    Flag,
    /// Any text.
    Text,
    /// A text of limited length.
    Topic,
    /// An e-mail address, user name, account number or (for reviewers) a group.
    Account,
    /// One or more words without a comma.
    Hashtag,
    /// A label with a vote.
    Label,
    /// The recipients of mails.
    Notify,
    /// A whole hash.
    Commit,
}

macro_rules! keys {
    ($($(#[$doc:meta])* $variant:ident $name:literal $($alias:literal)* => $kind:ident $($repeatable:ident)?;)*) => {
        /// An option of a push for review.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Key { $($(#[$doc])* $variant,)* }

        impl Key {
            /// All options.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the option with this long or short name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)* => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Returns the long name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the form of its value.
            pub fn kind(self) -> ValueKind {
                match self { $(Self::$variant => ValueKind::$kind,)* }
            }

            /// Returns true if it can be given several times with different values.
            pub fn is_repeatable(self) -> bool {
                match self { $(Self::$variant => false $(|| stringify!($repeatable) == "repeatable")?,)* }
            }
        }
    };
}

keys! {
    /// The topic of the changes.
    Topic "topic" => Topic;
    /// A hashtag.
    Hashtag "hashtag" "t" => Hashtag repeatable;
    /// A reviewer.
    Reviewer "reviewer" "r" => Account repeatable;
    /// A person to inform.
    Cc "cc" => Account repeatable;
    /// A vote.
    Label "label" "l" => Label repeatable;
    /// The message of the new patch sets.
    Message "message" "m" => Text;
    /// Marks the changes as not ready for review.
    Wip "wip" "work-in-progress" => Flag;
    /// Marks the changes as ready for review.
    Ready "ready" => Flag;
    /// Hides the changes from all but the reviewers.
    Private "private" => Flag;
    /// Makes the changes visible to all again.
    RemovePrivate "remove-private" => Flag;
    /// The recipients of mails.
    Notify "notify" => Notify;
    /// A further recipient of this mail.
    NotifyTo "notify-to" => Account repeatable;
    /// A recipient of a copy.
    NotifyCc "notify-cc" => Account repeatable;
    /// A recipient of a blind copy.
    NotifyBcc "notify-bcc" => Account repeatable;
    /// Publishes drafts of comments.
    PublishComments "publish-comments" => Flag;
    /// Keeps drafts of comments.
    NoPublishComments "no-publish-comments" "np" => Flag;
    /// Uploads as a change edit.
    Edit "edit" "e" => Flag;
    /// Submits at once.
    Submit "submit" => Flag;
    /// Makes a review of a commit that is merged.
    Merged "merged" => Flag;
    /// The commit below the first change.
    Base "base" => Commit repeatable;
    /// The name of a trace in the server's log.
    Trace "trace" => Text;
    /// The time after which the server gives up.
    Deadline "deadline" => Text;
    /// Leaves the attention set unchanged.
    IgnoreAttentionSet "ignore-automatic-attention-set-rules" "ignore-attention-set" "ias" => Flag;
    /// A pair `KEY:VALUE` of newer servers.
    CustomKeyedValue "custom-keyed-value" => Text repeatable;
}

impl Key {
    /// Returns all long names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|key| key.name())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
