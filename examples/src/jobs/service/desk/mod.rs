//! The desk: every job's state, and the life of every run.
//!
//! It lives on the scheduling loop and only there, so its parts are `Cell`s. No
//! borrow of a `RefCell` is held over an `await`.
//!
//! ```text
//!            begin                     attend
//!  verdict ──start──► row "running" ──► on a loop ──► row "ok", "failed", …
//!     │                                  ▲
//!     ├──wait──► row "queued" ──► queue ─┘ pump, when the run before has ended
//!     └──skip──► row "skipped"
//! ```
//!
//! A row is committed before anybody hears of its run, and a run counts as going
//! on until its end is committed.

mod life;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use polyloop::sync::Event;
use polyloop::{create_task, sleep_until};
use polyloop_bridge::channel::oneshot;

use super::clock::Origin;
use super::history::History;
use super::job::JobState;
use super::lanes::Lanes;
use crate::jobs::model::{RunId, Status, Trigger, now_ms};
use crate::jobs::run::Tools;
use crate::jobs::store::StoreError;

/// Every job's state, and the life of every run.
pub struct Desk {
    pub(super) origin: Origin,
    pub(super) jobs: Vec<JobState>,
    pub(super) lanes: Lanes,
    pub(super) history: History,
    pub(super) changed: Event,
    pub(super) interrupted: usize,
    tools: Arc<Tools>,
    live: RefCell<HashMap<RunId, Live>>,
    stopping: Cell<bool>,
    hurry: Cell<bool>,
    open: Cell<usize>,
    quiet: Event,
}

/// Why a run was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No job has this name.
    NoSuchJob,
    /// The overlap rule says no.
    Overlap(&'static str),
    /// The service is ending.
    Stopping,
    /// More is under way than the service takes on.
    Busy,
    /// Its row could not be written.
    Unrecorded(StoreError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchJob => f.write_str("there is no job of this name"),
            Self::Overlap(reason) => f.write_str(reason),
            Self::Stopping => f.write_str("the service is ending; no run starts any more"),
            Self::Busy => f.write_str("too many runs are being started; try again later"),
            Self::Unrecorded(why) => write!(f, "the run could not be recorded: {why}"),
        }
    }
}

/// A run that has not ended.
struct Live {
    job: usize,
    stage: Stage,
}

enum Stage {
    /// In its job's queue.
    Waiting,
    /// Out of the queue, not on a loop yet.
    Starting,
    /// On a loop; the sender asks it to stop.
    Running(oneshot::Sender<()>),
    /// Asked to stop.
    Asked,
}

impl Desk {
    /// A desk for these jobs.
    #[must_use]
    pub fn new(jobs: Vec<JobState>, lanes: Lanes, history: History, tools: Arc<Tools>) -> Self {
        Self {
            origin: Origin::now(),
            jobs,
            lanes,
            history,
            changed: Event::new(),
            interrupted: 0,
            tools,
            live: RefCell::default(),
            stopping: Cell::new(false),
            hurry: Cell::new(false),
            open: Cell::new(0),
            quiet: Event::new(),
        }
    }

    /// Notes how many runs a killed process had left behind.
    #[must_use]
    pub fn with_interrupted(self, interrupted: usize) -> Self {
        Self {
            interrupted,
            ..self
        }
    }

    /// Starts a job on its period until the service ends.
    pub async fn keep(self: Rc<Self>, job: usize) {
        let state = &self.jobs[job];
        loop {
            let next = state.schedule.borrow().next_at();
            sleep_until(self.origin.instant(next)).await;
            if self.is_stopping() {
                return;
            }
            let due = state.schedule.borrow_mut().take(self.origin.elapsed());
            let Some(due) = due else { continue };
            state.missed.update(|missed| missed + due.missed);
            // A task of its own: writing the row must not hold up the next start.
            let (desk, due_ms) = (Rc::clone(&self), self.origin.wall_ms(due.at));
            drop(create_task(async move {
                match desk.clone().begin(job, Trigger::Schedule, due_ms).await {
                    Ok(_) | Err(Refused::Overlap(_) | Refused::Stopping) => {}
                    Err(why) => {
                        desk.jobs[job].missed.update(|missed| missed + 1);
                        desk.complain(job, &why);
                    }
                }
            }));
        }
    }

    /// Starts a job because somebody asked; the answer comes when its row is safe.
    ///
    /// # Errors
    ///
    /// The run is not started, and no row is written.
    pub async fn run_now(self: Rc<Self>, name: &str) -> Result<(RunId, Status), Refused> {
        let job = self.jobs.iter().position(|state| state.job.name == name);
        self.begin(job.ok_or(Refused::NoSuchJob)?, Trigger::Manual, now_ms())
            .await
    }

    /// From now on nothing starts; what waits is cancelled, what runs goes on.
    pub fn stop(self: &Rc<Self>) {
        self.stopping.set(true);
        let waiting: Vec<RunId> = self
            .jobs
            .iter()
            .flat_map(|state| state.queue.borrow().clone())
            .collect();
        for id in waiting {
            self.cancel(id);
        }
        self.changed.set();
    }

    /// Whether [`Desk::stop`] was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Asks every run to stop, and those that are just starting as soon as they do.
    pub fn cancel_all(self: &Rc<Self>) -> usize {
        self.hurry.set(true);
        let live: Vec<RunId> = self.live.borrow().keys().copied().collect();
        live.iter().filter(|id| self.cancel(**id)).count()
    }

    /// Waits until no run is under way and every end is written down.
    pub async fn quiet(&self) {
        while self.open.get() > 0 {
            self.quiet.clear();
            self.quiet.wait().await;
        }
    }

    fn complain(&self, job: usize, why: &dyn fmt::Display) {
        eprintln!("jobs: {}: {why}", self.jobs[job].job.name);
    }
}

/// Something that the end of the service must wait for.
struct Open(Rc<Desk>);

impl Open {
    fn new(desk: &Rc<Desk>) -> Self {
        desk.open.update(|open| open + 1);
        Self(Rc::clone(desk))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.update(|open| open - 1);
        if self.0.open.get() == 0 {
            self.0.quiet.set();
        }
    }
}
