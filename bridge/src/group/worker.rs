//! A loop's thread, from its start to its report.
#![forbid(unsafe_code)]

use super::LoopReport;
use super::error::Cause;
use super::placement::pin;
use super::threads::Threads;
use crate::ThreadPoolExecutor;
use polyloop::{EventLoop, PanicPayload, RunError};
use std::any::Any;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

/// What all threads of a group have in common.
pub(super) struct Recipe {
    /// The cores, in the order in which loops take them.
    pub(super) cores: Vec<usize>,
    pub(super) busy_poll: Option<Duration>,
    pub(super) executor: ThreadPoolExecutor,
    pub(super) configure: Option<Configure>,
    pub(super) on_start: Option<Hook>,
    pub(super) on_stop: Option<Hook>,
}

/// Called with the number of the loop, on it.
pub(super) type Hook = Arc<dyn Fn(usize) + Send + Sync>;

/// Called with the number of the loop and its settings, on its thread.
pub(super) type Configure =
    Arc<dyn Fn(usize, polyloop::Builder) -> polyloop::Builder + Send + Sync>;

/// What one thread is to do.
struct Plan {
    recipe: Arc<Recipe>,
    number: usize,
    name: String,
    record: u64,
    grace: Arc<AtomicU64>,
    threads: Arc<Threads>,
}

/// Starts a loop's thread, which tells the table when the loop runs, or why it
/// does not; gives its record.
pub(super) fn start(
    recipe: &Arc<Recipe>,
    threads: &Arc<Threads>,
    number: usize,
    name: &str,
) -> Result<u64, Cause> {
    let (record, grace) = threads.enter(name)?;
    let plan = Plan {
        recipe: recipe.clone(),
        number,
        name: name.to_owned(),
        record,
        grace,
        threads: threads.clone(),
    };
    let table = threads.clone();
    let spawned = thread::Builder::new()
        .name(name.replace('\0', ""))
        .spawn(move || {
            let name = plan.name.clone();
            let lived = catch_unwind(AssertUnwindSafe(|| live(plan)));
            // Whatever happened, the group hears of the end.
            let report = lived.unwrap_or_else(|payload| LoopReport {
                panic: Some(message(payload)),
                ..LoopReport::not_ended(&name)
            });
            table.ended(record, report);
        });
    match spawned {
        Ok(join) => {
            threads.started(record, join);
            Ok(record)
        }
        Err(error) => {
            threads.never_ran(record);
            Err(Cause::Thread(error))
        }
    }
}

/// A loop's whole life: made, run until it is stopped, closed.
fn live(plan: Plan) -> LoopReport {
    let mut report = LoopReport::not_ended(&plan.name);
    pin(&plan.recipe.cores, plan.number);
    let mut looped = match make(&plan) {
        Ok(looped) => looped,
        Err(error) => {
            plan.threads.failed(plan.record, Cause::Loop(error));
            return report;
        }
    };
    match run(&plan, &mut looped) {
        Ok(error) => report.error = error,
        Err(()) => return report,
    }
    if let Some(on_stop) = &plan.recipe.on_stop {
        let stopped = catch_unwind(AssertUnwindSafe(|| {
            // A driver that fails has been reported, and a second stop changes
            // nothing: the hook was called in the first turn.
            let _ = looped.run_until_complete(async { on_stop(plan.number) });
        }));
        report.panic = stopped.err().map(message);
    }
    let grace = Duration::from_nanos(plan.grace.load(Relaxed));
    report.closed = Some(looped.close(grace));
    report
}

fn make(plan: &Plan) -> io::Result<EventLoop> {
    let recipe = &plan.recipe;
    let mut builder = EventLoop::builder()
        .name(&plan.name)
        .offload(Arc::new(recipe.executor.clone()));
    if let Some(time) = recipe.busy_poll {
        builder = builder.busy_poll(time);
    }
    if let Some(configure) = &recipe.configure {
        builder = configure(plan.number, builder);
    }
    builder.build()
}

/// Runs until it is stopped; an error if `on_start` panicked.
///
/// Start and service are one run: a stop that arrives at any moment ends it.
fn run(plan: &Plan, looped: &mut EventLoop) -> Result<Option<RunError>, ()> {
    let handle = looped.handle();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        looped.run_until_complete(async {
            if let Some(on_start) = &plan.recipe.on_start {
                on_start(plan.number);
            }
            plan.threads.runs(plan.record, &handle);
            pending::<Infallible>().await
        })
    }));
    match ran {
        Ok(Ok(never)) => match never {},
        Ok(Err(RunError::Stopped)) => Ok(None),
        Ok(Err(error)) => Ok(Some(error)),
        Err(payload) => {
            let cause = Cause::Panicked(PanicPayload::new(payload));
            plan.threads.failed(plan.record, cause);
            Err(())
        }
    }
}

fn message(payload: Box<dyn Any + Send>) -> String {
    PanicPayload::new(payload).message().to_owned()
}
