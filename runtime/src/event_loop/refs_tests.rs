//! References to cells that are counted on both sides.

use super::EventLoop;
use crate::create_task;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::thread;

/// The local count of references is narrow: what it cannot hold moves over.
#[test]
fn more_wakers_than_the_local_count_holds_are_all_counted() {
    const WAKERS: usize = 3 * (i16::MAX as usize) + 5;
    let mut looped = EventLoop::new().unwrap();
    let polls = Rc::new(Cell::new(0));
    let told = polls.clone();
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let task = looped.run_until_complete(async {
        create_task(poll_fn(move |cx| {
            told.set(told.get() + 1);
            if told.get() > 1 {
                return Poll::Ready(());
            }
            here.extend((0..WAKERS).map(|_| cx.waker().clone()));
            there.extend((0..WAKERS).map(|_| cx.waker().clone()));
            let there = std::mem::take(&mut there);
            thread::spawn(|| drop(there)).join().unwrap();
            let last = here.pop().unwrap();
            here.clear();
            last.wake();
            Poll::Pending
        }))
        .await
    });
    assert!(task.unwrap().is_ok());
    assert_eq!(polls.get(), 2);
    assert_eq!(looped.core().cells(), 0, "every cell was freed");
}
