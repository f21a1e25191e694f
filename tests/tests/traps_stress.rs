//! Many tasks, many threads, loops that come and go: nothing starves, nothing
//! is lost, nothing is told twice.
#![forbid(unsafe_code)]

use parking_lot::Mutex;
use polyloop::time::VirtualClock;
use polyloop::{
    EventLoop, LoopHandle, Outcome, TaskError, create_task, current_loop, sleep, yield_now,
};
use polyloop_tests::{XorShift, with_watchdog};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

const HANG: Duration = Duration::from_secs(480);

#[test]
fn trap_005_a_thousand_tasks_at_once_all_finish_without_an_event() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let done = Rc::new(Cell::new(0));
            let make = |_| {
                let done = done.clone();
                create_task(async move {
                    yield_now().await;
                    done.set(done.get() + 1);
                })
            };
            let tasks: Vec<_> = (0..1_000).map(make).collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(done.get(), 1_000);
        })
        .unwrap();
    });
}

#[test]
fn trap_094_a_task_that_wakes_itself_starves_neither_timers_nor_arrivals() {
    with_watchdog(HANG, || {
        polyloop::run(async {
            let spinner = create_task(async {
                loop {
                    yield_now().await;
                }
            });
            let arrived = Arc::new(AtomicUsize::new(0));
            let handle = current_loop();
            let (count, sender) = (arrived.clone(), handle.clone());
            let flood = thread::spawn(move || {
                for _ in 0..1_000 {
                    let count = count.clone();
                    let work = move || async move {
                        count.fetch_add(1, SeqCst);
                    };
                    drop(sender.submit(work, Nothing).unwrap());
                }
            });
            // Each of these needs a timer to fire beside the spinner.
            for _ in 0..10 {
                sleep(Duration::from_millis(1)).await;
            }
            while arrived.load(SeqCst) < 1_000 {
                sleep(Duration::from_millis(1)).await;
            }
            flood.join().unwrap();
            assert!(spinner.cancel_and_wait().await.unwrap_err().is_cancelled());
        })
        .unwrap();
    });
}

struct Nothing;

impl Outcome<()> for Nothing {
    fn resolve(&self, result: Result<(), TaskError>) {
        drop(result);
    }
}

#[test]
fn trap_005_sleepers_on_a_virtual_clock_wake_in_order() {
    with_watchdog(HANG, || {
        let builder = EventLoop::builder().clock(VirtualClock::new());
        let mut looped = builder.build().unwrap();
        let mut random = XorShift::new(20);
        let delays: Vec<u64> = (0..2_000).map(|_| random.below(1 << 40)).collect();
        let woken = looped.run_until_complete(async {
            let woken = Rc::new(std::cell::RefCell::new(Vec::new()));
            let make = |ns: &u64| {
                let (ns, woken) = (*ns, woken.clone());
                create_task(async move {
                    sleep(Duration::from_nanos(ns)).await;
                    woken.borrow_mut().push(ns);
                })
            };
            let tasks: Vec<_> = delays.iter().map(make).collect();
            for task in tasks {
                task.await.unwrap();
            }
            woken.take()
        });
        let mut expected = delays.clone();
        expected.sort_unstable();
        assert_eq!(woken.unwrap(), expected);
    });
}

/// One submission's fate, told through a byte of its own.
struct Fate {
    told: Arc<Vec<AtomicU8>>,
    index: usize,
    pending: Arc<AtomicUsize>,
}

const UNTOLD: u8 = 0;
const VALUE: u8 = 1;
const CLOSED: u8 = 2;
const REFUSED: u8 = 3;

impl Fate {
    fn tell(&self, what: u8) {
        let before = self.told[self.index].swap(what, SeqCst);
        assert_eq!(before, UNTOLD, "a submission was told its fate twice");
        self.pending.fetch_sub(1, SeqCst);
    }
}

impl Outcome<usize> for Fate {
    fn resolve(&self, result: Result<usize, TaskError>) {
        match result {
            Ok(value) if value == self.index => self.tell(VALUE),
            Ok(value) => panic!("{value} came back for {}", self.index),
            Err(error) => {
                assert!(error.is_cancelled(), "nothing here panics");
                self.tell(CLOSED);
            }
        }
    }
}

