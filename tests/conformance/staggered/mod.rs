//! test_staggered.StaggeredTests.

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use polyloop::combine::staggered_race;
use polyloop::time::now;
use polyloop::{create_task, sleep};

use crate::kit::{on_loop, settle};

type Attempt = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<u32, &'static str>>>>>;

fn attempt<F>(future: F) -> Attempt
where
    F: Future<Output = Result<u32, &'static str>> + 'static,
{
    Box::new(|| Box::pin(future))
}

const DELAY: Duration = Duration::from_millis(100);

/// same test_staggered.StaggeredTests.test_empty
#[test]
fn test_empty() {
    on_loop(async {
        let race = staggered_race(Vec::<Attempt>::new(), None).await;
        assert!(race.winner.is_none() && race.errors.is_empty());
    });
}

/// same test_staggered.StaggeredTests.test_one_successful
#[test]
fn test_one_successful() {
    on_loop(async {
        let attempts = [
            attempt(async { Ok(0) }),
            attempt(async { unreachable!("the first one won") }),
        ];
        let race = staggered_race(attempts, None).await;
        assert_eq!(race.winner, Some((0, 0)));
        assert_eq!(race.errors, [None]);
    });
}

/// same test_staggered.StaggeredTests.test_first_error_second_successful
#[test]
fn test_first_error_second_successful() {
    on_loop(async {
        let attempts = [attempt(async { Err("no") }), attempt(async { Ok(1) })];
        let race = staggered_race(attempts, None).await;
        assert_eq!(race.winner, Some((1, 1)));
        assert_eq!(race.errors, [Some("no"), None]);
    });
}

/// adapted test_staggered.StaggeredTests.test_first_timeout_second_successful: the loser is dropped, and so has no error to show
#[test]
fn test_first_timeout_second_successful() {
    on_loop(async {
        let began = now();
        let alive = Rc::new(());
        let held = alive.clone();
        let attempts = [
            attempt(async move {
                let _held = held;
                pending().await
            }),
            attempt(async { Ok(1) }),
        ];
        let race = staggered_race(attempts, Some(DELAY)).await;
        assert_eq!(race.winner, Some((1, 1)));
        assert_eq!(race.errors, [None, None]);
        assert_eq!(now(), began + DELAY);
        assert_eq!(Rc::strong_count(&alive), 1);
    });
}

/// same test_staggered.StaggeredTests.test_none_successful
#[test]
fn test_none_successful() {
    on_loop(async {
        for delay in [None, Some(Duration::ZERO)] {
            let attempts = [attempt(async { Err("one") }), attempt(async { Err("two") })];
            let race = staggered_race(attempts, delay).await;
            assert!(race.winner.is_none());
            assert_eq!(race.errors, [Some("one"), Some("two")]);
        }
    });
}

/// adapted test_staggered.StaggeredTests.test_multiple_winners: of two that are ready in the same turn one wins, the other is dropped
#[test]
fn test_multiple_winners() {
    on_loop(async {
        let ready = now() + 2 * DELAY;
        let both = [0, 1].map(|value| {
            attempt(async move {
                polyloop::sleep_until(ready).await;
                Ok(value)
            })
        });
        let race = staggered_race(both, Some(DELAY)).await;
        let (index, value) = race.winner.unwrap();
        assert_eq!(index as u32, value);
        assert_eq!(race.errors, [None, None]);
    });
}

/// same test_staggered.StaggeredTests.test_cancelled
#[test]
fn test_cancelled() {
    on_loop(async {
        let (started, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        struct End(Rc<Cell<u32>>);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let attempts: Vec<_> = (0..2)
            .map(|_| {
                let (started, end) = (started.clone(), End(ended.clone()));
                attempt(async move {
                    let _end = end;
                    started.set(started.get() + 1);
                    pending().await
                })
            })
            .collect();
        let task = create_task(staggered_race(attempts, Some(DELAY)));
        sleep(2 * DELAY).await;
        settle().await;
        assert_eq!((started.get(), ended.get()), (2, 0));
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(ended.get(), 2);
    });
}
