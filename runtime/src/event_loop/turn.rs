//! One iteration of the loop, and what decides how it waits.
//!
//! The order of a turn: take the inbox, fire due timers, poll a batch of ready
//! tasks whose length is fixed when it begins, then wait for events (not at all
//! if anything is ready). What a turn schedules runs in the next one, so a task
//! that wakes itself starves nothing.
//!
//! # Looking at I/O while busy
//! While tasks are ready, a system call each turn would cost more than the
//! turns. After every `event_interval` polls (61 by default) the clock is read,
//! and I/O is looked at if it is time ([`Looks`]: 50 µs after the last look at
//! the latest). When polls are slow the interval is halved, down to one poll. So
//! between two looks lie at most `event_interval` polls, and at most about 50 µs
//! plus one poll's time once the loop knows how slow they are. What they bring,
//! timers and arrivals from other threads wait for the end of the batch.
//!
//! # Fairness
//! In a turn every task that was ready at its start is polled once, [`ARRIVALS`]
//! of what other threads sent are at most added to them, and a poll
//! does at most [`BUDGET`](crate::coop::BUDGET) operations on sockets and on
//! the bridge's channels. So whatever floods the loop (a task that wakes itself,
//! callbacks that schedule callbacks, a socket that always has data, arrivals
//! from other threads), a ready task waits for one poll of each of the others,
//! a due timer for one batch, a socket for a batch and the look at I/O above,
//! and an arrival for one batch, or one for each [`ARRIVALS`] that came before it.
//!
//! [`ARRIVALS`]: super::home::ARRIVALS
//!
//! # Waiting
//! Before it sleeps, the loop spins on its mailbox and its I/O for as long as
//! [`SpinBudget`] says.
#![forbid(unsafe_code)]

use super::core::Core;
use super::looks::Looks;
use super::shuffle::Shuffle;
use super::timing::Timing;
use super::watch::run_watched;
use crate::coop;
use crate::error::{RunError, TaskError};
use crate::reactor::{Driver, Wait};
use crate::remote::phase;
use crate::spin::{BusyThread, SpinBudget};
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// How often unused cell memory is given back.
const TRIM_EVERY: u64 = 1_000_000_000;
/// Less memory than this is not worth waking up for.
const KEEP: usize = 64 << 10;

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Turn {
    /// Tasks and callbacks polled.
    pub polled: usize,
    /// Events that the driver delivered at the turn's end.
    pub events: usize,
}

/// The part of a loop that waits; separate from the core, which tasks see.
pub(super) struct Engine {
    driver: Box<dyn Driver>,
    timing: Timing,
    pub(super) spin: SpinBudget,
    pub(super) shuffle: Option<Shuffle>,
    busy: Option<BusyThread>,
    event_interval: u32,
    /// Polls between two looks at the clock, and how many are left of them.
    stride: u32,
    polls_left: u32,
    looks: Looks,
    trimmed: u64,
    turns: u64,
    polls: u64,
    parks: u64,
    parked: u64,
}

impl Engine {
    pub(super) fn new(driver: Box<dyn Driver>, spin: SpinBudget, event_interval: u32) -> Self {
        Self {
            driver,
            timing: Timing::default(),
            spin,
            shuffle: None,
            busy: None,
            event_interval,
            stride: event_interval,
            polls_left: event_interval,
            looks: Looks::new(),
            trimmed: 0,
            turns: 0,
            polls: 0,
            parks: 0,
            parked: 0,
        }
    }

    /// Turns until `done` or stopped; a stop ends this run, and no other.
    pub(super) fn run(&mut self, core: &Core, done: impl Fn() -> bool) -> Result<(), RunError> {
        self.busy = Some(BusyThread::enter());
        core.mailbox().phase.store(phase::RUNNING, Relaxed);
        core.refresh_now();
        let result = loop {
            if let Err(error) = self.turn(core, None, &done) {
                break Err(RunError::Driver(error.kind()));
            }
            if done() || core.stopping.get() {
                break Ok(());
            }
        };
        core.stopping.set(false);
        coop::end();
        core.mailbox().phase.store(phase::STOPPED, Relaxed);
        self.publish(core);
        self.busy = None;
        result
    }

    /// A run of one turn.
    pub(super) fn run_once(
        &mut self,
        core: &Core,
        max_wait: Option<Duration>,
        done: impl Fn() -> bool,
    ) -> io::Result<Turn> {
        self.busy = Some(BusyThread::enter());
        // Between two turns too: whoever makes them is going to make more.
        core.mailbox().phase.store(phase::RUNNING, Relaxed);
        core.refresh_now();
        let turn = self.turn(core, max_wait, done);
        core.stopping.set(false);
        coop::end();
        self.busy = None;
        turn
    }

