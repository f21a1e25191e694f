//! Locks, events, conditions, semaphores, barriers, futures.

use super::{Say, ms, py, scripts};
use polyloop::sync::{Barrier, Condition, Event, Lock, Semaphore, create_future};
use polyloop::{Task, call_soon, create_task, sleep, yield_now};
use std::rc::Rc;

scripts! {
    lock_is_fair lock_lets_nobody_barge lock_waiter_cancelled lock_woken_waiter_cancelled
    event_wakes_all_in_order event_set_and_cleared event_that_is_set
    condition_notifies_in_order condition_notifies_all condition_waits_for_a_predicate
    semaphore_is_fair semaphore_waiter_cancelled semaphore_lets_nobody_barge
    barrier_numbers_its_tasks barrier_is_used_again
    future_wakes_in_order future_callbacks_are_scheduled future_cancelled
}

async fn ends<const N: usize>(made: [Task<()>; N]) {
    for task in made {
        // Some of them are cancelled by their script.
        let _ = task.await;
    }
}

/// Tasks that take the lock and say a line.
fn lockers<const N: usize>(
    lock: &Rc<Lock<()>>,
    say: &Say,
    names: [&'static str; N],
) -> [Task<()>; N] {
    names.map(|name| {
        let (lock, line) = (lock.clone(), say.later(name));
        create_task(async move {
            let _held = lock.acquire().await;
            line();
        })
    })
}

async fn lock_is_fair(say: Say) {
    let lock = Rc::new(Lock::new(()));
    let made = ["a", "b", "c"].map(|name| {
        let (lock, say) = (lock.clone(), say.clone());
        create_task(async move {
            let _held = lock.acquire().await;
            say.line(format!("{name} in"));
            sleep(ms(10)).await;
            say.line(format!("{name} out"));
        })
    });
    ends(made).await;
}

async fn lock_lets_nobody_barge(say: Say) {
    let lock = Rc::new(Lock::new(()));
    let held = lock.acquire().await;
    let waiter = lockers(&lock, &say, ["waiter"]);
    yield_now().await;
    drop(held);
    let held = lock.acquire().await;
    say.line("main");
    drop(held);
    ends(waiter).await;
}

async fn lock_waiter_cancelled(say: Say) {
    let lock = Rc::new(Lock::new(()));
    let held = lock.acquire().await;
    let made = lockers(&lock, &say, ["a", "b", "c"]);
    yield_now().await;
    made[0].cancel();
    yield_now().await;
    drop(held);
    ends(made).await;
}

async fn lock_woken_waiter_cancelled(say: Say) {
    let lock = Rc::new(Lock::new(()));
    let held = lock.acquire().await;
    let made = lockers(&lock, &say, ["a", "b"]);
    yield_now().await;
    drop(held);
    made[0].cancel();
    ends(made).await;
    say.line(format!("locked: {}", py(lock.locked())));
}

fn waiter(event: &Rc<Event>, say: &Say, n: usize) -> Task<()> {
    let (event, line) = (event.clone(), say.later(format!("woken {n}")));
    create_task(async move {
        event.wait().await;
        line();
    })
}

async fn event_wakes_all_in_order(say: Say) {
    let event = Rc::new(Event::new());
    let made = [0, 1, 2].map(|n| waiter(&event, &say, n));
    yield_now().await;
    event.set();
    say.line("set");
    yield_now().await;
    say.line("main");
    ends(made).await;
}

async fn event_set_and_cleared(say: Say) {
    let event = Rc::new(Event::new());
    let early = waiter(&event, &say, 0);
    yield_now().await;
    event.set();
    event.clear();
    let late = waiter(&event, &say, 1);
    ends([early]).await;
    yield_now().await;
    say.line(format!("late: {}", py(late.is_finished())));
    event.set();
    ends([late]).await;
}

async fn event_that_is_set(say: Say) {
    let event = Event::new();
    event.set();
    drop(call_soon(say.later("soon")));
    event.wait().await;
    say.line("no turn passed");
    yield_now().await;
}

async fn condition_notifies_in_order(say: Say) {
    let condition = Rc::new(Condition::new(()));
    let made = [0, 1, 2].map(|n| {
        let (condition, line) = (condition.clone(), say.later(format!("woken {n}")));
        create_task(async move {
            let held = condition.acquire().await;
            let _held = condition.wait(held).await;
            line();
        })
    });
    yield_now().await;
    for count in [1, 2] {
        let held = condition.acquire().await;
        condition.notify(&held, count);
        say.line(format!("notified {count}"));
        drop(held);
        sleep(ms(10)).await;
    }
    ends(made).await;
}

async fn condition_notifies_all(say: Say) {
    let condition = Rc::new(Condition::new(()));
    let made = [0, 1, 2].map(|n| {
        let (condition, say) = (condition.clone(), say.clone());
        create_task(async move {
            let held = condition.acquire().await;
            let _held = condition.wait(held).await;
            say.line(format!("in {n}"));
            sleep(ms(10)).await;
            say.line(format!("out {n}"));
        })
    });
    yield_now().await;
    let held = condition.acquire().await;
    condition.notify_all(&held);
    say.line("notified");
    drop(held);
    ends(made).await;
}

async fn condition_waits_for_a_predicate(say: Say) {
    let condition = Rc::new(Condition::new(0));
    let (waited, inside) = (condition.clone(), say.clone());
    let task = create_task(async move {
        let held = waited.acquire().await;
        let held = waited.wait_for(held, |value| *value == 3).await;
        inside.line(format!("value {} at {}", *held, inside.ms()));
    });
    for n in 1..4 {
        sleep(ms(10)).await;
        let mut held = condition.acquire().await;
        *held = n;
        condition.notify(&held, 1);
    }
    ends([task]).await;
}

async fn semaphore_is_fair(say: Say) {
    let semaphore = Rc::new(Semaphore::new(2));
    let made = [0, 1, 2, 3, 4].map(|n| {
        let (semaphore, say) = (semaphore.clone(), say.clone());
        create_task(async move {
            let _permit = semaphore.acquire().await;
            say.line(format!("{n} in at {}", say.ms()));
            sleep(ms(10)).await;
        })
    });
    ends(made).await;
}

async fn semaphore_waiter_cancelled(say: Say) {
    let semaphore = Rc::new(Semaphore::new(0));
    let made = [0, 1, 2].map(|n| {
        let (semaphore, line) = (semaphore.clone(), say.later(n));
        create_task(async move {
            semaphore.acquire().await.forget();
            line();
        })
    });
    yield_now().await;
    made[1].cancel();
    semaphore.release();
    semaphore.release();
    ends(made).await;
    say.line(format!("locked: {}", py(semaphore.locked())));
}

async fn semaphore_lets_nobody_barge(say: Say) {
    let semaphore = Rc::new(Semaphore::new(1));
    let held = semaphore.acquire().await;
    let (waited, line) = (semaphore.clone(), say.later("waiter"));
    let task = create_task(async move {
        let _permit = waited.acquire().await;
        line();
    });
    yield_now().await;
    drop(held);
    say.line(format!("locked: {}", py(semaphore.locked())));
    let held = semaphore.acquire().await;
    say.line("main");
    drop(held);
    ends([task]).await;
}

async fn barrier_numbers_its_tasks(say: Say) {
    let barrier = Rc::new(Barrier::new(3));
    let made = ["a", "b", "c"].map(|name| {
        let (barrier, say) = (barrier.clone(), say.clone());
        create_task(async move {
            say.line(format!("{name} waits"));
            let index = barrier.wait().await.unwrap();
            say.line(format!("{name} passes as {index}"));
        })
    });
    ends(made).await;
}

async fn barrier_is_used_again(say: Say) {
    let barrier = Rc::new(Barrier::new(2));
    let made = ["a", "b"].map(|name| {
        let (barrier, say) = (barrier.clone(), say.clone());
        create_task(async move {
            for turn in 0..2 {
                barrier.wait().await.unwrap();
                say.line(format!("{name} passes {turn}"));
            }
        })
    });
    ends(made).await;
}

async fn future_wakes_in_order(say: Say) {
    let (promise, future) = create_future();
    let made = [0, 1, 2].map(|n| {
        let (future, say) = (future.clone(), say.clone());
        create_task(async move { say.line(format!("{n} got {}", future.await.unwrap())) })
    });
    yield_now().await;
    promise.set_result(7).unwrap();
    say.line("set");
    ends(made).await;
}

async fn future_callbacks_are_scheduled(say: Say) {
    let (promise, future) = create_future();
    future.add_done_callback(say.later("first"));
    future.add_done_callback(say.later("second"));
    promise.set_result(()).unwrap();
    say.line("set");
    yield_now().await;
    future.add_done_callback(say.later("third"));
    say.line("added");
    yield_now().await;
    say.line("main");
}

async fn future_cancelled(say: Say) {
    let (_promise, future) = create_future::<()>();
    let (first, second) = (future.cancel(), future.cancel());
    say.line(format!("{} {}", py(first), py(second)));
    say.line(format!("{} {}", py(future.cancelled()), py(future.done())));
}
