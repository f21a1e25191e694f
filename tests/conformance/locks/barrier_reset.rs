//! test_locks.BarrierTests: those that reset and abort.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use polyloop::{Task, create_task};

use super::Shared;
use super::subject::{Barrier, BarrierState};
use crate::kit::{Log, done, on_loop, settle};

const N: usize = 5;

/// Starts `count` tasks that are all the same.
fn start<F: Future<Output = ()> + 'static>(count: usize, make: impl Fn() -> F) -> Vec<Task<()>> {
    (0..count).map(|_| create_task(make())).collect()
}

async fn all_done(tasks: Vec<Task<()>>) {
    for task in tasks {
        done(task).await;
    }
}

fn assert_calm(barrier: &Barrier) {
    assert_eq!(barrier.n_waiting(), 0);
    assert_ne!(barrier.statistics().state, BarrierState::Resetting);
    assert!(!barrier.broken());
}

/// What the tasks of a test share.
#[derive(Clone)]
struct World {
    barrier: Shared<Barrier>,
    passed: Rc<Cell<usize>>,
    broken: Log<()>,
    other: Log<()>,
    last: Log<()>,
}

impl World {
    fn new() -> Self {
        Self {
            barrier: Shared::new(Barrier::new(N)),
            passed: Rc::default(),
            broken: Log::new(),
            other: Log::new(),
            last: Log::new(),
        }
    }

    /// Counts one that passed and says which it is.
    fn count(&self) -> usize {
        self.passed.set(self.passed.get() + 1);
        self.passed.get()
    }

    async fn pass(&self) {
        self.barrier.wait().await.expect("it is whole");
    }

    /// Waits, and notes it in `log` if the barrier breaks.
    async fn pass_or_note(&self, log: &Log<()>) {
        if self.barrier.wait().await.is_err() {
            log.push(());
        }
    }
}

/// same test_locks.BarrierTests.test_reset_barrier
#[test]
fn test_reset_barrier() {
    let barrier = Barrier::new(1);
    barrier.reset();
    assert_calm(&barrier);
}

/// same test_locks.BarrierTests.test_reset_barrier_while_tasks_waiting
#[test]
fn test_reset_barrier_while_tasks_waiting() {
    on_loop(async {
        let world = World::new();
        let tasks = start(N - 1, || {
            let world = world.clone();
            async move { world.pass_or_note(&world.broken).await }
        });
        settle().await;
        world.barrier.reset();
        all_done(tasks).await;
        assert_eq!(world.broken.entries().len(), N - 1);
        assert_calm(&world.barrier);
    });
}

/// same test_locks.BarrierTests.test_reset_barrier_when_tasks_half_draining
#[test]
fn test_reset_barrier_when_tasks_half_draining() {
    on_loop(async {
        let world = World::new();
        let rest = N / 2;
        let tasks = start(N, || {
            let world = world.clone();
            async move {
                match world.barrier.wait().await {
                    Err(_) => world.broken.push(()),
                    Ok(_) if world.barrier.statistics().inside == rest => world.barrier.reset(),
                    Ok(_) => {}
                }
            }
        });
        all_done(tasks).await;
        assert_eq!(world.broken.entries().len(), rest);
        assert_calm(&world.barrier);
    });
}

/// same test_locks.BarrierTests.test_reset_barrier_when_tasks_half_draining_half_blocking
#[test]
fn test_reset_barrier_when_tasks_half_draining_half_blocking() {
    on_loop(async {
        let world = World::new();
        let blocking = N / 2;
        let tasks = start(N, || {
            let world = world.clone();
            async move {
                if world.barrier.wait().await.is_err() {
                    world.broken.push(());
                    world.pass().await;
                } else if world.count() > blocking {
                    world.barrier.reset();
                    world.pass().await;
                } else {
                    world.pass_or_note(&world.other).await;
                }
            }
        });
        all_done(tasks).await;
        assert_eq!(world.broken.entries().len(), blocking);
        assert_eq!(world.other.entries(), [], "those before it were not broken");
        assert_calm(&world.barrier);
    });
}

