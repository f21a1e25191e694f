//! The loops that runs are given to, and how busy all loops are.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use polyloop::{LoopHandle, gather, sleep};
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};

use crate::jobs::http::view::LoopView;

/// The loops of the group, each with the runs it was given.
pub struct Lanes {
    group: LoopGroup,
    /// The scheduling loop first, then the group's.
    lanes: Vec<Lane>,
    sampled: Cell<Option<Instant>>,
}

struct Lane {
    handle: LoopHandle,
    runs: Cell<u64>,
    since: Instant,
    last: RefCell<Sample>,
}

/// A loop's figures at one moment.
#[derive(Clone, Copy)]
struct Sample {
    at: Duration,
    awake: Duration,
    load: f64,
}

impl Lanes {
    /// The loops of `group`, and the one that this is called on.
    #[must_use]
    pub fn new(group: LoopGroup) -> Self {
        let handles = std::iter::once(polyloop::current_loop()).chain(group.iter().cloned());
        let lanes = handles.map(Lane::new).collect();
        Self {
            group,
            lanes,
            sampled: Cell::new(None),
        }
    }

    /// The index, in the group, of the loop that should take the next run.
    #[must_use]
    pub fn choose(&self) -> usize {
        let chosen = self.group.least_loaded();
        self.lanes[1..]
            .iter()
            .position(|lane| lane.handle == *chosen)
            .unwrap_or(0)
    }

    /// The loop at an index in the group, counted as having been given a run.
    pub fn take(&self, index: usize) -> &LoopHandle {
        let lane = &self.lanes[index + 1];
        lane.runs.update(|runs| runs + 1);
        &lane.handle
    }

    /// Looks at every loop, unless somebody has just done so.
    ///
    /// A sleeping loop does not say since when it sleeps: a wait is counted when it
    /// is over. So each is woken for a moment first; what is read after that is
    /// right to about two milliseconds.
    pub async fn sample(&self) {
        if self
            .sampled
            .get()
            .is_some_and(|at| at.elapsed() < SAMPLE_EVERY)
        {
            return;
        }
        self.sampled.set(Some(Instant::now()));
        // A loop that is closed has nothing to tell any more; its error says no more.
        let _ = gather(
            self.lanes[1..]
                .iter()
                .map(|lane| run_coroutine_threadsafe(&lane.handle, || async {})),
        )
        .await;
        sleep(SETTLE).await;
        for lane in &self.lanes {
            lane.sample();
        }
    }

    /// Every loop as of the last look, the scheduling one first.
    #[must_use]
    pub fn view(&self) -> Vec<LoopView> {
        self.lanes.iter().map(Lane::view).collect()
    }
}

impl Lane {
    fn new(handle: LoopHandle) -> Self {
        // Figures count from here: the loop may be a little older.
        let asleep = handle.metrics().parked;
        let since = Instant::now()
            .checked_sub(asleep)
            .unwrap_or_else(Instant::now);
        let zero = Sample {
            at: Duration::ZERO,
            awake: Duration::ZERO,
            load: 0.0,
        };
        Self {
            handle,
            runs: Cell::new(0),
            since,
            last: RefCell::new(zero),
        }
    }

    fn sample(&self) {
        let mut last = self.last.borrow_mut();
        let at = self.since.elapsed();
        let awake = at
            .saturating_sub(self.handle.metrics().parked)
            .max(last.awake);
        let span = at.saturating_sub(last.at).max(SETTLE);
        let load = (awake - last.awake).as_secs_f64() / span.as_secs_f64();
        *last = Sample {
            at,
            awake,
            load: load.min(1.0),
        };
    }

    fn view(&self) -> LoopView {
        let (metrics, last) = (self.handle.metrics(), *self.last.borrow());
        LoopView {
            name: self.handle.name().to_owned(),
            load: (last.load * 1000.0).round() / 1000.0,
            tasks: metrics.tasks,
            polls: metrics.polls,
            busy_seconds: last.awake.as_secs_f64(),
            runs: self.runs.get(),
        }
    }
}

/// Between two looks at the loops.
pub const SAMPLE_EVERY: Duration = Duration::from_millis(900);

/// What a woken loop needs to go back to sleep.
const SETTLE: Duration = Duration::from_millis(2);
