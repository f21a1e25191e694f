//! How a loop ends: every queue is closed, then every queue is emptied, in the
//! numbered steps of one function.

use super::context::Enter;
use super::core::Core;
use super::turn::Engine;
use crate::error::TaskError;
use crate::remote::Mailbox;
use crate::task::{TaskInfo, flags};
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

pub(super) fn close(core: Box<Core>, engine: &mut Engine, grace: Duration) -> CloseReport {
    let mut report = CloseReport::default();
    let inside = Enter::new(&core);
    core.stopping.set(false);
    core.closing.set(true);
    // 1. Ask everybody to end, and give clean-up its time.
    for task in core.tasks.iter() {
        if task.cancel_here() && !task.header().has(flags::CALLBACK) {
            report.cancelled += 1;
        }
    }
    let until = Instant::now().checked_add(grace);
    while core.tasks.len() > 0 {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let out_of_time = left.is_some_and(|left| left.is_zero());
        if engine.turn(&core, left, || core.tasks.len() == 0).is_err() || out_of_time {
            break;
        }
    }
    // 2. Close the one door; from here on nothing arrives.
    for task in core.mailbox().close() {
        core.arrived(task);
    }
    report.unstarted = core.unstarted.get();
    // 3. End what is left. Drops may make tasks, which end here as well.
    for _ in 0..DROP_LIMIT {
        let Some(task) = core.tasks.first() else {
            break;
        };
        let info = task.info();
        let callback = task.header().has(flags::CALLBACK);
        core.abort(task, TaskError::loop_closed());
        if !callback {
            report.unfinished.push(info);
        }
    }
    // 4. Empty the ready queue: its cells are done, this merges them.
    while let Some(task) = core.ready.pop() {
        core.run(task);
    }
    // 5. Timers and sockets forget whom to wake.
    let timers = core.timers.borrow_mut().clear();
    drop(timers);
    core.reactor.forget_all();
    // 6. Leave. Cells that are still referenced count for themselves now.
    drop(inside);
    let (mailbox, cells) = (core.mailbox, core.cells());
    drop(core);
    // SAFETY: the loop's share, given up once; the core is gone.
    unsafe { Mailbox::settle_loop(mailbox, cells) };
    report
}
