//! The event loop: its parts (`core`), how it is made (`builder`), one
//! iteration of it (`turn`), how it ends (`shutdown`), and the free functions
//! that act on the loop of the calling thread (`api`).

mod api;
mod begin;
mod builder;
mod calls;
pub(crate) mod context;
mod core;
mod done;
mod home;
mod local;
mod looks;
mod observe;
mod shuffle;
mod shutdown;
mod spans;
mod task_set;
mod timing;
mod turn;
pub(crate) mod vars;
mod watch;

#[cfg(all(test, not(loom)))]
mod backlog_tests;
#[cfg(all(test, not(loom)))]
mod local_tests;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod refs_tests;
#[cfg(all(test, not(loom)))]
mod tests;

#[cfg(unix)]
pub(crate) use api::RUN_GRACE;
pub use api::{
    TaskBuilder, all_tasks, call_at, call_later, call_soon, create_task, current_loop,
    current_offload, current_task, run, task, try_current_loop,
};
pub use builder::Builder;
pub(crate) use context::{report_error, report_panic};
pub(crate) use done::PendingCallback;
pub(crate) use home::{tell_unawaited, wake_by_ref};
pub use local::{LocalError, LoopLocal};
pub use observe::ExceptionContext;
pub use shutdown::CloseReport;
pub use turn::Turn;
pub use watch::Hooks;

use self::begin::Settings;
use self::context::Enter;
use self::core::Core;
use self::turn::Engine;
use crate::error::RunError;
use crate::remote::LoopHandle;
use crate::task::Task;
use std::fmt;
use std::io;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One thread's event loop; asyncio's `EventLoop`.
///
/// It is `!Send`: it is made, run and closed on one thread, and its tasks never
/// leave that thread. Other threads reach it through its [`LoopHandle`].
///
/// Dropping it closes it without grace, and the exception handler is told of
/// each task that was pending: asyncio's "Task was destroyed but it is pending!".
///
/// # Examples
/// ```
/// let mut looped = polyloop::EventLoop::new().unwrap();
/// let answer = looped.run_until_complete(async {
///     polyloop::create_task(async { 42 }).await.unwrap()
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
pub struct EventLoop {
    /// `None` once closed. Boxed: its cells and sockets know its address.
    core: Option<Box<Core>>,
    engine: Engine,
}

impl EventLoop {
    /// A loop with the default settings.
    ///
    /// # Errors
    /// The system refused a selector, a waker or a timer descriptor.
    pub fn new() -> io::Result<Self> {
        Self::builder().build()
    }

    /// A builder, for other settings than the default ones.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The handle that other threads use.
    pub fn handle(&self) -> LoopHandle {
        self.core().handle()
    }

    /// Makes a task while the loop is not running; it starts with the next run.
    #[track_caller]
    pub fn create_task<F: Future + 'static>(&self, future: F) -> Task<F::Output> {
        let core = self.core();
        let _inside = Enter::new(core);
        // Eagerly started is what a running loop's task makes.
        let settings = Settings {
            eager: Some(false),
            ..Settings::default()
        };
        let task = core.create_idle(future, Location::caller());
        core.begin(task.as_ref(), settings);
        task
    }

    /// Runs until `main` is done, and gives its output. Tasks that it made and
    /// that are not done yet stay, and go on with the next run.
    ///
    /// # Errors
    /// [`RunError::Nested`] inside a running loop; [`RunError::Stopped`] if the
    /// loop was stopped first (`main` is then dropped).
    ///
    /// # Panics
    /// If `main` panics, with its payload.
    #[track_caller]
    pub fn run_until_complete<F: Future>(&mut self, main: F) -> Result<F::Output, RunError> {
        let location = Location::caller();
        let (core, engine) = self.enter()?;
        let _inside = Enter::new(core);
        // SAFETY: the guard below ends the task before this call returns or
        // unwinds, and with it the future and all that it borrows.
        let task = unsafe { core.create_scoped(main, location) };
        let main = Main { core, task };
        let ran = engine.run(core, || main.task.is_finished());
        main.outcome(ran)
    }

    /// Runs until [`LoopHandle::stop`] is called.
    ///
    /// # Errors
    /// [`RunError::Nested`] inside a running loop.
    pub fn run_forever(&mut self) -> Result<(), RunError> {
        let (core, engine) = self.enter()?;
        let _inside = Enter::new(core);
        engine.run(core, || false)
    }

    /// Makes one turn and waits at most `max_wait` for something to happen
    /// (`None`: as long as it takes). For embedding the loop into another one.
    ///
    /// # Errors
    /// The driver's; or that a loop is running on this thread already.
    pub fn turn(&mut self, max_wait: Option<Duration>) -> io::Result<Turn> {
        let (core, engine) = self.enter()?;
        let _inside = Enter::new(core);
        engine.run_once(core, max_wait, || false)
    }

    /// Closes the loop: cancels every task, runs for at most `grace` what their
    /// clean-up started, refuses whatever is sent from now on, and drops what
    /// is left. What had been accepted and had not begun is told so.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// let looped = polyloop::EventLoop::new().unwrap();
    /// drop(looped.create_task(std::future::pending::<()>()));
    /// let handle = looped.handle();
    /// let report = looped.close(Duration::from_secs(1));
    /// assert_eq!(report.cancelled, 1);
    /// assert!(report.unfinished.is_empty() && handle.is_closed());
    /// ```
    pub fn close(mut self, grace: Duration) -> CloseReport {
        self.shut_down(grace, &|| false)
    }

    /// As [`close`](Self::close), with an end to the grace once `hurry` says so.
    #[cfg(unix)]
    pub(crate) fn close_unless(mut self, grace: Duration, hurry: &dyn Fn() -> bool) -> CloseReport {
        self.shut_down(grace, hurry)
    }

    fn core(&self) -> &Core {
        self.core.as_deref().expect("open until close() takes it")
    }

    fn enter(&mut self) -> Result<(&Core, &mut Engine), RunError> {
        if !context::current().is_null() {
            return Err(RunError::Nested);
        }
        let core = self.core.as_deref().expect("open until close() takes it");
        Ok((core, &mut self.engine))
    }

    fn shut_down(&mut self, grace: Duration, hurry: &dyn Fn() -> bool) -> CloseReport {
        match self.core.take() {
            Some(core) => shutdown::close(core, &mut self.engine, grace, hurry),
            None => CloseReport::default(),
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        // A panic on its way through is news enough.
        if let Some(core) = &self.core
            && !std::thread::panicking()
        {
            shutdown::tell_of_pending(core);
        }
        self.shut_down(Duration::ZERO, &|| false);
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLoop")
            .field("handle", &self.core.as_deref().map(Core::handle))
            .finish_non_exhaustive()
    }
}

/// The main task of a run. It may borrow from the caller's stack, so it ends
/// when this guard does, whatever happens.
struct Main<'a, T> {
    core: &'a Core,
    task: Task<T>,
}

impl<T> Main<'_, T> {
    fn outcome(mut self, ran: Result<(), RunError>) -> Result<T, RunError> {
        if self.task.is_finished() {
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = Pin::new(&mut self.task).poll(&mut cx) {
                return match result {
                    Ok(value) => Ok(value),
                    Err(error) => match error.into_panic() {
                        Ok(payload) => resume_unwind(payload),
                        Err(_) => Err(RunError::Stopped),
                    },
                };
            }
        }
        ran.and(Err(RunError::Stopped))
    }
}

impl<T> Drop for Main<'_, T> {
    fn drop(&mut self) {
        self.core.abort_task(&self.task);
    }
}
