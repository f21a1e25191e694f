//! A loop's thread, and what the group knows of its threads.

use super::builder::Hook;
use super::error::Cause;
use super::{LoopReport, Placement};
use crate::ThreadPoolExecutor;
use crate::channel::oneshot;
use crate::waiters::{Ticket, Waiters, block_on};
use parking_lot::Mutex;
use polyloop::{EventLoop, LoopHandle, PanicPayload, RunError};
use std::any::Any;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What one thread is to do.
pub(super) struct Plan {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) cores: Placement,
    pub(super) busy_poll: Option<Duration>,
    pub(super) executor: ThreadPoolExecutor,
    pub(super) on_start: Option<Hook>,
    pub(super) on_stop: Option<Hook>,
}

/// How a start is answered.
pub(super) type Started = Result<LoopHandle, Cause>;

/// Starts a loop's thread, which tells when the loop runs, or why it does not.
pub(super) fn start(
    plan: Plan,
    threads: &Threads,
    tell: oneshot::Sender<Started>,
) -> io::Result<()> {
    let ends = threads.ends.clone();
    let handle = thread::Builder::new()
        .name(plan.name.replace('\0', ""))
        .spawn(move || {
            let (number, name) = (plan.number, plan.name.clone());
            let lived = catch_unwind(AssertUnwindSafe(|| live(plan, &ends, tell)));
            // Whatever happened, the group hears of the end.
            let report = lived.unwrap_or_else(|payload| LoopReport {
                panic: Some(message(payload)),
                ..LoopReport::not_ended(&name)
            });
            ends.end(number, report);
        })?;
    threads.joins.lock().push(handle);
    Ok(())
}

/// The threads of a group.
pub(super) struct Threads {
    ends: Arc<Ends>,
    joins: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads and the group share.
struct Ends {
    /// In nanoseconds; what a loop that was stopped gives its tasks.
    grace: AtomicU64,
    reports: Mutex<Vec<Option<LoopReport>>>,
    waiters: Waiters,
}

impl Threads {
    pub(super) fn new(count: usize) -> Self {
        Self {
            ends: Arc::new(Ends {
                grace: AtomicU64::new(nanoseconds(DEFAULT_GRACE)),
                reports: Mutex::new(vec![None; count]),
                waiters: Waiters::new(),
            }),
            joins: Mutex::new(Vec::new()),
        }
    }

    /// The system refused this thread: nobody waits for its end.
    pub(super) fn never_started(&self, number: usize, name: &str) {
        self.ends.end(number, LoopReport::not_ended(name));
    }

    pub(super) fn stop(&self, loops: &[LoopHandle], grace: Duration) {
        self.ends.grace.store(nanoseconds(grace), Relaxed);
        for handle in loops {
            handle.stop();
        }
    }

    /// Waits for the end of all loops but the calling thread's own.
    pub(super) fn wait(&self, loops: &[LoopHandle], deadline: Option<Instant>) -> Vec<LoopReport> {
        let own = loops.iter().position(LoopHandle::is_own_thread);
        let ended = || self.ends.all_but(own);
        let mut ticket = Ticket::new();
        // Late or not, the reports say which have ended.
        let in_time = block_on(deadline, |cx| {
            if !ended() {
                self.ends.waiters.join(&mut ticket, cx.waker());
                if !ended() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        });
        self.ends.waiters.leave(&mut ticket);
        if in_time.is_ok() && own.is_none() {
            // They have said all they had to: this is the thread's own end.
            let joins = std::mem::take(&mut *self.joins.lock());
            for join in joins {
                // A panic in a destructor of a thread-local, which the panic
                // hook has reported.
                let _ = join.join();
            }
        }
        let reports = self.ends.reports.lock();
        let named = reports.iter().zip(loops);
        named
            .map(|(report, handle)| match report {
                Some(report) => report.clone(),
                None => LoopReport::not_ended(handle.name()),
            })
            .collect()
    }
}

impl Ends {
    fn end(&self, number: usize, report: LoopReport) {
        self.reports.lock()[number] = Some(report);
        self.waiters.wake_all();
    }

    fn all_but(&self, own: Option<usize>) -> bool {
        let reports = self.reports.lock();
        let mut numbered = reports.iter().enumerate();
        numbered.all(|(number, report)| report.is_some() || own == Some(number))
    }
}

/// A loop's whole life: made, run until it is stopped, closed.
fn live(plan: Plan, ends: &Ends, tell: oneshot::Sender<Started>) -> LoopReport {
    let mut report = LoopReport::not_ended(&plan.name);
    plan.cores.apply(plan.number);
    let mut looped = match make(&plan) {
        Ok(looped) => looped,
        Err(error) => {
            let _ = tell.send(Err(Cause::Loop(error)));
            return report;
        }
    };
    match run(&plan, &mut looped, tell) {
        Ok(error) => report.error = error,
        Err(()) => return report,
    }
    if let Some(on_stop) = &plan.on_stop {
        let stopped = catch_unwind(AssertUnwindSafe(|| {
            // A driver that fails has been reported, and a second stop changes
            // nothing: the hook was called in the first turn.
            let _ = looped.run_until_complete(async { on_stop(plan.number) });
        }));
        report.panic = stopped.err().map(message);
    }
    let grace = Duration::from_nanos(ends.grace.load(Relaxed));
    report.closed = Some(looped.close(grace));
    report
}

fn make(plan: &Plan) -> io::Result<EventLoop> {
    let mut builder = EventLoop::builder()
        .name(&plan.name)
        .offload(Arc::new(plan.executor.clone()));
    if let Some(time) = plan.busy_poll {
        builder = builder.busy_poll(time);
    }
    builder.build()
}

/// Runs until it is stopped; an error if `on_start` panicked.
///
/// Start and service are one run: a stop that arrives at any moment ends it.
fn run(
    plan: &Plan,
    looped: &mut EventLoop,
    tell: oneshot::Sender<Started>,
) -> Result<Option<RunError>, ()> {
    let handle = looped.handle();
    let mut tell = Some(tell);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        looped.run_until_complete(async {
            if let Some(on_start) = &plan.on_start {
                on_start(plan.number);
            }
            if let Some(tell) = tell.take() {
                let _ = tell.send(Ok(handle));
            }
            pending::<Infallible>().await
        })
    }));
    match ran {
        Ok(Ok(never)) => match never {},
        Ok(Err(RunError::Stopped)) => Ok(None),
        Ok(Err(error)) => Ok(Some(error)),
        Err(payload) => {
            if let Some(tell) = tell.take() {
                let _ = tell.send(Err(Cause::Panicked(PanicPayload::new(payload))));
            }
            Err(())
        }
    }
}

fn message(payload: Box<dyn Any + Send>) -> String {
    PanicPayload::new(payload).message().to_owned()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// For loops that are stopped one by one, with no shutdown that says more.
const DEFAULT_GRACE: Duration = Duration::from_secs(5);
