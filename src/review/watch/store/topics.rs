//! The changes of one topic: which of them a run could not have beside it, because they came later.

use rusqlite::{OptionalExtension, params};

use super::{ChangeRow, Run, Store, StoreError};

impl Store {
    /// Returns a change that a run would have beside it if it started now: an open one of the same
    /// topic and branch in another project, which has joined the topic since, or whose topic this
    /// change has joined since.
    pub fn newcomer(&self, run: &Run) -> Result<Option<ChangeRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM changes AS other WHERE status = 'NEW' AND number = (
                SELECT peer.number FROM changes AS own JOIN changes AS peer
                ON peer.topic = own.topic AND peer.branch = own.branch AND peer.project <> own.project
                WHERE own.number = ?1 AND own.topic <> '' AND peer.status = 'NEW'
                AND max(own.joined_at, peer.joined_at) > ?2
                AND peer.number NOT IN (SELECT change FROM companions WHERE run = ?3)
                ORDER BY peer.number LIMIT 1)",
            ChangeRow::COLUMNS
        );
        let Some(started) = &run.started_at else {
            return Ok(None);
        };
        let values = params![run.change, started, run.id];
        let found = self.connection.query_row(&sql, values, ChangeRow::read);
        Ok(found.optional()?)
    }

    /// Returns the open changes of the same topic and branch in other projects.
    pub fn peers(&self, change: &ChangeRow) -> Result<Vec<u64>, StoreError> {
        if change.topic.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT number FROM changes
             WHERE topic = ?1 AND branch = ?2 AND project <> ?3 AND status = 'NEW'",
        )?;
        let values = params![change.topic, change.branch, change.project];
        let found = statement.query_map(values, |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}