    /// One iteration. `done` keeps it from waiting.
    #[inline(always)]
    fn turn(
        &mut self,
        core: &Core,
        max_wait: Option<Duration>,
        done: impl Fn() -> bool,
    ) -> io::Result<Turn> {
        self.turns += 1;
        core.take_inbox();
        if core.has_timers.get() {
            self.timing.fire(core);
        }
        let polled = self.run_batch(core)?;
        let mut events = 0;
        if core.ready.len() == 0 && core.backlog.len() == 0 && !done() {
            events = if core.stopping.get() {
                self.look(core)?
            } else {
                self.wait(core, max_wait)?
            };
        }
        Ok(Turn { polled, events })
    }

    /// Polls what is ready now, with a look around after every stride.
    // Part of the turn: a batch is often a single task.
    #[inline(always)]
    fn run_batch(&mut self, core: &Core) -> io::Result<usize> {
        let batch = core.ready.len();
        if let Some(shuffle) = &mut self.shuffle {
            shuffle.mix(&core.ready);
        }
        let mut left = batch;
        while left > 0 {
            let stretch = left.min(self.polls_left as usize);
            if core.observer.watches() {
                run_watched(core, stretch);
            } else {
                run_tasks(core, stretch);
            }
            left -= stretch;
            self.polls_left -= stretch as u32;
            if self.polls_left == 0 {
                self.look_around(core)?;
            }
        }
        Ok(batch)
    }

    /// After a stride of polls: what time is it, and what about I/O?
    #[cold]
    fn look_around(&mut self, core: &Core) -> io::Result<()> {
        self.polls += u64::from(self.stride);
        let before = core.now.get();
        let now = core.refresh_now();
        let took = now - before.min(now);
        self.stride = if took > 2 * self.looks.every() {
            (self.stride / 2).max(1)
        } else {
            (self.stride * 2).min(self.event_interval)
        };
        self.polls_left = self.stride;
        // A clock of the loop's own may stand still while the loop is busy.
        if self.looks.is_due(now) || core.clock.is_some() {
            self.publish(core);
            if self.look(core)? == 0 {
                self.looks.was_in_vain(now);
            }
        }
        Ok(())
    }

    /// Collects the events that are there, without waiting.
    fn look(&mut self, core: &Core) -> io::Result<usize> {
        let events = drive(&mut *self.driver, core, Wait::Poll)?;
        self.looks.looked(core.refresh_now());
        Ok(events)
    }

    /// Nothing is ready: waits for the next timer, an event or an arrival.
    fn wait(&mut self, core: &Core, max_wait: Option<Duration>) -> io::Result<usize> {
        let moment = core.time();
        let began = core.set_now(moment);
        let timer = self.timing.next(core);
        let limit = max_wait.map(|wait| began.saturating_add(as_nanos(wait)));
        let deadline = match (timer, limit) {
            (Some(timer), Some(limit)) => Some(timer.min(limit)),
            (timer, limit) => timer.or(limit),
        };
        if deadline.is_some_and(|deadline| deadline <= began) {
            return self.look(core);
        }
        if let (Some(clock), Some(deadline)) = (&core.clock, deadline) {
            let events = self.look(core)?;
            let quiet = events == 0 && core.ready.len() == 0 && !core.mailbox().has_mail();
            if !quiet
                || core
                    .moment(deadline)
                    .is_some_and(|moment| clock.jump(moment))
            {
                core.refresh_now();
                return Ok(events);
            }
        }
        // The spin is real time, whatever clock the loop has.
        let since = core.clock.as_ref().map_or(moment, |_| Instant::now());
        if let Some(events) = self.spin(core, since, deadline)? {
            let now = match (&core.clock, events) {
                // Mail: to read the clock would cost as much as all the rest.
                (None, 0) => core.set_now(moment + self.spin.spun()),
                _ => core.refresh_now(),
            };
            self.looks.looked(now);
            self.learn(now - began.min(now));
            return Ok(events);
        }
        self.park(core, began, deadline)
    }

    /// Looks for mail and events for as long as the budget allows; `None` if
    /// nothing came.
    fn spin(
        &mut self,
        core: &Core,
        since: Instant,
        deadline: Option<u64>,
    ) -> io::Result<Option<usize>> {
        let deadline = deadline.and_then(|deadline| core.moment(deadline));
        let (mailbox, driver) = (core.mailbox(), &mut *self.driver);
        let found = self.spin.spin_since(since, deadline, |costly| {
            if mailbox.has_mail() {
                return Some(Ok(0));
            }
            if !costly || core.reactor.len() == 0 {
                return None;
            }
            match drive(driver, core, Wait::Poll) {
                Ok(0) => None,
                answer => Some(answer),
            }
        });
        found.transpose()
    }

