//! Random tasks that are cancelled at random, run only when they are woken: a
//! lost wake leaves one asleep, a lost permit or item shows in the sums.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::testing::{Probe, Random};
use super::*;

const SEEDS: u64 = 300;
const STEPS: usize = 400;

type Job = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks in random order, each only after it was woken.
#[derive(Default)]
struct World {
    tasks: Vec<Probe<Job>>,
}

impl World {
    fn start(&mut self, job: impl Future<Output = ()> + 'static) {
        let mut task = Probe::new(Box::pin(job) as Job);
        if task.poll().is_pending() {
            self.tasks.push(task);
        }
    }

    fn cancel_one(&mut self, random: &mut Random) {
        if !self.tasks.is_empty() {
            let victim = random.below(self.tasks.len());
            drop(self.tasks.swap_remove(victim));
        }
    }

    /// Runs one task that was woken; `false` if all are asleep.
    fn run_one(&mut self, random: &mut Random) -> bool {
        let count = self.tasks.len();
        let first = random.below(count.max(1));
        for at in (0..count).map(|step| (first + step) % count) {
            if self.tasks[at].wakes() > 0 {
                if let Poll::Ready(()) = self.tasks[at].poll() {
                    drop(self.tasks.swap_remove(at));
                }
                return true;
            }
        }
        false
    }

    fn run_all(&mut self, random: &mut Random) {
        while self.run_one(random) {}
    }
}

/// Lets other tasks run, `times` times.
async fn pause(times: usize) {
    for _ in 0..times {
        let mut polled = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut polled, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

/// Starts, cancels and runs at random, then lets all run that can.
fn shake(seed: u64, mut start: impl FnMut(&mut World, &mut Random)) -> World {
    let (mut world, mut random) = (World::default(), Random::new(seed));
    for _ in 0..STEPS {
        match random.below(8) {
            0..=2 => start(&mut world, &mut random),
            3 => world.cancel_one(&mut random),
            _ => drop(world.run_one(&mut random)),
        }
    }
    world.run_all(&mut random);
    world
}

#[test]
fn a_lock_is_never_shared_and_never_lost() {
    for seed in 0..SEEDS {
        let lock = Rc::new(Lock::new(()));
        let inside = Rc::new(Cell::new(0));
        let world = shake(seed, |world, random| {
            let (lock, inside, pauses) = (lock.clone(), inside.clone(), random.below(4));
            world.start(async move {
                let _guard = lock.acquire().await;
                let _inside = Inside::enter(&inside, 1);
                assert_eq!(inside.get(), 1, "two tasks hold the lock");
                pause(pauses).await;
            });
        });
        assert_eq!(world.tasks.len(), 0, "seed {seed}: {:?}", lock.statistics());
        assert!(lock.try_acquire().is_some());
    }
}

#[test]
fn a_semaphore_loses_no_permit() {
    for seed in 0..SEEDS {
        let permits = 1 + seed as usize % 5;
        let semaphore = Rc::new(Semaphore::new(permits));
        let inside = Rc::new(Cell::new(0));
        let world = shake(seed, |world, random| {
            let (semaphore, inside, pauses) = (semaphore.clone(), inside.clone(), random.below(4));
            let wish = 1 + random.below(permits);
            world.start(async move {
                let _permit = semaphore.acquire_many(wish).await;
                let _inside = Inside::enter(&inside, wish);
                assert!(inside.get() <= permits, "more permits than there are");
                pause(pauses).await;
            });
        });
        assert_eq!(world.tasks.len(), 0, "seed {seed}: {semaphore:?}");
        assert_eq!(semaphore.available_permits(), permits, "seed {seed}");
        assert!(!semaphore.locked());
    }
}

#[test]
fn an_event_leaves_nobody_behind() {
    for seed in 0..SEEDS {
        let event = Rc::new(Event::new());
        let mut world = shake(seed, |world, random| match random.below(4) {
            0 => event.set(),
            1 => event.clear(),
            _ => {
                let event = event.clone();
                world.start(async move { event.wait().await });
            }
        });
        event.clear();
        event.set();
        world.run_all(&mut Random::new(seed));
        assert_eq!(world.tasks.len(), 0, "seed {seed}");
    }
}

#[test]
fn a_queue_loses_no_item_and_no_wake() {
    for seed in 0..SEEDS {
        let queue = Rc::new(Queue::new(seed as usize % 4));
        let (put, got) = (
            Rc::<RefCell<Vec<_>>>::default(),
            Rc::<RefCell<Vec<_>>>::default(),
        );
        let mut next = 0;
        let mut world = shake(seed, |world, random| {
            let (queue, pauses) = (queue.clone(), random.below(3));
            if random.below(2) == 0 {
                let (put, item) = (put.clone(), next);
                next += 1;
                world.start(async move {
                    pause(pauses).await;
                    queue.put(item).await.expect("the queue is open");
                    put.borrow_mut().push(item);
                });
            } else {
                let got = got.clone();
                world.start(async move {
                    pause(pauses).await;
                    let item = queue.get().await.expect("the queue is open");
                    got.borrow_mut().push(item);
                    queue.task_done().expect("an item was got");
                });
            }
        });
        let rest = queue.statistics();
        // Whoever still sleeps has a reason to: no items and no room at once.
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
        got.borrow_mut().extend(queue.shutdown(true));
        world.run_all_after_shutdown(seed);
        put.borrow_mut().sort_unstable();
        got.borrow_mut().sort_unstable();
        assert_eq!(put, got, "seed {seed}");
    }
}

impl World {
    /// The tasks that still wait are told of the end, which they do not expect.
    fn run_all_after_shutdown(&mut self, seed: u64) {
        for task in &self.tasks {
            assert!(
                task.wakes() > 0,
                "seed {seed}: a shutdown left a task asleep"
            );
        }
        self.tasks.clear();
    }
}

/// Counts what is held while it lives.
struct Inside<'a>(&'a Cell<usize>, usize);

impl<'a> Inside<'a> {
    fn enter(count: &'a Cell<usize>, by: usize) -> Self {
        count.set(count.get() + by);
        Self(count, by)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - self.1);
    }
}
