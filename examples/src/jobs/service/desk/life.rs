//! The life of one run, step by step; the picture is at the desk's head.

use std::rc::Rc;
use std::sync::Arc;

use polyloop::create_task;
use polyloop_bridge::channel::oneshot;
use polyloop_bridge::{Submission, run_coroutine_threadsafe};

use super::{Desk, Live, Open, Refused, Stage};
use crate::jobs::http::view::RunView;
use crate::jobs::model::{Outcome, RunId, Status, Trigger, now_ms};
use crate::jobs::run::execute;
use crate::jobs::schedule::{Verdict, verdict};
use crate::jobs::store::NewRun;

impl Desk {
    pub(super) async fn begin(
        self: Rc<Self>,
        job: usize,
        trigger: Trigger,
        due_ms: i64,
    ) -> Result<(RunId, Status), Refused> {
        if self.is_stopping() {
            return Err(Refused::Stopping);
        }
        if self.open.get() >= MAX_OPEN {
            return Err(Refused::Busy);
        }
        let open = Open::new(&self);
        let state = &self.jobs[job];
        let row = |status, loop_index: Option<usize>, output: &str| NewRun {
            job: state.job.name.clone(),
            trigger,
            due_ms,
            started_ms: now_ms(),
            status,
            loop_index: loop_index.map(index),
            output: output.to_owned(),
        };
        match verdict(state.job.overlap, state.running.get(), state.waiting.get()) {
            Verdict::Start => {
                state.running.update(|running| running + 1);
                let lane = self.lanes.choose();
                let row = row(Status::Running, Some(lane), "");
                let id = self
                    .history
                    .insert(row.clone())
                    .await
                    .inspect_err(|_| self.leave(job));
                let id = id.map_err(Refused::Unrecorded)?;
                state.remember(view(id, &row));
                self.set_stage(job, id, Stage::Starting);
                self.launch(open, job, id, lane);
                Ok((id, Status::Running))
            }
            Verdict::Wait => {
                state.waiting.update(|waiting| waiting + 1);
                let row = row(Status::Queued, None, "");
                let id = self.history.insert(row.clone()).await;
                let id = id.inspect_err(|_| state.waiting.update(|waiting| waiting - 1));
                let id = id.map_err(Refused::Unrecorded)?;
                state.remember(view(id, &row));
                self.set_stage(job, id, Stage::Waiting);
                state.queue.borrow_mut().push_back(id);
                if self.is_stopping() {
                    self.cancel(id);
                }
                self.pump(job);
                Ok((id, Status::Queued))
            }
            Verdict::Skip(reason) => {
                if trigger == Trigger::Schedule {
                    let row = row(Status::Skipped, None, reason);
                    let id = self
                        .history
                        .insert(row.clone())
                        .await
                        .map_err(Refused::Unrecorded)?;
                    state.remember(view(id, &row));
                    state.settle(id, row.started_ms, Status::Skipped, None);
                    self.changed.set();
                }
                Err(Refused::Overlap(reason))
            }
        }
    }

    /// Sends a run to its loop.
    fn launch(self: &Rc<Self>, open: Open, job: usize, id: RunId, lane: usize) {
        let (cancel, cancelled) = oneshot::channel();
        let (action, limit) = {
            let job = &self.jobs[job].job;
            (job.action.clone(), job.timeout)
        };
        let tools = Arc::clone(&self.tools);
        let submission = run_coroutine_threadsafe(self.lanes.take(lane), move || async move {
            execute(action, limit, cancelled, &tools).await
        });
        let was = self.set_stage(job, id, Stage::Running(cancel));
        if self.hurry.get() || matches!(was, Some(Stage::Asked)) {
            self.cancel(id);
        }
        self.changed.set();
        drop(create_task(
            Rc::clone(self).attend(open, job, id, submission),
        ));
    }

    /// Waits for a run and writes its end down.
    async fn attend(
        self: Rc<Self>,
        open: Open,
        job: usize,
        id: RunId,
        submission: Submission<Outcome>,
    ) {
        let outcome = submission.await.unwrap_or_else(|error| {
            // Its loop was closed under it, or a defect of ours: say which.
            let status = if error.is_panic() {
                Status::Failed
            } else {
                Status::Cancelled
            };
            Outcome::new(status, format!("{error}\n"))
        });
        self.end(job, id, outcome).await;
        self.leave(job);
        drop(open);
    }

    async fn end(&self, job: usize, id: RunId, outcome: Outcome) {
        let (finished_ms, status, code) = (now_ms(), outcome.status, outcome.code);
        if let Err(why) = self.history.finish(id, finished_ms, outcome).await {
            self.complain(job, &why);
        }
        self.live.borrow_mut().remove(&id);
        self.jobs[job].settle(id, finished_ms, status, code);
        self.changed.set();
    }

    /// A run of this job is over: the next may start.
    fn leave(self: &Rc<Self>, job: usize) {
        self.jobs[job].running.update(|running| running - 1);
        self.pump(job);
    }

    /// Starts what waits, if nothing of the job is going on.
    fn pump(self: &Rc<Self>, job: usize) {
        let state = &self.jobs[job];
        if state.running.get() > 0 || self.is_stopping() {
            return;
        }
        let Some(id) = state.queue.borrow_mut().pop_front() else {
            return;
        };
        state.waiting.update(|waiting| waiting - 1);
        state.running.update(|running| running + 1);
        self.set_stage(job, id, Stage::Starting);
        let (desk, open, lane) = (Rc::clone(self), Open::new(self), self.lanes.choose());
        drop(create_task(async move {
            let started_ms = now_ms();
            if let Err(why) = desk.history.start(id, started_ms, index(lane)).await {
                desk.complain(job, &why);
            }
            desk.jobs[job].started(id, started_ms, index(lane));
            desk.launch(open, job, id, lane);
        }));
    }

    /// Asks a run to stop; false if it is not under way.
    pub fn cancel(self: &Rc<Self>, id: RunId) -> bool {
        let mut live = self.live.borrow_mut();
        let Some(run) = live.get_mut(&id) else {
            return false;
        };
        let (job, stage) = (run.job, std::mem::replace(&mut run.stage, Stage::Asked));
        drop(live);
        match stage {
            // An error says that the run has ended meanwhile, which is as good.
            Stage::Running(cancel) => drop(cancel.send(())),
            Stage::Starting | Stage::Asked => {}
            Stage::Waiting => {
                let state = &self.jobs[job];
                state.queue.borrow_mut().retain(|waiting| *waiting != id);
                state.waiting.update(|waiting| waiting - 1);
                let (desk, open) = (Rc::clone(self), Open::new(self));
                drop(create_task(async move {
                    let reason = "cancelled while it was waiting for its turn\n";
                    desk.end(job, id, Outcome::new(Status::Cancelled, reason))
                        .await;
                    drop(open);
                }));
            }
        }
        true
    }

    fn set_stage(&self, job: usize, id: RunId, stage: Stage) -> Option<Stage> {
        let was = self.live.borrow_mut().insert(id, Live { job, stage });
        was.map(|live| live.stage)
    }
}

fn view(id: RunId, row: &NewRun) -> RunView {
    RunView {
        id,
        trigger: row.trigger,
        started_ms: row.started_ms,
        finished_ms: None,
        status: row.status,
        code: None,
        loop_index: row.loop_index,
    }
}

fn index(lane: usize) -> i64 {
    i64::try_from(lane).unwrap_or(i64::MAX)
}

/// Runs under way and rows being written; a disk that hangs must not fill the memory.
const MAX_OPEN: usize = 4096;