    /// Sleeps until an event, an arrival or `deadline`.
    fn park(&mut self, core: &Core, began: u64, deadline: Option<u64>) -> io::Result<usize> {
        core.hook(|hooks| hooks.before_park());
        if core.ready.len() > 0 {
            // The hook woke somebody.
            return Ok(0);
        }
        self.publish(core);
        let deadline = self.trim(core, began, deadline);
        if !core.mailbox().park() {
            return Ok(0);
        }
        let busy = self.busy.take();
        let was_busy = busy.is_some();
        drop(busy);
        // No moment: centuries ahead, or no deadline at all.
        let moment = deadline.and_then(|deadline| core.moment(deadline));
        let wait = moment.map_or(Wait::Forever, Wait::Until);
        // Where nothing came between, the wait's own beginning is as good.
        let exactly = core.clock.is_some() || core.observer.hooks.is_some();
        let slept = exactly.then(Instant::now);
        let events = drive(&mut *self.driver, core, wait);
        if was_busy {
            self.busy = Some(BusyThread::enter());
        }
        let now = core.refresh_now();
        self.looks.looked(now);
        self.parks += 1;
        self.parked += slept.map_or_else(
            || now.saturating_sub(began + as_nanos(self.spin.spun())),
            |slept| as_nanos(slept.elapsed()),
        );
        core.hook(|hooks| hooks.after_park());
        let events = events?;
        // A timer's end is no conversation, however soon it came.
        let came = events > 0 || core.mailbox().has_mail();
        self.learn(if came { now - began.min(now) } else { u64::MAX });
        Ok(events)
    }

    fn learn(&mut self, waited: u64) {
        self.spin.wait_ended(Duration::from_nanos(waited));
    }

    /// Gives unused cell memory back now and then; while a lot is kept, sleeps
    /// no longer than until the next time.
    fn trim(&mut self, core: &Core, now: u64, deadline: Option<u64>) -> Option<u64> {
        if now - self.trimmed.min(now) >= TRIM_EVERY {
            self.trimmed = now;
            core.pool.trim(core.mailbox().returns());
        }
        if core.pool.bytes() < KEEP || core.clock.is_some() {
            return deadline;
        }
        let next = self.trimmed + TRIM_EVERY;
        Some(deadline.map_or(next, |deadline| deadline.min(next)))
    }

    /// Writes the loop's figures where other threads read them.
    fn publish(&mut self, core: &Core) {
        let counters = &core.mailbox().counters;
        counters.turns.store(self.turns, Relaxed);
        let polls = self.polls + u64::from(self.stride - self.polls_left);
        counters.polls.store(polls, Relaxed);
        counters.tasks.store(core.tasks.len() as u64, Relaxed);
        let ready = core.ready.len() + core.backlog.len();
        counters.ready.store(ready as u64, Relaxed);
        counters.parks.store(self.parks, Relaxed);
        counters.parked_ns.store(self.parked, Relaxed);
    }
}

/// Polls the next `count` tasks. One guard serves them all: a panic ends the
/// task that was being polled, and the rest go on.
#[inline(always)]
pub(super) fn run_tasks(core: &Core, count: usize) {
    let left = Cell::new(count);
    while left.get() > 0 {
        let ran = catch_unwind(AssertUnwindSafe(|| {
            while left.get() > 0 {
                left.set(left.get() - 1);
                let Some(task) = core.ready.pop() else {
                    return left.set(0);
                };
                core.running.set(Some(task));
                coop::begin();
                core.run(task);
            }
        }));
        if let (Err(payload), Some(task)) = (ran, core.running.get()) {
            core.abort(task, TaskError::panic(payload));
        }
    }
    core.running.set(None);
}

/// Waits with the driver, and passes on what came.
fn drive(driver: &mut dyn Driver, core: &Core, wait: Wait) -> io::Result<usize> {
    if wait == Wait::Forever && core.reactor.len() == 0 {
        return driver.park().map(|()| 0);
    }
    let mut events = 0;
    driver.wait(wait, &mut |event| {
        events += 1;
        core.reactor
            .dispatch(event, |waker| core.guarded(|| waker.wake()));
    })?;
    Ok(events)
}

fn as_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
