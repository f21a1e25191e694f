use super::*;
use crate::test_tools::{Touchy, Wakes, poll_with, wait};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(5);

/// Lets `thread` get as far as its wait, which `waits` looks for.
fn until(waits: impl Fn() -> bool) {
    while !waits() {
        thread::yield_now();
    }
}

#[test]
fn trap_093_the_types_cross_threads_exactly_where_their_values_may() {
    fn crosses<T: Send + Sync>() {}
    fn moves<T: Send>() {}
    crosses::<Lock<Cell<u8>>>();
    crosses::<RwLock<u8>>();
    crosses::<Event>();
    crosses::<Condition<Cell<u8>>>();
    crosses::<Semaphore>();
    crosses::<BoundedSemaphore>();
    crosses::<Barrier>();
    crosses::<Queue<Cell<u8>>>();
    crosses::<LifoQueue<Cell<u8>>>();
    crosses::<PriorityQueue<Cell<u8>>>();
    moves::<LockGuard<'_, Cell<u8>>>();
    crosses::<LockGuard<'_, u8>>();
    crosses::<RwLockReadGuard<'_, u8>>();
    crosses::<RwLockWriteGuard<'_, u8>>();
    crosses::<AcquireLock<'_, Cell<u8>>>();
    moves::<QueueGet<'_, Cell<u8>>>();

    // Compiles only while the type is not Sync, or not Send.
    trait NotSync<A> {
        fn is_not_sync() {}
    }
    impl<T: ?Sized> NotSync<()> for T {}
    impl<T: ?Sized + Sync> NotSync<u8> for T {}
    trait NotSend<A> {
        fn is_not_send() {}
    }
    impl<T: ?Sized> NotSend<()> for T {}
    impl<T: ?Sized + Send> NotSend<u8> for T {}
    <LockGuard<'_, Cell<u8>> as NotSync<_>>::is_not_sync();
    <RwLock<Cell<u8>> as NotSync<_>>::is_not_sync();
    <Lock<std::rc::Rc<u8>> as NotSync<_>>::is_not_sync();
    <LockGuard<'_, std::rc::Rc<u8>> as NotSend<_>>::is_not_send();
    <RwLockReadGuard<'_, Cell<u8>> as NotSend<_>>::is_not_send();
    <Queue<std::rc::Rc<u8>> as NotSync<_>>::is_not_sync();
}

/// Joins threads of a scope by their handles when it is dropped: the end of the
/// scope alone is a hand-over that ThreadSanitizer does not see.
#[derive(Default)]
struct Joined<'scope>(Vec<thread::ScopedJoinHandle<'scope, ()>>);

impl<'scope> Joined<'scope> {
    fn add(&mut self, thread: thread::ScopedJoinHandle<'scope, ()>) {
        self.0.push(thread);
    }
}

impl Drop for Joined<'_> {
    fn drop(&mut self) {
        let ended: Vec<_> = self.0.drain(..).map(|thread| thread.join()).collect();
        let all_well = ended.iter().all(Result::is_ok);
        assert!(
            all_well || thread::panicking(),
            "a thread of the test panicked"
        );
    }
}

#[test]
fn loops_and_threads_count_under_one_lock() {
    let total = Lock::new(0);
    thread::scope(|scope| {
        let mut threads = Joined::default();
        for _ in 0..2 {
            threads.add(scope.spawn(|| (0..2_000).for_each(|_| *total.acquire_blocking() += 1)));
            threads.add(scope.spawn(|| {
                polyloop::run(async {
                    for _ in 0..2_000 {
                        let mut guard = total.acquire().await;
                        // Held over a wait: the others get it in their turn.
                        let now = *guard;
                        if now % 16 == 0 {
                            polyloop::yield_now().await;
                        }
                        *guard = now + 1;
                    }
                })
                .expect("the machine has descriptors left");
            }));
        }
    });
    assert_eq!(total.into_inner(), 8_000);
}

#[test]
fn a_lock_goes_to_tasks_and_threads_in_the_order_of_asking() {
    let lock = Arc::new(Lock::new(Vec::new()));
    let held = lock.acquire_blocking();
    let mut first = lock.acquire();
    assert!(poll_with(&mut first, Waker::noop()).is_pending());
    let thread = thread::spawn({
        let lock = lock.clone();
        move || lock.acquire_blocking().push("thread")
    });
    until(|| lock.statistics().waiting == 2);
    let mut last = lock.acquire();
    let (wakes, waker) = Wakes::new();
    assert!(poll_with(&mut last, &waker).is_pending());
    drop(held);
    assert!(lock.try_acquire().is_none(), "nobody gets in before those");
    match poll_with(&mut first, Waker::noop()) {
        Poll::Ready(mut guard) => guard.push("first"),
        Poll::Pending => panic!("it was its turn"),
    }
    thread.join().expect("no panic");
    assert_eq!(wakes.count(), 1);
    match poll_with(&mut last, &waker) {
        Poll::Ready(guard) => assert_eq!(*guard, ["first", "thread"]),
        Poll::Pending => panic!("it was its turn"),
    }
    assert!(!lock.locked());
}

