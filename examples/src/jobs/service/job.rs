//! One job's state.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use crate::jobs::config::Job;
use crate::jobs::http::view::{JobView, RunView};
use crate::jobs::model::{Run, RunId, Status};
use crate::jobs::schedule::Schedule;

/// One job's state; it lives on the scheduling loop.
pub struct JobState {
    pub(super) job: Job,
    pub(super) schedule: RefCell<Schedule>,
    /// Runs going on, from the decision to start to the commit of the end.
    pub(super) running: Cell<usize>,
    /// Runs waiting, from the decision to let them wait.
    pub(super) waiting: Cell<usize>,
    /// Those of the waiting whose row is written, in order.
    pub(super) queue: RefCell<VecDeque<RunId>>,
    pub(super) missed: Cell<u64>,
    ended: RefCell<BTreeMap<&'static str, u64>>,
    duration_ms_sum: Cell<u64>,
    /// The last runs, oldest first.
    recent: RefCell<VecDeque<RunView>>,
}

impl JobState {
    /// A job with the runs of former processes, newest first.
    #[must_use]
    pub fn new(job: Job, former: &[Run]) -> Self {
        Self {
            schedule: RefCell::new(Schedule::new(job.every)),
            job,
            running: Cell::new(0),
            waiting: Cell::new(0),
            queue: RefCell::default(),
            missed: Cell::new(0),
            ended: RefCell::default(),
            duration_ms_sum: Cell::new(0),
            recent: RefCell::new(former.iter().rev().map(RunView::from).collect()),
        }
    }

    /// Adds a run to the recent ones; the oldest that has ended makes room.
    pub(super) fn remember(&self, run: RunView) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(run);
        if recent.len() > RECENT as usize {
            let oldest = recent.iter().position(|run| run.finished_ms.is_some());
            recent.remove(oldest.unwrap_or(0));
        }
    }

    /// A waiting run has started.
    pub(super) fn started(&self, id: RunId, started_ms: i64, loop_index: i64) {
        if let Some(run) = self.recent.borrow_mut().iter_mut().find(|run| run.id == id) {
            run.status = Status::Running;
            run.started_ms = started_ms;
            run.loop_index = Some(loop_index);
        }
    }

    /// A run has ended.
    pub(super) fn settle(&self, id: RunId, finished_ms: i64, status: Status, code: Option<i64>) {
        *self.ended.borrow_mut().entry(status.as_str()).or_default() += 1;
        if let Some(run) = self.recent.borrow_mut().iter_mut().find(|run| run.id == id) {
            let took = u64::try_from(finished_ms - run.started_ms).unwrap_or(0);
            self.duration_ms_sum.update(|sum| sum.saturating_add(took));
            run.status = status;
            run.finished_ms = Some(finished_ms);
            run.code = code;
        }
    }

    /// How many runs ended so.
    pub(super) fn ended(&self, status: Status) -> u64 {
        self.ended
            .borrow()
            .get(status.as_str())
            .copied()
            .unwrap_or(0)
    }

    /// A copy for the API.
    pub(super) fn view(&self, next_ms: Option<i64>) -> JobView {
        let job = &self.job;
        JobView {
            name: job.name.clone(),
            about: job.about.clone(),
            kind: job.action.kind(),
            action: job.action.to_string(),
            every_ms: u64::try_from(job.every.as_millis()).unwrap_or(u64::MAX),
            timeout_ms: u64::try_from(job.timeout.as_millis()).unwrap_or(u64::MAX),
            overlap: job.overlap.as_str(),
            next_ms,
            running: self.running.get(),
            waiting: self.waiting.get(),
            missed: self.missed.get(),
            ended: self.ended.borrow().clone(),
            duration_ms_sum: self.duration_ms_sum.get(),
            recent: self.recent.borrow().iter().rev().cloned().collect(),
        }
    }
}

/// Runs of each job that the page draws.
pub const RECENT: u32 = 40;
