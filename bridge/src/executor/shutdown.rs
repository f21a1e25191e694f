//! The end of an executor, and the report of it.
#![forbid(unsafe_code)]

use super::OffloadError;
use super::pool::Pool;
use super::worker::is_worker_of;
use crate::blocked::{DoneBit, Node, blocked};
use crate::loom::AtomicU8;
use crate::waiters::{Ticket, block_on, deadline_after};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::Release;
use std::task::Poll;
use std::time::{Duration, Instant};

/// How an executor is to end; the default is CPython's: run what is queued, and
/// wait for it without a limit.
///
/// # Examples
/// ```
/// use polyloop_bridge::{Shutdown, ThreadPoolExecutor};
/// use std::time::Duration;
///
/// let pool = ThreadPoolExecutor::new();
/// pool.submit(|| println!("work")).detach();
/// let report = pool.shutdown(Shutdown {
///     cancel_pending: false,
///     timeout: Some(Duration::from_secs(5)),
///     ..Shutdown::default()
/// });
/// assert!(report.is_complete(), "{report}");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Shutdown {
    /// Block the calling thread until the workers have ended; default: true.
    pub wait: bool,
    /// Cancel what is queued in place of running it; default: false.
    pub cancel_pending: bool,
    /// How long to wait at most; default: without a limit.
    pub timeout: Option<Duration>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            wait: true,
            cancel_pending: false,
            timeout: None,
        }
    }
}

/// What a shutdown left behind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Jobs that were cancelled in the queue.
    pub cancelled: usize,
    /// Jobs that are still in the queue, or in the line of a share.
    pub queued: usize,
    /// Workers that have not ended.
    pub workers: usize,
    /// Jobs that are running still.
    pub stuck: Vec<StuckJob>,
}

/// A job that had not ended when the report was made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StuckJob {
    /// The name of the thread that runs it.
    pub worker: String,
    /// Where it was submitted.
    pub submitted_at: &'static Location<'static>,
    /// How long it has been running.
    pub age: Duration,
}

impl ShutdownReport {
    /// Has everything ended?
    pub fn is_complete(&self) -> bool {
        self.workers == 0 && self.queued == 0
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            write!(
                f,
                "the executor has ended; {} jobs were cancelled",
                self.cancelled
            )?;
        } else {
            write!(
                f,
                "the executor has not ended: {} workers left, {} jobs queued, {} cancelled",
                self.workers, self.queued, self.cancelled
            )?;
        }
        for job in &self.stuck {
            write!(f, "\n  {job}")?;
        }
        Ok(())
    }
}

impl fmt::Display for StuckJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has been running the job submitted at {} for {:.3} s",
            self.worker,
            self.submitted_at,
            self.age.as_secs_f64()
        )
    }
}

/// 1. no more jobs; 2. what is queued is cancelled, if that was asked for;
/// 3. wait; 4. say what is left.
pub(super) fn shutdown(pool: &Arc<Pool>, how: Shutdown) -> ShutdownReport {
    pool.close();
    let cancelled = match how.cancel_pending {
        true => {
            let lines = pool.refuse_lines(&mut OffloadError::cancelled);
            lines + pool.refuse_all(OffloadError::cancelled)
        }
        false => 0,
    };
    if how.wait {
        wait(pool, how.timeout.and_then(deadline_after));
    }
    report(pool, cancelled)
}

fn wait(pool: &Arc<Pool>, deadline: Option<Instant>) {
    // A job that shuts its own executor down cannot wait for itself, nor for
    // jobs that may need its thread.
    let own = is_worker_of(pool);
    let ended = || {
        let workers = pool.bargain.with_staff(|staff| staff.workers.len());
        if own {
            workers <= 1
        } else {
            workers == 0 && pool.is_empty()
        }
    };
    if ended() {
        return;
    }
    let mut ticket = Ticket::new();
    let seen = AtomicU8::new(0);
    let wait = || {
        block_on(deadline, |cx| {
            pool.ended.join(&mut ticket, cx.waker());
            if !ended() {
                return Poll::Pending;
            }
            seen.store(ENDED, Release);
            Poll::Ready(())
        })
    };
    // Late or not, or in a ring: the report says what is left.
    let done = DoneBit::new(&seen, ENDED);
    let _ = blocked(Node::Pool(pool.id), done, deadline.is_none(), wait);
    pool.ended.leave(&mut ticket);
}

const ENDED: u8 = 1;

fn report(pool: &Arc<Pool>, cancelled: usize) -> ShutdownReport {
    let now = Instant::now();
    let workers = pool.bargain.with_staff(|staff| staff.workers.clone());
    let stuck = workers.iter().filter_map(|seat| {
        let running = seat.running()?;
        Some(StuckJob {
            worker: seat.name.clone(),
            submitted_at: running.location,
            age: now.saturating_duration_since(running.since),
        })
    });
    ShutdownReport {
        cancelled,
        queued: pool.queue_len()
            + pool
                .lines()
                .iter()
                .map(|line| line.waiting())
                .sum::<usize>(),
        workers: workers.len(),
        stuck: stuck.collect(),
    }
}
