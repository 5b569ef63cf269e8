//! The options Gerrit knows, and what kind of value each has.

use std::fmt;

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No value.
    Flag,
    /// Any text.
    Text,
    /// A text of limited length.
    Topic,
    /// An e-mail address, user name, account number or (for reviewers) a group.
    Account,
    /// A word or words without comma.
    Hashtag,
    /// A label with a vote.
    Label,
    /// Whom mails go to.
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The option of this name, or of this short name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)* => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its long name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What its value must look like.
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// Whether it can be given several times with different values.
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
    /// Somebody to be told.
    Cc "cc" => Account repeatable;
    /// A vote.
    Label "label" "l" => Label repeatable;
    /// What the new patch sets say of themselves.
    Message "message" "m" => Text;
    /// Not ready for review.
    Wip "wip" "work-in-progress" => Flag;
    /// Ready for review.
    Ready "ready" => Flag;
    /// Seen by the reviewers only.
    Private "private" => Flag;
    /// Seen by all again.
    RemovePrivate "remove-private" => Flag;
    /// Who gets mail.
    Notify "notify" => Notify;
    /// Who gets this mail besides.
    NotifyTo "notify-to" => Account repeatable;
    /// Who gets a copy.
    NotifyCc "notify-cc" => Account repeatable;
    /// Who gets a blind copy.
    NotifyBcc "notify-bcc" => Account repeatable;
    /// Publishes drafts of comments.
    PublishComments "publish-comments" => Flag;
    /// Leaves drafts of comments.
    NoPublishComments "no-publish-comments" "np" => Flag;
    /// Uploads as a change edit.
    Edit "edit" "e" => Flag;
    /// Submits at once.
    Submit "submit" => Flag;
    /// A review of a commit that is merged.
    Merged "merged" => Flag;
    /// Where the changes begin.
    Base "base" => Commit repeatable;
    /// Name of a trace in the server's log.
    Trace "trace" => Text;
    /// After which time the server gives up.
    Deadline "deadline" => Text;
    /// Leaves the attention set alone.
    IgnoreAttentionSet "ignore-automatic-attention-set-rules" "ignore-attention-set" "ias" => Flag;
    /// `KEY:VALUE` of newer servers.
    CustomKeyedValue "custom-keyed-value" => Text repeatable;
}

impl Key {
    /// All long names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|key| key.name())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
