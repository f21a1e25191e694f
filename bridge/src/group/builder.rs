//! How a group is set up, and its start.

use super::choose::Loops;
use super::error::Cause;
use super::worker::{Plan, Threads, start};
use super::{GroupError, Inner, LoopGroup, Placement};
use crate::ThreadPoolExecutor;
use crate::channel::oneshot;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a [`LoopGroup`]; from [`LoopGroup::builder`].
///
/// # Examples
/// ```
/// use polyloop_bridge::LoopGroup;
/// use polyloop_bridge::group::Placement;
///
/// let group = LoopGroup::builder()
///     .names(["front", "back"])
///     .cores(Placement::OnePerCore)
///     .on_start(|number| assert!(number < 2))
///     .build()?;
/// assert_eq!(group.named("back").unwrap(), group.handle(1));
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
#[must_use = "a builder starts nothing until build() is called"]
pub struct Builder {
    loops: Option<usize>,
    name: String,
    names: Vec<String>,
    cores: Placement,
    busy_poll: Option<Duration>,
    executor: Option<ThreadPoolExecutor>,
    on_start: Option<Hook>,
    on_stop: Option<Hook>,
}

/// Called with the number of the loop, on it.
pub(super) type Hook = Arc<dyn Fn(usize) + Send + Sync>;

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            loops: None,
            name: "loop".to_owned(),
            names: Vec::new(),
            cores: Placement::default(),
            busy_poll: None,
            executor: None,
            on_start: None,
            on_stop: None,
        }
    }

    /// How many loops; default: as many as there are names, or one a core. At
    /// least 1.
    pub fn loops(mut self, loops: usize) -> Self {
        self.loops = Some(loops.max(1));
        self
    }

    /// What the loops without a name of their own are called, with their number;
    /// default: `loop`. Threads are named like their loops.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Names for the first loops.
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// On which cores the threads run; default: wherever the system puts them.
    ///
    /// Where the system does not allow it they run anywhere.
    pub fn cores(mut self, placement: Placement) -> Self {
        self.cores = placement;
        self
    }

    /// How long an idle loop looks for work before it sleeps; default: adaptive.
    /// See [`polyloop::Builder::busy_poll`].
    pub fn busy_poll(mut self, time: Duration) -> Self {
        self.busy_poll = Some(time);
        self
    }

    /// The executor for the blocking work of all loops; default: one of the
    /// group's own, with default settings.
    pub fn executor(mut self, executor: ThreadPoolExecutor) -> Self {
        self.executor = Some(executor);
        self
    }

    /// Called on each loop, inside of it, before anything else runs there.
    ///
    /// A panic in it fails the start.
    pub fn on_start(mut self, f: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.on_start = Some(Arc::new(f));
        self
    }

    /// Called on each loop, inside of it, when it was stopped and before its
    /// tasks are cancelled.
    ///
    /// A panic in it is told in the report.
    pub fn on_stop(mut self, f: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.on_stop = Some(Arc::new(f));
        self
    }

    /// Starts the loops, and returns when all of them run.
    ///
    /// # Errors
    /// [`GroupError`] when a thread or a loop could not be had or `on_start`
    /// panicked; the loops that were started are stopped again.
    pub fn build(self) -> Result<LoopGroup, GroupError> {
        let count = self.count();
        let own_executor = self.executor.is_none();
        let executor = self.executor.clone().unwrap_or_default();
        let threads = Threads::new(count);
        let mut starting = Vec::with_capacity(count);
        let mut failed = None;
        for number in 0..count {
            let plan = self.plan(number, &executor);
            let (tell, told) = oneshot::channel();
            match start(plan, &threads, tell) {
                Ok(()) => starting.push((self.loop_name(number), told)),
                Err(error) => {
                    threads.never_started(number, &self.loop_name(number));
                    failed.get_or_insert((self.loop_name(number), Cause::Thread(error)));
                }
            }
        }
        let mut loops = Vec::with_capacity(count);
        for (name, told) in starting {
            match told.recv_blocking() {
                Ok(Ok(handle)) => loops.push(handle),
                Ok(Err(cause)) => {
                    failed.get_or_insert((name, cause));
                }
                // The thread tells in every case, so this cannot be; if it is,
                // the group must not wait for that loop.
                Err(gone) => {
                    let gone = std::io::Error::other(gone);
                    failed.get_or_insert((name, Cause::Loop(gone)));
                }
            }
        }
        let inner = Inner {
            loops: Arc::new(Loops::new(loops)),
            threads,
            executor,
            own_executor,
        };
        match failed {
            None => Ok(LoopGroup {
                inner: Arc::new(inner),
            }),
            // Dropping what there is stops it.
            Some((name, cause)) => Err(GroupError::new(name, cause)),
        }
    }

    fn count(&self) -> usize {
        self.loops.unwrap_or_else(|| match self.names.len() {
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            names => names,
        })
    }

    fn loop_name(&self, number: usize) -> String {
        let own = self.names.get(number).cloned();
        own.unwrap_or_else(|| format!("{}-{number}", self.name))
    }

    fn plan(&self, number: usize, executor: &ThreadPoolExecutor) -> Plan {
        Plan {
            number,
            name: self.loop_name(number),
            cores: self.cores.clone(),
            busy_poll: self.busy_poll,
            executor: executor.clone(),
            on_start: self.on_start.clone(),
            on_stop: self.on_stop.clone(),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("loops", &self.count())
            .field("name", &self.name)
            .field("names", &self.names)
            .field("cores", &self.cores)
            .field("busy_poll", &self.busy_poll)
            .finish_non_exhaustive()
    }
}
