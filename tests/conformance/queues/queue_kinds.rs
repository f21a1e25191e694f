//! test_queues: what all three queues do, each on its own.

use super::subject::{LifoQueue, PriorityQueue};
use crate::kit::on_loop;

/// same test_queues.LifoQueueTests.test_order
#[test]
fn test_order_lifo() {
    on_loop(async {
        let queue = LifoQueue::new(0);
        for item in [1, 3, 2] {
            queue.put(item).await.expect("it is open");
        }
        for item in [2, 3, 1] {
            assert_eq!(queue.get().await, Ok(item));
        }
    });
}

/// same test_queues.PriorityQueueTests.test_order
#[test]
fn test_order_priority() {
    on_loop(async {
        let queue = PriorityQueue::new(0);
        for item in [1, 3, 2] {
            queue.put(item).await.expect("it is open");
        }
        for item in [1, 2, 3] {
            assert_eq!(queue.get().await, Ok(item));
        }
    });
}

/// What asyncio leaves open: of equal items the older one comes first.
#[test]
fn equal_items_keep_their_order() {
    #[derive(PartialEq, Eq, Debug)]
    struct Job(u32, char);
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = PriorityQueue::new(0);
    for job in [Job(2, 'a'), Job(1, 'b'), Job(2, 'c'), Job(1, 'd')] {
        assert!(queue.put_nowait(job).is_ok());
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.get_nowait().ok()).collect();
    let order: String = order.iter().map(|job| job.1).collect();
    assert_eq!(order, "bdac");
}

