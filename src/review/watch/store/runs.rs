//! The runs, and what is known of their changes.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::{Store, StoreError, now};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// The run waits for a slot.
    Queued,
    /// Its process was started.
    Running,
    /// Its result is on the disk, and is to be posted.
    Judged,
    /// Its verdict is on the server, or there was none to post.
    Posted,
    /// The run was cancelled: its patch set or a companion was replaced, or its change closed.
    Cancelled,
    /// The run could not be carried out, or not be posted. A recheck tries again.
    Broken,
}

impl RunState {
    const ALL: [Self; 6] = [
        Self::Queued,
        Self::Running,
        Self::Judged,
        Self::Posted,
        Self::Cancelled,
        Self::Broken,
    ];

    /// The words of all states.
    pub(super) const ALL_WORDS: [&str; 6] = [
        "queued",
        "running",
        "judged",
        "posted",
        "cancelled",
        "broken",
    ];

    /// The word in the table, on the page and on the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Judged => "judged",
            Self::Posted => "posted",
            Self::Cancelled => "cancelled",
            Self::Broken => "broken",
        }
    }

    /// Returns true if nothing more happens with the run.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Posted | Self::Cancelled | Self::Broken)
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A run that is to be queued.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The number of the change.
    pub change: u64,
    /// The project.
    pub project: &'a str,
    /// The number of the patch set.
    pub patch_set: u32,
    /// The commit.
    pub sha: &'a str,
    /// The reason for the run, in words.
    pub why: &'a str,
    /// The component that alone is to run.
    pub component: Option<&'a str>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Run {
    /// The id.
    #[serde(skip)]
    pub id: i64,
    /// The number of the change.
    pub change: u64,
    /// The project.
    pub project: String,
    /// The number of the patch set.
    pub patch_set: u32,
    /// The commit.
    pub sha: String,
    /// The number among the runs of the commit, from 1.
    #[serde(rename = "run")]
    pub number: u32,
    /// The state.
    pub state: RunState,
    /// The reason for the run, in words.
    pub why: String,
    /// The component that alone is run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The number of times that its process was started.
    pub attempts: u32,
    /// The report directory of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The word of the verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The outcome in a line, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The time at which it was queued.
    pub queued_at: String,
    /// The time at which its process was started last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// The time at which it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

impl Run {
    /// The columns that [`Run::read`] reads.
    pub(super) const COLUMNS: &str = "id, change, project, patch_set, sha, number, state, why, \
        component, attempts, directory, verdict, note, queued_at, started_at, ended_at";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let word: String = row.get(6)?;
        let unknown = || rusqlite::Error::InvalidColumnName(word.clone());
        Ok(Self {
            id: row.get(0)?,
            change: row.get(1)?,
            project: row.get(2)?,
            patch_set: row.get(3)?,
            sha: row.get(4)?,
            number: row.get(5)?,
            state: RunState::of_word(&word).ok_or_else(unknown)?,
            why: row.get(7)?,
            component: row.get(8)?,
            attempts: row.get(9)?,
            directory: row.get(10)?,
            verdict: row.get(11)?,
            note: row.get(12)?,
            queued_at: row.get(13)?,
            started_at: row.get(14)?,
            ended_at: row.get(15)?,
        })
    }
}

