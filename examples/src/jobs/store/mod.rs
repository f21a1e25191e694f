//! The run history, in one SQLite file.
//!
//! Every call blocks, some of them until the disk has answered: the service makes
//! them on an executor thread. A write is durable when its call returns (WAL,
//! `synchronous = FULL`), which is what lets the service acknowledge a run: a
//! process killed right after that finds the row at its next start.
//!
//! One process owns a database: it holds a lock on the file `NAME-lock`, because
//! a second one would take the first one's running rows for left-overs. Readers
//! of other processes, such as the `sqlite3` program, are welcome.

mod schema;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use polyloop_bridge::OffloadError;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::model::{Outcome, Run, RunId, Status, Trigger};

/// An open run history; close it by dropping it.
pub struct Store {
    connection: Mutex<Connection>,
    history: u32,
    interrupted: usize,
    /// Held while the database is open; the system lets go of it however the process ends.
    _lock: Option<File>,
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The job's name.
    pub job: String,
    /// Why it starts.
    pub trigger: Trigger,
    /// When it should have started.
    pub due_ms: i64,
    /// Now.
    pub started_ms: i64,
    /// `Queued`, `Running` or `Skipped`.
    pub status: Status,
    /// The loop that will run it, if it is chosen.
    pub loop_index: Option<i64>,
    /// Empty, or why it was skipped.
    pub output: String,
}

impl Store {
    /// Opens the file at `path`, making it if need be, and marks what a killed
    /// process left queued or running as interrupted.
    ///
    /// `history` is the number of runs kept for each job. The path `:memory:` is
    /// a database that ends with the process.
    ///
    /// # Errors
    ///
    /// Another process has it open, it is not a run history, it was written by a
    /// newer version, or the system refuses.
    pub fn open(path: &Path, history: u32) -> Result<Self, StoreError> {
        let lock = if is_in_memory(path) {
            None
        } else {
            Some(lock(path)?)
        };
        let connection = Connection::open(path)?;
        schema::prepare(&connection)?;
        let interrupted = connection.execute(
            "UPDATE runs SET status = 'interrupted', finished_ms = started_ms,
                 output = output || 'the service was killed while this run was ' || status
             WHERE status IN ('queued', 'running')",
            [],
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            history,
            interrupted,
            _lock: lock,
        })
    }

    /// How many runs a killed process had left when this one opened the database.
    #[must_use]
    pub fn interrupted(&self) -> usize {
        self.interrupted
    }

    /// Writes a row and returns its number; the oldest rows above the bound go.
    ///
    /// # Errors
    ///
    /// The database refuses; nothing is written.
    pub fn insert(&self, run: &NewRun) -> Result<RunId, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction
            .prepare_cached(
                "INSERT INTO runs (job, trigger, due_ms, started_ms, finished_ms, status,
                                   loop_index, output)
                 VALUES (:job, :trigger, :due, :started, :finished, :status, :loop, :output)",
            )?
            .execute(named_params! {
                ":job": run.job,
                ":trigger": run.trigger.as_str(),
                ":due": run.due_ms,
                ":started": run.started_ms,
                ":finished": (run.status == Status::Skipped).then_some(run.started_ms),
                ":status": run.status.as_str(),
                ":loop": run.loop_index,
                ":output": run.output,
            })?;
        let id = transaction.last_insert_rowid();
        transaction
            .prepare_cached(
                "DELETE FROM runs WHERE job = ?1 AND status NOT IN ('queued', 'running')
                   AND id <= (SELECT id FROM runs WHERE job = ?1
                              ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![run.job, self.history])?;
        transaction.commit()?;
        Ok(id)
    }

    /// Notes that a queued run has started.
    ///
    /// # Errors
    ///
    /// The database refuses.
    pub fn start(&self, id: RunId, started_ms: i64, loop_index: i64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE runs SET status = 'running', started_ms = ?2, loop_index = ?3
                 WHERE id = ?1 AND status = 'queued'",
            )?
            .execute(params![id, started_ms, loop_index])?;
        Ok(())
    }

    /// Notes how a run ended. A run that has already ended keeps its first ending.
    ///
    /// # Errors
    ///
    /// The database refuses.
    pub fn finish(&self, id: RunId, finished_ms: i64, outcome: &Outcome) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "UPDATE runs SET status = ?2, finished_ms = ?3, code = ?4, output = ?5
                 WHERE id = ?1 AND status IN ('queued', 'running')",
            )?
            .execute(params![
                id,
                outcome.status.as_str(),
                finished_ms,
                outcome.code,
                outcome.output
            ])?;
        Ok(())
    }

    /// The last `limit` runs, of one job or of all, newest first.
    ///
    /// # Errors
    ///
    /// The database refuses.
    pub fn runs(&self, job: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError> {
        let connection = self.connection();
        // One statement a case: `job = ? OR ? IS NULL` would not use the index.
        let runs = match job {
            Some(job) => connection
                .prepare_cached("SELECT * FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT ?2")?
                .query_map(params![job, limit], read_run)?
                .collect::<Result<_, _>>()?,
            None => connection
                .prepare_cached("SELECT * FROM runs ORDER BY id DESC LIMIT ?1")?
                .query_map(params![limit], read_run)?
                .collect::<Result<_, _>>()?,
        };
        Ok(runs)
    }

    /// One run, if its row is still there.
    ///
    /// # Errors
    ///
    /// The database refuses.
    pub fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        let run = self
            .connection()
            .prepare_cached("SELECT * FROM runs WHERE id = ?1")?
            .query_row([id], read_run)
            .optional()?;
        Ok(run)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a call rolled its transaction back; the connection is whole.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether SQLite takes this path for a database without a file.
#[must_use]
pub fn is_in_memory(path: &Path) -> bool {
    path.as_os_str() == ":memory:"
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = OsString::from(path);
    name.push("-lock");
    let name = PathBuf::from(name);
    let refused = |why: std::io::Error| StoreError(format!("{}: {why}", name.display()));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError(
            "another process is using it; stop that one or choose another --database".to_owned(),
        )),
        Err(TryLockError::Error(why)) => Err(refused(why)),
    }
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<Run> {
    let (trigger, status): (String, String) = (row.get("trigger")?, row.get("status")?);
    Ok(Run {
        id: row.get("id")?,
        job: row.get("job")?,
        // The table's CHECKs keep other words out; a reader still must not panic on one.
        trigger: Trigger::from_word(&trigger).unwrap_or(Trigger::Manual),
        due_ms: row.get("due_ms")?,
        started_ms: row.get("started_ms")?,
        finished_ms: row.get("finished_ms")?,
        status: Status::from_word(&status).unwrap_or(Status::Interrupted),
        code: row.get("code")?,
        loop_index: row.get("loop_index")?,
        output: row.get("output")?,
    })
}

/// Why the database refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub(super) String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

impl From<OffloadError> for StoreError {
    fn from(error: OffloadError) -> Self {
        Self(error.to_string())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}