#[test]
fn blocking_calls_end_in_time() {
    let lock = Lock::new(());
    let guard = lock.acquire_blocking_timeout(SOON).expect("it is free");
    assert!(lock.acquire_blocking_timeout(SOON).is_none());
    drop(guard);
    assert!(lock.acquire_blocking_timeout(SOON).is_some());

    let lock = RwLock::new(());
    let reader = lock.read_blocking();
    assert!(lock.read_blocking_timeout(SOON).is_some());
    assert!(lock.write_blocking_timeout(SOON).is_none());
    drop(reader);
    let writer = lock.write_blocking_timeout(SOON).expect("it is free");
    assert!(lock.read_blocking_timeout(SOON).is_none());
    let reader = writer.downgrade();
    assert!(lock.try_read().is_some() && lock.try_write().is_none());
    drop(reader);
    drop(lock.write_blocking());

    let semaphore = Semaphore::new(2);
    let permit = semaphore.acquire_many_blocking(2);
    assert!(semaphore.acquire_blocking_timeout(SOON).is_none());
    drop(permit);
    assert!(semaphore.acquire_many_blocking_timeout(3, SOON).is_none());
    assert_eq!(semaphore.available_permits(), 2);

    let bounded = BoundedSemaphore::new(1);
    let permit = bounded.acquire_blocking();
    assert!(bounded.acquire_blocking_timeout(SOON).is_none());
    drop(permit);
    assert!(bounded.acquire_blocking_timeout(SOON).is_some());

    let event = Event::new();
    assert!(!event.wait_blocking_timeout(SOON));
    event.set();
    assert!(event.wait_blocking_timeout(SOON));
    event.wait_blocking();

    let barrier = Barrier::new(2);
    let late = barrier.wait_blocking_timeout(SOON);
    assert!(late.is_err_and(|error| error.is_timed_out()));
    assert_eq!(barrier.n_waiting(), 0);
    barrier.abort();
    let broken = barrier.wait_blocking_timeout(SOON);
    assert!(broken.is_err_and(|error| error.is_broken()));
    assert!(barrier.wait_blocking().is_err());
}

#[test]
fn blocking_calls_of_a_queue_end_in_time_and_give_items_back() {
    let queue = Queue::new(1);
    assert_eq!(queue.put_blocking(1), Ok(()));
    let full = queue.put_blocking_timeout(2, SOON).expect_err("it is full");
    assert!(full.is_timed_out());
    assert_eq!(full.into_inner(), 2);
    assert!(!queue.join_blocking_timeout(SOON));
    assert_eq!(queue.get_blocking(), Ok(1));
    let empty = queue.get_blocking_timeout(SOON);
    assert!(empty.is_err_and(|error| error.is_timed_out()));
    assert_eq!(queue.task_done(), Ok(()));
    queue.join_blocking();
    assert!(queue.join_blocking_timeout(SOON));
    queue.shutdown(false);
    let ended = queue.put_blocking_timeout(3, SOON).expect_err("it is shut");
    assert!(ended.is_shut_down());
    assert_eq!(
        queue.put_blocking(4).map_err(QueuePutError::into_inner),
        Err(4)
    );
    let ended = queue.get_blocking_timeout(SOON);
    assert!(ended.is_err_and(|error| error.is_shut_down()));
    assert!(queue.get_blocking().is_err());
}

#[test]
fn what_ends_wakes_every_blocked_thread() {
    let queue = Queue::<u8>::new(0);
    let barrier = Barrier::new(9);
    let event = Event::new();
    thread::scope(|scope| {
        let mut threads = Joined::default();
        for _ in 0..2 {
            threads.add(scope.spawn(|| assert!(queue.get_blocking().is_err())));
            threads.add(scope.spawn(|| assert!(barrier.wait_blocking().is_err())));
            threads.add(scope.spawn(|| event.wait_blocking()));
        }
        until(|| queue.statistics().getters_waiting == 2);
        until(|| barrier.n_waiting() == 2);
        until(|| event.statistics().waiting == 2);
        queue.shutdown(false);
        barrier.reset();
        event.set();
    });
}

#[test]
fn a_condition_is_waited_for_by_threads_and_tasks() {
    let stock = Condition::new(0);
    thread::scope(|scope| {
        let mut threads = Joined::default();
        threads.add(scope.spawn(|| {
            let guard = stock.acquire_blocking();
            *stock.wait_for_blocking(guard, |stock| *stock > 0) -= 1;
        }));
        threads.add(scope.spawn(|| {
            let taken = polyloop::run(async {
                let guard = stock.acquire().await;
                *stock.wait_for(guard, |stock| *stock > 0).await -= 1;
            });
            taken.expect("the machine has descriptors left");
        }));
        until(|| stock.statistics().waiting == 2);
        let mut guard = stock.acquire_blocking();
        *guard = 2;
        stock.notify_all(&guard);
    });
    let guard = stock.acquire_blocking();
    assert_eq!(*guard, 0);
    let (guard, notified) = stock.wait_blocking_timeout(guard, SOON);
    assert!(!notified);
    let (guard, said) = stock.wait_for_blocking_timeout(guard, SOON, |stock| *stock > 0);
    assert!(!said);
    drop(guard);
    assert_eq!(stock.statistics().waiting, 0);
}

