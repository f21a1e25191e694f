//! What is handed on: the items of queues, the values of channels.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::*;
use super::{Random, pause, seeds, shake};

fn a_queue_loses_nothing<O: QueueOrder<i32> + 'static>(queue: impl Fn(usize) -> Rc<Queue<i32, O>>) {
    for seed in seeds() {
        let queue = queue(seed as usize / 3 % 4);
        let put = Rc::<RefCell<Vec<_>>>::default();
        let got = Rc::<RefCell<Vec<_>>>::default();
        let mut next = 0;
        let mut world = shake(
            seed,
            |world, random| {
                let (queue, pauses) = (queue.clone(), random.below(3));
                // Some seeds have more who put, some more who get.
                if random.below(4) <= seed as usize % 3 {
                    let (put, item) = (put.clone(), next);
                    next += 1;
                    world.start(async move |_| {
                        pause(pauses).await;
                        queue.put(item).await.expect("the queue is open");
                        put.borrow_mut().push(item);
                    });
                } else {
                    let got = got.clone();
                    world.start(async move |_| {
                        pause(pauses).await;
                        let item = queue.get().await.expect("the queue is open");
                        got.borrow_mut().push(item);
                        queue.task_done().expect("an item was got");
                    });
                }
            },
            |world| {
                let rest = queue.statistics();
                // Whoever sleeps has a reason to: no items and no room at once.
                assert!(
                    rest.items == 0 || rest.getters_waiting == 0,
                    "seed {seed}: {rest:?}"
                );
                assert!(
                    queue.full() || rest.putters_waiting == 0,
                    "seed {seed}: {rest:?}"
                );
                assert_eq!(
                    world.tasks.len(),
                    rest.getters_waiting + rest.putters_waiting
                );
                assert_eq!(rest.unfinished, rest.items, "seed {seed}: {rest:?}");
            },
        );
        got.borrow_mut().extend(queue.shutdown(true));
        world.all_were_woken(seed);
        put.borrow_mut().sort_unstable();
        got.borrow_mut().sort_unstable();
        assert_eq!(put, got, "seed {seed}");
    }
}

#[test]
fn a_queue_loses_no_item_and_no_wake() {
    a_queue_loses_nothing(|maxsize| Rc::new(Queue::new(maxsize)));
}

#[test]
fn a_lifo_queue_loses_no_item_and_no_wake() {
    a_queue_loses_nothing(|maxsize| Rc::new(Queue::<_, Lifo>::with_order(maxsize)));
}

#[test]
fn a_priority_queue_loses_no_item_and_no_wake() {
    a_queue_loses_nothing(|maxsize| Rc::new(Queue::<_, LowestFirst>::with_order(maxsize)));
}

#[test]
fn a_receiver_gets_every_value_that_is_kept() {
    for seed in seeds() {
        let capacity = 1 + seed as usize % 5;
        let (sender, first) = broadcast::channel(capacity);
        drop(first);
        let sent = std::cell::Cell::new(0_u64);
        let mut world = shake(
            seed,
            |world, random| {
                if random.below(2) == 0 {
                    if sender.send(sent.get()).is_ok() {
                        sent.set(sent.get() + 1);
                    }
                    return;
                }
                let (mut receiver, mut next) = (sender.subscribe(), sent.get());
                let pauses = random.below(3);
                world.start(async move |_| {
                    for _ in 0..3 {
                        pause(pauses).await;
                        match receiver.recv().await {
                            Ok(value) => assert_eq!(value, next),
                            Err(error) => next += error.lagged().expect("it is open") - 1,
                        }
                        next += 1;
                    }
                });
            },
            |world| {
                let waiting = sender.statistics().waiting;
                assert_eq!(world.tasks.len(), waiting, "seed {seed}");
            },
        );
        drop(sender);
        world.all_were_woken(seed);
        world.run_all(&mut Random::new(seed));
    }
}
