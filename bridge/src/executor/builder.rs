//! How an executor is set up.
#![forbid(unsafe_code)]

use super::ThreadPoolExecutor;
use super::pool::Pool;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a [`ThreadPoolExecutor`]; from [`ThreadPoolExecutor::builder`].
///
/// # Examples
/// ```
/// use polyloop_bridge::ThreadPoolExecutor;
/// use std::time::Duration;
///
/// let pool = ThreadPoolExecutor::builder()
///     .max_workers(4)
///     .queue_limit(1_000)
///     .keep_alive(Duration::from_secs(60))
///     .name("digest")
///     .build()?;
/// assert_eq!(pool.submit(|| 6 * 7).result().unwrap(), 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing until build() is called"]
pub struct Builder {
    config: Config,
}

/// What the pool keeps of it.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) max_workers: usize,
    pub(super) min_workers: usize,
    pub(super) queue_limit: Option<usize>,
    pub(super) keep_alive: Duration,
    pub(super) stack_size: Option<usize>,
    pub(super) on_start: Option<Arc<dyn Fn() + Send + Sync>>,
    pub(super) on_stop: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Cores to pin the threads to, in turn.
    pub(super) cpus: Vec<usize>,
    name: String,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            config: Config {
                max_workers: default_workers(),
                min_workers: 0,
                queue_limit: None,
                keep_alive: KEEP_ALIVE,
                stack_size: None,
                on_start: None,
                on_stop: None,
                cpus: Vec::new(),
                name: "polyloop-pool".to_owned(),
            },
        }
    }

    /// The most threads that work at a time; default: cores + 4, and 32 at most,
    /// as in CPython. At least 1.
    ///
    /// There may be up to 256 more, one for each that [blocks on a job or a
    /// loop](ThreadPoolExecutor#jobs-that-block).
    pub fn max_workers(mut self, workers: usize) -> Self {
        self.config.max_workers = workers.max(1);
        self
    }

    /// Threads that are started at once and never end for want of work;
    /// default: 0. Capped by `max_workers`.
    pub fn min_workers(mut self, workers: usize) -> Self {
        self.config.min_workers = workers;
        self
    }

    /// The most jobs that wait in the queue; default: no limit.
    ///
    /// At the limit `submit` waits when it is awaited, and `try_submit` gives
    /// the closure back. At least 1.
    ///
    /// A [share](ThreadPoolExecutor::limited) has a line of its own, with the same
    /// limit; the few that it sends on at a time are queued past the limit.
    pub fn queue_limit(mut self, jobs: usize) -> Self {
        self.config.queue_limit = Some(jobs.max(1));
        self
    }

    /// How long a thread without work is kept; default: 10 s.
    pub fn keep_alive(mut self, time: Duration) -> Self {
        self.config.keep_alive = time;
        self
    }

    /// The threads' name, to which a number is added; default: `polyloop-pool`.
    ///
    /// A zero byte, which no thread's name can hold, is left out.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.config.name = name.into().replace('\0', "");
        self
    }

    /// The threads' stack, in bytes; default: the system's.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_size = Some(bytes);
        self
    }

    /// Called by each thread before its first job; `initializer` in CPython.
    ///
    /// A panic in it is reported by the panic hook, and the thread works on.
    pub fn on_start(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.config.on_start = Some(Arc::new(f));
        self
    }

    /// Called by each thread after its last job.
    ///
    /// A panic in it is reported by the panic hook.
    pub fn on_stop(mut self, f: impl Fn() + Send + Sync + 'static) -> Self {
        self.config.on_stop = Some(Arc::new(f));
        self
    }

    /// Cores, by their numbers, that the threads are pinned to in turn; default:
    /// none, and the system chooses. A number that the system does not know
    /// leaves its threads unpinned.
    pub fn cpus(mut self, cores: impl IntoIterator<Item = usize>) -> Self {
        self.config.cpus = cores.into_iter().collect();
        self
    }

    /// Makes the executor.
    ///
    /// # Errors
    /// The system's, if `min_workers` is above 0 and not one thread could be
    /// started.
    pub fn build(mut self) -> io::Result<ThreadPoolExecutor> {
        self.config.min_workers = self.config.min_workers.min(self.config.max_workers);
        let executor = ThreadPoolExecutor::from_pool(Pool::new(self.config));
        executor.pool().start_minimum()?;
        Ok(executor)
    }

    /// An executor that starts no thread yet, which cannot fail.
    pub(super) fn build_lazily(mut self) -> ThreadPoolExecutor {
        self.config.min_workers = 0;
        ThreadPoolExecutor::from_pool(Pool::new(self.config))
    }
}

impl Config {
    pub(super) fn worker_name(&self, number: usize) -> String {
        format!("{}-{number}", self.name)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("name", &self.name)
            .field("max_workers", &self.max_workers)
            .field("min_workers", &self.min_workers)
            .field("queue_limit", &self.queue_limit)
            .field("keep_alive", &self.keep_alive)
            .field("stack_size", &self.stack_size)
            .field("on_start", &self.on_start.is_some())
            .field("on_stop", &self.on_stop.is_some())
            .field("cpus", &self.cpus)
            .finish()
    }
}

fn default_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (cores + 4).min(32)
}

const KEEP_ALIVE: Duration = Duration::from_secs(10);
