//! finish × await × callback × drop, on the real type that a loop tells. The
//! loop's part (one `resolve` for a cancel, a close or an end) is the runtime's
//! and is modelled there.

use super::submission::Told;
use crate::outcome::{HoldsCell, OutcomeCell, Taker};
use polyloop::{Outcome, TaskError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

type Answer = Result<u8, TaskError>;

impl HoldsCell<Answer> for Arc<Told<u8>> {
    fn cell(&self) -> &OutcomeCell<Answer> {
        &self.cell
    }
}

fn ends() -> (Arc<Told<u8>>, Taker<Answer, Arc<Told<u8>>>) {
    let told = Arc::new(Told::new());
    // SAFETY: one taker for a new cell.
    let taker = unsafe { Taker::new(told.clone()) };
    (told, taker)
}

#[test]
fn loom_submission_is_awaited_and_followed() {
    loom::model(|| {
        let (told, mut taker) = ends();
        let calls = Arc::new(AtomicUsize::new(0));
        let producer = {
            let told = told.clone();
            loom::thread::spawn(move || told.resolve(Ok(7)))
        };
        let counter = calls.clone();
        told.follow(Box::new(move || {
            counter.fetch_add(1, SeqCst);
        }));
        assert!(matches!(taker.block(None), Ok(Some(Ok(7)))));
        producer.join().unwrap();
        assert_eq!(calls.load(SeqCst), 1);
    });
}

#[test]
fn loom_submission_is_followed_from_two_threads() {
    loom::model(|| {
        let (told, taker) = ends();
        let calls = Arc::new(AtomicUsize::new(0));
        let follow = |told: &Told<u8>, calls: &Arc<AtomicUsize>| {
            let calls = calls.clone();
            told.follow(Box::new(move || {
                calls.fetch_add(1, SeqCst);
            }));
        };
        let producer = {
            let told = told.clone();
            loom::thread::spawn(move || told.resolve(Ok(7)))
        };
        let follower = {
            let (told, calls) = (told.clone(), calls.clone());
            loom::thread::spawn(move || follow(&told, &calls))
        };
        follow(&told, &calls);
        drop(taker);
        producer.join().unwrap();
        follower.join().unwrap();
        assert_eq!(calls.load(SeqCst), 2);
    });
}
