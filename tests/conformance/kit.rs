//! What the conformance tests share: a loop to run on, and a log that tasks
//! write to.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use polyloop::time::VirtualClock;
use polyloop::{EventLoop, Task, TaskError};

/// Runs `main` on a loop of its own with a virtual clock.
pub fn on_loop<F: Future>(main: F) -> F::Output {
    polyloop_tests::with_watchdog(Duration::from_secs(60), || {
        let clock = VirtualClock::new();
        let builder = EventLoop::builder().clock(clock);
        let mut event_loop = builder.build().expect("the machine has descriptors left");
        let output = event_loop
            .run_until_complete(main)
            .expect("nobody stops this loop");
        event_loop.close(Duration::ZERO);
        output
    })
}

/// Lets everything run that can, short of timers.
pub async fn settle() {
    for _ in 0..12 {
        polyloop::yield_now().await;
    }
}

/// What a task that must not be cancelled comes to.
pub async fn done<T>(task: Task<T>) -> T {
    task.await
        .expect("the task is not cancelled and does not panic")
}

/// Was the task cancelled?
pub async fn was_cancelled<T>(task: Task<T>) -> bool {
    task.await
        .is_err_and(|error: TaskError| error.is_cancelled())
}

/// A list that several tasks write to.
pub struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T: Clone> Log<T> {
    pub fn new() -> Self {
        Self(Rc::default())
    }

    pub fn push(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    pub fn entries(&self) -> Vec<T> {
        self.0.borrow().clone()
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}
