//! The blocking part of the `sql` action: one query, read-only, as a text table.

use std::path::Path;
use std::time::Duration;

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use super::output::Output;
use super::stop::StopSignal;
use crate::jobs::model::{Outcome, Status};

/// Runs `query` on the file at `path`; blocks the thread.
#[must_use]
pub fn run(path: &Path, query: &str, stop: &StopSignal) -> Outcome {
    match table(path, query, stop) {
        Ok(text) => Outcome::new(Status::Ok, text),
        Err(why) => Outcome::new(Status::Failed, format!("{why}\n")),
    }
}

fn table(path: &Path, query: &str, stop: &StopSignal) -> rusqlite::Result<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    // ATTACH would be a way to make and write another file.
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.busy_timeout(Duration::from_secs(1))?;
    let stop = stop.clone();
    connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || stop.is_set()))?;

    let mut statement = connection.prepare(query)?;
    let names = statement.column_names().map(str::to_owned).collect();
    let columns = statement.column_count();
    let mut lines: Vec<Vec<String>> = vec![names];
    let mut more = false;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if lines.len() > MAX_ROWS {
            more = true;
            break;
        }
        lines.push(
            (0..columns)
                .map(|index| cell(row, index))
                .collect::<Result<_, _>>()?,
        );
    }
    Ok(aligned(&lines, more))
}

fn cell(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(index)? {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            visible.take(MAX_CELL).collect()
        }
        ValueRef::Blob(bytes) => format!("<{} bytes>", bytes.len()),
    })
}

/// Columns as wide as their widest cell, two spaces between them.
fn aligned(lines: &[Vec<String>], more: bool) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).filter_map(width).collect();
    let mut output = Output::default();
    for line in lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        output.line(cells.join("  ").trim_end());
    }
    if more {
        output.line(&format!("… more than {MAX_ROWS} rows …"));
    }
    output.into_text()
}

/// Virtual machine steps of SQLite between two looks at the order to stop.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;
const MAX_ROWS: usize = 1000;
const MAX_CELL: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::run::stop::order;

    fn ask(query: &str) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE t (name, n); INSERT INTO t VALUES ('a', 1), ('bcd', NULL)")
            .unwrap();
        let (_stop, signal) = order().unwrap();
        run(&path, query, &signal)
    }

    #[test]
    fn rows_come_as_an_aligned_table() {
        let outcome = ask("SELECT name, n, 1.5 AS x FROM t ORDER BY name;");
        assert_eq!(outcome.status, Status::Ok, "{}", outcome.output);
        assert_eq!(outcome.output, "name  n  x\na     1  1.5\nbcd   -  1.5\n");
    }

    #[test]
    fn writing_is_refused() {
        for query in [
            "INSERT INTO t VALUES ('x', 1)",
            "DELETE FROM t",
            "CREATE TABLE u (x)",
            "ATTACH 'other.db' AS other",
            "SELECT 1; DELETE FROM t",
        ] {
            assert_eq!(ask(query).status, Status::Failed, "{query}");
        }
        assert!(!Path::new("other.db").exists());
    }

    #[test]
    fn mistakes_and_missing_files_are_failures() {
        let outcome = ask("SELECT x FROM nowhere");
        assert!(
            outcome.output.contains("no such table: nowhere"),
            "{}",
            outcome.output
        );
        let (_stop, signal) = order().unwrap();
        let outcome = run(Path::new("/nowhere.db"), "SELECT 1", &signal);
        assert_eq!(outcome.status, Status::Failed);
    }

    #[test]
    fn a_query_without_end_stops_when_told() {
        let (stop, signal) = order().unwrap();
        let query = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
                     SELECT count(*) FROM c";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        drop(
            Connection::open(&path)
                .unwrap()
                .execute_batch("CREATE TABLE t (n)"),
        );
        let thread = std::thread::spawn(move || run(&path, query, &signal));
        drop(stop);
        let outcome = thread.join().unwrap();
        assert_eq!(outcome.status, Status::Failed);
        assert!(outcome.output.contains("interrupted"), "{}", outcome.output);
    }
}
