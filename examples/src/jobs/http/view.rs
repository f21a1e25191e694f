//! What the API and the page show: a copy of the state at one moment.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::jobs::model::{Run, RunId, Status, Trigger};

/// Everything at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct StatusView {
    /// The moment, in milliseconds since 1970 (UTC).
    pub now_ms: i64,
    /// When the service started.
    pub started_ms: i64,
    /// Whether it is ending: no run starts any more.
    pub stopping: bool,
    /// Runs that a killed process had left unfinished when this one started.
    pub interrupted: usize,
    /// The jobs, in the file's order.
    pub jobs: Vec<JobView>,
    /// The loops, the scheduling one first.
    pub loops: Vec<LoopView>,
}

/// A job and how it fares.
#[derive(Clone, Debug, Serialize)]
pub struct JobView {
    /// Its name.
    pub name: String,
    /// The line that explains it.
    pub about: Option<String>,
    /// `command`, `http`, `digest` or `sql`.
    pub kind: &'static str,
    /// The action as text.
    pub action: String,
    /// Its period.
    pub every_ms: u64,
    /// The longest that a run may take.
    pub timeout_ms: u64,
    /// `allow`, `skip` or `queue`.
    pub overlap: &'static str,
    /// When it starts next; `None` when the service is ending.
    pub next_ms: Option<i64>,
    /// Runs going on.
    pub running: usize,
    /// Runs waiting for their turn.
    pub waiting: usize,
    /// Starts that came while the machine was asleep, since the service started.
    pub missed: u64,
    /// Runs by how they ended, since the service started.
    pub ended: BTreeMap<&'static str, u64>,
    /// Time taken by runs that ended, since the service started.
    pub duration_ms_sum: u64,
    /// The last runs, newest first; those under way are among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<RunView>,
}

/// A run without its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Its number.
    pub id: RunId,
    /// Why it was started.
    pub trigger: Trigger,
    /// When it started.
    pub started_ms: i64,
    /// When it ended.
    pub finished_ms: Option<i64>,
    /// What became of it.
    pub status: Status,
    /// The exit code or the HTTP status.
    pub code: Option<i64>,
    /// The index of the loop that ran it.
    pub loop_index: Option<i64>,
}

impl From<&Run> for RunView {
    fn from(run: &Run) -> Self {
        Self {
            id: run.id,
            trigger: run.trigger,
            started_ms: run.started_ms,
            finished_ms: run.finished_ms,
            status: run.status,
            code: run.code,
            loop_index: run.loop_index,
        }
    }
}

/// A loop and how busy it is.
#[derive(Clone, Debug, Serialize)]
pub struct LoopView {
    /// Its name.
    pub name: String,
    /// The part of the last second that it was not asleep, from 0 to 1.
    pub load: f64,
    /// Tasks alive.
    pub tasks: u64,
    /// Tasks polled since it started.
    pub polls: u64,
    /// Time it was not asleep since it started.
    pub busy_seconds: f64,
    /// Runs that were given to it.
    pub runs: u64,
}
