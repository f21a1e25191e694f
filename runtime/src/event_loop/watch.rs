//! Looking on while a loop works: a program's own hooks, and debug mode's
//! stop-watch. A loop without either takes none of these paths.
#![forbid(unsafe_code)]

use super::core::Core;
use super::observe::Observer;
use super::turn::run_tasks;
use crate::task::{TaskInfo, TaskRef};
use std::rc::Rc;
use std::time::Instant;

/// What a program is told while its loop works, for metrics and tracing; given
/// to [`Builder::hooks`](super::Builder::hooks).
///
/// The calls are made on the loop's thread, between the loop's steps: they may
/// wake tasks, and must neither block nor make tasks. A panic in one goes to the
/// exception handler.
///
/// # Examples
/// ```
/// use polyloop::{EventLoop, Hooks, TaskInfo};
/// use std::{cell::Cell, rc::Rc};
///
/// struct Count(Rc<Cell<usize>>);
/// impl Hooks for Count {
///     fn before_poll(&self, _: &TaskInfo) {
///         self.0.set(self.0.get() + 1);
///     }
/// }
///
/// let polls = Rc::new(Cell::new(0));
/// let mut looped = EventLoop::builder().hooks(Count(polls.clone())).build().unwrap();
/// looped.run_until_complete(polyloop::yield_now()).unwrap();
/// assert_eq!(polls.get(), 2);
/// ```
pub trait Hooks: 'static {
    /// A task or callback was made, or arrived from another thread. It has no
    /// name yet.
    fn spawned(&self, task: &TaskInfo) {
        let _ = task;
    }

    /// A task is about to be polled, or a callback to be called.
    fn before_poll(&self, task: &TaskInfo) {
        let _ = task;
    }

    /// The poll is over; the task may be.
    fn after_poll(&self, task: &TaskInfo) {
        let _ = task;
    }

    /// The loop found nothing to do and is about to sleep. If this call wakes a
    /// task, it does not sleep, and `after_park` is not called.
    fn before_park(&self) {}

    /// It woke up.
    fn after_park(&self) {}
}

impl Observer {
    /// Does anybody look on while tasks are polled?
    #[inline]
    pub(super) fn watches(&self) -> bool {
        self.slow.is_some() || self.hooks.is_some()
    }
}

impl Core {
    /// Calls the program's hooks, if it has any.
    #[inline]
    pub(super) fn hook(&self, call: impl FnOnce(&dyn Hooks)) {
        if let Some(hooks) = &self.observer.hooks {
            let hooks = Rc::clone(hooks);
            self.guarded(|| call(&*hooks));
        }
    }

    // Apart from its caller, which makes every task.
    #[cold]
    pub(super) fn tell_spawned(&self, task: TaskRef) {
        self.hook(|hooks| hooks.spawned(&task.info()));
    }
}

/// Polls the next `count` tasks one by one, and tells of each.
#[cold]
pub(super) fn run_watched(core: &Core, count: usize) {
    for _ in 0..count {
        let Some(task) = core.ready.first() else {
            return;
        };
        // The cell may be gone after the poll.
        let info = task.info();
        core.hook(|hooks| hooks.before_poll(&info));
        let began = Instant::now();
        run_tasks(core, 1);
        let took = began.elapsed();
        core.hook(|hooks| hooks.after_poll(&info));
        if core.observer.slow.is_some_and(|limit| took >= limit) {
            core.observer.clone().slow(info, took);
        }
    }
}
