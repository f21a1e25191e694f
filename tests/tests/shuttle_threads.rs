//! The table of a group's threads under a scheduler that tries thousands of
//! orders: loops start, fail to start and end while the group is stopped and waited
//! for. The code is the bridge's own; the loops are stand-ins, and shuttle's lock,
//! threads and atomics stand in the place of its.
#![forbid(unsafe_code)]

use error::Cause;
use primitives::LoopHandle;
use shuttle::{check_pct, check_random, thread};
use std::sync::Arc;
use std::time::Duration;
use threads::Threads;

#[path = "shuttle/mutex.rs"]
mod mutex;
#[allow(dead_code, reason = "a group asks for more than these tests")]
#[path = "../../bridge/src/group/threads.rs"]
mod threads;

mod error {
    #[derive(Debug)]
    pub(super) enum Cause {
        Loop(std::io::Error),
        Stopped,
    }
}

mod primitives {
    use shuttle::sync::Arc;

    pub(super) use crate::mutex::{Condvar, Mutex, MutexGuard};
    pub(super) use shuttle::sync::atomic::AtomicU64;
    pub(super) use shuttle::thread::{JoinHandle, ThreadId, current};

    /// A loop that does nothing until it is stopped.
    #[derive(Clone)]
    pub(super) struct LoopHandle(Arc<Looped>);

    struct Looped {
        thread: ThreadId,
        stopped: Mutex<bool>,
        stops: Condvar,
    }

    impl LoopHandle {
        pub(super) fn of_this_thread() -> Self {
            Self(Arc::new(Looped {
                thread: current().id(),
                stopped: Mutex::new(false),
                stops: Condvar::new(),
            }))
        }

        pub(super) fn stop(&self) {
            *self.0.stopped.lock() = true;
            self.0.stops.notify_all();
        }

        pub(super) fn is_own_thread(&self) -> bool {
            self.0.thread == current().id()
        }

        pub(super) fn run(&self) {
            let mut stopped = self.0.stopped.lock();
            while !*stopped {
                self.0.stops.wait(&mut stopped);
            }
        }
    }
}

/// What a loop's end is told as.
#[derive(Debug, Clone)]
struct LoopReport {
    ended: bool,
}

impl LoopReport {
    fn not_ended(_: &str) -> Self {
        Self { ended: false }
    }
}

/// Starts a thread whose loop runs, does this, and ends when it is stopped.
fn start(table: &Arc<Threads>, then: fn(&Threads)) -> Result<u64, Cause> {
    spawn(table, move |table, record| {
        let handle = LoopHandle::of_this_thread();
        table.runs(record, &handle);
        then(table);
        handle.run();
    })
}

fn spawn(
    table: &Arc<Threads>,
    life: impl FnOnce(&Threads, u64) + Send + 'static,
) -> Result<u64, Cause> {
    let (record, _grace) = table.enter("loop")?;
    let own = table.clone();
    let join = thread::spawn(move || {
        life(&own, record);
        own.ended(record, LoopReport { ended: true });
    });
    table.started(record, join);
    Ok(record)
}

fn all_ended(reports: &[LoopReport]) -> bool {
    reports.iter().all(|report| report.ended)
}

fn in_many_orders(test: fn()) {
    check_random(test, 3_000);
    check_pct(test, 3_000, 3);
}

#[test]
fn a_group_that_is_stopped_waits_for_every_loop_that_was_entered() {
    in_many_orders(|| {
        let table = Arc::new(Threads::new());
        start(&table, |_| ()).expect("it is not stopping");
        let starts = {
            let table = table.clone();
            thread::spawn(move || {
                let record = start(&table, |_| ())?;
                table.wait_for_start(record).map(|_| ())
            })
        };
        table.stop_all(Duration::ZERO);
        table.wait_all(None);
        match starts.join().expect("no panic") {
            Ok(()) | Err(Cause::Stopped) => {}
            Err(other) => panic!("it could start: {other:?}"),
        }
        assert!(all_ended(&table.wait_all(None)));
    });
}

#[test]
fn a_loop_that_does_not_come_to_run_is_told_and_forgotten() {
    in_many_orders(|| {
        let table = Arc::new(Threads::new());
        let fails = spawn(&table, |table, record| {
            table.failed(record, Cause::Loop(std::io::ErrorKind::Other.into()));
        });
        let dies = spawn(&table, |_, _| ());
        for record in [fails, dies] {
            let record = record.expect("it is not stopping");
            let started = table.wait_for_start(record);
            let Err(Cause::Loop(error)) = started else {
                panic!("it does not come to run");
            };
            assert_eq!(error.kind(), std::io::ErrorKind::Other);
        }
        assert_eq!(table.len(), 0);
        table.stop_all(Duration::ZERO);
        assert!(table.wait_all(None).is_empty());
    });
}

#[test]
fn a_retired_loop_is_waited_for_once_beside_a_stop_of_all() {
    in_many_orders(|| {
        let table = Arc::new(Threads::new());
        let record = start(&table, |_| ()).expect("it is not stopping");
        start(&table, |_| ()).expect("it is not stopping");
        let retires = {
            let table = table.clone();
            thread::spawn(move || {
                table.stop(record, Duration::ZERO);
                table
                    .wait_for(record, None)
                    .is_some_and(|report| report.ended)
            })
        };
        table.stop_all(Duration::ZERO);
        assert!(all_ended(&table.wait_all(None)));
        assert!(retires.join().expect("no panic"), "the report is its own");
        assert_eq!(table.len(), 1);
    });
}

#[test]
fn loops_that_wait_for_the_group_do_not_wait_for_each_other() {
    in_many_orders(|| {
        let table = Arc::new(Threads::new());
        for _ in 0..2 {
            let waits = |table: &Threads| {
                table.stop_all(Duration::ZERO);
                table.wait_all(None);
            };
            // The second one may come too late.
            if let Err(error) = start(&table, waits) {
                assert!(matches!(error, Cause::Stopped));
            }
        }
        assert!(all_ended(&table.wait_all(None)));
    });
}
