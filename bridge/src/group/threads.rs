//! The table of a group's threads: who was started, who has ended and how.
//!
//! A thread is entered before it starts and writes its report when it ends,
//! whatever happened, so a wait for the end of all always ends when they do. A
//! group that is stopping enters nobody any more, and a loop that was being
//! started meanwhile is stopped as soon as it is known.
#![forbid(unsafe_code)]

use super::LoopReport;
use super::error::Cause;
use crate::waiters::{Ticket, Waiters, block_on, deadline_after};
use parking_lot::Mutex;
use polyloop::LoopHandle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

pub(super) struct Threads {
    table: Mutex<Table>,
    waiters: Waiters,
}

#[derive(Default)]
struct Table {
    /// By record, in the order of their starts.
    entries: BTreeMap<u64, Entry>,
    next: u64,
    stopping: bool,
    watchdog: Option<ThreadId>,
    watchdog_join: Option<JoinHandle<()>>,
}

struct Entry {
    name: String,
    /// In nanoseconds; what the loop gives its tasks when it is stopped.
    grace: Arc<AtomicU64>,
    /// Known once the loop runs.
    handle: Option<LoopHandle>,
    report: Option<LoopReport>,
    join: Option<JoinHandle<()>>,
}

impl Entry {
    fn stop(&self, grace: Duration) {
        self.grace.store(nanoseconds(grace), Relaxed);
        if let Some(handle) = &self.handle {
            handle.stop();
        }
    }

    fn is_own_thread(&self) -> bool {
        self.handle.as_ref().is_some_and(LoopHandle::is_own_thread)
    }
}

