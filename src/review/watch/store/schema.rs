//! The tables of the state, and the way from one version of them to the next.

use rusqlite::Connection;

use super::StoreError;

/// The steps from one version of the tables to the next; the first one starts at nothing. A step
/// that was released is never changed.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY,
        project TEXT NOT NULL,
        branch TEXT NOT NULL,
        subject TEXT NOT NULL,
        owner TEXT NOT NULL,
        status TEXT NOT NULL,
        patch_set INTEGER NOT NULL,
        sha TEXT NOT NULL,
        updated TEXT NOT NULL
    ) STRICT;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        change INTEGER NOT NULL,
        project TEXT NOT NULL,
        patch_set INTEGER NOT NULL,
        sha TEXT NOT NULL,
        number INTEGER NOT NULL,
        state TEXT NOT NULL,
        why TEXT NOT NULL,
        component TEXT,
        attempts INTEGER NOT NULL DEFAULT 0,
        directory TEXT,
        verdict TEXT,
        note TEXT NOT NULL DEFAULT '',
        queued_at TEXT NOT NULL,
        started_at TEXT,
        ended_at TEXT,
        UNIQUE (change, sha, number)
    ) STRICT;
    CREATE UNIQUE INDEX one_waiting ON runs (change) WHERE state = 'queued';
    CREATE UNIQUE INDEX one_running ON runs (change) WHERE state = 'running';
    CREATE INDEX runs_by_state ON runs (state, id);
    CREATE TABLE companions (
        run INTEGER NOT NULL REFERENCES runs (id),
        change INTEGER NOT NULL,
        sha TEXT NOT NULL,
        PRIMARY KEY (run, change)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX companions_by_change ON companions (change);
    CREATE TABLE posts (
        key TEXT PRIMARY KEY,
        change INTEGER NOT NULL,
        sha TEXT NOT NULL,
        intended_at TEXT NOT NULL,
        posted_at TEXT
    ) STRICT;
    CREATE TABLE rechecks (
        message TEXT PRIMARY KEY,
        change INTEGER NOT NULL,
        answer TEXT NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE changes ADD COLUMN topic TEXT NOT NULL DEFAULT '';
    ALTER TABLE changes ADD COLUMN joined_at TEXT NOT NULL DEFAULT '';
    CREATE INDEX changes_by_topic ON changes (topic) WHERE topic <> '';
",
];

/// Returns the version of the tables, 0 for none. That of a later kata-ci is an error.
fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: usize = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match version > STEPS.len() {
        true => Err(StoreError::Newer { version }),
        false => Ok(version),
    }
}

/// Returns true if the tables are those of this kata-ci.
pub(super) fn is_made(connection: &Connection) -> Result<bool, StoreError> {
    Ok(version(connection)? == STEPS.len())
}

/// Brings the tables to the newest version.
pub(super) fn upgrade(connection: &mut Connection) -> Result<(), StoreError> {
    let version = version(connection)?;
    for (done, step) in STEPS.iter().enumerate().skip(version) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", done + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
