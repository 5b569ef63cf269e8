//! The state of the watcher, in a SQLite database: changes, runs, posts, rechecks.
//!
//! Invariants:
//! - One process writes: it holds the lock beside the database. Others only read.
//! - Whatever was returned from here is on the disk (`synchronous=FULL`), so a kill or a power loss
//!   at any moment loses nothing that was promised. In particular the intent to post is there
//!   before the post is.
//! - Runs of a commit are numbered from 1. A change has at most one queued and one running run.
//! - There is no cursor: no time decides what is still to be done.
//!
//! The store decides nothing: [`super::decide`] does.

mod posts;
mod runs;
mod schema;
mod topics;
mod view;

pub use posts::IntentState;
pub use runs::{NewRun, Run, RunState};
pub use view::{ChangeRow, Counts, View};

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use rusqlite::{Connection, OpenFlags};

/// The time that a reader waits for a writer that is just finishing.
const PATIENCE: Duration = Duration::from_secs(10);

/// An error of the state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be used.
    #[error("the state of the watcher: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file beside the database cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Another process has the lock.
    #[error("another watcher works with {0}")]
    Busy(PathBuf),
    /// A later kata-ci wrote the database.
    #[error("the state has version {version}, which a later kata-ci wrote")]
    Newer {
        /// The version of the database.
        version: usize,
    },
}

/// The state, for its one writer.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    _lock: Flock<File>,
}

/// Returns the path of the database in a directory.
pub fn database(directory: &Path) -> PathBuf {
    directory.join("watch.sqlite")
}

impl Store {
    /// Opens or creates the state in a directory, and locks it until this process ends.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process has it.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let lock = locked(directory)?;
        let mut connection = Connection::open(database(directory))?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::upgrade(&mut connection)?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }
}

fn locked(directory: &Path) -> Result<Flock<File>, StoreError> {
    let path = directory.join("watch.lock");
    let io = |source| StoreError::Io {
        path: path.clone(),
        source,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(io)?;
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        nix::errno::Errno::EWOULDBLOCK => StoreError::Busy(directory.to_owned()),
        other => io(other.into()),
    })
}

/// Opens the state of a directory for reading, beside its writer. `None` if there is none.
fn open_for_reading(directory: &Path) -> Result<Option<Connection>, StoreError> {
    let path = database(directory);
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    // Its writer may just be making the tables.
    Ok(schema::is_made(&connection)?.then_some(connection))
}

/// Returns the current time as the tables hold it.
fn now() -> String {
    crate::clock::now().to_string()
}

#[cfg(test)]
mod tests;