impl Threads {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::default(),
            waiters: Waiters::new(),
        }
    }

    /// Enters a thread that is about to be started; gives its record and what
    /// its loop will read its grace from.
    ///
    /// # Errors
    /// The group is being stopped.
    pub(super) fn enter(&self, name: &str) -> Result<(u64, Arc<AtomicU64>), Cause> {
        let mut table = self.table.lock();
        if table.stopping {
            return Err(Cause::Stopped);
        }
        let record = table.next;
        table.next += 1;
        let grace = Arc::new(AtomicU64::new(nanoseconds(DEFAULT_GRACE)));
        let entry = Entry {
            name: name.to_owned(),
            grace: grace.clone(),
            handle: None,
            report: None,
            join: None,
        };
        table.entries.insert(record, entry);
        Ok((record, grace))
    }

    pub(super) fn started(&self, record: u64, join: JoinHandle<()>) {
        if let Some(entry) = self.table.lock().entries.get_mut(&record) {
            entry.join = Some(join);
        }
    }

    /// The system refused this thread, or its loop did not come to run.
    pub(super) fn never_ran(&self, record: u64) {
        let entry = self.table.lock().entries.remove(&record);
        self.waiters.wake_all();
        if let Some(join) = entry.and_then(|entry| entry.join) {
            // It has nothing left to do; its panic was told already.
            let _ = join.join();
        }
    }

    /// This is the loop of that thread.
    pub(super) fn runs(&self, record: u64, handle: &LoopHandle) {
        let mut table = self.table.lock();
        let stopping = table.stopping;
        if let Some(entry) = table.entries.get_mut(&record) {
            entry.handle = Some(handle.clone());
            if stopping {
                handle.stop();
            }
        }
    }

    /// Called by the thread itself, as its last act.
    pub(super) fn ended(&self, record: u64, report: LoopReport) {
        if let Some(entry) = self.table.lock().entries.get_mut(&record) {
            entry.report = Some(report);
        }
        self.waiters.wake_all();
    }

    /// Stops one loop.
    pub(super) fn stop(&self, record: u64, grace: Duration) {
        if let Some(entry) = self.table.lock().entries.get(&record) {
            entry.stop(grace);
        }
    }

    /// Stops all loops and starts no more.
    pub(super) fn stop_all(&self, grace: Duration) {
        let mut table = self.table.lock();
        table.stopping = true;
        for entry in table.entries.values() {
            entry.stop(grace);
        }
        drop(table);
        self.waiters.wake_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.table.lock().stopping
    }

    /// How many loops were entered and not taken out again.
    #[cfg(all(test, not(loom)))]
    pub(super) fn len(&self) -> usize {
        self.table.lock().entries.len()
    }

    /// The report of a loop that has ended.
    pub(super) fn report(&self, record: u64) -> Option<LoopReport> {
        self.table.lock().entries.get(&record)?.report.clone()
    }

    /// Waits for the end of one loop, and takes it out of the table; `None` if
    /// it did not end in time, or is the calling thread's own.
    pub(super) fn wait_for(&self, record: u64, deadline: Option<Instant>) -> Option<LoopReport> {
        let ended = |table: &Table| match table.entries.get(&record) {
            Some(entry) => entry.report.is_some() || entry.is_own_thread(),
            None => true,
        };
        self.wait_until(deadline, ended);
        let entry = {
            let mut table = self.table.lock();
            let has_ended = table.entries.get(&record)?.report.is_some();
            has_ended.then(|| table.entries.remove(&record)).flatten()?
        };
        join(entry.join);
        entry.report
    }

    /// Waits for the end of all loops but the calling thread's own.
    pub(super) fn wait_all(&self, deadline: Option<Instant>) -> Vec<LoopReport> {
        let own = thread::current().id();
        let all_ended = |table: &Table| {
            let mut entries = table.entries.values();
            let watched = table.watchdog.is_some_and(|watchdog| watchdog != own);
            entries.all(|entry| entry.report.is_some() || entry.is_own_thread())
                && !(table.stopping && watched)
        };
        self.wait_until(deadline, all_ended);
        let joins: Vec<_> = {
            let mut table = self.table.lock();
            let ended = |entry: &&mut Entry| entry.report.is_some() && !entry.is_own_thread();
            let entries = table.entries.values_mut().filter(ended);
            let mut joins: Vec<_> = entries.map(|entry| entry.join.take()).collect();
            if table.watchdog.is_none() {
                joins.push(table.watchdog_join.take());
            }
            joins
        };
        joins.into_iter().for_each(join);
        let table = self.table.lock();
        let report = |entry: &Entry| match &entry.report {
            Some(report) => report.clone(),
            None => LoopReport::not_ended(&entry.name),
        };
        table.entries.values().map(report).collect()
    }

    /// Waits until the table is as it should be; false if the deadline came
    /// first. Looked at whenever a loop ends and when the group is stopped.
    fn wait_until(&self, deadline: Option<Instant>, right: impl Fn(&Table) -> bool) -> bool {
        self.wait(deadline, |_| match right(&self.table.lock()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .is_some()
    }

    /// Blocks on `poll`, which is called again whenever a loop ends and when the
    /// group is stopped; `None` if the deadline came first.
    pub(super) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        let mut ticket = Ticket::new();
        let answer = block_on(deadline, |cx| {
            if let Poll::Ready(answer) = poll(cx) {
                return Poll::Ready(answer);
            }
            self.waiters.join(&mut ticket, cx.waker());
            // Something may have happened between the look and the joining.
            poll(cx)
        });
        self.waiters.leave(&mut ticket);
        answer.ok()
    }

    // ---- the watchdog's own thread ----

    /// Called by the thread itself, as its first act.
    pub(super) fn watchdog_runs(&self) {
        self.table.lock().watchdog = Some(thread::current().id());
    }

    pub(super) fn watchdog_started(&self, join: JoinHandle<()>) {
        self.table.lock().watchdog_join = Some(join);
    }

    pub(super) fn watchdog_ended(&self) {
        self.table.lock().watchdog = None;
        self.waiters.wake_all();
    }

    /// Waits for a while; true if the group is being stopped.
    pub(super) fn pause(&self, time: Duration) -> bool {
        self.wait_until(deadline_after(time), |table| table.stopping)
    }
}

fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread {
        // It has said all it had to. What fails now is a destructor of a
        // thread-local, which the panic hook has reported.
        let _ = thread.join();
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// For loops that are stopped one by one, with nobody who says more.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);
