//! The server as the watcher asks it: which changes there are, how they stand, and to take a post.
//!
//! One thread asks, one question after the other, so that a slow server holds up nothing else and
//! gets no more than one request at a time.

mod companions;
mod journal;
mod look;
mod rights;

pub use rights::{AskRight, RecheckRights};

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender};

use super::agenda::Note;
use super::decide::Request;
use super::filters::Filters;
use super::snapshot::Snapshot;
use super::store::{ChangeRow, Run, Store};
use crate::gerrit::rest::{Client, RestError, RestErrorKind};
use crate::review::{PostError, PostReport, ReviewResult, post};
use journal::StoreJournal;

/// A question to the server.
#[derive(Debug)]
pub enum Question {
    /// To tell how these changes stand.
    Look(Vec<Note>),
    /// To list the open changes.
    List,
    /// To take the result of a run, which lies in this report directory.
    Post(Box<Run>, PathBuf),
}

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// The changes that the server knows, as they stand.
    Looked(Result<Vec<Looked>, RestError>),
    /// All open changes that may be looked after.
    Listed(Result<Vec<Listed>, RestError>),
    /// The end of a post.
    PostEnded(Box<Run>, Result<PostEnd, PostFailure>),
}

/// A change as it stands.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The change.
    pub change: Snapshot,
    /// True if the operator's query and groups choose it.
    pub is_chosen: bool,
    /// The requests to run again that were not answered, with the right to ask.
    pub requests: Vec<(Request, AskRight)>,
}

/// An open change of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The number.
    pub change: u64,
    /// The commit of the current patch set.
    pub sha: String,
    /// The time of its last update, as the server formats it.
    pub updated: String,
}

/// The end of a post.
#[derive(Debug)]
pub enum PostEnd {
    /// The server was asked to take it.
    Reported(PostReport),
    /// A companion of the run is another commit now, or abandoned: the result says nothing any
    /// more.
    Outdated(ChangeRow),
}

/// The reason why a post was not made.
#[derive(Debug, thiserror::Error)]
pub enum PostFailure {
    /// The result cannot be read.
    #[error("{0}")]
    Result(#[from] io::Error),
    /// The server cannot say how the companions stand.
    #[error("{0}")]
    Rest(#[from] RestError),
    /// The server or the journal did not take it.
    #[error("{0}")]
    Post(#[from] PostError),
    /// The state cannot be used.
    #[error("{0}")]
    Store(#[from] super::store::StoreError),
}

impl PostFailure {
    /// Returns true if another try may go well.
    pub fn is_worth_another_try(&self) -> bool {
        // Credentials that are refused are the operator's to mend, and results wait for that.
        let may_pass = |error: &RestError| {
            let is_locked_out = matches!(
                error.kind,
                RestErrorKind::Unauthorized | RestErrorKind::NoCredentials
            );
            is_locked_out || error.is_worth_another_try()
        };
        match self {
            Self::Result(_) => false,
            Self::Rest(error) | Self::Post(PostError::Rest(error)) => may_pass(error),
            Self::Post(error) => error.is_worth_another_try(),
            Self::Store(_) => true,
        }
    }
}

/// The state, shared by the thread that decides and the one that posts.
pub type SharedStore = Arc<Mutex<Store>>;

/// Locks the state.
pub fn locked(store: &SharedStore) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything that asking takes.
pub struct Server {
    /// The client.
    pub client: Client,
    /// The label that is voted on.
    pub label: String,
    /// The changes to look after.
    pub filters: Filters,
    /// The right to ask for another run.
    pub rights: RecheckRights,
    /// The state.
    pub store: SharedStore,
    /// The number of our own account.
    pub account: Option<u64>,
}

impl Server {
    /// Answers questions until no more can come.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn answer_in_thread(
        mut self,
        questions: Receiver<Question>,
        answers: Sender<Answer>,
    ) -> io::Result<thread::JoinHandle<()>> {
        let answering = move || {
            for question in questions {
                if answers.send(self.answer(question)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("server".into())
            .spawn(answering)
    }

    fn answer(&mut self, question: Question) -> Answer {
        match question {
            Question::Look(notes) => Answer::Looked(self.look(&notes)),
            Question::List => Answer::Listed(self.list()),
            Question::Post(run, directory) => {
                let end = self.post(&run, &directory);
                Answer::PostEnded(run, end)
            }
        }
    }

    fn post(&mut self, run: &Run, directory: &std::path::Path) -> Result<PostEnd, PostFailure> {
        let mut result = ReviewResult::read(directory)?;
        if let Some(companion) = self.outdated_companion(run, directory)? {
            return Ok(PostEnd::Outdated(companion));
        }
        // Whatever the process was told: this is the number that counts.
        result.run = run.number;
        let mut journal = StoreJournal {
            store: &self.store,
            change: run.change,
        };
        Ok(PostEnd::Reported(post(
            &self.client,
            &result,
            &mut journal,
        )?))
    }
}