/// The mixins of the original, once for each queue.
macro_rules! for_each_kind {
    ($($module:ident, $kind:ident;)*) => {$(
        mod $module {
            use std::cell::Cell;
            use std::rc::Rc;

            use polyloop::create_task;

            use super::super::Shared;
            use super::super::subject::$kind as Kind;
            use crate::kit::{done, on_loop, settle};

            /// adapted test_queues._QueueJoinTestMixin.test_task_done_underflow: an error is returned, not raised
            #[test]
            fn test_task_done_underflow() {
                assert!(Kind::<u32>::new(0).task_done().is_err());
            }

            /// same test_queues._QueueJoinTestMixin.test_task_done
            #[test]
            fn test_task_done() {
                on_loop(async {
                    let queue = Shared::new(Kind::new(0));
                    for item in 0..100_u32 {
                        queue.put_nowait(item).expect("there is room");
                    }
                    let (sum, running) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(true)));
                    let workers = [(); 2].map(|()| {
                        let queue = Shared::clone(&queue);
                        let (sum, running) = (Rc::clone(&sum), Rc::clone(&running));
                        create_task(async move {
                            while running.get() {
                                sum.set(sum.get() + queue.get().await.expect("it is open"));
                                queue.task_done().expect("an item was got");
                            }
                        })
                    });
                    queue.join().await;
                    assert_eq!(sum.get(), (0..100).sum());
                    running.set(false);
                    for _ in &workers {
                        queue.put_nowait(0).expect("there is room");
                    }
                    for worker in workers {
                        done(worker).await;
                    }
                });
            }

            /// same test_queues._QueueJoinTestMixin.test_join_empty_queue
            #[test]
            fn test_join_empty_queue() {
                on_loop(async {
                    let queue = Kind::<u32>::new(0);
                    queue.join().await;
                    queue.join().await;
                });
            }

            /// adapted test_queues._QueueJoinTestMixin.test_format: statistics() says what the text says
            /// adapted test_queues._QueueShutdownTestMixin.test_format: statistics() says what the text says
            #[test]
            fn test_format() {
                let queue = Kind::new(0);
                assert_eq!(queue.statistics().maxsize, 0);
                queue.put_nowait(1).expect("there is room");
                queue.put_nowait(2).expect("there is room");
                assert_eq!(queue.statistics().unfinished, 2);
                assert!(!queue.statistics().shut_down);
                queue.shutdown(false);
                assert!(queue.statistics().shut_down);
            }

            /// Nothing can be put any more, and there is nothing left to get.
            async fn assert_at_an_end(queue: &Kind<&'static str>) {
                assert!(queue.put("data").await.is_err());
                assert!(queue.put_nowait("data").unwrap_err().is_shut_down());
                assert!(queue.get().await.is_err());
                assert!(queue.get_nowait().unwrap_err().is_shut_down());
            }

            /// same test_queues._QueueShutdownTestMixin.test_shutdown_empty
            #[test]
            fn test_shutdown_empty() {
                on_loop(async {
                    let queue = Shared::new(Kind::new(0));
                    let getter = create_task({
                        let queue = Shared::clone(&queue);
                        async move { queue.get().await }
                    });
                    settle().await;
                    queue.shutdown(false);
                    assert_eq!(queue.qsize(), 0);
                    queue.join().await;
                    settle().await;
                    assert!(getter.is_finished());
                    assert!(done(getter).await.is_err());
                    assert_at_an_end(&queue).await;
                });
            }

            /// same test_queues._QueueShutdownTestMixin.test_shutdown_nonempty
            #[test]
            fn test_shutdown_nonempty() {
                on_loop(async {
                    let queue = Shared::new(Kind::new(1));
                    queue.put_nowait("data").expect("there is room");
                    let join = create_task({
                        let queue = Shared::clone(&queue);
                        async move { queue.join().await }
                    });
                    let putter = create_task({
                        let queue = Shared::clone(&queue);
                        async move { queue.put("data2").await }
                    });
                    settle().await;
                    assert!(!putter.is_finished());
                    queue.shutdown(false);
                    assert_eq!(queue.qsize(), 1);
                    settle().await;
                    assert!(putter.is_finished());
                    let error = done(putter).await.unwrap_err();
                    assert_eq!(error.into_inner(), "data2");
                    assert_eq!(queue.get().await, Ok("data"));
                    settle().await;
                    assert!(!join.is_finished());
                    assert_at_an_end(&queue).await;
                    assert!(queue.task_done().is_ok());
                    settle().await;
                    assert!(join.is_finished());
                    done(join).await;
                    assert!(queue.task_done().is_err());
                });
            }

            /// same test_queues._QueueShutdownTestMixin.test_shutdown_immediate
            #[test]
            fn test_shutdown_immediate() {
                on_loop(async {
                    let queue = Shared::new(Kind::new(0));
                    queue.put_nowait("data").expect("there is room");
                    let join = create_task({
                        let queue = Shared::clone(&queue);
                        async move { queue.join().await }
                    });
                    settle().await;
                    // Nothing is lost: what was inside comes back.
                    assert_eq!(queue.shutdown(true), ["data"]);
                    assert_eq!(queue.qsize(), 0);
                    settle().await;
                    assert!(join.is_finished());
                    done(join).await;
                    assert_at_an_end(&queue).await;
                    assert!(queue.task_done().is_err());
                });
            }

            /// same test_queues._QueueShutdownTestMixin.test_shutdown_immediate_with_unfinished
            #[test]
            fn test_shutdown_immediate_with_unfinished() {
                on_loop(async {
                    let queue = Shared::new(Kind::new(0));
                    queue.put_nowait("data").expect("there is room");
                    queue.put_nowait("data").expect("there is room");
                    let join = create_task({
                        let queue = Shared::clone(&queue);
                        async move { queue.join().await }
                    });
                    settle().await;
                    assert_eq!(queue.get().await, Ok("data"));
                    assert_eq!(queue.shutdown(true), ["data"]);
                    assert_eq!(queue.qsize(), 0);
                    settle().await;
                    assert!(!join.is_finished());
                    assert_at_an_end(&queue).await;
                    assert!(queue.task_done().is_ok());
                    assert!(queue.task_done().is_err());
                    settle().await;
                    assert!(join.is_finished());
                    done(join).await;
                });
            }
        }
    )*};
}

for_each_kind! {
    fifo, Queue;
    lifo, LifoQueue;
    priority, PriorityQueue;
}
