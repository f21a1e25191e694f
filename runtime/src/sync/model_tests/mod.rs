//! Random tasks that are cancelled at random, run only when they are woken: a
//! lost wake leaves one asleep; a permit, an item or a notification that is lost
//! or doubled shows in the sums, or in a model that is kept beside.
//!
//! `POLYLOOP_MODEL_OPERATIONS` is how many operations all tests make together;
//! the long run of the checks makes ten million.

mod permits;
mod queues;
mod signals;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use super::testing::{Probe, Random};

/// How many operations are made of one seed, at least.
const OPERATIONS: usize = 400;
/// How many tests share the operations.
const TESTS: usize = 14;

/// The seeds of one test.
fn seeds() -> std::ops::Range<u64> {
    let operations = std::env::var("POLYLOOP_MODEL_OPERATIONS");
    let operations = operations.map_or(400_000, |text| {
        text.parse::<usize>().expect("a number of operations")
    });
    0..operations.div_ceil(OPERATIONS * TESTS) as u64
}

type Job = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks in random order, each only after it was woken.
#[derive(Default)]
struct World {
    tasks: Vec<(u64, Probe<Job>)>,
    next: u64,
    /// Polls and cancels, and what else a test does.
    operations: usize,
    /// Those cancelled since a model looked.
    cancelled: Vec<u64>,
}

impl World {
    /// Starts what `make` makes of the task's number.
    fn start<F: Future<Output = ()> + 'static>(&mut self, make: impl FnOnce(u64) -> F) {
        let id = self.next;
        self.next += 1;
        let mut task = Probe::new(Box::pin(make(id)) as Job);
        if task.poll().is_pending() {
            self.tasks.push((id, task));
        }
    }

    fn cancel_one(&mut self, random: &mut Random) {
        if !self.tasks.is_empty() {
            let victim = random.below(self.tasks.len());
            let (id, task) = self.tasks.swap_remove(victim);
            drop(task);
            self.operations += 1;
            self.cancelled.push(id);
        }
    }

    /// Runs one task that was woken; `false` if all are asleep.
    fn run_one(&mut self, random: &mut Random) -> bool {
        let count = self.tasks.len();
        let first = random.below(count.max(1));
        for at in (0..count).map(|step| (first + step) % count) {
            if self.tasks[at].1.wakes() > 0 {
                self.operations += 1;
                if let Poll::Ready(()) = self.tasks[at].1.poll() {
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

    /// Says that all who still wait were woken, and forgets them: they do not
    /// expect what they would be told.
    fn all_were_woken(&mut self, seed: u64) {
        for (_, task) in &self.tasks {
            assert!(task.wakes() > 0, "seed {seed}: a task was left asleep");
        }
        self.tasks.clear();
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

/// Starts, cancels and runs at random. Now and then, and at the end, it lets all
/// run that can, and then asks `calm` whether those asleep have a reason to be.
fn shake(seed: u64, start: impl FnMut(&mut World, &mut Random), calm: impl FnMut(&World)) -> World {
    shake_and_check(seed, start, |_| (), calm)
}

/// As [`shake`], with a look at everything after each step.
fn shake_and_check(
    seed: u64,
    mut start: impl FnMut(&mut World, &mut Random),
    mut check: impl FnMut(&mut World),
    mut calm: impl FnMut(&World),
) -> World {
    let (mut world, mut random) = (World::default(), Random::new(seed));
    while world.operations < OPERATIONS {
        match random.below(32) {
            0..=11 => {
                start(&mut world, &mut random);
                world.operations += 1;
            }
            12..=15 => world.cancel_one(&mut random),
            16..=30 => drop(world.run_one(&mut random)),
            _ => {
                while world.run_one(&mut random) {
                    check(&mut world);
                }
                calm(&world);
            }
        }
        check(&mut world);
    }
    while world.run_one(&mut random) {
        check(&mut world);
    }
    calm(&world);
    world
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
