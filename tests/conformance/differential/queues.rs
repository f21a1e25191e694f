//! Queues.

use super::{Say, ms, py, scripts};
use polyloop::sync::{LifoQueue, PriorityQueue, Queue};
use polyloop::{ReturnWhen, Task, call_soon, create_task, sleep, wait, yield_now};
use std::rc::Rc;

scripts! {
    queue_hands_over_in_order queue_full_makes_putters_wait queue_getters_in_order
    queue_getter_cancelled queue_woken_getter_cancelled queue_join_waits_for_every_item
    lifo_queue_order priority_queue_order queue_that_has_something_does_not_wait
}

fn getter(queue: &Rc<Queue<usize>>, say: &Say, name: &'static str) -> Task<()> {
    let (queue, say) = (queue.clone(), say.clone());
    create_task(async move {
        let item = queue.get().await.unwrap();
        say.line(format!("{name} got {item}"));
    })
}

async fn ends<const N: usize>(made: [Task<()>; N]) {
    for task in made {
        // Some of them are cancelled by their script.
        let _ = task.await;
    }
}

async fn queue_hands_over_in_order(say: Say) {
    let queue = Rc::new(Queue::new(0));
    let (from, inside) = (queue.clone(), say.clone());
    let consumer = create_task(async move {
        for _ in 0..4 {
            let item: usize = from.get().await.unwrap();
            inside.line(format!("got {item}"));
        }
    });
    for n in 0..4 {
        queue.put(n).await.unwrap();
        say.line(format!("put {n}"));
    }
    ends([consumer]).await;
}

async fn queue_full_makes_putters_wait(say: Say) {
    let queue = Rc::new(Queue::new(1));
    let (to, inside) = (queue.clone(), say.clone());
    let producer = create_task(async move {
        for n in 0..4 {
            to.put(n).await.unwrap();
            inside.line(format!("put {n}"));
        }
    });
    yield_now().await;
    for _ in 0..4 {
        let item: usize = queue.get().await.unwrap();
        say.line(format!("got {item}"));
    }
    ends([producer]).await;
}

async fn queue_getters_in_order(say: Say) {
    let queue = Rc::new(Queue::new(0));
    let made = ["a", "b", "c"].map(|name| getter(&queue, &say, name));
    yield_now().await;
    for n in 0..3 {
        queue.put_nowait(n).unwrap();
    }
    ends(made).await;
}

async fn queue_getter_cancelled(say: Say) {
    let queue = Rc::new(Queue::new(0));
    let made = ["a", "b", "c"].map(|name| getter(&queue, &say, name));
    yield_now().await;
    made[0].cancel();
    queue.put_nowait(0).unwrap();
    queue.put_nowait(1).unwrap();
    ends(made).await;
    say.line(format!("left {}", queue.qsize()));
}

async fn queue_woken_getter_cancelled(say: Say) {
    let queue = Rc::new(Queue::new(0));
    let mut made = ["a", "b"].map(|name| getter(&queue, &say, name));
    yield_now().await;
    queue.put_nowait(0).unwrap();
    made[0].cancel();
    wait(&mut made, ReturnWhen::AllCompleted, Some(ms(10))).await;
    let second = py(made[1].is_finished());
    say.line(format!("{second} {}", queue.qsize()));
}

async fn queue_join_waits_for_every_item(say: Say) {
    let queue = Rc::new(Queue::new(0));
    let (from, inside) = (queue.clone(), say.clone());
    let worker = create_task(async move {
        loop {
            let item: usize = from.get().await.unwrap();
            sleep(ms(10)).await;
            inside.line(format!("worked on {item} at {}", inside.ms()));
            from.task_done().unwrap();
        }
    });
    for n in 0..3 {
        queue.put_nowait(n).unwrap();
    }
    queue.join().await;
    say.line(format!("joined at {}", say.ms()));
    worker.cancel();
}

async fn lifo_queue_order(say: Say) {
    let queue = LifoQueue::new(0);
    for n in [1, 3, 2] {
        queue.put_nowait(n).unwrap();
    }
    for _ in 0..3 {
        say.line(queue.get().await.unwrap());
    }
}

async fn priority_queue_order(say: Say) {
    let queue = PriorityQueue::new(0);
    for n in [2, 3, 1] {
        queue.put_nowait(n).unwrap();
    }
    for _ in 0..3 {
        say.line(queue.get().await.unwrap());
    }
}

async fn queue_that_has_something_does_not_wait(say: Say) {
    let queue = Queue::new(0);
    queue.put_nowait("item").unwrap();
    drop(call_soon(say.later("soon")));
    say.line(queue.get().await.unwrap());
    say.line("no turn passed");
    yield_now().await;
}