#[test]
fn a_barrier_opens_for_loops_and_threads_together() {
    let barrier = Barrier::new(3);
    let numbers = AtomicUsize::new(0);
    thread::scope(|scope| {
        let mut threads = Joined::default();
        for _ in 0..2 {
            threads.add(scope.spawn(|| {
                for _ in 0..100 {
                    numbers.fetch_add(barrier.wait_blocking().expect("not broken"), SeqCst);
                }
            }));
        }
        threads.add(scope.spawn(|| {
            let rounds = async {
                for _ in 0..100 {
                    numbers.fetch_add(barrier.wait().await.expect("not broken"), SeqCst);
                }
            };
            polyloop::run(rounds).expect("the machine has descriptors left");
        }));
    });
    assert_eq!(numbers.load(SeqCst), 100 * (1 + 2));
}

#[test]
fn trap_012_what_a_cancelled_wait_was_given_goes_to_the_next() {
    let semaphore = Semaphore::new(0);
    let (first, second) = (Wakes::new(), Wakes::new());
    let (mut a, mut b) = (semaphore.acquire(), semaphore.acquire());
    assert!(poll_with(&mut a, &first.1).is_pending());
    assert!(poll_with(&mut b, &second.1).is_pending());
    semaphore.release();
    assert_eq!((first.0.count(), second.0.count()), (1, 0));
    drop(a);
    assert_eq!(second.0.count(), 1);
    assert!(poll_with(&mut b, &second.1).is_ready());

    // One that asks for too much holds up those behind it until it goes.
    let semaphore = Semaphore::new(1);
    let (mut a, mut b) = (semaphore.acquire_many(5), semaphore.acquire());
    assert!(poll_with(&mut a, &first.1).is_pending());
    assert!(poll_with(&mut b, &second.1).is_pending());
    drop(a);
    assert_eq!(second.0.count(), 2);
    assert!(poll_with(&mut b, &second.1).is_ready());
    assert!(!semaphore.locked());
}

#[test]
fn trap_093_permits_beyond_the_most_are_refused() {
    let most = usize::MAX / 2;
    let semaphore = Semaphore::new(most);
    let added = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(1)));
    assert!(added.is_err());
    let added = catch_unwind(AssertUnwindSafe(|| semaphore.add_permits(usize::MAX)));
    assert!(added.is_err());
    assert!(catch_unwind(|| Semaphore::new(most + 1)).is_err());
    let permit = semaphore.acquire_many_blocking(most);
    semaphore.add_permits(2);
    drop(permit);
    assert!(semaphore.available_permits() >= 2);
}

#[test]
fn a_notified_wait_that_is_dropped_notifies_another() {
    let condition = Condition::new(());
    let (first, second) = (Wakes::new(), Wakes::new());
    let mut a = condition.wait(condition.acquire_blocking());
    assert!(poll_with(&mut a, &first.1).is_pending());
    let mut b = condition.wait(condition.acquire_blocking());
    assert!(poll_with(&mut b, &second.1).is_pending());
    condition.notify(&condition.acquire_blocking(), 1);
    assert_eq!((first.0.count(), second.0.count()), (1, 0));
    drop(a);
    assert_eq!(second.0.count(), 1);
    drop(wait(b));
    assert!(!condition.locked());
}

#[test]
fn a_value_is_reached_through_its_owner() {
    let mut lock = Lock::new(1);
    *lock.get_mut() += 1;
    assert_eq!(format!("{lock:?}"), "Lock { value: 2, waiting: 0 }");
    let guard = lock.try_acquire();
    assert_eq!(format!("{lock:?}"), "Lock { value: <locked>, waiting: 0 }");
    drop(guard);
    assert_eq!(lock.into_inner(), 2);
    let mut lock = RwLock::new(1);
    *lock.get_mut() += 1;
    let statistics = lock.statistics();
    assert_eq!((statistics.readers, statistics.writing), (0, false));
    assert_eq!(format!("{lock:?}"), "RwLock { value: 2, waiting: 0 }");
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn a_comparison_that_panics_leaves_nobody_asleep_beside_an_item_or_room() {
    let queue = PriorityQueue::new(3);
    let (wakes, waker) = Wakes::new();
    let mut get = queue.get();
    queue.put_nowait(Touchy(1)).expect("there is room");
    queue.put_nowait(Touchy(2)).expect("there is room");
    queue.put_nowait(Touchy(3)).expect("there is room");
    let mut put = queue.put(Touchy(4));
    assert!(poll_with(&mut put, &waker).is_pending());
    Touchy::panics_in(&|| drop(queue.get_nowait()));
    assert_eq!(
        (queue.qsize(), wakes.count()),
        (2, 1),
        "one is out nevertheless"
    );
    assert!(poll_with(&mut put, &waker).is_ready());
    assert!(poll_with(&mut get, &waker).is_ready());
}
