//! The loop's settings.
#![forbid(unsafe_code)]

use super::EventLoop;
use super::core::{Choices, Core};
use super::observe::{ExceptionContext, ExceptionHandler, Observer};
use super::shuffle::Shuffle;
use super::turn::Engine;
use super::watch::Hooks;
use crate::offload::Offload;
use crate::reactor::{Driver, MioDriver, Reactor};
use crate::remote::Mailbox;
use crate::spin::SpinBudget;
use crate::task::LoopId;
use crate::timers::Clock;
use crate::util::loop_came;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Polls between two looks at the clock; 61 is prime, so that it does not fall
/// into step with a program's own rounds.
const EVENT_INTERVAL: u32 = 61;
/// asyncio's `slow_callback_duration`.
const SLOW_CALLBACK: Duration = Duration::from_millis(100);
/// Set to anything but `0` or nothing, it turns debug mode on.
const DEBUG_VARIABLE: &str = "POLYLOOP_DEBUG";

/// Makes an [`EventLoop`] with settings of your own.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// let looped = polyloop::EventLoop::builder()
///     .name("io")
///     .busy_poll(Duration::ZERO)
///     .build()
///     .unwrap();
/// assert_eq!(looped.handle().name(), "io");
/// ```
#[must_use = "a builder does nothing until build() is called"]
pub struct Builder {
    name: Option<String>,
    clock: Option<Rc<dyn Clock>>,
    driver: Option<Box<dyn Driver>>,
    busy_poll: Option<Duration>,
    event_interval: u32,
    debug: bool,
    slow_callback: Duration,
    exception_handler: Option<ExceptionHandler>,
    eager: bool,
    offload: Option<Arc<dyn Offload>>,
    hooks: Option<Rc<dyn Hooks>>,
    shuffle: Option<u64>,
}

impl Builder {
    pub(super) fn new() -> Self {
        let debug = std::env::var_os(DEBUG_VARIABLE);
        Self {
            name: None,
            clock: None,
            driver: None,
            busy_poll: None,
            event_interval: EVENT_INTERVAL,
            debug: debug.is_some_and(|value| !value.is_empty() && value != "0"),
            slow_callback: SLOW_CALLBACK,
            exception_handler: None,
            eager: false,
            offload: None,
            hooks: None,
            shuffle: None,
        }
    }

    /// The loop's name, for listings. Default: the thread's name, or
    /// `loop-` and its number.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The clock that timers follow. Default: the system's monotonic clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Rc::new(clock));
        self
    }

    /// What the loop waits with. Default: mio.
    pub fn driver(mut self, driver: impl Driver) -> Self {
        self.driver = Some(Box::new(driver));
        self
    }

    /// Fixes how long the loop looks for work before it sleeps;
    /// [`Duration::ZERO`] turns that off. Default: adaptive, see
    /// [`spin`](crate::spin).
    ///
    /// A server whose clients run on the same cores does well with a few
    /// microseconds: a loop that looks on a core of its own cannot see that it
    /// keeps a client on the other one.
    pub fn busy_poll(mut self, budget: Duration) -> Self {
        self.busy_poll = Some(budget);
        self
    }

    /// The most polls between two looks at the clock (and, at most 50 µs after the
    /// last, at I/O) while tasks are ready. Default: 61; at least 1.
    pub fn event_interval(mut self, polls: u32) -> Self {
        self.event_interval = polls.max(1);
        self
    }

    /// Debug mode: every poll is timed, and slow ones are told to the
    /// exception handler. Default: the environment variable `POLYLOOP_DEBUG`.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// What counts as slow in debug mode. Default: 100 ms.
    pub fn slow_callback(mut self, limit: Duration) -> Self {
        self.slow_callback = limit;
        self
    }

    /// Called with what nobody awaits: panics of detached tasks and of
    /// callbacks, and in debug mode slow polls. Default: a line on standard
    /// error. If it panics itself, the default one is told of both.
    pub fn exception_handler(mut self, handler: impl Fn(&ExceptionContext<'_>) + 'static) -> Self {
        self.exception_handler = Some(Rc::new(handler));
        self
    }

    /// Do tasks start at once, inside the call that makes them, and run there
    /// up to their first wait? A task that is done by then never enters the
    /// ready queue. Default: no, they start in the next turn. asyncio's
    /// `eager_task_factory`.
    pub fn eager_tasks(mut self, eager: bool) -> Self {
        self.eager = eager;
        self
    }

    /// Where blocking calls go, name look-ups among them. Default: a thread
    /// for each call.
    pub fn offload(mut self, offload: Arc<dyn Offload>) -> Self {
        self.offload = Some(offload);
        self
    }

    /// Told of what the loop does: spawns, polls, parks. Default: nobody, at no
    /// cost.
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks = Some(Rc::new(hooks));
        self
    }

    /// For tests: what is ready at the start of a turn runs in an order that
    /// only `seed` decides, so that code which relies on an order shows. The
    /// promises about order do not hold then. Default: first in, first out.
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// Makes the loop, on the thread that it will live on.
    ///
    /// # Errors
    /// The system refused a selector, a waker or a timer descriptor.
    pub fn build(self) -> io::Result<EventLoop> {
        let driver = match self.driver {
            Some(driver) => driver,
            None => Box::new(MioDriver::new()?),
        };
        let registry = driver.registry()?;
        let id = next_id();
        let name = self.name.unwrap_or_else(|| default_name(id));
        let mailbox = Mailbox::create(id, name.into(), driver.unparker());
        loop_came();
        let core = Core::new(Choices {
            mailbox,
            reactor: Reactor::new(registry),
            clock: self.clock,
            observer: Observer {
                handler: self.exception_handler,
                slow: self.debug.then_some(self.slow_callback),
                hooks: self.hooks,
            },
            offload: self.offload,
            eager: self.eager,
        });
        let spin = self
            .busy_poll
            .map_or_else(SpinBudget::new, SpinBudget::fixed);
        let mut engine = Engine::new(driver, spin, self.event_interval);
        engine.shuffle = self.shuffle.map(Shuffle::new);
        Ok(EventLoop {
            core: Some(Box::new(core)),
            engine,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("busy_poll", &self.busy_poll)
            .field("event_interval", &self.event_interval)
            .field("debug", &self.debug)
            .field("slow_callback", &self.slow_callback)
            .finish_non_exhaustive()
    }
}

fn next_id() -> LoopId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    LoopId(NEXT.fetch_add(1, Relaxed))
}

fn default_name(id: LoopId) -> String {
    match std::thread::current().name() {
        Some(name) => name.to_owned(),
        None => format!("loop-{id}"),
    }
}
