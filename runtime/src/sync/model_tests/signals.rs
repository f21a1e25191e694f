//! What is told: events, notifications, meetings.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::super::*;
use super::{Random, World, pause, seeds, shake, shake_and_check};

#[test]
fn an_event_leaves_nobody_behind() {
    for seed in seeds() {
        let event = Rc::new(Event::new());
        let mut world = shake(
            seed,
            |world, random| match random.below(4) {
                0 => event.set(),
                1 => event.clear(),
                _ => {
                    let event = event.clone();
                    world.start(async move |_| event.wait().await);
                }
            },
            |world| {
                assert_eq!(world.tasks.len(), event.statistics().waiting, "seed {seed}");
            },
        );
        event.clear();
        event.set();
        world.run_all(&mut Random::new(seed));
        assert_eq!(world.tasks.len(), 0, "seed {seed}");
    }
}

/// Who waits to be notified, in order; who has been and does not know it yet.
#[derive(Default)]
struct Line {
    waiting: VecDeque<u64>,
    chosen: BTreeSet<u64>,
    /// Told together with all others: nothing to pass on.
    told: BTreeSet<u64>,
    /// A notification that nobody waited for.
    kept: bool,
}

impl Line {
    /// Notifies the first in line; `false` if nobody is.
    fn notify(&mut self) -> bool {
        let first = self.waiting.pop_front();
        self.chosen.extend(first);
        first.is_some()
    }

    fn notify_all(&mut self) {
        self.told.extend(self.waiting.drain(..));
    }

    fn went_on(&mut self, id: u64) {
        let knew = self.chosen.remove(&id) || self.told.remove(&id);
        assert!(knew, "task {id} was never notified");
    }

    /// Takes out those who were cancelled; `pass_on` is what becomes of a
    /// notification that one of them had.
    fn cancel(&mut self, world: &mut World, mut pass_on: impl FnMut(&mut Self)) {
        for id in world.cancelled.drain(..) {
            self.waiting.retain(|waiting| *waiting != id);
            self.told.remove(&id);
            if self.chosen.remove(&id) {
                pass_on(self);
            }
        }
    }
}

#[test]
fn a_condition_loses_no_notification_and_doubles_none() {
    for seed in seeds() {
        let condition = Rc::new(Condition::new(()));
        let line = Rc::<RefCell<Line>>::default();
        let start = |world: &mut World, random: &mut Random| {
            let (condition, line) = (condition.clone(), line.clone());
            let (what, pauses) = (random.below(6), random.below(3));
            world.start(async move |id| {
                let guard = condition.acquire().await;
                pause(pauses).await;
                if what < 3 {
                    line.borrow_mut().waiting.push_back(id);
                    let _guard = condition.wait(guard).await;
                    line.borrow_mut().went_on(id);
                    return pause(pauses).await;
                }
                let count = if what == 3 { usize::MAX } else { what - 3 };
                let waiting = condition.statistics().waiting;
                for _ in 0..count.min(waiting) {
                    line.borrow_mut().notify();
                }
                condition.notify(&guard, count);
            });
        };
        let check = |world: &mut World| {
            let mut line = line.borrow_mut();
            line.cancel(world, |line| {
                // Passed on to nobody, a condition's notification is gone.
                line.notify();
            });
            let waiting = condition.statistics().waiting;
            assert_eq!(waiting, line.waiting.len(), "seed {seed}");
        };
        shake_and_check(seed, start, check, |world| {
            assert!(line.borrow().chosen.is_empty(), "seed {seed}: lost");
            assert_eq!(world.tasks.len(), line.borrow().waiting.len());
            assert!(!condition.locked(), "seed {seed}");
        });
    }
}

#[test]
fn a_notify_loses_no_notification_and_doubles_none() {
    for seed in seeds() {
        let notify = Rc::new(Notify::new());
        let line = Rc::<RefCell<Line>>::default();
        let one = |line: &mut Line| {
            if !line.notify() {
                line.kept = true;
            }
        };
        let start = |world: &mut World, random: &mut Random| match random.below(8) {
            0..=2 => {
                one(&mut line.borrow_mut());
                notify.notify_one();
            }
            3 => {
                line.borrow_mut().notify_all();
                notify.notify_waiters();
            }
            _ => {
                let (notify, line) = (notify.clone(), line.clone());
                world.start(async move |id| {
                    let kept = std::mem::take(&mut line.borrow_mut().kept);
                    if !kept {
                        line.borrow_mut().waiting.push_back(id);
                    }
                    notify.notified().await;
                    if !kept {
                        line.borrow_mut().went_on(id);
                    }
                });
            }
        };
        let check = |world: &mut World| {
            let mut line = line.borrow_mut();
            line.cancel(world, one);
            let statistics = notify.statistics();
            assert_eq!(statistics.waiting, line.waiting.len(), "seed {seed}");
            assert_eq!(statistics.kept, line.kept, "seed {seed}");
        };
        shake_and_check(seed, start, check, |world| {
            let line = line.borrow();
            assert!(
                line.chosen.is_empty() && line.told.is_empty(),
                "seed {seed}"
            );
            assert_eq!(world.tasks.len(), line.waiting.len(), "seed {seed}");
        });
    }
}

#[test]
fn a_barrier_lets_whole_parties_through() {
    for seed in seeds() {
        let parties = 1 + seed as usize % 4;
        let barrier = Rc::new(Barrier::new(parties));
        let passed = Rc::<RefCell<Vec<_>>>::default();
        let breaks = seed % 2 == 0;
        shake(
            seed,
            |world, random| {
                match random.below(20) {
                    0 if breaks => return barrier.reset(),
                    1 if breaks => return barrier.abort(),
                    _ => {}
                }
                let (barrier, passed) = (barrier.clone(), passed.clone());
                world.start(async move |_| {
                    if let Ok(index) = barrier.wait().await {
                        assert!(index < barrier.parties());
                        passed.borrow_mut().push(index);
                    }
                });
            },
            |world| {
                let rest = barrier.statistics();
                assert_eq!(rest.blocked, 0, "seed {seed}: {rest:?}");
                assert_eq!(world.tasks.len(), rest.inside, "seed {seed}: {rest:?}");
                assert!(rest.inside < parties, "seed {seed}: {rest:?}");
            },
        );
        // Each party had a last one, and no index came more often than that.
        let passed = passed.borrow();
        let often = |wanted| passed.iter().filter(|index| **index == wanted).count();
        let last = often(parties - 1);
        assert!(
            (0..parties).all(|index| often(index) <= last),
            "seed {seed}"
        );
    }
}

#[test]
fn a_value_is_made_once_or_by_the_next() {
    for seed in seeds() {
        let once = Rc::new(Once::new());
        let made = Rc::new(std::cell::Cell::new(0));
        shake(
            seed,
            |world, random| {
                let (once, made) = (once.clone(), made.clone());
                let (fails, pauses) = (random.below(100) > 0, random.below(3));
                world.start(async move |id| {
                    let make = async || {
                        pause(pauses).await;
                        if fails {
                            return Err(());
                        }
                        made.set(made.get() + 1);
                        Ok(id)
                    };
                    if let Ok(value) = once.get_or_try_init(make).await {
                        assert_eq!(Some(value), once.get());
                    }
                });
            },
            |world| assert_eq!(world.tasks.len(), 0, "seed {seed}: {:?}", once.statistics()),
        );
        assert_eq!(made.get(), u32::from(once.get().is_some()), "seed {seed}");
    }
}