const SUBMITTERS: usize = 4;
const EACH: usize = 25_000;

/// A loop's thread: loops are made, run for a moment, stopped, run again and
/// closed, over and over; the current handle stands in `slot`.
fn come_and_go(slot: &Mutex<LoopHandle>, mut looped: EventLoop, over: &AtomicBool, seed: u64) {
    let mut random = XorShift::new(seed);
    loop {
        for _ in 0..random.below(4) {
            match random.below(3) {
                0 => looped.handle().stop(),
                1 => drop(looped.turn(Some(Duration::from_micros(50)))),
                _ => {
                    let pause = Duration::from_micros(random.below(300));
                    let main = async { sleep(pause).await };
                    // Stopped by an earlier round, perhaps: all the same.
                    let _ = looped.run_until_complete(main);
                }
            }
        }
        if over.load(SeqCst) {
            // The last loop is closed with whatever it has not begun.
            drop(looped.close(Duration::ZERO));
            return;
        }
        let next = EventLoop::new().expect("closed loops give their descriptors back");
        if random.below(2) == 0 {
            // Submitters go on with the closed one for a moment.
            looped.close(Duration::ZERO);
            *slot.lock() = next.handle();
        } else {
            *slot.lock() = next.handle();
            looped.close(Duration::from_micros(100));
        }
        looped = next;
    }
}

fn submit_all(slots: &[Arc<Mutex<LoopHandle>>], fates: &[Fate], seed: u64) {
    let mut random = XorShift::new(seed);
    for fate in fates {
        let slot = &slots[random.below(slots.len() as u64) as usize];
        let target = slot.lock().clone();
        let index = fate.index;
        let wait = random.below(8) == 0;
        let work = move || async move {
            if wait {
                yield_now().await;
            }
            index
        };
        let outcome = Fate {
            told: fate.told.clone(),
            index,
            pending: fate.pending.clone(),
        };
        match target.submit(work, outcome) {
            Ok(remote) => {
                if random.below(16) == 0 {
                    remote.cancel();
                }
            }
            Err(refused) => refused.outcome.tell(REFUSED),
        }
    }
}

#[test]
fn trap_058_a_hundred_thousand_submissions_to_loops_that_come_and_go() {
    with_watchdog(HANG, || {
        let count = SUBMITTERS * EACH;
        let told: Arc<Vec<AtomicU8>> = Arc::new((0..count).map(|_| AtomicU8::new(0)).collect());
        let pending = Arc::new(AtomicUsize::new(count));
        let over = Arc::new(AtomicBool::new(false));
        let (send, receive) = polyloop_bridge::channel::unbounded();
        let loops: Vec<_> = (0..2_u64)
            .map(|seed| {
                let (over, send) = (over.clone(), send.clone());
                thread::spawn(move || {
                    let looped = EventLoop::new().unwrap();
                    let slot = Arc::new(Mutex::new(looped.handle()));
                    send.try_send(slot.clone()).unwrap();
                    come_and_go(&slot, looped, &over, seed + 100);
                })
            })
            .collect();
        let slots: Vec<_> = loops
            .iter()
            .map(|_| receive.recv_blocking().unwrap())
            .collect();
        thread::scope(|scope| {
            for submitter in 0..SUBMITTERS {
                let (slots, told, pending) = (&slots, &told, &pending);
                scope.spawn(move || {
                    let fates: Vec<Fate> = (submitter * EACH..(submitter + 1) * EACH)
                        .map(|index| Fate {
                            told: told.clone(),
                            index,
                            pending: pending.clone(),
                        })
                        .collect();
                    submit_all(slots, &fates, submitter as u64);
                });
            }
        });
        over.store(true, SeqCst);
        for thread in loops {
            thread.join().unwrap();
        }
        assert_eq!(pending.load(SeqCst), 0, "every submission was told");
        let of = |fate: u8| told.iter().filter(|told| told.load(SeqCst) == fate).count();
        assert_eq!(of(UNTOLD), 0);
        assert!(of(VALUE) > 0, "some must have run, or nothing was tested");
        assert!(
            of(CLOSED) + of(REFUSED) > 0,
            "some must have met a closed loop"
        );
    });
}
