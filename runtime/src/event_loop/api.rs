//! The free functions: what a program says to the loop it runs in.
#![forbid(unsafe_code)]

use super::begin::Settings;
use super::{EventLoop, context};
use crate::offload::Offload;
use crate::remote::LoopHandle;
use crate::task::{CallHandle, Task, TaskId, TaskInfo, flags};
use crate::util::{Context, after};
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long [`run`] lets clean-up go on after the main future is done.
pub(crate) const RUN_GRACE: Duration = Duration::from_secs(5);

/// Makes a loop, runs `main` on it, cancels what is left and closes the loop;
/// asyncio's `run`. For what that does with Ctrl-C, see
/// `signal::run_until_interrupted`.
///
/// # Errors
/// The system refused the loop a descriptor, or a loop is running on this
/// thread already.
///
/// # Panics
/// If `main` panics, with its payload.
///
/// # Examples
/// ```
/// let sum = polyloop::run(async {
///     let task = polyloop::create_task(async { 40 });
///     task.await.unwrap() + 2
/// });
/// assert_eq!(sum.unwrap(), 42);
/// ```
#[doc(alias = "block_on")]
#[track_caller]
pub fn run<F: Future>(main: F) -> io::Result<F::Output> {
    if !context::current().is_null() {
        return Err(crate::RunError::Nested.into());
    }
    let mut looped = EventLoop::new()?;
    let output = looped.run_until_complete(main)?;
    looped.close(RUN_GRACE);
    Ok(output)
}

/// The loop that the calling code runs in; asyncio's `get_running_loop`.
///
/// # Panics
/// Outside of a loop; see [`try_current_loop`].
#[track_caller]
pub fn current_loop() -> LoopHandle {
    context::with(|core| core.handle())
}

/// The loop that the calling code runs in, if any.
pub fn try_current_loop() -> Option<LoopHandle> {
    context::try_with(|core| core.handle())
}

/// Where the running loop sends blocking calls, if it was given a place.
///
/// # Panics
/// Outside of a loop.
#[track_caller]
pub fn current_offload() -> Option<Arc<dyn Offload>> {
    context::with(|core| core.offload())
}

/// Makes a task of the running loop; its first poll is in the next turn.
/// asyncio's `create_task`.
///
/// # Panics
/// Outside of a loop; there, use [`EventLoop::create_task`].
///
/// # Examples
/// ```
/// # polyloop::run(async {
/// let task = polyloop::create_task(async { "done" });
/// assert_eq!(task.await.unwrap(), "done");
/// # }).unwrap();
/// ```
#[doc(alias = "spawn")]
#[doc(alias = "spawn_local")]
#[track_caller]
#[inline]
pub fn create_task<F: Future + 'static>(future: F) -> Task<F::Output> {
    let location = Location::caller();
    context::with(|core| core.create_task(future, location))
}

/// A task with settings of its own.
///
/// # Examples
/// ```
/// # polyloop::run(async {
/// let task = polyloop::task().name("answer").start(|| async { 42 });
/// assert_eq!(task.name(), Some("answer"));
/// assert_eq!(task.await.unwrap(), 42);
/// # }).unwrap();
/// ```
pub fn task() -> TaskBuilder {
    TaskBuilder {
        settings: Settings::default(),
    }
}

/// Settings of a task; see [`task`].
#[must_use = "nothing runs until start() is called"]
#[derive(Debug)]
pub struct TaskBuilder {
    settings: Settings,
}

impl TaskBuilder {
    /// A name, for listings and warnings.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = Some(name.into());
        self
    }

    /// The context variables that it begins with. Default: a copy of the
    /// caller's.
    pub fn context(mut self, context: Context) -> Self {
        self.settings.context = Some(context);
        self
    }

    /// Does it start at once, inside of [`start`](Self::start), and run there up
    /// to its first wait? If not, it starts in the next turn. Default: as the
    /// loop was told ([`Builder::eager_tasks`](crate::Builder::eager_tasks)).
    /// asyncio's `eager_start`.
    ///
    /// # Examples
    /// ```
    /// # polyloop::run(async {
    /// let task = polyloop::task().eager(true).start(|| async { 42 });
    /// assert!(task.is_finished());
    /// assert_eq!(task.await.unwrap(), 42);
    /// # }).unwrap();
    /// ```
    pub fn eager(mut self, eager: bool) -> Self {
        self.settings.eager = Some(eager);
        self
    }

    /// Makes the task.
    ///
    /// # Panics
    /// Outside of a loop.
    #[track_caller]
    pub fn start<F: Future + 'static>(self, make: impl FnOnce() -> F) -> Task<F::Output> {
        let location = Location::caller();
        let future = make();
        context::with(|core| {
            let task = core.create_idle(future, location);
            core.begin(task.as_ref(), self.settings);
            task
        })
    }
}

/// Calls `callback` in the loop's next turn; callbacks run in the order of
/// their calls, each exactly once. asyncio's `call_soon`.
///
/// # Panics
/// Outside of a loop. A panic in the callback goes to the exception handler.
#[track_caller]
pub fn call_soon(callback: impl FnOnce() + 'static) -> CallHandle {
    let location = Location::caller();
    context::with(|core| core.call_soon(callback, location))
}

/// Calls `callback` after `delay`; asyncio's `call_later`.
///
/// # Panics
/// As [`call_soon`].
#[track_caller]
pub fn call_later(delay: Duration, callback: impl FnOnce() + 'static) -> CallHandle {
    let location = Location::caller();
    context::with(|core| core.call_at(after(core.time(), delay), callback, location))
}

/// Calls `callback` at `deadline`; equal deadlines in the order of their calls.
/// asyncio's `call_at`.
///
/// # Panics
/// As [`call_soon`].
#[track_caller]
pub fn call_at(deadline: Instant, callback: impl FnOnce() + 'static) -> CallHandle {
    let location = Location::caller();
    context::with(|core| core.call_at(deadline, callback, location))
}

/// The task that the calling code runs in; `None` in a callback and outside of
/// a loop.
pub fn current_task() -> Option<TaskId> {
    context::try_with(|core| {
        let task = core.running.get()?;
        (!task.header().has(flags::CALLBACK)).then(|| task.id())
    })
    .flatten()
}

/// The running loop's unfinished tasks, oldest first.
///
/// # Panics
/// Outside of a loop.
#[track_caller]
pub fn all_tasks() -> Vec<TaskInfo> {
    context::with(|core| {
        let tasks = core.tasks.iter();
        tasks
            .filter(|task| !task.header().has(flags::CALLBACK))
            .map(|task| task.info())
            .collect()
    })
}

impl fmt::Display for LoopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loop {} \"{}\"", self.id(), self.name())
    }
}
