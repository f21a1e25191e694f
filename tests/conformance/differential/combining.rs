//! gather, wait, as_completed, shield.

use super::{Say, ms, outcome, scripts};
use futures::StreamExt;
use polyloop::{
    ReturnWhen, Task, as_completed, create_task, gather, sleep, try_gather, wait, yield_now,
};
use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;

scripts! {
    gather_keeps_the_order gather_of_nothing gather_starts_in_order gather_turns
    gather_with_a_failure gather_all_outcomes wait_for_the_first wait_for_all
    wait_for_an_exception wait_with_a_timeout as_completed_in_order_of_the_end
    shield_from_cancellation
}

fn after<T: std::fmt::Display + 'static>(say: &Say, delay: u64, value: T) -> Task<T> {
    let say = say.clone();
    create_task(async move {
        sleep(ms(delay)).await;
        say.line(format!("ends {value}"));
        value
    })
}

fn tasks(say: &Say, delays: &[u64]) -> Vec<Task<usize>> {
    let delays = delays.iter().enumerate();
    delays.map(|(n, &delay)| after(say, delay, n)).collect()
}

fn fails_after(delay: u64) -> Task<usize> {
    create_task(async move {
        sleep(ms(delay)).await;
        panic!("broken")
    })
}

async fn gather_keeps_the_order(say: Say) {
    let values = gather(tasks(&say, &[30, 10, 20])).await;
    let values: Vec<_> = values.into_iter().map(outcome).collect();
    say.line(values.join(" "));
    say.line(format!("at {}", say.ms()));
}

async fn gather_of_nothing(say: Say) {
    say.line(gather(Vec::<Task<()>>::new()).await.len());
}

async fn gather_starts_in_order(say: Say) {
    let body = |n| {
        let say = say.clone();
        create_task(async move {
            say.line(format!("starts {n}"));
            yield_now().await;
            say.line(format!("goes on {n}"));
        })
    };
    gather((0..3).map(body)).await;
}

/// adapted: asyncio's gather learns of the last child in one turn and wakes its
///   caller in the next; here the child wakes the caller itself
async fn gather_turns(say: Say) {
    let inside = say.clone();
    let ticker = create_task(async move {
        for turn in 0..5 {
            inside.line(format!("turn {turn}"));
            yield_now().await;
        }
    });
    gather((0..2).map(|_| create_task(async {}))).await;
    say.line("gathered");
    ticker.await.unwrap();
}

async fn gather_with_a_failure(say: Say) {
    let mut failing = fails_after(10);
    let inside = say.clone();
    let mut sibling = create_task(async move {
        sleep(ms(20)).await;
        inside.line("ends sibling");
        0
    });
    if let Err(error) = try_gather([&mut failing, &mut sibling]).await {
        let text = outcome::<usize>(Err(error));
        say.line(format!("{text} at {}", say.ms()));
    }
    sibling.await.unwrap();
    say.line(format!("sibling at {}", say.ms()));
}

async fn gather_all_outcomes(say: Say) {
    let mut made = vec![create_task(async { panic!("broken") })];
    made.extend(tasks(&say, &[10]));
    made.push(create_task(pending()));
    made[2].cancel();
    for result in gather(made).await {
        say.line(outcome(result));
    }
}

async fn wait_for_the_first(say: Say) {
    let made = tasks(&say, &[20, 10, 30]);
    let (done, rest) = wait(made, ReturnWhen::FirstCompleted, None).await;
    say.line(format!("{} {} at {}", done.len(), rest.len(), say.ms()));
    wait(rest, ReturnWhen::AllCompleted, None).await;
}

async fn wait_for_all(say: Say) {
    let made = tasks(&say, &[20, 10, 30]);
    let (done, rest) = wait(made, ReturnWhen::AllCompleted, None).await;
    say.line(format!("{} {} at {}", done.len(), rest.len(), say.ms()));
}

async fn wait_for_an_exception(say: Say) {
    let mut made = tasks(&say, &[10, 30]);
    made.push(fails_after(15));
    let (done, rest) = wait(made, ReturnWhen::FirstException, None).await;
    say.line(format!("{} {} at {}", done.len(), rest.len(), say.ms()));
    wait(rest, ReturnWhen::AllCompleted, None).await;
    // Looked at, as Python's are: nobody else awaits the failed one.
    for task in done {
        let _ = task.await;
    }
}

async fn wait_with_a_timeout(say: Say) {
    let made = tasks(&say, &[10, 30]);
    let (done, rest) = wait(made, ReturnWhen::AllCompleted, Some(ms(20))).await;
    say.line(format!("{} {} at {}", done.len(), rest.len(), say.ms()));
    for task in rest {
        let value = outcome(task.await);
        say.line(format!("{value} at {}", say.ms()));
    }
}

async fn as_completed_in_order_of_the_end(say: Say) {
    let mut finished = as_completed(tasks(&say, &[30, 10, 20]));
    while let Some(task) = finished.next().await {
        let value = outcome(task.await);
        say.line(format!("got {value} at {}", say.ms()));
    }
}

async fn shield_from_cancellation(say: Say) {
    let inner = Rc::new(RefCell::new(after(&say, 20, "inner")));
    let shielded = inner.clone();
    let outer =
        create_task(
            async move { poll_fn(|cx| Pin::new(&mut *shielded.borrow_mut()).poll(cx)).await },
        );
    sleep(ms(10)).await;
    outer.cancel();
    if outer.await.is_err() {
        say.line(format!("outer cancelled at {}", say.ms()));
    }
    let inner = Rc::into_inner(inner).expect("outer is gone");
    let value = outcome(inner.into_inner().await);
    say.line(format!("{value} at {}", say.ms()));
}