/// same test_locks.BarrierTests.test_reset_barrier_while_tasks_waiting_and_waiting_again
#[test]
fn test_reset_barrier_while_tasks_waiting_and_waiting_again() {
    on_loop(async {
        let world = World::new();
        let mut tasks = start(N - 1, || {
            let world = world.clone();
            async move {
                world.pass_or_note(&world.broken).await;
                world.pass().await;
                world.last.push(());
            }
        });
        settle().await;
        world.barrier.reset();
        settle().await;
        tasks.extend(start(1, || {
            let world = world.clone();
            async move {
                world.pass().await;
                world.last.push(());
            }
        }));
        all_done(tasks).await;
        assert_eq!(world.broken.entries().len(), N - 1);
        assert_eq!(world.last.entries().len(), N);
        assert_calm(&world.barrier);
    });
}

/// same test_locks.BarrierTests.test_reset_barrier_while_tasks_draining
#[test]
fn test_reset_barrier_while_tasks_draining() {
    on_loop(async {
        let world = World::new();
        let tasks = start(N, || {
            let world = world.clone();
            async move {
                world.pass().await;
                if world.count() == N {
                    // The last one out.
                    world.barrier.reset();
                    world.pass().await;
                } else {
                    world.pass().await;
                    world.other.push(());
                }
                world.pass().await;
                world.last.push(());
            }
        });
        all_done(tasks).await;
        assert_eq!(world.other.entries().len(), N - 1);
        assert_eq!(world.last.entries().len(), N);
        assert_calm(&world.barrier);
    });
}

/// same test_locks.BarrierTests.test_abort_barrier
#[test]
fn test_abort_barrier() {
    let barrier = Barrier::new(1);
    barrier.abort();
    assert_eq!(barrier.n_waiting(), 0);
    assert!(barrier.broken());
}

/// same test_locks.BarrierTests.test_abort_barrier_when_tasks_half_draining_half_blocking
#[test]
fn test_abort_barrier_when_tasks_half_draining_half_blocking() {
    on_loop(async {
        let world = World::new();
        let blocking = N / 2;
        let tasks = start(N, || {
            let world = world.clone();
            async move {
                if world.barrier.wait().await.is_err() {
                    world.broken.push(());
                } else if world.count() > blocking {
                    world.barrier.abort();
                } else {
                    world.pass_or_note(&world.other).await;
                }
            }
        });
        all_done(tasks).await;
        assert!(world.barrier.broken());
        assert_eq!(world.broken.entries().len(), blocking);
        assert_eq!(world.other.entries().len(), N - blocking - 1);
        assert_eq!(world.barrier.n_waiting(), 0);
    });
}

/// adapted test_locks.BarrierTests.test_abort_barrier_when_exception: a return stands for the exception
#[test]
fn test_abort_barrier_when_exception() {
    on_loop(async {
        let world = World::new();
        let tasks = start(N, || {
            let world = world.clone();
            async move {
                match world.barrier.wait().await {
                    Ok(index) if index == N / 2 => world.barrier.abort(),
                    Ok(_) => {
                        world.pass_or_note(&world.broken).await;
                    }
                    Err(_) => world.broken.push(()),
                }
            }
        });
        all_done(tasks).await;
        assert!(world.barrier.broken());
        assert_eq!(world.broken.entries().len(), N - 1);
        assert_eq!(world.barrier.n_waiting(), 0);
    });
}

/// adapted test_locks.BarrierTests.test_abort_barrier_when_exception_then_resetting: a return stands for the exception
#[test]
fn test_abort_barrier_when_exception_then_resetting() {
    on_loop(async {
        let world = World::new();
        let meeting = Shared::new(Barrier::new(N));
        let tasks = start(N, || {
            let (world, meeting) = (world.clone(), Shared::clone(&meeting));
            async move {
                match world.barrier.wait().await {
                    Ok(index) if index == N / 2 => world.barrier.abort(),
                    Ok(_) => world.pass_or_note(&world.broken).await,
                    Err(_) => world.broken.push(()),
                }
                // All have left before the reset, and none comes back before it.
                let index = meeting.wait().await.expect("it is whole");
                if index == N / 2 {
                    world.barrier.reset();
                }
                meeting.wait().await.expect("it is whole");
                world.pass().await;
                world.last.push(());
            }
        });
        all_done(tasks).await;
        assert_eq!(world.broken.entries().len(), N - 1);
        assert_eq!(world.last.entries().len(), N);
        assert_calm(&world.barrier);
    });
}
