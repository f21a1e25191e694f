//! The table of a group's threads: who was started, who has ended and how.
//!
//! A thread is entered before it starts, tells whether its loop runs, and writes
//! its report when it ends, whatever happened: so a wait for a start and a wait
//! for the end of all end when they do. A group that is stopping enters nobody any
//! more, and a loop that was being started meanwhile is stopped as soon as it is
//! known. A loop's own thread may wait for the end of the others; those that do
//! so too are not waited for.
#![forbid(unsafe_code)]

use super::LoopReport;
use super::error::Cause;
use super::primitives::{
    AtomicU64, Condvar, JoinHandle, LoopHandle, Mutex, MutexGuard, ThreadId, current,
};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

pub(super) struct Threads {
    table: Mutex<Table>,
    changed: Condvar,
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
    /// Why it does not.
    failed: Option<Cause>,
    /// It blocks until the others have ended.
    waits: bool,
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
            table: Mutex::new(Table::default()),
            changed: Condvar::new(),
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
            failed: None,
            waits: false,
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
        self.changed.notify_all();
        if let Some(join) = entry.and_then(|entry| entry.join) {
            // It has nothing left to do; its panic was told already.
            let _ = join.join();
        }
    }

    /// This is the loop of that thread, which runs.
    pub(super) fn runs(&self, record: u64, handle: &LoopHandle) {
        let mut table = self.table.lock();
        let stopping = table.stopping;
        if let Some(entry) = table.entries.get_mut(&record) {
            entry.handle = Some(handle.clone());
            if stopping {
                handle.stop();
            }
        }
        drop(table);
        self.changed.notify_all();
    }

    /// The loop of that thread does not come to run.
    pub(super) fn failed(&self, record: u64, cause: Cause) {
        if let Some(entry) = self.table.lock().entries.get_mut(&record) {
            entry.failed = Some(cause);
        }
        self.changed.notify_all();
    }

    /// Waits until the loop runs. A group that is being stopped waits no longer:
    /// the loop is stopped when it comes to run.
    ///
    /// # Errors
    /// Why it does not; it is in the table no more, unless the group is stopping.
    pub(super) fn wait_for_start(&self, record: u64) -> Result<LoopHandle, Cause> {
        let told = |table: &Table| match table.entries.get(&record) {
            Some(Entry {
                handle,
                failed,
                report,
                ..
            }) => handle.is_some() || failed.is_some() || report.is_some(),
            None => true,
        };
        let mut table = self.wait_until(None, |table| table.stopping || told(table));
        let told = told(&table);
        let entry = table.entries.get_mut(&record);
        let (handle, failed) = match entry {
            Some(entry) => (entry.handle.clone(), entry.failed.take()),
            None => (None, None),
        };
        drop(table);
        match handle {
            Some(handle) => Ok(handle),
            None if !told => Err(Cause::Stopped),
            None => {
                self.never_ran(record);
                // A thread tells in every case, so the other one cannot be; if it
                // is, the group must not wait for that loop.
                Err(failed.unwrap_or_else(|| {
                    Cause::Loop(io::Error::other("its thread ended and did not say why"))
                }))
            }
        }
    }

    /// Called by the thread itself, as its last act.
    pub(super) fn ended(&self, record: u64, report: LoopReport) {
        if let Some(entry) = self.table.lock().entries.get_mut(&record) {
            entry.report = Some(report);
        }
        self.changed.notify_all();
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
        self.changed.notify_all();
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
        let entry = {
            let mut table = self.wait_until(deadline, ended);
            let has_ended = table.entries.get(&record)?.report.is_some();
            has_ended.then(|| table.entries.remove(&record)).flatten()?
        };
        join(entry.join);
        entry.report
    }

    /// Waits for the end of all loops; on the thread of one of them, for that of
    /// those that do not wait here themselves.
    pub(super) fn wait_all(&self, deadline: Option<Instant>) -> Vec<LoopReport> {
        let own = current().id();
        let is_loop = self.waits_here(true);
        let ended = |entry: &Entry| {
            entry.report.is_some() || is_loop && (entry.waits || entry.is_own_thread())
        };
        let all_ended = |table: &Table| {
            let watched = table.watchdog.is_some_and(|watchdog| watchdog != own);
            table.entries.values().all(ended) && !(table.stopping && watched)
        };
        let joins: Vec<_> = {
            let mut table = self.wait_until(deadline, all_ended);
            let ended = |entry: &&mut Entry| entry.report.is_some() && !entry.is_own_thread();
            let entries = table.entries.values_mut().filter(ended);
            let mut joins: Vec<_> = entries.map(|entry| entry.join.take()).collect();
            if table.watchdog.is_none() {
                joins.push(table.watchdog_join.take());
            }
            joins
        };
        self.waits_here(false);
        joins.into_iter().for_each(join);
        let table = self.table.lock();
        let report = |entry: &Entry| match &entry.report {
            Some(report) => report.clone(),
            None => LoopReport::not_ended(&entry.name),
        };
        table.entries.values().map(report).collect()
    }

    /// Tells the others' waits of this one, if the thread is a loop's; is it?
    fn waits_here(&self, waits: bool) -> bool {
        let mut table = self.table.lock();
        let mut entries = table.entries.values_mut();
        let own = entries.find(|entry| entry.is_own_thread());
        let is_loop = own.is_some();
        if let Some(own) = own {
            own.waits = waits;
        }
        drop(table);
        self.changed.notify_all();
        is_loop
    }

    /// Waits until the table is as it should be, or until the deadline.
    fn wait_until(
        &self,
        deadline: Option<Instant>,
        right: impl Fn(&Table) -> bool,
    ) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock();
        while !right(&table) {
            match deadline {
                None => self.changed.wait(&mut table),
                Some(deadline) => {
                    if self.changed.wait_until(&mut table, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        table
    }

    // ---- the watchdog's own thread ----

    /// Called by the thread itself, as its first act.
    pub(super) fn watchdog_runs(&self) {
        self.table.lock().watchdog = Some(current().id());
    }

    pub(super) fn watchdog_started(&self, join: JoinHandle<()>) {
        self.table.lock().watchdog_join = Some(join);
    }

    pub(super) fn watchdog_ended(&self) {
        self.table.lock().watchdog = None;
        self.changed.notify_all();
    }

    /// Waits for a while; true if the group is being stopped.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let deadline = Instant::now().checked_add(time);
        self.wait_until(deadline, |table| table.stopping).stopping
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
