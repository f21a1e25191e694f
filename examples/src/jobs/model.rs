//! The words that every part of the service shares.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// A run's number, given by the database when the run's row is committed.
pub type RunId = i64;

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, waiting for the run before it (`overlap = "queue"`).
    Queued,
    /// Under way on one of the loops.
    Running,
    /// Ended well.
    Ok,
    /// Ended, and its action said that something is wrong.
    Failed,
    /// Stopped because it took longer than its timeout.
    Timeout,
    /// Stopped because somebody asked for it, or because the service was ending.
    Cancelled,
    /// The service was killed while the run was queued or running.
    Interrupted,
    /// Not started, because the run before it was still going on.
    Skipped,
}

impl Status {
    /// Every status, in the order in which counts are shown.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Ok,
        Self::Failed,
        Self::Timeout,
        Self::Cancelled,
        Self::Interrupted,
        Self::Skipped,
    ];

    /// The word used in the database, in the API and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        }
    }

    /// The status that [`Status::as_str`] wrote, if it did.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Why a run was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trigger {
    /// Its period came round.
    Schedule,
    /// Somebody asked for it over HTTP.
    Manual,
}

impl Trigger {
    /// The word used in the database and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
        }
    }

    /// The trigger that [`Trigger::as_str`] wrote, if it did.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Schedule, Self::Manual]
            .into_iter()
            .find(|trigger| trigger.as_str() == word)
    }
}

/// How a run's action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Never `Queued`, `Running` or `Interrupted`.
    pub status: Status,
    /// The process's exit code or the HTTP status, where there is one.
    pub code: Option<i64>,
    /// What the action had to say, already bounded.
    pub output: String,
}

impl Outcome {
    /// An outcome without a code.
    #[must_use]
    pub fn new(status: Status, output: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            output: output.into(),
        }
    }
}

/// A row of the run history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The run's number.
    pub id: RunId,
    /// The job's name.
    pub job: String,
    /// Why it was started.
    pub trigger: Trigger,
    /// When it should have started, in milliseconds since 1970 (UTC).
    pub due_ms: i64,
    /// When it was accepted or, once it runs, when it started.
    pub started_ms: i64,
    /// When it ended; `None` while it has not.
    pub finished_ms: Option<i64>,
    /// What became of it.
    pub status: Status,
    /// The process's exit code or the HTTP status, where there is one.
    pub code: Option<i64>,
    /// The index of the loop that ran it; `None` if it did not start.
    pub loop_index: Option<i64>,
    /// What the action had to say.
    pub output: String,
}

/// The wall clock, in milliseconds since 1970 (UTC); zero on a clock before that.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
