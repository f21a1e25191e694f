//! Submissions against loops that come and go: all are answered, none twice.
#![forbid(unsafe_code)]

use parking_lot::Mutex;
use polyloop::{EventLoop, LoopHandle, sleep, yield_now};
use polyloop_bridge::{Submission, SubmissionError, run_coroutine_threadsafe};
use polyloop_tests::{XorShift, with_watchdog};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const HANG: Duration = Duration::from_secs(480);

const SUBMITTERS: usize = 4;
const EACH: usize = 25_000;

/// How many submissions each submitter makes; `POLYLOOP_SUBMISSIONS` says how
/// many all make together.
fn each() -> usize {
    match std::env::var("POLYLOOP_SUBMISSIONS") {
        Ok(all) => all.parse::<usize>().expect("a number") / SUBMITTERS,
        Err(_) => EACH,
    }
}

/// Runs loops and closes them, until all submitters are done; the current one's
/// handle stands in `slot`.
fn come_and_go(slot: &Mutex<LoopHandle>, mut looped: EventLoop, over: &AtomicBool, seed: u64) {
    let mut random = XorShift::new(seed);
    while !over.load(SeqCst) {
        for _ in 0..random.below(4) {
            if random.below(3) == 0 {
                looped.handle().stop();
            }
            let pause = Duration::from_micros(random.below(300));
            let main = async { sleep(pause).await };
            // Stopped, perhaps: all the same.
            let _ = looped.run_until_complete(main);
        }
        let next = EventLoop::new().expect("closed loops give their descriptors back");
        *slot.lock() = next.handle();
        drop(std::mem::replace(&mut looped, next));
    }
}

/// Sends and collects a submitter's share; answers how many gave their value.
/// `ran` counts those that came to their end on a loop.
fn send_and_collect(
    slots: &[Arc<Mutex<LoopHandle>>],
    seed: u64,
    ran: &'static AtomicUsize,
) -> usize {
    let mut random = XorShift::new(seed);
    let mut pending: Vec<(usize, Instant, Submission<usize>)> = Vec::new();
    let mut values = 0;
    let mut longest = Duration::ZERO;
    let each = each();
    for index in 0..each {
        let target = slots[random.below(slots.len() as u64) as usize]
            .lock()
            .clone();
        let waits = random.below(8) == 0;
        let submission = run_coroutine_threadsafe(&target, move || async move {
            if waits {
                yield_now().await;
            }
            ran.fetch_add(1, SeqCst);
            index
        });
        if random.below(16) == 0 {
            submission.cancel();
        }
        pending.push((index, Instant::now(), submission));
        if pending.len() < 256 && index + 1 < each {
            continue;
        }
        for (index, sent, submission) in pending.drain(..) {
            let result = submission.result();
            longest = longest.max(sent.elapsed());
            match result {
                Ok(value) => {
                    assert_eq!(value, index);
                    values += 1;
                }
                Err(SubmissionError::Cancelled | SubmissionError::LoopClosed) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    // A figure for those who run it with --nocapture; nothing hangs on it.
    println!("the longest wait for an outcome was {longest:?}");
    values
}

#[test]
fn trap_058_a_hundred_thousand_coroutines_to_loops_that_come_and_go() {
    with_watchdog(HANG, || {
        let over = Arc::new(AtomicBool::new(false));
        let mut slots = Vec::new();
        let mut loops = Vec::new();
        for seed in 0..2 {
            let placeholder = EventLoop::new().unwrap();
            let slot = Arc::new(Mutex::new(placeholder.handle()));
            drop(placeholder);
            let (shared, over) = (slot.clone(), over.clone());
            loops.push(thread::spawn(move || {
                let looped = EventLoop::new().unwrap();
                *shared.lock() = looped.handle();
                come_and_go(&shared, looped, &over, seed + 7);
            }));
            slots.push(slot);
        }
        static RAN: AtomicUsize = AtomicUsize::new(0);
        let values: usize = thread::scope(|scope| {
            let slots = &slots;
            let submitters: Vec<_> = (0..SUBMITTERS)
                .map(|seed| scope.spawn(move || send_and_collect(slots, seed as u64, &RAN)))
                .collect();
            submitters.into_iter().map(|one| one.join().unwrap()).sum()
        });
        over.store(true, SeqCst);
        for thread in loops {
            thread.join().unwrap();
        }
        assert!(values > 0, "some must have run, or nothing was tested");
        assert_eq!(values, RAN.load(SeqCst), "none is lost, and none ran twice");
        println!(
            "{} submissions, {values} of them with a value",
            SUBMITTERS * each()
        );
    });
}
