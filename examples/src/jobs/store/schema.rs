//! The tables, and what is asked of SQLite.

use std::time::Duration;

use rusqlite::Connection;

use super::StoreError;

/// Brings an open file to the present schema.
pub(super) fn prepare(connection: &Connection) -> Result<(), StoreError> {
    // A reader of another process may hold the file for a moment.
    connection.busy_timeout(Duration::from_secs(5))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(StoreError(format!(
            "the database has schema version {version}, this program knows {VERSION}; \
             use a newer program or another --database"
        )));
    }
    if version == 0 && !is_empty(connection)? {
        return Err(StoreError(
            "the file is a database of something else; choose another --database".to_owned(),
        ));
    }
    // WAL lets readers read while a run is written; FULL makes a commit wait for the disk.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    if version == 0 {
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    Ok(())
}

fn is_empty(connection: &Connection) -> Result<bool, StoreError> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

/// Raised by one with every change of [`TABLES`], together with a step that brings
/// older files up to it.
pub(super) const VERSION: i64 = 1;

/// AUTOINCREMENT: a number that was given out is never given again, even after its
/// row has left the history, so an id in a log means one run for ever.
const TABLES: &str = "
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    job         TEXT    NOT NULL,
    trigger     TEXT    NOT NULL CHECK (trigger IN ('schedule', 'manual')),
    due_ms      INTEGER NOT NULL,
    started_ms  INTEGER NOT NULL,
    finished_ms INTEGER,
    status      TEXT    NOT NULL CHECK (status IN ('queued', 'running', 'ok', 'failed',
                            'timeout', 'cancelled', 'interrupted', 'skipped')),
    code        INTEGER,
    loop_index  INTEGER,
    output      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX runs_by_job ON runs (job, id);
CREATE INDEX runs_unfinished ON runs (status) WHERE status IN ('queued', 'running');
";
