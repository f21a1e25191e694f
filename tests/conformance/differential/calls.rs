//! Callbacks and timers of the loop.

use super::{Say, ms, scripts};
use polyloop::{call_at, call_later, call_soon, create_task, sleep, time, yield_now};
use std::cell::RefCell;
use std::rc::Rc;

scripts! {
    call_soon_order call_soon_runs_next_turn call_soon_among_tasks call_soon_cancelled
    call_later_in_order_of_time call_at_equal_deadlines
    call_later_cancelled timer_schedules_a_callback call_at_in_the_past call_later_zero
    callback_that_fails cancel_from_a_callback
}

async fn call_soon_order(say: Say) {
    for n in 0..3 {
        drop(call_soon(say.later(format!("call {n}"))));
    }
    say.line("scheduled");
    yield_now().await;
    say.line("main");
}

async fn turns(say: &Say, count: usize) {
    for turn in 0..count {
        yield_now().await;
        say.line(format!("turn {turn}"));
    }
}

async fn call_soon_runs_next_turn(say: Say) {
    let inside = say.clone();
    drop(call_soon(move || {
        inside.line("outer");
        drop(call_soon(inside.later("inner")));
    }));
    turns(&say, 3).await;
}

async fn call_soon_among_tasks(say: Say) {
    for n in 0..3 {
        drop(call_soon(say.later(format!("call {n}"))));
        let task = say.later(format!("task {n}"));
        drop(create_task(async move { task() }));
    }
    yield_now().await;
    say.line("main");
}

async fn call_soon_cancelled(say: Say) {
    drop(call_soon(say.later("first")));
    let second = call_soon(say.later("second"));
    drop(call_soon(say.later("third")));
    second.cancel();
    yield_now().await;
    say.line("main");
}

async fn call_later_in_order_of_time(say: Say) {
    for delay in [30, 10, 20] {
        let inside = say.clone();
        drop(call_later(ms(delay), move || {
            inside.line(format!("after {delay} at {}", inside.ms()));
        }));
    }
    sleep(ms(50)).await;
    say.line(format!("main at {}", say.ms()));
}

/// adapted: asyncio leaves the order of equal deadlines open; here they keep the
///   order in which they were set
async fn call_at_equal_deadlines(say: Say) {
    let when = time::now() + ms(10);
    for n in 0..3 {
        drop(call_at(when, say.later(format!("timer {n}"))));
    }
    sleep(ms(20)).await;
}

async fn call_later_cancelled(say: Say) {
    drop(call_later(ms(10), say.later("kept")));
    call_later(ms(5), say.later("cancelled")).cancel();
    sleep(ms(20)).await;
    say.line(format!("main at {}", say.ms()));
}

async fn timer_schedules_a_callback(say: Say) {
    let when = time::now() + ms(10);
    let inside = say.clone();
    drop(call_at(when, move || {
        inside.line("timer");
        drop(call_soon(inside.later("soon")));
    }));
    drop(call_at(when, say.later("other timer")));
    sleep(ms(20)).await;
}

async fn call_at_in_the_past(say: Say) {
    sleep(ms(1000)).await;
    drop(call_at(time::now() - ms(500), say.later("timer")));
    drop(call_soon(say.later("soon")));
    say.line("scheduled");
    turns(&say, 3).await;
}

async fn call_later_zero(say: Say) {
    drop(call_later(ms(0), say.later("timer")));
    drop(call_soon(say.later("soon")));
    turns(&say, 3).await;
}

async fn callback_that_fails(say: Say) {
    drop(call_soon(say.later("before")));
    drop(call_soon(|| panic!("broken")));
    drop(call_soon(say.later("after")));
    yield_now().await;
    say.line("main");
}

async fn cancel_from_a_callback(say: Say) {
    let victim = Rc::new(RefCell::new(None::<polyloop::CallHandle>));
    let (inside, cancelled) = (say.clone(), victim.clone());
    drop(call_soon(move || {
        inside.line("canceller");
        if let Some(victim) = &*cancelled.borrow() {
            victim.cancel();
        }
    }));
    *victim.borrow_mut() = Some(call_soon(say.later("victim")));
    yield_now().await;
    say.line("main");
}
