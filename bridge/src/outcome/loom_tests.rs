//! finish × await × time-out × close × drop, on the real cell.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A value that counts where it ended.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

type Cell<T> = Arc<OutcomeCell<T>>;

fn ends<T>() -> (Cell<T>, Taker<T, Cell<T>>) {
    let cell = Arc::new(OutcomeCell::new());
    // SAFETY: one taker for a new cell.
    let taker = unsafe { Taker::new(cell.clone()) };
    (cell, taker)
}

fn finish<T>(cell: &Cell<T>, answer: Option<T>) -> Result<(), T> {
    // SAFETY: every model finishes its cell once.
    unsafe { cell.finish(answer) }
}

#[test]
fn loom_outcome_is_awaited() {
    loom::model(|| {
        let (cell, mut taker) = ends();
        let producer = loom::thread::spawn(move || finish(&cell, Some(7)));
        assert_eq!(taker.block(None), Ok(Some(7)));
        assert_eq!(producer.join().unwrap(), Ok(()));
    });
}

#[test]
fn loom_outcome_is_given_up() {
    loom::model(|| {
        let (cell, mut taker) = ends::<u8>();
        let producer = loom::thread::spawn(move || finish(&cell, None));
        assert_eq!(taker.block(None), Ok(None));
        assert_eq!(producer.join().unwrap(), Ok(()));
    });
}

#[test]
fn loom_outcome_meets_a_change_of_wakers() {
    loom::model(|| {
        let (cell, mut taker) = ends();
        let producer = loom::thread::spawn(move || finish(&cell, Some(7)));
        // Polled by somebody else first, as in a select; then for good.
        let early = taker.poll(&mut Context::from_waker(Waker::noop()));
        if early.is_pending() {
            assert_eq!(taker.block(None), Ok(Some(7)));
        }
        assert_eq!(producer.join().unwrap(), Ok(()));
    });
}

#[test]
fn loom_trap_030_outcome_meets_drop_and_ends_once() {
    loom::model(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let (cell, mut taker) = ends();
        let value = Counted(drops.clone());
        let producer = loom::thread::spawn(move || drop(finish(&cell, Some(value))));
        let _ = taker.poll(&mut Context::from_waker(Waker::noop()));
        drop(taker);
        producer.join().unwrap();
        assert_eq!(drops.load(SeqCst), 1);
    });
}

#[test]
fn loom_outcome_meets_close() {
    loom::model(|| {
        let (cell, mut taker) = ends();
        let producer = loom::thread::spawn(move || finish(&cell, Some(7)));
        let _ = taker.try_take().map(|early| assert_eq!(early, Some(7)));
        taker.close();
        let late = taker.try_take();
        let back = producer.join().unwrap();
        // The value was taken early or is taken late, or the producer has it.
        assert!(back == Err(7) || late == Some(None) || late == Some(Some(7)));
        assert!(back.is_ok() || late == Some(None));
    });
}
