//! How a loop ends: every queue is closed, then every queue is emptied, in the
//! numbered steps of one function.

use super::context::Enter;
use super::core::Core;
use super::turn::Engine;
use crate::error::TaskError;
use crate::remote::Mailbox;
use crate::task::{TaskInfo, TaskRef, flags};
use std::fmt;
use std::time::{Duration, Instant};

/// Tasks that drops may go on making after the close before the loop gives up
/// on them: their memory is then leaked, which is safe, and they are named.
const DROP_LIMIT: usize = 100_000;

/// What closing a loop did.
#[derive(Debug, Default, Clone)]
#[non_exhaustive]
pub struct CloseReport {
    /// Tasks that were alive and were cancelled.
    pub cancelled: usize,
    /// Work from other threads that had not begun when the close did; its
    /// outcome was told that the loop is closed.
    pub unstarted: usize,
    /// Tasks made during the clean-up that were not done when the grace was
    /// over; they were dropped.
    pub unfinished: Vec<TaskInfo>,
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tasks cancelled, {} submissions not begun, {} tasks cut off",
            self.cancelled,
            self.unstarted,
            self.unfinished.len()
        )?;
        for task in &self.unfinished {
            write!(f, "\n  {task}")?;
        }
        Ok(())
    }
}

pub(super) fn close(
    core: Box<Core>,
    engine: &mut Engine,
    grace: Duration,
    hurry: &dyn Fn() -> bool,
) -> CloseReport {
    let mut report = CloseReport::default();
    let inside = Enter::new(&core);
    core.closing.set(true);
    // 1. Ask everybody to end, and give clean-up its time.
    for task in core.tasks.iter() {
        if task.cancel_here() && !task.header().has(flags::CALLBACK) {
            report.cancelled += 1;
        }
    }
    clean_up(&core, engine, grace, hurry);
    // 2. Close the one door; from here on nothing arrives.
    core.close_inbox();
    report.unstarted = core.unstarted.get();
    // 3. Timers and sockets forget whom to wake.
    let mut wakers = core.timers.borrow_mut().clear();
    wakers.extend(core.reactor.forget_all());
    for waker in wakers {
        core.guarded(|| drop(waker));
    }
    // 4. End what is left. Drops may make tasks, which end here as well.
    end_tasks(&core, &mut report);
    // 5. Loop-locals go, the last made first; what their drops make, too.
    while let Some(value) = core.locals.pop() {
        core.guarded(|| drop(value));
        end_tasks(&core, &mut report);
    }
    for task in &report.unfinished {
        core.observer.clone().destroyed(task.clone());
    }
    // 6. Leave. Cells that are still referenced count for themselves now.
    drop(inside);
    crate::util::loop_left();
    let (mailbox, cells) = (core.mailbox, core.cells());
    drop(core);
    // SAFETY: the loop's share, given up once; the core is gone.
    unsafe { Mailbox::settle_loop(mailbox, cells) };
    report
}

/// A loop is dropped, not closed: whoever made these tasks forgot them.
#[cold]
pub(super) fn tell_of_pending(core: &Core) {
    let tasks = core.tasks.iter();
    let pending: Vec<_> = tasks
        .filter(|task| !task.header().has(flags::CALLBACK))
        .map(TaskRef::info)
        .collect();
    for task in pending {
        core.observer.clone().destroyed(task);
    }
}

/// Runs until no task is left or `hurry` says so, for at most `grace` of the loop's own time and
/// of the system's: a virtual clock stands still while the loop is busy, and
/// jumps ahead when it is not.
fn clean_up(core: &Core, engine: &mut Engine, grace: Duration, hurry: &dyn Fn() -> bool) {
    core.stopping.set(false);
    let (began, really_began) = (core.time(), Instant::now());
    while core.tasks.len() > 0 && !hurry() {
        let spent = core.time().saturating_duration_since(began);
        let left = grace.saturating_sub(spent.max(really_began.elapsed()));
        let turned = engine.run_once(core, Some(left), || core.tasks.len() == 0);
        if turned.is_err() || left.is_zero() {
            break;
        }
    }
}

/// Ends every task, and merges the cells that are still in the ready queue.
fn end_tasks(core: &Core, report: &mut CloseReport) {
    let mut limit = core.tasks.len() + DROP_LIMIT;
    loop {
        while let Some(task) = core.tasks.first().filter(|_| limit > 0) {
            limit -= 1;
            if !task.header().has(flags::CALLBACK) {
                report.unfinished.push(task.info());
            }
            core.abort(task, TaskError::loop_closed(task.is_started()));
        }
        while let Some(task) = core.ready.pop() {
            if task.header().has(flags::DONE) {
                core.run(task);
            } else {
                // Made by a drop just now, or given up: not polled any more.
                task.header().clear(flags::SCHEDULED);
            }
        }
        if limit == 0 || core.tasks.len() == 0 {
            break;
        }
    }
    let given_up = core.tasks.iter().map(TaskRef::info);
    report.unfinished.extend(given_up);
}