impl Store {
    /// Queues a run, with the next number of its commit. A run of the change that waited is
    /// cancelled.
    pub fn queue(&mut self, new: NewRun<'_>) -> Result<Run, StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "UPDATE runs SET state = 'cancelled', note = 'replaced while it waited', ended_at = ?2
             WHERE change = ?1 AND state = 'queued'",
            params![new.change, now()],
        )?;
        let number: u32 = transaction.query_row(
            "SELECT coalesce(max(number), 0) + 1 FROM runs WHERE change = ?1 AND sha = ?2",
            params![new.change, new.sha],
            |row| row.get(0),
        )?;
        transaction.execute(
            "INSERT INTO runs (change, project, patch_set, sha, number, state, why, component, queued_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'queued', ?6, ?7, ?8)",
            params![
                new.change, new.project, new.patch_set, new.sha, number, new.why, new.component, now()
            ],
        )?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        self.run(id)
    }

    /// Records a verdict of ours that was found on the server, as a run that is over.
    pub fn adopt(&mut self, found: NewRun<'_>, number: u32) -> Result<(), StoreError> {
        self.connection.execute(
            "INSERT INTO runs
             (change, project, patch_set, sha, number, state, why, queued_at, ended_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'posted', ?6, ?7, ?7)
             ON CONFLICT (change, sha, number) DO UPDATE SET state = 'posted'
             WHERE state IN ('cancelled', 'broken')",
            params![
                found.change,
                found.project,
                found.patch_set,
                found.sha,
                number,
                found.why,
                now()
            ],
        )?;
        Ok(())
    }

    /// Records that the process of a run is about to be started.
    pub fn start(&mut self, id: i64, directory: &str) -> Result<Run, StoreError> {
        self.connection.execute(
            "UPDATE runs SET state = 'running', attempts = attempts + 1, directory = ?2,
             started_at = ?3 WHERE id = ?1",
            params![id, directory, now()],
        )?;
        self.run(id)
    }

    /// Puts a running run back into the queue, unless its change has a newer one waiting: then the
    /// run is cancelled. Returns true if it waits.
    pub fn requeue(&mut self, id: i64, note: &str) -> Result<bool, StoreError> {
        let transaction = self.connection.transaction()?;
        let waits = requeue(&transaction, id, note)?;
        transaction.commit()?;
        Ok(waits)
    }

    /// Puts all running runs back into the queue, as [`Self::requeue`] does: their processes ended
    /// with the watcher that had started them. Broken runs count as cancelled now, so that their
    /// commits run once more.
    pub fn recover(&mut self) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        let running: Vec<i64> = {
            let sql = "SELECT id FROM runs WHERE state = 'running'";
            let mut statement = transaction.prepare(sql)?;
            let found = statement.query_map([], |row| row.get(0))?;
            found.collect::<Result<_, _>>()?
        };
        for id in running {
            requeue(&transaction, id, "the watcher was started again")?;
        }
        // Whoever starts the watcher may have seen to the cause.
        transaction.execute(
            "UPDATE runs SET state = 'cancelled' WHERE state = 'broken' AND component IS NULL",
            [],
        )?;
        Ok(transaction.commit()?)
    }

    /// Records that the result of a run is on the disk.
    pub fn judge(&mut self, id: i64, verdict: &str, note: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE runs SET state = 'judged', verdict = ?2, note = ?3 WHERE id = ?1",
            params![id, verdict, note],
        )?;
        Ok(())
    }

    /// Records the companions that a run had checked out, each with its commit.
    pub fn ran_with(&mut self, id: i64, companions: &[(u64, String)]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for (change, sha) in companions {
            transaction.execute(
                "INSERT OR REPLACE INTO companions (run, change, sha) VALUES (?1, ?2, ?3)",
                params![id, change, sha],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Records the end of a run.
    pub fn end(&mut self, id: i64, state: RunState, note: &str) -> Result<(), StoreError> {
        debug_assert!(state.is_over());
        self.connection.execute(
            "UPDATE runs SET state = ?2, note = ?3, ended_at = ?4 WHERE id = ?1",
            params![id, state.word(), note, now()],
        )?;
        Ok(())
    }

    /// Returns a run.
    pub fn run(&self, id: i64) -> Result<Run, StoreError> {
        let sql = format!("SELECT {} FROM runs WHERE id = ?1", Run::COLUMNS);
        Ok(self.connection.query_row(&sql, [id], Run::read)?)
    }

    /// Returns the runs in a state, oldest first.
    pub fn runs_in(&self, state: RunState) -> Result<Vec<Run>, StoreError> {
        self.select("state = ?1 ORDER BY id", [state.word()])
    }

    /// Returns the newest run of a commit.
    pub fn newest(&self, change: u64, sha: &str) -> Result<Option<Run>, StoreError> {
        let sql = format!(
            "SELECT {} FROM runs WHERE change = ?1 AND sha = ?2 ORDER BY number DESC LIMIT 1",
            Run::COLUMNS
        );
        let found = self
            .connection
            .query_row(&sql, params![change, sha], Run::read);
        Ok(found.optional()?)
    }

    /// Returns the companions of runs whose verdict still counts, each with the change that ran
    /// with it.
    pub fn awaited_companions(&self) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT companions.change, runs.change FROM companions
             JOIN runs ON runs.id = companions.run
             JOIN changes ON changes.number = runs.change AND changes.sha = runs.sha
             WHERE changes.status = 'NEW' AND runs.state IN ('judged', 'posted')",
        )?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Returns the companions of a run, each with the commit that it ran with.
    pub fn companions(&self, run: i64) -> Result<Vec<(u64, String)>, StoreError> {
        let sql = "SELECT change, sha FROM companions WHERE run = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Returns the companion of a run that is another commit now, or abandoned, unless the run was
    /// repeated for just that before; or a change that has joined its topic since.
    pub fn outdated_companion(&self, run: &Run) -> Result<Option<u64>, StoreError> {
        for (number, sha) in self.companions(run.id)? {
            if let Some(companion) = self.change(number)?
                && companion.outdates(&sha)
                && !self.is_answered(&companion.cause_for(&run.sha))?
            {
                return Ok(Some(number));
            }
        }
        Ok(self.newcomer(run)?.map(|change| change.number))
    }

    /// Returns the open changes whose current commit has run with this companion.
    pub fn dependents(&self, companion: u64) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT runs.change FROM companions
             JOIN runs ON runs.id = companions.run
             JOIN changes ON changes.number = runs.change AND changes.sha = runs.sha
             WHERE companions.change = ?1 AND changes.status = 'NEW'",
        )?;
        let found = statement.query_map([companion], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Returns the changes that were open when they were last looked at.
    pub fn open_changes(&self) -> Result<Vec<u64>, StoreError> {
        let sql = "SELECT number FROM changes WHERE status = 'NEW'";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Records that the server does not list a change any more: it is closed, hidden or not chosen.
    pub fn unlist(&mut self, change: u64) -> Result<(), StoreError> {
        let sql = "UPDATE changes SET status = 'UNLISTED' WHERE number = ?1";
        self.connection.execute(sql, [change])?;
        Ok(())
    }

    /// Returns true if a change has had a run.
    pub fn has_run(&self, change: u64) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM runs WHERE change = ?1 LIMIT 1";
        let found = self.connection.query_row(sql, [change], |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    /// Cancels the run of a change that waits, if there is one.
    pub fn cancel_waiting(&mut self, change: u64, why: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "UPDATE runs SET state = 'cancelled', note = ?2, ended_at = ?3
             WHERE change = ?1 AND state = 'queued'",
            params![change, why, now()],
        )?;
        Ok(())
    }

    /// Returns the ids and report directories of the runs that are over, but for the newest `keep`.
    pub fn beyond(&self, keep: usize) -> Result<Vec<(i64, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, directory FROM runs
             WHERE state IN ('posted', 'cancelled', 'broken') AND directory IS NOT NULL
             ORDER BY id DESC LIMIT -1 OFFSET ?1",
        )?;
        let found = statement.query_map([keep], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Records that the report directory of a run is gone.
    pub fn forget_directory(&mut self, id: i64) -> Result<(), StoreError> {
        let sql = "UPDATE runs SET directory = NULL WHERE id = ?1";
        self.connection.execute(sql, [id])?;
        Ok(())
    }

    fn select(&self, condition: &str, values: impl Params) -> Result<Vec<Run>, StoreError> {
        let sql = format!("SELECT {} FROM runs WHERE {condition}", Run::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(values, Run::read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

fn requeue(connection: &Connection, id: i64, note: &str) -> rusqlite::Result<bool> {
    connection.execute(
        "UPDATE runs SET state = 'cancelled', note = 'replaced', ended_at = ?2
         WHERE id = ?1 AND EXISTS (SELECT 1 FROM runs AS other
            WHERE other.change = runs.change AND other.state = 'queued')",
        params![id, now()],
    )?;
    let waiting = connection.execute(
        "UPDATE runs SET state = 'queued', note = ?2 WHERE id = ?1 AND state = 'running'",
        params![id, note],
    )?;
    Ok(waiting == 1)
}
