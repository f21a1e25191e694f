//! What is held: locks, permits, tokens.

use std::cell::Cell;
use std::rc::Rc;

use super::super::*;
use super::{Inside, pause, seeds, shake};

#[test]
fn a_lock_is_never_shared_and_never_lost() {
    for seed in seeds() {
        let lock = Rc::new(Lock::new(()));
        let inside = Rc::new(Cell::new(0));
        shake(
            seed,
            |world, random| {
                let (lock, inside, pauses) = (lock.clone(), inside.clone(), random.below(4));
                world.start(async move |_| {
                    let _guard = lock.acquire().await;
                    let _inside = Inside::enter(&inside, 1);
                    assert_eq!(inside.get(), 1, "two tasks hold the lock");
                    pause(pauses).await;
                });
            },
            |world| assert_eq!(world.tasks.len(), 0, "seed {seed}: {:?}", lock.statistics()),
        );
        assert!(lock.try_acquire().is_some());
    }
}

#[test]
fn a_semaphore_loses_no_permit() {
    for seed in seeds() {
        let permits = 1 + seed as usize % 5;
        let semaphore = Rc::new(Semaphore::new(permits));
        let inside = Rc::new(Cell::new(0));
        shake(
            seed,
            |world, random| {
                let (semaphore, inside, pauses) =
                    (semaphore.clone(), inside.clone(), random.below(4));
                let wish = 1 + random.below(permits);
                world.start(async move |_| {
                    let _permit = semaphore.acquire_many(wish).await;
                    let _inside = Inside::enter(&inside, wish);
                    assert!(inside.get() <= permits, "more permits than there are");
                    pause(pauses).await;
                });
            },
            |world| {
                assert_eq!(world.tasks.len(), 0, "seed {seed}: {semaphore:?}");
                assert_eq!(semaphore.available_permits(), permits, "seed {seed}");
                assert!(!semaphore.locked());
            },
        );
    }
}

#[test]
fn a_bounded_semaphore_never_has_more_than_its_bound() {
    for seed in seeds() {
        let bound = 1 + seed as usize % 3;
        let semaphore = Rc::new(BoundedSemaphore::new(bound));
        let forgotten = Rc::new(Cell::new(0));
        let mut world = shake(
            seed,
            |world, random| {
                assert!(semaphore.available_permits() <= bound);
                let (semaphore, forgotten) = (semaphore.clone(), forgotten.clone());
                let (release, forget, pauses) =
                    (random.below(3) == 0, random.below(2) == 0, random.below(3));
                world.start(async move |_| {
                    if release {
                        let released = semaphore.release().is_ok();
                        assert_eq!(released, forgotten.get() > 0);
                        forgotten.set(forgotten.get() - usize::from(released));
                        return;
                    }
                    let permit = semaphore.acquire().await;
                    pause(pauses).await;
                    if forget {
                        permit.forget();
                        forgotten.set(forgotten.get() + 1);
                    }
                });
            },
            |world| {
                let missing = bound - semaphore.available_permits();
                assert_eq!(missing, forgotten.get(), "seed {seed}");
                assert!(missing == bound || world.tasks.is_empty(), "seed {seed}");
            },
        );
        while forgotten.get() > 0 {
            assert!(semaphore.release().is_ok());
            forgotten.set(forgotten.get() - 1);
            world.run_all(&mut super::Random::new(seed));
        }
        assert_eq!(world.tasks.len(), 0, "seed {seed}: {semaphore:?}");
        assert_eq!(semaphore.available_permits(), bound, "seed {seed}");
    }
}

#[test]
fn readers_never_meet_a_writer() {
    for seed in seeds() {
        let lock = Rc::new(RwLock::new(()));
        let (readers, writers) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        shake(
            seed,
            |world, random| {
                let (lock, readers, writers) = (lock.clone(), readers.clone(), writers.clone());
                let (what, pauses) = (random.below(4), random.below(4));
                world.start(async move |_| {
                    if what > 0 {
                        let _guard = lock.read().await;
                        let _inside = Inside::enter(&readers, 1);
                        assert_eq!(writers.get(), 0, "a reader beside a writer");
                        return pause(pauses).await;
                    }
                    let guard = lock.write().await;
                    {
                        let _inside = Inside::enter(&writers, 1);
                        assert_eq!((readers.get(), writers.get()), (0, 1), "not alone");
                        pause(pauses).await;
                    }
                    let _guard = guard.downgrade();
                    let _inside = Inside::enter(&readers, 1);
                    pause(pauses).await;
                });
            },
            |world| assert_eq!(world.tasks.len(), 0, "seed {seed}: {:?}", lock.statistics()),
        );
        assert!(lock.try_write().is_some());
    }
}

#[test]
fn a_limiter_loses_no_token_when_its_total_changes() {
    for seed in seeds() {
        let limiter = Rc::new(CapacityLimiter::new(2));
        let inside = Rc::new(Cell::new(0));
        let mut world = shake(
            seed,
            |world, random| {
                if random.below(8) == 0 {
                    return limiter.set_total_tokens(random.below(4));
                }
                let (limiter, inside, pauses) = (limiter.clone(), inside.clone(), random.below(4));
                world.start(async move |_| {
                    let _token = limiter.acquire().await;
                    let _inside = Inside::enter(&inside, 1);
                    assert!(inside.get() <= 3, "more tokens than there ever are");
                    assert!(inside.get() <= limiter.borrowed_tokens());
                    pause(pauses).await;
                });
            },
            |world| {
                assert_eq!(limiter.borrowed_tokens(), 0, "seed {seed}");
                assert!(
                    limiter.total_tokens() == 0 || world.tasks.is_empty(),
                    "seed {seed}"
                );
            },
        );
        limiter.set_total_tokens(1);
        world.run_all(&mut super::Random::new(seed));
        assert_eq!(world.tasks.len(), 0, "seed {seed}: {limiter:?}");
        assert_eq!(limiter.borrowed_tokens(), 0, "seed {seed}");
    }
}
