//! Every wait of this module with wakers that are not the loop's own: they panic,
//! or wake a part of a task only.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, RawWakerVTable, Wake, Waker};

use futures::stream::{FuturesUnordered, StreamExt};

use super::testing::{Probe, now};
use super::*;

type Wait<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Is given a primitive's name, what makes a wait for it, and what serves one
/// wait, or all.
type Check = fn(&str, &dyn Fn() -> Wait<'static>, &mut dyn FnMut());

/// Holds what a wait is for; dropped to serve it.
fn holder<F: Future<Output = ()> + 'static>(future: F) -> Option<Probe<F>> {
    Some(Probe::waiting(future))
}

fn exclusive(check: Check) {
    let lock = Rc::new(Lock::new(()));
    let other = Rc::clone(&lock);
    let mut held = holder(async move {
        let _guard = other.acquire().await;
        std::future::pending().await
    });
    let wait = move || -> Wait<'static> {
        let lock = Rc::clone(&lock);
        Box::pin(async move { drop(lock.acquire().await) })
    };
    check("Lock", &wait, &mut || drop(held.take()));

    for writes in [false, true] {
        let lock = Rc::new(RwLock::new(()));
        let other = Rc::clone(&lock);
        let mut held = holder(async move {
            let _guard = other.write().await;
            std::future::pending().await
        });
        let wait = move || -> Wait<'static> {
            let lock = Rc::clone(&lock);
            Box::pin(async move {
                if writes {
                    drop(lock.write().await);
                } else {
                    drop(lock.read().await);
                }
            })
        };
        check("RwLock", &wait, &mut || drop(held.take()));
    }
}

fn counted(check: Check) {
    let semaphore = Rc::new(Semaphore::new(0));
    let other = Rc::clone(&semaphore);
    let wait = move || -> Wait<'static> {
        let semaphore = Rc::clone(&semaphore);
        Box::pin(async move { drop(semaphore.acquire().await) })
    };
    check("Semaphore", &wait, &mut || other.release());

    let semaphore = Rc::new(BoundedSemaphore::new(1));
    now(semaphore.acquire()).forget();
    let other = Rc::clone(&semaphore);
    let wait = move || -> Wait<'static> {
        let semaphore = Rc::clone(&semaphore);
        Box::pin(async move { drop(semaphore.acquire().await) })
    };
    check("BoundedSemaphore", &wait, &mut || {
        let _ = other.release();
    });

    let limiter = Rc::new(CapacityLimiter::new(0));
    let other = Rc::clone(&limiter);
    let wait = move || -> Wait<'static> {
        let limiter = Rc::clone(&limiter);
        Box::pin(async move { drop(limiter.acquire().await) })
    };
    check("CapacityLimiter", &wait, &mut || other.set_total_tokens(1));
}

fn told(check: Check) {
    let event = Rc::new(Event::new());
    let other = Rc::clone(&event);
    let wait = move || -> Wait<'static> {
        let event = Rc::clone(&event);
        Box::pin(async move { event.wait().await })
    };
    check("Event", &wait, &mut || other.set());

    for all in [false, true] {
        let notify = Rc::new(Notify::new());
        let other = Rc::clone(&notify);
        let wait = move || -> Wait<'static> {
            let notify = Rc::clone(&notify);
            Box::pin(async move { notify.notified().await })
        };
        check("Notify", &wait, &mut || match all {
            true => other.notify_waiters(),
            false => other.notify_one(),
        });

        let condition = Rc::new(Condition::new(()));
        let other = Rc::clone(&condition);
        let wait = move || -> Wait<'static> {
            let condition = Rc::clone(&condition);
            Box::pin(async move {
                let guard = condition.acquire().await;
                drop(condition.wait(guard).await);
            })
        };
        check("Condition", &wait, &mut || {
            let count = if all { usize::MAX } else { 1 };
            other.notify(&now(other.acquire()), count);
        });
    }
}

fn awaited(check: Check) {
    let barrier = Rc::new(Barrier::new(3));
    let other = Rc::clone(&barrier);
    let wait = move || -> Wait<'static> {
        let barrier = Rc::clone(&barrier);
        Box::pin(async move {
            let _ = barrier.wait().await;
        })
    };
    check("Barrier", &wait, &mut || other.abort());

    for by_value in [false, true] {
        let (promise, future) = create_future();
        let wait = move || -> Wait<'static> {
            let future = future.clone();
            Box::pin(async move {
                let answer = match by_value {
                    true => future.await,
                    false => future.wait().await.copied(),
                };
                answer.expect("a result is set");
            })
        };
        check("Future", &wait, &mut || {
            let _ = promise.set_result(());
        });
    }

    let once = Rc::new(Once::new());
    let other = Rc::clone(&once);
    let mut maker = holder(async move {
        other.get_or_init(std::future::pending).await;
    });
    let wait = move || -> Wait<'static> {
        let once = Rc::clone(&once);
        Box::pin(async move {
            once.get_or_init(async || ()).await;
        })
    };
    check("Once", &wait, &mut || drop(maker.take()));
}

