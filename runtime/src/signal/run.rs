//! A run that Ctrl-C ends.
#![forbid(unsafe_code)]

use super::{Signals, interrupts};
use crate::EventLoop;
use crate::combine::{Either, race};
use crate::event_loop::RUN_GRACE;
use std::io;

/// As [`run`](crate::run), and Ctrl-C ends it: what `asyncio.run` does with
/// SIGINT.
///
/// The first press drops `main`; the loop is then closed as `run` closes it,
/// with every task cancelled and clean-up given its time. A second press cuts
/// the clean-up short. If `main` is done in the turn that hears the press, its
/// output stands. Code that holds the loop up is not interrupted.
///
/// It is not what `run` does by itself, since a handler, once installed, stays:
/// from this call on, and after it, Ctrl-C no longer ends the process.
///
/// # Errors
/// [`Interrupted`](io::ErrorKind::Interrupted) after a press; else as `run`.
///
/// # Panics
/// If `main` panics, with its payload.
///
/// # Examples
/// ```
/// let answer = polyloop::signal::run_until_interrupted(async { 42 });
/// assert_eq!(answer.unwrap(), 42);
/// ```
#[doc(alias = "KeyboardInterrupt")]
#[track_caller]
pub fn run_until_interrupted<F: Future>(main: F) -> io::Result<F::Output> {
    let mut looped = EventLoop::new()?;
    let mut presses = None;
    let ended = looped.run_until_complete(async {
        let presses = presses.insert(interrupts()?);
        match race(main, presses.recv()).await {
            Either::Left(output) => Ok(output),
            Either::Right(_) => Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the run was interrupted by Ctrl-C",
            )),
        }
    })?;
    looped.close_unless(RUN_GRACE, &|| {
        presses.as_ref().is_some_and(Signals::heard_another)
    });
    ended
}
