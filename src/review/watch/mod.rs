//! Keeps up with a Gerrit: finds the patch sets without a verdict, runs each in a process of its
//! own, and posts the results.
//!
//! ```text
//! stream of events ─▶ changes to look at ─▶ server ─▶ decide ─▶ queue ─▶ process ─▶ post
//! resynchronising  ─┘                            store (SQLite) keeps all of it
//! ```
//!
//! Invariants: an event only says which change to look at. The answer of the server at that time
//! decides, together with the store. Messages are posted by one thread, each after its intent is on
//! the disk.

pub mod agenda;
pub mod back_off;
pub mod connection;
pub mod decide;
pub mod filters;
pub mod health;
pub mod listing;
pub mod log;
pub mod process;
pub mod queue;
pub mod recheck;
pub mod server;
pub mod snapshot;
pub mod store;
pub mod watcher;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use crossbeam_channel::{Receiver, bounded, unbounded};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::gerrit::rest::Client;
use connection::Connection;
use filters::Filters;
use health::Health;
use process::ReviewCommand;
use server::{RecheckRights, Server};
use store::{Store, StoreError};
use watcher::{Ears, Pace, Parts, Watcher};

/// The number of events that wait for the watcher. Beyond it the server drops some, which it says.
const HINTS: usize = 1024;

/// A watcher to start.
pub struct WatchRequest {
    /// The directory of the state.
    pub directory: PathBuf,
    /// The client of the server.
    pub client: Client,
    /// The label that is voted on.
    pub label: String,
    /// The changes to look after.
    pub filters: Filters,
    /// The right to ask for another run.
    pub rights: RecheckRights,
    /// The stream of events; `None` to poll.
    pub stream: Option<Connection>,
    /// Times and numbers.
    pub pace: Pace,
    /// The command of a review.
    pub command: ReviewCommand,
    /// The pulse, which others may read.
    pub health: Arc<Health>,
}

/// An error that ends the watcher.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The state cannot be used.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system gives no thread or signal.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// Watches until a signal ends it, which is returned. Processes end with the calling thread.
///
/// # Errors
/// [`WatchError`].
pub fn watch(request: WatchRequest) -> Result<i32, WatchError> {
    let store = Store::open(&request.directory)?;
    let store = Arc::new(Mutex::new(store));
    let signals = signals()?;
    let (questions, asked) = unbounded();
    let (answering, answers) = unbounded();
    let server = Server {
        client: request.client,
        label: request.label,
        filters: request.filters.clone(),
        rights: request.rights,
        store: Arc::clone(&store),
        account: None,
    };
    server.answer_in_thread(asked, answering)?;
    let hints = match request.stream {
        Some(connection) => {
            let (telling, hints) = bounded(HINTS);
            connection.follow_in_thread(telling)?;
            Some(hints)
        }
        None => None,
    };
    let mut watcher = Watcher::new(Parts {
        store,
        directory: request.directory,
        filters: request.filters,
        command: request.command,
        pace: request.pace,
        questions,
        health: request.health,
    })?;
    let ears = Ears {
        hints,
        answers,
        signals,
    };
    Ok(watcher.work(&ears)?)
}

/// Turns the signals that end a service into messages.
fn signals() -> io::Result<Receiver<i32>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let (sender, receiver) = unbounded();
    let listening = move || {
        for signal in signals.forever() {
            if sender.send(signal).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(listening)?;
    Ok(receiver)
}
