//! Tasks: when they start, end and are cancelled.

use super::{Say, ms, outcome, py, scripts};
use polyloop::sync::Event;
use polyloop::{Task, all_tasks, call_soon, create_task, current_task, sleep, yield_now};
use std::future::pending;
use std::rc::Rc;

scripts! {
    task_starts_next_turn tasks_take_turns task_makes_a_task await_wakes_in_the_next_turn
    await_a_done_task done_callbacks_are_scheduled done_callback_of_a_done_task
    done_callback_and_awaiter cancel_before_the_start cancel_while_sleeping cancel_when_done
    cancel_twice cancel_in_order cancel_after_the_wake cancel_the_awaiter task_that_fails
    current_task_in_places all_tasks_counts_the_unfinished
}

fn twice(say: &Say, name: &'static str) -> Task<&'static str> {
    let say = say.clone();
    create_task(async move {
        say.line(format!("{name} first"));
        yield_now().await;
        say.line(format!("{name} second"));
        name
    })
}

async fn turns(say: &Say, count: usize) {
    for turn in 0..count {
        yield_now().await;
        say.line(format!("turn {turn}"));
    }
}

async fn task_starts_next_turn(say: Say) {
    let task = twice(&say, "task");
    say.line("created");
    yield_now().await;
    say.line("turn");
    task.await.unwrap();
    say.line("main");
}

async fn tasks_take_turns(say: Say) {
    for task in ["a", "b", "c"].map(|name| twice(&say, name)) {
        task.await.unwrap();
    }
    say.line("main");
}

async fn task_makes_a_task(say: Say) {
    let inside = say.clone();
    let task = create_task(async move {
        inside.line("outer");
        let inner = twice(&inside, "inner");
        inside.line("made");
        inner.await.unwrap();
        inside.line("outer ends");
    });
    turns(&say, 4).await;
    task.await.unwrap();
}

async fn await_wakes_in_the_next_turn(say: Say) {
    let inside = say.clone();
    let other = create_task(async move {
        for turn in 0..4 {
            inside.line(format!("other {turn}"));
            yield_now().await;
        }
    });
    let child = say.later("child");
    create_task(async move { child() }).await.unwrap();
    say.line("main");
    other.await.unwrap();
}

async fn await_a_done_task(say: Say) {
    let task = create_task(async { 7 });
    yield_now().await;
    drop(call_soon(say.later("soon")));
    say.line(task.await.unwrap());
    say.line("no turn passed");
    yield_now().await;
}

async fn done_callbacks_are_scheduled(say: Say) {
    let body = say.later("body");
    let task = create_task(async move { body() });
    task.add_done_callback(say.later("first"));
    task.add_done_callback(say.later("second"));
    turns(&say, 3).await;
}

async fn done_callback_of_a_done_task(say: Say) {
    let body = say.later("body");
    let mut task = create_task(async move { body() });
    (&mut task).await.unwrap();
    task.add_done_callback(say.later("callback"));
    say.line("added");
    yield_now().await;
    say.line("main");
}

async fn done_callback_and_awaiter(say: Say) {
    let body = say.later("body");
    let task = create_task(async move { body() });
    task.add_done_callback(say.later("callback"));
    task.await.unwrap();
    say.line("awaiter");
}

async fn cancel_before_the_start(say: Say) {
    let task = twice(&say, "task");
    say.line(py(task.cancel()));
    say.line(outcome(task.await));
}

async fn cancel_while_sleeping(say: Say) {
    let gone = say.at_the_end("gone");
    let task = create_task(async move {
        let _gone = gone;
        sleep(ms(10_000)).await;
        "slept"
    });
    sleep(ms(10)).await;
    let asked = task.cancel();
    say.line(format!("{} {}", py(asked), py(task.is_finished())));
    let came_to = outcome(task.await);
    say.line(format!("{came_to} at {}", say.ms()));
}

async fn cancel_when_done(say: Say) {
    let mut task = twice(&say, "task");
    let cancelled = (&mut task).await.is_err();
    say.line(format!("{} {}", py(task.cancel()), py(cancelled)));
}

async fn cancel_twice(say: Say) {
    let task = create_task(pending::<&str>());
    yield_now().await;
    let (first, second) = (task.cancel(), task.cancel());
    say.line(format!("{} {}", py(first), py(second)));
    say.line(outcome(task.await));
}

async fn cancel_in_order(say: Say) {
    let made = ["gone a", "gone b", "gone c"].map(|line| {
        let gone = say.at_the_end(line);
        create_task(async move {
            let _gone = gone;
            pending::<()>().await;
        })
    });
    yield_now().await;
    for n in [2, 0, 1] {
        made[n].cancel();
    }
    say.line("asked");
    yield_now().await;
    say.line("main");
}

async fn cancel_after_the_wake(say: Say) {
    let event = Rc::new(Event::new());
    let (waited, inside) = (event.clone(), say.clone());
    let task = create_task(async move {
        waited.wait().await;
        inside.line("went on");
        "done"
    });
    yield_now().await;
    event.set();
    task.cancel();
    say.line(outcome(task.await));
}

/// adapted: cancelling drops the future that awaits a task, which detaches the
///   task; asyncio passes the cancellation on, and has `shield` against it
async fn cancel_the_awaiter(say: Say) {
    let inside = say.clone();
    let task = create_task(async move {
        sleep(ms(10)).await;
        inside.line("inner ends");
    });
    let inner = task.id();
    let awaiter = create_task(async move {
        task.await.unwrap();
        "awaited"
    });
    yield_now().await;
    awaiter.cancel();
    say.line(outcome(awaiter.await));
    let alive = all_tasks().iter().any(|task| task.id == inner);
    sleep(ms(20)).await;
    say.line(format!("inner cancelled: {}", py(!alive)));
}

async fn task_that_fails(say: Say) {
    let fails = create_task(async {
        if true {
            panic!("broken");
        }
        "fine"
    });
    say.line(outcome(fails.await));
    say.line("main");
}

async fn current_task_in_places(say: Say) {
    let inside = say.clone();
    drop(call_soon(move || {
        inside.line(format!("callback: {}", py(current_task().is_some())));
    }));
    let inside = say.clone();
    let body = async move { inside.line(format!("task: {}", py(current_task().is_some()))) };
    create_task(body).await.unwrap();
}

async fn all_tasks_counts_the_unfinished(say: Say) {
    let [first, _second, third] = [1, 2, 3].map(|n| create_task(sleep(ms(10 * n))));
    say.line(all_tasks().len());
    first.await.unwrap();
    say.line(all_tasks().len());
    third.await.unwrap();
    say.line(all_tasks().len());
}
