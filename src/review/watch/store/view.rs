//! Reads the state beside its writer: for the page, for the metrics and for the terminal.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Run, RunState, StoreError, open_for_reading};

/// The last answer of the server about a change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ChangeRow {
    /// The number.
    pub number: u64,
    /// The project.
    pub project: String,
    /// The target branch.
    pub branch: String,
    /// The subject; foreign text.
    pub subject: String,
    /// The name of the owner; foreign text.
    pub owner: String,
    /// `NEW`, `MERGED` or `ABANDONED`.
    pub status: String,
    /// The number of the current patch set.
    pub patch_set: u32,
    /// The commit of the current patch set.
    pub sha: String,
    /// The time of its last update, as the server formats it. It is only compared for equality.
    pub updated: String,
    /// The topic; empty for none.
    pub topic: String,
}

impl ChangeRow {
    /// The columns that [`ChangeRow::read`] reads.
    pub(super) const COLUMNS: &str =
        "number, project, branch, subject, owner, status, patch_set, sha, updated, topic";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            project: row.get(1)?,
            branch: row.get(2)?,
            subject: row.get(3)?,
            owner: row.get(4)?,
            status: row.get(5)?,
            patch_set: row.get(6)?,
            sha: row.get(7)?,
            updated: row.get(8)?,
            topic: row.get(9)?,
        })
    }

    /// Returns true if a result says nothing any more that was found with the commit `sha` of this
    /// change. A merged change is in its branch, whatever its last commit.
    pub fn outdates(&self, sha: &str) -> bool {
        match self.status.as_str() {
            "MERGED" => false,
            "ABANDONED" => true,
            _ => self.sha != sha,
        }
    }

    /// Returns the name of the fact that this change, as it is now, made the commit `dependent` run
    /// again. It is answered like a request, so once only.
    pub fn cause_for(&self, dependent: &str) -> String {
        format!(
            "companion~{}~{}~{}~{dependent}",
            self.number, self.sha, self.status
        )
    }
}

/// The state, for readers.
#[derive(Debug)]
pub struct View {
    pub(super) connection: Connection,
}

impl View {
    /// Opens the state of a directory. `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn open(directory: &Path) -> Result<Option<Self>, StoreError> {
        Ok(open_for_reading(directory)?.map(|connection| Self { connection }))
    }

    /// Returns the runs that wait or run, oldest first.
    pub fn active(&self) -> Result<Vec<Run>, StoreError> {
        self.select(
            "state IN ('queued', 'running', 'judged') ORDER BY id LIMIT ?1",
            1000,
        )
    }

    /// Returns the last runs that are over, newest first.
    pub fn last(&self, most: usize) -> Result<Vec<Run>, StoreError> {
        let condition = "state IN ('posted', 'cancelled', 'broken') \
            ORDER BY ended_at DESC, id DESC LIMIT ?1";
        self.select(condition, most)
    }

    /// Returns the runs of the changes that a search matches, newest first: a number, a part of a
    /// commit's name, of a project, a subject or an owner.
    pub fn search(&self, words: &str, most: usize) -> Result<Vec<Run>, StoreError> {
        let escaped = words.trim().replace('\\', "\\\\").replace('%', "\\%");
        let like = format!("%{}%", escaped.replace('_', "\\_"));
        let sql = format!(
            "SELECT {} FROM runs WHERE change = ?1 OR sha LIKE ?2 ESCAPE '\\' OR change IN
               (SELECT number FROM changes WHERE project LIKE ?2 ESCAPE '\\'
                OR subject LIKE ?2 ESCAPE '\\' OR owner LIKE ?2 ESCAPE '\\')
             ORDER BY id DESC LIMIT ?3",
            Run::COLUMNS
        );
        let number: i64 = words.trim().parse().unwrap_or(-1);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map(params![number, like, most as i64], Run::read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Returns a run.
    pub fn run(&self, id: i64) -> Result<Option<Run>, StoreError> {
        let sql = format!("SELECT {} FROM runs WHERE id = ?1", Run::COLUMNS);
        Ok(self
            .connection
            .query_row(&sql, [id], Run::read)
            .optional()?)
    }

    /// Returns what the server last said of a change.
    pub fn change(&self, number: u64) -> Result<Option<ChangeRow>, StoreError> {
        let sql = format!(
            "SELECT {} FROM changes WHERE number = ?1",
            ChangeRow::COLUMNS
        );
        let found = self.connection.query_row(&sql, [number], ChangeRow::read);
        Ok(found.optional()?)
    }

    /// Returns the number of runs in each state, and of the verdicts that were posted.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let pairs = |sql: &str| -> Result<Vec<(String, u64)>, StoreError> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(found.collect::<Result<_, _>>()?)
        };
        let all = RunState::ALL_WORDS.map(|word| (word.to_owned(), 0));
        let mut states = all.to_vec();
        for (state, count) in pairs("SELECT state, count(*) FROM runs GROUP BY state")? {
            states.retain(|(word, _)| *word != state);
            states.push((state, count));
        }
        states.sort();
        Ok(Counts {
            states,
            verdicts: pairs(
                "SELECT verdict, count(*) FROM runs WHERE verdict IS NOT NULL GROUP BY verdict",
            )?,
            posts: self.connection.query_row(
                "SELECT count(*) FROM posts WHERE posted_at IS NOT NULL",
                [],
                |row| row.get(0),
            )?,
        })
    }

    fn select(&self, condition: &str, most: usize) -> Result<Vec<Run>, StoreError> {
        let sql = format!("SELECT {} FROM runs WHERE {condition}", Run::COLUMNS);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found = statement.query_map([most as i64], Run::read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Numbers for the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The number of runs by the word of their state, also of states without any.
    pub states: Vec<(String, u64)>,
    /// The number of runs by the word of their verdict.
    pub verdicts: Vec<(String, u64)>,
    /// The number of messages that the server has.
    pub posts: u64,
}
