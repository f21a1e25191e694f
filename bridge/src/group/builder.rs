//! How a group is set up, and its start.

use super::choose::Loops;
use super::members::Members;
use super::watchdog::{self, Watchdog};
use super::worker::{Configure, Hook, Recipe};
use super::{GroupError, Inner, LoopGroup, Placement};
use crate::ThreadPoolExecutor;
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
///     .cores(Placement::Spread)
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
    /// With how many loops each.
    roles: Vec<(String, usize)>,
    cores: Placement,
    busy_poll: Option<Duration>,
    executor: Option<ThreadPoolExecutor>,
    configure: Option<Configure>,
    on_start: Option<Hook>,
    on_stop: Option<Hook>,
    watchdog: Option<Watchdog>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            loops: None,
            name: "loop".to_owned(),
            names: Vec::new(),
            roles: Vec::new(),
            cores: Placement::default(),
            busy_poll: None,
            executor: None,
            configure: None,
            on_start: None,
            on_stop: None,
            watchdog: None,
        }
    }

    /// How many loops without a role; default: as many as there are names, or
    /// none if there are loops with one, or one a core. At least 1.
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

    /// Names for the first loops without a role; those beyond the last loop are
    /// not used.
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// So many loops, at least 1, for work of one kind: [`LoopGroup::role`]
    /// chooses among them. They are called by their role and a number of its own,
    /// and come after those without a role. Asked for twice, a role has the loops
    /// of both.
    pub fn role(mut self, role: impl Into<String>, loops: usize) -> Self {
        let (role, loops) = (role.into(), loops.max(1));
        match self.roles.iter_mut().find(|(known, _)| *known == role) {
            Some((_, known)) => *known += loops,
            None => self.roles.push((role, loops)),
        }
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

    /// Called on each loop's thread with the loop's number and settings, to
    /// change what else they have: the exception handler, the clock, debug mode.
    ///
    /// A panic in it fails the start.
    pub fn configure(
        mut self,
        f: impl Fn(usize, polyloop::Builder) -> polyloop::Builder + Send + Sync + 'static,
    ) -> Self {
        self.configure = Some(Arc::new(f));
        self
    }

    /// Watches for loops that are stuck or fail; default: nobody does, and the
    /// report of the shutdown tells.
    pub fn watchdog(mut self, watchdog: Watchdog) -> Self {
        self.watchdog = Some(watchdog);
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
        let own_executor = self.executor.is_none();
        let seats = self.seats();
        let executor = self.executor.unwrap_or_default();
        let recipe = Recipe {
            cores: self.cores.order(),
            busy_poll: self.busy_poll,
            executor: executor.clone(),
            configure: self.configure,
            on_start: self.on_start,
            on_stop: self.on_stop,
        };
        let roles = self.roles.into_iter().map(|(role, _)| role);
        let members = Members::new(self.name, Loops::new(roles), recipe);
        // Dropped on an error, it stops what there is.
        let inner = Inner {
            members: Arc::new(members),
            executor,
            own_executor,
        };
        inner.members.start_all(seats)?;
        if let Some(watchdog) = self.watchdog {
            watchdog::start(watchdog, &inner.members)?;
        }
        Ok(LoopGroup {
            inner: Arc::new(inner),
        })
    }

    /// How many loops have no role.
    fn plain(&self) -> usize {
        self.loops.unwrap_or_else(|| match self.names.len() {
            0 if !self.roles.is_empty() => 0,
            0 => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            names => names,
        })
    }

    /// The loops' names and roles, in the order of their numbers.
    fn seats(&self) -> Vec<(String, Option<usize>)> {
        let plain = (0..self.plain()).map(|number| {
            let own = self.names.get(number).cloned();
            (
                own.unwrap_or_else(|| format!("{}-{number}", self.name)),
                None,
            )
        });
        let roles = self.roles.iter().enumerate();
        let with_role = roles.flat_map(|(role, (name, loops))| {
            (0..*loops).map(move |number| (format!("{name}-{number}"), Some(role)))
        });
        plain.chain(with_role).collect()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("loops", &self.seats())
            .field("name", &self.name)
            .field("cores", &self.cores)
            .field("busy_poll", &self.busy_poll)
            .finish_non_exhaustive()
    }
}