fn handed_on(check: Check) {
    let queue = Rc::new(Queue::new(1));
    let other = Rc::clone(&queue);
    let wait = move || -> Wait<'static> {
        let queue = Rc::clone(&queue);
        Box::pin(async move {
            let _ = queue.get().await;
        })
    };
    check("Queue::get", &wait, &mut || {
        let _ = other.put_nowait(());
    });

    let queue = Rc::new(Queue::new(1));
    queue.put_nowait(()).expect("there is room");
    let other = Rc::clone(&queue);
    let wait = move || -> Wait<'static> {
        let queue = Rc::clone(&queue);
        Box::pin(async move {
            let _ = queue.put(()).await;
        })
    };
    check("Queue::put", &wait, &mut || {
        let _ = other.get_nowait();
    });

    for end in 0..2 {
        let queue = Rc::new(Queue::new(1));
        queue.put_nowait(()).expect("there is room");
        let other = Rc::clone(&queue);
        let wait = move || -> Wait<'static> {
            let queue = Rc::clone(&queue);
            Box::pin(async move {
                match end {
                    0 => assert!(queue.put(()).await.is_err()),
                    _ => queue.join().await,
                }
            })
        };
        check("Queue's end", &wait, &mut || drop(other.shutdown(true)));
    }

    let (sender, receiver) = watch::channel(());
    let wait = move || -> Wait<'static> {
        let mut receiver = receiver.clone();
        Box::pin(async move {
            let _ = receiver.changed().await;
        })
    };
    check("watch", &wait, &mut || {
        let _ = sender.send(());
    });

    let (sender, receiver) = broadcast::channel(1);
    let wait = move || -> Wait<'static> {
        let mut receiver = receiver.resubscribe();
        Box::pin(async move {
            let _ = receiver.recv().await;
        })
    };
    check("broadcast", &wait, &mut || {
        let _ = sender.send(());
    });
}

fn each(check: Check) {
    exclusive(check);
    counted(check);
    told(check);
    awaited(check);
    handed_on(check);
}

#[test]
fn trap_051_a_waker_that_panics_when_it_wakes_keeps_nobody_asleep() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a waker's own trouble");
        }
    }
    each(|name, wait, serve| {
        let mut bad = Probe::new(wait());
        let polled = bad.poll_with(&Waker::from(Arc::new(Panics)));
        assert!(polled.is_pending(), "{name}");
        let mut good = Probe::waiting(wait());
        let served = catch_unwind(AssertUnwindSafe(&mut *serve));
        assert!(served.is_err(), "{name}: the panic is swallowed");
        // What it was served with is its own until it is dropped.
        drop(bad);
        assert!(good.wakes() > 0, "{name}: asleep");
        good.ready();
    });
}

#[test]
fn trap_051_a_waker_that_panics_when_it_is_cloned_leaves_no_trace() {
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|_| panic!("a waker's own trouble"), |_| (), |_| (), |_| ());
    each(|name, wait, serve| {
        // SAFETY: no function of the table touches the data.
        let waker = unsafe { Waker::new(std::ptr::null(), &VTABLE) };
        let mut bad = Probe::new(wait());
        let polled = catch_unwind(AssertUnwindSafe(|| bad.poll_with(&waker)));
        assert!(polled.is_err(), "{name}");
        let mut good = Probe::waiting(wait());
        drop(bad);
        serve();
        assert!(good.wakes() > 0, "{name}: asleep");
        good.ready();
    });
}

#[test]
fn trap_015_a_wait_wakes_its_part_of_a_task() {
    each(|name, wait, serve| {
        let never: Wait<'static> = Box::pin(std::future::pending());
        let mut set: FuturesUnordered<_> = [never, wait()].into_iter().collect();
        let mut next = Probe::waiting(set.next());
        serve();
        assert!(next.wakes() > 0, "{name}: asleep");
        assert_eq!(next.poll(), Poll::Ready(Some(())), "{name}");
    });
}

#[test]
fn trap_012_waits_are_dropped_in_any_order_before_and_after_the_wake() {
    each(|name, wait, serve| {
        let mut waits: Vec<_> = (0..2).map(|_| Probe::waiting(wait())).collect();
        // From the middle, the front and the back, without a wake.
        for at in [1, 0, 2] {
            let mut others: Vec<_> = (0..3).map(|_| Probe::new(wait())).collect();
            // A barrier takes three; it is not to be filled here.
            if name != "Barrier" {
                for other in &mut others {
                    assert!(other.poll().is_pending(), "{name}");
                }
            }
            drop(others.remove(at));
        }
        serve();
        let last = waits.pop();
        drop(waits);
        let mut last = last.expect("there were two");
        assert!(last.wakes() > 0, "{name}: asleep");
        last.ready();
    });
}
